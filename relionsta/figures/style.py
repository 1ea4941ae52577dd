"""One look for all figures: fonts, sizes, colours that the colour-blind can tell apart, captions, files."""
import textwrap
from functools import wraps
from pathlib import Path
from typing import Any, Callable, Dict, List, TypeVar, Union

import matplotlib
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..whole import whole

#: Colours of Okabe and Ito (2008) that show on white; more lines than colours differ in dashes
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
DASHES = ('-', '--', '-.', ':')
GREY = '#666666'
CHARACTERS_PER_INCH = 14  # of a caption
DPI = 150

_SETTINGS: Dict[str, Any] = {
    'font.family': 'sans-serif',
    'font.sans-serif': ['DejaVu Sans'],  # comes with matplotlib, so figures look the same everywhere
    'font.size': 10,
    'axes.titlesize': 11,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.labelsize': 10,
    'axes.spines.right': False,
    'axes.spines.top': False,
    'axes.grid': True,
    'grid.color': '#dddddd',
    'grid.linewidth': 0.6,
    'axes.axisbelow': True,
    'lines.linewidth': 1.6,
    'legend.fontsize': 9,
    'legend.frameon': True,
    'legend.framealpha': 0.9,
    'legend.edgecolor': 'none',
    'xtick.labelsize': 9,
    'ytick.labelsize': 9,
}

Maker = TypeVar('Maker', bound=Callable[..., Any])


def styled(make: Maker) -> Maker:
    """Decorator: what the function draws has our look; matplotlib's own settings stay as they were."""
    @wraps(make)
    def make_styled(*args: Any, **keywords: Any) -> Figure:
        with matplotlib.rc_context(_SETTINGS):
            return make(*args, **keywords)
    return make_styled  # type: ignore[return-value]


def new_figure(width: float, height: float) -> Figure:
    """An empty figure (inches), known to no window and to no pyplot state."""
    return Figure(figsize=(width, height), layout='constrained')


def line_styles(number: int, ordered: bool = False) -> List[Dict[str, Any]]:
    """Colour and dashes for each of `number` lines; ordered: along a scale, darkest first; else all different."""
    if ordered and number > 1:
        scale = colormaps['viridis']
        return [{'color': scale(0.9 * index / (number - 1)), 'linestyle': '-'} for index in range(number)]
    return [{'color': COLORS[index % len(COLORS)], 'linestyle': DASHES[index // len(COLORS) % len(DASHES)]}
            for index in range(number)]


def caption(figure: Figure, text: str) -> None:
    """A sentence under the figure on how to read it."""
    width = int(figure.get_figwidth() * CHARACTERS_PER_INCH)
    figure.supxlabel(textwrap.fill(text, width), x=0.012, ha='left', fontsize=8.5, color=GREY)


def legend_beside(axes: Axes, columns: int = 1, **keywords: Any) -> None:
    """A legend to the right of the axes, where it can cover no curve."""
    axes.legend(loc='upper left', bbox_to_anchor=(1.01, 1.), borderaxespad=0., ncols=columns, **keywords)


def save_figure(figure: Figure, path: Union[str, Path], dpi: int = DPI) -> Path:
    """Write the figure as PNG, SVG or PDF, as the name's ending says; nothing half-written is ever seen there."""
    with whole(path) as partial, matplotlib.rc_context({'svg.fonttype': 'none'}):  # text stays text
        figure.savefig(partial, dpi=dpi)
    return Path(path)
