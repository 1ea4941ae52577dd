"""geometry.py against Scipion's own objects."""
from typing import Optional, Tuple

import numpy as np
import pytest

from relionsta import geometry

tomo_objects = pytest.importorskip('tomo.objects')
tomo_constants = pytest.importorskip('tomo.constants')
pwem_objects = pytest.importorskip('pwem.objects')
RELION = tomo_constants.TR_RELION


def poses() -> tuple:
    random = np.random.default_rng(5)
    angles = random.uniform([-180, 0, -180], 180, (10, 3))
    return geometry.euler_to_matrix(angles), random.normal(0, 4, (10, 3))


def test_scipion_takes_the_matrix_for_the_same_pose() -> None:
    """Prevents other plugins from seeing each particle turned or moved the wrong way.

    Scipion's convention 'relion' of a matrix M has translation -rlnOrigin/pixel and rotation A^T: it moves the
    reference by the origin after the rotation.
    """
    A, shifts = poses()
    for matrix, rotation, shift in zip(geometry.scipion_from_pose(A, shifts), A, shifts):
        subtomogram = tomo_objects.SubTomogram()
        subtomogram.setTransform(pwem_objects.Transform(matrix))
        relion = subtomogram.getTransform(convention=RELION).getMatrix()
        np.testing.assert_allclose(relion[:3, :3], rotation.T, atol=1e-12)
        np.testing.assert_allclose(relion[:3, 3], -shift, atol=1e-12)
        # f'(r) = f(M r): a point of the particle goes back to where it is in the reference.
        point = np.array([3.0, -7.0, 5.0])
        in_particle = rotation @ point - shift
        np.testing.assert_allclose((matrix @ [*in_particle, 1])[:3], point, atol=1e-9)


def test_matrix_in_relions_convention_comes_back() -> None:
    """Prevents a pose that another plugin set in RELION's convention from being read as another one."""
    A, shifts = poses()
    for rotation, shift in zip(A, shifts):
        relion = np.eye(4)
        relion[:3, :3], relion[:3, 3] = rotation.T, -shift
        coordinate = tomo_objects.Coordinate3D()
        coordinate.setMatrix(relion, convention=RELION)
        found, found_shift = geometry.pose_from_scipion(coordinate.getMatrix())
        np.testing.assert_allclose(found[0], rotation, atol=1e-12)
        np.testing.assert_allclose(found_shift[0], shift, atol=1e-9)


@pytest.mark.parametrize('origin', [None, (0.0, 0.0, 0.0), (-700.0, -500.0, -516.0)])
def test_coordinates_are_where_scipion_puts_them(origin: Optional[Tuple[float, float, float]]) -> None:
    """Prevents a misreading of Scipion's raw coordinates, whatever the origin of the tomogram."""
    dims, voxel, corner = (140, 100, 60), 10.0, (30.0, 80.0, 10.0)
    tomogram = tomo_objects.Tomogram()
    tomogram.setSamplingRate(voxel)
    tomogram.setObjId(1)
    tomogram.getDim = lambda: dims  # type: ignore[method-assign]
    transform = pwem_objects.Transform()
    shifts = origin if origin is not None else tuple(-size / 2 * voxel for size in dims)
    transform.setShifts(*shifts)
    tomogram.setOrigin(transform)
    coordinate = tomo_objects.Coordinate3D()
    coordinate.setVolume(tomogram)
    coordinate.setPosition(*corner, tomo_constants.BOTTOM_LEFT_CORNER)
    raw = coordinate.getPosition(tomo_constants.SCIPION)
    zero = geometry.scipion_zero(dims, voxel, tomogram.getShiftsFromOrigin())
    found = geometry.centered_from_scipion([raw], voxel, zero)[0]
    in_volume = geometry.centered_from_voxel([corner], dims, voxel)[0]
    # What the origin moves the middle of the volume away from the tilt axis; an origin of 0 says nothing of it.
    moved = np.zeros(3) if not any(shifts) else np.asarray(shifts) + np.asarray(dims) * voxel / 2
    np.testing.assert_allclose(found, in_volume + moved, atol=1e-9)
