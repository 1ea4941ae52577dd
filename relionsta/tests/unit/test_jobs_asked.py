"""What a later try may take from an earlier one."""
import pytest

from relionsta.jobs import asked as module
from relionsta.jobs.asked import Plan, asked, is_same_work, may_go_on, plan, read_asked, write_asked
from relionsta.jobs.class3d import CLASS3D
from relionsta.jobs.initial_model import INITIAL_MODEL
from relionsta.jobs.option import Kind
from relionsta.jobs.refine3d import REFINE3D
from relionsta.jobs.registry import JOBS
from relionsta.star import write_star

AFRESH, NOTHING = Plan(None, True), Plan(None, False)


def values_of(job, **changed):
    """Values with which the job can be run."""
    names = {option.name for option in job.options}
    base = dict(use_direct_entries=True, in_particles='p.star', in_tomograms='t.star', fn_ref='ref.mrc')
    return dict({name: value for name, value in base.items() if name in names}, **changed)


def ask(job=CLASS3D, **changed):
    return asked(job, values_of(job, **changed))


def another(option):
    """Another legal value of an option."""
    if option.kind is Kind.BOOL:
        return not option.default
    if option.kind is Kind.CHOICE:
        return option.choices[option.choices.index(option.default) - 1]
    if option.kind in (Kind.TEXT, Kind.PATH):
        return {'sym_name': 'D2', 'relax_sym': 'C2', 'gpu_ids': '0:1', 'other_args': '--verb 1'}.get(option.name, 'x.star')
    return option.default + 1


#: what makes an option count where it does not by default
SHOWN = {'sigma_angles': dict(do_local_ang_searches=True), 'blush_version': dict(do_blush=True),
         'do_solvent_fsc': dict(fn_mask='m.mrc'), 'gpu_ids': dict(use_gpu=True),
         'relax_sym': dict(do_local_ang_searches=True)}


@pytest.mark.parametrize('job', [CLASS3D, REFINE3D, INITIAL_MODEL], ids=lambda job: job.type)
def test_what_may_change_on_a_continue_is_what_relion_is_told(job):
    """RELION remembers the rest: a change of it would be shown in the form and have no effect on the map.

    Whether images are aligned must be told again, and cannot be changed.
    """
    told = set()
    for option in job.options:
        shown = {name: value for name, value in SHOWN.get(option.name, {}).items()
                 if name in {one.name for one in job.options}}
        base = values_of(job, fn_cont='a/run_it003_optimiser.star', **shown)
        before, after = (job.commands(values, 'x/job001/')[0]
                         for values in (base, dict(base, **{option.name: another(option)})))
        if before != after:
            told.add(option.name)
    assert told - {'fn_cont', 'dont_skip_align'} - module.HOW == set(job.on_continue)


def test_a_first_try_starts_afresh():
    """Files of unknown origin in the folder are no reason to go on."""
    assert plan(CLASS3D, None, ask(), [1, 2, 3]) == AFRESH
    assert plan(CLASS3D, ask(), ask(), []) == AFRESH
    assert plan(CLASS3D, ask(REFINE3D), ask(), [1, 2]) == AFRESH


def test_a_run_that_was_cut_off_goes_on():
    """Days of computing must not be thrown away because a computer went down."""
    assert plan(CLASS3D, ask(), ask(), [1, 2, 3]) == Plan(3, True)
    assert plan(CLASS3D, ask(), ask(nr_iter=40), list(range(1, 26))) == Plan(25, True)
    assert plan(CLASS3D, ask(), ask(tau_fudge=3.0, nr_threads=8), [1, 2, 3]) == Plan(3, True)
    assert plan(REFINE3D, ask(REFINE3D), ask(REFINE3D, nr_mpi=5), [1, 2]) == Plan(2, True)


@pytest.mark.parametrize('changed', [dict(nr_classes=3), dict(sym_name='C2'), dict(fn_ref='other.mrc'),
                                     dict(dont_skip_align=False), dict(in_particles='other.star'),
                                     dict(do_ctf_correction=False), dict(fn_cont='b/run_it001_optimiser.star')])
def test_another_question_needs_a_fresh_start(changed):
    """RELION takes no notice of these on a continue: the result would not be that of the settings shown."""
    assert plan(CLASS3D, ask(), ask(**changed), [1, 2, 3]) == AFRESH


def test_what_is_there_is_not_made_again():
    """Another choice of iteration, or of threads, is no reason to run RELION for days."""
    there = list(range(1, 26))
    assert plan(CLASS3D, ask(), ask(nr_threads=4), there) == NOTHING
    assert plan(CLASS3D, ask(), ask(nr_iter=10), there) == NOTHING
    assert plan(CLASS3D, ask(), ask(), [1, 2, 3], wanted=2) == NOTHING
    assert plan(CLASS3D, ask(), ask(), [1, 2, 3], wanted=5) == Plan(3, True)
    assert plan(REFINE3D, ask(REFINE3D), ask(REFINE3D), [1, 2], finished=True) == NOTHING


def test_other_settings_need_iterations_left_for_them():
    """With 25 of 25 iterations done, a new T would have no effect."""
    assert plan(CLASS3D, ask(), ask(tau_fudge=3.0), list(range(1, 26))) == AFRESH
    assert plan(CLASS3D, ask(), ask(tau_fudge=3.0), [1, 2, 3], wanted=2) == Plan(3, True)
    assert plan(REFINE3D, ask(REFINE3D), ask(REFINE3D, fn_mask='m.mrc'), [1, 2], finished=True) == Plan(2, True)


def test_a_symmetry_that_is_looked_for_afterwards_does_not_repeat_the_descent():
    """200 iterations again for another guess at the symmetry would be a waste; with symmetry from the start they are due."""
    def model(**changed):
        return ask(INITIAL_MODEL, nr_iter=5, **changed)

    there = [1, 2, 3, 4, 5]
    assert plan(INITIAL_MODEL, model(), model(sym_name='D2'), there) == NOTHING
    assert plan(INITIAL_MODEL, model(do_run_C1=False), model(do_run_C1=False, sym_name='D2'), there) == AFRESH
    values = values_of(INITIAL_MODEL, nr_iter=3, sym_name='D2')
    assert INITIAL_MODEL.commands(values, 'x/', resume=True) == INITIAL_MODEL.commands(values, 'x/')[1:]
    assert 'x/run_it003_model.star' in INITIAL_MODEL.commands(values, 'x/', resume=True)[0]


def test_files_count_by_what_is_in_them(tmp_path, monkeypatch):
    """The same name with other particles, or tilt series with another CTF, are other inputs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'p.star').write_text('particles')
    (tmp_path / 'series.star').write_text('defocus 1')
    write_star('t.star', {'global': {'rlnTomoName': 'TS_01', 'rlnTomoTiltSeriesStarFile': 'series.star'}})
    before = ask()
    assert is_same_work(before, ask()) and may_go_on(CLASS3D, before, ask())
    for name in ('p.star', 'series.star'):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text + '2')
        assert not may_go_on(CLASS3D, before, ask()), name
        (tmp_path / name).write_text(text)
    write_asked('asked.json', before)
    assert read_asked('asked.json') == before


@pytest.mark.parametrize('text', ['', '{', '[]', '{"type": "relion.class3d"}', 'null'])
def test_a_record_that_cannot_be_read_is_none(tmp_path, text):
    """A disk that was full leaves half a file; the run then starts afresh and does not fail."""
    path = tmp_path / 'asked.json'
    assert read_asked(path) is None
    path.write_text(text)
    assert read_asked(path) is None


def test_only_jobs_with_iterations_can_change_on_the_way():
    """For any other job a changed option must mean another run."""
    assert {type for type, job in JOBS.items() if job.on_continue} >= {CLASS3D.type, REFINE3D.type, INITIAL_MODEL.type}
    for job in JOBS.values():
        assert job.on_continue <= {option.name for option in job.options}
        assert job.only_after(job.defaults()) <= {option.name for option in job.options}
