"""Values of the particles of a set, of any column that RELION has for them."""
from typing import List, NamedTuple

import numpy as np
import pandas as pd

from relionsta.objects import SetOfStaParticles

from .bulk import copy_items, read_columns
from .errors import ConvertError
from .parts import TOMOGRAM, parts_of_set
from .poses import poses_of_rows

PREFIX = 'rln'


class ParticleTable(NamedTuple):
    """The enabled particles of a set in its order: ids (n,), positions (n, 3; Å, centred, refined), tomograms (n,) and
    columns, as RELION would get them; a column that only some files have is NaN or None for the others."""

    ids: np.ndarray
    positions: np.ndarray
    tomograms: np.ndarray
    columns: pd.DataFrame

    def values(self, label: str) -> np.ndarray:
        """A column of numbers (n,) by RELION's label, with or without rln; ConvertError naming those that there are."""
        found = next((name for name in (label, PREFIX + label) if name in self.columns), None)
        if found is None or not pd.api.types.is_numeric_dtype(self.columns[found]):
            raise ConvertError('the particles have no column %s with numbers; they have: %s'
                               % (label or '(empty)', ', '.join(self.number_labels())))
        return self.columns[found].to_numpy(dtype=np.float64)

    def number_labels(self) -> List[str]:
        """Labels of the columns that hold numbers."""
        return [str(label) for label in self.columns.select_dtypes('number').columns]


def particle_table(particles: SetOfStaParticles) -> ParticleTable:
    """All that RELION would know of the enabled particles of a set. Errors as parts_of_set."""
    found = parts_of_set(particles)
    order = np.argsort(np.concatenate([part.places for part in found]), kind='stable')
    columns = pd.concat([part.table for part in found], ignore_index=True).iloc[order].reset_index(drop=True)
    positions, _ = poses_of_rows(columns.fillna(0) if columns.isna().to_numpy().any() else columns)
    ids = np.concatenate([part.ids for part in found])[order]
    return ParticleTable(ids, positions, columns[TOMOGRAM].to_numpy(), columns)


def subset(particles: SetOfStaParticles, target: SetOfStaParticles, ids: np.ndarray) -> None:
    """Fill an empty set with the particles of these object ids. The caller writes it."""
    target.copyInfo(particles)
    copy_items(particles, target, np.isin(read_columns(particles, [])['id'], ids))
