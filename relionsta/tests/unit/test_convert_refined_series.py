"""Tilt series that RELION has refined, on their way through Scipion's sets and back."""
import os

import mrcfile
import numpy as np
import pandas as pd
import pytest
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta.convert.errors import ConvertError
from relionsta.convert.marks import remembered_columns, remembered_hand
from relionsta.convert.refined_series import comes_from, copy_ctfs, copy_tilt_series, read_refined
from relionsta.convert.relion_series import read_tomograms_star
from relionsta.convert.tilt_series import tomogram_tables, write_tomograms_star
from relionsta.star import read_star, write_star
from relionsta.tests.unit.convert_scene import new_file

NAMES, TILTS, PIXEL = ('TS_01', 'TS_02'), 5, 2.0
GRID = {'rlnTomoDeformationGridSizeX': 2, 'rlnTomoDeformationGridSizeY': 2, 'rlnTomoDeformationType': 'spline'}
ALIGNMENT = ['rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst']


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_scene(folder='job000', seed=1, hand=1, refined=False):
    """A tomograms.star of two tilt series; refined: with all that RELION may add."""
    random = np.random.default_rng(seed)
    os.makedirs(folder, exist_ok=True)
    rows = []
    for name in NAMES:
        if not os.path.exists(name + '.mrc'):
            with mrcfile.new(name + '.mrc') as file:
                file.set_data(np.zeros((TILTS, 8, 10), dtype=np.float32))
        tilts = np.linspace(-30, 30, TILTS)
        table = pd.DataFrame({
            'rlnMicrographName': ['%d@%s.mrc:mrcs' % (number, name) for number in range(1, TILTS + 1)],
            'rlnMicrographPreExposure': np.abs(tilts) + (tilts < 0), 'rlnTomoNominalStageTiltAngle': tilts,
            'rlnTomoXTilt': random.normal(size=TILTS) if refined else 0.0, 'rlnTomoYTilt': tilts + random.normal(size=TILTS),
            'rlnTomoZRot': 85 + random.normal(size=TILTS), 'rlnTomoXShiftAngst': random.normal(size=TILTS) * 20,
            'rlnTomoYShiftAngst': random.normal(size=TILTS) * 20, 'rlnDefocusU': random.uniform(2e4, 3e4, TILTS),
            'rlnDefocusV': random.uniform(1e4, 2e4, TILTS), 'rlnDefocusAngle': random.uniform(0, 180, TILTS),
            'rlnCtfScalefactor': random.uniform(0.2, 1.2, TILTS)})
        if refined:
            table['rlnTomoDeformationCoefficients'] = ['[%g,%g]' % tuple(random.normal(size=2)) for _ in range(TILTS)]
        write_star('%s/%s.star' % (folder, name), {name: table})
        rows.append({'rlnTomoName': name, 'rlnTomoTiltSeriesStarFile': '%s/%s.star' % (folder, name), 'rlnVoltage': 300.0,
                     'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': 0.1, 'rlnTomoTiltSeriesPixelSize': PIXEL,
                     'rlnTomoHand': hand, 'rlnTomoSizeX': 10, 'rlnTomoSizeY': 8, 'rlnTomoSizeZ': 6,
                     **(GRID if refined else {})})
    path = folder + '/tomograms.star'
    write_star(path, {'global': pd.DataFrame(rows)})
    return path


def empty_sets():
    return (SetOfTiltSeries(filename=new_file('tiltseries')), SetOfCTFTomoSeries(filename=new_file('ctfs')))


def read_sets(path):
    """Scipion's sets of a tomograms.star."""
    series, ctfs = empty_sets()
    read_tomograms_star(path, series, ctfs)
    series.write()
    ctfs.setSetOfTiltSeries(series)
    ctfs.write()
    return series, ctfs


def series_of(items, ts_id):
    """The tilt series, or CTFs, with this tsId, as a copy."""
    return next(one.clone() for one in items.iterItems() if one.getTsId() == ts_id)


def disable(series, index):
    """A copy of a set in which one image of each series is left out."""
    copy = SetOfTiltSeries(filename=new_file('tiltseries'))
    copy.copyInfo(series)
    for one in series.iterItems():
        new = one.clone(ignoreAttrs=['_mapperPath', '_size'])
        copy.append(new)
        for image in one.iterItems():
            image = image.clone()
            image.setEnabled(image.getIndex() != index)
            new.append(image)
        copy.update(new)
    copy.write()
    return copy


def check_tables(tables, path):
    """What was written from sets must be what the file says."""
    for name in NAMES:
        wanted = read_star(os.path.join(os.path.dirname(path), name + '.star'))[name]
        ours = tables.tilt_series[name]
        assert list(ours['rlnMicrographName']) == list(wanted['rlnMicrographName'])
        for label in ALIGNMENT + ['rlnCtfScalefactor', 'rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle']:
            np.testing.assert_allclose(ours[label], wanted[label], rtol=1e-9, atol=1e-6, err_msg=label)
        if 'rlnTomoDeformationCoefficients' in wanted:
            assert list(ours['rlnTomoDeformationCoefficients']) == list(wanted['rlnTomoDeformationCoefficients'])


def test_all_that_relion_refines_survives_a_round_trip():
    """X tilt, contrast scale, deformations and handedness have no place in Scipion; losing one undoes a refinement."""
    path = write_scene(refined=True)
    series, ctfs = read_sets(path)
    tables = tomogram_tables(series, ctfs)
    check_tables(tables, path)
    assert set(tables.tomograms['rlnTomoHand']) == {1}
    for label, value in GRID.items():
        assert list(tables.tomograms[label]) == [value] * len(NAMES)


def test_scipions_own_subsets_keep_what_relion_refined():
    """Its subset code copies known attributes of CTFs only, and forgets what a set was told."""
    path = write_scene(refined=True)
    series, ctfs = read_sets(path)
    few_series, few_ctfs = empty_sets()
    for few, whole in ((few_series, series), (few_ctfs, ctfs)):
        few.copyInfo(whole)
        few.copyItems(whole, itemSelectedCallback=lambda item: item.getTsId() == NAMES[1])
        few.write()
    written = write_tomograms_star('again', few_series, few_ctfs)
    overview = read_star(written, ['global'])['global']
    assert list(overview['rlnTomoName']) == [NAMES[1]] and list(overview['rlnTomoHand']) == [1]
    ours, wanted = (read_star(file)[NAMES[1]] for file in (overview['rlnTomoTiltSeriesStarFile'][0], 'job000/TS_02.star'))
    np.testing.assert_allclose(ours['rlnCtfScalefactor'], wanted['rlnCtfScalefactor'])
    np.testing.assert_allclose(ours[ALIGNMENT], wanted[ALIGNMENT], atol=1e-6)


def test_copies_have_the_new_values_and_all_images():
    """An image that was left out must stay: other programs count images and stack sections alike."""
    series, ctfs = read_sets(write_scene(seed=1, hand=-1))
    series = disable(series, 3)
    path = write_scene('job001', seed=2, refined=True, hand=-1)
    for name in NAMES:  # RELION never saw the third image
        table = read_star('job001/%s.star' % name)[name]
        write_star('job001/%s.star' % name, {name: table.drop(index=2).reset_index(drop=True)})
    refined = read_refined(path)
    assert comes_from(refined, series)
    new_series, new_ctfs = empty_sets()
    copy_tilt_series(refined, series, new_series)
    copy_ctfs(refined, ctfs, series, new_ctfs)
    new_series.write()
    new_ctfs.write()
    assert remembered_hand(new_ctfs) == -1
    for one, before in zip(new_series.iterItems(), series.iterItems()):
        images, old = ([image.clone() for image in items.iterItems()] for items in (one, before))
        assert [image.isEnabled() for image in images] == [index != 3 for index in range(1, TILTS + 1)]
        assert [image.getAcquisitionOrder() for image in images] == [image.getAcquisitionOrder() for image in old]
        assert images[2].getTiltAngle() == old[2].getTiltAngle()
    for one in new_ctfs.iterItems():
        assert one.getSize() == TILTS
        # The image that RELION never saw keeps what it had, as its defocus does.
        scale, old_scale = (remembered_columns(series_of(items, one.getTsId()))['rlnCtfScalefactor']
                            for items in (new_ctfs, ctfs))
        assert len(scale) == TILTS
        assert [order for order in scale if scale[order] == old_scale[order]] == [1]
    check_tables(tomogram_tables(new_series, new_ctfs), path)


def test_foreign_tilt_series_are_known_as_such():
    """Values of one data set in the sets of another would look right in every viewer."""
    series, ctfs = read_sets(write_scene())
    path = write_scene('job001', seed=2)
    for name in NAMES:
        table = read_star('job001/%s.star' % name)[name]
        table['rlnMicrographName'] = table['rlnMicrographName'].str.replace(name, 'other')
        write_star('job001/%s.star' % name, {name: table})
    refined = read_refined(path)
    assert not comes_from(refined, series)
    assert not comes_from(refined, None)
    assert not comes_from({**refined, 'TS_07': refined['TS_01']}, series)
    with pytest.raises(ConvertError, match='no CTFs of tilt series TS_07'):
        good = read_refined('job000/tomograms.star')
        copy_ctfs({**good, 'TS_07': good['TS_01']}, ctfs, series, empty_sets()[1])


def test_alignment_by_another_program_drops_the_old_deformation():
    """A bend that was fitted with one alignment means nothing with the next."""
    from pwem.objects import Transform
    series, ctfs = read_sets(write_scene(refined=True))
    copy = SetOfTiltSeries(filename=new_file('tiltseries'))
    copy.copyInfo(series)
    for one in series.iterItems():
        new = one.clone(ignoreAttrs=['_mapperPath', '_size'])
        copy.append(new)
        for image in one.iterItems():
            image = image.clone()
            image.setTransform(Transform(image.getTransform().getMatrix()))
            new.append(image)
        copy.update(new)
    copy.write()
    tables = tomogram_tables(copy, ctfs)
    for table in tables.tilt_series.values():
        assert 'rlnTomoDeformationCoefficients' not in table
        np.testing.assert_array_equal(table['rlnTomoXTilt'], 0)
    assert 'rlnTomoDeformationType' not in tables.tomograms


#: What RELION may have in its files and no other program of Scipion's knows, of images, CTFs and tomograms.
OF_IMAGES = {'rlnTomoNominalStageTiltAngle': [-31.5, -14.25, 0.0, 15.0, 30.0],
             'rlnTomoNominalTiltAxisAngle': [84.5] * TILTS, 'rlnTomoNominalDefocus': [-3.5, -3.0, -3.0, -3.0, -2.75],
             'rlnMicrographMovieName': ['007', 'None', 'frames/TS 3.eer', "it's.tif", '1e5'],
             'rlnTomoTiltMovieFrameCount': [8, 9, 10, 11, 12], 'rlnAccumMotionTotal': [1.5, 2.25, 1e-07, 3.0, 123456.789],
             'wrpOwn': ['a', 'b', 'c', 'd', 'e']}
OF_CTFS = {'rlnCtfBfactor': [0.0, -1.5, 2.5, 3.125, 100.0], 'rlnCtfBfactorPerElectronDose': [4.0, 4.5, 5.0, 5.5, 6.0],
           'rlnTomoDefocusSlope': [1.0, 0.98, 1.02, 1.0123456789, 0.5], 'rlnCtfIceRingDensity': [0.1, 0.2, 0.3, 0.4, 0.5]}
OF_TOMOGRAM = {'rlnTomoImportFractionalDose': 2.875, 'rlnOpticsGroupName': '007', 'rlnEtomoDirectiveFile': 'None',
               'rlnMicrographOriginalPixelSize': 0.675, 'rlnTomoSizeX': 4000, 'rlnTomoSizeY': 4002, 'rlnTomoSizeZ': 2000}


def with_further_columns(path):
    """Add them to the files of write_scene; returns the tables by name and the overview."""
    blocks = read_star(path)
    for label, value in OF_TOMOGRAM.items():
        blocks['global'][label] = value
    write_star(path, blocks)
    tables = {}
    for name in NAMES:
        file = os.path.join(os.path.dirname(path), name + '.star')
        table = read_star(file)[name].assign(**OF_IMAGES, **OF_CTFS)
        write_star(file, {name: table})
        tables[name] = read_star(file)[name]
    return tables, blocks['global']


def copied(items, keep=NAMES):
    """Scipion's own copy of tilt series or CTFs, as its subset makes it."""
    copy = type(items)(filename=new_file('copy'))
    copy.copyInfo(items)
    copy.copyItems(items, itemSelectedCallback=lambda item: item.getTsId() in keep)
    copy.write()
    return copy


@pytest.mark.parametrize('names', [NAMES, NAMES[1:]])
def test_columns_that_scipion_does_not_know_come_back(names):
    """RELION uses B-factors, slopes of defocus and the dose per image; without a column it takes another value and says
    nothing. Through Scipion's own copy and subset, with an image left out: none may get the value of its neighbour."""
    tables, before = with_further_columns(write_scene(refined=True))
    series, ctfs = read_sets('job000/tomograms.star')
    series, ctfs = disable(copied(series, names), 2), copied(ctfs, names)
    path = write_tomograms_star('again', series, ctfs)
    overview = read_star(path, ['global'])['global']
    assert list(overview['rlnTomoName']) == list(names)
    for label in before:
        if label != 'rlnTomoTiltSeriesStarFile':
            assert overview[label].tolist() == before[label].tolist()[-len(names):], label
    for name, file in zip(names, overview['rlnTomoTiltSeriesStarFile']):
        after, wanted = read_star(file)[name], tables[name].drop(index=1).reset_index(drop=True)
        assert set(wanted) <= set(after)
        for label in (*OF_IMAGES, *OF_CTFS, 'rlnTomoDeformationCoefficients', 'rlnMicrographPreExposure'):
            assert after[label].tolist() == wanted[label].tolist(), label
        for label in wanted.select_dtypes('number'):
            np.testing.assert_allclose(after[label], wanted[label], rtol=1e-9, atol=1e-6, err_msg=label)


def test_columns_of_a_ctf_go_with_it():
    """A B-factor fitted with one CTF would be applied to the next; what the microscope wrote down stays true."""
    tables, _ = with_further_columns(write_scene())
    series, _ = read_sets('job000/tomograms.star')
    _, others = read_sets(write_scene('job001', seed=4))
    for name, table in tomogram_tables(series, others).tilt_series.items():
        assert not set(OF_CTFS) & set(table)
        for label in OF_IMAGES:
            assert table[label].tolist() == tables[name][label].tolist(), label


def test_sizes_go_with_the_pixel_size():
    """Sizes are pixels: those of the unbinned images would put the centre of binned ones elsewhere."""
    with_further_columns(write_scene())
    series, ctfs = read_sets('job000/tomograms.star')
    binned = SetOfTiltSeries(filename=new_file('binned'))
    binned.copyInfo(series)
    binned.setSamplingRate(2 * PIXEL)
    binned.copyItems(series, updateTsCallback=lambda number, one, new: new.setSamplingRate(2 * PIXEL))
    binned.write()
    overview = tomogram_tables(binned, ctfs).tomograms
    assert list(overview['rlnTomoSizeX']) != [4000, 4000]
    assert list(overview['rlnTomoTiltSeriesPixelSize']) == [2 * PIXEL] * len(NAMES)


def test_refined_series_keep_what_the_file_says():
    """The file of a refinement has the columns of the one before it: the sets of both must have them."""
    with_further_columns(write_scene())
    series, ctfs = read_sets('job000/tomograms.star')
    path = write_scene('job001', seed=2, refined=True)
    tables, _ = with_further_columns(path)
    refined = read_refined(path)
    new_series, new_ctfs = empty_sets()
    copy_tilt_series(refined, series, new_series)
    copy_ctfs(refined, ctfs, series, new_ctfs)
    for name, table in tomogram_tables(new_series, new_ctfs).tilt_series.items():
        for label in (*OF_IMAGES, *OF_CTFS):
            assert table[label].tolist() == tables[name][label].tolist(), label
