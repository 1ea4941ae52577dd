"""The particles STAR of a set whose particles all come from one large file: its rows, without making tables of them."""
import logging
from typing import Dict, List, NamedTuple, Optional

import numpy as np
import pandas as pd

from relionsta.objects import SetOfStaParticles
from relionsta.star.copy import Changes, copy_rows
from relionsta.star.plain import Loop, NotPlain
from relionsta.star.reader import read_plain

from .parts import CLASS, HALF, NAME, TOMOGRAM, UNWANTED, SetState, bring_up_to_date, rows_of_names
from .poses import POSE

logger = logging.getLogger(__name__)

#: The columns that a set of particles may change, and those by which they are known.
_KEYS = (NAME, TOMOGRAM, *POSE, CLASS, HALF)
PARTICLES = 'particles'


class ParticleRows(NamedTuple):
    """Rows (n,) of a loop in a file, what has changed in them, and the other blocks (particles: without its rows)."""

    path: str
    loop: Loop
    rows: np.ndarray
    changes: Dict[str, 'Optional[pd.Series[float]]']
    blocks: Dict[str, pd.DataFrame]


def find_rows(particles: SetOfStaParticles, state: SetState) -> Optional[ParticleRows]:
    """The rows of a set's particles; None where they come from several files, or from one that has to be read with care.

    Raises ConvertError and StarError as parts_of_state.
    """
    if len(state.files) > 1:
        return None
    (path, _, _), places = next(iter(state.files.items()))
    found = read_plain(path, {PARTICLES: _KEYS if state.lost.any() else [key for key in _KEYS if key != TOMOGRAM]})
    if found is None or PARTICLES not in found.loops or NAME not in found.tables[PARTICLES] or any(
            name not in (PARTICLES, 'optics', 'general') for name in found.loops):
        return None
    loop, blocks = found.loops[PARTICLES], dict(found.tables)
    rows = rows_of_names(blocks[PARTICLES][NAME], state.columns['_particleName'], path)
    before = blocks[PARTICLES].drop(columns=NAME).iloc[rows].reset_index(drop=True)
    blocks[PARTICLES] = before.copy()
    bring_up_to_date(particles, state, places, blocks, has_images='rlnImageName' in loop.labels)
    after = blocks.pop
    return None
