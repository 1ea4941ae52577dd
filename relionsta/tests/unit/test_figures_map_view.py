"""The walk through a map, and its lit surface: places, masks and sides are what they say."""
import numpy as np
import pytest

from relionsta.figures.map_view import map_view, surface_figure
from relionsta.results.shading import DIRECTIONS, shade, surface_threshold

PIXEL = 4.0


def ball(size=32, centre=(16, 16, 16), radius=8):
    """A soft ball; centre as x, y, z."""
    z, y, x = np.meshgrid(*[np.arange(size)] * 3, indexing='ij')
    distance = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    return np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)


def test_slices_are_those_of_the_place():
    """A slice of another axis or place shows another particle."""
    volume = np.random.default_rng(1).normal(size=(10, 12, 14)).astype(np.float32)
    view = map_view(PIXEL)
    view.show(volume, 'noise')
    assert view.place == (7, 6, 5)
    view.move((3, 4, 8))
    for axes, expected in zip(view.figure.axes, (volume[8], volume[:, 4], volume[:, :, 3])):
        np.testing.assert_array_equal(axes.images[0].get_array(), expected)
    assert view.figure.axes[0].get_title(loc='left').startswith('z = 8 of 10 (12.0 Å')
    view.move((99, -3, 8))
    assert view.place == (13, 0, 8)


def test_click_goes_there():
    """The other two slices go through the point that was clicked."""
    view = map_view(PIXEL)
    view.show(ball(), 'ball')
    xy, xz, yz = view.figure.axes
    view.clicked(xy, 10.5 * PIXEL, 20.5 * PIXEL)
    assert view.place == (10, 20, 16)
    view.clicked(yz, 5.5 * PIXEL, 7.5 * PIXEL)
    assert view.place == (10, 5, 7)
    assert xz.lines[0].get_xdata()[0] == 10.5 * PIXEL and xz.lines[1].get_ydata()[0] == 7.5 * PIXEL


def test_mask_is_outlined_where_it_cuts():
    """An outline in another place hides a mask that cuts the particle."""
    view = map_view(PIXEL)
    view.show(ball(), 'ball', ball(radius=10))
    contours = [found for found in view.figure.axes[0].collections]
    assert len(contours) == 1
    points = np.concatenate([path.vertices for path in contours[0].get_paths()]) / PIXEL - 0.5
    np.testing.assert_allclose(np.hypot(*(points - 16).T), 10, atol=0.2)
    view.move((16, 16, 1))  # above the mask
    assert not view.figure.axes[0].collections
    with pytest.raises(ValueError, match='the mask has'):
        view.show(ball(), 'ball', ball(size=16))


def test_other_map_keeps_the_place():
    """Before and after are compared at one place."""
    view = map_view(PIXEL)
    view.show(ball(), 'before')
    view.move((4, 5, 6))
    view.show(2 * ball(), 'after')
    assert view.place == (4, 5, 6) and 'after' in view.figure.get_suptitle()


@pytest.mark.parametrize('direction', DIRECTIONS)
@pytest.mark.parametrize('back', [False, True])
def test_surface_of_a_ball(direction, back):
    """Depth and light follow from geometry: a ball is nearest in its middle, and bright where it faces the light."""
    surface = shade(ball(), 0.5, direction, back)
    rows, columns = np.nonzero(~np.isnan(surface.depth))
    centre = (16.0, 16.0) if not back else (16.0, 15.0)
    distance = np.hypot(rows - centre[0], columns - centre[1])
    assert distance.max() < 8.5
    near = surface.depth[rows, columns]
    inside = distance < 6
    front = 16 if back != (direction == 'along y') else 31 - 16
    np.testing.assert_allclose(near[inside], front - np.sqrt(64 - distance[inside] ** 2), atol=0.35)
    light = surface.brightness
    assert np.nanmean(light[17:, :16]) > np.nanmean(light[:15, 17:]) + 0.15  # upper left against lower right
    assert 0 <= np.nanmin(light) and np.nanmax(light) <= 1


def test_sides_are_not_mirrored():
    """The hand of a particle is read off its surface: seen from behind, right and left change places."""
    # Arms of different lengths along +x, +y and +z: from wherever one looks, the three make a right hand.
    arms = [((26, 16, 16), 2), ((16, 25, 16), 3), ((16, 16, 24), 4)]
    volume = np.maximum.reduce([ball(radius=4)] + [ball(centre=place, radius=radius) for place, radius in arms])
    for direction, (across, up, right) in DIRECTIONS.items():
        for back in (False, True):
            surface = shade(volume, 0.5, direction, back)
            ends = [np.array(place) - 16 for place, _ in arms]
            to_the_right, upwards = (ends[2 - axis] for axis in (right, up))
            to_the_right = -to_the_right if back else to_the_right
            column, row = 16 + to_the_right.sum() - back, 16 + upwards.sum()
            assert not np.isnan(surface.brightness[16, column]), (direction, back)
            assert not np.isnan(surface.brightness[row, 16]), (direction, back)
            towards = np.cross(to_the_right, upwards)[2 - across]  # x, y or z
            arm_is_near = np.nanmin(surface.depth[12:20, 12:20]) < 7
            assert arm_is_near == (towards > 0), (direction, back)


def test_surface_figure_and_threshold():
    """Six sides with their axes; nothing above the threshold is an empty picture and no failure."""
    volume = ball()
    threshold = surface_threshold(volume)
    assert 0 < threshold <= 1
    figure = surface_figure(volume, PIXEL, threshold, 'ball')
    assert len(figure.axes) == 6 and '%.3g' % threshold in figure.get_suptitle()
    assert np.isnan(shade(volume, 5.0, 'along x').brightness).all()
