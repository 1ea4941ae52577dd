"""The ranking of a scan's runs, as a table, as lines, as a file and as a figure."""
import pandas as pd
import pytest

from relionsta.figures.scan import ranking_figure
from relionsta.results.model import read_model
from relionsta.results.ranking import (
    CRITERIA,
    Candidate,
    model_measures,
    rank,
    read_ranking,
    row_text,
    settings_of,
    write_ranking,
)

from .relion_job_folder import BOX, PIXEL, model_star


def _run(value, number, status='finished', reason='', **measures):
    return Candidate({'tau_fudge': value, 'do_helix': 'No'}, number, status, reason, 12.34, measures)


RUNS = [_run('0.5', 7, resolution_A=20.0, pmax=0.9), _run('1', 8, 'failed', 'Process 1 was killed'),
        _run('2', 9, resolution_A=12.0, pmax=0.2), _run('4', 10, resolution_A=12.0, pmax=0.4),
        Candidate({'tau_fudge': '8', 'do_helix': 'No'}, None, 'skipped', 'Its input is missing.')]


def test_the_best_comes_first_and_failed_ones_last_without_a_rank():
    """The first row becomes the output: a failed run, or the worst of a measure that shall be high, must not be there."""
    table = rank(RUNS, 'resolution')
    assert table['tau_fudge'].tolist() == ['4', '2', '0.5', '1', '8']
    assert table['rank'].tolist()[:3] == [1, 2, 3] and table['rank'].isna().tolist() == [False] * 3 + [True] * 2
    assert table['run'].tolist()[:4] == [10, 9, 7, 8]
    assert rank(RUNS, 'Pmax')['tau_fudge'].tolist()[:3] == ['0.5', '4', '2']


def test_equal_runs_keep_their_order_and_none_is_ranked_without_the_measure():
    """A choice between equals must not depend on chance."""
    same = [_run(value, number, resolution_A=10.0) for number, value in enumerate('abc')]
    assert rank(same, 'resolution')['tau_fudge'].tolist() == ['a', 'b', 'c']
    assert rank(same, 'post-processing')['rank'].isna().all()


def test_the_file_gives_the_same_table(tmp_path):
    """The viewer reads the file: texts such as 007 or No must stay, and missing numbers stay missing."""
    table = rank(RUNS + [_run('007', 11, resolution_A=30.0)], 'resolution')
    write_ranking(table, tmp_path / 'ranking.csv')
    assert [path.name for path in tmp_path.iterdir()] == ['ranking.csv']
    pd.testing.assert_frame_equal(read_ranking(tmp_path / 'ranking.csv'), table)


def test_lines_of_the_summary():
    """They must say the number, the run and, of a run that failed, why."""
    table = rank(RUNS, 'resolution')
    lines = [row_text(row, settings_of(table), 'resolution') for _, row in table.iterrows()]
    assert lines[0] == '1. tau_fudge = 4, do_helix = No: 12.00 Å, Pmax 0.400 (run 10)'
    assert lines[3] == '- tau_fudge = 1, do_helix = No: failed (run 8): Process 1 was killed'
    assert lines[4] == '- tau_fudge = 8, do_helix = No: skipped: Its input is missing.'


def test_measures_of_a_model_are_those_of_its_largest_class(tmp_path):
    """The resolution of a small class of junk must not decide."""
    path = tmp_path / 'run_it001_model.star'
    path.write_text(model_star(['a.mrc', 'b.mrc', 'c.mrc'], distributions=[0.3, 0.6, 0.1], shells=[3, 4, 5]))
    model = read_model(path)
    measures = model_measures(model)
    assert measures['largest_class_percent'] == pytest.approx(60)
    assert measures['resolution_A'] == pytest.approx(BOX * PIXEL / 4)


def test_figure_shows_every_run_and_the_criterion():
    """A run that failed and is not in the figure looks as if it had never been tried."""
    figure = ranking_figure(rank(RUNS, 'resolution'), 'resolution')
    axes = figure.axes
    assert [text.get_text().splitlines()[0] for text in axes[0].get_yticklabels()] == [
        '1.  tau_fudge = 4', '2.  tau_fudge = 2', '3.  tau_fudge = 0.5', 'tau_fudge = 1', 'tau_fudge = 8']
    assert [bar.get_width() for bar in axes[0].patches] == [12, 12, 20, 0, 0]
    assert len(axes) == 2  # resolution and Pmax
    assert CRITERIA['resolution'][1].split(';')[0][:40] in figure._supxlabel.get_text().replace('\n', ' ')
    with pytest.raises(ValueError, match='no run can be ranked'):
        ranking_figure(rank(RUNS, 'post-processing'), 'post-processing')
