"""What RELION knows of tilt series and Scipion has no place for, kept as further attributes of Scipion's objects."""
import json
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence

import pandas as pd
from pyworkflow.object import Float, Integer, String

from relionsta.constants import DEFOCUS_HAND, DEFORMATION, RELION_COLUMNS, RELION_TOMOGRAM, X_TILT

#: Columns of tomograms.star that say what the deformation coefficients of its tilt images mean.
DEFORMATION_GRID = ['rlnTomoDeformationGridSizeX', 'rlnTomoDeformationGridSizeY', 'rlnTomoDeformationType']
COEFFICIENTS = 'rlnTomoDeformationCoefficients'
SCALE = 'rlnCtfScalefactor'


def set_hand(item: Any, hand: float) -> None:
    """Let a CTFTomoSeries or SetOfCTFTomoSeries remember rlnTomoHand."""
    setattr(item, DEFOCUS_HAND, Integer(int(hand)))


def remembered_hand(*items: Any) -> Optional[int]:
    """rlnTomoHand that the first of these CTFTomoSeries or sets of them remembers; None where none does.

    Each series has its own, for Scipion's subsets forget what a set of CTFs was told.
    """
    for item in items:
        hand = getattr(item, DEFOCUS_HAND, None)
        if hand is not None and hand.get() is not None:
            return int(hand.get())
    return None


def set_columns(series: Any, orders: Sequence[float], columns: pd.DataFrame) -> None:
    """Let a TiltSeries or CTFTomoSeries remember columns of the images with these orders of acquisition (n,).

    columns: (n) rows of a tilt-series table, of numbers or text. What the series remembers of other images stays.
    """
    known = remembered_columns(series)
    numbers = [int(order) for order in orders]
    kept = {label: {**known.get(label, {}), **dict(zip(numbers, columns[label].tolist()))} for label in columns}
    setattr(series, RELION_COLUMNS, String(json.dumps(kept)))


def remembered_columns(series: Any) -> Dict[str, Dict[int, Any]]:
    """Label -> order of acquisition -> value; empty where the series does not come from RELION."""
    return {label: {int(order): value for order, value in values.items()}
            for label, values in _remembered(series, RELION_COLUMNS).items()}


def columns_of(known: Mapping[str, Mapping[int, Any]], orders: Sequence[float]) -> Dict[str, List[Any]]:
    """Label -> values (n) for the images with these orders of acquisition (n,): the columns that all of them have.

    known: remembered_columns of their series.
    """
    return {label: [values[int(order)] for order in orders] for label, values in known.items()
            if all(order in values for order in orders)}


def set_tomogram(series: Any, row: Mapping[Hashable, Any]) -> None:
    """Let a TiltSeries remember columns of its row of tomograms.star."""
    setattr(series, RELION_TOMOGRAM, String(json.dumps(dict(row))))


def remembered_tomogram(series: Any) -> Dict[str, Any]:
    """Columns of its row of tomograms.star that a TiltSeries remembers."""
    return _remembered(series, RELION_TOMOGRAM)


def _remembered(item: Any, attribute: str) -> Dict[str, Any]:
    text = getattr(item, attribute, None)
    return {} if text is None or not text.get() else dict(json.loads(text.get()))


def mark_transform(transform: Any, row: Mapping[Hashable, Any]) -> None:
    """Give the transform of a tilt image what a row has of x_tilt (degrees) and deformation (text)."""
    if 'x_tilt' in row:
        setattr(transform, X_TILT, Float(row['x_tilt']))
    if 'deformation' in row:
        setattr(transform, DEFORMATION, String(row['deformation']))


def deformations(overview: Mapping[Hashable, Any], table: pd.DataFrame) -> Optional['pd.Series[str]']:
    """The deformation of each image as one text: grid, kind and coefficients; None where images are not deformed.

    overview: the tomogram's row of tomograms.star. table: its tilt-series table.
    """
    if COEFFICIENTS not in table or not all(label in overview for label in DEFORMATION_GRID):
        return None
    grid = ' '.join(str(overview[label]) for label in DEFORMATION_GRID)
    return grid + ' ' + table[COEFFICIENTS].astype(str)


def grid_and_coefficients(texts: Sequence[Optional[str]]) -> Optional[Any]:
    """The inverse of deformations: ({label: value} for tomograms.star, coefficients of each image).

    None where an image has none, as where some images were aligned anew by another program.
    """
    if not len(texts) or not all(texts):
        return None
    parts = [str(text).split(' ', 3) for text in texts]
    if any(part[:3] != parts[0][:3] for part in parts):
        return None
    width, height, kind, _ = parts[0]
    return dict(zip(DEFORMATION_GRID, (int(width), int(height), kind))), [part[3] for part in parts]
