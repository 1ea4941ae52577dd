"""Comparing poses and maps with the known answer."""
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from relionsta.geometry import euler_to_matrix, matrix_to_euler
from relionsta.simulate.maps import fourier_shell_correlation, low_pass, match_maps
from relionsta.simulate.particle import sample, two_lobes
from relionsta.simulate.relion_run import SimulationError
from relionsta.simulate.scene import ANGLES, COORDINATES, PARTICLE, make_scene, start_poses
from relionsta.simulate.truth import compare_poses, kinds, read_parameters, read_truth, write_truth
from relionsta.tests.unit.simulate_scene import BOX, PIXEL, RICH


@pytest.fixture(scope='module')
def reference():
    return sample(two_lobes(170.0), BOX, PIXEL).astype(np.float64)


@pytest.fixture(scope='module')
def scene():
    return make_scene(RICH)


def disturbed(scene, angle, distance, seed=3):
    """The true poses after a common motion of the frame and known errors of every particle."""
    random = np.random.RandomState(seed)
    rows = scene.particles[scene.particles['rlnClassNumber'] == PARTICLE].reset_index(drop=True)
    A = euler_to_matrix(rows[ANGLES])
    axes = random.normal(size=(len(rows), 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    frame, frame_shift = Rotation.from_rotvec(np.radians([6.0, -8.0, 0.0])).as_matrix(), np.array([4.0, -3.0, 12.0])
    table = rows[['rlnTomoName', 'rlnTomoParticleName']].copy()
    moves = random.normal(size=(len(rows), 3))
    moves *= distance / np.linalg.norm(moves, axis=1, keepdims=True)
    table[COORDINATES] = rows[COORDINATES].to_numpy() + np.einsum('nij,j->ni', A, frame_shift) + moves
    table[ANGLES] = matrix_to_euler(A @ Rotation.from_rotvec(np.radians(angle) * axes).as_matrix() @ frame)
    return table


def test_known_errors_are_found_and_the_frame_is_taken_off(scene):
    """The demo's promise rests on these numbers: neither the average's own frame nor the errors may be mistaken."""
    errors = compare_poses(scene.particles, disturbed(scene, 4.0, 5.0))
    assert errors.median_angle_error_deg == pytest.approx(4.0, abs=0.5)
    assert errors.median_shift_error_A == pytest.approx(5.0, abs=0.6)
    assert errors.frame_rotation_deg == pytest.approx(10.0, abs=1.0)
    assert errors.frame_shift_A == pytest.approx(13.0, abs=1.5)
    assert (errors.n_matched, errors.n_false, errors.n_missed) == (50, 0, 0)
    exact = compare_poses(scene.particles, disturbed(scene, 0.0, 0.0))
    assert exact.median_angle_error_deg < 0.01 and exact.median_shift_error_A < 0.01


def test_few_gross_errors_do_not_move_the_frame(scene):
    """A few lost particles must count as lost, not turn everybody's frame."""
    table = disturbed(scene, 0.0, 0.0)
    table.loc[:9, 'rlnAngleTilt'] += 90.0
    errors = compare_poses(scene.particles, table)
    assert errors.median_angle_error_deg < 0.1 and errors.mean_angle_error_deg > 10


def test_origins_and_subtomogram_angles_count(scene):
    """RELION keeps part of a pose in rlnOrigin* and rlnTomoSubtomogram*: ignoring them looks like a bad refinement."""
    table = disturbed(scene, 3.0, 4.0)
    plain = compare_poses(scene.particles, table)
    split = table.copy()
    sub = euler_to_matrix([[30.0, 60.0, 80.0]])
    split[['rlnTomoSubtomogramRot', 'rlnTomoSubtomogramTilt', 'rlnTomoSubtomogramPsi']] = [30.0, 60.0, 80.0]
    split[ANGLES] = matrix_to_euler(sub.transpose(0, 2, 1) @ euler_to_matrix(table[ANGLES]))
    origin = np.array([8.0, -5.0, 2.0])
    split[['rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst']] = origin
    split[COORDINATES] = table[COORDINATES].to_numpy() + sub[0] @ origin
    again = compare_poses(scene.particles, split)
    assert again.median_angle_error_deg == pytest.approx(plain.median_angle_error_deg, abs=1e-3)
    assert again.median_shift_error_A == pytest.approx(plain.median_shift_error_A, abs=1e-3)


def test_false_and_missed_particles_are_counted(scene):
    """Decoys and empty picks are no particles; the same name in another tomogram is no match."""
    start = start_poses(scene)
    errors = compare_poses(scene.particles, start)
    assert (errors.n_matched, errors.n_false, errors.n_missed) == (50, 18, 0)
    assert 3.0 < errors.median_angle_error_deg < 9.0 and 4.0 < errors.median_shift_error_A < 12.0
    part = compare_poses(scene.particles, start[start['rlnTomoName'] == 'TS_01'].sample(frac=1, random_state=1))
    assert (part.n_matched, part.n_missed) == (25, 25)
    with pytest.raises(SimulationError, match='same scene'):
        compare_poses(scene.particles, start.assign(rlnTomoName='other'))


def test_map_comparison_removes_pose_only(reference):
    """A rotation and shift of the average is no error; blurring, noise or a wrong hand is."""
    turn = Rotation.from_rotvec([0.12, -0.15, 0.1])
    moved = sample(two_lobes(170.0), BOX, PIXEL, turn.as_matrix(), (6.0, 4.0, -8.0))
    match = match_maps(moved, reference, PIXEL, 16.0)
    assert match.cc > 0.999
    assert match.rotation_deg == pytest.approx(np.degrees(turn.magnitude()), abs=0.2)
    assert match.shift_A == pytest.approx(np.sqrt(116), abs=0.2)
    assert match_maps(low_pass(reference, PIXEL, 60.0), reference, PIXEL, 20.0).cc < 0.9
    noise = np.random.RandomState(0).normal(0, 3 * reference.std(), reference.shape)
    assert match_maps(reference + noise, reference, PIXEL, 20.0).cc < 0.8


def test_map_comparison_refuses_what_cannot_be_compared(reference):
    """A correlation of maps on different grids would be a number without meaning."""
    with pytest.raises(ValueError, match='one size'):
        match_maps(reference, reference[:16, :16, :16], PIXEL, 16.0)
    with pytest.raises(ValueError, match='constant'):
        match_maps(np.zeros_like(reference), reference, PIXEL, 16.0)


def test_fourier_shell_correlation(reference):
    """FSC of a map with itself is 1 and falls where noise is stronger than signal."""
    noise = np.random.RandomState(0).normal(0, 0.3 * reference.std(), reference.shape)
    _, same = fourier_shell_correlation(reference, reference)
    _, noisy = fourier_shell_correlation(reference, reference + noise)
    assert np.allclose(same, 1) and noisy[1] > 0.99 > noisy[-1]


def test_truth_folder_is_read_back(scene, tmp_path):
    """What is compared must be what was written, in full precision."""
    write_truth(scene, tmp_path / 'truth', {'noise': 1})
    truth = read_truth(tmp_path)
    assert truth.parameters == scene.parameters == read_parameters(tmp_path / 'truth')
    assert compare_poses(truth.particles, disturbed(scene, 0.0, 0.0)).median_angle_error_deg < 0.01
    assert np.allclose(truth.particles[COORDINATES], scene.particles[COORDINATES], atol=1e-6)
    assert {path.name for path in (tmp_path / 'truth').glob('*.mrc')} == {'map_3.50A.mrc', 'map_7.00A.mrc'}
    with pytest.raises(SimulationError, match='simulate'):
        read_truth(tmp_path / 'truth')


def test_picks_are_known_for_what_they_are(scene):
    """The fractions of decoys rejected and particles kept rest on this: order and number of the picks must not matter."""
    picks = start_poses(scene).sample(frac=0.7, random_state=5)
    true = scene.particles.set_index('rlnTomoParticleName')['rlnClassNumber']
    found = kinds(scene.particles, picks)
    assert list(found) == list(true.loc[picks['rlnTomoParticleName']]) and set(found) == {1, 2, 3}
    elsewhere = picks.assign(rlnTomoName='TS_99')
    assert list(kinds(scene.particles, elsewhere)) == [0] * len(picks)
