"""Sizes of MRC stacks and volumes, from the header alone."""
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

import mrcfile

from .text import SourceError

_BYTES_PER_VOXEL = {0: 1., 1: 2., 2: 4., 3: 4., 4: 8., 6: 2., 12: 2., 101: 0.5}
_HEADER_BYTES = 1024


@dataclass(frozen=True)
class MrcHeader:
    """size: nx, ny, nz of the file; pixel_size: Angstrom along X, None where the header holds none (0 or 1)."""

    path: Path
    size: Tuple[int, int, int]
    pixel_size: Optional[float]


def read_mrc_header(path: Path, fix: str) -> MrcHeader:
    """The header of an MRC file; no image is read.

    Raises SourceError, which ends in the sentence `fix`, where the file is missing, is no MRC file, or is shorter
    than its header says.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # permissive mode warns of harmless oddities, such as a missing MAP stamp
            with mrcfile.open(str(path), permissive=True, header_only=True) as mrc:
                header = mrc.header
                size = int(header.nx), int(header.ny), int(header.nz)
                mode, extended, length = int(header.mode), int(header.nsymbt), float(header.cella.x)
                grid = int(header.mx)
    except FileNotFoundError:
        raise SourceError('%s: this file is missing. %s' % (path, fix)) from None
    except (OSError, ValueError) as error:
        raise SourceError('%s: this is no readable MRC file (%s). %s' % (path, error, fix)) from error
    if min(size) < 1 or mode not in _BYTES_PER_VOXEL or extended < 0:
        raise SourceError('%s: the MRC header is damaged (size %d x %d x %d, mode %d). %s'
                          % ((path,) + size + (mode, fix)))
    expected = _HEADER_BYTES + extended + int(size[0] * size[1] * size[2] * _BYTES_PER_VOXEL[mode])
    actual = path.stat().st_size
    if actual < expected and path.suffix not in ('.gz', '.bz2'):
        raise SourceError('%s: the file has %d bytes, %d are expected for %d x %d x %d: it is cut short. %s'
                          % ((path, actual, expected) + size + (fix,)))
    pixel = length / grid if grid > 0 else 0.
    return MrcHeader(path, size, pixel if pixel > 0 and abs(pixel - 1) > 1e-6 else None)
