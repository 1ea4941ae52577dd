"""Dose and order of acquisition of the images of a stack, from a _TLT.txt or the microscope's .mdoc."""
from pathlib import Path
from typing import List, NamedTuple, Optional

import numpy as np
import pandas as pd

from .imod_files import read_mdoc
from .text import SourceError
from .tlt import read_tlt

# Stage tilts of a stack and of its .mdoc are the same up to rounding; the next image is a degree or more away.
_SAME_TILT = 0.3


class Exposure(NamedTuple):
    """images: acquisition_order (from 1), dose and pre_exposure (e/A2), a row per image of the stack; voltage (kV), None
    where unknown."""
    images: pd.DataFrame
    voltage: Optional[float] = None


def exposure_of(tlt: Path, mdoc: Optional[Path], nominal: np.ndarray, dose_per_image: Optional[float],
                notes: List[str]) -> Exposure:
    """From tlt where there is such a file (see read_tlt), else from the .mdoc. nominal: stage tilts (deg), stack order.

    Images that the .mdoc has and the stack has not were exposed too, and count. Raises SourceError where neither is
    there, images and .mdoc do not fit, or the dose or the order is not known.
    """
    if tlt.exists():
        table = read_tlt(tlt, len(nominal), dose_per_image, notes)
        return Exposure(_accumulated(table['acquisition_order'], table['dose']))
    if mdoc is None:
        raise SourceError('%s: neither this file nor an .mdoc of the series is there, so doses and the order of '
                          'acquisition are unknown, which RELION needs: put the .mdoc there, or write this file, a line '
                          'for each image with tilt angle (deg), acquisition number (from 1) and dose (e/A2).' % tlt)
    table = read_mdoc(mdoc)
    if dose_per_image is not None:
        table['dose'] = float(dose_per_image)
    if not (table['dose'] > 0).all():
        raise SourceError('%s: ExposureDose is missing or 0 for %d of %d images: give the dose per image.'
                          % (mdoc, int((~(table['dose'] > 0)).sum()), len(table)))
    images = _accumulated(_order(mdoc, table), table['dose'])
    rows = _rows_of(mdoc, table['tilt'].to_numpy(dtype=np.float64), nominal)
    voltage = table['voltage'].dropna()
    return Exposure(images.iloc[rows].reset_index(drop=True), float(voltage.iloc[0]) if len(voltage) else None)


def _order(mdoc: Path, table: pd.DataFrame) -> 'pd.Series[int]':
    for column in ('time', 'prior_dose'):
        if table[column].notna().all() and table[column].is_unique:
            return pd.Series(table[column].rank().to_numpy(dtype=int))
    raise SourceError('%s: neither DateTime nor PriorRecordDose tell the order of acquisition: write a _TLT.txt.' % mdoc)


def _accumulated(order: 'pd.Series[int]', dose: 'pd.Series[float]') -> pd.DataFrame:
    images = pd.DataFrame({'acquisition_order': order.to_numpy(dtype=int), 'dose': dose.to_numpy(dtype=np.float64)})
    images['pre_exposure'] = images.sort_values('acquisition_order')['dose'].cumsum().shift(fill_value=0.)
    return images


def _rows_of(mdoc: Path, known: np.ndarray, nominal: np.ndarray) -> np.ndarray:
    """Which image of the .mdoc is each image of the stack: the same one where the tilts agree so, else by tilt."""
    if len(known) == len(nominal) and np.abs(known - nominal).max() <= _SAME_TILT:
        return np.arange(len(nominal))
    away = np.abs(known[None, :] - nominal[:, None])
    rows = away.argmin(axis=1)
    wrong = np.flatnonzero((away <= _SAME_TILT).sum(axis=1) != 1)
    if len(wrong) or len(set(rows)) < len(rows):
        view = int(wrong[0]) if len(wrong) else int(pd.Series(rows).duplicated().to_numpy().argmax())
        raise SourceError('%s: image %d of the stack has a tilt of %.2f deg, which is not that of one image here: the two '
                          'are not of one series, or write a _TLT.txt.' % (mdoc, view + 1, nominal[view]))
    return np.asarray(rows)
