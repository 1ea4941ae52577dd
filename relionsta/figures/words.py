"""Verdicts on a figure, in words."""
import textwrap
from typing import List, Sequence, Tuple

from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from ..results.verdict import DONE, GOING, LIMIT, LOOK, Verdict
from .style import CHARACTERS_PER_INCH, GREY, new_figure, styled

#: A sign and a colour for each kind: whoever does not see the one sees the other.
SIGNS = {DONE: ('✓', '#00724E'), GOING: ('…', '#0072B2'), LIMIT: ('▲', '#A63F00'), LOOK: ('!', '#A63F00')}
_LINE = 0.25  # inches, and font sizes that fit
_SIZE, _RULE_SIZE = 10, 8.5
_BIGGER = 0.86  # a sentence takes more room than a caption


def words(figure: Figure, place: SubplotSpec, verdicts: Sequence[Verdict]) -> None:
    """Write the verdicts, each with its rule under it, into a place of the figure's grid."""
    axes = figure.add_subplot(place)
    axes.set_axis_off()
    lines = _lines(verdicts, figure.get_figwidth())
    for number, (text, colour, size) in enumerate(lines):
        axes.text(0., 1. - number / max(1, len(lines)), text, va='top', ha='left', color=colour, fontsize=size,
                  transform=axes.transAxes)


def words_height(verdicts: Sequence[Verdict], width: float) -> float:
    """Inches that the verdicts take on a figure that is `width` inches wide."""
    return _LINE * max(1, len(_lines(verdicts, width)))


@styled
def notice_figure(text: str) -> Figure:
    """A figure with nothing but a sentence: why there is nothing to see yet."""
    figure = new_figure(7.2, 2.)
    figure.text(0.5, 0.5, text, ha='center', va='center', color=GREY, fontsize=11)
    return figure


def _lines(verdicts: Sequence[Verdict], width: float) -> List[Tuple[str, str, float]]:
    """Text, colour and font size of every line."""
    found: List[Tuple[str, str, float]] = []
    for verdict in verdicts:
        sign, colour = SIGNS[verdict.level]
        wrapped = textwrap.wrap(verdict.text, int(width * CHARACTERS_PER_INCH * _BIGGER))
        found += [('%s  %s' % (sign if first else '   ', line), colour, _SIZE)
                  for first, line in ((number == 0, line) for number, line in enumerate(wrapped))]
        found += [('     ' + line, GREY, _RULE_SIZE)
                  for line in textwrap.wrap(verdict.rule, int(width * CHARACTERS_PER_INCH))]
    return found
