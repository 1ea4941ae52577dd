"""Signal to noise of classes: what RELION takes for their resolution."""
from typing import Optional, Sequence

import numpy as np
from matplotlib.figure import Figure

from ..results.model import ClassResult, Model
from .axes import frequency_axis
from .style import GREY, caption, legend_beside, line_styles, new_figure, styled

SSNR_LABEL = 'Spectral signal-to-noise ratio'
HOW_TO_READ = ('The resolution of a class is where its curve first falls below 1. The particles of a class are not '
               'split into halves: use the curves to compare classes, and auto-refine for the resolution of a map.')
ROWS_OF_LEGEND = 20
LOWEST = 1e-2


@styled
def ssnr_figure(model: Model, numbers: Optional[Sequence[int]] = None, title: str = '') -> Figure:
    """SSNR (logarithmic) of the classes `numbers` (all by default) against spatial frequency.

    The legend gives the part of the particles and the resolution in Å. Raises ValueError for a class that is not there.
    """
    chosen = [_class(model, number) for number in (numbers or range(1, len(model.classes) + 1))]
    columns = 1 + (len(chosen) - 1) // ROWS_OF_LEGEND
    figure = new_figure(7.2 + 1.8 * columns, 5.2)
    axes = figure.add_subplot()
    for result, look in zip(chosen, line_styles(len(chosen))):
        # No logarithm of 0: shells that were not reconstructed leave a gap, and what RELION keeps for an empty class is
        # left over from an earlier iteration
        known = (result.spectrum.ssnr > 0) & (result.distribution > 0)
        values = np.where(known, result.spectrum.ssnr, np.nan)
        axes.plot(result.spectrum.frequency, values, label=_entry(result), **look)
    axes.set_yscale('log')
    frequency_axis(axes, model.nyquist)
    axes.set_ylim(bottom=LOWEST)
    axes.axhline(1, color=GREY, linewidth=1, linestyle='--', label='SSNR = 1')
    axes.set_ylabel(SSNR_LABEL)
    legend_beside(axes, columns)
    axes.set_title(title or 'Signal to noise of the classes')
    caption(figure, HOW_TO_READ)
    return figure


def _class(model: Model, number: int) -> ClassResult:
    if not 1 <= number <= len(model.classes):
        raise ValueError('there is no class %d in %s; it has classes 1 to %d'
                         % (number, model.path, len(model.classes)))
    return model.classes[number - 1]


def _entry(result: ClassResult) -> str:
    if result.distribution == 0:
        return 'Class %d: no particles' % result.number
    resolution = '–' if result.resolution is None else '%.1f Å' % result.resolution
    return 'Class %d: %.1f %%, %s' % (result.number, 100 * result.distribution, resolution)
