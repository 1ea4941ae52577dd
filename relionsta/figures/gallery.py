"""All classes of an iteration side by side, the marked ones in a frame."""
import math
from typing import Collection, Dict, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.class_images import ClassImage
from .slices import CLIPPED, scale_bar
from .style import COLORS, GREY, caption, new_figure, styled

HOW_TO_READ = ('One grey scale for all, density is white: a good class is sharp and dark around the particle; classes of '
               'false positives are blurred, or noise. Share, resolution and accuracy are RELION\'s.')
MARKED, UNMARKED = COLORS[2], '#cccccc'
PANEL = 1.75  # inches
MOST_ACROSS = 8
#: width : height of a screen, which the tiles fill
SCREEN = 1.6


class Gallery:
    """A figure of classes. axes: by class number, so that a window knows where somebody clicks."""

    def __init__(self, figure: Figure, axes: Dict[int, Axes]) -> None:
        self.figure = figure
        self.axes = axes

    def mark(self, marked: Collection[int]) -> None:
        """Put these classes, and no others, in a frame."""
        for number, axes in self.axes.items():
            is_marked = number in marked
            for spine in axes.spines.values():
                spine.set(visible=True, linewidth=4 if is_marked else 1, edgecolor=MARKED if is_marked else UNMARKED)
            axes.title.set_fontweight('bold' if is_marked else 'normal')


@styled
def class_gallery(images: Sequence[ClassImage], view: str, title: str, marked: Collection[int] = ()) -> Gallery:
    """Tiles of classes in the order of their numbers. view: one of results.class_images.VIEWS.

    Raises ValueError where there is no class.
    """
    if not images:
        raise ValueError('no class to draw')
    across = min(MOST_ACROSS, max(1, math.ceil(math.sqrt(len(images) * SCREEN))))
    down = math.ceil(len(images) / across)
    figure = new_figure(max(4.5, across * (PANEL + 0.15)), down * (PANEL + 0.75) + 0.9)
    grid = figure.add_gridspec(down, across)
    shown = [one.image(view) for one in images if one.size] or [one.image(view) for one in images]
    low, high = np.percentile(np.concatenate([image.ravel() for image in shown]), CLIPPED)
    if not high > low:
        low, high = low - 1, high + 1
    axes = {}
    for place, one in enumerate(images):
        axes[one.result.number] = _draw(figure.add_subplot(grid[place // across, place % across]), one, view, low, high)
    figure.suptitle(title, x=0.012, ha='left', fontsize=11, fontweight='bold')
    caption(figure, HOW_TO_READ)
    gallery = Gallery(figure, axes)
    gallery.mark(marked)
    return gallery


def _draw(axes: Axes, one: ClassImage, view: str, low: float, high: float) -> Axes:
    image = one.image(view)
    height, width = (count * one.slices.pixel_size for count in image.shape)
    axes.imshow(image, cmap='gray', vmin=low, vmax=high, origin='lower', extent=(0, width, 0, height),
                interpolation='nearest')
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    number, (particles, share, resolution, rotations, translations) = one.result.number, one.texts
    axes.set_title('Class %d · %s' % (number, resolution), fontsize=9, fontweight='normal')
    words = 'empty' if not one.size else '%s particles, %s\n± %s, ± %s' % (particles, share, rotations, translations)
    axes.set_xlabel(words, fontsize=8, color=GREY, labelpad=3)
    scale_bar(axes, width)
    return axes
