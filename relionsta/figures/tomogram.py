"""Particles on a slab of their tomogram."""
from typing import Any, Optional

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.tomogram_slab import Slab
from .style import caption, legend_beside, line_styles, new_figure, styled

HOW_TO_READ = ('The mean of the slices named above, protein usually dark; circles: particles whose refined centre lies in '
               'them. They should sit on density: circles on empty ice, gold or the carbon edge are wrong picks. If one '
               'class or low values gather in one place, leave that class or this tomogram out with Select particles.')
_CLIPPED = (0.5, 99.5)  # percentiles of black and white
#: more groups than these are drawn by a scale of colours
MOST_GROUPS = 10
_AREA, _RING = 60., 130.  # of a circle in points²


@styled
def tomogram_figure(slab: Slab, places: Any, values: Optional[Any] = None, what: str = '', title: str = '') -> Figure:
    """The slab with a circle for each particle in it.

    places (n, 3): voxel indices of all particles of the tomogram. values (n,): class, half set or score, called `what`
    (with its unit); whole numbers of few kinds get a colour and a name each, others a scale. Axes in Å.
    """
    index = np.asarray(places, dtype=np.float64).reshape(-1, 3)
    inside = slab.inside(index)
    figure = new_figure(9., 8.)
    axes = figure.add_subplot()
    _image(axes, slab)
    xy = (index[inside, :2] + 0.5) * slab.voxel
    if values is None or not inside.any():
        axes.scatter(xy[:, 0], xy[:, 1], s=_AREA, facecolors='none', edgecolors=line_styles(1)[0]['color'], linewidths=1.3,
                     label='%d particles' % inside.sum())
        legend_beside(axes)
    else:
        _colored(figure, axes, xy, pd.Series(np.asarray(values))[inside], what)
    axes.set_title('Slices %d to %d (%.0f Å): %d of %d particles'
                   % (slab.first + 1, slab.last + 1, (slab.last - slab.first + 1) * slab.voxel, inside.sum(), len(index)),
                   fontsize=9, fontweight='normal')
    figure.suptitle(title or 'Particles in their tomogram', x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, HOW_TO_READ)
    return figure


def _image(axes: Axes, slab: Slab) -> None:
    height, width = (count * slab.voxel for count in slab.image.shape)
    low, high = np.percentile(slab.image, _CLIPPED)
    axes.imshow(slab.image, cmap='gray', origin='lower', extent=(0, width, 0, height), interpolation='nearest',
                vmin=low, vmax=high if high > low else low + 1)
    axes.grid(False)
    axes.set(xlim=(0, width), ylim=(0, height), xlabel='X (Å)', ylabel='Y (Å)')


def _colored(figure: Figure, axes: Axes, xy: np.ndarray, values: 'pd.Series[Any]', what: str) -> None:
    groups = sorted(set(values.dropna()))
    if len(groups) <= MOST_GROUPS and (values.dtype == object or all(float(one).is_integer() for one in groups)):
        for group, look in zip(groups, line_styles(len(groups))):
            chosen = (values == group).to_numpy()
            axes.scatter(xy[chosen, 0], xy[chosen, 1], s=_AREA, facecolors='none', edgecolors=look['color'], linewidths=1.5,
                         linestyles=look['linestyle'], label='%s %s: %d' % (what, group, chosen.sum()))
        legend_beside(axes)
        return
    # Rings, so that what is inside can be seen, with a white rim, so that dark colours show on dark density
    axes.scatter(xy[:, 0], xy[:, 1], s=_RING, facecolors='none', edgecolors='white', linewidths=4, label='_rim')
    marks = axes.scatter(xy[:, 0], xy[:, 1], s=_RING, c=values.to_numpy(dtype=np.float64), cmap='plasma', linewidths=2)
    marks.set_facecolor('none')
    marks.set_edgecolor(None)  # type: ignore[arg-type]  # then the colours are those of the edge
    figure.colorbar(marks, ax=axes, shrink=0.7).set_label(what)
