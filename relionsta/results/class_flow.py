"""Who went where: how particles moved from class to class between two iterations."""
from pathlib import Path
from typing import NamedTuple, Union

import numpy as np
import pandas as pd

from ..star.tables import StarError, read_star, require_columns

PathLike = Union[str, Path]
NAME, CLASS = 'rlnTomoParticleName', 'rlnClassNumber'


class Flow(NamedTuple):
    """counts: (classes, classes) particles that went from class i + 1 (row) to class j + 1 (column). alone: those that
    only one of the two iterations has."""

    counts: np.ndarray
    alone: int

    @property
    def total(self) -> int:
        """Particles of both iterations."""
        return int(self.counts.sum())

    @property
    def moved(self) -> float:
        """Fraction of them that changed class."""
        return 1. - float(np.trace(self.counts)) / max(1, self.total)


def read_class_numbers(path: PathLike) -> pd.Series:
    """Class (from 1) of each particle of a data.star, by particle name. StarError where the file is not such a one."""
    block = 'particles'
    table = read_star(Path(path), [block], only={block: (NAME, CLASS)})[block]
    require_columns(table, (NAME, CLASS), path, block)
    if table[NAME].duplicated().any():
        raise StarError(path, 'the particle %s is there twice' % table[NAME][table[NAME].duplicated()].iloc[0], block)
    return table.set_index(NAME)[CLASS]


def class_flow(before: pd.Series, after: pd.Series, classes: int) -> Flow:
    """The flow between two iterations of a run with so many classes.

    before, after: as read_class_numbers reads them, in any order; particles are joined by name.
    """
    if before.index.equals(after.index):
        was, now = before.to_numpy(), after.to_numpy()
    else:
        shared = before.index.intersection(after.index)
        was, now = before.loc[shared].to_numpy(), after.loc[shared].to_numpy()
    counts = np.bincount((was - 1) * classes + now - 1, minlength=classes ** 2).reshape(classes, classes)
    return Flow(counts, len(before) + len(after) - 2 * len(was))
