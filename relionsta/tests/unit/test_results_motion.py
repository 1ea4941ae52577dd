"""Trajectories as numbers, outliers, and the figures of what moved."""
import numpy as np
import pandas as pd
import pytest

from relionsta.figures.motion import moved_figure, trajectories_figure
from relionsta.figures.series_details import MOST, alignment_series_figure, ctf_series_figure
from relionsta.results.motion import particle_moves, read_motion
from relionsta.results.outliers import limit, standing_out
from relionsta.results.series_changes import image_names
from relionsta.star import StarError
from relionsta.star.trajectories import trajectory_text, write_trajectories


@pytest.fixture
def shifts():
    random = np.random.default_rng(3)
    paths = {'a/%d' % number: random.normal(size=(5, 3)).round(3) for number in range(12)}
    paths['a/far'] = np.outer(np.arange(5), [30., 40., 0.])
    paths['b/1'] = np.zeros((3, 3))
    return paths


@pytest.fixture
def file(shifts, tmp_path):
    write_trajectories(tmp_path / 'motion.star', {name: trajectory_text(path) for name, path in shifts.items()})
    return tmp_path / 'motion.star'


def test_trajectories_are_read_by_name(file, shifts):
    """A path that is given to its neighbour makes both look wrong."""
    motion = read_motion(file)
    assert list(motion.names) == list(shifts)
    for name, path in shifts.items():
        np.testing.assert_allclose(motion.of(name), path, atol=1e-6)
        off = path - path.mean(axis=0)
        assert motion.moved()[name] == pytest.approx(np.sqrt((off ** 2).sum(axis=1).mean()), abs=1e-4)
    with pytest.raises(KeyError):
        motion.of('c/1')


def test_columns_are_known_by_name(file, shifts):
    """Another version may write them in another order."""
    text = file.read_text().replace('_rlnOriginXAngst #1\n_rlnOriginYAngst #2', '_rlnOriginYAngst #1\n_rlnOriginXAngst #2')
    file.write_text(text)
    np.testing.assert_allclose(read_motion(file).of('a/far')[:, :2], shifts['a/far'][:, [1, 0]])


@pytest.mark.parametrize('damage', [lambda text: text.replace('_rlnOriginZAngst #3\n', ''),
                                    lambda text: text[:text.rindex('0.0000 0.0000 0.0000')] + '0.0000 0.0\n',
                                    lambda text: text.replace('30.0000', '3O.0000')])
def test_damage_is_told(file, damage):
    """A cut row that is read as zero is a particle that stands still."""
    file.write_text(damage(file.read_text()))
    with pytest.raises(StarError, match='motion.star'):
        read_motion(file)


def test_outliers_by_a_rule_that_they_cannot_bend():
    """Mean and standard deviation hide an outlier behind its own size."""
    values = np.append(np.linspace(1, 2, 50), [1000., 900.])
    np.testing.assert_array_equal(np.flatnonzero(standing_out(values)), [50, 51])
    middle = np.median(values)
    assert limit(values) == pytest.approx(middle + 5 * np.median(np.abs(values - middle)))
    assert not standing_out([1., 1., 1., 1., 50.]).any() and not standing_out([]).any()
    assert list(standing_out(np.append(values, np.nan))[-2:]) == [True, False]


def test_moves_are_joined_by_name():
    """Files of before and after may differ in order and number."""
    before = pd.DataFrame({'rlnTomoParticleName': ['a', 'b', 'c'], 'rlnTomoName': 'T'})
    after = before.iloc[[2, 0]].reset_index(drop=True)
    places = np.array([[0., 0, 0], [5, 5, 5], [10, 0, 0]])
    moved = particle_moves(before, places, after, places[[2, 0]] + [[3., 4, 0], [0, 0, 0]])
    assert moved['moved'].to_dict() == {'c': 5.0, 'a': 0.0} and list(moved['tomogram']) == ['T', 'T']


def test_trajectories_are_drawn_along_the_dose(file, shifts):
    """Tables are sorted by tilt: drawn in their order, every path zigzags."""
    motion, doses = read_motion(file), [8., 4., 0., 2., 6.]
    places = {name: (100., 200.) for name in shifts}
    figure = trajectories_figure(motion, places, doses, 'A series', times=10.)
    plane, along = figure.axes
    assert '13 particles' in figure._suptitle.get_text()  # the one with three images is not of this series
    assert [text.get_text() for text in plane.get_legend().get_texts()] == ['particles: 12', 'outliers: 1']
    far = next(line for line in plane.lines if line.get_label() == 'outliers: 1')
    order = np.argsort(doses)
    expected = 100 + 10 * (shifts['a/far'][order] - shifts['a/far'][order][0])[:, 0]
    np.testing.assert_allclose(far.get_xdata()[:5], expected)
    median = next(line for line in along.lines if line.get_label() == 'median')
    assert list(median.get_xdata()) == sorted(doses) and median.get_ydata()[0] == 0
    assert along.get_xlabel() == 'Dose before the image (e/Å²)' and '(Å)' in along.get_ylabel()
    assert 'a/far' in figure._supxlabel.get_text()
    with pytest.raises(ValueError, match='4 images'):
        trajectories_figure(motion, places, doses[:4])


def test_paths_are_drawn_so_that_they_are_seen(file, shifts):
    """Paths of half an Å in a field of a thousand would be dots; the number of times is in the title."""
    motion, names = read_motion(file), list(shifts)
    longest = np.median([np.linalg.norm(shifts[name][:, :2] - shifts[name][2, :2], axis=1).max() for name in names
                         if len(shifts[name]) == 5])
    for field in (1000., 5000.):
        places = {name: (field * number / (len(names) - 1), 0.) for number, name in enumerate(names)}
        title = trajectories_figure(motion, places, [8., 4., 0., 2., 6.]).axes[0].get_title(loc='left')
        times = float(title.split()[1])
        assert field / 60 < times * longest < field / 14, title


def test_what_moved_most_is_named():
    """A list of numbers does not say which image to look at."""
    values = np.append(np.linspace(1, 2, 40), 60.)
    figure = moved_figure(values, ['a'] * 20 + ['b'] * 21, ['image %d' % number for number in range(41)], 'Shift', 'Å',
                          'Shifts')
    axes = figure.axes[0]
    assert axes.get_ylabel() == 'Shift (Å)' and axes.get_xlabel() == 'Tilt series'
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ['a', 'b']
    dots = next(line for line in axes.lines if line.get_label() == 'outliers: 1 of 41')
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([2], [60.])
    assert 'image 40 (60.00 Å)' in figure._supxlabel.get_text()
    with pytest.raises(ValueError):
        moved_figure([np.nan], ['a'], ['x'], 'Shift', 'Å', 'Shifts')


def changes_of(number):
    tilts = np.array([3., -3., 0.])
    return pd.concat([pd.DataFrame({
        'name': 's%02d' % one, 'tilt': tilts, 'defocus_before': 20000., 'defocus_after': 20000. + 100 * one,
        'scale_before': 1., 'scale_after': 0.5, 'shift_x': float(one), 'shift_y': -1., 'turn_x': 0., 'turn_y': 0.1,
        'turn_z': 0.2, 'turn': 0.2}) for one in range(number)], ignore_index=True)


def test_each_series_before_and_after():
    """Means over all series hide the one that went wrong."""
    changes = changes_of(MOST + 2)
    assert image_names(changes)[1] == 's00 at -3.0°'
    figure = ctf_series_figure(changes, 'A run')
    panels = [axes for axes in figure.axes if axes.get_title(loc='left')]
    assert [axes.get_title(loc='left') for axes in panels] == ['s%02d' % one for one in range(2, MOST + 2)]
    for axes, number in zip(panels, range(2, MOST + 2)):
        before, after = axes.lines
        assert list(before.get_xdata()) == [-3., 0., 3.] and set(before.get_ydata()) == {2.}
        np.testing.assert_allclose(after.get_ydata(), 2 + number / 100)
        assert axes.get_ylabel() == 'Defocus (µm)'
    assert 'that changed most' in figure._suptitle.get_text()
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ['defocus before', 'defocus after', 'scale before', 'scale after']
    figure = alignment_series_figure(changes_of(2))
    assert len(figure.axes) == 4 and [len(axes.lines) for axes in figure.axes] == [2, 2, 3, 3]
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), 1.)
    assert figure.axes[0].get_ylabel() == 'Change of the shift (Å)' and figure.axes[0].get_xlabel().endswith('(degrees)')
