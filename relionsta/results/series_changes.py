"""What a job has changed in tilt series: the tomograms.star that went in against the one that came out."""
from pathlib import Path
from typing import Dict, Union

import numpy as np
import pandas as pd

from ..star import read_star, require_columns

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
    """Tomogram name -> its tilt-series table, of a tomograms.star. Raises StarError."""
    overview = read_star(path, ['global'])['global']
    require_columns(overview, ['rlnTomoName', 'rlnTomoTiltSeriesStarFile'], path, 'global')
    return {name: read_star(file, [name])[name]
            for name, file in zip(overview['rlnTomoName'], overview['rlnTomoTiltSeriesStarFile'])}


def _angles(table: pd.DataFrame) -> np.ndarray:
    """(n, 3) degrees; an XTilt that is not there is 0."""
    columns = table.reindex(columns=['rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot'])
    return columns.fillna({'rlnTomoXTilt': 0.0}).to_numpy(dtype=np.float64)
