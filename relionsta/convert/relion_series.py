"""RELION's tomograms.star and tilt-series STAR files -> Scipion's tilt series and CTFs."""
from typing import Any, Hashable, List, Mapping, Optional, Tuple

import numpy as np
import pandas as pd
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta.star import require_columns
from relionsta.star.schemas import ALIGNMENT_COLUMNS, MICROSCOPE_COLUMNS, check_tilt_series

from .errors import ConvertError
from .marks import COEFFICIENTS, DEFORMATION_GRID, SCALE, deformations, set_hand
from .series import Further, Microscope, append_series, scipion_ts_id
from .tilt_tables import read_overview, tilt_tables

_CTF = {'rlnDefocusU': 'U', 'rlnDefocusV': 'V', 'rlnDefocusAngle': 'angle', 'rlnPhaseShift': 'phase',
        'rlnCtfFigureOfMerit': 'quality', 'rlnCtfMaxResolution': 'resolution'}
# Columns with these beginnings were found with the CTF, and mean nothing with another.
_OF_CTF = ('rlnCtf', 'rlnDefocus', 'rlnPhaseShift', 'rlnTomoDefocusSlope')
DOSE_PER_IMAGE = 'rlnTomoImportFractionalDose'
# What Scipion's sets hold themselves (or the marks of a transform), and files of RELION 4, which RELION 5 converts.
_HELD_OF_IMAGES = {'rlnMicrographName', 'rlnMicrographNameEven', 'rlnMicrographNameOdd', 'rlnMicrographPreExposure',
                   'rlnTomoXTilt', *ALIGNMENT_COLUMNS, COEFFICIENTS, *_CTF,
                   *('rlnTomoProj' + axis for axis in 'XYZW')}
_HELD_OF_TOMOGRAM = {'rlnTomoName', 'rlnTomoTiltSeriesStarFile', 'rlnTomoTiltSeriesName', 'rlnVoltage',
                     'rlnSphericalAberration', 'rlnAmplitudeContrast', 'rlnTomoHand', DOSE_PER_IMAGE, *DEFORMATION_GRID}
# A tomogram's volumes belong to a set of tomograms.
_OF_VOLUMES = ('rlnTomoReconstructedTomogram', 'rlnTomoTomogramBinning')


def read_tomograms_star(path: str, tilt_series: SetOfTiltSeries,
                        ctfs: Optional[SetOfCTFTomoSeries] = None) -> List[str]:
    """Append every tilt series of a tomograms.star, and its CTFs if ctfs is given; returns their tsIds.

    path, and the paths in it, relative to the working directory (RELION's project). Files of RELION 4 and Warp, with
    tilt series in the same file and projection matrices, are read as RELION 5 reads them. The dose of an image is the step
    of the pre-exposures, the order of acquisition that of the pre-exposures. The caller writes the sets. Raises
    StarError for files that lack the alignment (or, with ctfs, the defocus), ConvertError where two names give one
    tsId.
    """
    overview = read_overview(path)
    ts_ids = [scipion_ts_id(name) for name in overview['rlnTomoName']]
    if len(set(ts_ids)) < len(ts_ids):
        twice = next(ts_id for ts_id in ts_ids if ts_ids.count(ts_id) > 1)
        raise ConvertError('%s: two of its tomograms would have the tsId %s; rename one' % (path, twice))
    for ts_id, (row, table, file) in zip(ts_ids, tilt_tables(overview, path)):
        name = row['rlnTomoName']
        stack = row.get('rlnTomoTiltSeriesName')
        check_tilt_series(table, name, file, ctf=ctfs is not None, whole_stack=stack is not None)
        require_columns(table, ALIGNMENT_COLUMNS, file, name)
        voltage, cs, contrast, pixel = (float(row[label]) for label in MICROSCOPE_COLUMNS)
        microscope = Microscope(voltage, cs, contrast, pixel, _tilt_axis(table))
        append_series(ts_id, image_table(table, row), microscope, tilt_series, ctfs, row.get('rlnTomoHand'),
                      further_columns(table, row))
    hands = overview['rlnTomoHand'].unique() if 'rlnTomoHand' in overview else ()
    if ctfs is not None and len(hands) == 1:
        set_hand(ctfs, hands[0])
    return ts_ids


def _tilt_axis(table: pd.DataFrame) -> float:
    """Degrees, of the image with the smallest tilt."""
    return float(table['rlnTomoZRot'].iloc[int(table['rlnTomoYTilt'].abs().to_numpy().argmin())])


def image_table(table: pd.DataFrame, overview: Mapping[Hashable, Any]) -> pd.DataFrame:
    """The images of a tilt-series table as append_series takes them. overview: the tomogram's row of tomograms.star."""
    stack = overview.get('rlnTomoTiltSeriesName')
    exposure = table['rlnMicrographPreExposure'].to_numpy(dtype=np.float64)
    if stack is None:
        places = [_image_and_file(name) for name in table['rlnMicrographName']]
    else:
        places = [(row, _without_suffix(stack)) for row in range(1, len(table) + 1)]
    images = pd.DataFrame(places, columns=['index', 'file'])
    images['acq_order'] = exposure.argsort(kind='stable').argsort(kind='stable') + 1
    images['pre_exposure'] = exposure
    dose = float(overview.get(DOSE_PER_IMAGE) or 0)
    images['dose'] = dose if dose > 0 else (
        float(np.median(np.diff(np.sort(exposure)))) if len(exposure) > 1 else 0.0)
    images['enabled'] = True
    for label, column in (('rlnTomoYTilt', 'tilt'), ('rlnTomoZRot', 'z_rot'), ('rlnTomoXShiftAngst', 'x_shift'),
                          ('rlnTomoYShiftAngst', 'y_shift')):
        images[column] = table[label].to_numpy(dtype=np.float64)
    if 'rlnTomoXTilt' in table and (table['rlnTomoXTilt'] != 0).any():
        images['x_tilt'] = table['rlnTomoXTilt'].to_numpy(dtype=np.float64)
    bent = deformations(overview, table)
    if bent is not None:
        images['deformation'] = bent.to_numpy()
    for label, column in _CTF.items():
        # A fit that failed may have no resolution or score; the defocus has been checked.
        images[column] = pd.to_numeric(table[label], errors='coerce') if label in table else np.nan
    for label, column in (('rlnMicrographNameEven', 'even'), ('rlnMicrographNameOdd', 'odd')):
        if label in table:
            images[column] = [_image_and_file(name)[1] for name in table[label]]
    return images


def further_columns(table: pd.DataFrame, overview: Mapping[Hashable, Any]) -> Further:
    """What a tilt-series table, and the tomogram's row of tomograms.star, say beyond image_table."""
    left = table[[label for label in table if label not in _HELD_OF_IMAGES]]
    of_ctf = [label for label in left if label.startswith(_OF_CTF)]
    # RELION takes 1 where there is no scale, and the next job must too.
    ctfs = left[of_ctf] if SCALE in table else left[of_ctf].assign(**{SCALE: 1.0})
    return Further(left.drop(columns=of_ctf), ctfs, {
        label: value for label, value in overview.items()
        if label not in _HELD_OF_TOMOGRAM and not str(label).startswith(_OF_VOLUMES)})


def _image_and_file(name: str) -> Tuple[int, str]:
    """`n@stack:mrcs` -> (n, stack); a file of its own has index 0."""
    number, at, stack = name.rpartition('@')
    return (int(number), _without_suffix(stack)) if at else (0, name)


def _without_suffix(stack: str) -> str:
    return stack[:-len(':mrcs')] if stack.endswith(':mrcs') else stack
