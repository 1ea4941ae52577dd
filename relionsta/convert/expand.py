"""Copies of particles for the units of a symmetry, each with a name of its own."""
from typing import Dict, List, NamedTuple

import numpy as np
import pandas as pd

from relionsta import geometry

from .errors import ConvertError
from .parts import NAME, block_rows
from .poses import ANGLES, poses_of_rows, set_poses

PRIORS = ['rlnAngleRotPrior', 'rlnAngleTiltPrior', 'rlnAnglePsiPrior']

Blocks = Dict[str, pd.DataFrame]


class Expanded(NamedTuple):
    """blocks: of a particles STAR; old_names: new name of a particle -> the one that it is a copy of."""

    blocks: Blocks
    old_names: Dict[str, str]


def expand_by_angles(blocks: Blocks, expanded: pd.DataFrame) -> Expanded:
    """Copies with the angles that RELION's program gave them.

    blocks: of the file that the program read, particle names unique; expanded: block data_particles that it wrote, in
    which the copies share the name. All but the angles is taken from blocks, in full precision; the first copy of a
    particle is the particle. Raises ConvertError where the program has lost or added a particle.
    """
    rows = pd.Index(blocks['particles'][NAME]).get_indexer(pd.Index(expanded[NAME]))
    counts = np.bincount(rows[rows >= 0], minlength=len(blocks['particles']))
    if (rows < 0).any() or len(set(counts.tolist())) != 1:
        raise ConvertError('RELION made %d to %d copies of the particles; the same number of each was expected'
                           % (counts.min(), counts.max()))
    result = _copies(blocks, rows)
    table = result.blocks['particles']
    first = _copy_numbers(rows) == 1
    old = _matrices(table, ANGLES)
    new = np.where(first[:, None, None], old, geometry.euler_to_matrix(expanded[ANGLES].to_numpy(dtype=np.float64)))
    for label, values in zip(ANGLES, expanded[ANGLES].to_numpy(dtype=np.float64).T):
        before = table[label].to_numpy(dtype=np.float64) if label in table else np.zeros(len(table))
        table[label] = np.where(first, before, values)
    _turn_priors(table, old.transpose(0, 2, 1) @ new, ~first)
    return result


def expand_helix(blocks: Blocks, units: int, twist: float, rise: float) -> Expanded:
    """Copies for `units` neighbouring units of a helix along Z of the reference: twist in degrees, rise in Å.

    Unit k is turned by k twist (right-handed if positive) and moved by k rise: A_k = A Rz(k twist), position_k =
    position + A z k rise. k goes from -(units - 1) // 2 on; the first copy (k = 0) is the particle itself.
    """
    table = blocks['particles']
    steps = np.arange(units) - (units - 1) // 2
    steps = np.concatenate([[0], steps[steps != 0]])
    rows = np.repeat(np.arange(len(table)), units)
    k = np.tile(steps, len(table)).astype(np.float64)
    result = _copies(blocks, rows)
    copies = result.blocks['particles']
    positions, A = poses_of_rows(copies)
    # RELION's rot about Z: A Rz(angle) is rot - angle.
    turns = geometry.euler_to_matrix(np.stack([-k * twist, np.zeros_like(k), np.zeros_like(k)], axis=1))
    set_poses(copies, positions + A[:, :, 2] * (k * rise)[:, None], A @ turns)
    _turn_priors(copies, turns, k != 0)
    return result


def _copies(blocks: Blocks, rows: np.ndarray) -> Expanded:
    """Rows of a file again and again, with new names: TS_01/1 -> TS_01/1_s1, TS_01/1_s2..."""
    copies = {name: block for name, block in blocks.items() if name not in block_rows(blocks)}
    table = blocks['particles'].iloc[rows].reset_index(drop=True)
    old = table[NAME].tolist()
    # A name and a number make a name in one way only: particles that were expanded before stay unique.
    names = ['%s_s%d' % pair for pair in zip(old, _copy_numbers(rows).tolist())]
    table[NAME] = np.array(names, dtype=object)
    # Tables of bodies (images_body_N) hold for the pose that the particle had, and stay behind.
    return Expanded({name: table if name == 'particles' else copies[name] for name in blocks
                     if name == 'particles' or name in copies}, dict(zip(names, old)))


def _copy_numbers(rows: np.ndarray) -> np.ndarray:
    """1, 2... for the first, second... time that a row is there."""
    return pd.Series(rows).groupby(rows).cumcount().to_numpy() + 1


def _turn_priors(table: pd.DataFrame, turns: np.ndarray, changed: np.ndarray) -> None:
    """Priors of the angles go with the copy, else RELION would look for it where the particle was."""
    there = [label for label in PRIORS if label in table]
    if not there:
        return
    values = np.stack([table[prior if prior in table else angle].to_numpy(dtype=np.float64)
                       if prior in table or angle in table else np.zeros(len(table))
                       for prior, angle in zip(PRIORS, ANGLES)], axis=1)
    if 'rlnAngleRotPrior' not in table:
        # The angle of the copy is there already; that of the particle is wanted.
        values[:, 0] = geometry.matrix_to_euler(_matrices(table, ANGLES) @ turns.transpose(0, 2, 1))[:, 0]
    new = geometry.matrix_to_euler(geometry.euler_to_matrix(values) @ turns)
    for label, column in zip(PRIORS, new.T):
        if label in table:
            table[label] = np.where(changed, column, table[label].to_numpy(dtype=np.float64))


def _matrices(table: pd.DataFrame, labels: List[str]) -> np.ndarray:
    return geometry.euler_to_matrix(table.reindex(columns=labels, fill_value=0.0).to_numpy(dtype=np.float64))
