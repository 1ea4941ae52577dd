"""What a set of particles knows as a whole, from the general and optics tables of its STAR file."""
import logging
from typing import Dict

import pandas as pd

from relionsta.objects import NO_IMAGES, PSEUDO_SUBTOMOS, REAL_SUBTOMOS, STACKS_2D, SetOfStaParticles
from relionsta.star import require_columns
from relionsta.star.checks import check_not_empty, check_numbers
from relionsta.star.schemas import IMAGE_OPTICS_COLUMNS, MICROSCOPE_COLUMNS

logger = logging.getLogger(__name__)


def set_info(particles: SetOfStaParticles, blocks: Dict[str, pd.DataFrame], path: str) -> None:
    """What the set as a whole knows, from the optics table; of several groups, the first."""
    optics = blocks['optics']
    require_columns(optics, ['rlnOpticsGroup', 'rlnTomoTiltSeriesPixelSize'], path, 'optics')
    check_not_empty(optics, path, 'optics')
    check_numbers(optics, ['rlnOpticsGroup', *MICROSCOPE_COLUMNS, *IMAGE_OPTICS_COLUMNS], path, 'optics')
    first = optics.iloc[0]
    tilt_pixel = float(first['rlnTomoTiltSeriesPixelSize'])
    pixel = float(first.get('rlnImagePixelSize', tilt_pixel))
    if 'rlnImagePixelSize' in optics and optics['rlnImagePixelSize'].nunique() > 1:
        logger.warning('%s: its optics groups have different pixel sizes (%s Å); the set shows the first', path,
                       ', '.join(map(str, optics['rlnImagePixelSize'].unique())))
    particles.setSamplingRate(pixel)
    particles.setTiltSeriesPixelSize(tilt_pixel)
    particles.setParticleBinning(float(first.get('rlnTomoSubtomogramBinning', pixel / tilt_pixel)))
    particles.setKind(_kind(blocks, path))
    if particles.getKind() != NO_IMAGES and 'rlnImageSize' in optics:
        particles.setBoxSize(int(first['rlnImageSize']))
    acquisition = particles.getAcquisition()
    for label, assign in (('rlnVoltage', acquisition.setVoltage), ('rlnSphericalAberration',
                          acquisition.setSphericalAberration), ('rlnAmplitudeContrast',
                          acquisition.setAmplitudeContrast)):
        if label in optics:
            assign(float(first[label]))


def _kind(blocks: Dict[str, pd.DataFrame], path: str) -> str:
    table = blocks['particles']
    if 'rlnImageName' not in table:
        return NO_IMAGES
    general = blocks.get('general', pd.DataFrame())
    flag = general['rlnTomoSubTomosAre2DStacks'].iloc[0] if 'rlnTomoSubTomosAre2DStacks' in general else 0
    if int(flag) == 1:
        return STACKS_2D
    # A weights volume belongs to pseudo-subtomograms; real ones have a CTF volume.
    require_columns(table, ['rlnCtfImage'], path, 'particles')
    weights = table['rlnCtfImage'].str.endswith('_weights.mrc')
    return PSEUDO_SUBTOMOS if weights.all() else REAL_SUBTOMOS
