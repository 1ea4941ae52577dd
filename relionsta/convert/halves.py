"""Random half sets for particles that have none."""
import numpy as np

from relionsta.star import read_star, require_columns, write_star

from .particles import HALF, NAME

SEED = 20250101  # the same split each time: two runs on the same particles can be compared


def split_halves(path: str) -> bool:
    """Give the particles of a STAR file half sets (rlnRandomSubset 1 or 2) at random, of equal size.

    The same names get the same halves, in whatever order the rows are. A file that has half sets already is left
    alone: particles that were refined apart must stay apart; so is one with a single particle. Returns True where it
    was split.
    """
    blocks = read_star(path)
    particles = blocks['particles']
    if HALF in particles or len(particles) < 2:
        return False
    require_columns(particles, [NAME], path, 'particles')
    by_name = particles[NAME].argsort(kind='stable').to_numpy()
    halves = np.empty(len(particles), dtype=np.int64)
    halves[np.random.default_rng(SEED).permutation(by_name)] = np.arange(len(particles)) % 2 + 1
    particles[HALF] = halves
    write_star(path, blocks)
    return True


def has_both_halves(path: str) -> bool:
    """True where the particles of a STAR file are in two half sets: RELION writes an empty half map for a set that has
    only one."""
    particles = read_star(path, ['particles'])['particles']
    return HALF in particles and particles[HALF].nunique() == 2
