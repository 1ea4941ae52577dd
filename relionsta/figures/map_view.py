"""A map in three slices at any place, with a mask's outline, and as a lit surface."""
from typing import List, Mapping, Optional, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import zoom

from ..results.shading import DIRECTIONS, shade
from .slices import CLIPPED, VIEWS, scale_bar
from .style import COLORS, GREY, caption, new_figure, styled

HOW_TO_READ = ('Slices at the lines; density is white. Orange: outline of the mask where it is one half. Move with the '
               'sliders or by clicking into a slice.')
SURFACE_READ = ('The surface at the threshold, lit from the upper left, seen along the axes of the map from both sides: all '
                'of the particle and none of the solvent should show.')
MASK_LEVEL = 0.5
#: voxels along an edge of a map whose surface is drawn
FINE = 128
#: the axes (x, y, z) of the map that run right and up in each view, and the one across
_PLANES = {'xy': (0, 1, 2), 'xz': (0, 2, 1), 'yz': (1, 2, 0)}


class MapView:
    """Three slices of a map that can be moved. figure: the Figure; place: (x, y, z) voxel that is shown."""

    def __init__(self, figure: Figure, panels: Sequence[Axes], pixel: float) -> None:
        self.figure, self.pixel = figure, pixel
        self.place = (0, 0, 0)
        self._panels = dict(zip((view for view, _, _ in VIEWS), panels))
        self._map: Optional[np.ndarray] = None
        self._mask: Optional[np.ndarray] = None
        self._images: Mapping[str, object] = {}
        self._contours: List[object] = []

    def show(self, volume: np.ndarray, label: str, mask: Optional[np.ndarray] = None) -> None:
        """Show another map (z, y, x), at the same place where there is one; mask of the same shape."""
        if mask is not None and mask.shape != volume.shape:
            raise ValueError('the mask has %s voxels and the map %s' % (mask.shape[::-1], volume.shape[::-1]))
        if self._map is None or self._map.shape != volume.shape:
            self.place = tuple(n // 2 for n in volume.shape[::-1])  # type: ignore[assignment]
        self._map, self._mask = volume, mask
        low, high = np.percentile(volume, CLIPPED)
        limits = (low, high) if high > low else (low - 1, high + 1)
        for (view, right, up), axes in zip(VIEWS, self._panels.values()):
            axes.clear()
            width, height = (volume.shape[::-1][axis] * self.pixel for axis in _PLANES[view][:2])
            axes.imshow(self._slice(volume, view), cmap='gray', vmin=limits[0], vmax=limits[1], origin='lower',
                        extent=(0, width, 0, height), interpolation='nearest')
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.set_xlabel('%s →' % right, labelpad=1, fontsize=8)
            axes.set_ylabel('%s →' % up, labelpad=1, fontsize=8)
            for line in (axes.axvline, axes.axhline):
                line(0, color=COLORS[5], linewidth=0.7, alpha=0.8)
        first = self._panels['xy']
        scale_bar(first, volume.shape[2] * self.pixel)
        self.figure.suptitle(label, x=0.012, ha='left', fontsize=11, fontweight='bold')
        self.move(self.place)

    def move(self, place: Sequence[int]) -> None:
        """Show the slices through this voxel (x, y, z); what lies outside becomes the last one inside."""
        if self._map is None:
            raise ValueError('no map is shown yet')
        size = self._map.shape[::-1]
        self.place = tuple(int(np.clip(one, 0, n - 1)) for one, n in zip(place, size))  # type: ignore[assignment]
        for contour in self._contours:
            contour.remove()  # type: ignore[attr-defined]
        self._contours = []
        for view, axes in self._panels.items():
            right, up, across = _PLANES[view]
            axes.images[0].set_data(self._slice(self._map, view))
            axes.lines[0].set_xdata([(self.place[right] + 0.5) * self.pixel] * 2)
            axes.lines[1].set_ydata([(self.place[up] + 0.5) * self.pixel] * 2)
            axes.set_title('%s = %d of %d (%.1f Å from the centre)' % (
                'xyz'[across], self.place[across], size[across],
                (self.place[across] - size[across] // 2) * self.pixel), fontsize=9, fontweight='normal', loc='left')
            if self._mask is not None:
                cut = self._slice(self._mask, view)
                if cut.min() < MASK_LEVEL < cut.max():
                    ticks = [(np.arange(n) + 0.5) * self.pixel for n in cut.shape[::-1]]
                    self._contours.append(axes.contour(*ticks, cut, levels=[MASK_LEVEL], colors=[COLORS[1]],
                                                       linewidths=1.4))

    def clicked(self, axes: Axes, x: float, y: float) -> None:
        """Go to a place (Å) in one of the slices."""
        for view, panel in self._panels.items():
            if panel is axes:
                place = list(self.place)
                right, up, _ = _PLANES[view]
                place[right], place[up] = int(x / self.pixel), int(y / self.pixel)
                self.move(place)

    def _slice(self, volume: np.ndarray, view: str) -> np.ndarray:
        x, y, z = self.place
        return {'xy': volume[z], 'xz': volume[:, y], 'yz': volume[:, :, x]}[view]


@styled
def map_view(pixel: float) -> MapView:
    """An empty MapView; pixel: Å per voxel."""
    figure = new_figure(11, 4.6)
    view = MapView(figure, [figure.add_subplot(1, 3, number) for number in (1, 2, 3)], pixel)
    caption(figure, HOW_TO_READ)
    return view


@styled
def surface_figure(volume: np.ndarray, pixel: float, threshold: float, title: str) -> Figure:
    """The surface of a map (z, y, x) from six sides. pixel: Å per voxel."""
    # Small maps would show their voxels and not their shape.
    finer = max(1, round(FINE / max(volume.shape)))
    volume, pixel = (zoom(volume, finer, order=3) if finer > 1 else volume), pixel / finer
    figure = new_figure(9, 6.6)
    grid = figure.add_gridspec(2, 3)
    for column, direction in enumerate(DIRECTIONS):
        _, up, right = DIRECTIONS[direction]
        for row, back in enumerate((False, True)):
            axes = figure.add_subplot(grid[row, column])
            picture = shade(volume, threshold, direction, back).brightness
            height, width = (n * pixel for n in picture.shape)
            axes.set_facecolor('white')
            axes.imshow(picture, cmap='bone', vmin=0, vmax=1, origin='lower', extent=(0, width, 0, height))
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.set_title('%s%s' % (direction, ', from behind' if back else ''), fontsize=9, fontweight='normal')
            axes.set_xlabel(('%s →' if not back else '← %s') % 'zyx'[right], fontsize=8, labelpad=1, color=GREY)
            axes.set_ylabel('%s →' % 'zyx'[up], fontsize=8, labelpad=1, color=GREY)
    figure.suptitle('%s, threshold %.3g' % (title, threshold), x=0.012, ha='left', fontsize=11, fontweight='bold')
    caption(figure, SURFACE_READ)
    return figure
