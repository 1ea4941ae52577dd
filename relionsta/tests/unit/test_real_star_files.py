"""Every STAR file of other people's RELION-5 projects, by kind: what becomes of it. A file that is in no table fails."""
from pathlib import Path

import numpy as np
import pytest
import starfile
from scipy.spatial.transform import Rotation
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from relionsta.convert.particles import read_particles
from relionsta.convert.relion_series import read_tomograms_star
from relionsta.objects import SetOfStaParticles
from relionsta.sources import CENTERED, VOXEL, SourceError, read_picks
from relionsta.star import StarError
from relionsta.tests.find import shared_data

HIV, SMALL, WARP = 'relion5-hiv-project', 'relion5-small/cylindra', 'aretomo3/cryoet-alignment/relion'
HIV_SERIES = {'TS_01': 40, 'TS_03': 40, 'TS_43': 41, 'TS_45': 41, 'TS_54': 41}

# (project, file): what each test below asks of it.
TOMOGRAMS = [(HIV, 'AlignTiltSeries/job005/aligned_tilt_series.star'), (HIV, 'Tomograms/job006/tomograms.star'),
             (HIV, 'CtfRefine/job027/tomograms.star'), (HIV, 'Polish/job030/tomograms.star')]
#: and the reason
REFUSED_TOMOGRAMS = [
    # Movies as they were imported: no image, no pixel size of images, no alignment.
    (HIV, 'Import/job001/tilt_series.star', 'the column rlnTomoTiltSeriesPixelSize is missing'),
    # The tilt series have other names than the tomograms; RELION does not find them either.
    (SMALL, 'Tomograms/job_tomo/tomograms.star', r'13pf_MT.star: the block data_TS_01 is missing \(there: data_13pf_MT\)'),
    (WARP, 'matching_tomograms.star', r'block data_24jul16a_Position_27_1.tomostar: .* hold no shifts')]
#: and the number of rows, Å per pixel of images and of tilt series, box, classes
PARTICLES = [
    (HIV, 'Extract/job031/particles.star', 9053, 1.35, 1.35, 192),
    (HIV, 'Select/job024/particles.star', 9053, 1.35, 1.35, 192),
    (HIV, 'Polish/job030/particles.star', 9053, 1.35, 1.35, 192),
    (HIV, 'Refine3D/job034/run_data.star', 9053, 1.35, 1.35, 192),
    (SMALL, 'Class3D/job_class3d/run_it025_data.star', 10, 2.7, 1.35, 128),
    (SMALL, 'Refine3D/job_refine/run_it050_data.star', 5, 12.42, 3.105, 64)]
#: and the number of picks and of tomograms
PICKS = [
    (HIV, 'Picks/job019/particles.star', 9442, 5), (HIV, 'Picks/job019/optimisation_set.star', 9442, 5),
    (HIV, 'Select/job024/particles_removed.star', 389, 5), (HIV, 'Extract/job031/optimisation_set.star', 9053, 5),
    (HIV, 'Polish/job030/optimisation_set.star', 9053, 5), (HIV, 'Refine3D/job034/run_optimisation_set.star', 9053, 5),
    (SMALL, 'Picks/job_picks/particles.star', 5, 2), (SMALL, 'Picks/job_picks/optimisation_set.star', 5, 2),
    (SMALL, 'Class3D/job_class3d/run_it025_optimisation_set.star', 10, 2),
    (SMALL, 'Refine3D/job_refine/run_it050_optimisation_set.star', 5, 2)]
#: and the file that it names and that is not there
BROKEN_SETS = [
    (HIV, 'Class3D/job017/run_it025_optimisation_set.star', 'Class3D/job017/run_it025_data.star'),
    (HIV, 'CtfRefine/job027/optimisation_set.star', 'Select/remove-dups2/particles.star'),
    (SMALL, 'Refine3D/job_refine/run_it040_optimisation_set.star', 'Refine3D/job_refine/run_it040_data.star')]
#: RELION's own notes of its picker: voxels, and their size is not in the file
ANNOTATIONS = {'TS_01': 1960, 'TS_03': 1871, 'TS_43': 2521, 'TS_45': 1672, 'TS_54': 1418}
#: of a job, not of particles or tilt series: no reader of sets takes them, and each says so
NO_SETS = ('job.star', 'run_it025_model.star', 'run_it025_optimiser.star', 'run_it025_sampling.star', 'run_model.star',
           'run_optimiser.star', 'postprocess.star')


def known_files():
    """Of the tables above, with the tilt series that the tomograms name."""
    known = {(project, file) for project, file, *_ in TOMOGRAMS + REFUSED_TOMOGRAMS + PARTICLES + PICKS + BROKEN_SETS}
    known |= {(HIV, 'Picks/job019/annotations/%s_particles.star' % name) for name in ANNOTATIONS}
    for project, file, *_ in TOMOGRAMS + REFUSED_TOMOGRAMS:
        overview = next(iter(starfile.read(shared_data(project) / file, always_dict=True).values()))
        if 'rlnTomoTiltSeriesStarFile' in overview:
            known |= {(project, name) for name in overview['rlnTomoTiltSeriesStarFile']}
    return known


def test_no_file_is_forgotten():
    """Prevents a new real file that nobody reads, and a table of files that are gone."""
    top = shared_data('.')
    there = {path.relative_to(top) for path in top.rglob('*.star')}
    known = {Path(project) / file for project, file in known_files()}
    assert known <= there
    assert sorted(path for path in there - known if path.name not in NO_SETS) == []


def sets(tmp_path):
    series = SetOfTiltSeries(filename=str(tmp_path / 'series.sqlite'))
    ctfs = SetOfCTFTomoSeries(filename=str(tmp_path / 'ctfs.sqlite'))
    ctfs.setSetOfTiltSeries(series)
    return series, ctfs


@pytest.mark.parametrize('project, file', TOMOGRAMS)
def test_tomograms(project, file, tmp_path, monkeypatch):
    """Prevents a real tilt series that loses an image, an angle, a shift, its dose or its defocus on the way in."""
    monkeypatch.chdir(shared_data(project))
    series, ctfs = sets(tmp_path)
    assert read_tomograms_star(file, series, ctfs) == list(HIV_SERIES)
    assert series.getSamplingRate() == 1.35 and series.getSize() == ctfs.getSize() == 5
    overview = starfile.read(file).set_index('rlnTomoName')
    for tilts in series.iterItems():
        name = tilts.getTsId()
        table = starfile.read(overview.loc[name, 'rlnTomoTiltSeriesStarFile'])
        images = [image.clone() for image in tilts.iterItems()]
        assert len(images) == len(table) == HIV_SERIES[name]
        np.testing.assert_allclose([image.getTiltAngle() for image in images], table['rlnTomoYTilt'], atol=1e-6)
        np.testing.assert_allclose([image.getAcquisition().getDoseInitial() for image in images],
                                   table['rlnMicrographPreExposure'], atol=1e-6)
        # An image seen through its matrix: where the specimen's centre lies in the raw image, and how it is turned.
        matrices = np.linalg.inv([image.getTransform().getMatrix() for image in images])
        np.testing.assert_allclose(matrices[:, :2, 2] * 1.35, table[['rlnTomoXShiftAngst', 'rlnTomoYShiftAngst']],
                                   atol=1e-6)
        np.testing.assert_allclose(np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])), table['rlnTomoZRot'],
                                   atol=1e-6)
        assert [image.getFileName() for image in images] == table['rlnMicrographName'].tolist()
        defocus = ctfs[{'_tsId': name}]
        mean = [(ctf.getDefocusU() + ctf.getDefocusV()) / 2 for ctf in defocus.iterItems()]
        np.testing.assert_allclose(mean, (table['rlnDefocusU'] + table['rlnDefocusV']) / 2, atol=1e-3)


@pytest.mark.parametrize('project, file, reason', REFUSED_TOMOGRAMS)
def test_tomograms_that_are_refused(project, file, reason, tmp_path, monkeypatch):
    """Prevents tilt series without a place for their images, and a reason that sends people the wrong way."""
    monkeypatch.chdir(shared_data(project))
    with pytest.raises(StarError, match=reason):
        read_tomograms_star(file, *sets(tmp_path))


def test_why_they_are_refused():
    """Prevents reasons that are no longer true of these files: read by another program's reader."""
    movies = starfile.read(shared_data(HIV) / 'Import/job001/tilt_series/TS_01.star')
    assert 'rlnTomoYTilt' not in movies and 'rlnMicrographName' not in movies and len(movies) == 41
    small = starfile.read(shared_data(SMALL) / 'Tomograms/job_tomo/tilt_series/13pf_MT.star', always_dict=True)
    assert list(small) == ['13pf_MT'] and not {'rlnTomoYTilt', 'rlnDefocusU'} & set(small['13pf_MT'])
    warp = starfile.read(shared_data(WARP) / 'matching_tomograms.star', always_dict=True)
    for name in warp['global']['rlnTomoName']:
        for label in ('rlnTomoProjX', 'rlnTomoProjY'):
            assert warp[name][label].str.endswith(',0]').all() and len(warp[name]) == 31


@pytest.mark.parametrize('project, file, count, pixel, tilt_pixel, box', PARTICLES)
def test_particles(project, file, count, pixel, tilt_pixel, box, tmp_path, monkeypatch):
    """Prevents real particles that change number, order, place or orientation, of 2D stacks and of 3D subtomograms."""
    monkeypatch.chdir(shared_data(project))
    particles = SetOfStaParticles(filename=str(tmp_path / 'particles.sqlite'))
    assert read_particles(file, particles) == count
    particles.write()
    assert particles.getSize() == count and particles.getBoxSize() == box
    assert (particles.getSamplingRate(), particles.getTiltSeriesPixelSize()) == (pixel, tilt_pixel)
    table = starfile.read(file)['particles']
    part = matrices(table, 'rlnAngle')
    sub = matrices(table, 'rlnTomoSubtomogram')
    coords, origins = (table[[label % axis for axis in 'XYZ']].to_numpy() for label in (
        'rlnCenteredCoordinate%sAngst', 'rlnOrigin%sAngst'))
    places = (coords - np.einsum('nij,nj->ni', sub, origins)) / tilt_pixel
    for row in sorted({0, 1, count // 2, count - 1}):
        item = particles[row + 1]
        at = item.getCoordinate3D()
        np.testing.assert_allclose([at._x.get(), at._y.get(), at._z.get()], places[row], atol=1e-5)
        np.testing.assert_allclose(item.getTransform().getMatrix()[:3, :3].T, sub[row] @ part[row], atol=1e-6)
        assert item.getFileName() == table['rlnImageName'][row] and at.getTomoId() == table['rlnTomoName'][row]
        assert item.getClassId() == table['rlnClassNumber'][row]
    assert set(particles.getUniqueValues('_volName')) == set(table['rlnTomoName'])


def matrices(table, prefix):
    """RELION's A (n, 3, 3), by scipy."""
    labels = [prefix + name for name in ('Rot', 'Tilt', 'Psi')]
    if labels[0] not in table:
        return np.tile(np.eye(3), (len(table), 1, 1))
    return Rotation.from_euler('ZYZ', table[labels].to_numpy(), degrees=True).inv().as_matrix()


@pytest.mark.parametrize('project, file, count, tomograms', PICKS)
def test_picks(project, file, count, tomograms):
    """Prevents real picks, or a set that names them, of which some are lost or lie elsewhere."""
    picks = read_picks(shared_data(project) / file)
    assert len(picks.table) == count and len(picks.tomo_names) == tomograms and picks.coordinates == CENTERED
    table = next(block for block in starfile.read(picks.files[0], always_dict=True).values()
                 if 'rlnCenteredCoordinateXAngst' in block)
    np.testing.assert_allclose(picks.table[['x', 'y', 'z']],
                               table[['rlnCenteredCoordinate%sAngst' % axis for axis in 'XYZ']], atol=1e-6)
    assert picks.table['tomo_name'].tolist() == table['rlnTomoName'].tolist()


@pytest.mark.parametrize('project, file, missing', BROKEN_SETS)
def test_sets_that_name_what_is_not_there(project, file, missing):
    """Prevents another iteration's particles in place of those that are gone."""
    assert not (shared_data(project) / missing).exists()
    with pytest.raises(SourceError, match="rlnTomoParticlesFile names '%s', which is not there" % missing):
        read_picks(shared_data(project) / file)


@pytest.mark.parametrize('name, count', ANNOTATIONS.items())
def test_annotations(name, count):
    """Prevents voxels of 10 Å that are read as pixels of 1.35 Å: one has to say what they are."""
    path = shared_data(HIV) / 'Picks/job019/annotations' / ('%s_particles.star' % name)
    with pytest.raises(SourceError, match='are voxels of the binned tomogram'):
        read_picks(path)
    picks = read_picks(path, coordinates=VOXEL)
    assert len(picks.table) == count and picks.tomo_names == [name]


def test_files_of_another_kind_are_refused(tmp_path, monkeypatch):
    """Prevents a crash, or an empty set, where a job's own file or a single tilt series is chosen by mistake."""
    top = shared_data('.')
    monkeypatch.chdir(tmp_path)
    takes = {read_tomograms_star: TOMOGRAMS + REFUSED_TOMOGRAMS, read_particles: PARTICLES}
    for number, path in enumerate(sorted(top.rglob('*.star'))):
        for reader, files in takes.items():
            if path in [top / project / file for project, file, *_ in files]:
                continue
            into = [SetOfStaParticles(filename='p%d.sqlite' % number)]
            if reader is read_tomograms_star:
                into = [SetOfTiltSeries(filename='t%d.sqlite' % number)]
            with pytest.raises(StarError, match=r'block data_(global|optics|particles) is missing'):
                reader(str(path), *into)
        if path.name in NO_SETS or path.parent.name == 'tilt_series':
            with pytest.raises(SourceError, match='no block has coordinates'):
                read_picks(path)
