"""What RELION knows of tilt series and Scipion has no place for, kept as further attributes of Scipion's objects."""
import json
from typing import Any, Dict, Hashable, Mapping, Optional, Sequence

import pandas as pd
from pyworkflow.object import Float, Integer, String

from relionsta.constants import CTF_SCALE, DEFOCUS_HAND, DEFORMATION, X_TILT

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


def set_scale(ctf_series: Any, orders: Sequence[float], scale: Sequence[float]) -> None:
    """Let a CTFTomoSeries remember rlnCtfScalefactor (n,) of the images with these orders of acquisition (n,)."""
    setattr(ctf_series, CTF_SCALE, String(json.dumps({int(order): float(one) for order, one in zip(orders, scale)})))


def remembered_scale(ctf_series: Any) -> Dict[int, float]:
    """Order of acquisition -> rlnCtfScalefactor; empty where RELION has not refined these CTFs."""
    text = getattr(ctf_series, CTF_SCALE, None)
    if text is None or not text.get():
        return {}
    return {int(order): scale for order, scale in json.loads(text.get()).items()}


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
