"""tomograms.star files and their tilt series for the tests of convert/."""
import os

import numpy as np
import pandas as pd

from relionsta.star import read_star, write_star

from .convert_particle_files import PIXEL

TILTS = 3


def write_tomograms(path, names, folder):
    """Write a tomograms.star, and its tilt series in `folder`; returns its path."""
    os.makedirs(folder, exist_ok=True)
    rows = []
    for name in names:
        file = '%s/%s.star' % (folder, name)
        write_star(file, {name: pd.DataFrame({
            'rlnMicrographName': ['%d@stacks/%s.mrc:mrcs' % (number, name) for number in range(1, TILTS + 1)],
            'rlnMicrographPreExposure': 3.0 * np.arange(TILTS), 'rlnTomoYTilt': 0.0})})
        rows.append({'rlnTomoName': name, 'rlnTomoTiltSeriesStarFile': file, 'rlnVoltage': 300.0,
                     'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': 0.1, 'rlnTomoTiltSeriesPixelSize': PIXEL,
                     'rlnTomoHand': -1.0, 'rlnTomoSizeX': 100, 'rlnTomoSizeY': 100, 'rlnTomoSizeZ': 50,
                     'rlnOpticsGroupName': '007'})
    write_star(path, {'global': pd.DataFrame(rows)})
    return path


def change_block(path, block, table=None, **columns):
    """Give a block of a STAR file these columns, or this table in place of its own."""
    blocks = read_star(path)
    if table is not None:
        blocks[block] = table
    for name, values in columns.items():
        blocks[block][name] = values
    write_star(path, blocks)
