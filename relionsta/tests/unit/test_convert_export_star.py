"""Sets of particles as STAR files for elsewhere."""
import os

import numpy as np
import pytest

from relionsta import geometry
from relionsta.convert.export_star import export_star_files
from relionsta.convert.poses import ANGLES, COORDINATES, ORIGINS, poses_of_rows
from relionsta.jobs.export_folder import ExportError, ExportFolder
from relionsta.star import read_star
from relionsta.star.optimisation_set import read_optimisation_set
from relionsta.star.trajectories import read_trajectories, still_trajectory, write_trajectories

from .convert_particle_files import read, write_particles
from .convert_tomogram_files import TILTS, write_tomograms


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    folder = tmp_path / 'project'
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ('job000', 'job', 'stacks'):
        os.mkdir(name)


def particles_with_files():
    """A set whose images, tilt series and trajectories are there."""
    table = write_particles()
    for name in table['rlnImageName']:
        with open(name, 'w') as file:
            file.write(name)
    for name in ('TS_01', 'TS_02'):
        with open('stacks/%s.mrc' % name, 'w') as file:
            file.write(name)
    write_trajectories('motion.star', {name: still_trajectory(TILTS) for name in table['rlnTomoParticleName']})
    return table, read(tomograms_star=write_tomograms('tomograms.star', ['TS_01', 'TS_02'], 'series'),
                       trajectories_star='motion.star')


def exported(particles, target, **how):
    folder = ExportFolder(target, copies=False)
    number = export_star_files(particles, folder, 'job000', **how)
    folder.finish()
    return number


def test_relative_names_lead_into_the_folder(tmp_path, monkeypatch):
    """RELION is started in the folder: a name that counts from Scipion's project is not found there."""
    table, particles = particles_with_files()
    assert exported(particles, tmp_path / 'with a blank') == len(table)
    monkeypatch.chdir(tmp_path / 'with a blank')
    files = read_optimisation_set('optimisation_set.star')
    assert files == ('particles.star', 'tomograms.star', 'motion.star', None)
    rows = read_star(files.particles)['particles']
    others = [label for label in table if label != 'rlnImageName']
    assert rows[others].equals(table[others])
    for old, new in zip(table['rlnImageName'], rows['rlnImageName']):
        with open(new) as file:
            assert file.read() == old
    for series in read_star(files.tomograms)['global']['rlnTomoTiltSeriesStarFile']:
        names = next(iter(read_star(series).values()))['rlnMicrographName']
        assert names[0].startswith('1@') and names[0].endswith(':mrcs')
        assert os.path.isfile(names[0][2:-5])
    assert len(read_trajectories(files.trajectories)) == len(table)


def test_absolute_names(tmp_path):
    """Files named by absolute paths are read from any folder; RELION stops at a blank in one."""
    table, particles = particles_with_files()
    exported(particles, tmp_path / 'out', absolute=True)
    files = read_optimisation_set(tmp_path / 'out' / 'optimisation_set.star')
    rows = read_star(files.particles)['particles']
    assert list(rows['rlnImageName']) == [os.path.abspath(name) for name in table['rlnImageName']]
    series = read_star(files.tomograms)['global']['rlnTomoTiltSeriesStarFile']
    assert list(series) == [str(tmp_path / 'out' / 'tilt_series' / ('%s.star' % name)) for name in ('TS_01', 'TS_02')]
    assert next(iter(read_star(series[0]).values()))['rlnMicrographName'][1] == '2@%s:mrcs' % os.path.abspath(
        'stacks/TS_01.mrc')
    assert sorted(os.listdir(str(tmp_path / 'out'))) == ['motion.star', 'optimisation_set.star', 'particles.star',
                                                         'tilt_series', 'tomograms.star']
    with pytest.raises(ExportError, match='blank'):
        exported(particles, tmp_path / 'with a blank', absolute=True)


def test_coordinates_have_the_whole_pose_and_nothing_else(tmp_path):
    """An orientation of the subtomogram that is left behind turns every particle; an origin that stays moves it twice."""
    table, particles = particles_with_files()
    exported(particles, tmp_path / 'out', coordinates=True)
    rows = read_star(tmp_path / 'out' / 'particles.star')['particles']
    positions, A = poses_of_rows(table)
    assert np.abs(table[COORDINATES].to_numpy() - positions).max() > 1
    np.testing.assert_allclose(rows[COORDINATES], positions, atol=1e-6)
    np.testing.assert_allclose(geometry.euler_to_matrix(rows[ANGLES].to_numpy()), A, atol=1e-6)
    assert not set(ORIGINS) & set(rows) and 'rlnImageName' not in rows
    assert list(rows['rlnRandomSubset']) == list(table['rlnRandomSubset'])
    assert read_star(tmp_path / 'out' / 'particles.star')['optics']['rlnOpticsGroupName'][0] == '007'
