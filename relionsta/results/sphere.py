"""A sphere divided into cells of nearly equal area, and its flat, equal-area picture."""
from dataclasses import dataclass
from typing import Any, Tuple

import numpy as np


@dataclass(frozen=True)
class SphereGrid:
    """Cells along rings of equal height in angle; a ring has as many cells as make them about as wide as high.

    counts (rings,): cells of each ring, from the north pole (+Z) on. starts (rings,): number of its first cell.
    directions (cells, 3): unit vectors to the middles. areas (cells,): part of the sphere, exact.
    """

    counts: np.ndarray
    starts: np.ndarray
    directions: np.ndarray
    areas: np.ndarray

    @property
    def northern(self) -> int:
        """So many cells, the first ones, lie on the northern half: no cell crosses the equator."""
        return len(self.areas) // 2

    def cells(self, directions: Any) -> np.ndarray:
        """The cell (n,) in which each unit vector (n, 3) lies."""
        vectors = np.asarray(directions)
        height = np.pi / len(self.counts)
        ring = (np.arccos(np.clip(vectors[:, 2], -1, 1)) / height).astype(np.int64)
        ring = np.minimum(ring, len(self.counts) - 1)
        around = np.arctan2(vectors[:, 1], vectors[:, 0]) / (2 * np.pi) % 1.
        column = (around * self.counts[ring]).astype(np.int64)
        return np.asarray(self.starts[ring] + np.minimum(column, self.counts[ring] - 1))


def sphere_grid(step: float) -> SphereGrid:
    """Cells at most `step` degrees high and about as wide."""
    half = max(1, int(np.ceil(90. / step)))
    edges = np.linspace(0, np.pi, 2 * half + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    counts = np.maximum(3, np.round(2 * np.pi * np.sin(middles) / (edges[1] - edges[0]))).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    theta = np.repeat(middles, counts)
    phi = 2 * np.pi * (np.arange(counts.sum()) - np.repeat(starts, counts) + 0.5) / np.repeat(counts, counts)
    areas = np.repeat((np.cos(edges[:-1]) - np.cos(edges[1:])) / 2 / counts, counts)
    return SphereGrid(counts, starts, from_angles(np.degrees(phi), np.degrees(theta)), areas)


def from_angles(rot: Any, tilt: Any) -> np.ndarray:
    """Unit vectors (n, 3) of RELION's angles in degrees: tilt from +Z, rot from +X towards +Y."""
    phi, theta = np.radians(rot), np.radians(tilt)
    return np.stack([np.cos(phi) * np.sin(theta), np.sin(phi) * np.sin(theta), np.cos(theta) + 0 * phi], axis=-1)


def to_angles(directions: Any) -> Tuple[np.ndarray, np.ndarray]:
    """rot (-180 to 180) and tilt (0 to 180), degrees, of unit vectors (n, 3)."""
    x, y, z = np.asarray(directions, dtype=np.float64).T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(np.hypot(x, y), z))


def lambert(directions: Any, south: bool = False) -> np.ndarray:
    """Places (n, 2) of unit vectors in Lambert's azimuthal equal-area projection about +Z (south: about -Z).

    The equator has radius 1: r = sqrt(2) sin(d / 2), d the angle from the pole (Snyder, Map Projections, USGS 1395, 1987,
    eq. 24-3 for the polar aspect). The southern half is seen through the sphere, so that rot runs the same way in both.
    """
    vectors = np.asarray(directions, dtype=np.float64)
    z = -vectors[:, 2] if south else vectors[:, 2]
    return np.asarray(vectors[:, :2] / np.sqrt(np.maximum(1 + z, 1e-12))[:, None])


def from_lambert(places: Any, south: bool = False) -> np.ndarray:
    """Unit vectors (n, 3) of places (n, 2) in the disc; the inverse of lambert."""
    flat = np.asarray(places, dtype=np.float64)
    squared = (flat ** 2).sum(axis=1)
    z = 1 - squared
    return np.concatenate([flat * np.sqrt(np.maximum(2 - squared, 0))[:, None], (-z if south else z)[:, None]], axis=1)
