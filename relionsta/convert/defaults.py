"""Values for columns that only some of the files to be merged have: what RELION takes where the column is absent.

A column that is not listed has no such value, and files that differ in it are refused by its name.
"""
from typing import Callable, Dict, Mapping, Optional, Union

import numpy as np
import pandas as pd

from .poses import ANGLES, ORIGINS, SUBTOMOGRAM_ANGLES

#: A value, or what makes a column of the rest of the row.
Default = Union[float, int, str, Callable[[pd.DataFrame], 'pd.Series[float]']]


def _same_as(label: str, otherwise: float = 0.0) -> Default:
    def column(table: pd.DataFrame) -> 'pd.Series[float]':
        return table[label] if label in table else pd.Series(otherwise, index=table.index)
    return column


PARTICLES: Mapping[str, Default] = {
    **dict.fromkeys([*ORIGINS, *ANGLES, *SUBTOMOGRAM_ANGLES], 0.0),
    # RELION takes the current angle for a prior that is not there.
    'rlnAngleRotPrior': _same_as('rlnAngleRot'), 'rlnAngleTiltPrior': _same_as('rlnAngleTilt'),
    'rlnAnglePsiPrior': _same_as('rlnAnglePsi'),
    'rlnClassNumber': 0, 'rlnNormCorrection': 1.0,
    # Results of a refinement: RELION writes 0 before the first.
    'rlnLogLikeliContribution': 0.0, 'rlnMaxValueProbDistribution': 0.0, 'rlnNrOfSignificantSamples': 0,
    'rlnAutopickFigureOfMerit': 0.0,
    'rlnCtfScalefactor': 1.0, 'rlnCtfBfactor': 0.0, 'rlnPhaseShift': 0.0, 'rlnBeamTiltX': 0.0, 'rlnBeamTiltY': 0.0,
    # Numbered anew.
    'rlnGroupNumber': 0}

OPTICS: Mapping[str, Default] = {
    'rlnCtfDataAreCtfPremultiplied': 0, 'rlnBeamTiltX': 0.0, 'rlnBeamTiltY': 0.0,
    'rlnMagMat00': 1.0, 'rlnMagMat01': 0.0, 'rlnMagMat10': 0.0, 'rlnMagMat11': 1.0,
    'rlnMicrographOriginalPixelSize': _same_as('rlnTomoTiltSeriesPixelSize')}

#: Volumes that a tomogram may have on disk; no job on particles reads them but 3D subtomos.
_VOLUMES = ('rlnTomoReconstructedTomogram', 'rlnTomoReconstructedTomogramHalf1', 'rlnTomoReconstructedTomogramHalf2',
            'rlnTomoDenoisedTomogram', 'rlnTomogramProjection', 'rlnTomogramProjectionHalf1',
            'rlnTomogramHProjectionalf2', 'rlnTomoFiducialsStarFile', 'rlnTomoEtomoDirectiveFile')
TOMOGRAMS: Mapping[str, Default] = {
    **dict.fromkeys(_VOLUMES, ''), 'rlnTomoDefocusSlope': 1.0, 'rlnCtfBfactorPerElectronDose': 0.0,
    'rlnMicrographOriginalPixelSize': _same_as('rlnTomoTiltSeriesPixelSize')}

_ZERNIKE = ('rlnEvenZernike', 'rlnOddZernike')


def fill(tables: Dict[str, pd.DataFrame], defaults: Mapping[str, Default]) -> Dict[str, str]:
    """Give each table, in place, the columns that only others have; returns those without a default: label -> the file
    that has it.

    tables: by file. Aberrations (Zernike coefficients) become zeros, as many as the other file has.
    """
    refused: Dict[str, str] = {}
    for label in dict.fromkeys(label for table in tables.values() for label in table.columns):
        having = next(path for path, table in tables.items() if label in table)
        default: Optional[Default] = defaults.get(label)
        if label in _ZERNIKE and defaults is OPTICS:
            default = _zeros_like(str(tables[having][label].iloc[0]))
        for table in tables.values():
            if label in table:
                continue
            if default is None:
                refused[label] = having
            else:
                table[label] = default(table) if callable(default) else default
    return refused


def _zeros_like(numbers: str) -> str:
    """[0.1,0.2] -> [0,0]"""
    return '[%s]' % ','.join(['0'] * int(np.size(numbers.split(','))))
