"""What RELION says of its references and of its progress: model.star, optimiser.star and sampling.star of an iteration.

RELION writes `inf`, `-nan`, 0 or 999 where it has no value; here such a value is None. RELION 5.1 does so for the
resolution and completeness of classes that do hold particles (all of them in MPI runs, all but the first in others),
so the resolution of a class is then found as RELION finds it: the last shell before its SSNR falls below 1.
"""
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple, Union

import numpy as np
import pandas as pd

from ..star.tables import StarError, read_star
from .resolution import resolution_at

PathLike = Union[str, Path]
# RELION's stand-in for "no value yet" in accuracies, changes, resolutions and the number of iterations
UNSET = 999.
_SAMPLING_LABELS = ('rlnHealpixOrder', 'rlnPsiStep', 'rlnOffsetRange', 'rlnOffsetStep', 'rlnSymmetryGroup')
_SHELL_LABELS = ('rlnSpectralIndex', 'rlnSsnrMap', 'rlnGoldStandardFsc', 'rlnFourierCompleteness')
_OPTIMISER_LABELS = (
    'rlnCurrentIteration', 'rlnNumberOfIterations', 'rlnHasConverged', 'rlnBestResolutionThusFar',
    'rlnChangesOptimalOrientations', 'rlnChangesOptimalOffsets', 'rlnChangesOptimalClasses',
    'rlnOverallAccuracyRotations', 'rlnOverallAccuracyTranslationsAngst', 'rlnNumberOfIterWithoutResolutionGain',
    'rlnAdaptiveOversampleOrder', 'rlnDoSkipAlign', 'rlnHighresLimitExpectation', 'rlnDoGradientRefine')


@dataclass(frozen=True)
class Spectrum:
    """One value per Fourier shell of a reference; shell 0 is the mean. All arrays have box size / 2 + 1 entries.

    frequency: 1/Å. ssnr: RELION's estimate of signal to noise in the reconstruction (rlnSsnrMap). gold_standard_fsc:
    correlation of the two half maps of an auto-refinement; zeros in any other job (see has_fsc). completeness: how
    much of the shell was measured.
    """

    frequency: np.ndarray
    ssnr: np.ndarray
    gold_standard_fsc: np.ndarray
    completeness: np.ndarray

    @property
    def has_fsc(self) -> bool:
        """True where half maps were compared, so that the FSC means something."""
        return bool(np.any(self.gold_standard_fsc != 0))

    def ssnr_resolution(self) -> Optional[float]:
        """Å of the last shell before the SSNR falls below 1: RELION's rlnEstimatedResolution. None if no shell."""
        return resolution_at(self.frequency, self.ssnr, 1.)


@dataclass(frozen=True)
class ClassResult:
    """One class (numbers from 1).

    distribution: fraction of the particles. resolution: Å (reported: RELION wrote it itself). accuracy_rotations:
    degrees; accuracy_translations: Å. completeness: 0 to 1. None where RELION made no estimate, as for an (almost)
    empty class.
    """

    number: int
    image: str
    distribution: float
    resolution: Optional[float]
    reported: bool
    accuracy_rotations: Optional[float]
    accuracy_translations: Optional[float]
    completeness: Optional[float]
    spectrum: Spectrum

    def describe(self) -> str:
        """The class in a few words, for lists and comments."""
        if self.distribution == 0:
            return 'no particles'
        resolution = 'no resolution' if self.resolution is None else '%.1f Å' % self.resolution
        return '%.1f %% of the particles, %s' % (100 * self.distribution, resolution)


@dataclass(frozen=True)
class Model:
    """A model.star: box_size in pixels, pixel_size in Å, resolution (rlnCurrentResolution) in Å, sigma_offsets in Å.

    classes: those of a refinement or classification, the bodies of a multi-body refinement.
    """

    path: str
    box_size: int
    pixel_size: float
    resolution: Optional[float]
    average_pmax: Optional[float]
    log_likelihood: Optional[float]
    sigma_offsets: Optional[float]
    tau_fudge: Optional[float]
    classes: Tuple[ClassResult, ...]

    @property
    def nyquist(self) -> float:
        """The finest spacing that the voxels hold, Å."""
        return 2 * self.pixel_size

    def fsc(self, number: int = 1) -> Tuple[np.ndarray, np.ndarray]:
        """Spatial frequency (1/Å) and gold-standard FSC of a class (numbers from 1)."""
        spectrum = self.classes[number - 1].spectrum
        return spectrum.frequency, spectrum.gold_standard_fsc


@dataclass(frozen=True)
class Optimiser:
    """An optimiser.star. Angles in degrees, offsets and resolution in Å, class changes as a fraction of the particles.

    iteration: None in the final files of a converged auto-refinement. number_of_iterations: None where RELION decides.
    aligned: False in a run that keeps the poses that the particles had. highres_limit: Å, of the data that are aligned
    (limit of the E-step), None without. gradient: True in iterations of gradient descent, which take some of the particles.
    """

    path: str
    iteration: Optional[int]
    number_of_iterations: Optional[int]
    has_converged: bool
    change_rotations: Optional[float]
    change_translations: Optional[float]
    change_classes: Optional[float]
    accuracy_rotations: Optional[float]
    accuracy_translations: Optional[float]
    best_resolution: Optional[float]
    iterations_without_gain: int
    oversampling: int
    aligned: bool
    highres_limit: Optional[float]
    gradient: bool


@dataclass(frozen=True)
class Sampling:
    """A sampling.star: coarse angular step (degrees), in-plane step (degrees), search range and step of offsets (Å)."""

    path: str
    healpix_order: int
    psi_step: float
    offset_range: float
    offset_step: float
    symmetry: str

    def angular_step(self, oversampling: int = 0) -> float:
        """Degrees between neighbouring orientations after `oversampling`: 360 / (6 * 2^order) (HEALPix, as RELION)."""
        return 360. / (6 * 2 ** (self.healpix_order + oversampling))


def read_model(path: PathLike) -> Model:
    """Read a model.star (`run_itNNN_model.star`, `..._half1_model.star` or the final `run_model.star`).

    Raises StarError where the file is missing, cut or lacks a table of one of its classes.
    """
    block = 'model_general'
    general = _Values(path, block, read_star(Path(path), [block])[block])
    what = 'body' if general.number('rlnNrBodies') > 1 else 'class'
    block = 'model_bodies' if what == 'body' else 'model_classes'
    rows = read_star(Path(path), [block])[block]
    # Only the tables that we show: those of orientations are by far the largest in the file
    names = ['model_%s_%d' % (what, number) for number in range(1, len(rows) + 1)]
    shells = read_star(Path(path), names, only={name: _SHELL_LABELS for name in names})
    box, pixel = int(general.number('rlnOriginalImageSize')), general.number('rlnPixelSize')
    classes = tuple(_class_result(path, name, shells[name], _Values(path, block, rows.iloc[number - 1:number]), number,
                                  box * pixel)
                    for number, name in enumerate(names, start=1))
    return Model(path=os.fspath(path), box_size=box, pixel_size=pixel, resolution=general.known('rlnCurrentResolution'),
                 average_pmax=general.known('rlnAveragePmax', zero=True),
                 log_likelihood=general.known('rlnLogLikelihood', zero=True),
                 sigma_offsets=general.known('rlnSigmaOffsetsAngst'),
                 tau_fudge=general.known('rlnTau2FudgeFactor'), classes=classes)


def read_optimiser(path: PathLike) -> Optimiser:
    """Read an optimiser.star; StarError where it is missing, cut or not one."""
    block = 'optimiser_general'
    row = _Values(path, block, read_star(Path(path), [block], only={block: _OPTIMISER_LABELS})[block])
    limit = row.known('rlnHighresLimitExpectation')
    iteration = int(row.number('rlnCurrentIteration'))
    total = int(row.number('rlnNumberOfIterations'))
    best = row.known('rlnBestResolutionThusFar')
    return Optimiser(path=os.fspath(path), iteration=None if iteration < 0 else iteration,
                     number_of_iterations=None if total == UNSET else total,
                     has_converged=bool(row.number('rlnHasConverged')),
                     change_rotations=row.known('rlnChangesOptimalOrientations', zero=True),
                     change_translations=row.known('rlnChangesOptimalOffsets', zero=True),
                     change_classes=row.known('rlnChangesOptimalClasses', zero=True),
                     accuracy_rotations=row.known('rlnOverallAccuracyRotations'),
                     accuracy_translations=row.known('rlnOverallAccuracyTranslationsAngst'),
                     best_resolution=None if best is None else 1. / best,  # the file holds 1/Å
                     iterations_without_gain=int(row.number('rlnNumberOfIterWithoutResolutionGain')),
                     oversampling=int(row.number('rlnAdaptiveOversampleOrder')),
                     aligned=not row.known('rlnDoSkipAlign'),
                     highres_limit=limit if limit is not None and limit > 0 else None,
                     gradient=bool(row.known('rlnDoGradientRefine')))


def read_sampling(path: PathLike) -> Sampling:
    """Read a sampling.star; StarError where it is missing, cut or not one."""
    block = 'sampling_general'
    row = _Values(path, block, read_star(Path(path), [block], only={block: _SAMPLING_LABELS})[block])
    return Sampling(path=os.fspath(path), healpix_order=int(row.number('rlnHealpixOrder')),
                    psi_step=row.number('rlnPsiStep'), offset_range=row.number('rlnOffsetRange'),
                    offset_step=row.number('rlnOffsetStep'), symmetry=row.text('rlnSymmetryGroup'))


def _class_result(path: PathLike, block: str, table: pd.DataFrame, row: '_Values', number: int,
                  edge: float) -> ClassResult:
    """Class (or body) `number` of a model whose box has an edge of `edge` Å; table: its shells, block: their name."""
    shells, ssnr, fsc, completeness = (
        _numbers(path, block, table, label)
        for label in _SHELL_LABELS)
    # The frequencies in the file (rlnResolution) have few digits
    spectrum = Spectrum(shells / edge, ssnr, fsc, completeness)
    resolution = row.known('rlnEstimatedResolution')
    distribution = row.number('rlnClassDistribution')
    reported = resolution is not None
    if resolution is None and distribution > 0:
        resolution = spectrum.ssnr_resolution()
    return ClassResult(number=number, image=row.text('rlnReferenceImage'), distribution=distribution,
                       resolution=resolution, reported=reported,
                       accuracy_rotations=row.known('rlnAccuracyRotations'),
                       accuracy_translations=row.known('rlnAccuracyTranslationsAngst'),
                       completeness=row.known('rlnOverallFourierCompleteness', zero=True), spectrum=spectrum)


def _numbers(path: PathLike, block: str, table: pd.DataFrame, label: str) -> np.ndarray:
    if label not in table:
        raise StarError(path, 'the column %s is missing; this is not a table that relion_refine writes' % label, block)
    values = table[label]
    if values.dtype.kind == 'O':  # something else than numbers among them
        values = pd.to_numeric(values, errors='coerce')
    return values.to_numpy(dtype=float)


class _Values:
    """The single row of a table, read with messages that name file, block and column."""

    def __init__(self, path: PathLike, block: str, table: pd.DataFrame) -> None:
        self._path, self._block, self._table = path, block, table

    def text(self, label: str) -> str:
        if label not in self._table:
            raise StarError(self._path, 'the column %s is missing' % label, self._block)
        return str(self._table[label].iloc[0])

    def number(self, label: str) -> float:
        value = float(_numbers(self._path, self._block, self._table, label)[0])
        if not math.isfinite(value):
            raise StarError(self._path, 'the value of %s is "%s", not a number' % (label, self.text(label)),
                            self._block)
        return value

    def known(self, label: str, zero: bool = False) -> Optional[float]:
        """The value; None where RELION has none: no such column, inf, nan, 999, or 0 unless `zero` is a value."""
        if label not in self._table:
            return None
        value = float(_numbers(self._path, self._block, self._table, label)[0])
        if not math.isfinite(value) or value == UNSET or (value == 0 and not zero):
            return None
        return value
