"""What a mask is: its values, how much of the box it takes, and whether it keeps a map's density."""
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .maps import PathLike, read_map
from .threshold import low_pass, suggest_threshold, touches_edge

#: The values of a mask may leave 0 to 1 by this much (RELION's own tolerance).
TOLERANCE = 1e-6


@dataclass(frozen=True)
class MaskFacts:
    """A mask's values; fraction: its mean, the part of the box that it encloses; soft: part of the voxels that are neither 0
    nor 1; touches_edge: it is not 0 everywhere in the outermost layer of the box."""

    minimum: float
    maximum: float
    fraction: float
    soft: float
    touches_edge: bool

    @property
    def in_range(self) -> bool:
        """True where all values lie between 0 and 1, as relion_postprocess demands."""
        return self.minimum >= -TOLERANCE and self.maximum <= 1 + TOLERANCE

    @property
    def empty(self) -> bool:
        return self.maximum <= TOLERANCE


def read_mask(path: PathLike) -> MaskFacts:
    """The facts of a mask file. Raises MapError where it is no whole map."""
    data = read_map(path)
    return MaskFacts(float(data.min()), float(data.max()), float(data.mean(dtype=np.float64)),
                     float(np.mean((data > TOLERANCE) & (data < 1 - TOLERANCE))), touches_edge(data > TOLERANCE))


def kept_density(mask: ArrayLike, data: ArrayLike, pixel: float, resolution: float) -> float:
    """The part of a map's particle that a mask keeps: of the voxels above the map's own threshold, those inside.

    mask and data: (Z, Y, X) of one size; pixel and resolution (of the filter) in Å. Raises ThresholdError where the particle
    cannot be told from the noise.
    """
    particle = low_pass(data, pixel, resolution) > suggest_threshold(data, pixel, resolution).threshold
    return float(np.mean(np.asarray(mask)[particle] > 0.5))
