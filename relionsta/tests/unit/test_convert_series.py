"""Tilt series: a record or RELION's files -> Scipion -> RELION's files, doses, orders and excluded images kept."""
import os
from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd
import pytest
from pwem.objects import Transform
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms
from tomo.utils import getCommonTsAndCtfElements

from relionsta.convert.errors import ConvertError
from relionsta.convert.relion_series import read_tomograms_star
from relionsta.convert.series import append_record, append_tomogram
from relionsta.convert.tilt_series import tomogram_tables, write_tomograms_star
from relionsta.sources.series import TiltSeriesRecord
from relionsta.star import StarError, read_star
from relionsta.star.schemas import check_tomograms
from relionsta.tests.find import shared_data

from .convert_scene import make_tomograms, new_file

PIXEL = 2.5
N = 5
DARK = 3  # row of the image that was left out of the alignment


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


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


def read_back(path):
    overview = read_star(path)['global']
    return overview, {name: read_star(file)[name] for name, file in zip(overview['rlnTomoName'],
                                                                       overview['rlnTomoTiltSeriesStarFile'])}


def test_relion_gets_the_record_back():
    """Everything that RELION aligns and weights by, after the way through Scipion; the dark image never goes out."""
    tilt_series, ctfs = imported()
    path = write_tomograms_star('job000', tilt_series, ctfs, make_tomograms(['TS_01'], size=(20, 33, 11)))
    assert path == 'job000/tomograms.star'
    overview, series = read_back(path)
    check_tomograms(overview)
    row = overview.iloc[0]
    assert row['rlnTomoTiltSeriesStarFile'] == 'job000/tilt_series/TS_01.star'
    assert (row['rlnTomoHand'], row['rlnTomoTiltSeriesPixelSize'], row['rlnOpticsGroupName']) == (
        -1, PIXEL, 'opticsGroup1')
    assert list(row[['rlnTomoSizeX', 'rlnTomoSizeY', 'rlnTomoSizeZ']]) == [80, 132, 44]
    assert row['rlnTomoTomogramBinning'] == 4 and row['rlnTomoReconstructedTomogram'] == 'TS_01.mrc'
    images, truth = series['TS_01'], a_record().images.drop(index=DARK).reset_index(drop=True)
    assert list(images['rlnMicrographName']) == ['%d@TS_01.mrc:mrcs' % n for n in (1, 2, 3, 5)]
    for label, expected in (('rlnTomoYTilt', truth['tilt']), ('rlnTomoZRot', truth['rot']),
                            ('rlnTomoXShiftAngst', truth['x_shift_px'] * PIXEL),
                            ('rlnTomoYShiftAngst', truth['y_shift_px'] * PIXEL), ('rlnTomoXTilt', 0 * truth['tilt']),
                            ('rlnMicrographPreExposure', truth['pre_exposure']), ('rlnDefocusU', truth['defocus_u']),
                            ('rlnDefocusV', truth['defocus_v']), ('rlnDefocusAngle', truth['defocus_angle'] % 180),
                            ('rlnPhaseShift', truth['phase_shift_deg']), ('rlnCtfFigureOfMerit', truth['ctf_cc']),
                            ('rlnCtfMaxResolution', truth['ctf_resolution']),
                            ('rlnCtfScalefactor', np.cos(np.radians(truth['tilt'])))):
        np.testing.assert_allclose(images[label], expected, atol=1e-9, err_msg=label)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    """Files that differ from run to run cannot be compared."""
    tilt_series, ctfs = imported()
    names = ('tomograms.star', 'tilt_series/TS_01.star')
    texts = []
    for _ in range(2):
        write_tomograms_star('job000', tilt_series, ctfs)
        texts.append([(tmp_path / 'job000' / name).read_bytes() for name in names])
    assert texts[0] == texts[1]


def test_no_phase_column_without_a_phase_plate():
    """A column of zeros says nothing; a missing column with a phase plate would be a wrong CTF."""
    record = a_record()
    images = tomogram_tables(*imported(a_record(images=record.images.assign(phase_shift_deg=0.0)))).tilt_series
    assert 'rlnPhaseShift' not in images['TS_01']


def test_even_and_odd_stacks():
    """Scipion keeps [odd, even]; exchanged halves would go unnoticed."""
    tilt_series, ctfs = imported(a_record(even_stack=Path('E.mrc'), odd_stack=Path('O.mrc')))
    images = tomogram_tables(tilt_series, ctfs).tilt_series['TS_01']
    assert list(images['rlnMicrographNameEven'])[:2] == ['1@E.mrc:mrcs', '2@E.mrc:mrcs']
    assert list(images['rlnMicrographNameOdd'])[3] == '5@O.mrc:mrcs'


def edit_series(tilt_series, change, name='edited'):
    """A copy as other plugins make it, with `change(series, image)` applied to every image."""
    edited = SetOfTiltSeries(filename=new_file(name))
    edited.copyInfo(tilt_series)
    edited.copyItems(tilt_series, updateTiCallback=lambda j, ts, ti, new_ts, new_ti: change(new_ts, new_ti))
    edited.write()
    return edited


def test_images_and_ctfs_are_matched_and_both_must_be_enabled():
    """An image excluded in Scipion stays out, and each image gets its own defocus although rows are missing."""
    tilt_series, ctfs = imported()

    def exclude_the_third(series, image):
        if image.getAcquisitionOrder() == 1:
            image.setEnabled(False)

    edited = edit_series(tilt_series, exclude_the_third)
    fewer = SetOfCTFTomoSeries(filename=new_file('ctfs'))
    fewer.setSetOfTiltSeries(edited)
    for series in ctfs.iterItems():
        new = series.clone()
        fewer.append(new)
        for ctf in reversed([ctf.clone() for ctf in series.iterItems()]):
            ctf.cleanObjId()
            if ctf.getAcquisitionOrder() != 5:
                new.append(ctf)
        fewer.update(new)
    fewer.write()
    images = tomogram_tables(edited, fewer).tilt_series['TS_01']
    assert list(images['rlnMicrographName']) == ['2@TS_01.mrc:mrcs', '5@TS_01.mrc:mrcs']
    assert list(images['rlnDefocusU']) == [30500, 29000]


def test_ctfs_without_acquisition_order_are_matched_by_index():
    """CTFs of older plugins know the index only."""
    tilt_series, ctfs = imported()
    old = SetOfCTFTomoSeries(filename=new_file('ctfs'))
    old.setSetOfTiltSeries(tilt_series)
    for series in ctfs.iterItems():
        new = series.clone()
        old.append(new)
        for ctf in series.iterItems():
            copy = ctf.clone()
            copy.setAcquisitionOrder(None)
            new.append(copy)
        old.update(new)
    images = tomogram_tables(tilt_series, old).tilt_series['TS_01']
    assert list(images['rlnDefocusU']) == [31000, 30500, 30000, 29000]


def test_optics_groups_by_microscope():
    """Two series of one microscope share a group; another voltage makes another."""
    tilt_series, ctfs = imported(a_record('TS_01'), a_record('TS_02', voltage=200.0), a_record('TS_03'))
    overview = tomogram_tables(tilt_series, ctfs).tomograms
    assert list(overview['rlnOpticsGroupName']) == ['opticsGroup1', 'opticsGroup2', 'opticsGroup1']
    chosen = tomogram_tables(tilt_series, ctfs, ts_ids=['TS_03', 'TS_02'])
    assert list(chosen.tomograms['rlnTomoName']) == ['TS_02', 'TS_03'] == list(chosen.tilt_series)


def test_sizes_without_tomograms():
    """X and Y change places where the tilt axis is near X; only the centre matters, and sizes must be even."""
    tilt_series, ctfs = imported()
    row = tomogram_tables(tilt_series, ctfs).tomograms.iloc[0]
    assert list(row[['rlnTomoSizeX', 'rlnTomoSizeY', 'rlnTomoSizeZ']]) == [40, 64, 20]


def test_a_shifted_volume_is_not_offered():
    """RELION would cut real subtomograms from the wrong place of a volume that is not centred on the specimen."""
    tilt_series, ctfs = imported()
    tomograms = make_tomograms(['TS_01'], origins={'TS_01': (-100, -120, 156)})
    assert 'rlnTomoReconstructedTomogram' not in tomogram_tables(tilt_series, ctfs, tomograms).tomograms


def test_what_relion_cannot_use_is_refused():
    """Each of these ran to the end in RELION, or in other converters, with a wrong map."""
    tilt_series, ctfs = imported()

    def refused(message, series=tilt_series, kind=ConvertError, **arguments):
        with pytest.raises(kind, match=message):
            tomogram_tables(series, ctfs, **arguments)

    refused('TS_09 is not there; there are: TS_01', ts_ids=['TS_01', 'TS_09'])
    refused('TS_01 has no tomogram', tomograms=make_tomograms(['TS_02']))
    refused('is interpolated', edit_series(tilt_series, lambda series, image: series.setInterpolated(True)))
    refused('has no alignment', edit_series(tilt_series, lambda series, image: image.setTransform(None)))
    refused('not a rotation', edit_series(
        tilt_series, lambda series, image: image.setTransform(Transform(np.diag([1.0, -1, 1])))))
    refused('convert the stack to MRC', edit_series(tilt_series, lambda series, image: image.setFileName('a.tif')))
    refused('rlnMicrographPreExposure', edit_series(
        tilt_series, lambda series, image: image.getAcquisition().setDoseInitial(0)), kind=StarError)
    refused('dose before each image is not known', edit_series(
        tilt_series, lambda series, image: image.getAcquisition().setDoseInitial(None)))
    two, _ = imported(a_record('TS_01'), a_record('TS_02'))
    refused('TS_02 has no CTF', two)


def test_stack_names():
    """RELION knows a stack by its end only; MRC stacks of any name get the one that it knows."""
    tilt_series, ctfs = imported()
    tomograms = make_tomograms(['TS_01'])
    for given, expected in (('a.st', '1@a.st:mrcs'), ('a.mrcs', '1@a.mrcs:mrcs'), ('a.mrc:mrcs', '1@a.mrc:mrcs'),
                            ('a.mrc:mrc', '1@a.mrc:mrcs')):
        edited = edit_series(tilt_series, lambda series, image, name=given: image.setFileName(name))
        assert tomogram_tables(edited, ctfs, tomograms).tilt_series['TS_01']['rlnMicrographName'][0] == expected


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


def astigmatism(images):
    """What the CTF depends on: Scipion puts the larger defocus first and turns the angle with it, RELION does not."""
    u, v, angle = (images[label].to_numpy(dtype=float) for label in ('rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle'))
    return np.stack([u + v, (u - v) * np.cos(np.radians(2 * angle)), (u - v) * np.sin(np.radians(2 * angle))])


def test_relion_project_to_scipion_and_back(monkeypatch, tmp_path):
    """RELION's own project: what goes into Scipion comes out again, every tilt series, image and number."""
    project = shared_data('relion5-hiv-project')
    names = ['TS_01', 'TS_03', 'TS_43', 'TS_45', 'TS_54']
    # Volumes of the same extent as in this project: 4000 x 4000 x 2000 tilt-series pixels of 1.35 Å.
    tomograms = make_tomograms(names, size=(4, 4, 2), voxel=1350.0)
    tilt_series = SetOfTiltSeries(filename=str(tmp_path / 'series.sqlite'))
    ctfs = SetOfCTFTomoSeries(filename=str(tmp_path / 'ctfs.sqlite'))
    ctfs.setSetOfTiltSeries(tilt_series)
    monkeypatch.chdir(project)
    assert read_tomograms_star('CtfRefine/job027/tomograms.star', tilt_series, ctfs) == names
    overview, before = read_back('CtfRefine/job027/tomograms.star')
    for items in (tilt_series, ctfs):
        items.write()
    monkeypatch.chdir(tmp_path)
    after_overview, after = read_back(write_tomograms_star('job000', tilt_series, ctfs, tomograms))
    same = ['rlnTomoName', 'rlnVoltage', 'rlnSphericalAberration', 'rlnAmplitudeContrast', 'rlnTomoTiltSeriesPixelSize',
            'rlnTomoHand', 'rlnTomoSizeX', 'rlnTomoSizeY', 'rlnTomoSizeZ']
    pd.testing.assert_frame_equal(after_overview[same], overview[same], check_dtype=False)
    numbers = ['rlnMicrographPreExposure', 'rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst',
               'rlnTomoYShiftAngst', 'rlnCtfMaxResolution']
    for name in names:
        assert list(after[name]['rlnMicrographName']) == list(before[name]['rlnMicrographName'])
        pd.testing.assert_frame_equal(after[name][numbers], before[name][numbers], check_dtype=False, atol=1e-9)
        np.testing.assert_allclose(astigmatism(after[name]), astigmatism(before[name]), atol=1e-6)
    orders = [image.getAcquisitionOrder() for image in tilt_series.getFirstItem().iterItems()]
    assert sorted(orders) == list(range(1, len(orders) + 1))
