"""The course of a run of relion_refine: its iterations, and the limits that they come up against."""
from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional, Union

import pandas as pd

from ..jobs import files
from ..star.tables import StarError, read_star
from .history import Iteration, table_of
from .model import Model

PathLike = Union[str, Path]
_OPTICS = ('rlnTomoTiltSeriesPixelSize', 'rlnImagePixelSize')


@dataclass(frozen=True)
class Course:
    """How a run went.

    table: as `results.history.history` makes it, not empty. box_size in pixels, pixel_size in Å. binning: particle pixel /
    tilt-series pixel, None where nothing says so. limit: Å of the E-step's limit, or None. total: number of iterations
    that were asked for, None where RELION decides. final: Å, resolution of a converged auto-refinement. aligned: False
    where the particles keep their poses.
    """

    job_type: str
    table: pd.DataFrame
    box_size: int
    pixel_size: float
    binning: Optional[float] = None
    limit: Optional[float] = None
    total: Optional[int] = None
    final: Optional[float] = None
    aligned: bool = True

    @property
    def nyquist(self) -> float:
        """The finest spacing that the voxels hold, Å."""
        return 2 * self.pixel_size

    @property
    def last(self) -> int:
        """The last complete iteration."""
        return int(self.table.index[-1])

    @property
    def references(self) -> List[int]:
        """Numbers of the classes, or bodies."""
        start = 'distribution_'
        return [int(name[len(start):]) for name in map(str, self.table) if name.startswith(start)]

    @property
    def has_classes(self) -> bool:
        """True where particles are shared out among several references."""
        return len(self.references) > 1 and self.job_type in (files.CLASS3D, files.INITIAL_MODEL)

    @property
    def is_auto(self) -> bool:
        """True where RELION decides when it is done."""
        return self.job_type in (files.REFINE3D, files.MULTIBODY)

    def shells(self) -> pd.Series:
        """Resolution as the number of a Fourier shell: what RELION's numbers are steps of."""
        return self.box_size * self.pixel_size / self.table['resolution']


def course_of(iterations: Mapping[int, Iteration], job_type: str, final: Optional[Model] = None,
              binning: Optional[float] = None) -> Optional[Course]:
    """The course of complete iterations (number -> what it wrote; 0 does not count); None where there is none."""
    numbers = [number for number in sorted(iterations) if number > 0]
    if not numbers:
        return None
    model, optimiser, _sampling = iterations[numbers[-1]]
    return Course(job_type=job_type, table=table_of({number: iterations[number] for number in numbers}),
                  box_size=model.box_size, pixel_size=model.pixel_size, binning=binning, limit=optimiser.highres_limit,
                  total=optimiser.number_of_iterations, final=None if final is None else final.resolution,
                  aligned=optimiser.aligned)


def read_binning(path: PathLike) -> Optional[float]:
    """Binning of the particles of a data.star, from its optics groups; None where the file does not say, or is not there."""
    try:
        optics = read_star(Path(path), ['optics'], only={'optics': _OPTICS})['optics']
        return float(optics[_OPTICS[1]].iloc[0]) / float(optics[_OPTICS[0]].iloc[0])
    except (StarError, KeyError, ValueError, IndexError, ZeroDivisionError):
        return None
