"""The declarations of jobs/: what a form, a page of documentation and a command are made from."""
import ast
import re

import pytest

from relionsta.jobs.class3d import CLASS3D
from relionsta.jobs.extract import EXTRACT
from relionsta.jobs.job import Job
from relionsta.jobs.option import Kind, Option
from relionsta.jobs.registry import JOBS
from relionsta.jobs.tokens import derived, number

ALL = [(job, option) for job in JOBS.values() for option in job.options]
IDS = ['%s-%s' % (job.type, option.name) for job, option in ALL]


@pytest.mark.parametrize('job, option', ALL, ids=IDS)
def test_every_option_can_be_shown_and_is_consistent(job: Job, option: Option) -> None:
    """A form breaks, or warns about its own defaults, where a declaration contradicts itself."""
    assert option.label and not option.label.endswith(':')
    assert 0 < len(re.findall(r'[.!?](?= |$)', option.help)) <= 4, 'one to three sentences of help'
    names = {node.id for node in ast.walk(ast.parse(option.condition or 'True')) if isinstance(node, ast.Name)}
    known = {other.name: other for other in job.options}
    assert names <= set(known) and option.name not in names
    # a Scipion form holds the place of a choice, not its text, so conditions may only look at yes/no options
    assert all(known[name].kind is Kind.BOOL for name in names)
    assert (option.kind is Kind.CHOICE) == bool(option.choices)
    for low, high in (option.hard, option.sensible):
        assert low is None or high is None or low < high
    assert not option.unit or option.kind in (Kind.INT, Kind.FLOAT)
    if option.kind in (Kind.INT, Kind.FLOAT):
        low, high = option.hard
        assert (low is None or low <= option.default) and (high is None or option.default <= high)


@pytest.mark.parametrize('version', [(5, 0), (5, 1)])
@pytest.mark.parametrize('job', JOBS.values(), ids=lambda job: job.type)
def test_defaults_raise_no_warning(job: Job, version) -> None:
    """Warnings on RELION's own defaults would teach people to ignore warnings."""
    assert [problem for problem in job.problems({}, version) if not problem.fatal
            and problem.option != 'sigma_angles'] == []


def test_each_version_has_the_sizes_that_it_understands() -> None:
    """5.0 knows no box in A, and 5.1's form asks for nothing else."""
    def there(version):
        return {option.name for option in EXTRACT.options if option.exists_in(version)}
    old, new = there((5, 0)), there((5, 1))
    assert {'binning', 'box_size', 'crop_size', 'do_stack2d'} == old - new
    assert {'box_size_angst', 'binned_size_pix', 'precrop_size_angst', 'subtomo_format'} == new - old


def test_condition_is_evaluated_over_all_values() -> None:
    """A bound on an option that has no effect must not stop a job."""
    option = CLASS3D.option('sigma_angles')
    values = {**CLASS3D.defaults(), 'do_local_ang_searches': True}
    assert option.is_active(values)
    assert not option.is_active({**values, 'dont_skip_align': False})
    assert not option.is_active(CLASS3D.defaults())


def test_condition_runs_no_code() -> None:
    """A condition is data: nothing but names, constants and logic is looked at."""
    option = Option('x', Kind.INT, 1, 'X', 'A number.', 'Tab', condition="__import__('os').getcwd()")
    with pytest.raises(ValueError, match='Call'):
        option.is_active({'x': 1})


@pytest.mark.parametrize('name, value, right', [
    ('nr_iter', 25.0, 25), ('tau_fudge', 2, 2.0), ('sampling', '3.7 degrees', '3.7 degrees'), ('use_gpu', True, True)])
def test_values_are_taken_as_their_kind(name, value, right) -> None:
    """Scipion's forms give numbers of either type; what is whole may be an integer."""
    taken = CLASS3D.complete({name: value})[name]
    assert taken == right and type(taken) is type(right)


@pytest.mark.parametrize('name, value', [
    ('nr_iter', 2.5), ('nr_iter', True), ('nr_iter', '25'), ('tau_fudge', float('nan')), ('tau_fudge', float('inf')),
    ('nr_iter', float('inf')), ('sampling', '4 degrees'), ('use_gpu', 1), ('fn_ref', None), ('nr_iters', 25)])
def test_wrong_values_are_named(name, value) -> None:
    """A misspelt option or a number as text would silently become RELION's default."""
    with pytest.raises(ValueError, match=name):
        CLASS3D.commands({name: value}, 'Class3D/job001/')


def test_declaring_an_option_twice_is_refused() -> None:
    """Of two declarations only one would be looked at."""
    option = EXTRACT.options[0]
    with pytest.raises(ValueError, match=option.name):
        Job('relion.x', 'X', 'X', (option, option), lambda request: [])


@pytest.mark.parametrize('value, text', [
    (1.0, '1'), (0.5, '0.5'), (1.354, '1.354'), (25, '25'), (-1.0, '-1'), (0.25, '0.25'), (1e-05, '1e-05'),
    (123456.789, '123456.789'), (0.1 + 0.2, '0.30000000000000004')])
def test_numbers_are_passed_as_typed(value, text) -> None:
    """T = 0.5 that arrives as 0, or 1.354 A as 1.35, spoils a job without a trace."""
    assert number(value) == text and float(text) == value


@pytest.mark.parametrize('value, text', [(5 / 3, '1.66667'), (2.0, '2'), (0.1 * 2, '0.2'), (1e-5 / 3, '3.33333e-06')])
def test_computed_numbers_have_the_digits_of_relions_gui(value, text) -> None:
    """RELION's GUI prints six digits of what it computes."""
    assert derived(value) == text
