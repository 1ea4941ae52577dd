"""The errors that a scene's data set is made with, and how they are measured at the end."""
import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from relionsta.geometry import compose_pose, euler_to_matrix, project, tilt_series_projections
from relionsta.simulate.motion import motion, trajectories
from relionsta.simulate.particle import two_lobes
from relionsta.simulate.project import alignment_columns, tomogram_columns
from relionsta.simulate.relion_run import SimulationError
from relionsta.simulate.scene import ANGLES, COORDINATES, PARTICLE, make_scene
from relionsta.simulate.series_errors import series_errors
from relionsta.simulate.truth import true_poses
from relionsta.star import write_star
from relionsta.star.trajectories import read_trajectories, write_trajectories
from relionsta.tests.unit.simulate_scene import RICH
from relionsta.tests.unit.test_simulate_truth import disturbed

MOVING = dataclasses.replace(RICH, motion=0.2, motion_length=300.0)


@pytest.fixture(scope='module')
def scene():
    return make_scene(MOVING)


def write_series(scene, folder, change=lambda name, table: table):
    """A tomograms.star of the true tilt series, each changed."""
    p = scene.parameters
    for name, series in scene.tilt_series.items():
        write_star(folder / f'{name}.star', {name: change(name, alignment_columns(series, 'stack.mrc', p.pixel))})
    write_star(folder / 'tomograms.star', {'global': tomogram_columns(p, p.series_names, str(folder))})
    return folder / 'tomograms.star'


# --- motion ---

def test_motion_is_a_walk_that_grows_with_the_dose(scene):
    """Motion of another size, or one that jumps about in the order of the tilt angles, is none that polishing can find."""
    series = scene.tilt_series['TS_01']
    kept = series[~series['dark']]
    shifts = motion(scene, 'TS_01')
    picks = (scene.particles['rlnTomoName'] == 'TS_01').sum()
    assert shifts.shape == (picks, len(kept), 3)
    order = np.argsort(kept['acquisition'].to_numpy())
    assert np.all(shifts[:, order[0]] == 0)
    gaps = np.diff(kept['acquisition'].to_numpy()[order])
    steps = np.diff(shifts[:, order], axis=1) / np.sqrt(gaps)[:, None]
    # the common part, which is taken off, is a good part of the motion where neighbours go alike
    assert 0.5 < np.sqrt(np.mean(steps ** 2)) / (MOVING.motion * MOVING.dose) < 1.0


def test_common_motion_is_no_motion(scene):
    """What all particles do is a shift of the image: left in, the truth of the shifts would not be the truth."""
    rows = scene.particles[scene.particles['rlnTomoName'] == 'TS_02']
    real = motion(scene, 'TS_02')[(rows['rlnClassNumber'] == PARTICLE).to_numpy()]
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-9)


def test_neighbours_move_alike(scene):
    """RELION's prior is that they do; motion without it could not be told from noise."""
    positions = scene.particles.loc[scene.particles['rlnTomoName'] == 'TS_01', COORDINATES].to_numpy()
    last = motion(scene, 'TS_01')[:, -1]
    apart = np.linalg.norm(positions[:, None] - positions, axis=2)
    differs = np.linalg.norm(last[:, None] - last, axis=2)
    assert differs[(apart > 0) & (apart < 250)].mean() < 0.8 * differs[apart > 800].mean()


def test_trajectories_come_back_from_their_file(scene, tmp_path):
    """A column out of place, or a block with another particle's name, moves the wrong particle in silence."""
    blocks = trajectories(scene, 'TS_01')
    write_trajectories(tmp_path / 'motion.star', blocks)
    found = read_trajectories(tmp_path / 'motion.star')
    assert list(found) == list(scene.particles.loc[scene.particles['rlnTomoName'] == 'TS_01', 'rlnTomoParticleName'])
    numbers = [[float(word) for word in line.split()] for line in found['TS_01/3'].splitlines() if line[:1] in '-0123456789'
               and line]
    np.testing.assert_allclose(numbers, motion(scene, 'TS_01')[2], atol=1e-4)
    assert trajectories(make_scene(RICH), 'TS_01') == {}


def test_motion_leaves_the_rest_of_the_scene_alone(scene):
    """Two scenes that differ in motion only must be comparable: the same places, noise and errors."""
    still = make_scene(RICH)
    assert scene.particles.equals(still.particles)
    assert all(scene.tilt_series[name].equals(still.tilt_series[name]) for name in still.tilt_series)


def test_detail_adds_to_the_particle_only_where_it_is_fine():
    """More detail must not change the body, or every threshold and mask would move with it."""
    plain, fine = two_lobes(120.0), two_lobes(120.0, 4.0)
    ratio = fine.masses / plain.masses
    assert set(np.round(ratio, 6)) == {1.0, 4.0}
    assert plain.sigmas[ratio > 2].max() < plain.sigmas[ratio < 2].min()


# --- errors of tilt series ---

def test_true_series_have_no_error(scene, tmp_path):
    """The measure's zero."""
    errors = series_errors(scene, write_series(scene, tmp_path))
    assert errors.median_defocus_error_A < 0.01 and errors.rms_tilt_shift_error_A < 1e-6


def test_stated_errors_are_found(scene, tmp_path):
    """The sizes that the scene was asked for, whatever their sign in each series."""
    path = write_series(scene, tmp_path, lambda name, _: alignment_columns(
        scene.tilt_series[name], 'stack.mrc', MOVING.pixel, stated=True))
    errors = series_errors(scene, path)
    assert 900 <= errors.median_defocus_error_A <= 1200
    assert errors.rms_tilt_shift_error_A == pytest.approx(MOVING.tilt_shift_error, rel=0.25)


def test_a_motion_of_all_particles_is_no_error_of_the_shifts(scene, tmp_path):
    """Nobody can see it, and RELION's particles follow it; a shift of one image stays an error."""
    vector = np.array([7.0, -4.0, 11.0])

    def moved(name, table):
        views = tilt_series_projections(table, MOVING.pixel, MOVING.image_size, MOVING.tomogram_size)
        by = project(views, vector / MOVING.pixel)[..., :2] - project(views, np.zeros(3))[..., :2]
        by = by.reshape(len(table), 2) * MOVING.pixel
        return table.assign(rlnTomoXShiftAngst=table['rlnTomoXShiftAngst'] + by[:, 0],
                            rlnTomoYShiftAngst=table['rlnTomoYShiftAngst'] + by[:, 1])

    assert series_errors(scene, write_series(scene, tmp_path, moved)).rms_tilt_shift_error_A < 1e-4

    def one_image(name, table):
        table = moved(name, table)
        table.loc[0, 'rlnTomoXShiftAngst'] += 30.0
        return table

    images = 2 * sum(int((~series['dark']).sum()) for series in scene.tilt_series.values())
    expected = 30.0 * np.sqrt(2 / images)
    assert series_errors(scene, write_series(scene, tmp_path, one_image)).rms_tilt_shift_error_A == pytest.approx(
        expected, rel=0.25)


def test_order_of_the_images_does_not_matter(scene, tmp_path):
    """RELION may write them in another order; they are known by their section."""
    path = write_series(scene, tmp_path, lambda name, table: table.iloc[::-1])
    assert series_errors(scene, path).rms_tilt_shift_error_A < 1e-6


def test_series_of_another_scene_are_refused(scene, tmp_path):
    """Errors against the wrong truth would look like a bad refinement."""
    path = write_series(scene, tmp_path, lambda name, table: table.iloc[1:])
    with pytest.raises(SimulationError, match='other images'):
        series_errors(scene, path)


# --- true poses in another frame ---

def test_true_poses_are_those_of_the_table_without_its_errors(scene):
    """An average of them must lie where that of the table does, or the same mask would cut into it."""
    exact = disturbed(scene, 0.0, 0.0)
    exact['rlnRandomSubset'] = 1 + np.arange(len(exact)) % 2
    table = disturbed(scene, 3.0, 4.0)
    table['rlnRandomSubset'] = exact['rlnRandomSubset']
    poses = true_poses(scene.particles, table.sample(frac=1, random_state=1)).set_index('rlnTomoParticleName')
    wanted = exact.set_index('rlnTomoParticleName').loc[poses.index]
    x, A = compose_pose(wanted[COORDINATES], None, None, wanted[ANGLES])
    turn = Rotation.from_matrix(euler_to_matrix(poses[ANGLES]) @ A.transpose(0, 2, 1)).magnitude()
    assert len(poses) == len(exact)
    assert np.degrees(turn).max() < 1.0
    assert np.linalg.norm(poses[COORDINATES].to_numpy() - x, axis=1).max() < 2.5
    assert poses['rlnRandomSubset'].tolist() == wanted['rlnRandomSubset'].tolist()


def test_false_particles_have_no_true_pose(scene):
    """Empty places that a selection kept are no particles, and their noise is not what true parameters would give."""
    table = disturbed(scene, 0.0, 0.0).assign(rlnRandomSubset=1)
    empty = scene.particles[scene.particles['rlnClassNumber'] != PARTICLE].assign(rlnRandomSubset=2)
    together = pd.concat([table, empty[table.columns]], ignore_index=True)
    assert set(true_poses(scene.particles, together)['rlnRandomSubset']) == {1}

