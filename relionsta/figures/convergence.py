"""How a refinement or classification went from iteration to iteration."""
from typing import Optional, Sequence, Tuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .style import GREY, caption, line_styles, new_figure, styled

HOW_TO_READ = ('Finished when resolution and changes stay the same from one iteration to the next. Changes well below '
               'the step of the search, or below the estimated accuracy, are noise.')
SHARE_LABEL = 'Particles (%)'


@styled
def convergence_figure(table: pd.DataFrame, nyquist: Optional[float] = None, final: Optional[float] = None,
                       title: str = '') -> Figure:
    """Resolution, changes and classes against iteration.

    table: as `results.history.history` makes it; nyquist and final: resolution in Å of the voxels, and of the
    converged refinement, drawn as lines. Raises ValueError where no iteration is complete.
    """
    if table.empty:
        raise ValueError('no iteration is complete yet')
    figure = new_figure(9., 6.4)
    panels = np.asarray(figure.subplots(2, 2, sharex=True))
    _resolution(panels[0, 0], table, nyquist, final)
    _lines(panels[0, 1], table, 'Rotations', 'Angle (degrees)',
           (('change_rotations', 'mean change'), ('accuracy_rotations', 'estimated accuracy'),
            ('angular_step', 'step of the search')))
    _lines(panels[1, 0], table, 'Translations', 'Distance (Å)',
           (('change_translations', 'mean change'), ('accuracy_translations', 'estimated accuracy'),
            ('offset_step', 'step of the search')))
    _classes(panels[1, 1], table)
    for axes in panels[1]:
        axes.set_xlabel('Iteration')
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.suptitle(title or 'Convergence', x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, HOW_TO_READ)
    return figure


def _resolution(axes: Axes, table: pd.DataFrame, nyquist: Optional[float], final: Optional[float]) -> None:
    axes.plot(table.index, table['resolution'], marker='o', markersize=4, **line_styles(1)[0])
    for value, name, dashes in ((final, 'final', '--'), (nyquist, 'Nyquist', ':')):
        if value is not None:
            axes.axhline(value, color=GREY, linewidth=1, linestyle=dashes, label='%s %.4g Å' % (name, value))
    axes.set_ylim(bottom=0)
    axes.set_title('Resolution')
    axes.set_ylabel('Resolution (Å)')
    if nyquist is not None or final is not None:
        axes.legend(loc='lower left')


def _lines(axes: Axes, table: pd.DataFrame, title: str, label: str, columns: Sequence[Tuple[str, str]]) -> None:
    for (column, text), look in zip(columns, line_styles(len(columns))):
        values = table[column]
        if values.notna().any():
            # The step is a setting, not a measurement: no marks
            marker = '' if column.endswith('_step') else 'o'
            axes.plot(table.index, values, label=text, marker=marker, markersize=4, **look)
    axes.set_ylim(bottom=0)
    axes.set_title(title)
    axes.set_ylabel(label)
    axes.legend(loc='best')


def _classes(axes: Axes, table: pd.DataFrame) -> None:
    """Share of each class; with one class, how certain the poses are (average Pmax)."""
    shares = table[[name for name in table if str(name).startswith('distribution_')]]
    number = shares.shape[1]
    if number == 1:
        axes.plot(table.index, table['pmax'], marker='o', markersize=4, **line_styles(1)[0])
        axes.set_ylim(0, 1.05)
        axes.set_title('Certainty of the poses')
        axes.set_ylabel('Average Pmax')
        return
    for position, look in enumerate(line_styles(number)):
        axes.plot(table.index, 100 * shares.iloc[:, position], label='class %d' % (position + 1), **look)
    axes.set_ylim(0, 1.05 * 100 * float(np.nanmax(shares.to_numpy())))
    axes.set_title('Classes')
    axes.set_ylabel(SHARE_LABEL)
    if number <= 20:
        axes.legend(loc='upper left', bbox_to_anchor=(1.01, 1.), borderaxespad=0., fontsize=8,
                    ncols=1 + (number - 1) // 10)
