"""Tilt series as an importer gives them, for the tests of convert/."""
from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta.convert.series import append_record
from relionsta.sources.series import TiltSeriesRecord

from .convert_scene import new_file

PIXEL = 2.5
N = 5
DARK = 3  # row of the image that was left out of the alignment


def write_stack(path, shape=(N, 40, 64)):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(np.zeros(shape, dtype=np.float32))
        file.set_image_stack() if shape[0] == N else file.set_volume()
        file.voxel_size = PIXEL
    return Path(path)


def a_record(ts_id='TS_01', **changes):
    """Five images in tilt order, acquired from the middle outwards, the fourth dark, phase plate, axis 85 deg."""
    order = np.array([5, 3, 1, 2, 4])
    dose = np.array([3.0, 3.1, 3.2, 3.3, 3.4])
    before = np.array([dose[order < mine].sum() for mine in order])
    images = pd.DataFrame({
        'section': np.arange(1, N + 1), 'nominal_tilt': [-40.0, -20.0, 0.0, 20.0, 40.0], 'acquisition_order': order,
        'dose': dose, 'pre_exposure': before, 'aligned': np.arange(N) != DARK,
        'tilt': [-38.0, -18.0, 2.0, np.nan, 42.0], 'rot': [85.0, 85.1, 85.2, np.nan, 85.4],
        'x_shift_px': [1.5, -2.5, 3.5, np.nan, 5.5], 'y_shift_px': [-7.0, 8.0, 9.0, np.nan, -11.0],
        'defocus_u': [31000.0, 30500.0, 30000.0, 29500.0, 29000.0],
        'defocus_v': [30800.0, 30300.0, 29800.0, 29300.0, 28800.0], 'defocus_angle': [10.0, -30.0, 50.0, 60.0, 70.0],
        'phase_shift_deg': [80.0, 85.0, 90.0, 95.0, 100.0], 'ctf_cc': [0.1, 0.2, 0.3, 0.4, 0.5],
        'ctf_resolution': [9.0, 8.0, 7.0, 8.5, 9.5]})
    values = dict(ts_id=ts_id, stack=write_stack(ts_id + '.mrc'), pixel_size=PIXEL, image_size=(64, 40), n_raw=N,
                  images=images, voltage=300.0, cs=2.7, amplitude_contrast=0.07, tilt_axis=85.2, hand=-1,
                  hand_reason='test')
    values.update(changes)
    return TiltSeriesRecord(**values)


def new_sets():
    tilt_series = SetOfTiltSeries(filename=new_file('tiltseries'))
    ctfs = SetOfCTFTomoSeries(filename=new_file('ctfs'))
    ctfs.setSetOfTiltSeries(tilt_series)
    return tilt_series, ctfs


def imported(*records):
    tilt_series, ctfs = new_sets()
    for record in records or (a_record(),):
        append_record(record, tilt_series, ctfs)
    for items in (tilt_series, ctfs):
        items.write()
    return tilt_series, ctfs
