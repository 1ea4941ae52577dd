"""Orientations of particles on an equal-area sphere, and how well their tilt images fill Fourier space."""
import math
import textwrap
from typing import Any, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from ..results.orientations import ENOUGH, FAIR, Coverage, Views
from ..results.sphere import from_angles, from_lambert, lambert
from .style import COLORS, GREY, caption, new_figure, styled

VIEWS_HELP = ('Equal areas of the discs (Lambert\'s azimuthal projection) are equal parts of the sphere. Left: views from '
              'above the reference (tilt 0 to 90), right: from below (90 to 180), seen through the sphere; RELION\'s rot '
              'runs around, tilt outwards, for the tomogram\'s Z axis. Dark: few particles see the reference from there; '
              'where there are few in all, single cells are chance. Empty parts matter only where the tilt images do not '
              'fill them either: look at the coverage.')
COVERAGE_HELP = ('Each point is a direction in Fourier space (the other half is its mirror image); the colour says how '
                 'many tilt images pass through it. Inside the line there are fewer than %.0f %% of the mean: the map is '
                 'smeared along these directions. If they are more than %.0f %% of the area, add particles in other '
                 'orientations.' % (100 * ENOUGH, 100 * (1 - FAIR)))
COLOR_MAP = 'cividis'  # even in lightness, alike for the colour-blind
PIXELS = 260  # of a disc, across
MOST = 12  # panels
_ROOM = 1.2  # half of the width of a panel, in radii of the disc
_BRIGHTEST = 99.  # percentile of the densities
_RINGS = (30, 60)


@styled
def orientations_figure(found: Mapping[str, Views], title: str = 'Orientations') -> Figure:
    """Two discs for each label (class or tomogram); density as times that of an even distribution.

    The colour scale is one for all. At most MOST labels are drawn. ValueError where there is none.
    """
    if not found:
        raise ValueError('there are no orientations to draw')
    shown = dict(list(found.items())[:MOST])
    across = min(len(shown), 2 if len(shown) < 7 else 3)
    down = math.ceil(len(shown) / across)
    size = 3.1 if len(shown) == 1 else (2.2 if across == 2 else 1.8)
    figure = new_figure(across * 2 * size + 1., down * (size + 0.3) + 1.4)
    top = max(1.5, float(np.percentile(np.concatenate([one.density for one in shown.values()]), _BRIGHTEST)))
    norm = Normalize(0, top)
    grid = figure.add_gridspec(down, 2 * across)
    image: Any = None
    for index, (label, one) in enumerate(shown.items()):
        for column, south in enumerate((False, True)):
            axes = figure.add_subplot(grid[index // across, 2 * (index % across) + column])
            image = _disc(axes, one.density, one, south, norm, named=len(shown) == 1)
            if len(shown) == 1:
                axes.set_title('From below: tilt 180 to 90°' if south else 'From above: tilt 0 to 90°', fontsize=9,
                               fontweight='normal', loc='center')
            elif not south:
                axes.set_title('%s: %d particles' % (label, one.number), fontsize=9, fontweight='normal')
    bar = figure.colorbar(image, ax=figure.axes, shrink=0.8, aspect=30, fraction=0.04, pad=0.01, extend='max')
    bar.set_label('Particles (1 = even distribution)')
    rest = '' if len(found) <= MOST else ' (the %d largest of %d)' % (MOST, len(found))
    only = ': %d particles' % next(iter(shown.values())).number if len(shown) == 1 else ''
    figure.suptitle(title + only + rest, x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, VIEWS_HELP)
    return figure


@styled
def coverage_figure(found: Coverage, title: str = 'Coverage of Fourier space') -> Figure:
    """One disc: how often tilt images sample each direction, times the mean; a line around what lacks."""
    figure = new_figure(7.2, 6.4)
    axes = figure.add_subplot()
    padded = np.concatenate([found.sampling, np.full(len(found.grid.areas) - found.grid.northern, np.nan)])
    top = max(2., float(np.percentile(found.sampling, _BRIGHTEST)))
    image = _disc(axes, padded, found, False, Normalize(0, top), lacking=found.fraction < 1)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, extend='max')
    bar.set_label('Tilt images through this direction (1 = mean)')
    axes.set_title(textwrap.fill(found.text(), 78), fontsize=9, fontweight='normal')
    figure.suptitle('%s: %.0f %%' % (title, 100 * found.fraction), x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, COVERAGE_HELP)
    return figure


def _disc(axes: Axes, values: np.ndarray, found: Any, south: bool, norm: Normalize, named: bool = True,
          lacking: bool = False) -> Any:
    """Values (cells,) of a half of the sphere as an image in Lambert's projection, with the angles around it."""
    side = (np.arange(PIXELS) + 0.5) / PIXELS * 2 - 1
    x, y = np.meshgrid(side, side)
    flat = np.stack([x.ravel(), y.ravel()], axis=1)
    inside = (flat ** 2).sum(axis=1) <= 1
    picture = np.full(len(flat), np.nan)
    picture[inside] = values[found.grid.cells(from_lambert(flat[inside], south))]
    picture = picture.reshape(PIXELS, PIXELS)
    image = axes.imshow(picture, origin='lower', extent=(-1, 1, -1, 1), cmap=COLOR_MAP, norm=norm,
                        interpolation='nearest')
    if lacking:
        axes.contour(x, y, picture, levels=[ENOUGH], colors=[COLORS[1]], linewidths=1.4)
    _angles(axes, south, named)
    return image


def _angles(axes: Axes, south: bool, named: bool) -> None:
    """Rings of tilt and, where there is room, names of tilt and rot."""
    around = np.linspace(0, 360, 181)
    for ring in (*_RINGS, 90):
        tilt = 180 - ring if south else ring
        places = lambert(from_angles(around, np.full(len(around), tilt)), south)
        axes.plot(*places.T, color='black' if ring == 90 else 'white', linewidth=1. if ring == 90 else 0.5, alpha=0.8,
                  label='_tilt %d' % tilt)
        if ring != 90 and named:
            x, y = lambert(from_angles([-60.], [tilt]), south)[0]
            axes.text(x, y, '%d°' % tilt, color='white', fontsize=7,
                      ha='center', va='center')
    for rot in (0, 90, 180, -90) if named else ():
        x, y = 1.11 * lambert(from_angles([rot], [90.]))[0]
        axes.text(x, y, '%d°' % rot, fontsize=7, color=GREY, ha='center', va='center')
    room = _ROOM if named else 1.03
    axes.set(xlim=(-room, room), ylim=(-room, room), xticks=[], yticks=[], aspect='equal')
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if named:
        axes.set_xlabel('rot around, tilt outwards (degrees)', fontsize=8, labelpad=1)
