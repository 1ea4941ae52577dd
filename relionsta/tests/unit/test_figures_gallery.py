"""The gallery of classes: each tile is the class that its title says."""
import mrcfile
import numpy as np
import pytest

from relionsta.figures.gallery import class_gallery
from relionsta.figures.style import save_figure
from relionsta.jobs import files
from relionsta.results.class_images import VIEWS, count_text, read_class_images
from relionsta.results.maps import MapError
from relionsta.results.select_classes import Run

from .relion_job_folder import BOX, PARTICLES, PIXEL, write_iteration


@pytest.fixture
def run(tmp_path):
    """Iteration 3 of five classes, each map with one bright voxel of its own; all particles are in class 1."""
    write_iteration(tmp_path, files.CLASS3D, 3, classes=5)
    run = Run(str(tmp_path), files.RUN, 3)
    for number in range(1, 6):
        data = np.zeros((BOX, BOX, BOX), np.float32)
        data[BOX // 2, number, 2 * number] = number
        with mrcfile.new(run.file('class%03d' % number, 5), data=data, overwrite=True) as mrc:
            mrc.voxel_size = PIXEL
    return run


def test_each_tile_shows_its_own_class(run):
    """A map under another number keeps the junk and throws the particle away."""
    images = read_class_images(run)
    gallery = class_gallery(images, 'central slice xy', 'Iteration 3', marked=[2])
    assert list(gallery.axes) == [1, 2, 3, 4, 5]
    for number, axes in gallery.axes.items():
        picture = np.asarray(axes.images[0].get_array())
        assert np.argwhere(picture).tolist() == [[number, 2 * number]]
        assert axes.get_title(loc='left').startswith('Class %d · ' % number)
        low, high = axes.images[0].get_clim()
        assert (low, high) == gallery.axes[1].images[0].get_clim()
    assert [one.size for one in images] == [PARTICLES, 0, 0, 0, 0]
    assert gallery.axes[1].get_xlabel().startswith('%d particles' % PARTICLES)
    assert gallery.axes[2].get_xlabel() == 'empty'


def test_frames_follow_the_marks(run):
    """What is framed is what will be kept."""
    gallery = class_gallery(read_class_images(run), 'projection along z', '', marked=[2])
    for marked in ([2], [1, 5], []):
        gallery.mark(marked)
        framed = [number for number, axes in gallery.axes.items() if axes.spines['left'].get_linewidth() > 2]
        assert framed == marked


@pytest.mark.parametrize('view, place', [('central slice xz', (8, 4)), ('central slice yz', (8, 2)),
                                         ('projection along z', (2, 4)), ('projection along y', (8, 4)),
                                         ('projection along x', (8, 2))])
def test_views_look_along_the_axis_that_they_name(run, view, place):
    """An exchanged axis makes another particle of it. Class 2: x 4, y 2, z 8."""
    assert view in VIEWS
    image = read_class_images(run)[1].image(view)
    if view.startswith('projection'):
        assert tuple(np.argwhere(image)[0]) == place
    else:
        assert not image.any()  # the voxel is not in that central slice


def test_counts_add_up(run):
    """The number under the gallery is the number of the node that it makes."""
    images = read_class_images(run)
    assert count_text(images, [1, 4]) == ('2 of 5 classes marked: %d of %d particles (100.0 %%) are kept, 0 rejected.'
                                          % (PARTICLES, PARTICLES))
    assert '0 of %d' % PARTICLES in count_text(images, [2])
    assert count_text(images, []).startswith('No class')


def test_half_written_map_is_told(run):
    """RELION writes maps for seconds; half of one must not be shown as a class."""
    path = run.file('class003', 5)
    with open(path, 'r+b') as file:
        file.truncate(2000)
    with pytest.raises(MapError, match='class003'):
        read_class_images(run)


def test_fifty_classes_fit_on_a_screen(run, tmp_path):
    """The whole choice at one look; and it can be saved without a display."""
    images = read_class_images(run) * 10
    many = [one._replace(result=one.result.__class__(**{**one.result.__dict__, 'number': number}))
            for number, one in enumerate(images, start=1)]
    gallery = class_gallery(many, 'central slice xy', 'Fifty')
    width, height = gallery.figure.get_size_inches()
    assert len(gallery.axes) == 50 and width / height < 2
    assert save_figure(gallery.figure, tmp_path / 'gallery.png').stat().st_size > 10000
