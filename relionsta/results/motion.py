"""Trajectories of particles (motion.star of Bayesian polishing) as numbers."""
import io
import re
from pathlib import Path
from typing import List, NamedTuple, Union

import numpy as np
import pandas as pd

from ..star import StarError, read_star
from ..star.trajectories import read_trajectories
from .series_changes import tilt_series_tables

NAME, TOMOGRAM = 'rlnTomoParticleName', 'rlnTomoName'
LABELS = ['rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst']
_LABEL = re.compile(r'^_(\S+)', re.MULTILINE)
_NOT_NUMBERS = re.compile(r'^(?:[_#].*|loop_[ \t]*|[ \t]*)\n', re.MULTILINE)


class Motion(NamedTuple):
    """names (n,) of the particles; shifts (rows, 3): X, Y, Z in Å at each tilt image, in the order of the tilt-series
    table, particle after particle; starts (n,): first row of each; counts (n,): tilt images of each."""

    names: np.ndarray
    shifts: np.ndarray
    starts: np.ndarray
    counts: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """The shifts (tilts, 3) of a particle; KeyError for one that is not there."""
        found = np.flatnonzero(self.names == name)
        if not len(found):
            raise KeyError(name)
        return self.shifts[self.starts[found[0]]:self.starts[found[0]] + self.counts[found[0]]]

    def moved(self) -> 'pd.Series[float]':
        """Particle name -> root mean square distance (Å) from its own mean place: how much it moved."""
        mean = np.add.reduceat(self.shifts, self.starts, axis=0) / self.counts[:, None]
        off = self.shifts - np.repeat(mean, self.counts, axis=0)
        square = np.add.reduceat((off ** 2).sum(axis=1), self.starts)
        return pd.Series(np.sqrt(square / self.counts), index=self.names, name='moved')


def read_motion(path: Union[str, Path]) -> Motion:
    """Read a motion.star. Raises StarError where it cannot be read, lacks a column or has a cut row."""
    texts = read_trajectories(path)
    columns = set(tuple(_LABEL.findall(text)) for text in texts.values())
    if len(columns) != 1 or not set(LABELS) <= set(next(iter(columns))):
        raise StarError(path, 'a trajectory needs the columns %s, in the same order in each block; polish the particles '
                              'again' % ', '.join(LABELS))
    order = list(next(iter(columns)))
    rows = [_NOT_NUMBERS.sub('', text.rstrip() + '\n') for text in texts.values()]
    counts = np.array([text.count('\n') for text in rows])
    if not counts.all():
        raise StarError(path, 'the trajectory of %s has no row; polish the particles again'
                        % list(texts)[int(np.argmin(counts))])
    shifts = _numbers(path, rows, order)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return Motion(np.array(list(texts), dtype=object), shifts, starts, counts)


def check_motion(path: Union[str, Path], particles: Union[str, Path], tomograms: Union[str, Path]) -> None:
    """Raise StarError unless the file has a trajectory for each particle of a particles.star, and in each of them a row for
    each image of its tilt series (of a tomograms.star)."""
    motion, rows = read_motion(path), read_star(particles, ['particles'])['particles']
    lost = pd.Index(rows[NAME]).difference(pd.Index(motion.names))
    if len(lost):
        raise StarError(path, 'has no trajectory of %s (%d of %d particles have none)' % (lost[0], len(lost), len(rows)))
    images = {name: len(table) for name, table in tilt_series_tables(tomograms).items()}
    expected = rows.set_index(NAME)[TOMOGRAM].map(images).reindex(motion.names).to_numpy(dtype=float)
    wrong = np.flatnonzero(~np.isnan(expected) & (motion.counts != expected))
    if len(wrong):
        raise StarError(path, 'has %d rows, and its tilt series has %d images' % (
            motion.counts[wrong[0]], expected[wrong[0]]), str(motion.names[wrong[0]]))


def _numbers(path: Union[str, Path], rows: List[str], order: List[str]) -> np.ndarray:
    try:
        table = pd.read_csv(io.StringIO(''.join(rows)), sep=r'\s+', header=None, names=order, index_col=False,
                            dtype=np.float64)
    except ValueError as error:
        raise StarError(path, 'a trajectory has a row that is no row of numbers (%s)' % error) from error
    shifts = table[LABELS].to_numpy()
    if np.isnan(shifts).any():
        raise StarError(path, 'a trajectory has a row that was cut; polish the particles again')
    return np.asarray(shifts)


def particle_moves(before: pd.DataFrame, positions_before: np.ndarray, after: pd.DataFrame,
                   positions_after: np.ndarray) -> pd.DataFrame:
    """How far the particles of two particles STAR tables moved, joined by name.

    positions (n, 3): centred, refined, Å, of each table's rows. Index: rlnTomoParticleName of those in both; columns:
    moved (Å) and tomogram.
    """
    rows = pd.Index(before[NAME]).get_indexer(pd.Index(after[NAME]))
    both = rows >= 0
    moved = np.linalg.norm(positions_after[both] - positions_before[rows[both]], axis=1)
    return pd.DataFrame({'moved': moved, 'tomogram': after[TOMOGRAM].to_numpy()[both]},
                        index=pd.Index(after[NAME].to_numpy()[both], name=NAME))
