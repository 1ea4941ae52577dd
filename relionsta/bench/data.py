"""Files of the sizes that the benchmark asks for: particles and tilt series as RELION, and as AreTomo3, leaves them."""
from pathlib import Path
from typing import Dict, List, Tuple

import mrcfile
import numpy as np
import pandas as pd

from ..simulate.aretomo3 import aln_text, ctf_text, session_text, tlt_text
from ..simulate.parameters import SceneParameters
from ..simulate.project import alignment_columns, tomogram_columns
from ..simulate.scene import make_scene
from ..star import write_star

SERIES = 500
TILTS = 61
SCENE = SceneParameters(series=SERIES, particles=1, tilts=TILTS, tilt_step=2.0)
BOX = 64
BINNING = 4.0
PARTICLES = 'run_data.star'
TOMOGRAMS = 'tomograms.star'
OPTIMISATION_SET = 'optimisation_set.star'
ARETOMO3 = 'aretomo3'


def write_particles(folder: Path, n: int, series: Path) -> None:
    """run_data.star of a 3D auto-refine with n particles, 2D stacks of SERIES tilt series, and its optimisation set.

    series: the folder of their tilt series.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_star(folder / PARTICLES, {'general': {'rlnTomoSubTomosAre2DStacks': 1}, 'optics': _optics(),
                                    'particles': particles_table(n)})
    write_star(folder / OPTIMISATION_SET, {'': {'rlnTomoParticlesFile': str(folder / PARTICLES),
                                                'rlnTomoTomogramsFile': str(series / TOMOGRAMS)}})


def particles_table(n: int, seed: int = 5) -> pd.DataFrame:
    """n rows as a 3D auto-refine of RELION 5.1 writes them: tilt series by tilt series, as many of each; numbers with six
    decimals."""
    rng = np.random.default_rng(seed)
    number = np.arange(n)
    of_one = -(-n // SERIES)
    names = np.array(SCENE.series_names)[number // of_one]
    table = pd.DataFrame({'rlnTomoName': names})
    places = rng.uniform(-1, 1, (n, 3)) * np.array([800.0, 800.0, 250.0])
    for axis, values in zip('XYZ', places.T):
        table['rlnCenteredCoordinate%sAngst' % axis] = values.round(6)
    table['rlnOpticsGroup'] = 1
    table['rlnTomoParticleName'] = ['%s/%d' % pair for pair in zip(names, (number % of_one + 1).tolist())]
    frames = rng.random((16, TILTS)) > 0.05
    texts = np.array(['[%s]' % ','.join(map(str, row.astype(int))) for row in frames], dtype=object)
    table['rlnTomoVisibleFrames'] = texts[number % len(texts)]
    table['rlnImageName'] = ['Runs/000400_ProtStaExtract/extra/job001/Subtomograms/%s_stack2d.mrcs' % name
                             for name in table['rlnTomoParticleName']]
    for axis, values in zip('XYZ', rng.normal(0, 4, (3, n))):
        table['rlnOrigin%sAngst' % axis] = values.round(6)
    for name, low, high in (('Rot', -180, 180), ('Tilt', 0, 180), ('Psi', -180, 180)):
        table['rlnAngle%s' % name] = rng.uniform(low, high, n).round(6)
    table['rlnGroupNumber'] = number // of_one + 1
    table['rlnClassNumber'] = 1
    table['rlnNormCorrection'] = rng.uniform(0.9, 1.1, n).round(6)
    table['rlnRandomSubset'] = number % 2 + 1
    table['rlnLogLikeliContribution'] = rng.uniform(1e5, 2e5, n).round(6)
    table['rlnMaxValueProbDistribution'] = rng.random(n).round(6)
    table['rlnNrOfSignificantSamples'] = rng.integers(1, 300, n)
    # scipion-em-reliontomo writes these when it extracts, and RELION passes them on: then its particles have coordinates.
    for axis, values in zip('XYZ', places.T):
        table['sci%sCoord' % axis] = (values / SCENE.voxel).round(6)
    table['sciGroupId'] = 1
    return table


def _optics() -> Dict[str, object]:
    return {'rlnOpticsGroup': 1, 'rlnOpticsGroupName': 'opticsGroup1', 'rlnVoltage': SCENE.voltage,
            'rlnSphericalAberration': SCENE.spherical_aberration, 'rlnAmplitudeContrast': SCENE.amplitude_contrast,
            'rlnTomoTiltSeriesPixelSize': SCENE.pixel, 'rlnCtfDataAreCtfPremultiplied': 1,
            'rlnImageDimensionality': 2, 'rlnTomoSubtomogramBinning': BINNING,
            'rlnImagePixelSize': SCENE.pixel * BINNING, 'rlnImageSize': BOX}


def write_series(folder: Path) -> None:
    """tomograms.star and tilt-series STAR files of SERIES x TILTS images, and the same as text files of AreTomo3.

    The image files are there (RELION and AreTomo3 leave them beside), with a header and no data on the disk.
    """
    scene = make_scene(SCENE)
    aretomo3 = folder / ARETOMO3
    tilt_series = folder / 'tilt_series'
    for place in (aretomo3, tilt_series):
        place.mkdir(parents=True, exist_ok=True)
    for name, table in scene.tilt_series.items():
        stack = aretomo3 / (name + '.mrc')
        _blank(stack, (TILTS, SCENE.image_size[1], SCENE.image_size[0]), SCENE.pixel)
        size_x, size_y, size_z = SCENE.tomogram_size
        _blank(aretomo3 / (name + '_Vol.mrc'), tuple(n // SCENE.tomogram_binning for n in (size_z, size_y, size_x)),
               SCENE.voxel)
        for ending, text in (('.aln', aln_text(table, SCENE)), ('_CTF.txt', ctf_text(table, SCENE)),
                             ('_TLT.txt', tlt_text(table, SCENE))):
            (aretomo3 / (name + ending)).write_text(text)
        write_star(tilt_series / (name + '.star'), {name: alignment_columns(table, str(stack), SCENE.pixel)})
    (aretomo3 / 'AreTomo3_Session.json').write_text(session_text(SCENE))
    names: List[str] = list(scene.tilt_series)
    write_star(folder / TOMOGRAMS, {'global': tomogram_columns(SCENE, names, str(tilt_series))})


def _blank(path: Path, shape: Tuple[int, ...], pixel: float) -> None:
    """An MRC file of zeros (Z, Y, X; bytes) that takes no space: its data are a hole in the file."""
    with mrcfile.new_mmap(str(path), shape, mrc_mode=0, overwrite=True) as mrc:
        mrc.voxel_size = pixel
