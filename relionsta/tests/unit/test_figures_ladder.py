"""The figure of the ladder."""
import numpy as np
import pytest

from relionsta.figures.ladder import ladder_figure
from relionsta.results.ladder import Rung

RUNGS = [Rung('Start', 16.0, 3.0, 64), Rung('CTF refinement 1', 12.0, 3.0, 64),
         Rung('Bayesian polishing 1', 19.2, 3.0, 64, kept=False), Rung('CTF refinement 2', 7.68, 3.0, 64)]


def test_points_stand_at_their_resolutions():
    """A line through a rejected step, or a wrong place, tells of another cycle."""
    axes, = ladder_figure(RUNGS, truth=7.5).axes
    lines = {line.get_label(): line.get_xydata() for line in axes.get_lines()}
    np.testing.assert_allclose(lines['kept'], [(0, 1 / 16), (1, 1 / 12), (3, 1 / 7.68)])
    np.testing.assert_allclose(lines['not kept'], [(2, 1 / 19.2)])
    shown = [text.get_text() for text in axes.texts]
    assert shown[:4] == ['16.00 Å', '12.00 Å', '19.20 Å', '7.68 Å']
    assert 'true parameters 7.50 Å' in shown
    assert not any('Nyquist' in text for text in shown)  # out of sight at 6 Å


def test_better_is_higher_and_the_axis_says_so():
    """Å that grow upwards would show a gain as a fall."""
    figure = ladder_figure(RUNGS)
    axes, = figure.axes
    figure.canvas.draw()
    ticks = {label.get_position()[1]: float(label.get_text()) for label in axes.get_yticklabels() if label.get_text()}
    assert len(ticks) >= 3
    np.testing.assert_allclose([1 / place for place in ticks], list(ticks.values()))
    low, high = axes.get_ylim()
    assert low < 1 / 19.2 and high > 1 / 7.68


def test_one_rung_and_none():
    """The first look at a cycle that has just begun."""
    ladder_figure(RUNGS[:1]).canvas.draw()
    with pytest.raises(ValueError, match='no rung'):
        ladder_figure([])
