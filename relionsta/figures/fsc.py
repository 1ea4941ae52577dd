"""Fourier shell correlation: how far two half maps agree."""
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

import numpy as np
from matplotlib.figure import Figure

from ..results.model import Model
from ..results.postprocess import CORRECTED, RANDOMISED, PostProcess
from ..results.resolution import GOLD_STANDARD, resolution_at
from .axes import frequency_axis
from .style import GREY, caption, line_styles, new_figure, styled

FSC_LABEL = 'Fourier shell correlation'
HOW_TO_READ = ('The resolution is where the curve first falls below {threshold:g}. A curve that is still high at '
               'Nyquist asks for smaller pixels (less binning).')
HOW_TO_READ_REFINE = HOW_TO_READ + (' A flat start at 1 is where RELION averages the two half maps, so that they '
                                    'keep one orientation.')
HOW_TO_READ_POSTPROCESS = (
    'The resolution is where the corrected curve first falls below {threshold:g}. The phase-randomised curve shows '
    'what the mask alone adds: near 0 at the resolution, it is harmless; if not, soften or widen the mask.')


@dataclass(frozen=True)
class Curve:
    """An FSC curve. frequency in 1/Å; resolution in Å is shown in the legend unless it is None."""

    label: str
    frequency: np.ndarray
    values: np.ndarray
    resolution: Optional[float] = None

    @property
    def text(self) -> str:
        """The entry in the legend."""
        return self.label if self.resolution is None else '%s: %.2f Å' % (self.label, self.resolution)


@styled
def fsc_figure(curves: Sequence[Curve], pixel_size: float, threshold: float = GOLD_STANDARD, title: str = '',
               ordered: bool = False, how_to_read: str = HOW_TO_READ) -> Figure:
    """FSC curves against spatial frequency (1/Å below, Å above), with the threshold and Nyquist marked.

    pixel_size in Å; the first curve that has a resolution gets a mark on the axis; ordered: the curves are steps of a
    series (iterations). Raises ValueError where there is no curve.
    """
    if not curves:
        raise ValueError('no FSC curve to draw')
    figure = new_figure(7.2, 5.2)
    axes = figure.add_subplot()
    for curve, look in zip(curves, line_styles(len(curves), ordered)):
        axes.plot(curve.frequency, curve.values, label=curve.text, **look)
    frequency_axis(axes, 2 * pixel_size)
    axes.set_ylim(min(-0.05, *(float(np.nanmin(curve.values)) - 0.05 for curve in curves)), 1.05)
    axes.set_ylabel(FSC_LABEL)
    axes.axhline(0, color=GREY, linewidth=0.8, label='_zero')
    axes.axhline(threshold, color=GREY, linewidth=1, linestyle='--', label='FSC = %g' % threshold)
    marked = next((curve.resolution for curve in curves if curve.resolution is not None), None)
    if marked is not None:
        axes.plot([1. / marked], [threshold], marker='o', color='black', linestyle='', label='_resolution')
        axes.annotate('%.2f Å' % marked, (1. / marked, threshold), xytext=(6, 6), textcoords='offset points',
                      fontweight='bold')
    axes.legend(loc='best' if len(curves) < 10 else 'lower left', ncols=1 + len(curves) // 10)
    axes.set_title(title)
    caption(figure, how_to_read.format(threshold=threshold))
    return figure


def refine_fsc_figure(models: Mapping[str, Model], title: str = '') -> Figure:
    """Gold-standard FSC of an auto-refinement; models: label (`Iteration 5`, `Final`) -> model, in their order.

    The resolution of each is the one that RELION reports. Raises ValueError where no model has an FSC.
    """
    chosen = {label: model for label, model in models.items() if model.classes[0].spectrum.has_fsc}
    if not chosen:
        raise ValueError('none of these iterations compared two half maps, so there is no FSC')
    # The last one first: its resolution is the one to mark, its line the darkest
    curves = [Curve(label, *chosen[label].fsc(), resolution=chosen[label].resolution)
              for label in reversed(list(chosen))]
    pixel_size = next(iter(chosen.values())).pixel_size
    return fsc_figure(curves, pixel_size, title=title or 'Gold-standard FSC', ordered=len(curves) > 3,
                      how_to_read=HOW_TO_READ_REFINE)


def postprocess_fsc_figure(result: PostProcess, title: str = '') -> Figure:
    """The four FSC curves of post-processing; the resolution of the corrected one is RELION's, the others' read off."""
    curves = [Curve(name.capitalize(), frequency, values, _postprocess_resolution(result, name))
              for name, (frequency, values) in result.fsc_curves().items()]
    has_mask = any(name == RANDOMISED for name in result.fsc)
    return fsc_figure(curves, result.nyquist / 2, title=title or 'FSC of post-processing',
                      how_to_read=HOW_TO_READ_POSTPROCESS if has_mask else HOW_TO_READ)


def _postprocess_resolution(result: PostProcess, name: str) -> Optional[float]:
    if name == CORRECTED:
        return result.resolution
    # Random phases have no resolution
    return None if name == RANDOMISED else resolution_at(result.frequency, result.fsc[name])
