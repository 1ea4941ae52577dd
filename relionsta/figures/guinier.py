"""Guinier plot of post-processing: how fast the amplitudes fall, and what sharpening makes of them."""
import numpy as np
from matplotlib.figure import Figure

from ..results.postprocess import PostProcess
from .style import GREY, caption, line_styles, new_figure, styled

HOW_TO_READ = ('Amplitudes of a protein at high resolution fall along a straight line; its slope is the B-factor, '
               'which RELION fits where the resolution is better than about 10 Å.')


@styled
def guinier_figure(result: PostProcess, title: str = '') -> Figure:
    """ln(amplitude) against the squared spatial frequency (1/Å²). Raises ValueError where there is no such table."""
    if result.guinier is None:
        raise ValueError('%s holds no Guinier plot' % result.path)
    figure = new_figure(7.2, 5.2)
    axes = figure.add_subplot()
    squared, curves = result.guinier
    # The level that RELION writes beside a fitted line says less than the line
    shown = {name: values for name, values in curves.items() if name != 'fit' or result.fit is None}
    for (name, values), look in zip(shown.items(), line_styles(len(shown))):
        # Shell 0 is the mean of the map, next to nothing: its logarithm would flatten the rest
        axes.plot(squared[1:], values[1:], label=name[0].upper() + name[1:], **look)
    if result.fit is not None:
        ends = np.array([0., 1. / result.resolution ** 2])
        axes.plot(ends, result.fit.intercept + result.fit.slope * ends, color='black', linewidth=1.2, linestyle='--',
                  label='Fitted line: B = %.0f Å² (r = %.2f)' % (result.fit.b_factor, result.fit.correlation))
    axes.axvline(1. / result.resolution ** 2, color=GREY, linewidth=1, linestyle='--',
                 label='Resolution %.2f Å' % result.resolution)
    axes.set_xlim(0, 1. / result.nyquist ** 2)
    axes.set_xlabel('Squared spatial frequency (1/Å²)')
    axes.set_ylabel('ln(amplitude)')
    sharpened = 'not sharpened' if result.b_factor is None else 'B = %.0f Å²' % result.b_factor
    axes.set_title(title or 'Guinier plot (%s)' % sharpened)
    axes.legend(loc='upper right')
    caption(figure, HOW_TO_READ)
    return figure
