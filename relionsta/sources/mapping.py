"""Which image of the stack does a row of an .aln file speak of? Its column SEC means other things in other versions."""
from dataclasses import dataclass
from typing import List, Optional, Tuple

import numpy as np
import pandas as pd

from .aln import AlnFile
from .text import SourceError, short_list

_TOLERANCE_DEG = 0.1
_FIX = 'The files are not of one run, or lines are missing: run AreTomo3 on this series again.'


@dataclass(frozen=True, eq=False)
class RowMapping:
    """indexes: 0-based image of the stack for each row of the .aln; numbering: what column SEC holds, in words;
    offset_applied: whether TILT contains the alpha offset; notes: sentences for the user."""

    indexes: np.ndarray
    numbering: str
    offset_applied: bool
    notes: Tuple[str, ...]


def map_rows(aln: AlnFile, nominal_tilts: pd.Series) -> RowMapping:
    """Give every row of the .aln its image, the same way for all versions of AreTomo.

    nominal_tilts: stage tilt (deg) of all images in stack order, which is rising. The rows are in the same order
    without the dark images, so row k is the k-th image that is not dark. That is checked against the tilts (within 0.1
    deg, with or without the alpha offset). Only AreTomo 1 leaves out images without naming them: then SEC tells.
    Raises SourceError where the counts or the tilts do not agree.
    """
    tilts = nominal_tilts.to_numpy(dtype=float)
    n_raw, n_rows, n_dark = len(tilts), len(aln.rows), len(aln.darks)
    notes: List[str] = []
    if n_rows + n_dark == n_raw:
        indexes = np.setdiff1d(np.arange(n_raw), np.array(aln.darks, dtype=int))
        applied = _offset_applied(aln, tilts[indexes])
        if applied is None:
            raise _disagreement(aln, tilts, indexes)
    elif n_dark == 0 and aln.alpha_offset is None and n_rows < n_raw:
        indexes, applied = _by_section(aln, tilts)
        absent = np.setdiff1d(np.arange(n_raw), indexes) + 1
        notes.append('%s: only %d of %d images are aligned and no dark image is named; image %s was left out, as the '
                     'section numbers say.' % (aln.path.name, n_rows, n_raw, short_list(absent.tolist())))
    else:
        raise SourceError('%s: has %d aligned and %d dark images and the series has %d: the file is cut short or a '
                          'line is missing. Restore it or run AreTomo3 on this series again.'
                          % (aln.path, n_rows, n_dark, n_raw))
    if not applied:
        notes.append('%s: the alpha offset of %.2f deg was measured but is not part of the tilt angles (-TiltCor 0).'
                     % (aln.path.name, aln.alpha_offset or 0.))
    numbering = _numbering(aln, indexes)
    if not numbering:
        notes.append('%s: the numbers in column SEC follow no known version of AreTomo; rows and images were paired by '
                     'their order, and the tilts agree.' % aln.path.name)
    return RowMapping(indexes, numbering or 'unknown', applied, tuple(notes))


def _offset_applied(aln: AlnFile, nominal: np.ndarray) -> Optional[bool]:
    """Does TILT equal nominal + alpha offset (True), or nominal (False)? None: neither."""
    refined = aln.rows['TILT'].to_numpy(dtype=float)
    for applied, offset in ((True, aln.alpha_offset or 0.), (False, 0.)):
        if np.abs(refined - offset - nominal).max() <= _TOLERANCE_DEG:
            return applied
    return None


def _disagreement(aln: AlnFile, tilts: np.ndarray, indexes: np.ndarray) -> SourceError:
    refined = aln.rows['TILT'].to_numpy(dtype=float)
    offset = aln.alpha_offset or 0.
    row = int(np.argmax(np.abs(refined - offset - tilts[indexes]) > _TOLERANCE_DEG))
    return aln.file.error(
        int(aln.rows['line'].iloc[row]), 'the tilt is %.2f deg, less the alpha offset %.2f; image %d of the stack, '
        'which this row belongs to, has %.2f deg in _TLT.txt. %s'
        % (refined[row], refined[row] - offset, indexes[row] + 1, tilts[indexes[row]], _FIX))


def _by_section(aln: AlnFile, tilts: np.ndarray) -> Tuple[np.ndarray, bool]:
    """Images from SEC, counted from 0 or from 1, whichever agrees with the tilts; SourceError unless just one does."""
    sec = aln.rows['SEC'].to_numpy(dtype=int)
    fitting = []
    for base in (0, 1):
        indexes = sec - base
        rising = np.all(np.diff(indexes) > 0) and indexes[0] >= 0 and indexes[-1] < len(tilts)
        applied = _offset_applied(aln, tilts[indexes]) if rising else None
        if applied is not None:
            fitting.append((indexes, applied))
    if len(fitting) != 1:
        raise SourceError('%s: has %d rows and the series has %d images; no dark image is named and the section '
                          'numbers do not tell which images are aligned. %s' % (aln.path, len(sec), len(tilts), _FIX))
    return fitting[0]


def _numbering(aln: AlnFile, indexes: np.ndarray) -> str:
    """What SEC holds, in words; empty where it is none of the known ways."""
    sec = aln.rows['SEC'].to_numpy(dtype=int)
    known = (('image of the stack, from 1 (AreTomo3 2.0.7 and later)', indexes + 1),
             ('image of the stack, from 0 (AreTomo 1 and 2)', indexes),
             ('row of this table, from 0 (AreTomo3 before 2.0.7)', np.arange(len(sec))))
    return next((words for words, numbers in known if np.array_equal(sec, numbers)), '')
