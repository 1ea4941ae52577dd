"""Tilt series of other programs in Scipion: doses, orders, matrices and excluded images as other plugins need them."""
import os

import numpy as np
import pytest
from tomo.objects import SetOfTomograms
from tomo.utils import getCommonTsAndCtfElements

from relionsta.convert.errors import ConvertError
from relionsta.convert.series import append_record, append_tomogram

from .convert_records import DARK, PIXEL, N, a_record, imported, write_stack
from .convert_scene import new_file


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_images_in_scipion():
    """What other plugins read from the set: order, exclusive and inclusive dose, matrices, excluded views."""
    tilt_series, _ = imported()
    series = tilt_series.getFirstItem()
    assert (series.getTsId(), series.getSize(), series.getSamplingRate()) == ('TS_01', N, PIXEL)
    assert series.hasAlignment() and not series.interpolated() and series.getExcludedViewsIndex() == [DARK + 1]
    assert series.getAcquisition().getTiltAxisAngle() == 85.2 and series.getAcquisition().getVoltage() == 300
    np.testing.assert_allclose(series.getOrigin().getShifts(), [-32 * PIXEL, -20 * PIXEL, 0])
    record = a_record()
    for row, image in enumerate(series.iterItems()):
        truth = record.images.iloc[row]
        assert image.getLocation() == (row + 1, 'TS_01.mrc')
        assert image.getAcquisitionOrder() == truth['acquisition_order']
        acquisition = image.getAcquisition()
        assert acquisition.getDoseInitial() == pytest.approx(truth['pre_exposure'])
        assert acquisition.getAccumDose() == pytest.approx(truth['pre_exposure'] + truth['dose'])
        assert acquisition.getDosePerFrame() == pytest.approx(truth['dose'])
        assert image.isEnabled() == (row != DARK)
        if row == DARK:
            np.testing.assert_array_equal(image.getTransform().getMatrix(), np.eye(3))
            assert image.getTiltAngle() == 20
            continue
        assert image.getTiltAngle() == truth['tilt']
        # IMOD: aligned = A raw + D; the record: raw = R(rot) aligned + shift.
        angle = np.radians(truth['rot'])
        back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        matrix = image.getTransform().getMatrix()
        np.testing.assert_allclose(matrix[:2, :2], back, atol=1e-12)
        np.testing.assert_allclose(matrix[:2, 2], -back @ [truth['x_shift_px'], truth['y_shift_px']], atol=1e-12)


def test_ctfs_in_scipion():
    """Other plugins match CTFs to images by acquisition order; the dark image has none."""
    tilt_series, ctfs = imported()
    series, ctf_series = tilt_series.getFirstItem(), ctfs.getFirstItem()
    assert getCommonTsAndCtfElements(series, ctf_series) == {1, 3, 4, 5}
    found = [ctf.clone() for ctf in ctf_series.iterItems()]
    assert [ctf.getAcquisitionOrder() for ctf in found] == [5, 3, 1, 2, 4]
    assert [ctf.isEnabled() for ctf in found] == [row != DARK for row in range(N)]
    assert [ctf.getDefocusAngle() for ctf in found] == [10, 150, 50, 60, 70]  # Scipion: 0 to 180
    assert [ctf.getPhaseShift() for ctf in found] == [80, 85, 90, 95, 100]


def test_names_that_scipion_cannot_spell():
    """A tsId names a table in SQLite: 007 or a-b must not end in an SQL error."""
    tilt_series, _ = imported(a_record('007'), a_record('a-b'))
    assert sorted(tilt_series.getTSIds()) == ['TS_007', 'a_b']


def test_one_pixel_size_per_set():
    """A Scipion set has one pixel size and would give it to every series without a word."""
    tilt_series, ctfs = imported()
    with pytest.raises(ConvertError, match='2.6000 Å per pixel, the others of the set 2.5000'):
        append_record(a_record('TS_02', pixel_size=2.6), tilt_series, ctfs)


def test_tomogram_of_a_record():
    """Centred, with its halves and acquisition; other axes than RELION's are refused."""
    tomograms = SetOfTomograms(filename=new_file('tomograms'))
    parts = {name: write_stack(name, (10, 24, 20)) for name in ('v.mrc', 'e.mrc', 'o.mrc')}
    record = a_record(tomogram=parts['v.mrc'], even_tomogram=parts['e.mrc'], odd_tomogram=parts['o.mrc'],
                      voxel_size=10.0, tomogram_size=(20, 24, 10), flip_vol=1)
    append_tomogram(record, tomograms)
    tomograms.write()
    tomogram = tomograms.getFirstItem()
    assert (tomogram.getTsId(), tomogram.getSamplingRate(), tomogram.getDim()) == ('TS_01', 10.0, (20, 24, 10))
    np.testing.assert_allclose(tomogram.getOrigin().getShifts(), [-100, -120, -50])
    assert tomogram.getHalfMaps() == 'e.mrc,o.mrc' and tomogram.getAcquisition().getAngleMax() == 42
    with pytest.raises(ConvertError, match='FlipVol 0'):
        append_tomogram(a_record(tomogram=parts['v.mrc'], voxel_size=10.0, flip_vol=0), tomograms)
    os.remove('v.mrc')
    with pytest.raises(ConvertError, match='v.mrc is not there'):
        append_tomogram(record, tomograms)
