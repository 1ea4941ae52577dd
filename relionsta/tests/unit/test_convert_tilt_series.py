"""Scipion's tilt series and CTFs in RELION's files: each image with its own alignment, dose and defocus."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pwem.objects import Transform
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta.convert.errors import ConvertError
from relionsta.convert.relion_series import read_tomograms_star
from relionsta.convert.tilt_series import tomogram_tables, write_tomograms_star
from relionsta.star import StarError, read_star
from relionsta.star.schemas import check_tomograms
from relionsta.tests.find import shared_data

from .convert_records import DARK, PIXEL, a_record, imported
from .convert_scene import make_tomograms, new_file


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


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
