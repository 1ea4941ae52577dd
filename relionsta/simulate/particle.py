"""Particles made by a formula: sums of Gaussians, so a density map exists at any box, pixel size and pose.

`two_lobes` is the particle to be averaged: a large and a small lobe with the size ratio of a ribosome's subunits, three
arms and a dense helix that make it chiral, and fine detail. `barrel` is a clearly different species, a hollow
stack of rings, for classification.
"""
from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike

# Everything below is in units of the particle's diameter, in the frame of the reference (X, Y, Z).
# A lobe: centre, semi-axes, turn about Z and then Y (degrees), number of Gaussians.
_LOBES = (
    ((0.00, 0.00, -0.13), (0.36, 0.30, 0.26), (20.0, 0.0), 420),
    ((0.05, 0.03, 0.27), (0.31, 0.16, 0.15), (-40.0, 12.0), 150),
)
# An arm: from, to, number of Gaussians. Their places break every mirror plane.
_ARMS = (
    ((0.28, 0.10, -0.10), (0.47, 0.05, 0.06), 14),
    ((-0.25, 0.14, -0.05), (-0.34, 0.30, 0.17), 14),
    ((-0.05, -0.24, -0.20), (0.12, -0.42, -0.10), 12),
)
_HELIX_RADIUS, _HELIX_PITCH, _HELIX_TURNS, _HELIX_POINTS = 0.17, 0.15, 2.2, 60
_BODY_SIGMA = 0.034
#: Å
DETAIL_SIGMA = 2.0
_DETAIL_POINTS = 420


class Blobs(NamedTuple):
    """A density as a sum of isotropic Gaussians: centres (n, 3) as X, Y, Z in Å, sigmas (n,) in Å, masses (n,)."""

    centres: np.ndarray
    sigmas: np.ndarray
    masses: np.ndarray

    @property
    def radius(self) -> float:
        """Å from the origin to the farthest edge, two sigma beyond the last centre."""
        return float(np.max(np.linalg.norm(self.centres, axis=1) + 2 * self.sigmas))


def _turn(about_z: float, about_y: float) -> np.ndarray:
    z, y = np.radians([about_z, about_y])
    first = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]) @ first


def _inside_lobe(lobe: Tuple, count: int, random: np.random.RandomState) -> np.ndarray:
    """`count` points, uniform inside one ellipsoid."""
    centre, axes, turns, _ = lobe
    direction = random.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    ball = direction * np.cbrt(random.uniform(size=(count, 1)))
    return (ball * np.asarray(axes)) @ _turn(*turns).T + np.asarray(centre)


def _helix() -> np.ndarray:
    """Points on a right-handed helix inside the large lobe."""
    turn = np.linspace(0, _HELIX_TURNS, _HELIX_POINTS)
    height = (turn - _HELIX_TURNS / 2) * _HELIX_PITCH - 0.13
    angle = 2 * np.pi * turn
    return np.stack([_HELIX_RADIUS * np.cos(angle), _HELIX_RADIUS * np.sin(angle), height], axis=1)


def two_lobes(diameter: float, fine: float = 1.0, fine_sigma: float = DETAIL_SIGMA) -> Blobs:
    """The particle of the scene, about `diameter` Å long, its fine detail `fine` times as heavy as in the demo, of Gaussians
    of `fine_sigma` Å.

    The same numbers on every machine: the stream is frozen.
    """
    random = np.random.RandomState(80)
    body = np.concatenate([_inside_lobe(lobe, lobe[3], random) for lobe in _LOBES])
    body_mass = random.gamma(0.8, 1 / 0.8, len(body))
    arms = np.concatenate([np.linspace(start, end, count) for start, end, count in _ARMS])
    helix = _helix()
    volumes = np.array([np.prod(lobe[1]) for lobe in _LOBES])
    share = np.round(_DETAIL_POINTS * volumes / volumes.sum()).astype(int)
    detail = np.concatenate([_inside_lobe(lobe, count, random) for lobe, count in zip(_LOBES, share)])
    centres = np.concatenate([body, arms, helix, detail]) * diameter
    masses = np.concatenate([body_mass, np.full(len(arms), 1.6), np.full(len(helix), 1.2),
                             fine * 0.15 * random.uniform(0.5, 1.5, len(detail))])
    sigmas = np.concatenate([np.full(len(body) + len(arms) + len(helix), _BODY_SIGMA * diameter),
                             np.full(len(detail), fine_sigma)])
    return _centred(centres, sigmas, masses)


def barrel(diameter: float) -> Blobs:
    """The decoy species: four stacked rings of seven around a hollow core, about `diameter` Å long; same mass."""
    angle = 2 * np.pi * np.arange(21) / 21
    rings = []
    for level, radius in ((-0.33, 0.22), (-0.11, 0.27), (0.11, 0.27), (0.33, 0.22)):
        wave = radius * (1 + 0.12 * np.cos(7 * angle))
        rings.append(np.stack([wave * np.cos(angle), wave * np.sin(angle), np.full(21, level)], axis=1))
    centres = np.concatenate(rings) * diameter
    masses = np.full(len(centres), two_lobes(diameter).masses.sum() / len(centres))
    return _centred(centres, np.full(len(centres), 0.04 * diameter), masses)


def _centred(centres: np.ndarray, sigmas: np.ndarray, masses: np.ndarray) -> Blobs:
    return Blobs(centres - np.average(centres, axis=0, weights=masses), sigmas, masses)


def sample(blobs: Blobs, box: int, pixel: float, A: Optional[ArrayLike] = None,
           shift: Sequence[float] = (0.0, 0.0, 0.0)) -> np.ndarray:
    """The density map (box, box, box) as Z, Y, X, float32: mass per Å^3, protein positive, centre at index box/2.

    pixel in Å. A (3, 3) and shift (Å) pose the particle: x = A x_reference + shift, RELION's convention. The map is
    the exact density, limited to the sphere of frequencies below Nyquist, so maps of several pixel sizes agree where
    both have signal. Raises ValueError where the box is odd or too small to hold the particle.
    """
    if box < 4 or box % 2:
        raise ValueError(f'box is {box} pixels; it must be even and at least 4')
    if box * pixel < 2 * blobs.radius:
        raise ValueError(f'box of {box} pixels of {pixel} Å is {box * pixel:.0f} Å, the particle needs '
                         f'{2 * blobs.radius:.0f} Å: take a larger box or a smaller particle')
    centres = blobs.centres @ (np.eye(3) if A is None else np.asarray(A, dtype=np.float64).reshape(3, 3)).T
    centres = centres + np.asarray(shift, dtype=np.float64) + box // 2 * pixel
    full, half = np.fft.fftfreq(box, pixel), np.fft.rfftfreq(box, pixel)

    def waves(frequencies: np.ndarray, positions: np.ndarray) -> np.ndarray:
        # The transform of an isotropic Gaussian is a product over X, Y and Z: one factor per axis, (n, frequencies).
        decay = np.exp(-2 * (np.pi * blobs.sigmas[:, None] * frequencies) ** 2)
        return decay * np.exp(-2j * np.pi * positions[:, None] * frequencies)

    x, y, z = waves(half, centres[:, 0]), waves(full, centres[:, 1]), waves(full, centres[:, 2])
    z = z * blobs.masses[:, None]
    transform = np.stack([(y * z[:, i, None]).T @ x for i in range(box)])
    squares = full[:, None, None] ** 2 + full[:, None] ** 2 + half ** 2
    transform[squares >= (0.5 / pixel) ** 2] = 0
    return (np.fft.irfftn(transform, (box, box, box)) / pixel ** 3).astype(np.float32)
