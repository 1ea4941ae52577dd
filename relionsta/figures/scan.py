"""The ranking of runs that differ in some settings."""
from typing import List

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.ranking import CRITERIA, MEASURES, settings_of
from .style import COLORS, GREY, caption, new_figure, styled

#: More bars than this are not told apart any more, more panels would be too narrow.
MOST_PANELS = 3
BEST, OTHER = COLORS[1], COLORS[0]


@styled
def ranking_figure(table: pd.DataFrame, criterion: str, title: str = '') -> Figure:
    """Bars of the measures that decide, best run on top, and those that failed at the bottom, without bars.

    table: of `results.ranking`. Raises ValueError where no run is ranked.
    """
    if table['rank'].isna().all():
        raise ValueError('no run can be ranked: none has come to a result that can be compared')
    panels = _panels(table, criterion)
    figure = new_figure(3.2 + 2.6 * len(panels), 1.8 + 0.42 * len(table))
    for position, (axes, name) in enumerate(zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels)):
        _bars(axes, table, name)
        if position == 0:
            axes.set_yticks(range(len(table)), [_label(row, settings_of(table)) for _, row in table.iterrows()])
            axes.invert_yaxis()
    figure.suptitle(title or 'Parameter scan', x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, 'Ranked by %s.' % CRITERIA[criterion][1])
    return figure


def _panels(table: pd.DataFrame, criterion: str) -> List[str]:
    """The measures to draw: those that decide, then others, as far as there is room."""
    names = [name for name in CRITERIA[criterion][0] if name in table]
    names += [name for name in MEASURES if name in table and name not in names]
    return names[:MOST_PANELS]


def _bars(axes: Axes, table: pd.DataFrame, name: str) -> None:
    values = table[name].astype(float)
    axes.barh(range(len(table)), values.fillna(0), height=0.6, color=[BEST if place == 1 else OTHER for place in
                                                                      table['rank'].fillna(0)])
    room = 0.02 * (values.max() or 1)
    for position, value in enumerate(values):
        known = pd.notna(value)
        axes.text((value if known else 0) + room, position, '%.4g' % value if known else table['status'].iloc[position],
                  va='center', fontsize=8.5, color='black' if known else GREY)
    axes.set_xlim(0, 1.25 * (values.max() or 1))
    axes.grid(axis='y', visible=False)
    axes.set_xlabel('%s\n%s is better' % (MEASURES[name].label, 'lower' if MEASURES[name].better == 'low' else 'higher'))


def _label(row: pd.Series, settings: List[str]) -> str:
    place = '' if pd.isna(row['rank']) else '%d.  ' % row['rank']
    return place + '\n'.join('%s = %s' % (name, row[name]) for name in settings)
