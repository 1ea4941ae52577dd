"""How far the defocus and the alignment of tilt series are from the truth of a scene."""
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Union

import numpy as np
import pandas as pd

from ..geometry import tilt_series_projections
from ..star import read_star
from .relion_run import SimulationError
from .scene import Scene

PathLike = Union[str, Path]
_SHIFTS = ['rlnTomoXShiftAngst', 'rlnTomoYShiftAngst']
_DEFOCUS = ['rlnDefocusU', 'rlnDefocusV']


@dataclass(frozen=True)
class SeriesErrors:
    """Errors over all images of all series, Å.

    median_defocus_error_A: median of |error| of the mean of U and V. rms_tilt_shift_error_A: rms of X and Y of the shifts
    of the images, after what cannot be seen is taken off (see series_errors).
    """

    median_defocus_error_A: float
    rms_tilt_shift_error_A: float


def series_errors(scene: Scene, tomograms_star: PathLike) -> SeriesErrors:
    """Errors of the tilt series that a tomograms.star names, against the truth of the scene.

    A motion of all particles of a series by one and the same vector cannot be told from shifts of its images: for each
    series the vector (3,) whose projections explain most of the errors of the shifts (least squares) is taken off; the
    positions of the particles hold it. Paths in the file start from the working directory. Raises SimulationError where
    images differ.
    """
    defocus, shifts = [], []
    for name, table in read_tilt_series(tomograms_star).items():
        true = scene.tilt_series[name][~scene.tilt_series[name]['dark']]
        table = table.set_index(_sections(table))
        if set(table.index) != set(true.index + 1):
            raise SimulationError(f'{tomograms_star}: {name} has other images than the scene; take the truth of the same '
                                  'scene')
        table = table.loc[true.index + 1]
        defocus.append(table[_DEFOCUS].mean(axis=1).to_numpy() - true[_DEFOCUS].mean(axis=1).to_numpy())
        shifts.append(_seen(table[_SHIFTS].to_numpy() - true[_SHIFTS].to_numpy(), true))
    return SeriesErrors(float(np.median(np.abs(np.concatenate(defocus)))),
                        float(np.sqrt(np.mean(np.concatenate(shifts) ** 2))))


def read_tilt_series(tomograms_star: PathLike) -> Dict[str, pd.DataFrame]:
    """The tilt-series tables that a tomograms.star names, by name of the tomogram."""
    overview = read_star(tomograms_star, ['global'])['global']
    return {name: read_star(file, [name])[name]
            for name, file in zip(overview['rlnTomoName'], overview['rlnTomoTiltSeriesStarFile'])}


def _sections(table: pd.DataFrame) -> np.ndarray:
    """1-based section of each image in the raw stack."""
    return table['rlnMicrographName'].str.split('@').str[0].astype(int).to_numpy()


def _seen(errors: np.ndarray, true: pd.DataFrame) -> np.ndarray:
    """Errors of shifts (images, 2), Å, less the part that a shift of all particles makes as well."""
    views = tilt_series_projections(true, 1.0, (2, 2), (2, 2, 2))[:, :2, :3].reshape(-1, 3)
    vector = np.linalg.lstsq(views, errors.reshape(-1), rcond=None)[0]
    return errors - (views @ vector).reshape(errors.shape)
