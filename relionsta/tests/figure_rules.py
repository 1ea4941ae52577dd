"""What every figure must have, whatever it shows: titles, axes with units, a legend, and how to read it."""
import re
from typing import Iterator, List

from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Numbers that have no unit.
COUNTS = ('Iteration', 'Particles', 'Voxels', 'particles', 'Motion', 'Class', 'Tilt series', 'Contrast scale',
          'Average Pmax', 'Fourier shell correlation', 'Spectral signal-to-noise ratio', 'Place along it',
          'Grey value', 'ln(amplitude)')
_UNIT = re.compile(r'\((%|Å|µm|1/Å²?|e/Å²|degrees|°|s|[^()]*= [^()]*|0 to 1|particles)\)')


def has_unit(label: str) -> bool:
    """True for the label of an axis that says in what it counts: a unit in brackets, or a word for what has none."""
    return bool(_UNIT.search(label)) or label.startswith(COUNTS)


def faults(figure: Figure) -> List[str]:
    """What the figure lacks, in words; [] for a good one."""
    found = [] if figure.get_suptitle() or any(_title(axes) for axes in figure.axes) else ['no title']
    if not figure.get_supxlabel():
        found.append('no words on how to read it')
    for axes in _with_data(figure):
        where = _title(axes) or figure.get_suptitle()
        for label in _labels(axes):
            if not has_unit(label):
                found.append('%s: an axis is called "%s", without a unit' % (where, label))
        curves = [line for line in axes.lines if not line.get_label().startswith('_')]
        if len(curves) > 1 and axes.get_legend() is None and not figure.legends:
            found.append('%s: %d curves and no legend' % (where, len(curves)))
        for curve in curves:
            if not len(curve.get_xdata()):
                found.append('%s: the curve "%s" is empty' % (where, curve.get_label()))
    return found


def _with_data(figure: Figure) -> Iterator[Axes]:
    """Axes with numbers: those of a picture have none, and those of a colour bar have numbers too."""
    for axes in figure.axes:
        if axes.axison and axes.get_visible() and (len(axes.get_xticks()) or len(axes.get_yticks())):
            yield axes


def _labels(axes: Axes) -> List[str]:
    """The labels of axes with numbers that are written out; of panels that share a right axis, one names it."""
    shown = []
    for axis in (axes.xaxis, axes.yaxis):
        ticks = axis.get_major_ticks()
        if not axis.get_visible() or not len(axis.get_ticklocs()) or not ticks:
            continue
        left, right = (label.get_visible() for label in (ticks[0].label1, ticks[0].label2))
        words = any(re.search('[A-Za-z]', text.get_text()) for text in axis.get_ticklabels())
        label = axis.label.get_text()
        if not (left or right) or words:
            continue
        if right and not left and not label:
            label = next((other.yaxis.label.get_text() for other in axes.figure.axes
                          if other.yaxis.get_label_position() == 'right' and other.yaxis.label.get_text()), '')
        shown.append(label)
    return shown


def _title(axes: Axes) -> str:
    return axes.get_title(loc='left') or axes.get_title()
