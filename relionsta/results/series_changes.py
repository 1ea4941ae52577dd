"""What a job has changed in tilt series: the tomograms.star that went in against the one that came out."""
from pathlib import Path
from typing import Dict, List, Union

import numpy as np
import pandas as pd

from ..star import StarError, read_star, require_columns

_NAME = 'rlnMicrographName'
_SCALE = 'rlnCtfScalefactor'
_SHIFTS = ['rlnTomoXShiftAngst', 'rlnTomoYShiftAngst']


def series_changes(before: Union[str, Path], after: Union[str, Path]) -> pd.DataFrame:
    """One row per tilt image of `after`, both of them tomograms.star files.

    Columns: name (of the tomogram), tilt (degrees, before), defocus_before and defocus_after (Å, mean of U and V),
    scale_before and scale_after, shift_x and shift_y (Å, after - before), turn_x, turn_y and turn_z (degrees, after -
    before, of XTilt, YTilt and ZRot), turn (degrees, the largest of the three without sign). Images are known by their
    name. Raises StarError for files that lack columns.
    """
    old = tilt_series_tables(before)
    parts = []
    for name, table in tilt_series_tables(after).items():
        known = old[name].set_index(_NAME).reindex(table[_NAME]).reset_index()
        part = pd.DataFrame({'name': name, 'tilt': known['rlnTomoYTilt']})
        for suffix, one in (('before', known), ('after', table)):
            part['defocus_' + suffix] = one[['rlnDefocusU', 'rlnDefocusV']].mean(axis=1)
            part['scale_' + suffix] = one[_SCALE] if _SCALE in one else 1.0
        shift = table[_SHIFTS].to_numpy(dtype=np.float64) - known[_SHIFTS].to_numpy(dtype=np.float64)
        part['shift_x'], part['shift_y'] = shift.T
        turns = _angles(table) - _angles(known)
        part['turn_x'], part['turn_y'], part['turn_z'] = turns.T
        part['turn'] = np.abs(turns).max(axis=1)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def image_names(changes: pd.DataFrame) -> 'pd.Series[str]':
    """Each image of series_changes as people call it: TS_01 at -12.0°."""
    return changes['name'].astype(str) + changes['tilt'].map(' at {:.1f}°'.format)


def tilt_series_tables(path: Union[str, Path]) -> Dict[str, pd.DataFrame]:
    """Tomogram name -> its tilt-series table, of a tomograms.star that RELION or this plugin wrote. Raises StarError."""
    overview = read_star(path, ['global'], complete=True)['global']
    require_columns(overview, ['rlnTomoName', 'rlnTomoTiltSeriesStarFile'], path, 'global')
    return {name: read_star(file, [name], complete=True)[name]
            for name, file in zip(overview['rlnTomoName'], overview['rlnTomoTiltSeriesStarFile'])}


def tilt_series_files(path: Union[str, Path]) -> List[str]:
    """The STAR files of the tilt series that a tomograms.star names. Raises StarError."""
    overview = read_star(path, ['global'])['global']
    require_columns(overview, ['rlnTomoTiltSeriesStarFile'], path, 'global')
    return [str(file) for file in overview['rlnTomoTiltSeriesStarFile']]


def check_same_images(before: Union[str, Path], after: Union[str, Path]) -> None:
    """Raise StarError unless `after`, what RELION wrote, has all tilt series and images of `before`, in their order."""
    old = tilt_series_tables(before)
    overview = read_star(after, ['global'], complete=True)['global']
    require_columns(overview, ['rlnTomoName', 'rlnTomoTiltSeriesStarFile'], after, 'global')
    lost = sorted(set(old) - set(overview['rlnTomoName']))
    if lost or len(overview) != len(old):
        raise StarError(after, 'has %d tilt series, and RELION got %d%s' % (
            len(overview), len(old), ' (there is no %s)' % lost[0] if lost else ''), 'global')
    for name, file in zip(overview['rlnTomoName'], overview['rlnTomoTiltSeriesStarFile']):
        table = read_star(file, [name], complete=True)[name]
        require_columns(table, [_NAME], file, name)
        if table[_NAME].tolist() != old[name][_NAME].tolist():
            raise StarError(file, 'its %d images are not the %d that RELION got' % (len(table), len(old[name])), name)


def _angles(table: pd.DataFrame) -> np.ndarray:
    """(n, 3) degrees; an XTilt that is not there is 0."""
    columns = table.reindex(columns=['rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot'])
    return columns.fillna({'rlnTomoXTilt': 0.0}).to_numpy(dtype=np.float64)
