"""The tomograms that a tomograms.star of RELION names -> Scipion's."""
import os
from typing import Any, Hashable, List, Mapping, Optional, Tuple

import pandas as pd
from pwem.objects import Transform
from tomo.objects import SetOfTomograms, Tomogram

from relionsta.sources.relion_folder import made_by_inversion

from .errors import ConvertError
from .parts import TOMOGRAM
from .reconstructions import append_reconstruction, centre_voxel
from .relion_import import PIXEL, SIZES
from .series import scipion_ts_id

_VOLUME = 'rlnTomoReconstructedTomogram'
#: Best first: a denoised one is for picking, and lies where the other does.
_VOLUMES = (_VOLUME, 'rlnTomoReconstructedTomogramDenoised', 'rlnTomoDenoisedTomogram', _VOLUME + 'Half1')
_HALVES = (_VOLUME + 'Half1', _VOLUME + 'Half2')
_BINNING = 'rlnTomoTomogramBinning'


def append_tomograms(tomograms: SetOfTomograms, overview: pd.DataFrame, without_files: bool = False,
                     voxel: Optional[float] = None) -> Tuple[List[str], List[str]]:
    """Append the tomograms of a tomograms.star (block global, paths from this project) whose file is there.

    without_files: also those whose file is gone, so that coordinates have something to lie in; voxel: Å, where neither file
    nor rlnTomoTomogramBinning tells. Returns the names of those that came, and of those without a file. The caller
    writes the set.
    """
    there, gone = [], []
    for row in overview.to_dict('records'):
        files = _files(row)
        file = next((one for one in files if os.path.isfile(one)), None)
        name = str(row[TOMOGRAM])
        # RELION places the centre of the specimen differently there.
        fourier = any(made_by_inversion(one) for one in files)
        if file is not None:
            halves = [str(row[label]) for label in _HALVES if _is_named(row.get(label)) and os.path.isfile(str(row[label]))]
            append_reconstruction(tomograms, scipion_ts_id(name), file, _sizes(row), float(row[PIXEL]), fourier,
                                  halves if len(halves) == 2 else ())
            there.append(name)
            continue
        gone.append(name)
        if without_files:
            _append_empty(tomograms, row, files[0] if files else '%s.mrc' % name, fourier, voxel)
    return there, gone


def volumes_there(overview: pd.DataFrame) -> bool:
    """True where the file of at least one tomogram of a tomograms.star is there."""
    return any(os.path.isfile(file) for row in overview.to_dict('records') for file in _files(row))


def append_unknown(tomograms: SetOfTomograms, names: List[str], size: Tuple[int, int, int], voxel: float) -> None:
    """Append tomograms of which nothing but the names is known. size: X, Y, Z in voxels of `voxel` Å."""
    for name in names:
        _append(tomograms, name, '%s.mrc' % name, voxel, [-n / 2 * voxel for n in size])


def _append_empty(tomograms: SetOfTomograms, row: Mapping[Hashable, Any], file: str, fourier: bool,
                  voxel: Optional[float]) -> None:
    pixel, unbinned = float(row[PIXEL]), _sizes(row)
    edge = float(row[_BINNING]) * pixel if _BINNING in row else voxel or pixel
    size = [int(n * pixel / edge) for n in unbinned]
    _append(tomograms, str(row[TOMOGRAM]), file, edge,
            list(-edge * centre_voxel(unbinned, pixel, [size[0] // 2 * 2, *size[1:]], edge, fourier)))


def _append(tomograms: SetOfTomograms, name: str, file: str, voxel: float, origin: List[float]) -> None:
    if not tomograms.getSamplingRate():
        tomograms.setSamplingRate(voxel)
    tomogram = Tomogram(tsId=scipion_ts_id(name))
    tomogram.setFileName(file)
    tomogram.setSamplingRate(voxel)
    transform = Transform()
    transform.setShifts(*origin)
    tomogram.setOrigin(transform)
    tomograms.append(tomogram)
    tomograms.update(tomogram)


def _files(row: Mapping[Hashable, Any]) -> List[str]:
    return [str(row[label]) for label in _VOLUMES if _is_named(row.get(label))]


def _sizes(row: Mapping[Hashable, Any]) -> List[int]:
    try:
        return [int(row[label]) for label in SIZES]
    except KeyError as error:
        raise ConvertError('tomogram %s: the column %s is missing in tomograms.star; its size says where the centre of the '
                           'specimen lies' % (row.get(TOMOGRAM), error)) from error


def _is_named(value: Any) -> bool:
    return value is not None and str(value) not in ('', 'None')
