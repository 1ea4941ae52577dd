"""Comparing two density maps: the same grid, a low-pass, and the best rotation and shift."""
from typing import NamedTuple, Optional, Tuple

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

# A cubic spline keeps a wave that spans this many voxels to within 4%, longer ones better.
_VOXELS_PER_WAVE = 3.5
_EDGE_SHELLS = 2.0
_COARSE_FACTOR = 3.0
_KEPT_STARTS, _FINISHED_STARTS = 8, 2


class MapMatch(NamedTuple):
    """cc: correlation after the best rigid motion; rotation_deg and shift_A: the size of that motion."""

    cc: float
    rotation_deg: float
    shift_A: float


def resample(volume: np.ndarray, box: int) -> np.ndarray:
    """The cubic map on an even box of other size over the same field, by cutting or padding its transform."""
    small = min(box, len(volume)) // 2
    spectrum = np.fft.fftshift(np.fft.fftn(np.asarray(volume, dtype=np.float64)))
    result = np.zeros((box,) * 3, dtype=complex)
    # The Nyquist plane of the smaller grid is left out: it has no partner.
    source, target = (tuple(slice(n // 2 - small + 1, n // 2 + small) for _ in range(3)) for n in (len(volume), box))
    result[target] = spectrum[source]
    return np.fft.ifftn(np.fft.ifftshift(result)).real * (box / len(volume)) ** 3


def low_pass(volume: np.ndarray, pixel: float, resolution_A: float) -> np.ndarray:
    """The map with frequencies beyond 1/resolution_A removed; the raised-cosine edge is two shells wide."""
    n = len(volume)
    full, half = np.fft.fftfreq(n, pixel), np.fft.rfftfreq(n, pixel)
    radius = np.sqrt(full[:, None, None] ** 2 + full[:, None] ** 2 + half ** 2)
    edge = np.clip((radius - 1 / resolution_A) * n * pixel / _EDGE_SHELLS + 0.5, 0, 1)
    return np.fft.irfftn(np.fft.rfftn(volume) * (0.5 + 0.5 * np.cos(np.pi * edge)), volume.shape)


def soft_sphere(box: int, edge: float = 0.08) -> np.ndarray:
    """A spherical mask that fills the box, with a soft edge (a fraction of the box)."""
    axis = (np.arange(box) - box // 2) / box
    radius = np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis ** 2)
    return 0.5 + 0.5 * np.cos(np.pi * np.clip((radius - 0.48 + edge) / edge, 0, 1))


class _Aligner:
    """The residual between a fixed map and a moved one inside a mask, both on one grid and of unit power."""

    def __init__(self, fixed: np.ndarray, moving: np.ndarray, mask: np.ndarray, pixel: float,
                 resolution_A: float) -> None:
        field = len(fixed) * pixel
        box = max(16, 2 * int(np.ceil(field * _VOXELS_PER_WAVE / resolution_A / 2)))
        self.voxel = field / box
        grid_mask = np.clip(resample(mask, box), 0, 1)
        inside = grid_mask > 0.05
        self.weights = grid_mask[inside]
        # X, Y, Z in Å from the centre.
        self.points = (np.argwhere(inside)[:, ::-1] - box // 2) * self.voxel
        self.centre = box // 2
        self.fixed = self._normalised(resample(low_pass(fixed, pixel, resolution_A), box)[inside])
        self.moving = spline_filter(resample(low_pass(moving, pixel, resolution_A), box), order=3)

    def _normalised(self, values: np.ndarray) -> np.ndarray:
        centred = (values - np.average(values, weights=self.weights)) * np.sqrt(self.weights)
        power = np.linalg.norm(centred)
        return centred / power if power > 0 else centred

    def residual(self, motion: np.ndarray) -> np.ndarray:
        """fixed - moved, (points,); motion (6,): rotation vector (radians), then a shift in units of 100 Å."""
        turned = (self.points - 100 * motion[3:]) @ Rotation.from_rotvec(motion[:3]).as_matrix()
        indices = (turned / self.voxel + self.centre).T[::-1]
        return self.fixed - self._normalised(map_coordinates(self.moving, indices, order=3, prefilter=False))

    def cc(self, motion: np.ndarray) -> float:
        """Both maps have unit power, so |fixed - moved|^2 = 2 - 2 CC."""
        return float(1 - np.sum(self.residual(motion) ** 2) / 2)

    def improve(self, motion: np.ndarray) -> np.ndarray:
        return least_squares(self.residual, motion, method='lm', diff_step=1e-3, xtol=1e-4, ftol=1e-5, max_nfev=140).x


def match_maps(fixed: np.ndarray, moving: np.ndarray, pixel: float, resolution_A: float,
               mask: Optional[np.ndarray] = None, global_search: int = 0) -> MapMatch:
    """Correlation of two cubic maps (Z, Y, X) after the best rotation and shift of `moving`; no scaling of frequencies.

    pixel in Å; both maps are low-passed at resolution_A. mask (Z, Y, X) in 0..1 weighs the voxels of `fixed`; None: a
    sphere that fills the box. The search goes from coarse to fine around the given pose; global_search adds that many
    rotations over all orientations. Raises ValueError where sizes differ or a map is constant.
    """
    if fixed.shape != moving.shape or len(set(fixed.shape)) != 1 or fixed.ndim != 3:
        raise ValueError(f'maps to compare must be cubes of one size, not {fixed.shape} and {moving.shape}')
    weights = soft_sphere(len(fixed)) if mask is None else np.asarray(mask, dtype=np.float64)
    if weights.shape != fixed.shape:
        raise ValueError(f'the mask has {weights.shape} voxels, the map {fixed.shape}')
    if np.ptp(fixed) == 0 or np.ptp(moving) == 0:
        raise ValueError('a map to compare is constant: it has no density')
    coarse = _Aligner(fixed, moving, weights, pixel, _COARSE_FACTOR * resolution_A)
    fine = _Aligner(fixed, moving, weights, pixel, resolution_A)
    starts = [coarse.improve(np.zeros(6))]
    if global_search:
        turns = Rotation.random(global_search, random_state=1).as_rotvec()
        tried = sorted((np.concatenate([turn, np.zeros(3)]) for turn in turns), key=coarse.cc)[-_KEPT_STARTS:]
        starts += sorted((coarse.improve(start) for start in tried), key=coarse.cc)[-_FINISHED_STARTS:]
    best = max((fine.improve(start) for start in starts), key=fine.cc)
    return MapMatch(fine.cc(best), float(np.degrees(np.linalg.norm(best[:3]))), float(100 * np.linalg.norm(best[3:])))


def fourier_shell_correlation(first: np.ndarray, second: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Shell numbers (n,) and the correlation (n,) of two cubic maps in shells of frequency, up to Nyquist."""
    n = len(first)
    full, half = np.fft.fftfreq(n, 1 / n), np.fft.rfftfreq(n, 1 / n)
    shell = np.rint(np.sqrt(full[:, None, None] ** 2 + full[:, None] ** 2 + half ** 2)).astype(int).ravel()
    one, two = np.fft.rfftn(first).ravel(), np.fft.rfftn(second).ravel()
    sums = [np.bincount(shell, values) for values in ((one * two.conj()).real, np.abs(one) ** 2, np.abs(two) ** 2)]
    correlation = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-300))
    return np.arange(n // 2 + 1), correlation[:n // 2 + 1]
