"""What a job has changed in tilt series, as numbers and as a figure."""
import numpy as np
import pandas as pd
import pytest

from relionsta.figures.style import save_figure
from relionsta.figures.tilt_series import NAMED, alignment_changes_figure, ctf_changes_figure
from relionsta.results.series_changes import series_changes
from relionsta.star import write_star


def write(folder, names=('a', 'b'), **changes):
    """A tomograms.star with two images in each series, whose columns are changed by what is given."""
    rows = []
    for name in names:
        table = pd.DataFrame({
            'rlnMicrographName': ['1@%s.mrcs' % name, '2@%s.mrcs' % name], 'rlnTomoYTilt': [-3.0, 3.0], 'rlnTomoZRot': 85.0,
            'rlnTomoXShiftAngst': [1.0, 2.0], 'rlnTomoYShiftAngst': 0.0, 'rlnDefocusU': 21000.0, 'rlnDefocusV': 19000.0})
        for label, by in changes.items():
            table[label] = (table[label] if label in table else 0.0) + by
        path = folder / (name + '.star')
        write_star(path, {name: table[::-1] if changes else table})
        rows.append({'rlnTomoName': name, 'rlnTomoTiltSeriesStarFile': str(path)})
    write_star(folder / 'tomograms.star', {'global': pd.DataFrame(rows)})
    return folder / 'tomograms.star'


@pytest.fixture
def changes(tmp_path):
    for name in ('before', 'after'):
        (tmp_path / name).mkdir()
    before = write(tmp_path / 'before')
    after = write(tmp_path / 'after', rlnDefocusU=400.0, rlnCtfScalefactor=0.8, rlnTomoXShiftAngst=3.0,
                  rlnTomoYShiftAngst=-4.0, rlnTomoXTilt=0.5)
    return series_changes(before, after)


def test_images_are_compared_with_themselves(changes):
    """Rows in another order would show changes where there are none."""
    assert list(changes['name']) == ['a', 'a', 'b', 'b']
    assert list(changes['tilt']) == [3.0, -3.0] * 2
    np.testing.assert_allclose(changes['defocus_after'] - changes['defocus_before'], 200.0)
    np.testing.assert_allclose(changes['shift_x'], 3.0)
    np.testing.assert_allclose(changes['shift_y'], -4.0)
    np.testing.assert_allclose(changes['turn'], 0.5)
    assert set(changes['scale_before']) == {1.0} and set(changes['scale_after']) == {0.8}


@pytest.mark.parametrize('draw, expected', [(ctf_changes_figure, [200.0, 0.8]), (alignment_changes_figure, [5.0, 0.5])])
def test_figures_show_each_series_and_the_median_of_many(changes, draw, expected, tmp_path):
    """Hundreds of series in one legend would hide the curves."""
    figure = draw(changes, 'A run')
    for axes, value in zip(figure.axes, expected):
        assert sorted(line.get_label() for line in axes.lines) == ['a', 'b']
        for line in axes.lines:
            assert list(line.get_xdata()) == [-3.0, 3.0]
            np.testing.assert_allclose(line.get_ydata(), value)
    many = pd.concat([changes[changes['name'] == 'a'].assign(name='s%d' % number) for number in range(NAMED + 1)])
    for axes, value in zip(draw(many).axes, expected):
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ['median of %d series' % (NAMED + 1)]
        np.testing.assert_allclose(axes.lines[-1].get_ydata(), value)
    assert save_figure(figure, tmp_path / 'figure.png').stat().st_size > 1000
