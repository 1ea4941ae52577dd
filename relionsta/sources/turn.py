"""AreTomo3's tomograms in RELION's axes, whatever their FlipVol.

AreTomo3 back-projects at x' = X cos(tilt) + Z sin(tilt), as RELION does, turns Z round "to match IMOD" (CDoWbpRecon,
mGetReconResult) and saves X, Z, Y: that is FlipVol 0. FlipVol 1 exchanges Y and Z and turns Z round again
(CTiltSeries::FlipVol), which gives RELION's tomogram; FlipVol 2 only exchanges them, which leaves Z mirrored.
"""
import warnings
from pathlib import Path

import mrcfile
import numpy as np

from ..results.full_disk import is_disk_error
from ..whole import take_space, whole
from .text import SourceError


def relion_axes(volume: np.ndarray, flip_vol: int) -> np.ndarray:
    """A view of a tomogram's voxels, as its file has them, with the axes Z, Y, X of RELION's tomogram.

    flip_vol 0: from Y, Z from the top, X (a turn by 90 degrees about X); 1: as it is; 2: from Z from the top, Y, X (a
    mirror image, mirrored back). Voxel z of n becomes n - 1 - z.
    """
    if flip_vol == 0:
        return volume.transpose(1, 0, 2)[::-1]
    return volume[::-1] if flip_vol == 2 else volume


def write_in_relion_axes(path: Path, flip_vol: int, target: Path) -> None:
    """Copy a tomogram into RELION's axes, with its voxel size; `target` appears when it is whole.

    Raises SourceError where the file is no MRC volume or the copy cannot be written, and OSError on a full disk.
    """
    try:
        with whole(target) as temporary, warnings.catch_warnings():
            warnings.simplefilter('ignore')  # permissive mode warns of harmless oddities
            with mrcfile.mmap(str(path), mode='r', permissive=True) as source:
                if source.data is None or source.data.ndim != 3:
                    raise ValueError('it holds no volume')
                turned = relion_axes(source.data, flip_vol)
                with mrcfile.new_mmap(str(temporary), turned.shape, int(source.header.mode), overwrite=True) as copy:
                    take_space(temporary)
                    for z, plane in enumerate(turned):
                        copy.data[z] = plane
                    copy.voxel_size = float(source.voxel_size.x)
                    copy.update_header_stats()
    except (OSError, ValueError) as error:
        if is_disk_error(error):
            raise  # another reconstruction would not help
        raise SourceError("%s: it could not be turned into RELION's axes (%s). Reconstruct it with -FlipVol 1."
                          % (path, error)) from error
