"""Particles STAR files and sets made of them, for the tests of convert/."""
import numpy as np
import pandas as pd

from relionsta import geometry
from relionsta.convert.particles import read_particles, write_star_of_set
from relionsta.convert.poses import ANGLES, COORDINATES, ORIGINS, SUBTOMOGRAM_ANGLES
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star, write_star

from .convert_scene import random_rotations

PIXEL = 1.5


def write_particles(path='run_data.star', n=8, names=None, with_images=True, seed=3, **columns):
    """A particles STAR as Refine3D leaves it, with an unknown column."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({'rlnTomoName': ['TS_0%d' % (row % 2 + 1) for row in range(n)]})
    table['rlnTomoParticleName'] = names or ['TS_0%d/%d' % (row % 2 + 1, row) for row in range(n)]
    table[COORDINATES] = rng.uniform(-80, 80, (n, 3))
    table[ORIGINS] = rng.uniform(-5, 5, (n, 3))
    table[ANGLES] = geometry.matrix_to_euler(random_rotations(n, seed))
    table[SUBTOMOGRAM_ANGLES] = geometry.matrix_to_euler(random_rotations(n, seed + 1))
    table['rlnOpticsGroup'] = 1
    table['rlnRandomSubset'] = np.arange(n) % 2 + 1
    table['rlnClassNumber'] = np.arange(n) % 3 + 1
    table['rlnNormCorrection'] = rng.uniform(0.9, 1.1, n)
    table['rlnOurOwnColumn'] = ['x%d' % row for row in range(n)]
    if with_images:
        table['rlnImageName'] = ['job/%d_stack2d.mrcs' % row for row in range(n)]
        table['rlnTomoVisibleFrames'] = ['[1,0,1]'] * n
    for name, values in columns.items():
        table[name] = values
    optics = {'rlnOpticsGroup': 1, 'rlnOpticsGroupName': '007', 'rlnVoltage': 300.0, 'rlnSphericalAberration': 2.7,
              'rlnAmplitudeContrast': 0.1, 'rlnTomoTiltSeriesPixelSize': PIXEL, 'rlnImagePixelSize': 2.5 * PIXEL,
              'rlnImageSize': 32, 'rlnTomoSubtomogramBinning': 2.5, 'rlnImageDimensionality': 2}
    write_star(path, {'general': {'rlnTomoSubTomosAre2DStacks': 1}, 'optics': pd.DataFrame([optics]),
                      'particles': table})
    return read_star(path)['particles']


def read(path='run_data.star', coordinates=None, **arguments):
    particles = SetOfStaParticles.create('.', prefix=arguments.pop('prefix', 'particles'))
    read_particles(path, particles, coordinates, **arguments)
    particles.write()
    return particles


def written(particles, path='next.star'):
    write_star_of_set(particles, path)
    return read_star(path)['particles']
