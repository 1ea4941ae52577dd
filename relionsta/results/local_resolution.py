"""What a local-resolution job measured: the resolutions inside of a mask."""
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple, Union

import numpy as np

from .maps import MapError, read_map

PathLike = Union[str, Path]
#: RELION counts a voxel as inside of a mask where the mask is above this.
INSIDE = 0.5


@dataclass(frozen=True)
class LocalResolution:
    """Resolutions in Å of the voxels inside of a mask, or of all that were measured where there is no mask.

    values: (n,) of the voxels that were measured; voxels: how many there are inside. RELION leaves 0 in voxels that
    none of its spheres has reached.
    """

    values: np.ndarray
    voxels: int
    masked: bool

    @property
    def median(self) -> float:
        """Å."""
        return float(np.median(self.values))

    @property
    def quartiles(self) -> Tuple[float, float]:
        """Å; a quarter of the voxels is better than the first, a quarter worse than the second."""
        low, high = np.percentile(self.values, [25, 75])
        return float(low), float(high)

    @property
    def range(self) -> Tuple[float, float]:
        """Best and worst, Å."""
        return float(self.values.min()), float(self.values.max())

    @property
    def unmeasured(self) -> int:
        """Voxels inside that have no value."""
        return self.voxels - len(self.values)


def read_local_resolution(path: PathLike, mask: Optional[PathLike] = None) -> LocalResolution:
    """Read a map of local resolution, and a mask with the same box. Raises MapError where they do not go together, and
    where nothing was measured."""
    resolution = read_map(path, statistics=True)
    inside = np.ones(resolution.shape, dtype=bool)
    if mask is not None:
        weights = read_map(mask)
        if weights.shape != resolution.shape:
            raise MapError('%s: its box is %s voxels (x, y, z) and that of %s is %s'
                           % (mask, weights.shape[::-1], path, resolution.shape[::-1]))
        inside = weights > INSIDE
    measured = inside & (resolution > 0)
    if not measured.any():
        raise MapError('%s: no voxel%s has a resolution' % (path, ' inside of %s' % mask if mask else ''))
    return LocalResolution(resolution[measured], int((inside if mask is not None else measured).sum()), mask is not None)
