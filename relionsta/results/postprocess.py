"""What post-processing measured: postprocess.star."""
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple, Union

import numpy as np
import pandas as pd

from ..star.tables import StarError, read_star, require_columns

PathLike = Union[str, Path]
Curve = Tuple[np.ndarray, np.ndarray]
# RELION's value of a logarithm that does not exist (no amplitude)
NO_LOGARITHM = -99.

CORRECTED, MASKED, UNMASKED, RANDOMISED = 'corrected', 'masked', 'unmasked', 'phase-randomised'
FSC_COLUMNS = {
    CORRECTED: 'rlnFourierShellCorrelationCorrected',
    MASKED: 'rlnFourierShellCorrelationMaskedMaps',
    UNMASKED: 'rlnFourierShellCorrelationUnmaskedMaps',
    RANDOMISED: 'rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps',
}
GUINIER_COLUMNS = {
    'original': 'rlnLogAmplitudesOriginal',
    'MTF corrected': 'rlnLogAmplitudesMTFCorrected',
    'FSC weighted': 'rlnLogAmplitudesWeighted',
    'sharpened': 'rlnLogAmplitudesSharpened',
    'fit': 'rlnLogAmplitudesIntercept',
}


#: RELION writes this number over the part of the voxels where the mask is above 0.5 (measured on 5.1).
MASK_SCALE = 0.476
#: Mean of the phase-randomised curve up to the resolution beyond which a mask is too tight, hard or detailed. Wide soft
#: masks of simulated half maps give up to 0.06, tight or hard ones 0.12 to 0.85.
TOO_TIGHT = 0.1
#: Shells beyond the one from which phases are randomised in which the curve still falls.
_FALLING = 2


@dataclass(frozen=True)
class GuinierFit:
    """The straight line through ln(amplitude) against the squared spatial frequency. slope in Å²."""

    slope: float
    intercept: float
    correlation: float

    @property
    def b_factor(self) -> float:
        """Å²: amplitudes fall as exp(-B s² / 4) (Rosenthal & Henderson 2003), so the map is sharpened with 4 slopes."""
        return 4 * self.slope


@dataclass(frozen=True)
class PostProcess:
    """A postprocess.star.

    resolution: Å, where the corrected FSC falls below 0.143 (as RELION found it). b_factor: Å² used for sharpening,
    None where the map was not sharpened. mask_fraction: part of the box's voxels with a mask above 0.5. randomised_from: Å.
    frequency: 1/Å, one per Fourier shell, the last one is Nyquist. fsc: name of a curve -> its values.
    guinier: None, or the resolution squared (1/Å²) and, by name, ln(amplitude), nan where there is none. fit: None where
    no line was fitted.
    """

    path: str
    resolution: float
    b_factor: Optional[float]
    mask: str
    mask_fraction: Optional[float]
    randomised_from: Optional[float]
    half_maps: Tuple[str, str]
    frequency: np.ndarray
    fsc: Dict[str, np.ndarray]
    guinier: Optional[Tuple[np.ndarray, Dict[str, np.ndarray]]]
    fit: Optional[GuinierFit] = None

    @property
    def nyquist(self) -> float:
        """The finest spacing that the voxels hold, Å."""
        return 1. / float(self.frequency[-1])

    @property
    def mask_effect(self) -> Optional[float]:
        """Correlation that the mask alone makes: the mean of the phase-randomised curve from where it has fallen to one
        shell beyond the resolution; None where there is no such shell. Beyond TOO_TIGHT the mask should be wider or softer.
        """
        if self.randomised_from is None or RANDOMISED not in self.fsc:
            return None
        first, last = (int(np.abs(self.frequency - 1. / spacing).argmin())
                       for spacing in (self.randomised_from, self.resolution))
        values = self.fsc[RANDOMISED][first + _FALLING:last + 2]
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else None

    @property
    def mask_left_out(self) -> bool:
        """True where RELION took the curve without mask, since the corrected one was worse: the map is then not masked."""
        if not {CORRECTED, UNMASKED, MASKED} <= set(self.fsc):
            return False
        plain = self.fsc[UNMASKED]
        return (np.allclose(self.fsc[CORRECTED], plain, atol=1e-5)
                and not np.allclose(self.fsc[MASKED], plain, atol=1e-5))

    def fsc_curves(self) -> Dict[str, Curve]:
        """Name of a curve -> (spatial frequency in 1/Å, FSC)."""
        return {name: (self.frequency, values) for name, values in self.fsc.items()}


def read_postprocess(path: PathLike) -> PostProcess:
    """Read a postprocess.star; StarError where it is missing, cut, or made by another program."""
    tables = read_star(Path(path))
    for block, columns in (('general', ['rlnFinalResolution']), ('fsc', ['rlnSpectralIndex', 'rlnAngstromResolution'])):
        if block not in tables or tables[block].empty:
            raise StarError(path, 'the block is missing or empty; this is no postprocess.star of RELION', block)
        require_columns(tables[block], columns, path, block)
    general, shells = tables['general'], tables['fsc']
    scaled = _known(general, 'rlnParticleBoxFractionSolventMask')
    return PostProcess(
        path=os.fspath(path), resolution=float(general['rlnFinalResolution'].iloc[0]),
        b_factor=_known(general, 'rlnBfactorUsedForSharpening'), mask=_text(general, 'rlnMaskName'),
        mask_fraction=MASK_SCALE / scaled if scaled else None,
        randomised_from=_known(general, 'rlnRandomiseFrom'),
        half_maps=(_text(general, 'rlnUnfilteredMapHalf1'), _text(general, 'rlnUnfilteredMapHalf2')),
        # rlnResolution has few digits; RELION writes 999 Å for shell 0
        frequency=np.where(shells['rlnSpectralIndex'] == 0, 0., 1. / shells['rlnAngstromResolution'].astype(float)),
        fsc={name: shells[label].to_numpy(dtype=float) for name, label in FSC_COLUMNS.items() if label in shells},
        guinier=_guinier(tables.get('guinier')), fit=_fit(general))


def _fit(general: pd.DataFrame) -> Optional[GuinierFit]:
    slope, intercept, correlation = (_known(general, label) for label in (
        'rlnFittedSlopeGuinierPlot', 'rlnFittedInterceptGuinierPlot', 'rlnCorrelationFitGuinierPlot'))
    return None if slope is None else GuinierFit(slope, intercept or 0., correlation or 0.)


def _guinier(table: Optional[pd.DataFrame]) -> Optional[Tuple[np.ndarray, Dict[str, np.ndarray]]]:
    if table is None or table.empty or 'rlnResolutionSquared' not in table:
        return None
    curves = {name: table[label].where(table[label] != NO_LOGARITHM).to_numpy(dtype=float)
              for name, label in GUINIER_COLUMNS.items() if label in table}
    # No straight line was fitted (no automatic B-factor): RELION writes zeros
    if not np.any(curves.get('fit', 0.)):
        curves.pop('fit', None)
    return table['rlnResolutionSquared'].to_numpy(dtype=float), curves


def _known(table: pd.DataFrame, label: str) -> Optional[float]:
    """The value; None where there is no such column, or RELION wrote 0 or no number for `nothing`."""
    value = float(table[label].iloc[0]) if label in table else 0.
    return value if math.isfinite(value) and value != 0 else None


def _text(table: pd.DataFrame, label: str) -> str:
    return str(table[label].iloc[0]) if label in table else ''
