"""geometry.py against independent formulas; tests/relion/test_geometry_relion.py holds it against RELION itself."""
import numpy as np
import pandas as pd
import pytest

from relionsta import geometry
from relionsta.star.tables import read_star
from relionsta.tests.find import shared_data


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


def random_angles(random: np.random.Generator, count: int) -> np.ndarray:
    return np.stack([random.uniform(-180, 180, count), random.uniform(0, 180, count),
                     random.uniform(-180, 180, count)], axis=1)


def relion_matrix(rot: float, tilt: float, psi: float) -> np.ndarray:
    """Z(psi) Y(tilt) Z(rot) of passive axis matrices, as RELION's manual defines A."""
    def about_z(angle: float) -> np.ndarray:
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    return about_z(psi) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) @ about_z(rot)


def test_matrices_are_relions(random: np.random.Generator) -> None:
    """Prevents the commonest error of all: the inverse rotation, or another order of axes."""
    rotation = pytest.importorskip('scipy.spatial.transform').Rotation
    angles = random_angles(random, 20)
    A = geometry.euler_to_matrix(angles)
    assert A.shape == (20, 3, 3) and A.dtype == np.float64
    np.testing.assert_allclose(A, [relion_matrix(*row) for row in angles], atol=1e-12)
    np.testing.assert_allclose(A, rotation.from_euler('ZYZ', angles, degrees=True).inv().as_matrix(), atol=1e-12)


def test_angles_come_back(random: np.random.Generator) -> None:
    """Prevents poses that drift a little each time they go from STAR to Scipion and back."""
    angles = random_angles(random, 10000)
    np.testing.assert_allclose(geometry.matrix_to_euler(geometry.euler_to_matrix(angles)), angles, atol=1e-9)


@pytest.mark.parametrize('tilt', [0, 1e-12, 1e-7, 1e-4, 179.9999, 180 - 1e-7, 180])
def test_a_pose_at_the_pole_survives(tilt: float) -> None:
    """Prevents poses turned by any angle where rot and psi share an axis (template matching gives tilt 0)."""
    A = geometry.euler_to_matrix([[33, tilt, -71]])
    # Six decimals, as in a STAR or database column.
    for given in (A, A.round(6)):
        again = geometry.euler_to_matrix(geometry.matrix_to_euler(given))
        np.testing.assert_allclose(again, A, atol=3e-6)


def test_pose_of_rows(random: np.random.Generator) -> None:
    """Prevents exported positions that forget rlnOrigin, or turn it by the wrong matrix."""
    coords, origins = random.normal(0, 500, (2, 30, 3))
    sub, part = random_angles(random, 30), random_angles(random, 30)
    positions, A = geometry.compose_pose(coords, origins, sub, part)
    for row in range(30):
        A_sub = relion_matrix(*sub[row])
        np.testing.assert_allclose(positions[row], coords[row] - A_sub @ origins[row], atol=1e-9)
        np.testing.assert_allclose(A[row], A_sub @ relion_matrix(*part[row]), atol=1e-12)
    alone, identity = geometry.compose_pose(coords)
    np.testing.assert_array_equal(alone, coords)
    np.testing.assert_allclose(identity, np.tile(np.eye(3), (30, 1, 1)), atol=1e-15)


def test_voxels_and_centred_coordinates() -> None:
    """Prevents half-voxel and centre errors, also in tomograms of odd size."""
    size, voxel = (101, 200, 50), 7.5
    centre = geometry.centered_from_voxel([[50.5, 100, 25]], size, voxel)
    np.testing.assert_array_equal(centre, np.zeros((1, 3)))
    index = np.array([[0, 0, 0], [100, 3.25, 49]])
    coords = geometry.centered_from_voxel(index, size, voxel)
    np.testing.assert_allclose(coords[1], [49.5 * 7.5, -96.75 * 7.5, 24 * 7.5])
    np.testing.assert_allclose(geometry.voxel_from_centered(coords, size, voxel), index, atol=1e-12)


def test_scipion_matrix_there_and_back(random: np.random.Generator) -> None:
    """Prevents a translation that comes back turned."""
    A = geometry.euler_to_matrix(random_angles(random, 50))
    shifts = random.normal(0, 3, (50, 3))
    M = geometry.scipion_from_pose(A, shifts)
    back, again = geometry.pose_from_scipion(M)
    np.testing.assert_allclose(back, A, atol=1e-15)
    np.testing.assert_allclose(again, shifts, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(M), 1, atol=1e-12)
    np.testing.assert_array_equal(geometry.scipion_from_pose(A)[:, :3, 3], np.zeros((50, 3)))


def test_alignment_matrix_of_the_aligned_image(random: np.random.Generator) -> None:
    """Prevents a tilt axis of the wrong sign (lost by an arc cosine) or shifts in the aligned image's frame.

    aligned = M raw + D must undo raw = R(ZRot) aligned + shift, for axes all around the circle.
    """
    z_rot, pixel = np.linspace(-179, 180, 12), 1.35
    x_shift, y_shift = random.normal(0, 40, (2, 12))
    T = geometry.transform_from_tilt(z_rot, x_shift, y_shift, pixel)
    aligned = random.normal(0, 1000, (12, 2))
    for row in range(12):
        c, s = np.cos(np.radians(z_rot[row])), np.sin(np.radians(z_rot[row]))
        raw = np.array([[c, -s], [s, c]]) @ aligned[row] + np.array([x_shift[row], y_shift[row]]) / pixel
        np.testing.assert_allclose((T[row] @ [*raw, 1])[:2], aligned[row], atol=1e-9)
    for given, back in zip((z_rot, x_shift, y_shift), geometry.tilt_from_transform(T, pixel)):
        np.testing.assert_allclose(back, given, atol=1e-9)


def test_alignment_matrix_with_magnification() -> None:
    """Prevents shifts off by IMOD's magnification: they belong to the raw image, which it does not change."""
    T = geometry.transform_from_tilt([85.0], [120.0], [-60.0], 2.0)
    T[:, :2] *= 1.02
    z_rot, x_shift, y_shift = geometry.tilt_from_transform(T, 2.0)
    np.testing.assert_allclose([z_rot[0], x_shift[0], y_shift[0]], [85, 120, -60], atol=1e-9)


@pytest.mark.parametrize('matrix', [[[1, 0], [0, -1]], [[0, 0], [0, 0]], [[1, 0], [0, 1.2]], [[np.nan, 0], [0, 1]]])
def test_alignment_that_relion_cannot_express_is_refused(matrix: object) -> None:
    """Prevents a mirrored, empty or stretched alignment from becoming a plausible wrong tilt axis."""
    T = np.tile(np.eye(3), (3, 1, 1))
    T[1, :2, :2] = matrix
    with pytest.raises(ValueError, match='tilt image 2 is not a rotation'):
        geometry.tilt_from_transform(T, 1.0)


def test_real_alignment_agrees_with_relions_own() -> None:
    """Prevents a sign error that our own inverse would hide: IMOD and RELION each aligned EMPIAR-10164 TS_03."""
    folder = shared_data('imod/cets-imod')
    xf = next(folder.glob('**/*.xf'))
    rows = np.loadtxt(xf)
    T = np.tile(np.eye(3), (len(rows), 1, 1))
    T[:, :2, :2], T[:, :2, 2] = rows[:, :4].reshape(-1, 2, 2), rows[:, 4:]
    z_rot = geometry.tilt_from_transform(T, 1.35)[0]
    tilts = read_star(shared_data('relion5-hiv-project') / 'AlignTiltSeries/job005/tilt_series/TS_03.star')['TS_03']
    assert abs(np.median(z_rot) - tilts['rlnTomoZRot'].median()) < 0.1


def test_projection_is_the_product_of_relions_matrices(random: np.random.Generator) -> None:
    """Prevents a centre that is rounded differently: RELION takes whole pixels, image//2 and tomogram//2."""
    def turn(axis: int, angle: float) -> np.ndarray:
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        return [np.array([[1, 0, 0], [0, c, -s], [0, s, c]]), np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
                np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])][axis]
    tilts = pd.DataFrame(random.uniform(-60, 60, (4, 5)), columns=[
        'rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst'])
    points = random.uniform(0, 200, (6, 3))
    P = geometry.tilt_series_projections(tilts, 2.5, (321, 200), (101, 200, 60))
    found = geometry.project(P, points)
    assert found.shape == (4, 6, 3)
    for tilt, (x_tilt, y_tilt, z_rot, x_shift, y_shift) in enumerate(tilts.to_numpy()):
        for particle, point in enumerate(points):
            q = turn(2, z_rot) @ turn(1, y_tilt) @ turn(0, x_tilt) @ (point - [50, 100, 30])
            q += [160 + x_shift / 2.5, 100 + y_shift / 2.5, 0]
            np.testing.assert_allclose(found[tilt, particle], q, atol=1e-9)
    without = geometry.tilt_series_projections(tilts.drop(columns='rlnTomoXTilt'), 2.5, (321, 200), (101, 200, 60))
    np.testing.assert_array_equal(without, geometry.tilt_series_projections(
        tilts.assign(rlnTomoXTilt=0.0), 2.5, (321, 200), (101, 200, 60)))


def test_defocus_of_particles() -> None:
    """Prevents an inverted defocus hand: with hand -1, +X is more underfocused at positive tilt."""
    P = geometry.projection_matrices([0], [30], [0], [0], [0], 2.0, (100, 100), (100, 100, 100))
    beside = np.array([[60.0, 50, 50], [50, 50, 50]])
    found = geometry.defocus_of([20000], P, beside, hand=-1, pixel=2.0, tomogram_size=(100, 100, 100))
    np.testing.assert_allclose(found, [[20000 + 10 * 2.0 * np.sin(np.radians(30)), 20000]])
    other = geometry.defocus_of([20000], P, beside, hand=1, pixel=2.0, tomogram_size=(100, 100, 100), slope=0.5)
    np.testing.assert_allclose(other, [[20000 - 5.0, 20000]])


def test_sizes() -> None:
    """Prevents odd tomograms (half a pixel off) and boxes that are slow to transform."""
    assert [geometry.even_size(n) for n in (0.2, 4, 4.9, 5, 5.1, 999.99)] == [2, 4, 4, 6, 6, 1000]
    assert [geometry.good_box_size(n) for n in (1, 47, 49, 62, 64, 97.2, 334)] == [2, 48, 50, 64, 64, 100, 360]
    assert geometry.even_tomogram_size((1023, 1440, 500), 7.84, 1.96) == (4092, 5760, 2000)
    assert geometry.even_tomogram_size((341, 480, 125), 5.43, 1.81) == (1024, 1440, 376)


def test_wrong_shapes_are_named() -> None:
    """Prevents a table handed over turned from giving numbers."""
    with pytest.raises(ValueError, match=r'angles must have shape \(n, 3\), not \(3, 4\)'):
        geometry.euler_to_matrix(np.zeros((3, 4)))
    with pytest.raises(ValueError, match='coords'):
        geometry.compose_pose(np.zeros(2))


def test_specimen_centre_of_a_shifted_tomogram() -> None:
    """Prevents every particle 216 Å off: a tomogram reconstructed with a shift keeps its coordinates to the tilt axis.

    The tomogram was shifted by 20 voxels in Z: its middle is not where the tilt axis runs, and what is at the tilt
    axis is at voxel dim/2 + 20. Scipion's origin is the position of the first voxel.
    """
    dims, voxel = (400, 400, 200), 10.8
    origin = (-200 * voxel, -200 * voxel, -(100 + 20) * voxel)
    on_axis = np.array([[200.0, 200.0, 120.0]]) + np.asarray(origin) / voxel
    zero = geometry.scipion_zero(dims, voxel, origin)
    np.testing.assert_allclose(geometry.centered_from_scipion(on_axis, voxel, zero), np.zeros((1, 3)), atol=1e-9)
    # The same point of the specimen in the tomogram without shift: voxel 100.
    plain = np.array([[200.0, 200.0, 100.0]]) - np.asarray(dims) / 2
    default = tuple(-size / 2 * voxel for size in dims)
    np.testing.assert_allclose(
        geometry.centered_from_scipion(plain, voxel, geometry.scipion_zero(dims, voxel, default)),
        geometry.centered_from_voxel([[200, 200, 100]], dims, voxel), atol=1e-9)


def test_coordinates_of_another_sampling_and_without_origin(random: np.random.Generator) -> None:
    """Prevents positions scaled by the tomogram's pixel when the picks have their own; tomograms without an origin."""
    dims, voxel = (400, 300, 200), 10.0
    default = tuple(-size / 2 * voxel for size in dims)
    index = random.uniform(0, 200, (5, 3))
    expected = geometry.centered_from_voxel(index, dims, voxel)
    for origin in (default, (0.0, 0.0, 0.0)):
        for sampling in (10.0, 5.0, 2.62):
            raw = (index * voxel + np.asarray(origin)) / sampling
            zero = geometry.scipion_zero(dims, voxel, origin)
            found = geometry.centered_from_scipion(raw, sampling, zero)
            np.testing.assert_allclose(found, expected, atol=1e-9)
            np.testing.assert_allclose(geometry.scipion_from_centered(found, sampling, zero), raw, atol=1e-9)
