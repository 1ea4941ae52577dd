"""Tilt series as RELION 4 and Warp keep them: within tomograms.star, with projection matrices."""
import numpy as np
import pandas as pd
import pytest
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta import geometry
from relionsta.convert.relion_series import read_tomograms_star
from relionsta.star import StarError, read_star, write_star

from .make_aretomo3 import write_mrc

PIXEL, IMAGE, TOMOGRAM, N = 2.5, (30, 21), (34, 26, 13), 5


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make_angles(seed=1):
    random = np.random.default_rng(seed)
    return pd.DataFrame({
        'rlnTomoXTilt': random.uniform(-9, 9, N), 'rlnTomoYTilt': np.linspace(-60, 60, N),
        'rlnTomoZRot': random.uniform(-180, 180, N), 'rlnTomoXShiftAngst': random.uniform(-50, 50, N),
        'rlnTomoYShiftAngst': random.uniform(-50, 50, N)})


def write_old(path='tomograms.star', angles=None, stack='x.mrc:mrcs', **overview):
    """A tomograms.star of RELION 4 with one tilt series, and its stack; returns the block of the tilt series."""
    write_mrc('x.mrc', (*IMAGE, N), PIXEL)
    P = geometry.tilt_series_projections(make_angles() if angles is None else angles, PIXEL, IMAGE, TOMOGRAM)
    table = pd.DataFrame({'rlnMicrographPreExposure': 3.0 * np.arange(N), 'rlnDefocusU': 20000.0 + np.arange(N),
                          'rlnDefocusV': 19000.0, 'rlnDefocusAngle': 30.0})
    for row, axis in enumerate('XYZW'):
        table['rlnTomoProj' + axis] = ['[%s]' % ','.join('%.9g' % value for value in line) for line in P[:, row]]
    tomogram = {'rlnTomoName': 'TS_1.tomostar', 'rlnTomoTiltSeriesName': stack, 'rlnTomoFrameCount': N,
                'rlnTomoTiltSeriesPixelSize': PIXEL, 'rlnVoltage': 300.0, 'rlnSphericalAberration': 2.7,
                'rlnAmplitudeContrast': 0.07, 'rlnTomoHand': -1.0,
                **dict(zip(('rlnTomoSizeX', 'rlnTomoSizeY', 'rlnTomoSizeZ'), TOMOGRAM)), **overview}
    write_star(path, {'global': pd.DataFrame([tomogram]), 'TS_1.tomostar': table})
    return table


def change(**columns):
    blocks = read_star('tomograms.star')
    for block in blocks.values():
        for label in columns.keys() & set(block):
            block[label] = columns[label]
    write_star('tomograms.star', blocks)


def read():
    series, ctfs = SetOfTiltSeries(filename='series.sqlite'), SetOfCTFTomoSeries(filename='ctfs.sqlite')
    ctfs.setSetOfTiltSeries(series)
    assert read_tomograms_star('tomograms.star', series, ctfs) == ['TS_1']
    return [image.clone() for image in series.getFirstItem().iterItems()]


def test_matrices_become_angles_and_shifts():
    """Prevents an alignment of RELION 4 or Warp that arrives turned, shifted or without its X-tilt (odd sizes too)."""
    angles = make_angles()
    write_old()
    images = read()
    transforms = np.array([image.getTransform().getMatrix() for image in images])
    z_rot, x_shift, y_shift = geometry.tilt_from_transform(transforms, PIXEL)
    np.testing.assert_allclose([image.getTiltAngle() for image in images], angles['rlnTomoYTilt'], atol=1e-5)
    np.testing.assert_allclose([image.getTransform()._xTilt.get() for image in images], angles['rlnTomoXTilt'], atol=1e-5)
    np.testing.assert_allclose(z_rot, angles['rlnTomoZRot'], atol=1e-5)
    np.testing.assert_allclose(np.stack([x_shift, y_shift], axis=1),
                               angles[['rlnTomoXShiftAngst', 'rlnTomoYShiftAngst']], atol=1e-4)
    assert [image.getLocation() for image in images] == [(number, 'x.mrc') for number in range(1, N + 1)]


def test_angles_within_tomograms_star():
    """Prevents the refusal of a file whose tilt series are in it, with RELION 5's own columns."""
    angles = make_angles()
    table = write_old()
    blocks = read_star('tomograms.star')
    blocks['TS_1.tomostar'] = pd.concat([table.drop(columns=['rlnTomoProj' + axis for axis in 'XYZW']), angles], axis=1)
    write_star('tomograms.star', blocks)
    np.testing.assert_allclose([image.getTiltAngle() for image in read()], angles['rlnTomoYTilt'], atol=1e-5)


@pytest.mark.parametrize('columns, reason', [
    ({'rlnTomoProjX': '[1,0,0]'}, r'rlnTomoProjX is \[1,0,0\] in row 1; it must be four numbers'),
    ({'rlnTomoProjY': '[0,1,x,0]'}, 'rlnTomoProjY is .* in row 1; it must be four numbers'),
    ({'rlnTomoProjW': '[0,0,0,nan]'}, 'rlnTomoProjW is .* in row 1; it must be four numbers'),
    ({'rlnTomoProjX': '[9,0,0,12]'}, 'the projection matrix of tilt image 1 is not a rotation'),
    ({'rlnTomoProjX': '[1,0,0,0]', 'rlnTomoProjY': '[0,1,0,0]'}, 'hold no shifts, as WarpTools writes them'),
    ({'rlnTomoTiltSeriesName': 'gone.mrc'}, 'gone.mrc: this file is missing. The size of the images is needed'),
    ({'rlnTomoName': 'TS_2'}, r'tomogram TS_2 has neither a file with its tilt series \(column '
                              r'rlnTomoTiltSeriesStarFile\) nor a block data_TS_2')])
def test_what_gives_no_alignment_is_refused(columns, reason):
    """Prevents tilt series that are read without a word and whose particles lie anywhere."""
    write_old()
    change(**columns)
    with pytest.raises(StarError, match=reason):
        read()
