"""Tomograms that RELION has reconstructed -> Scipion's."""
import os
from typing import Any, Optional, Sequence

import mrcfile
import numpy as np
from pwem.objects import Transform
from tomo.objects import SetOfTomograms, Tomogram

from relionsta.results.maps import MapError, check_values, is_whole_mrc, read_header

from ..whole import take_space, whole
from .errors import ConvertError

# of a voxel: headers hold 32-bit numbers
_ROUNDING = 1e-3


def append_reconstruction(tomograms: SetOfTomograms, ts_id: str, path: str, unbinned: Sequence[int], pixel: float,
                          fourier: bool, halves: Sequence[str] = (), acquisition: Optional[Any] = None) -> Tomogram:
    """Append a tomogram whose origin marks the centre of the specimen, as RELION has placed it; returns it.

    unbinned: X, Y, Z that were asked for, in tilt-series pixels of `pixel` Å. fourier: made by Fourier inversion.
    Raises ConvertError for a file that is not there, cut, of another size, or damaged (see results.maps.check_values).
    """
    for file in (path, *halves):
        if not os.path.isfile(file) or not is_whole_mrc(file):
            raise ConvertError('the tomogram %s is not there, or it is cut' % file)
        try:
            check_values(file)
        except MapError as error:
            raise ConvertError(str(error)) from error
    header = read_header(path)
    voxel = header.voxel[0]
    check_size(path, unbinned, pixel)
    if not tomograms.getSamplingRate():
        tomograms.setSamplingRate(voxel)
        if acquisition is not None:
            tomograms.setAcquisition(acquisition.clone())
    tomogram = Tomogram(tsId=ts_id)
    tomogram.setFileName(path)
    tomogram.setSamplingRate(voxel)
    if acquisition is not None:
        tomogram.setAcquisition(acquisition.clone())
    origin = Transform()
    origin.setShifts(*(-voxel * centre_voxel(unbinned, pixel, header.size, voxel, fourier)))
    tomogram.setOrigin(origin)
    if halves:
        tomogram.setHalfMaps(list(halves))
    tomograms.append(tomogram)
    tomograms.update(tomogram)
    return tomogram


def check_size(path: str, unbinned: Sequence[int], pixel: float) -> None:
    """Raise ConvertError where a tomogram has not the size that was asked for: X, Y, Z in tilt-series pixels of `pixel` Å.
    RELION rounds, and makes X even."""
    header = read_header(path)
    size, asked = header.size, np.asarray(unbinned) * pixel / header.voxel[0]
    if (np.abs(np.asarray(size) - asked) > 2).any():
        raise ConvertError('the tomogram %s has %s voxels, and about %s were asked for'
                           % (path, ' x '.join(map(str, size)), ' x '.join('%.0f' % edge for edge in asked)))


def centre_voxel(unbinned: Sequence[int], pixel: float, size: Sequence[int], voxel: float, fourier: bool) -> np.ndarray:
    """0-based index (3,), fractional, of the specimen's centre in a tomogram of `size` voxels (X, Y, Z) of `voxel` Å.

    Back-projection keeps the centre at the unbinned index int(unbinned / 2), whatever is left over at the far edge. It
    makes X even, and where that takes a voxel off, the centre moves by half of it. Fourier inversion puts the centre on
    voxel int(size / 2). Measured on RELION 5.1 with particles at known places, at twelve sizes.
    """
    if fourier:
        return np.asarray(size, dtype=np.int64) // 2 + 0.0
    centre = np.asarray(unbinned, dtype=np.int64) // 2 * (pixel / voxel)
    if unbinned[0] * pixel / voxel - size[0] > 1 - _ROUNDING:
        centre[0] -= 0.5
    return centre


def average_halves(halves: Sequence[str], path: str) -> str:
    """Write the mean of two tomograms of the same size, slice by slice; the file appears whole or not at all."""
    with whole(path) as temporary, mrcfile.mmap(halves[0], mode='r') as one, mrcfile.mmap(halves[1], mode='r') as other:
        with mrcfile.new_mmap(str(temporary), one.data.shape, mrc_mode=2, overwrite=True) as mean:
            take_space(temporary)
            for number in range(len(one.data)):
                mean.data[number] = (one.data[number].astype(np.float32) + other.data[number]) / 2
            mean.voxel_size = one.voxel_size
    return path
