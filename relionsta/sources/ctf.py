"""The CTF table that AreTomo 2 and 3 write (`<series>_CTF.txt`)."""
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

import numpy as np
import pandas as pd

from .text import SourceError, TextFile, parse_table, read_text, short_list

_FIX = 'Run AreTomo3 with CTF estimation (kV, Cs and AmpContrast given) on this series again.'
_COLUMNS = ('number', 'defocus 1', 'defocus 2', 'azimuth', 'phase shift', 'correlation', 'resolution', 'hand')


@dataclass(frozen=True, eq=False)
class CtfFile:
    """table: one row per image of the stack, dark ones included: defocus_u >= defocus_v (Angstrom, positive is under
    focus), defocus_angle (deg, direction of defocus_u), phase_shift_deg, ctf_cc, ctf_resolution (Angstrom).
    df_hand: 1 or -1 as AreTomo3 found it, None where the file does not say."""

    table: pd.DataFrame
    df_hand: Optional[int]


def read_ctf(path: Path, n_raw: int, notes: List[str]) -> CtfFile:
    """Read a _CTF.txt file: fixed columns, see its comment line; 8 in AreTomo3 2.x, 7 (no hand) before.

    Column 2 is the larger defocus and column 4 its direction; column 5, the phase shift, is in radian in the file.
    Raises SourceError: another number of rows than n_raw, row numbers that do not run from 1, damaged lines,
    no CTF found at all.
    """
    file = read_text(path, _FIX)
    lines = [line for line in file.lines if not line.text.startswith('#')]
    width = len(lines[0].text.split()) if lines else 0
    if width not in (7, 8):
        raise file.error(lines[0].number if lines else 1, '%d columns, expected 7 or 8 (%s). %s'
                         % (width, ', '.join(_COLUMNS), _FIX))
    raw = parse_table(file, lines, _COLUMNS[:width], ['number'])
    _check_rows(file, raw, n_raw)
    first, second = raw['defocus 1'].to_numpy(), raw['defocus 2'].to_numpy()
    swapped = second > first
    if swapped.any():
        notes.append('%s: defocus 2 is above defocus 1 for image %s; the two were exchanged and the azimuth turned by '
                     '90 deg, which is the same CTF.' % (path.name, short_list(list(np.flatnonzero(swapped) + 1))))
    table = pd.DataFrame({
        'defocus_u': np.maximum(first, second),
        'defocus_v': np.minimum(first, second),
        'defocus_angle': raw['azimuth'].to_numpy() + 90. * swapped,
        'phase_shift_deg': np.degrees(raw['phase shift'].to_numpy()),
        'ctf_cc': raw['correlation'],
        'ctf_resolution': raw['resolution'],
    })
    if not (table['defocus_u'] > 0).any():
        raise SourceError('%s: no image has a defocus above 0, so no CTF was found. %s' % (path, _FIX))
    return CtfFile(table, _hand(file, raw, notes))


def _check_rows(file: TextFile, raw: pd.DataFrame, n_raw: int) -> None:
    wrong = np.flatnonzero(raw['number'].to_numpy() != np.arange(1, len(raw) + 1))
    if wrong.size:
        row = raw.iloc[int(wrong[0])]
        raise file.error(int(row['line']), 'this is image %d, expected %d: a line is missing or comes twice. %s'
                         % (row['number'], int(wrong[0]) + 1, _FIX))
    if len(raw) != n_raw:
        raise SourceError('%s: has %d rows and the series has %d images: the file is cut short or belongs to another '
                          'run (dark images have a row too). %s' % (file.path, len(raw), n_raw, _FIX))
    if (raw['phase shift'].abs() > 2 * np.pi + 0.01).any():
        row = raw.iloc[int(raw['phase shift'].abs().argmax())]
        raise file.error(int(row['line']), 'the phase shift is %g, radian are expected (at most 6.28): this is no '
                         'table of AreTomo3. %s' % (row['phase shift'], _FIX))


def _hand(file: TextFile, raw: pd.DataFrame, notes: List[str]) -> Optional[int]:
    if 'hand' not in raw:
        return None
    found: Tuple[float, ...] = tuple(sorted(set(raw['hand'])))
    if found in ((1.,), (-1.,)):
        return int(found[0])
    notes.append('%s: the column of the hand holds %s, expected 1 or -1 for all images; it was not used.'
                 % (file.path.name, short_list([int(value) for value in found])))
    return None
