"""The list of images that AreTomo3 writes beside a tilt series (`<series>_TLT.txt`)."""
from pathlib import Path
from typing import List, Optional

import numpy as np
import pandas as pd

from .text import SourceError, TextFile, parse_table, read_text, short_list

_FIX = ('AreTomo3 writes it beside the stack; for other versions write it yourself: one line per image of the stack '
        'with tilt angle (deg), acquisition number (from 1) and dose (e/A2).')
_COLUMNS = ('tilt', 'acquisition', 'dose')


def read_tlt(path: Path, n_raw: int, dose_per_image: Optional[float], notes: List[str]) -> pd.DataFrame:
    """The images of a series in stack order: line, nominal_tilt (deg), acquisition_order (from 1), dose (e/A2).

    The file has no header; its columns are fixed: stage tilt (deg, without alpha offset), acquisition number, dose of
    that image. AreTomo3 before 2.0.0 writes no dose: then `dose_per_image` must be given, and it always wins.
    Acquisition numbers that start at 0 are raised by one. What the user should know is added to `notes`.

    Raises SourceError: another number of rows than n_raw, numbers that are none, an acquisition number that comes
    twice, tilts that do not rise, missing, zero or negative doses.
    """
    file = read_text(path, _FIX)
    lines = [line for line in file.lines if not line.text.startswith('#')]
    width = len(lines[0].text.split()) if lines else 0
    if width not in (2, 3):
        raise file.error(lines[0].number if lines else 1, '%d columns, expected 2 or 3 (%s). %s'
                         % (width, ', '.join(_COLUMNS), _FIX))
    table = parse_table(file, lines, _COLUMNS[:width], ['acquisition'])
    if len(table) != n_raw:
        raise SourceError('%s: has %d rows and the series has %d images (RawSize of the .aln): the file is cut short '
                          'or belongs to another run. Restore it or run AreTomo3 again.' % (path, len(table), n_raw))
    _check_tilts(file, table)
    return pd.DataFrame({
        'line': table['line'],
        'nominal_tilt': table['tilt'],
        'acquisition_order': _acquisition(file, table, notes),
        'dose': _doses(file, table, dose_per_image),
    })


def _check_tilts(file: TextFile, table: pd.DataFrame) -> None:
    """AreTomo3 sorts the stack by tilt; in another order the rows of .aln and _CTF.txt cannot be told apart."""
    falls = np.flatnonzero(np.diff(table['tilt'].to_numpy()) < 0)
    if falls.size:
        row = table.iloc[int(falls[0]) + 1]
        raise file.error(int(row['line']), 'the tilt %.2f is below the one before: AreTomo3 needs the images in order '
                         'of rising tilt. Sort the stack and this file by tilt and align it again.' % row['tilt'])
    wide = np.flatnonzero(np.abs(table['tilt'].to_numpy()) > 90)
    if wide.size:
        row = table.iloc[int(wide[0])]
        raise file.error(int(row['line']), 'the tilt is %.2f, expected -90 to 90 deg: correct it.' % row['tilt'])


def _acquisition(file: TextFile, table: pd.DataFrame, notes: List[str]) -> pd.Series:
    order = pd.Series(table['acquisition'].to_numpy(dtype=int))
    twice = np.flatnonzero(order.duplicated())
    if twice.size:
        row = table.iloc[int(twice[0])]
        first = table[table['acquisition'] == row['acquisition']].iloc[0]
        raise file.error(int(row['line']), 'acquisition number %d was already given in line %d: every image needs its '
                         'own, else its dose is unknown. Restore the file or correct the number.'
                         % (row['acquisition'], first['line']))
    if order.min() < 0:
        row = table.iloc[int(order.argmin())]
        raise file.error(int(row['line']), 'acquisition number %d is below 0: correct it (they count from 1).'
                         % row['acquisition'])
    if order.min() == 0:
        notes.append('%s: acquisition numbers start at 0; they were raised by one.' % file.path.name)
        order = order + 1
    if order.max() > len(order):
        absent = sorted(set(range(1, int(order.max()) + 1)) - set(order))
        notes.append('%s: no image has acquisition number %s; the dose of images that are not in the stack is not '
                     'counted.' % (file.path.name, short_list(absent)))
    return order


def _doses(file: TextFile, table: pd.DataFrame, dose_per_image: Optional[float]) -> pd.Series:
    if dose_per_image is not None:
        if not dose_per_image > 0 or not np.isfinite(dose_per_image):
            raise SourceError('dose per image is %s e/A2: give a number above 0.' % dose_per_image)
        return pd.Series(float(dose_per_image), index=table.index)
    if 'dose' not in table:
        raise SourceError('%s: has no third column, so the dose is unknown (AreTomo3 before 2.0.0). Give the dose per '
                          'image (e/A2).' % file.path)
    bad = table[table['dose'] <= 0]
    if len(bad) == len(table):
        raise SourceError('%s: all doses are %g e/A2, the dose was unknown to AreTomo3. Give the dose per image (e/A2).'
                          % (file.path, bad['dose'].iloc[0]))
    if len(bad):
        row = bad.iloc[0]
        raise file.error(int(row['line']), 'the dose is %g e/A2 (%d such images): RELION needs another accumulated '
                         'dose for every image. Correct it, or give the dose per image (e/A2).'
                         % (row['dose'], len(bad)))
    return table['dose']
