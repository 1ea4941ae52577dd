"""Verdicts: what people read off the curves, on made numbers, the tutorial's and those of a real project."""
import dataclasses

import numpy as np
import pandas as pd
import pytest

from relionsta.jobs import files
from relionsta.results.course import Course, course_of, read_binning
from relionsta.results.history import Iteration
from relionsta.results.model import read_model, read_optimiser, read_sampling
from relionsta.results.postprocess import RANDOMISED, read_postprocess
from relionsta.results.verdict import DONE, GOING, LIMIT, LOOK, judge, judge_mask, settled_since
from relionsta.tests.find import shared_data

HIV = 'relion5-hiv-project/'
# The tutorial's box at bin 4: 84 voxels of 7.64 Å, Nyquist 15.28 Å
BOX, PIXEL = 84, 7.64


def course(job=files.CLASS3D, resolutions=(40., 30., 24.), changes=None, classes=1, shares=None, **facts):
    """A course of len(resolutions) iterations; shares: of the classes in the last one."""
    number = len(resolutions)
    table = pd.DataFrame({'resolution': np.asarray(resolutions, dtype=float), 'pmax': 0.5, 'change_rotations': 2.,
                          'change_translations': 3., 'change_classes': 0. if changes is None else changes,
                          'accuracy_rotations': 2., 'accuracy_translations': 3., 'angular_step': 3.75, 'offset_step': 4.},
                         index=pd.RangeIndex(1, number + 1, name='iteration'))
    for one in range(classes):
        table['distribution_%d' % (one + 1)] = 1. / classes if shares is None else shares[one]
        table['resolution_%d' % (one + 1)] = table['resolution']
    facts = dict({'binning': 4., 'total': 25}, **facts)
    return Course(job, table, BOX, PIXEL, **facts)


def levels(verdicts):
    return [one.level for one in verdicts]


def test_one_class_stops_where_the_resolution_stops():
    """The tutorial: from iteration 20 it stopped decreasing, "this is the iteration that we select"."""
    resolutions = list(np.linspace(60, 22, 19)) + [21.4] * 6
    first = judge(course(resolutions=resolutions))[0]
    assert (first.level, first.iteration) == (DONE, 20) and 'use iteration 20' in first.text
    # One shell to and fro is no gain; two shells better at the end are
    shaky = resolutions[:22] + [BOX * PIXEL / 29.6] * 3
    assert judge(course(resolutions=shaky))[0].iteration == 20
    better = judge(course(resolutions=resolutions[:24] + [BOX * PIXEL / 33]))[0]
    assert better.level == GOING and better.text.startswith('Still improving')


def test_classes_stop_where_particles_stay():
    """The tutorial: "after iteration 19, not much is happening anymore, so we will use this"."""
    changes = np.concatenate([np.linspace(0.9, 0.08, 18), [0.04, 0.03, 0.03, 0.02]])
    resolutions = [26.] * 4 + [24.] * 18
    made = course(resolutions=resolutions, changes=changes, classes=6)
    first = judge(made)[0]
    assert (first.level, first.iteration) == (DONE, 19)
    assert first.text == 'Classes are stable since iteration 19: stop and use iteration 19.' and '5 %' in first.rule
    ended = judge(dataclasses.replace(made, total=22))[0]
    assert ended.text.endswith('use iteration 19 or a later one.')
    # One particle in ten that moves at the end, and nothing is settled
    late = np.append(changes[:-1], 0.1)
    assert judge(course(resolutions=resolutions, changes=late, classes=6))[0].level == GOING
    assert settled_since(pd.Series([0.1, np.nan, 0.01], index=[1, 2, 3]), 0.05) == 3
    assert settled_since(pd.Series([0.01, np.nan], index=[1, 2]), 0.05) is None


def test_resolution_that_still_rises_is_no_end():
    """Classes can be still while their maps get better: stopping there would throw resolution away."""
    resolutions = [40., 36., 32., 29., 27., 25.]
    first = judge(course(resolutions=resolutions, changes=[0.5, 0.02, 0.02, 0.02, 0.01, 0.01], classes=3))[0]
    assert first.level == GOING and first.text == 'Settling: 1.0 % of the particles changed class in iteration 6.'


def test_classes_that_never_settle():
    """Two halves of one class exchange particles for ever: more iterations do not help, and nobody should wait for it."""
    changes = [0.9, 0.5, 0.3] + [0.2] * 12
    first = judge(course(resolutions=[25.] * 15, changes=changes, classes=4))[0]
    assert first.level == LOOK and first.text.startswith('20 % of the particles still change class')
    falling = [0.9 * 0.85 ** number for number in range(15)]
    assert judge(course(resolutions=[25.] * 15, changes=falling, classes=4))[0].level == GOING


def test_two_iterations_are_too_few():
    """Whatever happened in two iterations says nothing of the third."""
    first = judge(course(resolutions=[20., 20.], changes=[0., 0.], classes=2))[0]
    assert first.level == GOING and first.text == 'Too early to judge: 2 iterations complete.'


def test_the_last_iteration_of_an_unfinished_run():
    """A run that ended because its iterations were over must not pass for one that settled."""
    first = judge(course(resolutions=[40., 30., 24.], total=3))[0]
    assert first.level == GOING and first.text.endswith('continue with more iterations.')


@pytest.mark.parametrize('binning, advice', [(4., 'bin 4 (15.28 Å): extract at bin 2.'), (2., 'extract at bin 1.'),
                                             (1.5, 'extract at bin 1.'), (1., 'the images hold no more.'),
                                             (None, 'the pixels (15.28 Å): extract with smaller pixels.')])
def test_at_nyquist(binning, advice):
    """The tutorial's bin-4 refinement: 15.67 Å is "very close to Nyquist bin4", and the next step has smaller pixels."""
    found = judge(course(files.REFINE3D, [20., 17., 15.67], final=15.67, binning=binning))
    assert levels(found) == [DONE, LIMIT]
    assert found[1].text.startswith('The resolution, 15.7 Å, is at Nyquist') and found[1].text.endswith(advice)
    assert levels(judge(course(files.REFINE3D, [20., 17., 17.], final=17., binning=binning))) == [DONE]


def test_the_limit_of_the_e_step():
    """A classification that ends at the limit it was given has not shown what its particles can do."""
    found = judge(course(resolutions=[30., 22., 20.], limit=20.))
    assert levels(found) == [GOING, LIMIT] and 'E-step (20 Å)' in found[1].text
    # The tutorial's own limit is Nyquist: then it is Nyquist that is told
    both = judge(course(resolutions=[30., 22., 15.3], limit=15.))
    assert [one.text for one in both if one.level == LIMIT][0].startswith('The resolution, 15.3 Å, is at Nyquist of bin 4')
    assert levels(judge(course(resolutions=[30., 26., 24.], limit=20.))) == [GOING]


def test_empty_and_single_classes():
    """Particles that all sit in one class were not classified, and an empty one costs time for nothing."""
    found = judge(course(resolutions=[25.] * 6, changes=[0.01] * 6, classes=3, shares=[0.004, 0.95, 0.046]))
    texts = [one.text for one in found if one.level == LOOK]
    assert texts[0] == 'Class 1 is (almost) empty: fewer classes will do.'
    assert texts[1].startswith('Class 2 holds 95 % of the particles')
    two = judge(course(classes=4, shares=[0., 0.5, 0.001, 0.499]))
    assert 'Classes 1 and 3 are (almost) empty: fewer classes will do.' in [one.text for one in two]


def test_a_step_that_is_too_coarse_and_a_loss():
    """What the particles could tell apart is lost in a coarse search; a map that got worse should be compared."""
    made = course(resolutions=[25., 21., 20., 23.])
    made.table['angular_step'] = 7.5
    texts = [one.text for one in judge(made)]
    assert any(text.startswith('The search steps by 7.5 degrees where 2 could be told apart') for text in texts)
    assert any(text.startswith('The resolution was better in iteration 3 (20.0 Å)') for text in texts)
    made.table['accuracy_rotations'] = np.nan  # not estimated: nothing to say
    assert not any('steps by' in one.text for one in judge(made))


def test_refinement_at_work_and_descent():
    """Auto-refine and the gradient descent end by themselves: nobody should stop them half-way."""
    first = judge(course(files.REFINE3D, [30., 20., 20., 20., 20.], total=None))[0]
    assert first.level == GOING and 'no better since iteration 2' in first.text and 'stops by itself' in first.text
    descent = course(files.INITIAL_MODEL, [50., 30., 30., 30., 30.], total=5)
    assert judge(descent)[0].level == DONE
    assert judge(dataclasses.replace(descent, total=100))[0].text.endswith('goes on to iteration 100.')
    unknown = judge(course(files.REFINE3D, [np.nan] * 4))
    assert levels(unknown) == [GOING] and 'no resolution yet' in unknown[0].text


def test_a_real_classification_of_nine_classes():
    """The real last iteration: 2.9 % of the particles moved, 12.8 Å is far from Nyquist, class 7 has half a per cent."""
    job = shared_data(HIV + 'Class3D/job017')
    real = Iteration(read_model(job / 'run_it025_model.star'), read_optimiser(job / 'run_it025_optimiser.star'),
                     read_sampling(job / 'run_it025_sampling.star'))
    assert real.optimiser.highres_limit is None and not real.optimiser.gradient
    made = course_of({number: real for number in (0, 22, 23, 24, 25)}, files.CLASS3D)
    assert (made.last, made.total, made.nyquist, made.binning) == (25, 25, 5.4, None) and list(made.table.index)[0] == 22
    assert made.table['change_classes'].iloc[-1] == pytest.approx(0.028995) and made.references == list(range(1, 10))
    found = judge(made)
    assert found[0].level == DONE
    assert found[0].text == 'Classes are stable since iteration 22: use iteration 22 or a later one.'
    assert LIMIT not in levels(found)
    empty = [number for number, one in enumerate(real.model.classes, start=1) if one.distribution < 0.01]
    assert 7 in empty and any(str(7) in one.text and 'empty' in one.text for one in found)


def test_a_real_refinement():
    """3.87 Å of unbinned pixels (Nyquist 2.7 Å) is converged, and no pixel limits it."""
    job = shared_data(HIV + 'Refine3D/job034')
    model, optimiser = read_model(job / 'run_model.star'), read_optimiser(job / 'run_optimiser.star')
    sampling = read_sampling(shared_data(HIV + 'Class3D/job017') / 'run_it025_sampling.star')
    made = course_of({1: Iteration(model, optimiser, sampling)}, files.REFINE3D, model, read_binning(job / 'run_data.star'))
    assert made.binning == 1. and made.nyquist == 2.7
    assert [(one.level, one.text) for one in judge(made)] == [
        (DONE, 'Converged in 1 iteration at 3.87 Å: go on to post-processing with a mask.')]


def test_masks():
    """A mask that correlates by itself must be named; a good one must not."""
    real = read_postprocess(shared_data(HIV + 'PostProcess/job026/postprocess.star'))
    assert judge_mask(real) == []
    tight = dataclasses.replace(real, fsc=dict(real.fsc, **{RANDOMISED: np.maximum(real.fsc[RANDOMISED], 0.4)}))
    found = judge_mask(tight)
    assert levels(found) == [LOOK] and 'above 0.1' in found[0].rule
    assert 'too tight' in found[0].text and '0.4' in found[0].text


def test_no_iteration_no_course():
    """Iteration 0 is what went in."""
    assert course_of({}, files.CLASS3D) is None
    assert course_of({0: None}, files.CLASS3D) is None


def test_binning_that_nothing_tells(tmp_path):
    """A guess of the binning would send the user to a wrong extraction."""
    path = tmp_path / 'run_it001_data.star'
    assert read_binning(path) is None
    path.write_text('data_optics\n\nloop_\n_rlnImagePixelSize #1\n2.0\n\n')
    assert read_binning(path) is None
