"""Who went where: particles that moved from class to class between two iterations."""
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..results.class_flow import Flow
from .style import caption, new_figure, styled

HOW_TO_READ = ('Each row is a class of the earlier iteration, its numbers say where its particles went; in settled classes '
               'all stay on the diagonal. Two classes that exchange particles are alike: keep both, or ask for one less.')
_MOST_NUMBERS = 16  # classes whose cells have room for a number
_CELL = 0.55  # inches


@styled
def class_flow_figure(flow: Flow, first: int, last: int, title: str = '') -> Figure:
    """The flow from iteration `first` to `last`: a row per class of the first, coloured by the part of that class."""
    classes = len(flow.counts)
    sums = flow.counts.sum(axis=1, keepdims=True)
    part = 100. * flow.counts / np.maximum(sums, 1)
    side = min(7.5, max(3.4, _CELL * classes))
    figure = new_figure(side + 3.4, side + 1.7)
    axes = figure.add_subplot()
    image = axes.imshow(np.ma.masked_where(np.broadcast_to(sums == 0, part.shape), part), cmap='cividis', vmin=0, vmax=100)
    axes.grid(False)
    axes.set_xticks(range(classes), ['%d' % number for number in range(1, classes + 1)])
    axes.set_yticks(range(classes), ['%d (%d)' % pair for pair in zip(range(1, classes + 1), sums[:, 0])])
    axes.set_xlabel('Class in iteration %d' % last)
    axes.set_ylabel('Class in iteration %d (particles)' % first)
    if classes <= _MOST_NUMBERS:
        for row, column in zip(*np.nonzero(flow.counts)):
            axes.text(column, row, '%d' % flow.counts[row, column], ha='center', va='center', fontsize=8,
                      color='black' if part[row, column] > 60 else 'white')
    figure.colorbar(image, ax=axes, label='Part of the earlier class (%)', shrink=0.8, format=PercentFormatter(100, 0))
    axes.set_title(title or '%.1f %% of %d particles changed class' % (100 * flow.moved, flow.total))
    caption(figure, HOW_TO_READ + ('' if not flow.alone else ' %d particles are in one of the two iterations only.'
                                   % flow.alone))
    return figure
