"""The figure of a mask on its map: outlines, scale and threshold."""
import numpy as np
import pytest

from relionsta.figures.mask import mask_figure
from relionsta.results.maps import CentralSlices

PIXEL = 5.


def slices(data, pixel=PIXEL):
    z, y, x = (count // 2 for count in data.shape)
    return CentralSlices(xy=data[z], xz=data[:, y], yz=data[:, :, x], pixel_size=pixel, size=data.shape[::-1])


@pytest.fixture
def ball():
    """A ball of 6 voxels radius, 3 voxels off the centre along x, with an edge of 4 voxels."""
    z, y, x = np.mgrid[:32, :32, :32] - 16.
    return np.clip((8 - np.sqrt((x - 3) ** 2 + y ** 2 + z ** 2)) / 4, 0, 1)


def outlines(axes):
    return [path for collection in axes.collections for path in collection.get_paths() if len(path.vertices)]


def test_outlines_lie_where_the_mask_is(ball):
    """An outline that is off by half a voxel, or mirrored, makes a good mask look wrong."""
    figure = mask_figure(slices(np.random.default_rng(1).normal(size=ball.shape)), slices(ball), ball, 0.4)
    for axes, centre in zip(figure.axes, ((19.5, 16.5), (19.5, 16.5), (16.5, 16.5))):
        inner, outer = outlines(axes)
        for path, radius, off in ((inner, 6., 0.2), (outer, 7.96, 0.6)):  # the edge ends between two voxels
            if axes is figure.axes[2]:  # the slice x = 16 cuts the ball 3 voxels from its middle
                radius = np.sqrt(radius ** 2 - 9)
            distance = np.hypot(*(path.vertices / PIXEL - centre).T)
            assert distance == pytest.approx(np.full(len(distance), radius), abs=off)


def test_threshold_in_the_histogram(ball):
    """The line must stand at the number of the command, and the share be that of RELION's binarised map."""
    figure = mask_figure(slices(ball), slices(ball), ball, 0.4)
    axes = figure.axes[3]
    line = axes.lines[0]
    assert list(line.get_xdata()) == [0.4, 0.4]
    assert line.get_label() == 'Threshold 0.4: %.1f %% of the voxels above' % (100 * (ball > 0.4).mean())
    assert sum(bar.get_height() for bar in axes.patches) == ball.size


def test_a_mask_without_a_map(ball):
    """A sphere has no histogram; a slice that misses the mask has no outline; other boxes are an error."""
    assert len(mask_figure(slices(ball), slices(ball)).axes) == 3
    aside = np.roll(ball, 15, axis=0)
    figure = mask_figure(slices(ball), slices(aside))
    assert outlines(figure.axes[0]) == [] and len(outlines(figure.axes[1])) >= 2
    with pytest.raises(ValueError, match='32 x 32 x 32 voxels and the map 20'):
        mask_figure(slices(np.zeros((20, 20, 20))), slices(ball))
