"""One STAR table of picks: what its columns mean."""
from dataclasses import dataclass, replace
from pathlib import Path
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd

from .text import SourceError

CENTERED = 'centered'
VOXEL = 'voxel'
UNBINNED = 'unbinned'

_CENTERED_COLUMNS = ['rlnCenteredCoordinate%sAngst' % axis for axis in 'XYZ']
_INDEX_COLUMNS = ['rlnCoordinate%s' % axis for axis in 'XYZ']
_ANGLES = {'rlnAngle': ('rot', 'tilt', 'psi'), 'rlnTomoSubtomogram': ('sub_rot', 'sub_tilt', 'sub_psi')}
_SCORES = ('rlnLCCmax', 'rlnAutopickFigureOfMerit')
_NAMES = ('rlnTomoName', 'rlnMicrographName')


@dataclass(frozen=True, eq=False)
class PickTable:
    """The picks of one file; table and coordinates as in Picks."""

    path: Path
    coordinates: str
    oriented: bool
    table: pd.DataFrame
    notes: Tuple[str, ...]

    def of_tomogram(self, rows: 'pd.Series[bool]', tomo_name: str) -> 'PickTable':
        """Only the given rows, all of them under the given name."""
        return replace(self, table=self.table[rows].assign(tomo_name=tomo_name))


def has_coordinates(table: pd.DataFrame) -> bool:
    """Does the table have any column of coordinates?"""
    return any(column in table for column in _CENTERED_COLUMNS + _INDEX_COLUMNS)


def read_pick_table(path: Path, block: str, table: pd.DataFrame, optics: Optional[pd.DataFrame],
                    coordinates: Optional[str], tomo_name: Optional[str]) -> PickTable:
    """Interpret a table of picks by its columns.

    rlnCenteredCoordinate*Angst are centred Angstrom. rlnCoordinate* are voxel indexes where the table has pytom's
    rlnDetectorPixelSize (the voxel size), else unbinned pixels as RELION reads them; `coordinates` overrules that.
    optics: the optics block of the file. tomo_name: name for a table that has none.
    Raises SourceError: columns missing, values that are no numbers, coordinates that cannot be told.
    """
    reader = _Reader(path, block, table)
    names = next((column for column in _NAMES if column in table), None)
    if names is None and tomo_name is None:
        raise SourceError('%s, block data_%s: no column rlnTomoName (or rlnMicrographName): the tomogram of the picks '
                          'is unknown. Add it.' % (path, block))
    notes: List[str] = []
    kind, voxel, columns = _kind(reader, optics, coordinates, notes)
    result = pd.DataFrame({'tomo_name': tomo_name if names is None else reader.take(names).astype(str)},
                          index=table.index)
    for name, column in zip('xyz', columns):
        result[name] = reader.numbers(column)
    result['voxel_size'] = voxel
    oriented = False
    for prefix, targets in _ANGLES.items():
        labels = [prefix + end for end in ('Rot', 'Tilt', 'Psi')]
        there = [label for label in labels if label in table]
        if there and len(there) < 3:
            raise SourceError('%s, block data_%s: %s without %s: an orientation needs all three. Restore the missing '
                              'column.' % (path, block, ', '.join(there), ', '.join(sorted(set(labels) - set(there)))))
        oriented = oriented or bool(there)
        for label, target in zip(labels, targets):
            result[target] = reader.numbers(label) if there else 0.
    for axis in 'XYZ':
        if 'rlnOrigin%sAngst' % axis in table:
            reader.check('rlnOrigin%sAngst' % axis)
    score = next((column for column in _SCORES if column in table), None)
    result['score'] = pd.to_numeric(reader.take(score), errors='coerce').astype(float) if score else np.nan
    return PickTable(path, kind, oriented, pd.concat([result, reader.rest()], axis=1), tuple(notes))


class _Reader:
    """Takes columns out of a table and knows what is left."""

    def __init__(self, path: Path, block: str, table: pd.DataFrame):
        self.path, self.block, self.table = path, block, table
        self._taken: List[str] = []

    def take(self, column: str) -> pd.Series:
        self._taken.append(column)
        return self.table[column]

    def numbers(self, column: str) -> pd.Series:
        """A column of finite numbers; SourceError names the first row that is none."""
        values = self.check(column)
        self.take(column)
        return values

    def check(self, column: str) -> pd.Series:
        """As numbers, but the column stays among those that are left."""
        values = pd.to_numeric(self.table[column], errors='coerce').astype(float)
        wrong = np.flatnonzero(~np.isfinite(values.to_numpy()))
        if wrong.size:
            row = int(wrong[0])
            raise SourceError("%s, block data_%s, row %d: %s is '%s', a number is expected: correct it or remove the "
                              "row." % (self.path, self.block, row + 1, column, self.table[column].iloc[row]))
        return values

    def sizes(self, column: str) -> pd.Series:
        """A column of numbers above 0."""
        values = self.numbers(column)
        if (values <= 0).any():
            raise SourceError('%s, block data_%s: %s is %g: a size in Angstrom above 0 is expected; correct it.'
                              % (self.path, self.block, column, values.min()))
        return values

    def rest(self) -> pd.DataFrame:
        return self.table.drop(columns=self._taken)


def _kind(reader: _Reader, optics: Optional[pd.DataFrame], coordinates: Optional[str],
          notes: List[str]) -> Tuple[str, Union[pd.Series, float], Sequence[str]]:
    """Kind of coordinates, voxel size and the three columns."""
    table, where = reader.table, '%s, block data_%s' % (reader.path, reader.block)
    centered = any(column in table for column in _CENTERED_COLUMNS)
    columns = _CENTERED_COLUMNS if centered else _INDEX_COLUMNS
    missing = [column for column in columns if column not in table]
    if missing:
        raise SourceError('%s: column %s is missing: all three coordinates are needed. Choose a file that has them.'
                          % (where, ', '.join(missing)))
    if centered:
        # --relion5-compat of pytom-match-pick puts the voxel size of the searched tomogram under this name
        mislabelled = 'rlnLCCmax' in table and 'rlnTomoTiltSeriesPixelSize' in table
        return CENTERED, reader.sizes('rlnTomoTiltSeriesPixelSize') if mislabelled else np.nan, columns
    if 'rlnMagnification' in table:
        raise SourceError('%s: rlnMagnification shows a STAR file of RELION 3 or older: convert it with '
                          'relion_convert_star, or export the picks again.' % where)
    pytom = 'rlnDetectorPixelSize' in table
    kind = coordinates or (VOXEL if pytom else UNBINNED)
    if kind == VOXEL:
        return VOXEL, reader.sizes('rlnDetectorPixelSize') if pytom else np.nan, columns
    if coordinates is None and reader.path.absolute().parent.name == 'annotations':
        raise SourceError("%s: in RELION's folder 'annotations' rlnCoordinateX/Y/Z are voxels of the binned tomogram, "
                          "in other files unbinned pixels. Import the particles.star of the picking job instead, or "
                          "say which they are." % where)
    pixel = _optics_pixel(table, optics)
    known = '' if pixel is not None else ' The file does not tell the pixel size of the tilt series, which is needed.'
    notes.append('%s: rlnCoordinateX/Y/Z were taken as pixels of the unbinned tomogram, as RELION does.%s'
                 % (reader.path.name, known))
    return UNBINNED, np.nan if pixel is None else pixel, columns


def _optics_pixel(table: pd.DataFrame, optics: Optional[pd.DataFrame]) -> Optional[pd.Series]:
    """rlnTomoTiltSeriesPixelSize of every row, from its optics group; None where the file does not tell."""
    column = 'rlnTomoTiltSeriesPixelSize'
    if optics is None or column not in optics or 'rlnOpticsGroup' not in optics or 'rlnOpticsGroup' not in table:
        return None
    pixel = table['rlnOpticsGroup'].map(optics.drop_duplicates('rlnOpticsGroup').set_index('rlnOpticsGroup')[column])
    return None if pixel.isna().any() else pixel.astype(float)
