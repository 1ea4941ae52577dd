"""Maps in MRC files: is the file whole, how large is a voxel, statistics and central slices.

Arrays are in MRC order, (z, y, x); sizes in voxels are given as (x, y, z); lengths in Å.
"""
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Tuple, Union

import mrcfile
import numpy as np
from mrcfile.utils import data_dtype_from_header, data_shape_from_header

from ..whole import whole
from .plain_header import HEADER_BYTES, plain_header

PathLike = Union[str, Path]
# The label that RELION leaves in a header whose statistics are those of the voxels, measured on the maps of all its jobs
_RELION = b'Relion '
_FLOAT32 = 2
# How far statistics may be off, as a part of the standard deviation: a header holds them in 32 bits.
STATISTICS_TOLERANCE = 2e-5
# Headers hold the box edge in Å as float32: two axes of the same map may differ in the sixth digit
VOXEL_TOLERANCE = 1e-4


class MapError(ValueError):
    """A map that cannot be used; the message names the file, what is wrong and what to do."""


@dataclass(frozen=True)
class MapHeader:
    """Size of a map or stack, voxel size along x, y, z (Å; 0 where the header has none), bytes the file must have."""

    size: Tuple[int, int, int]
    voxel: Tuple[float, float, float]
    file_bytes: int


@dataclass(frozen=True)
class MapStatistics:
    """Grey values of a map; deviation: their standard deviation."""

    minimum: float
    maximum: float
    mean: float
    deviation: float


@dataclass(frozen=True)
class CentralSlices:
    """The three slices through the centre of a map (voxel N/2, RELION's origin), and its voxel size in Å.

    xy: rows y, columns x; xz: rows z, columns x; yz: rows z, columns y.
    """

    xy: np.ndarray
    xz: np.ndarray
    yz: np.ndarray
    pixel_size: float
    size: Tuple[int, int, int]


def read_header(path: PathLike) -> MapHeader:
    """Header of an MRC file; MapError where there is no file, or its header is cut or not MRC."""
    try:
        with mrcfile.open(os.fspath(path), mode='r', header_only=True) as mrc:
            header, voxel = mrc.header, mrc.voxel_size
            size = int(header.nx), int(header.ny), int(header.nz)
            if min(size) < 1:
                raise ValueError('its header gives a size of %d x %d x %d' % size)
            values = int(np.prod(data_shape_from_header(header), dtype=np.int64))
            data_bytes = values * data_dtype_from_header(header).itemsize
            total = HEADER_BYTES + int(header.nsymbt) + data_bytes
            return MapHeader(size, (float(voxel.x), float(voxel.y), float(voxel.z)), total)
    except FileNotFoundError:
        raise MapError('%s: there is no such map' % path) from None
    except (OSError, ValueError) as error:
        raise MapError('%s: not a readable MRC map (%s). Was the program that wrote it stopped?'
                       % (path, error)) from error


def is_whole_mrc(path: PathLike) -> bool:
    """True where the file has exactly the size that its header implies (RELION writes the header first)."""
    try:
        header = plain_header(path)
        return os.path.getsize(path) == read_header(path).file_bytes if header is None else header.there == header.needed
    except (MapError, OSError):
        return False


def check_values(path: PathLike, statistics: bool = True) -> None:
    """Raise MapError unless the file is one whole volume of numbers; with `statistics`, and where RELION wrote it, of the
    very numbers that it wrote: blocks that a power cut or a network disk has lost, or left from an older map, change
    the statistics that its header holds. Some programs of RELION (relion_helix_toolbox) leave those of their input there."""
    with opened(path, statistics=statistics):
        pass


def _check_statistics(path: PathLike, mrc: 'mrcfile.mrcmemmap.MrcMemmap', told: bool) -> None:
    header, data = mrc.header, mrc.data
    if data.dtype.kind not in 'fiu':
        raise MapError('%s: not a map of real numbers (mode %d)' % (path, header.mode))
    checked = told and int(header.mode) == _FLOAT32 and bytes(header.label[0]).startswith(_RELION)
    low, high, mean, deviation = _statistics(data, checked)
    if not np.isfinite(low) or not np.isfinite(high):
        raise MapError('%s: holds values that are no numbers (nan or inf); it was damaged, or the job that made it went '
                       'wrong. Run that job again' % path)
    if not checked:
        return
    said = [float(header[name]) for name in ('dmin', 'dmax', 'dmean', 'rms')]
    off = np.abs(np.array([low, high, mean, deviation]) - said) > STATISTICS_TOLERANCE * max(deviation, said[3])
    if off.any() and not (off[2:].any() and not off[:2].any() and _is_single(data, said)):
        raise MapError('%s: its voxels are not those that RELION wrote: they go from %.6g to %.6g (mean %.6g, deviation '
                       '%.6g), and the header says %.6g to %.6g (%.6g, %.6g). A part of it was lost or is of another map; '
                       'make it again' % (path, low, high, mean, deviation, said[0], said[1], said[2], said[3]))


def _statistics(data: np.ndarray, sums: bool) -> Tuple[float, float, float, float]:
    """Minimum, maximum, mean and deviation (0 without `sums`) of a volume (z, y, x), which may be larger than the memory: it
    is gone through once, section by section."""
    with np.errstate(invalid='ignore', over='ignore'):  # nan and inf come out as they are
        found = np.array([(one.min(), one.max(), *(_sums(one) if sums else (0.0, 0.0))) for one in data], dtype=np.float64)
        mean = found[:, 2].sum() / data.size
        deviation = np.sqrt(max(0.0, found[:, 3].sum() / data.size - mean ** 2))
    return float(found[:, 0].min()), float(found[:, 1].max()), float(mean), float(deviation)


def _sums(section: np.ndarray) -> Tuple[float, float]:
    """Of the values, and of their squares."""
    return float(section.sum(dtype=np.float64)), float(np.einsum('yx,yx->', section, section, dtype=np.float64))


def _is_single(data: np.ndarray, said: Sequence[float]) -> bool:
    """True where these are the statistics (minimum, maximum, mean, deviation) that a RELION built in single precision finds
    when it adds up one voxel after the other."""
    mean = float(np.cumsum(data, dtype=np.float32)[-1]) / data.size
    square = float(np.cumsum(np.square(data, dtype=np.float32), dtype=np.float32)[-1]) / data.size
    deviation = abs(square - mean ** 2) ** 0.5
    return bool(np.allclose([mean, deviation], said[2:], atol=STATISTICS_TOLERANCE * said[3]))


def pixel_size(path: PathLike) -> float:
    """Voxel size in Å; MapError where the header has none or one that differs between the axes."""
    voxel = read_header(path).voxel
    if min(voxel) <= 0:
        raise MapError('%s: its header has no voxel size (%g, %g, %g Å); set it, or give the pixel size'
                       % ((path,) + voxel))
    if max(voxel) - min(voxel) > VOXEL_TOLERANCE * max(voxel):
        raise MapError('%s: its voxels are not cubes (%g, %g, %g Å); rescale the map' % ((path,) + voxel))
    return voxel[0]


def read_map(path: PathLike, statistics: bool = False) -> np.ndarray:
    """The map as float32 (z, y, x); MapError where the file is not whole or not one volume of numbers.

    statistics: see check_values; for a map that a run has made itself.
    """
    with opened(path, statistics=statistics) as mrc:
        return np.array(mrc.data, dtype=np.float32)


def map_statistics(path: PathLike) -> MapStatistics:
    """Statistics of the voxels themselves (the ones in a header may be missing or stale)."""
    data = read_map(path)
    return MapStatistics(float(data.min()), float(data.max()), float(data.mean(dtype=np.float64)),
                         float(data.std(dtype=np.float64)))


def write_mean(path: PathLike, maps: Sequence[PathLike]) -> None:
    """Write the mean of maps of one size (float32, the voxel size of the first), to a temporary name first."""
    voxel = pixel_size(maps[0])
    mean = np.mean([read_map(one) for one in maps], axis=0, dtype=np.float64)
    with whole(path) as partial, mrcfile.new(str(partial), data=mean.astype(np.float32), overwrite=True) as mrc:
        mrc.voxel_size = voxel


def central_slices(path: PathLike, voxel: Optional[float] = None, statistics: bool = False) -> CentralSlices:
    """Central slices of a map; `voxel` (Å) replaces the header's voxel size. statistics: see check_values."""
    spacing = pixel_size(path) if voxel is None else voxel
    with opened(path, statistics=statistics) as mrc:
        data = mrc.data
        nz, ny, nx = data.shape
        return CentralSlices(xy=np.array(data[nz // 2], dtype=np.float32),
                             xz=np.array(data[:, ny // 2], dtype=np.float32),
                             yz=np.array(data[:, :, nx // 2], dtype=np.float32),
                             pixel_size=spacing, size=(nx, ny, nz))


def projections(path: PathLike, voxel: Optional[float] = None) -> CentralSlices:
    """The map summed along z, y and x, in the places of the slices xy, xz and yz. Arguments and errors as central_slices."""
    spacing = pixel_size(path) if voxel is None else voxel
    with opened(path) as mrc:
        data = mrc.data
        nz, ny, nx = data.shape
        along_z, along_y, along_x = (data.sum(axis=axis, dtype=np.float32) for axis in range(3))
        return CentralSlices(xy=along_z, xz=along_y, yz=along_x, pixel_size=spacing, size=(nx, ny, nz))


def opened(path: PathLike, values: bool = True, statistics: bool = False) -> 'mrcfile.mrcmemmap.MrcMemmap':
    """The file as a memory map, known to be one whole volume; values: of numbers, for which all of it is read;
    statistics: see check_values."""
    header = read_header(path)
    found = Path(path).stat().st_size
    if found != header.file_bytes:
        raise MapError('%s: %d bytes, but its header asks for %d; it is still being written, or cut'
                       % (path, found, header.file_bytes))
    mrc = mrcfile.mmap(os.fspath(path), mode='r')
    if mrc.data.ndim != 3:
        mrc.close()
        raise MapError('%s: not one volume (size %d x %d x %d)' % ((path,) + header.size))
    try:
        if values:
            _check_statistics(path, mrc, statistics)
    except MapError:
        mrc.close()
        raise
    return mrc
