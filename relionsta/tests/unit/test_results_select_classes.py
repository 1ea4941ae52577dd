"""Which classes and particles are kept."""
import numpy as np
import pandas as pd
import pytest

from relionsta.jobs import files
from relionsta.results.model import read_model
from relionsta.results.select_classes import (
    Criteria,
    Limits,
    chosen_particles,
    class_rows,
    classes_meeting,
    number_text,
    parse_numbers,
    run_of,
)
from relionsta.tests.find import shared_data

from .relion_job_folder import model_star, write_iteration

PMAX = 'rlnMaxValueProbDistribution'


@pytest.mark.parametrize('text, numbers, again', [
    ('2', [2], '2'), ('1,3-5', [1, 3, 4, 5], '1,3-5'), (' 4 - 6 ; 1 , 5', [1, 4, 5, 6], '1,4-6'), ('', [], ''),
    ('3,3,2', [2, 3], '2-3'), ('10,9,11', [9, 10, 11], '9-11')])
def test_class_numbers_are_read_as_written(text, numbers, again):
    """A list that is read wrongly keeps junk and throws particles away."""
    assert parse_numbers(text) == numbers
    assert number_text(numbers) == again
    assert parse_numbers(again) == numbers


@pytest.mark.parametrize('text, fault', [('1,a', '"a"'), ('3-1', '1-3'), ('1.5', '"1.5"'), ('-2', '"-2"'), ('1 2', '"1 2"'),
                                         ('1,2;x', 'of "1,2;x"'), ('1-99999999999999', 'more classes')])
def test_what_is_no_class_number_is_refused(text, fault):
    """A typing error must not become another choice of classes."""
    with pytest.raises(ValueError, match=fault):
        parse_numbers(text)


@pytest.mark.parametrize('criteria, expected', [
    (Criteria(), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    (Criteria(resolution=18), [1, 3, 4, 5]),
    (Criteria(resolution=12.8), [5]),
    (Criteria(resolution=18, share=0.2), [4, 5]),
    (Criteria(share=2), [])])
def test_limits_choose_the_classes_of_a_real_run(criteria, expected):
    """Nine classes of a real run: a limit with the wrong sign or unit keeps the bad ones."""
    model = read_model(shared_data('relion5-hiv-project/Class3D/job017/run_it025_model.star'))
    assert classes_meeting(model, criteria) == expected
    for limit in ('rotations', 'translations'):
        kept = classes_meeting(model, criteria._replace(**{limit: 1.0}))
        accuracies = {one.number: getattr(one, 'accuracy_' + limit) for one in model.classes}
        # Classes for which RELION writes 999 have no accuracy at all
        assert kept == [number for number in expected if accuracies[number] is not None and accuracies[number] <= 1.0]


def test_an_empty_class_keeps_no_limit(tmp_path):
    """`inf`, `nan` and 999 are no numbers: an empty class is neither the best nor the worst one."""
    path = tmp_path / 'run_it001_model.star'
    path.write_text(model_star(['a.mrc', 'b.mrc'], resolutions=['40.0', 'inf'], distributions=[1.0, 0.0],
                               accuracies=['2.5', '999.000000']))
    model = read_model(path)
    for limit in ({}, {'resolution': 1e6}, {'share': 0.001}, {'rotations': 1e6}, {'translations': 1e6}):
        criteria = Criteria(**limit)
        assert classes_meeting(model, criteria) == [1]
    assert class_rows(model, {1: 6}) == {1: ('6', '100.0 %', '40.0 Å', '2.5°', '2.5 Å'), 2: ('0', '0.0 %', '–', '–', '–')}
    path.write_text(model_star(['a.mrc', 'b.mrc'], resolutions=['40.0', '74.7'], distributions=[1.0, 0.0]))
    left_over = read_model(path)
    assert classes_meeting(left_over, Criteria(resolution=80)) == [1]
    assert class_rows(left_over, {1: 6})[2] == ('0', '0.0 %', '–', '–', '–')


def test_particles_need_class_and_values():
    """Each choice must narrow the others down, ends included, and a particle without a value must not slip through."""
    table = pd.DataFrame({'rlnClassNumber': [1, 1, 2, 3, 3, 3], PMAX: [0.2, 0.9, 0.9, 0.5, np.nan, 0.8]})
    assert list(chosen_particles(table, [1, 3], [])) == [True, True, False, True, True, True]
    assert list(chosen_particles(table, [1, 3], [Limits(PMAX, 0.5, None)])) == [False, True, False, True, False, True]
    assert list(chosen_particles(table, [1, 3], [Limits(PMAX, 0.5, 0.8)])) == [False, False, False, True, False, True]
    assert not chosen_particles(table, [], []).any()
    with pytest.raises(ValueError, match='rlnAutopickFigureOfMerit'):
        chosen_particles(table, [1], [Limits('rlnAutopickFigureOfMerit', 0, None)])


def test_the_run_is_found_from_the_particles_file(tmp_path):
    """Another iteration must come from the same run, and only if it is whole."""
    for iteration in (0, 1, 2, 3):
        write_iteration(tmp_path / 'job001', files.CLASS3D, iteration, classes=2)
    run = run_of(str(tmp_path / 'job001' / 'run_it003_data.star'))
    assert (run.root, run.iteration) == ('run', 3)
    assert run.at(None) == run.at(3) == run
    assert run.at(1).file('data') == str(tmp_path / 'job001' / 'run_it001_data.star')
    assert run.at(1).file('class002', 2) == str(tmp_path / 'job001' / 'run_it001_class002.mrc')
    (tmp_path / 'job001' / 'run_it002_class002.mrc').unlink()
    for iteration in (0, 2, 7):
        with pytest.raises(ValueError, match='iteration %d is not complete.* are: 1,3$' % iteration):
            run.at(iteration)


@pytest.mark.parametrize('name', ['particles.star', 'run_data.star', 'run_it003_model.star'])
def test_particles_of_no_iteration_are_refused(name):
    """Particles of an extraction or a converged refinement have no classes to choose."""
    with pytest.raises(ValueError, match='no particles file of an iteration'):
        run_of('job001/' + name)
