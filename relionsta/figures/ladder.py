"""The ladder: resolution after each step."""
import textwrap
from typing import Optional, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ..results.ladder import NO_RESOLUTION, Rung, resolution_text
from .axes import ResolutionLocator
from .style import COLORS, GREY, caption, new_figure, styled

#: Part of the range of frequencies that is left free above and below.
_ROOM = 0.18
#: Letters of a step's name in one line below the axis.
_LETTERS = 13
_INCHES_PER_STEP, _LEAST_WIDTH, _MOST_WIDTH = 0.95, 6.0, 16.0
_HOW_TO_READ = ('Higher is better; equal distances are equal numbers of Fourier shells. Compare what was measured under one '
                'mask.')
_NOT_KEPT = ' Open circles: steps that did not help, from which no later step goes on.'


@styled
def ladder_figure(rungs: Sequence[Rung], title: str = 'Resolution after each step',
                  truth: Optional[float] = None) -> Figure:
    """Resolution (Å) against the step, better is higher; steps that were not kept are open circles beside the way.

    truth: resolution (Å) that the true parameters would give, where they are known. ValueError without a rung.
    """
    if not rungs:
        raise ValueError('the ladder has no rung yet')
    figure = new_figure(min(_MOST_WIDTH, max(_LEAST_WIDTH, 2.0 + _INCHES_PER_STEP * len(rungs))), 4.8)
    axes = figure.add_subplot()
    heights = np.array([1 / rung.resolution for rung in rungs])
    _limits(axes, heights, [1 / truth] if truth else [])
    _steps(axes, rungs, heights)
    _marks(axes, rungs, truth)
    axes.set_title(title)
    caption(figure, _HOW_TO_READ + ('' if all(rung.kept for rung in rungs) else _NOT_KEPT))
    return figure


def _limits(axes: Axes, heights: np.ndarray, more: Sequence[float]) -> None:
    low, high = min([*heights, *more]), max([*heights, *more])
    room = _ROOM * (high - low) or _ROOM * high
    axes.set_ylim(max(0, low - room), high + room)
    axes.set_xlim(-0.5, len(heights) - 0.5)


def _steps(axes: Axes, rungs: Sequence[Rung], heights: np.ndarray) -> None:
    """Points, the way between those that were kept, and the resolution beside each."""
    places = np.arange(len(rungs))
    kept = np.array([rung.kept for rung in rungs])
    axes.plot(places[kept], heights[kept], '-o', color=COLORS[0], markersize=7, zorder=3, label='kept')
    for number in np.flatnonzero(~kept):
        for base in np.flatnonzero(kept[:number])[-1:]:
            axes.plot([base, number], heights[[base, number]], ':', color=GREY, linewidth=1.2, zorder=1)
    if not kept.all():
        axes.plot(places[~kept], heights[~kept], 'o', color=COLORS[1], markerfacecolor='white', markersize=7, zorder=3,
                  label='not kept')
        axes.legend(loc='lower right')
    for place, height, rung in zip(places, heights, rungs):
        axes.annotate(resolution_text(rung.resolution), (place, height), (0, 9 if rung.kept else -9),
                      textcoords='offset points', ha='center', va='bottom' if rung.kept else 'top', fontsize=9,
                      bbox={'facecolor': 'white', 'edgecolor': 'none', 'alpha': 0.7, 'pad': 0.5})
    axes.set_xticks(places, [_wrapped(rung.step) for rung in rungs], fontsize=8)
    axes.yaxis.set_major_locator(ResolutionLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_angstrom))
    axes.set_ylabel('Resolution (Å)')


def _marks(axes: Axes, rungs: Sequence[Rung], truth: Optional[float]) -> None:
    """Lines at Nyquist, if it is in sight, and at what the truth gives."""
    finest = [rung.nyquist for rung in rungs if rung.nyquist is not None]
    lines = [(1 / min(finest), 'Nyquist %.4g Å' % min(finest))] if finest else []
    lines += [(1 / truth, 'true parameters %.2f Å' % truth)] if truth else []
    low, high = axes.get_ylim()
    for height, text in lines:
        if low < height < high:
            axes.axhline(height, color=GREY, linewidth=1, linestyle='--', zorder=1)
            axes.text(0.005, height, text, transform=axes.get_yaxis_transform(), va='bottom', fontsize=8, color=GREY)


def _wrapped(name: str) -> str:
    """The name of a step in short lines."""
    return textwrap.fill(name, _LETTERS)


def _angstrom(frequency: float, _position: int) -> str:
    return '%.3g' % (1 / frequency) if 1 / NO_RESOLUTION < frequency else ''
