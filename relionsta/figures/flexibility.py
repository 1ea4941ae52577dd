"""How the bodies of a multi-body refinement move: the principal motions and the particles along them."""
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..results.flexibility import explained_variance
from .style import COLORS, caption, new_figure, styled

HOW_TO_READ = ('Each motion mixes rotations and shifts of all bodies; its numbers are those that particles are selected '
               'by. One hump: a continuous motion. Two: distinct states, worth a classification.')
BINS = 50
PARTICLES_PER_BIN = 4


@styled
def flexibility_figure(projections: pd.DataFrame, motions: int = 3, title: str = '') -> Figure:
    """The part of all motion that each component explains, and histograms of the particles along the first ones.

    projections: as results.flexibility.read_projections reads them. Raises ValueError where there are none.
    """
    if projections.empty:
        raise ValueError('no particle has a place along the motions')
    explained = 100 * explained_variance(projections)
    shown = max(1, min(motions, projections.shape[1]))
    figure = new_figure(3.1 * (shown + 1), 3.4)
    axes = figure.add_subplot(1, shown + 1, 1)
    axes.bar(range(1, len(explained) + 1), explained, color=COLORS[0])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel('Motion')
    axes.set_ylabel('Explained variance (%)')
    bins = max(5, min(BINS, len(projections) // PARTICLES_PER_BIN))
    for place in range(shown):
        panel = figure.add_subplot(1, shown + 1, place + 2)
        panel.hist(projections.iloc[:, place].to_numpy(), bins=bins, color=COLORS[0], alpha=0.75)
        panel.set_title('Motion %d: %.0f %%' % (place + 1, explained[place]), fontsize=10)
        panel.set_xlabel('Place along it')
        panel.set_ylabel('Particles')
    figure.suptitle(title or 'Principal motions of the bodies', x=0.012, ha='left', fontsize=11, fontweight='bold')
    caption(figure, HOW_TO_READ)
    return figure
