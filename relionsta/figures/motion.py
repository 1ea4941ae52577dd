"""How particles moved: between two alignments, and while the tilt series was taken."""
from typing import Any, Mapping, Optional, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results.motion import Motion
from ..results.outliers import RULE, TIMES, limit
from .style import COLORS, GREY, caption, legend_beside, new_figure, styled

TRAJECTORIES_HELP = ('Left: the path of each particle in the plane, drawn %g times as long as it is, dot at its first '
                     'image; neighbours should move alike. Right: distance from the first image; it should rise slowly '
                     'and end at some Å. Jumps, or paths that differ from all around them, are fitted to noise: take a '
                     'smaller sigma for the velocity, or leave these particles out.')
MOVED_HELP = ('A box has half of the values, with the median in it. Points are outliers: %s of all (above the dashed '
              'line). ' % RULE)
ALIGNMENT_ADVICE = ('A series full of them was badly aligned before, or is now: look at its images, and drop it with Select '
                    'particles if they stay.')
DEFOCUS_ADVICE = ('Single images that jump, most at high tilt, are fitted to noise: search less far, or regularise. A '
                  'series that moved as a whole had a wrong defocus before.')
MOST_SERIES = 40  # boxes in one figure
_NAMED = 8
_PART = 1 / 15


@styled
def trajectories_figure(motion: Motion, places: Mapping[str, Sequence[float]], doses: Any, title: str = '',
                        times: Optional[float] = None) -> Figure:
    """Trajectories of the particles of one tomogram.

    places: particle name -> X, Y (Å, centred), of the particles to draw. doses (tilts,): e/Å² before each image of the
    tilt-series table. times: how many times larger the paths are drawn than they are; None: so that they can be seen.
    ValueError where none of the particles has a trajectory with these images.
    """
    order = np.argsort(np.asarray(doses, dtype=np.float64), kind='stable')
    dose = np.asarray(doses, dtype=np.float64)[order]
    rows = [row for row, name in enumerate(motion.names) if name in places and motion.counts[row] == len(order)]
    if not rows:
        raise ValueError('none of these particles has a trajectory with %d images' % len(order))
    moved = motion.moved().iloc[rows]
    bad = (moved > limit(motion.moved())).to_numpy()
    paths = np.stack([motion.shifts[motion.starts[row]:motion.starts[row] + motion.counts[row]][order] for row in rows])
    paths = paths - paths[:, :1]
    starts = np.array([list(places[motion.names[row]])[:2] for row in rows], dtype=np.float64)
    times = _times(starts, paths) if times is None else times
    figure = new_figure(11.5, 5.8)
    plane, along = np.asarray(figure.subplots(1, 2))
    _paths(plane, paths, starts, bad, times)
    _distances(along, dose, np.linalg.norm(paths, axis=2), bad)
    figure.suptitle('%s: %d particles, moved by %.2f Å in the median (RMS)' % (title or 'Trajectories', len(rows),
                                                                            moved.median()),
                    x=0.012, ha='left', fontsize=12, fontweight='bold')
    outliers = [str(name) for name in moved[bad].sort_values(ascending=False).index]
    caption(figure, TRAJECTORIES_HELP % times + _names(outliers))
    return figure


def _times(starts: np.ndarray, paths: np.ndarray) -> float:
    """1, 2, 5, 10, ... times: usual paths become about a fifteenth of the field that the particles lie in."""
    field = float(np.ptp(starts, axis=0).max())
    usual = float(np.median(np.linalg.norm(paths[:, :, :2], axis=2).max(axis=1)))
    if not field > 0 or not usual > 0:
        return 1.
    wanted = max(1., _PART * field / usual)
    decade = 10. ** np.floor(np.log10(wanted))
    return float(max(step * decade for step in (1, 2, 5) if step * decade <= wanted))


def _paths(axes: Axes, paths: np.ndarray, places: np.ndarray, bad: np.ndarray, times: float) -> None:
    for mask, color, label in ((~bad, COLORS[0], 'particles: %d'), (bad, COLORS[1], 'outliers: %d')):
        if not mask.any():
            continue
        drawn = places[mask][:, None] + times * paths[mask][:, :, :2]
        # One line with gaps is far quicker than a line for each particle
        gaps = np.full((len(drawn), 1, 2), np.nan)
        axes.plot(*np.concatenate([drawn, gaps], axis=1).reshape(-1, 2).T, color=color, linewidth=0.8,
                  label=label % mask.sum())
        axes.plot(*places[mask].T, 'o', color=color, markersize=2.5, label='_start')
    axes.set_aspect('equal', adjustable='datalim')
    axes.set(xlabel='X from the centre (Å)', ylabel='Y from the centre (Å)', title='Paths, %g times as long' % times)
    axes.legend(loc='best', fontsize=8)


def _distances(axes: Axes, dose: np.ndarray, distances: np.ndarray, bad: np.ndarray) -> None:
    low, middle, high = np.percentile(distances, [25, 50, 75], axis=0)
    axes.fill_between(dose, low, high, color=COLORS[0], alpha=0.25, linewidth=0, label='half of the particles')
    axes.plot(dose, middle, color=COLORS[0], label='median')
    for number, line in enumerate(distances[bad][:_NAMED]):
        axes.plot(dose, line, color=COLORS[1], linewidth=0.8, label='outliers' if number == 0 else '_outlier')
    axes.set(xlabel='Dose before the image (e/Å²)', ylabel='Distance from the first image (Å)',
             title='Distance along the exposure')
    axes.set_ylim(bottom=0)
    axes.legend(loc='best', fontsize=8)


@styled
def moved_figure(values: Any, series: Any, names: Any, label: str, unit: str, title: str,
                 advice: str = ALIGNMENT_ADVICE) -> Figure:
    """How much each image or particle moved, a box for each tilt series; outliers of all are named.

    values (n,): in `unit`, called `label`; series (n,): tilt series of each; names (n,): for the outliers; advice: what
    outliers mean. ValueError where no value is known.
    """
    table = pd.DataFrame({'value': np.asarray(values, dtype=np.float64), 'series': np.asarray(series, dtype=object),
                          'name': np.asarray(names, dtype=object)}).dropna(subset=['value'])
    if table.empty:
        raise ValueError('there is nothing that moved')
    border = limit(table['value'])
    medians = table.groupby('series')['value'].median()
    shown = sorted(medians.sort_values(ascending=False).index[:MOST_SERIES])
    figure = new_figure(max(7., min(14., 2.5 + 0.35 * len(shown))), 5.2)
    axes = figure.add_subplot()
    groups = [table.loc[table['series'] == one, 'value'].to_numpy() for one in shown]
    axes.boxplot(groups, showfliers=False, widths=0.6, medianprops={'color': COLORS[0], 'linewidth': 2},
                 boxprops={'color': GREY}, whiskerprops={'color': GREY}, capprops={'color': GREY})
    bad = table[table['value'] > border].sort_values('value', ascending=False)
    inside = bad[bad['series'].isin(shown)]
    if len(inside):
        axes.plot([shown.index(one) + 1 for one in inside['series']], inside['value'], 'o', color=COLORS[1], markersize=4,
                  linestyle='none', label='outliers: %d of %d' % (len(bad), len(table)))
    if np.isfinite(border):
        axes.axhline(border, color=COLORS[1], linestyle='--', linewidth=1,
                     label='median + %g MAD of %d: %s %s' % (TIMES, len(table), _number(border), unit))
    axes.set_xticks(range(1, len(shown) + 1), shown, rotation=90 if len(shown) > 8 else 0, fontsize=8)
    axes.set(ylabel='%s (%s)' % (label, unit), xlabel='Tilt series' + ('' if len(shown) == len(medians) else
                                                   ' (%d of %d, those with the largest medians)'
                                                   % (len(shown), len(medians))))
    axes.set_ylim(bottom=0)
    legend_beside(axes)
    figure.suptitle('%s: %s %s in the median, at most %s' % (title, _number(table['value'].median()), unit,
                                                             _number(table['value'].max())),
                    x=0.012, ha='left', fontsize=12, fontweight='bold')
    caption(figure, MOVED_HELP + advice + _names(['%s (%s %s)' % (name, _number(value), unit)
                                                  for name, value in zip(bad['name'], bad['value'])]))
    return figure


def _number(value: float) -> str:
    """With as many digits as mean something: 0.42, 5.99, 14767."""
    return '%.0f' % value if abs(value) >= 100 else '%.2f' % value


def _names(outliers: Sequence[str]) -> str:
    if not outliers:
        return ' There are no outliers.'
    rest = '' if len(outliers) <= _NAMED else ' and %d more' % (len(outliers) - _NAMED)
    return ' Outliers: %s%s.' % (', '.join(outliers[:_NAMED]), rest)
