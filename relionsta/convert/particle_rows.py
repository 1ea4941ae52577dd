"""The particles STAR of a set whose particles all come from one large file: its rows, without making tables of them."""
from typing import Dict, NamedTuple, Optional

import numpy as np
import pandas as pd

from relionsta.objects import SetOfStaParticles
from relionsta.star import StarError
from relionsta.star.copy import copy_rows
from relionsta.star.plain import Loop
from relionsta.star.plain_cells import NotPlain
from relionsta.star.reader import read_plain

from .parts import BODY, CLASS, HALF, NAME, TOMOGRAM, UNWANTED, SetState, bring_up_to_date, rows_of_names
from .poses import POSE

_PARTICLES = 'particles'
#: The columns that a set of particles may change, and those by which they are known.
_KEYS = (NAME, *POSE, CLASS, HALF)


class ParticleRows(NamedTuple):
    """Rows (n,) of a loop in a file, the columns that have changed (n,; None: left out), and the other blocks (with an
    empty one in the place of the particles)."""

    path: str
    loop: Loop
    rows: np.ndarray
    changes: Dict[str, 'Optional[pd.Series[float]]']
    blocks: Dict[str, pd.DataFrame]


def find_rows(particles: SetOfStaParticles, state: SetState) -> Optional[ParticleRows]:
    """The rows of a set's particles; None where they come from several files, from one that has to be read with care, or
    from multi-body refinement.

    Raises ConvertError and StarError as parts_of_state.
    """
    if len(state.files) > 1:
        return None
    (path, _, _), places = next(iter(state.files.items()))
    found = read_plain(path, {_PARTICLES: (*_KEYS, TOMOGRAM) if state.lost.any() else _KEYS})
    if found is None or _PARTICLES not in found.loops or NAME not in found.loops[_PARTICLES].labels or any(
            name.startswith(BODY) for name in found.tables):
        return None
    loop, blocks = found.loops[_PARTICLES], found.tables
    rows = rows_of_names(blocks[_PARTICLES][NAME], state.columns['_particleName'], path)
    before = blocks[_PARTICLES]
    if len(rows) != len(before) or (np.diff(rows) != 1).any():
        before = before.iloc[rows].reset_index(drop=True)
    # Columns are replaced and never changed in place.
    after = before.copy(deep=False)
    bring_up_to_date(particles, state, places, {**blocks, _PARTICLES: after}, has_images='rlnImageName' in loop.labels)
    changes: Dict[str, 'Optional[pd.Series[float]]'] = {
        label: after[label] for label in after
        if label != NAME and (label not in before or not after[label].equals(before[label]))}
    changes.update({label: None for label in loop.labels
                    if label == UNWANTED or (label in before and label not in after)})
    return ParticleRows(path, loop, rows, changes, {**blocks, _PARTICLES: pd.DataFrame()})


def write_rows(found: ParticleRows, path: str) -> None:
    """Write what find_rows has found: cells that have not changed keep their spelling."""
    try:
        copy_rows(found.path, found.loop, found.rows, found.changes, path, found.blocks, _PARTICLES)
    except NotPlain as error:
        raise StarError(found.path, 'was changed while it was read; try again', _PARTICLES) from error
