"""A slab of a tomogram, and the particles in it."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Tuple, Union

import numpy as np

from .. import geometry
from .maps import opened, pixel_size, read_header

#: Å: thickness of the slab unless told
THICKNESS = 100.


@dataclass(frozen=True)
class Slab:
    """Mean of neighbouring slices. image (y, x); voxel: Å; first, last: slices (0-based, both included)."""

    image: np.ndarray
    voxel: float
    first: int
    last: int

    def inside(self, index: Any) -> np.ndarray:
        """True (n,) for places, 0-based voxel indices (n, 3), in the slab and in the image."""
        places = np.asarray(index, dtype=np.float64)
        height, width = self.image.shape
        return np.asarray((places[:, 2] >= self.first - 0.5) & (places[:, 2] < self.last + 0.5)
                          & (places[:, 0] > -0.5) & (places[:, 0] < width - 0.5)
                          & (places[:, 1] > -0.5) & (places[:, 1] < height - 0.5))


def read_slab(path: Union[str, Path], middle: Optional[float] = None, thickness: float = THICKNESS,
              voxel: Optional[float] = None) -> Slab:
    """The mean of the slices within thickness / 2 (Å) of slice `middle` (0-based index; None: the central one).

    Only these slices are read. voxel: Å, instead of the header's. Raises MapError as read_map.
    """
    spacing = pixel_size(path) if voxel is None else voxel
    depth = read_header(path).size[2]
    centre = depth // 2 if middle is None else middle
    half = max(0, int(round(thickness / spacing / 2)))
    first = int(np.clip(round(centre) - half, 0, depth - 1))
    last = int(np.clip(round(centre) + half, first, depth - 1))
    with opened(path, values=False) as mrc:
        image = np.zeros(mrc.data.shape[1:], dtype=np.float64)
        for number in range(first, last + 1):
            image += mrc.data[number]
    return Slab((image / (last - first + 1)).astype(np.float32), spacing, first, last)


def voxel_places(positions: Any, size: Tuple[int, int, int], voxel: float, shift: Any = (0., 0., 0.)) -> np.ndarray:
    """0-based voxel indices (n, 3), fractional, of centred positions (n, 3; Å) in a tomogram of `size` voxels (X, Y, Z).

    shift (3,): centre of the volume seen from the centre of the specimen, Å (0 for a plain tomogram).
    """
    return geometry.voxel_from_centered(np.asarray(positions, dtype=np.float64) - np.asarray(shift), size, voxel)


def busiest(places: Any, thickness: float, voxel: float) -> float:
    """The slice (index) around which a slab of `thickness` Å holds most particles; places (n, 3): voxel indices."""
    depths = np.sort(np.asarray(places, dtype=np.float64)[:, 2])
    width = thickness / voxel
    ends = np.searchsorted(depths, depths + width, side='right')
    best = int(np.argmax(ends - np.arange(len(depths))))
    return float((depths[best] + depths[ends[best] - 1]) / 2)
