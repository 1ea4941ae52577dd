"""The image stacks of a series, checked against its alignment."""
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

from .mrc import MrcHeader, read_mrc_header
from .text import SourceError, first_existing

_FIX = 'Restore it, or run AreTomo3 with motion correction (-Cmd 0) again.'
_ENDS = ('.mrc', '.st', '.mrcs', '')


@dataclass(frozen=True)
class Stacks:
    """The stack of all raw images, those of even and odd frames (None where absent), and the header's pixel size."""

    path: Path
    even: Optional[Path]
    odd: Optional[Path]
    header_pixel_size: Optional[float]


def find_stacks(folder: Path, name: str, raw_size: Tuple[int, int, int], notes: List[str]) -> Stacks:
    """The stacks of series `name`; raw_size: nx, ny, n of the .aln.

    Raises SourceError where the stack is missing, cut short, or has another size or number of images.
    """
    candidates = [folder / (name + end) for end in _ENDS]
    path = first_existing(candidate for candidate in candidates if not candidate.is_dir()) or candidates[0]
    header = _checked(path, raw_size)
    halves = [folder / (name + end) for end in ('_EVN.mrc', '_ODD.mrc')]
    there = [half for half in halves if half.exists()]
    if len(there) == 1:
        notes.append('%s: the other half stack is missing; neither is used.' % there[0].name)
    if len(there) < 2:
        return Stacks(path, None, None, header.pixel_size)
    for half in halves:
        _checked(half, raw_size)
    return Stacks(path, halves[0], halves[1], header.pixel_size)


def _checked(path: Path, raw_size: Tuple[int, int, int]) -> MrcHeader:
    header = read_mrc_header(path, _FIX)
    if header.size != raw_size:
        raise SourceError('%s: %d images of %d x %d px, the .aln says %d images of %d x %d px: the two are not of one '
                          'run. %s' % (path, header.size[2], header.size[0], header.size[1],
                                       raw_size[2], raw_size[0], raw_size[1], _FIX))
    return header
