"""Time of the converters against the number of particles."""
from typing import Any, Dict, Sequence

from matplotlib.figure import Figure

from .style import COLORS, new_figure, styled

_LINES = (('set_to_star_s', 'set → STAR', COLORS[0], '-'), ('star_to_set_s', 'STAR → set', COLORS[1], '-'),
          ('peer_set_to_star_s', 'set → STAR, scipion-em-reliontomo 4.0.5', COLORS[0], '--'),
          ('peer_star_to_set_s', 'STAR → set, scipion-em-reliontomo 4.0.5', COLORS[1], '--'))


@styled
def scaling_figure(rows: Sequence[Dict[str, Any]]) -> Figure:
    """Seconds against n, both logarithmic; rows: n and the seconds of each conversion (None: not timed)."""
    figure = new_figure(7, 4.5)
    axes = figure.add_subplot()
    for key, label, color, dash in _LINES:
        known = [(row['n'], row[key]) for row in rows if row.get(key) is not None]
        if known:
            axes.plot(*zip(*known), dash, marker='o', color=color, label=label)
    axes.set_xscale('log')
    axes.set_yscale('log')
    axes.set_xlabel('particles')
    axes.set_ylabel('time (s)')
    axes.set_title('Scipion set ↔ RELION STAR')
    axes.legend()
    return figure
