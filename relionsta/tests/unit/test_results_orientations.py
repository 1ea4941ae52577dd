"""Orientations and coverage against what geometry says of simple cases."""
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from relionsta import geometry
from relionsta.figures.orientations import MOST, coverage_figure, orientations_figure
from relionsta.figures.style import save_figure
from relionsta.results.orientations import ENOUGH, beams_of_series, coverage, views, views_by, visible_images
from relionsta.results.sphere import from_angles, from_lambert, lambert, sphere_grid, to_angles
from relionsta.results.symmetry import rotations


def series(most=60., axis=0.):
    tilts = np.arange(-most, most + 1, 3.)
    return pd.DataFrame({'rlnTomoYTilt': tilts, 'rlnTomoZRot': axis})


def covered(A, most=60., symmetry='C1', axis=0., visible=None):
    matrices = np.asarray(A).reshape(-1, 3, 3)
    return coverage(matrices, ['a'] * len(matrices), {'a': beams_of_series(series(most, axis))}, symmetry,
                    rotations(symmetry), visible)


def random_matrices(number, seed=1):
    return Rotation.random(number, random_state=seed).as_matrix()


def test_cells_have_equal_areas_and_hold_their_middles():
    """Cells that differ in area make an even distribution look uneven."""
    grid = sphere_grid(5.)
    assert grid.areas.sum() == pytest.approx(1)
    assert grid.areas.max() / grid.areas.min() < 1.3
    np.testing.assert_array_equal(grid.cells(grid.directions), np.arange(len(grid.areas)))
    assert (grid.directions[:grid.northern, 2] > 0).all() and (grid.directions[grid.northern:, 2] < 0).all()


def test_lambert_keeps_areas_and_comes_back():
    """A projection that is not equal-area shows too many views at the rim."""
    for south in (False, True):
        vectors = random_matrices(4000)[:, 2]
        vectors[:, 2] = np.abs(vectors[:, 2]) * (-1 if south else 1)
        flat = lambert(vectors, south)
        np.testing.assert_allclose(from_lambert(flat, south), vectors, atol=1e-6)
        assert np.mean((flat ** 2).sum(axis=1) < 0.5) == pytest.approx(0.5, abs=0.03)  # half of the area


def test_a_view_is_where_rot_and_tilt_say():
    """A mirrored or turned plot sends people to look for the wrong missing view."""
    angles = np.array([[30., 50., 77.], [-120., 140., -5.]])
    rot, tilt = to_angles(geometry.euler_to_matrix(angles)[:, 2])
    np.testing.assert_allclose(np.stack([rot, tilt], axis=1), angles[:, :2])
    found = views(geometry.euler_to_matrix(np.repeat(angles[:1], 50, axis=0)))
    fullest = found.grid.directions[np.argmax(found.density)]
    assert fullest @ from_angles([30.], [50.])[0] > np.cos(np.radians(12))
    assert found.number == 50 and (found.density * found.grid.areas).sum() == pytest.approx(1)


def test_symmetry_copies_the_views():
    """Without it, a sixfold particle seems to lack five sixths of its views."""
    A = geometry.euler_to_matrix(np.repeat([[10., 90., 0.]], 100, axis=0))
    found = views(A, rotations('C6'))
    filled = found.grid.directions[found.density > 0.1 * found.density.max()]
    rot, tilt = to_angles(filled)
    assert len({round((one - 10) / 60) % 6 for one in rot}) == 6 and np.abs(tilt - 90).max() < 16
    by = views_by(random_matrices(30), ['b'] * 10 + ['a'] * 20)
    assert [(name, one.number) for name, one in by.items()] == [('a', 20), ('b', 10)]


@pytest.mark.parametrize('most', [40., 60.])
@pytest.mark.parametrize('axis', [0., 85.])
def test_one_particle_has_its_missing_wedge(most, axis):
    """The wedge of tilts from -m to m degrees leaves m / 90 of all directions, wherever the tilt axis lies."""
    found = covered(np.eye(3), most, axis=axis)
    assert found.fraction == pytest.approx((most + 2.) / 90, abs=0.04)  # REACH at each end
    assert min(found.weakest_tilt, 180 - found.weakest_tilt) < 5 and found.evenness == 0
    assert found.images == len(series(most)) and 'smeared' in found.text()


def test_turns_in_the_plane_leave_a_cone():
    """Particles that all lie flat: the wedge of 30 degrees becomes a cone that leaves sin 60 of the directions."""
    A = Rotation.from_euler('z', np.linspace(0, 360, 500, endpoint=False)[:, None], degrees=True).as_matrix()
    assert covered(A).fraction == pytest.approx(np.sin(np.radians(62)), abs=0.02)


def test_the_weak_direction_is_in_the_frame_of_the_reference():
    """Named in the frame of the tomogram, it sends people to the wrong part of the map."""
    A = geometry.euler_to_matrix([[40., 70., 20.]])  # A takes the direction (40, 70) of the reference to Z
    found = covered(A)
    assert abs(from_angles([found.weakest_rot], [found.weakest_tilt])[0] @ from_angles([40.], [70.])[0]) > 0.99


def test_many_orientations_or_symmetry_fill_the_wedge():
    """Coverage that ignored them would ask for particles that nobody needs."""
    found = covered(random_matrices(2000))
    assert found.fraction == 1 and found.evenness > 0.99
    assert found.sampling.max() < 1.15 and found.sampling.min() > 0.85
    assert 'nothing to do' in found.text()
    tilted = geometry.euler_to_matrix([[0., 90., 0.]])  # the wedge is about X of the reference, the tilt axis along Y
    n = random_matrices(20000, 2)[:, 2]
    turned = np.stack([n @ one.T for one in rotations('C6')])
    lacks = (np.abs(turned[:, :, 2]) < np.tan(np.radians(28)) * np.abs(turned[:, :, 0])).all(axis=0)  # REACH less
    assert covered(tilted, symmetry='C6').fraction == pytest.approx(1 - lacks.mean(), abs=0.03)
    assert covered(tilted).fraction < 0.75
    assert covered(random_matrices(1), symmetry='I1').fraction > 0.99


def test_images_that_a_particle_lacks_are_not_counted():
    """A dose limit drops high tilts of a dose-symmetric series: the wedge of the particles is wider than the series'."""
    tilts = series()['rlnTomoYTilt'].to_numpy()
    flags = '[%s]' % ','.join('%d' % one for one in np.abs(tilts) <= 30)
    seen = covered(np.eye(3), visible=[flags])
    assert seen.fraction == pytest.approx(covered(np.eye(3), 30.).fraction) and seen.images == 21
    np.testing.assert_array_equal(visible_images(['[1,0,1]', '[0,0,1]'], 3), [[True, False, True], [False, False, True]])
    with pytest.raises(ValueError, match='3 flags'):
        visible_images(['[1,0,1]'], 4)
    with pytest.raises(ValueError, match='has a tilt image'):
        covered(np.eye(3), visible=['[%s]' % ','.join('0' * len(tilts))])


@pytest.mark.parametrize('group', ['', 'X', 'C0', 'IH', 'T5'])
def test_groups_without_rotations_are_refused(group):
    """An unknown name taken for C1 gives a wrong coverage without a word."""
    with pytest.raises(ValueError, match='no group of rotations'):
        rotations(group)


def test_figures_say_what_they_show(tmp_path):
    """Axes without names and units cannot be read, and a scale that differs from panel to panel misleads."""
    A = random_matrices(600)
    single = orientations_figure({'all': views(A)}, 'A run')
    assert [axes.get_xlabel() for axes in single.axes[:2]] == ['rot around, tilt outwards (degrees)'] * 2
    assert single.axes[-1].get_ylabel() == 'Particles (1 = even distribution)'
    assert single._suptitle.get_text() == 'A run: 600 particles'
    by = views_by(A, np.arange(600) % (MOST + 1))
    many = orientations_figure(by)
    assert len(many.axes) == 2 * MOST + 1 and 'the %d largest of %d' % (MOST, MOST + 1) in many._suptitle.get_text()
    assert len({axes.images[0].get_clim() for axes in many.axes[:-1]}) == 1
    wedge = coverage_figure(covered(np.eye(3)))
    assert wedge.axes[0].collections and wedge.axes[-1].get_ylabel() == 'Tilt images through this direction (1 = mean)'
    image = np.asarray(wedge.axes[0].images[0].get_array().filled(np.nan))
    lacking = np.mean(image[~np.isnan(image)] < ENOUGH)
    assert lacking == pytest.approx(1 - covered(np.eye(3)).fraction, abs=0.02)  # equal areas
    assert not coverage_figure(covered(A)).axes[0].collections
    for figure in (single, many, wedge):
        assert save_figure(figure, tmp_path / 'figure.png').stat().st_size > 1000
        assert len(figure._supxlabel.get_text()) > 80
    with pytest.raises(ValueError):
        orientations_figure({})
