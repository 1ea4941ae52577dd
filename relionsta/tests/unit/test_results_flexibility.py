"""Principal motions of bodies: what is read, and its figure."""
import numpy as np
import pytest

from relionsta.figures.flexibility import flexibility_figure
from relionsta.results.flexibility import FlexibilityError, explained_variance, read_projections

NAMES = ['Runs/1/extra/job001/Subtomograms/TS_01/%d_data.mrc' % number for number in range(1, 41)]


def write(path, places):
    """As relion_flex_analyse writes it: image name, then its places, in wide columns."""
    lines = [name + ''.join('%15.6g' % place for place in row) + ' \n' for name, row in zip(NAMES, places)]
    path.write_text(''.join(lines))
    return path


def random_places(widths):
    rng = np.random.default_rng(2)
    return rng.normal(size=(len(NAMES), len(widths))) * widths


def test_variance_is_that_of_the_places(tmp_path):
    """The numbers in the summary must be those that RELION prints: variances of the places, in their order."""
    places = random_places([9.0, 3.0, 1.0])
    table = read_projections(write(tmp_path / 'p.txt', places))
    assert list(table.index) == NAMES and list(table.columns) == [1, 2, 3]
    np.testing.assert_allclose(table.to_numpy(), places, rtol=1e-5)
    variance = ((places - places.mean(axis=0)) ** 2).mean(axis=0)
    np.testing.assert_allclose(explained_variance(table), variance / variance.sum(), rtol=1e-4)
    assert not explained_variance(0 * table).any()


@pytest.mark.parametrize('damage', [
    lambda text: text[:-30], lambda text: text.replace('data', 'data x'), lambda text: '',
    lambda text: text[:200] + 300 * '\0' + text[500:], lambda text: 300 * '\0' + text[300:]])
def test_damaged_tables_are_refused(tmp_path, damage):
    """A cut table would show fewer particles, or numbers that are not there."""
    path = write(tmp_path / 'p.txt', random_places([2.0, 1.0]))
    path.write_text(damage(path.read_text()))
    with pytest.raises(FlexibilityError, match='p.txt'):
        read_projections(path)
    with pytest.raises(FlexibilityError, match='other.txt'):
        read_projections(tmp_path / 'other.txt')


def test_figure_shows_all_particles(tmp_path):
    """Each histogram must hold every particle, and the bars all of the variance."""
    table = read_projections(write(tmp_path / 'p.txt', random_places([9.0, 3.0, 1.0, 0.5])))
    bars, *histograms = flexibility_figure(table, motions=2).axes
    assert sum(bar.get_height() for bar in bars.patches) == pytest.approx(100)
    assert len(histograms) == 2
    for panel in histograms:
        assert sum(bar.get_height() for bar in panel.patches) == len(NAMES)
    with pytest.raises(ValueError):
        flexibility_figure(table.iloc[:0])
