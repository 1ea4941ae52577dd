"""Slices: scale, orientation, labels, values."""
import numpy as np
import pytest

from relionsta.figures.slices import bar_length, slices_figure
from relionsta.results.maps import CentralSlices, central_slices

from .relion_job_folder import write_map


def ramp_slices():
    """A box of 12 x 10 x 8 voxels of 5 Å; the values tell the place."""
    z, y, x = np.indices((8, 10, 12)).astype(np.float32)
    data = 100 * z + 10 * y + x
    return CentralSlices(xy=data[4], xz=data[:, 5], yz=data[:, :, 6], pixel_size=5., size=(12, 10, 8))


def test_slices_have_scale_and_orientation():
    """A mirrored slice or a wrong scale bar would mislead on hand and size of the particle."""
    slices = ramp_slices()
    figure = slices_figure({'Map': slices})
    panels = figure.axes
    assert [axes.get_xlabel() for axes in panels] == ['x →', 'x →', 'y →']
    assert [axes.get_ylabel() for axes in panels] == ['y →', 'z →', 'z →']
    for axes, view in zip(panels, (slices.xy, slices.xz, slices.yz)):
        image = axes.images[0]
        assert np.array_equal(image.get_array(), view)
        assert image.origin == 'lower' and image.cmap.name == 'gray'
        height, width = view.shape
        assert list(image.get_extent()) == [0, 5 * width, 0, 5 * height]
    # One grey scale for the three slices of a map
    assert len({(axes.images[0].norm.vmin, axes.images[0].norm.vmax) for axes in panels}) == 1
    bar = next(line for line in panels[0].lines if line.get_label() == '_scale_bar')
    assert np.diff(bar.get_xdata())[0] == 10.
    assert '10 Å' in [text.get_text() for text in panels[0].texts]
    assert panels[0].get_title() == '' and panels[0].get_title(loc='left') == 'Map'


@pytest.mark.parametrize('width, length', [(60., 10.), (128., 20.), (480., 100.), (3500., 1000.), (7., 2.), (3., 0.5)])
def test_scale_bar_is_round_and_fits(width, length):
    """The longest of 1, 2, 5 x 10^n that takes less than a third of the slice."""
    assert bar_length(width) == (pytest.approx(length), '%g Å' % length)


@pytest.mark.parametrize('number', [1, 3, 4, 9, 14])
def test_any_number_of_maps(tmp_path, number):
    """Every map gets its three slices and its label, however many classes there are."""
    path = tmp_path / 'map.mrc'
    write_map(path)
    figure = slices_figure({'Class %d' % index: central_slices(path) for index in range(number)})
    assert len(figure.axes) == 3 * number
    assert [axes.get_title(loc='left') for axes in figure.axes[::3]] == ['Class %d' % index for index in range(number)]


def test_a_flat_map_can_be_drawn():
    """An empty class is a map of zeros: no warning, no crash."""
    flat = np.zeros((8, 8), dtype=np.float32)
    figure = slices_figure({'Class 2': CentralSlices(flat, flat, flat, 10., (8, 8, 8))})
    norm = figure.axes[0].images[0].norm
    assert norm.vmin < 0 < norm.vmax
    with pytest.raises(ValueError, match='no map'):
        slices_figure({})
