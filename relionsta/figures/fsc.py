"""Fourier shell correlation: how far two half maps agree."""
from dataclasses import dataclass
from typing import Mapping, Optional, Sequence

import numpy as np
from matplotlib.figure import Figure

from ..results.model import Model
from ..results.postprocess import CORRECTED, RANDOMISED, PostProcess
from ..results.resolution import GOLD_STANDARD, resolution_at
from ..results.verdict import Verdict, judge_mask
from .axes import frequency_axis
from .style import GREY, caption, line_styles, new_figure, styled
from .words import words, words_height

FSC_LABEL = 'Fourier shell correlation'
#: FSC up to which a map is often trusted in detail, and that of two maps that share no half.
HALF = 0.5
HOW_TO_READ = ('The resolution is where the curve first falls below {threshold:g}. A curve that is still high at '
               'Nyquist asks for smaller pixels (less binning).')
HOW_TO_READ_REFINE = HOW_TO_READ + (' A flat start at 1 is where RELION averages the two half maps, so that they '
                                    'keep one orientation.')
HOW_TO_READ_POSTPROCESS = (
    'The resolution is where the corrected curve first falls below {threshold:g}. The phase-randomised curve shows '
    'what the mask alone adds: near 0 at the resolution, it is harmless; if not, soften or widen the mask.')
HOW_TO_READ_RUNS = ('The run whose curve stays high longest is the best, if particles and mask are the same: a tighter mask '
                    'alone lifts a curve. The resolution is where a curve first falls below {threshold:g}.')
_WIDTH, _HEIGHT = 7.6, 5.2
_DASHED = (0, (4, 4))


@dataclass(frozen=True)
class Curve:
    """An FSC curve. frequency in 1/Å; resolution in Å is shown in the legend, with that at 0.5, unless it is None."""

    label: str
    frequency: np.ndarray
    values: np.ndarray
    resolution: Optional[float] = None

    @property
    def text(self) -> str:
        """The entry in the legend."""
        if self.resolution is None:
            return self.label
        half = resolution_at(self.frequency, self.values, HALF)
        return '%s: %.2f Å%s' % (self.label, self.resolution, '' if half is None else ' (%.2f at 0.5)' % half)


@styled
def fsc_figure(curves: Sequence[Curve], pixel_size: float, threshold: float = GOLD_STANDARD, title: str = '',
               ordered: bool = False, how_to_read: str = HOW_TO_READ, verdicts: Sequence[Verdict] = ()) -> Figure:
    """FSC curves against spatial frequency (1/Å below, Å above), with the threshold, 0.5 and Nyquist marked.

    pixel_size in Å; the first curve that has a resolution gets a mark on the axis; ordered: the curves are steps of a
    series (iterations); verdicts: what is wrong, above the curves. Raises ValueError where there is no curve.
    """
    if not curves:
        raise ValueError('no FSC curve to draw')
    head = words_height(verdicts, _WIDTH) if verdicts else 0.
    figure = new_figure(_WIDTH, _HEIGHT + head)
    grid = figure.add_gridspec(2 if verdicts else 1, 1, height_ratios=[head, _HEIGHT] if verdicts else [1.])
    axes = figure.add_subplot(grid[-1, 0])
    if verdicts:
        words(figure, grid[0, 0], verdicts)
    for number, (curve, look) in enumerate(zip(curves, line_styles(len(curves), ordered))):
        # A mask that RELION left out: two curves in one place, and both must show
        hides = any(_same(curve, other) for other in curves[:number])
        axes.plot(curve.frequency, curve.values, label=curve.text, **dict(look, linestyle=_DASHED if hides else
                                                                          look['linestyle']))
    frequency_axis(axes, 2 * pixel_size)
    axes.set_ylim(min(-0.05, *(float(np.nanmin(curve.values)) - 0.05 for curve in curves)), 1.05)
    axes.set_ylabel(FSC_LABEL)
    axes.axhline(0, color=GREY, linewidth=0.8, label='_zero')
    axes.axhline(threshold, color=GREY, linewidth=1, linestyle='--', label='FSC = %g' % threshold)
    axes.axhline(HALF, color=GREY, linewidth=1, linestyle='-.', label='FSC = %g' % HALF)
    marked = next((curve.resolution for curve in curves if curve.resolution is not None), None)
    if marked is not None:
        axes.plot([1. / marked], [threshold], marker='o', color='black', linestyle='', label='_resolution')
        axes.annotate('%.2f Å' % marked, (1. / marked, threshold), xytext=(6, 6), textcoords='offset points',
                      fontweight='bold')
    # Within a part of the axes, so that what stands along Nyquist can be read
    axes.legend(loc='best' if len(curves) < 10 else 'lower left', ncols=1 + len(curves) // 10,
                bbox_to_anchor=(0., 0., 0.955, 1.))
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


def bodies_fsc_figure(model: Model, name: str) -> Figure:
    """Gold-standard FSC of each body of a multi-body refinement; name: of the model (`iteration 5`, `final`).

    Raises ValueError where no body has an FSC.
    """
    curves = [Curve('Body %d' % body.number, *model.fsc(body.number), resolution=body.resolution)
              for body in model.classes if body.spectrum.has_fsc]
    return fsc_figure(curves, model.pixel_size, title='FSC of the bodies, %s' % name)


def postprocess_fsc_figure(result: PostProcess, title: str = '') -> Figure:
    """The four FSC curves of post-processing; the resolution of the corrected one is RELION's, the others' read off."""
    curves = [Curve(name.capitalize(), frequency, values, _postprocess_resolution(result, name))
              for name, (frequency, values) in result.fsc_curves().items()]
    has_mask = any(name == RANDOMISED for name in result.fsc)
    return fsc_figure(curves, result.nyquist / 2, title=title or 'FSC of post-processing', verdicts=judge_mask(result),
                      how_to_read=HOW_TO_READ_POSTPROCESS if has_mask else HOW_TO_READ)


def compare_fsc_figure(curves: Sequence[Curve], pixel_size: float, title: str = '') -> Figure:
    """The curves of several runs, best resolution first; pixel_size: the smallest of them. Errors as `fsc_figure`."""
    ranked = sorted(curves, key=lambda curve: np.inf if curve.resolution is None else curve.resolution)
    return fsc_figure(ranked, pixel_size, title=title or 'FSC of several runs', how_to_read=HOW_TO_READ_RUNS)


def _same(one: Curve, other: Curve) -> bool:
    return one.values.shape == other.values.shape and np.allclose(one.values, other.values, atol=1e-5, equal_nan=True)


def _postprocess_resolution(result: PostProcess, name: str) -> Optional[float]:
    if name == CORRECTED:
        return result.resolution
    # Random phases have no resolution
    return None if name == RANDOMISED else resolution_at(result.frequency, result.fsc[name])
