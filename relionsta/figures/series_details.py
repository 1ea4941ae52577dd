"""Each tilt series before and after CTF refinement or Bayesian polishing, in a panel of its own."""
import math
from typing import Any, Callable, List, Tuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import COLORS, GREY, caption, new_figure, styled

CTF_HELP = ('Defocus of each tilt image before (grey, open) and after (filled), and the contrast scale. Expected: a smooth '
            'change, larger at high tilt, and a scale that falls to both sides as the ice gets thicker. Single images '
            'that jump are fitted to noise: regularise, or leave out the image.')
ALIGNMENT_HELP = ('Change of each image\'s shift (left axis) and of its angles (right axis, dashed), after - before. '
                  'Expected: a few Å and less than a degree, smooth along the tilts. A step says that the series was '
                  'aligned in parts; single large values are images without signal.')
#: panels in one figure: the series that changed most
MOST = 12
_SHIFTS = (('shift_x', 'shift X (Å)', 0), ('shift_y', 'shift Y (Å)', 1))
_TURNS = (('turn_y', 'tilt angle (°)', 2), ('turn_z', 'tilt axis (°)', 3), ('turn_x', 'X tilt (°)', 4))
Draw = Callable[[Axes, pd.DataFrame, bool], List[Any]]


@styled
def ctf_series_figure(changes: pd.DataFrame, title: str = 'CTF refinement') -> Figure:
    """Defocus (µm) before and after and contrast scale against the tilt angle; changes: as series_changes makes it."""
    size = (changes['defocus_after'] - changes['defocus_before']).abs()
    return _panels(changes, size, _ctf_panel, title, CTF_HELP)


@styled
def alignment_series_figure(changes: pd.DataFrame, title: str = 'Bayesian polishing') -> Figure:
    """Shifts (Å) and turns (degrees), after - before, against the tilt angle; changes: as series_changes makes it."""
    size = (changes['shift_x'] ** 2 + changes['shift_y'] ** 2) ** 0.5
    return _panels(changes, size, _alignment_panel, title, ALIGNMENT_HELP)


def _panels(changes: pd.DataFrame, size: 'pd.Series[float]', draw: Draw, title: str, how_to_read: str) -> Figure:
    most = size.groupby(changes['name']).median().sort_values(ascending=False)
    names = sorted(most.index[:MOST])
    across = min(3, len(names))
    down = math.ceil(len(names) / across)
    figure = new_figure(max(4.2 * across, 7.), 2.6 * down + 1.3)
    panels = np.asarray(figure.subplots(down, across, sharex=True, squeeze=False))
    lines: List[Any] = []
    for place, (axes, name) in enumerate(zip(panels.ravel(), names)):
        lines = draw(axes, changes[changes['name'] == name].sort_values('tilt'), place % across == across - 1
                     or place == len(names) - 1)
        axes.set_title(str(name), fontsize=9)
        if place + across >= len(names):
            axes.set_xlabel('Tilt angle (degrees)')
            axes.tick_params(labelbottom=True)
    for axes in panels.ravel()[len(names):]:
        axes.set_visible(False)
    rest = '' if len(most) <= MOST else ': the %d of %d series that changed most' % (MOST, len(most))
    figure.suptitle(title + rest, x=0.012, ha='left', fontsize=12, fontweight='bold')
    figure.legend(handles=lines, loc='outside upper right', ncols=len(lines), fontsize=8)
    caption(figure, how_to_read)
    return figure


def _ctf_panel(axes: Axes, table: pd.DataFrame, last: bool) -> List[Any]:
    """Defocus on the left, scale on the right axis; the lines for the legend."""
    before, = axes.plot(table['tilt'], table['defocus_before'] / 1e4, color=GREY, marker='o', markersize=3.5,
                        markerfacecolor='white', linewidth=1, label='defocus before')
    after, = axes.plot(table['tilt'], table['defocus_after'] / 1e4, color=COLORS[0], marker='o', markersize=3,
                       linewidth=1, label='defocus after')
    axes.set_ylabel('Defocus (µm)')
    right = _right(axes, 'Contrast scale', last)
    old, = right.plot(table['tilt'], table['scale_before'], color=GREY, linestyle=':', label='scale before')
    new, = right.plot(table['tilt'], table['scale_after'], color=COLORS[1], linestyle='--', label='scale after')
    right.set_ylim(bottom=min(0., float(table[['scale_before', 'scale_after']].min().min())))
    return [before, after, old, new]


def _alignment_panel(axes: Axes, table: pd.DataFrame, last: bool) -> List[Any]:
    """Shifts on the left, turns on the right axis; the lines for the legend."""
    right = _right(axes, 'Change of an angle (degrees)', last)
    axes.set_ylabel('Change of the shift (Å)')
    return _lines(axes, table, _SHIFTS, '-') + _lines(right, table, _TURNS, '--')


def _lines(axes: Axes, table: pd.DataFrame, what: Tuple[Tuple[str, str, int], ...], dashes: str) -> List[Any]:
    return [axes.plot(table['tilt'], table[column], color=COLORS[color], linestyle=dashes, linewidth=1.2, marker='o',
                      markersize=2, label=label)[0] for column, label, color in what]


def _right(axes: Axes, label: str, named: bool) -> Axes:
    right = axes.twinx()
    right.grid(False)
    right.spines['right'].set_visible(True)
    if named:
        right.set_ylabel(label)
    return right  # type: ignore[return-value]
