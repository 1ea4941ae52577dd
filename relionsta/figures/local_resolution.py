"""Local resolution: its histogram, and slices of its map in colour."""
from typing import Optional

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from ..results.local_resolution import INSIDE, LocalResolution
from ..results.maps import CentralSlices
from .slices import VIEWS, scale_bar
from .style import COLORS, GREY, caption, new_figure, styled

HISTOGRAM_READ = ('How many voxels%s have which resolution. A long tail to the right: parts that move, or are missing in '
                  'some particles, or a mask that is too wide.')
SLICES_READ = ('Slices through the centre of the map of local resolution; blue is best. %sColours end at the 2nd and '
               '98th percentile.')
#: Blue, the best, is the smallest number.
COLOUR_MAP = 'viridis'
CLIPPED = (2, 98)
BINS = (20, 100)
VOXELS_PER_BIN = 40


@styled
def resolution_histogram(result: LocalResolution, nyquist: float, fsc_resolution: Optional[float] = None,
                         title: str = '') -> Figure:
    """Histogram of the local resolutions (Å) with their median and quartiles.

    nyquist: Å. fsc_resolution: of the whole map (Å), marked where it is known.
    """
    figure = new_figure(7.2, 4.6)
    axes = figure.add_subplot()
    low, high = result.range
    spread = max(high - low, 0.01 * high)
    number = int(np.clip(len(result.values) / VOXELS_PER_BIN, *BINS))
    axes.hist(result.values, bins=number, range=(low, low + spread), color=COLORS[0], alpha=0.75)
    first, third = result.quartiles
    axes.axvspan(first, third, color=GREY, alpha=0.15, label='Quartiles %.1f to %.1f Å' % (first, third))
    axes.axvline(result.median, color='black', label='Median %.1f Å' % result.median)
    if fsc_resolution is not None:
        axes.axvline(fsc_resolution, color=COLORS[1], linestyle='--', label='FSC of the whole map %.1f Å' % fsc_resolution)
    axes.axvline(nyquist, color=GREY, linestyle=':', label='Nyquist %.4g Å' % nyquist)
    axes.set_xlabel('Local resolution (Å)')
    axes.set_ylabel('Voxels')
    axes.set_title(title or 'Local resolution of %d voxels' % len(result.values))
    axes.legend(loc='best')
    caption(figure, HISTOGRAM_READ % (' inside of the mask' if result.masked else ''))
    return figure


@styled
def resolution_slices(resolution: CentralSlices, mask: Optional[CentralSlices] = None, title: str = '') -> Figure:
    """Central slices of a map of local resolution (Å) in colour; what is outside of the mask, or has no value, is grey.

    Raises ValueError where mask and map have different boxes, or nothing would be coloured.
    """
    if mask is not None and mask.size != resolution.size:
        raise ValueError('the mask has %s voxels and the map %s' % (mask.size, resolution.size))
    shown = {}
    for view, _, _ in VIEWS:
        image = getattr(resolution, view)
        inside = image > 0 if mask is None else (image > 0) & (getattr(mask, view) > INSIDE)
        shown[view] = np.ma.masked_where(~inside, image)
    values = np.concatenate([image.compressed() for image in shown.values()])
    if not len(values):
        raise ValueError('no voxel of the central slices is inside of the mask and has a resolution')
    low, high = np.percentile(values, CLIPPED)
    if not high > low:
        low, high = low - 0.5, high + 0.5
    colours = colormaps[COLOUR_MAP].copy()
    colours.set_bad('#d8d8d8')
    figure = new_figure(9.6, 3.9)
    panels = [figure.add_subplot(1, 3, place) for place in (1, 2, 3)]
    for axes, (view, right, up) in zip(panels, VIEWS):
        height, width = (count * resolution.pixel_size for count in shown[view].shape)
        drawn = axes.imshow(shown[view], cmap=colours, vmin=low, vmax=high, origin='lower', extent=(0, width, 0, height),
                            interpolation='nearest')
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        axes.set_xlabel('%s →' % right, fontsize=8)
        axes.set_ylabel('%s →' % up, fontsize=8)
    scale_bar(panels[0], resolution.size[0] * resolution.pixel_size)
    figure.colorbar(drawn, ax=panels, label='Local resolution (Å)', shrink=0.85)
    figure.suptitle(title or 'Local resolution', x=0.012, ha='left', fontsize=11, fontweight='bold')
    caption(figure, SLICES_READ % ('Grey is outside of the mask. ' if mask is not None else ''))
    return figure
