"""Slices and convergence figures: scale, orientation, labels, values."""
import numpy as np
import pandas as pd
import pytest

from relionsta.figures.convergence import convergence_figure
from relionsta.figures.slices import bar_length, slices_figure
from relionsta.jobs import files
from relionsta.results.history import history
from relionsta.results.maps import CentralSlices, central_slices

from .relion_job_folder import write_iteration, write_map


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


def test_convergence_of_a_classification(tmp_path):
    """Units per panel, one line per class, and the values of the table."""
    for number in (1, 2, 3):
        write_iteration(tmp_path, files.CLASS3D, number, 3)
    table = history(tmp_path, files.CLASS3D)
    resolution, rotations, translations, classes = convergence_figure(table, nyquist=20.).axes
    assert [axes.get_ylabel() for axes in (resolution, rotations, translations, classes)] == [
        'Resolution (Å)', 'Angle (degrees)', 'Distance (Å)', 'Particles (%)']
    assert list(resolution.lines[0].get_xdata()) == [1, 2, 3]
    assert list(resolution.lines[0].get_ydata()) == table['resolution'].tolist()
    assert [line.get_label() for line in resolution.lines[1:]] == ['Nyquist 20 Å']
    assert [line.get_label() for line in rotations.lines] == ['mean change', 'estimated accuracy', 'step of the search']
    assert list(translations.lines[2].get_ydata()) == [10., 10., 10.]
    assert [line.get_label() for line in classes.lines] == ['class 1', 'class 2', 'class 3']
    assert classes.lines[0].get_ydata() == pytest.approx([100 / 3] * 3)


def test_convergence_of_a_refinement(tmp_path):
    """With one class the last panel shows how certain the poses are, and the final resolution is drawn."""
    write_iteration(tmp_path, files.REFINE3D, 1)
    axes = convergence_figure(history(tmp_path, files.REFINE3D), nyquist=20., final=35.).axes
    assert axes[3].get_ylabel() == 'Average Pmax'
    assert [line.get_label() for line in axes[0].lines[1:]] == ['final 35 Å', 'Nyquist 20 Å']
    # Nothing was estimated in iteration 1: no line without points
    assert [line.get_label() for line in axes[1].lines] == ['mean change', 'step of the search']


def test_no_iteration_no_figure():
    """Nothing complete yet is a message for the user, not an empty plot."""
    with pytest.raises(ValueError, match='no iteration'):
        convergence_figure(pd.DataFrame())
