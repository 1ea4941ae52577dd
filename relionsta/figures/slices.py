"""Central slices of maps in x, y and z, with a scale bar."""
import math
from typing import List, Mapping, Tuple

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.maps import CentralSlices
from .style import caption, new_figure, styled

HOW_TO_READ = ('Slices through the centre of each map, density is white. Each map has its own grey scale, the same in '
               'its three slices.')
VIEWS = (('xy', 'x', 'y'), ('xz', 'x', 'z'), ('yz', 'y', 'z'))
CLIPPED = (0.2, 99.8)  # percentiles of black and white: single hot voxels do not darken the rest
BAR_PART = 0.3  # of the width, at most
PANELS = ((3, 1, 1.9), (6, 2, 1.7))  # up to so many maps: so many side by side, panels of so many inches
MANY = (3, 1.45)


@styled
def slices_figure(maps: Mapping[str, CentralSlices], title: str = '') -> Figure:
    """Central slices of one or several maps; maps: label -> slices. Axes in Å from the corner of the box.

    Raises ValueError where there is no map.
    """
    if not maps:
        raise ValueError('no map to draw')
    across, panel = next(((beside, inches) for most, beside, inches in PANELS if len(maps) <= most), MANY)
    down = math.ceil(len(maps) / across)
    figure = new_figure(across * (3 * panel + 0.2), down * (panel + 0.3) + 0.8)
    grid = figure.add_gridspec(down, across)
    for index, (label, slices) in enumerate(maps.items()):
        # Down first: neighbours in the list stay neighbours
        part = grid[index % down, index // down].subgridspec(1, 3, wspace=0.02)
        panels = [figure.add_subplot(part[0, column]) for column in range(3)]
        draw_slices(panels, label, slices)
    figure.suptitle(title or 'Central slices', x=0.012, ha='left', fontsize=11, fontweight='bold')
    caption(figure, HOW_TO_READ)
    return figure


def draw_slices(panels: List[Axes], label: str, slices: CentralSlices) -> None:
    """The three slices of one map in three axes, on one grey scale, in Å from the corner of the box."""
    values = np.concatenate([getattr(slices, view).ravel() for view, _, _ in VIEWS])
    low, high = np.percentile(values, CLIPPED)
    if not high > low:
        low, high = float(values.min()) - 1, float(values.max()) + 1
    for axes, (view, right, up) in zip(panels, VIEWS):
        image = getattr(slices, view)
        height, width = (count * slices.pixel_size for count in image.shape)
        axes.imshow(image, cmap='gray', vmin=low, vmax=high, origin='lower', extent=(0, width, 0, height),
                    interpolation='nearest')
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_xlabel('%s →' % right, labelpad=1, fontsize=8)
        axes.set_ylabel('%s →' % up, labelpad=1, fontsize=8)
    panels[0].set_title(label, fontsize=9, fontweight='normal')
    scale_bar(panels[0], slices.size[0] * slices.pixel_size)


def scale_bar(axes: Axes, width: float) -> None:
    """A bar of a round number of Å in the lower left corner of an image that is `width` Å wide."""
    length, text = bar_length(width)
    outline = [patheffects.withStroke(linewidth=2.5, foreground='black')]
    left, low = 0.05 * width, 0.06 * width
    axes.plot([left, left + length], [low, low], color='white', linewidth=3, solid_capstyle='butt',
              path_effects=[patheffects.withStroke(linewidth=5, foreground='black')], label='_scale_bar')
    axes.text(left + length / 2, low + 0.025 * width, text, color='white', ha='center', va='bottom', fontsize=8,
              path_effects=outline)


def bar_length(width: float) -> Tuple[float, str]:
    """The longest of 1, 2, 5, 10, ... Å that takes at most BAR_PART of the width (Å), and its label."""
    decade = 10. ** math.floor(math.log10(BAR_PART * width))
    length = max(step * decade for step in (1, 2, 5) if step * decade <= BAR_PART * width)
    return length, '%g Å' % length
