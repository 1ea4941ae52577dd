"""The convergence board and the flow between classes: panels, units, marks, values and words."""
import numpy as np
import pandas as pd
import pytest

from relionsta.figures.class_flow import class_flow_figure
from relionsta.figures.convergence import convergence_figure
from relionsta.figures.words import notice_figure
from relionsta.jobs import files
from relionsta.results.class_flow import class_flow, read_class_numbers
from relionsta.results.follow import Follower
from relionsta.results.verdict import LOOK, Verdict
from relionsta.star.tables import StarError

from .relion_job_folder import loop_block, write_final, write_iteration


def followed(folder, job_type, numbers, classes=1):
    for number in numbers:
        write_iteration(folder, job_type, number, classes)
    follower = Follower(folder, job_type)
    follower.changed()
    return follower.course()


def panels(figure):
    """Panels by title; the words above them have none."""
    return {axes.get_title(loc='left'): axes for axes in figure.axes if axes.get_title(loc='left')}


def labels(axes):
    return [line.get_label() for line in axes.lines]


def said(figure):
    return [text.get_text() for axes in figure.axes if not axes.axison for text in axes.texts]


def test_a_classification(tmp_path):
    """Units per panel, one line per class, the limits, and the values of the table."""
    course = followed(tmp_path, files.CLASS3D, (1, 2, 3), 3)
    found = panels(convergence_figure(course))
    assert {title: axes.get_ylabel() for title, axes in found.items()} == {
        'Resolution (thin: of each class)': 'Resolution (Å)', 'Share of each class': 'Particles (%)',
        'Changes of class': 'Particles (%)', 'Rotations': 'Angle (degrees)', 'Translations': 'Distance (Å)',
        'Certainty of pose and class': 'Average Pmax (0 to 1)'}
    assert {axes.get_xlabel() for axes in found.values()} == {'Iteration'}
    resolution = found['Resolution (thin: of each class)']
    assert labels(resolution) == ['_class 1', '_class 2', '_class 3', 'of the run', 'Nyquist 20 Å']
    run = resolution.lines[3]
    assert list(run.get_xdata()) == [1, 2, 3] and list(run.get_ydata()) == course.table['resolution'].tolist()
    shares, changed = found['Share of each class'], found['Changes of class']
    assert labels(shares) == ['class 1', 'class 2', 'class 3']
    assert shares.lines[0].get_ydata() == pytest.approx([100 / 3] * 3)
    assert labels(changed) == ['changed class', 'stable below 5 %'] and list(changed.lines[0].get_ydata()) == [12.5] * 3
    assert labels(found['Rotations']) == ['mean change', 'estimated accuracy', 'step of the search']
    assert list(found['Translations'].lines[2].get_ydata()) == [10., 10., 10.]
    colours = [line.get_color() for line in shares.lines]
    assert [line.get_color() for line in resolution.lines[:3]] == colours and len(set(colours)) == 3


def test_a_refinement(tmp_path):
    """With one map there are no classes to show; what the run came to is drawn and said."""
    write_iteration(tmp_path, files.REFINE3D, 1)
    write_final(tmp_path)
    course = followed(tmp_path, files.REFINE3D, (1,))
    figure = convergence_figure(course, title='Mine')
    found = panels(figure)
    assert list(found) == ['Resolution', 'Certainty of the poses', 'Rotations', 'Translations']
    assert labels(found['Resolution']) == ['of the run', 'final 40 Å', 'Nyquist 20 Å']
    # Nothing was estimated in iteration 1: no line without points
    assert labels(found['Rotations']) == ['mean change', 'step of the search']
    assert said(figure)[0] == '✓  Converged in 1 iteration at 40.00 Å: go on to post-processing with a mask.'
    assert figure.get_suptitle() == 'Mine'


def test_bodies(tmp_path):
    """Bodies are no classes: no particle goes from one to another."""
    found = panels(convergence_figure(followed(tmp_path, files.MULTIBODY, (1, 2), 2)))
    assert list(found) == ['Resolution', 'Certainty of the poses', 'Rotations', 'Translations']
    assert labels(found['Resolution'])[:3] == ['body 1', 'body 2', 'of the run']


def test_without_alignment_and_with_a_limit(tmp_path):
    """Panels of a search that was not made would show changes that never were; the limit that was given is marked."""
    for number in (1, 2, 3):
        write_iteration(tmp_path, files.CLASS3D, number, 2)
        path = tmp_path / ('run_it%03d_optimiser.star' % number)
        path.write_text(path.read_text().replace(
            '_rlnHasConverged', '_rlnDoSkipAlign 1\n_rlnHighresLimitExpectation 30.0\n_rlnHasConverged'))
    found = panels(convergence_figure(followed(tmp_path, files.CLASS3D, ())))
    assert list(found) == ['Resolution (thin: of each class)', 'Share of each class', 'Changes of class',
                           'Certainty of pose and class']
    assert labels(found['Resolution (thin: of each class)'])[-2:] == ['E-step limit 30 Å', 'Nyquist 20 Å']


def test_words_stand_above_the_panels(tmp_path):
    """A verdict that covers a curve, or leaves the figure, is not read; its rule belongs to it."""
    course = followed(tmp_path, files.CLASS3D, range(1, 5), 4)
    long = Verdict(LOOK, 'Many words. ' * 25, 'A rule. ' * 30)
    figure = convergence_figure(course, [long, Verdict('done', 'Use it.', 'Because.', 3)])
    figure.draw_without_rendering()
    words = [text for axes in figure.axes if not axes.axison for text in axes.texts]
    assert said(figure)[0].startswith('!  Many words.') and said(figure)[-2:] == ['✓  Use it.', '     Because.']
    top = max(axes.get_tightbbox().y1 for axes in panels(figure).values())
    for text in words:
        box = text.get_window_extent()
        assert box.y0 >= top and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
    marks = [line for axes in panels(figure).values() for line in axes.lines if line.get_label() == '_use']
    assert len(marks) == 6 and {line.get_xdata()[0] for line in marks} == {3}


def test_many_classes_fit(tmp_path):
    """A legend of twenty classes stays inside the figure."""
    figure = convergence_figure(followed(tmp_path, files.CLASS3D, (1,), 20))
    figure.draw_without_rendering()
    box = panels(figure)['Share of each class'].get_legend().get_window_extent()
    assert box.x1 <= figure.bbox.x1 + 1 and box.y0 >= 0


def test_nothing_yet():
    """A window that waits says so."""
    assert [text.get_text() for text in notice_figure('Wait.').texts] == ['Wait.']


def numbers(**classes):
    return pd.Series(classes, name='rlnClassNumber')


def test_flow_goes_by_name(tmp_path):
    """RELION may change the order of the rows: joined by position, everybody would seem to move."""
    before = numbers(a=1, b=1, c=2, d=3, gone=2)
    after = numbers(d=3, c=1, b=2, a=1, new=3)
    flow = class_flow(before, after, 3)
    assert flow.counts.tolist() == [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert (flow.alone, flow.total, flow.moved) == (2, 4, 0.5)
    same = class_flow(before, before, 4)
    assert same.counts.diagonal().tolist() == [2, 2, 1, 0] and same.moved == 0. and same.alone == 0
    figure = class_flow_figure(flow, 3, 7)
    axes = figure.axes[0]
    assert axes.get_xlabel() == 'Class in iteration 7' and axes.get_ylabel() == 'Class in iteration 3 (particles)'
    assert figure.axes[1].get_ylabel() == 'Part of the earlier class (%)'
    assert axes.get_title(loc='left') == '50.0 % of 4 particles changed class'
    assert [text.get_text() for text in axes.get_yticklabels()] == ['1 (2)', '2 (1)', '3 (1)']
    assert np.asarray(axes.images[0].get_array()).tolist() == [[50., 50., 0.], [100., 0., 0.], [0., 0., 100.]]
    assert sorted(text.get_text() for text in axes.texts) == ['1'] * 4
    assert '2 particles are in one of the two iterations only' in ' '.join(
        text.get_text() for text in figure.texts).replace('\n', ' ')


def test_particles_must_have_names_of_their_own(tmp_path):
    """Two rows of one name would be counted against each other."""
    path = tmp_path / 'run_it001_data.star'
    path.write_text(loop_block('particles', ['TomoParticleName', 'ClassNumber'], [('TS_01/1', 1), ('TS_01/1', 2)]))
    with pytest.raises(StarError, match='TS_01/1 is there twice'):
        read_class_numbers(path)
    path.write_text(loop_block('particles', ['TomoParticleName', 'AngleRot'], [('TS_01/1', 1)]))
    with pytest.raises(StarError, match='rlnClassNumber'):
        read_class_numbers(path)
