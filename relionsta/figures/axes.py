"""The horizontal axis of all spectra: spatial frequency in 1/Å below, the same in Å above."""
from typing import List, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, Locator

from .style import GREY

FREQUENCY_LABEL = 'Spatial frequency (1/Å)'
RESOLUTION_LABEL = 'Resolution (Å)'
_STEPS = (1., 1.2, 1.5, 2., 2.5, 3., 3.5, 4., 5., 6., 7., 8.)
_CLOSEST = 0.055  # of the axis, between two numbers in Å


class ResolutionLocator(Locator):
    """Places round numbers of Å on an axis of spatial frequency (1/Å), fine ones first, none too close to another."""

    def __call__(self) -> Sequence[float]:
        low, high = self.axis.get_view_interval()  # type: ignore[union-attr]
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        low, high = sorted((vmin, vmax))
        if high <= 0:
            return []
        exponents = range(int(np.floor(np.log10(1 / high))), 5)
        places = [1 / (step * 10. ** exponent) for exponent in exponents for step in _STEPS]
        apart = _CLOSEST * (high - low)
        chosen: List[float] = []
        for place in places:
            if max(low, apart) < place <= high and (not chosen or chosen[-1] - place > apart):
                chosen.append(place)
        return chosen


def frequency_axis(axes: Axes, nyquist: float) -> None:
    """Horizontal axis from 0 to Nyquist (`nyquist` in Å), which is marked; Å along the top."""
    axes.set_xlim(0, 1.02 / nyquist)
    axes.set_xlabel(FREQUENCY_LABEL)
    top = axes.secondary_xaxis('top')
    top.set_xlabel(RESOLUTION_LABEL)
    top.xaxis.set_major_locator(ResolutionLocator())
    top.xaxis.set_major_formatter(FuncFormatter(_angstrom))
    axes.axvline(1. / nyquist, color=GREY, linewidth=1, linestyle=':', label='_nyquist')
    axes.text(0.994 / nyquist, 0.98, 'Nyquist %.4g Å' % nyquist, transform=axes.get_xaxis_transform(), rotation=90,
              ha='right', va='top', fontsize=8, color=GREY)


def _angstrom(frequency: float, _position: int) -> str:
    return '%.3g' % (1. / frequency) if frequency > 0 else ''

