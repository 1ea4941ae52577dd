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


@dataclass(frozen=True)
class PostProcess:
    """A postprocess.star.

    resolution: Å, where the corrected FSC falls below 0.143 (as RELION found it). b_factor: Å² used for sharpening,
    None where the map was not sharpened. mask_fraction: part of the box's voxels with a mask above 0.5. randomised_from: Å.
    frequency: 1/Å, one per Fourier shell, the last one is Nyquist. fsc: name of a curve -> its values.
    guinier: None, or the resolution squared (1/Å²) and, by name, ln(amplitude), nan where there is none.
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

    @property
    def nyquist(self) -> float:
        """The finest spacing that the voxels hold, Å."""
        return 1. / float(self.frequency[-1])

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
        guinier=_guinier(tables.get('guinier')))


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
