"""Poses in rows of a particles STAR, read and changed."""
from typing import List, Optional, Tuple

import numpy as np
import pandas as pd

from relionsta import geometry
from relionsta.star import require_columns
from relionsta.star.checks import check_numbers

COORDINATES = ['rlnCenteredCoordinateXAngst', 'rlnCenteredCoordinateYAngst', 'rlnCenteredCoordinateZAngst']
ORIGINS = ['rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst']
ANGLES = ['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi']
SUBTOMOGRAM_ANGLES = ['rlnTomoSubtomogramRot', 'rlnTomoSubtomogramTilt', 'rlnTomoSubtomogramPsi']
#: All columns that say where a particle is.
POSE = (*COORDINATES, *ORIGINS, *ANGLES, *SUBTOMOGRAM_ANGLES)

# Beyond these a pose was changed; both lie far above rounding and far below what a map could show.
_SAME_POSITION = 1e-6
_SAME_ROTATION = 1e-9
# Rows that are compared at one time.
_PIECE = 1 << 14


def poses_of_rows(table: pd.DataFrame, path: Optional[str] = None) -> Tuple[np.ndarray, np.ndarray]:
    """Full poses: centred positions (n, 3) in Å and A (n, 3, 3); RELION's defaults for columns that are not there.

    Raises StarError for coordinates that are not there and for values that are no numbers.
    """
    check_poses(table, path)
    return _poses(table)


def check_poses(table: pd.DataFrame, path: Optional[str] = None) -> None:
    """Raise StarError unless poses_of_rows can read the rows."""
    require_columns(table, COORDINATES, path, 'particles')
    check_numbers(table, COORDINATES + ORIGINS + SUBTOMOGRAM_ANGLES + ANGLES, path, 'particles')


def _poses(table: pd.DataFrame) -> Tuple[np.ndarray, np.ndarray]:
    return geometry.compose_pose(table[COORDINATES].to_numpy(dtype=np.float64), _values(table, ORIGINS),
                                 _values(table, SUBTOMOGRAM_ANGLES), _values(table, ANGLES))


def set_poses(table: pd.DataFrame, positions: np.ndarray, A: np.ndarray, has_images: Optional[bool] = None) -> None:
    """Give rows new full poses, in place; what has not changed keeps its values. has_images: by default, whether the
    table names them.

    Where there are images, the coordinate stays where the image was cut out and the origin takes the shift; without
    images the coordinate itself moves. A subtomogram orientation stays, and the rest goes to rlnAngle*.
    """
    check_poses(table)
    moved, turned = np.zeros((2, len(table)), dtype=bool)
    for first in range(0, len(table), _PIECE):
        some = slice(first, first + _PIECE)
        old_positions, old_A = _poses(table.iloc[some])
        moved[some] = (np.abs(positions[some] - old_positions) > _SAME_POSITION).any(axis=1)
        turned[some] = (np.abs(A[some] - old_A) > _SAME_ROTATION).any(axis=(1, 2))
    if not moved.any() and not turned.any():
        return
    back = subtomogram_matrices(table).transpose(0, 2, 1)
    if turned.any():
        _change(table, ANGLES, turned, geometry.matrix_to_euler(back @ A))
    if moved.any() and ('rlnImageName' in table if has_images is None else has_images):
        shifts = table[COORDINATES].to_numpy(dtype=np.float64) - positions
        _change(table, ORIGINS, moved, np.einsum('nij,nj->ni', back, shifts))
    elif moved.any():
        _change(table, COORDINATES, moved, positions)
        if ORIGINS[0] in table:
            _change(table, ORIGINS, moved, np.zeros_like(positions))


def subtomogram_matrices(table: pd.DataFrame) -> np.ndarray:
    """A_sub (n, 3, 3): the orientations in which the subtomograms were cut out."""
    angles = _values(table, SUBTOMOGRAM_ANGLES)
    return np.tile(np.eye(3), (len(table), 1, 1)) if angles is None else geometry.euler_to_matrix(angles)


def _values(table: pd.DataFrame, labels: List[str]) -> Optional[np.ndarray]:
    """(n, 3), 0 for single columns that are not there; None if none is there."""
    if not any(label in table for label in labels):
        return None
    return table.reindex(columns=labels, fill_value=0.0).to_numpy(dtype=np.float64)


def _change(table: pd.DataFrame, labels: List[str], rows: np.ndarray, values: np.ndarray) -> None:
    for label, column in zip(labels, values.T):
        old = table[label].to_numpy(dtype=np.float64) if label in table else 0.0
        table[label] = np.where(rows, column, old)
