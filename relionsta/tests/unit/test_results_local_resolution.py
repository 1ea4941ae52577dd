"""Local resolution: numbers inside of a mask, histogram and coloured slices."""
import mrcfile
import numpy as np
import pytest

from relionsta.figures.local_resolution import resolution_histogram, resolution_slices
from relionsta.results.local_resolution import read_local_resolution
from relionsta.results.maps import MapError, central_slices

BOX, PIXEL = 12, 5.0


def write(path, data):
    with mrcfile.new(str(path), np.asarray(data, dtype=np.float32), overwrite=True) as mrc:
        mrc.voxel_size = PIXEL
    return path


@pytest.fixture
def maps(tmp_path):
    """A ramp of resolutions along x with two voxels that RELION has not reached, and a mask with a soft edge."""
    x = np.broadcast_to(np.arange(BOX), (BOX,) * 3)
    resolution = 10.0 + x
    resolution[5, 5, 4] = resolution[0, 0, 0] = 0
    mask = np.select([(x >= 4) & (x < 8), x == 3], [1.0, 0.4], 0.0)
    return write(tmp_path / 'locres.mrc', resolution), write(tmp_path / 'mask.mrc', mask)


def test_numbers_inside_of_the_mask(maps):
    """The edge of the mask is no part of the particle, and a voxel without value is no resolution of 0 Å."""
    found = read_local_resolution(*maps)
    assert (found.voxels, found.unmeasured, found.masked) == (4 * BOX ** 2, 1, True)
    assert found.range == (14.0, 17.0)
    assert found.median == 16.0 and found.quartiles == (15.0, 16.5)  # one voxel of 14 is missing


def test_without_mask_all_measured_voxels_count(maps):
    """Zeros would pull the median down."""
    found = read_local_resolution(maps[0])
    assert (found.voxels, found.unmeasured, found.masked) == (BOX ** 3 - 2, 0, False)
    assert found.range == (10.0, 21.0)


def test_maps_that_do_not_go_together(maps, tmp_path):
    """A mask of another box would count other voxels."""
    with pytest.raises(MapError, match='small.mrc'):
        read_local_resolution(maps[0], write(tmp_path / 'small.mrc', np.ones((8, 8, 8))))
    with pytest.raises(MapError, match='no voxel inside'):
        read_local_resolution(maps[0], write(tmp_path / 'none.mrc', np.zeros((BOX,) * 3)))


def test_histogram_holds_every_voxel(maps):
    """Bars that do not add up to the voxels, or marks in other places than the numbers, mislead."""
    found = read_local_resolution(*maps)
    axes = resolution_histogram(found, nyquist=10.0, fsc_resolution=15.5).axes[0]
    bars = [patch for container in axes.containers for patch in container]
    assert sum(bar.get_height() for bar in bars) == found.voxels - found.unmeasured
    marks = {line.get_label(): line.get_xdata()[0] for line in axes.lines}
    assert marks == {'Median 16.0 Å': 16.0, 'FSC of the whole map 15.5 Å': 15.5, 'Nyquist 10 Å': 10.0}


def test_one_resolution_everywhere(tmp_path):
    """A map that reaches Nyquist everywhere has a histogram of no width."""
    found = read_local_resolution(write(tmp_path / 'flat.mrc', np.full((BOX,) * 3, 10.0)))
    axes = resolution_histogram(found, nyquist=10.0).axes[0]
    assert sum(patch.get_height() for container in axes.containers for patch in container) == BOX ** 3


def test_slices_are_grey_outside_of_the_mask(maps):
    """Colours of the solvent catch the eye and mean nothing."""
    figure = resolution_slices(central_slices(maps[0]), central_slices(maps[1]))
    panels = [axes for axes in figure.axes if axes.images and axes.get_xlabel()]
    assert [axes.get_xlabel() for axes in panels] == ['x →', 'x →', 'y →']
    shown = panels[0].images[0].get_array()
    assert shown.count() == 4 * BOX and set(np.unique(shown.compressed())) == {14.0, 15.0, 16.0, 17.0}
    assert panels[0].images[0].get_clim() == (14.0, 17.0)
    whole = resolution_slices(central_slices(maps[0])).axes[0].images[0].get_array()
    assert whole.count() == BOX ** 2
    with pytest.raises(ValueError, match='voxels'):
        resolution_slices(central_slices(maps[0]), central_slices(write(maps[0].parent / 'small.mrc', np.ones((8, 8, 8)))))
