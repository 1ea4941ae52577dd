"""What CTF refinement and Bayesian polishing have changed, against the tilt angle."""
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import GREY, caption, legend_beside, line_styles, new_figure, styled

#: more series than these are drawn thin and without a legend
NAMED = 12
CTF_HELP = ('Good defocus changes are alike from tilt to tilt within a series; values that jump, most at high tilt, are '
            'fitted to noise: regularise, or take a smaller search range. The scale should fall smoothly to both sides.')
ALIGNMENT_HELP = ('Shifts of a few Å are usual. Shifts near the largest position error that was allowed say that it was '
                  'too small, or that the image cannot be aligned.')


@styled
def ctf_changes_figure(changes: pd.DataFrame, title: str = '') -> Figure:
    """Change of the defocus and contrast scale of each image; changes: as series_changes makes it."""
    figure = _new('CTF refinement' if not title else title, CTF_HELP)
    defocus, scale = np.asarray(figure.subplots(2, 1, sharex=True))
    _curves(defocus, changes, changes['defocus_after'] - changes['defocus_before'], 'Change of the defocus (Å)')
    _curves(scale, changes, changes['scale_after'], 'Contrast scale')
    scale.set_xlabel('Tilt angle (degrees)')
    return figure


@styled
def alignment_changes_figure(changes: pd.DataFrame, title: str = '') -> Figure:
    """Shift and turn of each image; changes: as series_changes makes it."""
    figure = _new('Bayesian polishing' if not title else title, ALIGNMENT_HELP)
    shift, turn = np.asarray(figure.subplots(2, 1, sharex=True))
    _curves(shift, changes, (changes['shift_x'] ** 2 + changes['shift_y'] ** 2) ** 0.5, 'Shift of the image (Å)')
    _curves(turn, changes, changes['turn'], 'Change of an angle (degrees)')
    turn.set_xlabel('Tilt angle (degrees)')
    return figure


def _new(title: str, how_to_read: str) -> Figure:
    figure = new_figure(8., 6.)
    figure.suptitle(title, x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, how_to_read)
    return figure


def _curves(axes: Axes, changes: pd.DataFrame, values: 'pd.Series[float]', label: str) -> None:
    groups = changes.assign(value=values).groupby('name', sort=True)
    many = len(groups) > NAMED
    for (name, table), look in zip(groups, line_styles(len(groups))):
        table = table.sort_values('tilt')
        style = {'color': GREY, 'alpha': 0.4, 'linewidth': 0.8} if many else {**look, 'marker': 'o', 'markersize': 3}
        axes.plot(table['tilt'], table['value'], label=name, **style)
    if many:
        median = changes.assign(value=values, tilt=changes['tilt'].round()).groupby('tilt')['value'].median()
        lines = axes.plot(median.index, median, label='median of %d series' % len(groups), **line_styles(1)[0])
        axes.legend(handles=lines, loc='best')
    else:
        legend_beside(axes, fontsize=8)
    axes.set_ylabel(label)
