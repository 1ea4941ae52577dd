"""Every convention of angles, positions and projections, once.

Arrays are float64. Angles are in degrees, (n, 3) as rot, tilt, psi (ZYZ); matrices are (n, 3, 3); positions are (n, 3)
as X, Y, Z. A rotation is undone by its transpose, never by a numerical inverse.

The formulas are those of RELION 5 (jaz/tomography/tomogram.cpp, euler.cpp) and of scipion-em-tomo
(tomo/objects.py); tests/relion/test_geometry_relion.py holds them against RELION's own images and maps.
"""
from typing import Optional, Sequence, Tuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

# Below this sine of the tilt angle rot and psi turn about the same axis, and rot is set to 0 (as RELION does).
_SAME_AXIS = 2e-6
# How far a tilt image's 2 x 2 matrix may be from a rotation: IMOD's magnification, stretch and rounding stay below it.
_NOT_A_ROTATION = 0.1


def _rows(values: ArrayLike, width: int, name: str) -> np.ndarray:
    array = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if array.ndim != 2 or array.shape[1] != width:
        raise ValueError(f'{name} must have shape (n, {width}), not {np.shape(values)}')
    return array


def _axis_rotation(angles: ArrayLike, axis: int) -> np.ndarray:
    """Active right-handed rotations (n, 4, 4) about axis 0, 1 or 2 (X, Y, Z)."""
    radians = np.radians(np.atleast_1d(np.asarray(angles, dtype=np.float64)))
    matrices = np.tile(np.eye(4), (len(radians), 1, 1))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrices[:, first, first] = matrices[:, second, second] = np.cos(radians)
    matrices[:, second, first] = np.sin(radians)
    matrices[:, first, second] = -np.sin(radians)
    return matrices


def euler_to_matrix(angles: ArrayLike) -> np.ndarray:
    """RELION's matrices A (n, 3, 3) of Euler angles (n, 3): rot, tilt, psi in degrees.

    A maps the reference onto the particle: x_particle = A x_reference. It is the transpose of the active
    rotation Rz(rot) Ry(tilt) Rz(psi), that is the inverse of scipy's Rotation.from_euler('ZYZ', angles).
    """
    radians = np.radians(_rows(angles, 3, 'angles').T)
    (ca, cb, cg), (sa, sb, sg) = np.cos(radians), np.sin(radians)
    A = np.empty((radians.shape[1], 3, 3))
    # The product written out: for a million particles the general one takes far longer.
    A[:, 0, 0], A[:, 0, 1], A[:, 0, 2] = ca * cb * cg - sa * sg, sa * cb * cg + ca * sg, -sb * cg
    A[:, 1, 0], A[:, 1, 1], A[:, 1, 2] = -ca * cb * sg - sa * cg, ca * cg - sa * cb * sg, sb * sg
    A[:, 2, 0], A[:, 2, 1], A[:, 2, 2] = ca * sb, sa * sb, cb
    return A


def matrix_to_euler(matrices: ArrayLike) -> np.ndarray:
    """Euler angles (n, 3) in degrees of matrices A (n, 3, 3); the inverse of euler_to_matrix.

    rot and psi lie in (-180, 180], tilt in [0, 180]; at tilt 0 or 180 rot is 0. psi is taken from what rot
    leaves over, so that the pose stays exact however badly rot and psi can be told apart.
    """
    A = np.asarray(matrices, dtype=np.float64).reshape(-1, 3, 3)
    sine = np.hypot(A[:, 2, 0], A[:, 2, 1])
    rot = np.where(sine > _SAME_AXIS, np.arctan2(A[:, 2, 1], A[:, 2, 0]), 0.0)
    tilt = np.arctan2(sine, A[:, 2, 2])
    psi = np.arctan2(A[:, 0, 1] * np.cos(rot) - A[:, 0, 0] * np.sin(rot),
                     A[:, 1, 1] * np.cos(rot) - A[:, 1, 0] * np.sin(rot))
    return np.degrees(np.stack([rot, tilt, psi], axis=1))


def _apply(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Matrix times vector, row by row: (n, 3, 3) and (n, 3) -> (n, 3)."""
    return np.einsum('nij,nj->ni', matrices, vectors)


def compose_pose(coords: ArrayLike, origins: Optional[ArrayLike] = None, sub_angles: Optional[ArrayLike] = None,
                 part_angles: Optional[ArrayLike] = None) -> Tuple[np.ndarray, np.ndarray]:
    """The full pose of particles STAR rows: centred positions (n, 3) in Å and A (n, 3, 3).

    coords: rlnCenteredCoordinate*Angst; origins: rlnOrigin*Angst (Å); sub_angles: rlnTomoSubtomogramRot/Tilt/Psi;
    part_angles: rlnAngleRot/Tilt/Psi. What is None counts as 0. position = coords - A_sub origin; A = A_sub A_part.
    """
    positions = _rows(coords, 3, 'coords')
    A_part = np.tile(np.eye(3), (len(positions), 1, 1)) if part_angles is None else euler_to_matrix(part_angles)
    shifts = np.zeros_like(positions) if origins is None else _rows(origins, 3, 'origins')
    if sub_angles is None:
        return positions - shifts, A_part
    A_sub = euler_to_matrix(sub_angles)
    return positions - _apply(A_sub, shifts), A_sub @ A_part


def centered_from_voxel(index: ArrayLike, size: ArrayLike, voxel: float) -> np.ndarray:
    """Centred coordinates (n, 3) in Å of 0-based voxel indices (n, 3) in a tomogram of `size` voxels (X, Y, Z).

    RELION's centre is index size/2 at any binning, without a half-voxel term.
    """
    return (_rows(index, 3, 'index') - np.asarray(size, dtype=np.float64) / 2) * voxel


def voxel_from_centered(coords: ArrayLike, size: ArrayLike, voxel: float) -> np.ndarray:
    """0-based voxel indices (n, 3), fractional, of centred coordinates (n, 3) in Å; inverse of centered_from_voxel."""
    return _rows(coords, 3, 'coords') / voxel + np.asarray(size, dtype=np.float64) / 2


def scipion_zero(tomogram_dims: ArrayLike, tomogram_voxel: float, origin_shift_A: ArrayLike) -> np.ndarray:
    """Centred position (3,) in Å of Scipion's raw coordinate 0 in a tomogram.

    tomogram_dims (X, Y, Z) in voxels of tomogram_voxel Å (NaN where unknown); origin_shift_A: the tomogram's
    getShiftsFromOrigin().

    Scipion keeps a coordinate relative to the point at -origin_shift from the first voxel. By default that is the
    volume's middle; a tomogram reconstructed with a shift (IMOD's SHIFT) has another origin, so that the point stays
    where the tilt axis runs. RELION counts from there as well, wherever the volume lies around it: the result is 0.
    Only an origin of 0 (within a voxel) says nothing of the alignment: it names the volume's corner, as files
    without an origin do, and the result is minus half the volume.
    """
    if np.all(np.abs(np.asarray(origin_shift_A, dtype=np.float64)) < tomogram_voxel):
        return np.asarray(tomogram_dims, dtype=np.float64) * (-tomogram_voxel / 2)
    return np.zeros(3)


def centered_from_scipion(xyz: ArrayLike, coords_sampling: float, zero: ArrayLike) -> np.ndarray:
    """Centred coordinates (n, 3) in Å of raw _x, _y, _z (n, 3) of Scipion's Coordinate3D.

    coords_sampling: Å per pixel of the coordinates' set, which may differ from the tomogram's. zero: scipion_zero of
    the tomogram of each (n, 3), or of all (3,).
    """
    return np.asarray(_rows(xyz, 3, 'xyz') * coords_sampling + np.asarray(zero, dtype=np.float64))


def scipion_from_centered(coords: ArrayLike, coords_sampling: float, zero: ArrayLike) -> np.ndarray:
    """Raw _x, _y, _z (n, 3) of Scipion's Coordinate3D of centred coordinates (n, 3) in Å; the inverse of
    centered_from_scipion."""
    return np.asarray((_rows(coords, 3, 'coords') - np.asarray(zero, dtype=np.float64)) / coords_sampling)


def scipion_from_pose(A: ArrayLike, shift_px: ArrayLike = 0) -> np.ndarray:
    """Scipion's transform matrices (n, 4, 4) of A (n, 3, 3) and RELION's origins in pixels (n, 3).

    Scipion defines f'(r) = f(M r), from particle to reference: rotation A^T, translation A^T (rlnOrigin / pixel).
    """
    back = np.asarray(A, dtype=np.float64).reshape(-1, 3, 3).transpose(0, 2, 1)
    matrices = np.tile(np.eye(4), (len(back), 1, 1))
    matrices[:, :3, :3] = back
    matrices[:, :3, 3] = _apply(back, np.broadcast_to(np.asarray(shift_px, dtype=np.float64), (len(back), 3)))
    return matrices


def pose_from_scipion(M: ArrayLike) -> Tuple[np.ndarray, np.ndarray]:
    """A (n, 3, 3) and origins in pixels (n, 3) of Scipion's matrices (n, 4, 4); inverse of scipion_from_pose."""
    matrices = np.asarray(M, dtype=np.float64).reshape(-1, 4, 4)
    A = np.ascontiguousarray(matrices[:, :3, :3].transpose(0, 2, 1))
    return A, _apply(A, matrices[:, :3, 3])


def tilt_from_transform(transforms: ArrayLike, pixel: float) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """rlnTomoZRot (degrees), rlnTomoXShiftAngst and rlnTomoYShiftAngst (Å), each (n,).

    transforms (n, 3, 3): IMOD-style matrices raw -> aligned, aligned = M raw + D, D in pixels of `pixel` Å, from the
    image centre. ZRot = atan2(M01, M00); shift = -M^-1 D pixel. A matrix that is no rotation (mirrored, flattened, or
    with a magnification beyond 5%) raises ValueError: RELION cannot express it.
    """
    T = np.asarray(transforms, dtype=np.float64).reshape(-1, 3, 3)
    M, D = T[:, :2, :2], T[:, :2, 2]
    determinant = M[:, 0, 0] * M[:, 1, 1] - M[:, 0, 1] * M[:, 1, 0]
    excess = np.abs(M @ M.transpose(0, 2, 1) - np.eye(2)).max(axis=(1, 2))
    wrong = np.flatnonzero(~((determinant > 0) & (excess < _NOT_A_ROTATION)))
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(f'the alignment matrix of tilt image {row + 1} is not a rotation: {M[row].round(4).tolist()}. '
                         'RELION takes a tilt axis angle and shifts only; align the tilt series without stretch and '
                         'mirror, or leave this image out')
    # A rotation with a slight magnification: the 2 x 2 inverse written out, exact for both.
    shift_x = -(M[:, 1, 1] * D[:, 0] - M[:, 0, 1] * D[:, 1]) / determinant * pixel
    shift_y = -(M[:, 0, 0] * D[:, 1] - M[:, 1, 0] * D[:, 0]) / determinant * pixel
    return np.degrees(np.arctan2(M[:, 0, 1], M[:, 0, 0])), shift_x, shift_y


def transform_from_tilt(z_rot: ArrayLike, x_shift: ArrayLike, y_shift: ArrayLike, pixel: float) -> np.ndarray:
    """IMOD-style matrices raw -> aligned (n, 3, 3), in pixels, of ZRot (degrees) and shifts (Å), each (n,)."""
    turned = _axis_rotation(z_rot, 2)[:, :2, :2].transpose(0, 2, 1)
    shifts = np.stack([np.atleast_1d(x_shift), np.atleast_1d(y_shift)], axis=1).astype(np.float64) / pixel
    matrices = np.tile(np.eye(3), (len(turned), 1, 1))
    matrices[:, :2, :2] = turned
    matrices[:, :2, 2] = -np.einsum('nij,nj->ni', turned, shifts)
    return matrices


def projection_matrices(x_tilt: ArrayLike, y_tilt: ArrayLike, z_rot: ArrayLike, x_shift_A: ArrayLike,
                        y_shift_A: ArrayLike, pixel: float, image_size: Sequence[int],
                        tomogram_size: Sequence[int]) -> np.ndarray:
    """RELION's projection of each tilt image: (n, 4, 4) from unbinned tomogram pixels to image pixels.

    Columns (n,) of the tilt-series STAR: rlnTomoXTilt, YTilt, ZRot (degrees), rlnTomoX/YShiftAngst (Å). image_size
    (W, H) and tomogram_size (X, Y, Z) in pixels of `pixel` Å.
    q = T(shift/pixel) T(image//2) Rz Ry Rx T(-tomogram//2) p, where q.x and q.y are 0-based image pixels and q.z is
    the depth in pixels.
    """
    matrices = _axis_rotation(z_rot, 2) @ _axis_rotation(y_tilt, 1) @ _axis_rotation(x_tilt, 0)
    centre = np.asarray(tomogram_size, dtype=np.int64) // 2
    matrices[:, :3, 3] = -np.einsum('nij,j->ni', matrices[:, :3, :3], centre.astype(np.float64))
    matrices[:, 0, 3] += np.asarray(x_shift_A, dtype=np.float64) / pixel + image_size[0] // 2
    matrices[:, 1, 3] += np.asarray(y_shift_A, dtype=np.float64) / pixel + image_size[1] // 2
    return matrices


def tilt_from_projections(matrices: ArrayLike, pixel: float, image_size: Sequence[int],
                          tomogram_size: Sequence[int]) -> Tuple[np.ndarray, ...]:
    """rlnTomoXTilt, YTilt, ZRot (degrees), rlnTomoX/YShiftAngst (Å), each (n,), of matrices (n, 4, 4): the inverse of
    projection_matrices, as RELION 5 reads the matrices of RELION 4. Raises ValueError where one is no rotation."""
    P = np.asarray(matrices, dtype=np.float64).reshape(-1, 4, 4)
    R = P[:, :3, :3]
    excess = np.abs(R @ R.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    wrong = np.flatnonzero(~((np.linalg.det(R) > 0) & (excess < _NOT_A_ROTATION)))
    if len(wrong):
        raise ValueError(f'the projection matrix of tilt image {wrong[0] + 1} is not a rotation: '
                         f'{R[wrong[0]].round(4).tolist()}; RELION takes angles and shifts only')
    y_tilt = np.arctan2(-R[:, 2, 0], np.hypot(R[:, 0, 0], R[:, 1, 0]))
    x_tilt, z_rot = np.arctan2(R[:, 2, 1], R[:, 2, 2]), np.arctan2(R[:, 1, 0], R[:, 0, 0])
    centre = np.asarray(tomogram_size, dtype=np.int64) // 2
    middle = P[:, :2, 3] + np.einsum('nij,j->ni', R[:, :2], centre.astype(np.float64))
    shifts = (middle - np.asarray(image_size, dtype=np.int64)[:2] // 2) * pixel
    return (*np.degrees([x_tilt, y_tilt, z_rot]), shifts[:, 0], shifts[:, 1])


def tilt_series_projections(tilt_series: pd.DataFrame, pixel: float, image_size: Sequence[int],
                            tomogram_size: Sequence[int]) -> np.ndarray:
    """As projection_matrices, from a tilt-series STAR table (rlnTomoXTilt may be absent: 0)."""
    x_tilt = tilt_series['rlnTomoXTilt'] if 'rlnTomoXTilt' in tilt_series else np.zeros(len(tilt_series))
    return projection_matrices(x_tilt, tilt_series['rlnTomoYTilt'], tilt_series['rlnTomoZRot'],
                               tilt_series['rlnTomoXShiftAngst'], tilt_series['rlnTomoYShiftAngst'],
                               pixel, image_size, tomogram_size)


def project(matrices: ArrayLike, positions_px: ArrayLike) -> np.ndarray:
    """(tilts, particles, 3): image x, y (0-based pixels) and depth of positions (particles, 3) in tomogram pixels.

    positions_px are unbinned and 0-based: voxel_from_centered(coords, tomogram_size, pixel).
    """
    P = np.asarray(matrices, dtype=np.float64).reshape(-1, 4, 4)
    return np.einsum('tij,pj->tpi', P[:, :3, :3], _rows(positions_px, 3, 'positions_px')) + P[:, None, :3, 3]


def defocus_of(defocus: ArrayLike, matrices: ArrayLike, positions_px: ArrayLike, hand: float, pixel: float,
               tomogram_size: ArrayLike, slope: float = 1.0) -> np.ndarray:
    """Defocus (tilts, particles) in Å of particles, from the defocus (tilts,) at the tomogram's centre in Å.

    hand is rlnTomoHand: +1 means that a larger depth is more underfocused, -1 the opposite. slope is
    rlnTomoDefocusSlope. The depth counts from the floating-point centre tomogram_size/2, as in RELION.
    """
    depth = project(matrices, positions_px)[:, :, 2]
    centre = project(matrices, np.asarray(tomogram_size, dtype=np.float64)[None] / 2)[:, :, 2]
    return np.asarray(defocus, dtype=np.float64)[:, None] + hand * slope * pixel * (depth - centre)


def even_size(n: float) -> int:
    """The even integer nearest to n, at least 2 (odd numbers go up: 5 -> 6, and so does 4.9999999)."""
    return max(2, 2 * int(np.floor(float(n) / 2 + 0.5 + 1e-6)))


def good_box_size(n: float) -> int:
    """The smallest even size not below n whose prime factors are 2, 3 and 5 only: quick to Fourier transform."""
    size = max(2, 2 * int(np.ceil(float(n) / 2 - 1e-9)))
    while _without_small_factors(size) != 1:
        size += 2
    return size


def _without_small_factors(size: int) -> int:
    for factor in (2, 3, 5):
        while size % factor == 0:
            size //= factor
    return size


def even_tomogram_size(volume_size: Sequence[int], voxel: float, pixel: float) -> Tuple[int, int, int]:
    """rlnTomoSizeX/Y/Z: even sizes in tilt-series pixels of a volume of `volume_size` voxels (X, Y, Z) of `voxel` Å.

    Odd sizes put RELION's particles and projections half a pixel apart.
    """
    x, y, z = (even_size(n * voxel / pixel) for n in volume_size)
    return x, y, z
