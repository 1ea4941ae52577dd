"""Figures on screens of any size."""
from typing import NamedTuple

import pytest
from matplotlib.figure import Figure

from relionsta.viewers.figure_view import SCREEN_PART, fitToScreen


class Size(NamedTuple):
    """What fitToScreen asks a window for."""

    width: int
    height: int

    def winfo_screenwidth(self):
        return self.width

    def winfo_screenheight(self):
        return self.height


@pytest.mark.parametrize('screen, inches, pixels', [
    (Size(1366, 768), (8, 5), (800, 500)),
    (Size(1366, 768), (20, 5), (SCREEN_PART * 1366, SCREEN_PART * 1366 / 4)),
    (Size(1920, 1080), (8, 5), (800, 500)),
    (Size(3840, 2160), (8, 5), (1600, 1000)),
    (Size(3840, 2160), (10, 12), (SCREEN_PART * 2160 * 10 / 12, SCREEN_PART * 2160))])
def test_figures_fit_and_can_be_read(screen, inches, pixels):
    """A figure that is cut off at 1366 x 768, or as small as a stamp at 4K, is not read."""
    figure = Figure(figsize=inches, dpi=100)
    fitToScreen(figure, screen)
    assert tuple(figure.get_size_inches() * figure.dpi) == pytest.approx(pixels)
