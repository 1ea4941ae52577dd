"""A map as a lit surface, seen along its axes: for a look at its shape where no program for molecules is installed."""
from typing import NamedTuple, Tuple

import numpy as np

#: Direction to the light, in the frame of the picture (right, up, towards the viewer): from the upper left.
LIGHT = np.array([-0.45, 0.55, 0.70])
#: Brightness of a surface that the light does not reach.
AMBIENT = 0.25
#: How much darker the far end of the box is than the near one.
FOG = 0.35
#: name -> axes of the map (z, y, x): the one along which one looks, the one that runs up, the one that runs right
DIRECTIONS = {'along z': (0, 1, 2), 'along y': (1, 0, 2), 'along x': (2, 0, 1)}
#: Where the viewer stands at the origin's end of the axis: right, up and towards the viewer are right-handed.
_FROM_THE_ORIGIN = ('along y',)
_SHOWN_ABOVE = 2.0
_LEAST_PART = 0.01


class Surface(NamedTuple):
    """What one sees from one side. depth: (rows, columns) voxels behind the near face, NaN where nothing is seen.
    brightness: (rows, columns), 0 to 1, NaN likewise. Rows run up."""

    depth: np.ndarray
    brightness: np.ndarray


def shade(volume: np.ndarray, threshold: float, direction: str, back: bool = False) -> Surface:
    """The surface of a map (z, y, x) at `threshold`, density above it, seen along an axis, never mirrored.

    direction: one of DIRECTIONS; back: from the other side (what is on the right then is on the left). Brightness is
    Lambert's law with the map's gradient as the normal, less with depth. A map without a voxel above the threshold
    gives NaN everywhere.
    """
    axes = DIRECTIONS[direction]
    seen = np.transpose(np.asarray(volume, dtype=np.float32), axes)
    # Depth runs away from the viewer.
    if back == (direction in _FROM_THE_ORIGIN):
        seen = seen[::-1]
    if back:
        seen = seen[:, :, ::-1]
    above = seen >= threshold
    hit = above.any(axis=0)
    first = above.argmax(axis=0)
    rows, columns = np.nonzero(hit)
    depth = np.full(hit.shape, np.nan)
    brightness = np.full(hit.shape, np.nan)
    if not len(rows):
        return Surface(depth, brightness)
    place = first[rows, columns]
    here = seen[place, rows, columns]
    before = seen[np.maximum(place - 1, 0), rows, columns]
    step = np.where((place > 0) & (here > before), (here - threshold) / np.where(here > before, here - before, 1), 0)
    depth[rows, columns] = place - step
    away, up, right = (_slope(seen, axis, (place, rows, columns)) for axis in range(3))
    # The normal points to lower density; `away` counts from the viewer.
    normal = np.stack([-right, -up, away], axis=1)
    length = np.linalg.norm(normal, axis=1)
    light = LIGHT / np.linalg.norm(LIGHT)
    lit = np.where(length > 0, np.clip(normal @ light / np.where(length > 0, length, 1), 0, 1), 0)
    fog = 1 - FOG * depth[rows, columns] / max(1, len(seen) - 1)
    brightness[rows, columns] = (AMBIENT + (1 - AMBIENT) * lit) * fog
    return Surface(depth, brightness)


def surface_threshold(volume: np.ndarray) -> float:
    """A threshold that shows a map's shape: two standard deviations above the mean, or less where fewer than 1 % of the
    voxels lie above that."""
    values = np.asarray(volume, dtype=np.float32)
    level = float(values.mean(dtype=np.float64) + _SHOWN_ABOVE * values.std(dtype=np.float64))
    return min(level, float(np.quantile(values, 1 - _LEAST_PART)))


def _slope(volume: np.ndarray, axis: int, places: Tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Central difference along an axis at these voxels (n,)."""
    after, before = list(places), list(places)
    after[axis] = np.minimum(places[axis] + 1, volume.shape[axis] - 1)
    before[axis] = np.maximum(places[axis] - 1, 0)
    return volume[tuple(after)] - volume[tuple(before)]
