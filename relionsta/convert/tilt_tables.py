"""The tilt-series tables of a tomograms.star as RELION reads them: in files of their own (RELION 5) or in the same file
(RELION 4, Warp), with angles and shifts (RELION 5) or with projection matrices (RELION 4, Warp)."""
from pathlib import Path
from typing import Any, Dict, Hashable, Iterator, List, Mapping, Tuple

import numpy as np
import pandas as pd

from relionsta import geometry
from relionsta.sources.mrc import read_mrc_header
from relionsta.sources.text import SourceError
from relionsta.star import StarError, read_star, require_columns
from relionsta.star.checks import check_not_empty, check_numbers, check_texts
from relionsta.star.schemas import ALIGNMENT_COLUMNS, MICROSCOPE_COLUMNS, SIZE_COLUMNS

_FILE = 'rlnTomoTiltSeriesStarFile'
_PROJECTIONS = ['rlnTomoProjX', 'rlnTomoProjY', 'rlnTomoProjZ', 'rlnTomoProjW']
_ALL_ANGLES = ('rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst')


def read_overview(path: str) -> pd.DataFrame:
    """Block data_global of a tomograms.star, checked as far as a tilt series needs it. Raises StarError."""
    overview = read_star(path, ['global'])['global']
    texts = ['rlnTomoName', *[label for label in (_FILE,) if label in overview]]
    require_columns(overview, ('rlnTomoName', *MICROSCOPE_COLUMNS), path, 'global')
    check_not_empty(overview, path, 'global')
    check_texts(overview, texts, path, 'global')
    check_numbers(overview, (*MICROSCOPE_COLUMNS, 'rlnTomoHand', *SIZE_COLUMNS), path, 'global')
    return overview


def tilt_tables(overview: pd.DataFrame, path: str,
                matrices: bool = False) -> Iterator[Tuple[Dict[Hashable, Any], pd.DataFrame, str]]:
    """Row of the overview, table of the tilt series with angles and shifts, and the file it is in, for each tomogram.

    overview: read_overview(path). Paths are relative to the working directory. matrices: leave projection matrices as they
    are. Raises StarError for tables that are not there, and for matrices that do not give the alignment.
    """
    within: Dict[str, pd.DataFrame] = {}
    if _FILE not in overview:
        within = read_star(path)
        missing = [name for name in overview['rlnTomoName'] if name not in within]
        if missing:
            raise StarError(path, 'tomogram %s has neither a file with its tilt series (column %s) nor a block data_%s '
                                  'in this file; choose a tomograms.star, with its tilt series' % (
                                      missing[0], _FILE, missing[0]), 'global')
    for row in overview.to_dict('records'):
        name, file = row['rlnTomoName'], row.get(_FILE, path)
        table = within[name] if within else read_star(file, [name])[name]
        has_angles = all(label in table for label in ALIGNMENT_COLUMNS)
        if not matrices and not has_angles and all(label in table for label in _PROJECTIONS):
            table = _with_angles(table, row, file, path)
        yield row, table, file


def _with_angles(table: pd.DataFrame, row: Mapping[Hashable, Any], file: str, path: str) -> pd.DataFrame:
    """The table with the angles and shifts of its matrices in their place."""
    name = row['rlnTomoName']
    matrices = np.stack([_vectors(table[label], label, file, name) for label in _PROJECTIONS], axis=1)
    if not matrices[:, :2, 3].any():
        raise StarError(file, 'the projection matrices (rlnTomoProjX, Y, Z, W) turn the tilt images and hold no shifts, '
                              'as WarpTools writes them beside particles that it has cut out; RELION can average those '
                              'particles, but nothing can be cut out of such a tilt series: import the alignment from '
                              'the program that made it', name)
    require_columns(pd.DataFrame([row]), SIZE_COLUMNS, path, 'global')
    stack = str(row.get('rlnTomoTiltSeriesName') or table.get('rlnMicrographName', pd.Series([''])).iloc[0])
    try:
        header = read_mrc_header(Path(stack.rpartition('@')[2].replace(':mrcs', '')),
                                 'The size of the images is needed to take shifts from projection matrices.')
        angles = geometry.tilt_from_projections(
            matrices, float(row['rlnTomoTiltSeriesPixelSize']), header.size[:2], [int(row[label]) for label in SIZE_COLUMNS])
    except (SourceError, ValueError) as error:
        raise StarError(file, str(error), name) from error
    return table.drop(columns=_PROJECTIONS).assign(**dict(zip(_ALL_ANGLES, angles)))


def _vectors(column: 'pd.Series[str]', label: str, file: str, block: str) -> np.ndarray:
    """(n, 4) of texts such as [0.1,0.9,0,12]."""
    rows: List[List[float]] = []
    for number, text in enumerate(column.astype(str), start=1):
        try:
            rows.append([float(value) for value in text.strip('[]').split(',')])
        except ValueError:
            rows.append([])
        if len(rows[-1]) != 4 or not np.isfinite(rows[-1]).all():
            raise StarError(file, '%s is %s in row %d; it must be four numbers such as [0.1,0.9,0,12]'
                            % (label, text, number), block)
    return np.array(rows).reshape(-1, 4)
