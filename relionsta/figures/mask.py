"""A mask on the map that it was made from: outlines in the central slices, and where the threshold lies."""
from typing import Optional

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.maps import CentralSlices
from .slices import VIEWS, draw_slices
from .style import COLORS, GREY, caption, new_figure, styled

HOW_TO_READ = ('Slices through the centre of the map, density is white. The full line is where the mask is 0.5, the dashed '
               'line where its soft edge ends: all of the particle should lie inside of the full line.')
HISTOGRAM = (' Below, the grey values of the map as it was filtered for the mask: the threshold should lie beyond the '
             'hill of the solvent.')
#: values of the mask that are drawn, and how; the second one is the end of the soft edge
OUTLINES = ((0.5, '-'), (0.01, '--'))
BINS = 160


@styled
def mask_figure(background: CentralSlices, mask: CentralSlices, filtered: Optional[np.ndarray] = None,
                threshold: float = 0.0, title: str = '') -> Figure:
    """Slices of a map with the outlines of a mask, and the histogram of the filtered map.

    background and mask: slices of maps with one box. filtered: the map as it was filtered before it was binarised at
    threshold; None for a mask that was made without. Raises ValueError where the boxes differ.
    """
    if background.size != mask.size:
        raise ValueError('the mask has %d x %d x %d voxels' % mask.size + ' and the map %d x %d x %d' % background.size)
    figure = new_figure(7.6, 3.3 if filtered is None else 5.6)
    grid = figure.add_gridspec(1 if filtered is None else 2, 3, height_ratios=[1] if filtered is None else [1.25, 1])
    panels = [figure.add_subplot(grid[0, column]) for column in range(3)]
    draw_slices(panels, '', background)
    for axes, (view, _, _) in zip(panels, VIEWS):
        _outline(axes, getattr(mask, view), background.pixel_size)
    if filtered is not None:
        _histogram(figure.add_subplot(grid[1, :]), filtered, threshold)
    figure.suptitle(title or 'Mask', x=0.012, ha='left', fontsize=11, fontweight='bold')
    caption(figure, HOW_TO_READ + ('' if filtered is None else HISTOGRAM))
    return figure


def _outline(axes: Axes, image: np.ndarray, pixel: float) -> None:
    rows, columns = ((np.arange(count) + 0.5) * pixel for count in image.shape)
    for level, dashes in OUTLINES:
        if image.min() < level < image.max():  # else this slice has no such line
            axes.contour(columns, rows, image, levels=[level], colors=[COLORS[4]], linestyles=[dashes],
                         linewidths=[1.6 if dashes == '-' else 1.0])


def _histogram(axes: Axes, filtered: np.ndarray, threshold: float) -> None:
    axes.hist(filtered.ravel(), bins=BINS, log=True, color=GREY)
    axes.axvline(threshold, color=COLORS[1], linewidth=1.6,
                 label='Threshold %.4g: %.1f %% of the voxels above' % (threshold, 100 * np.mean(filtered > threshold)))
    axes.set_xlabel('Grey value of the filtered map')
    axes.set_ylabel('Voxels')
    axes.legend(loc='upper right')
