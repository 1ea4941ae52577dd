"""How a refinement or classification went: one row per complete iteration."""
from pathlib import Path
from typing import Dict, Mapping, NamedTuple, Optional, Union

import numpy as np
import pandas as pd

from ..jobs import files
from .iterations import complete_iterations
from .model import Model, Optimiser, Sampling, read_model, read_optimiser, read_sampling

PathLike = Union[str, Path]


class Iteration(NamedTuple):
    """What one iteration wrote about itself; the model is that of half set 1 in an auto-refinement."""

    model: Model
    optimiser: Optimiser
    sampling: Sampling


def history(folder: PathLike, job_type: str, root: str = files.RUN) -> pd.DataFrame:
    """A table of the complete iterations (index `iteration`, from 1), nan where RELION has no value (without alignment
    there are no steps).

    Columns: resolution (Å), pmax, change_rotations (deg), change_translations (Å), change_classes (fraction of the
    particles), accuracy_rotations (deg), accuracy_translations (Å), angular_step (deg, after oversampling), offset_step
    (Å, after oversampling), and for each class N: distribution_N (fraction), resolution_N (Å).
    """
    return table_of({number: read_iteration(folder, job_type, number, root)
                     for number in complete_iterations(folder, job_type, root) if number > 0})


def table_of(iterations: Mapping[int, Iteration]) -> pd.DataFrame:
    """The table of `history` of these iterations."""
    rows = {number: _row(one) for number, one in sorted(iterations.items())}
    table = pd.DataFrame.from_dict(rows, orient='index', dtype=float)
    table.index.name = 'iteration'
    return table


def read_iteration(folder: PathLike, job_type: str, iteration: int, root: str = files.RUN) -> Iteration:
    """Model, optimiser and sampling of an iteration; StarError where one of them is missing or cut."""
    names = sorted(files.iteration_files(job_type, root, iteration, nr_classes=1).values())

    def path(ending: str) -> Path:
        # Auto-refinement has a model per half set: the first of the two
        return Path(folder, next(name for name in names if name.endswith(ending)))

    return Iteration(model=read_model(path('_model.star')), optimiser=read_optimiser(path('_optimiser.star')),
                     sampling=read_sampling(path('_sampling.star')))


def _row(one: Iteration) -> Dict[str, float]:
    model, optimiser, sampling = one
    row: Dict[str, Optional[float]] = {
        'resolution': model.resolution,
        'pmax': model.average_pmax,
        'change_rotations': optimiser.change_rotations,
        'change_translations': optimiser.change_translations,
        'change_classes': optimiser.change_classes,
        'accuracy_rotations': optimiser.accuracy_rotations,
        'accuracy_translations': optimiser.accuracy_translations,
        'angular_step': sampling.angular_step(optimiser.oversampling) if optimiser.aligned else None,
        'offset_step': sampling.offset_step / 2 ** optimiser.oversampling if optimiser.aligned else None,
    }
    for result in model.classes:
        row['distribution_%d' % result.number] = result.distribution
        row['resolution_%d' % result.number] = result.resolution
    return {name: np.nan if value is None else value for name, value in row.items()}
