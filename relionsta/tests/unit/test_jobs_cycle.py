"""The plan of a refinement cycle: what comes next, what is kept, where it ends."""
import pytest

from relionsta.jobs.cycle import ALWAYS, BETTER, CTF, NOT_WORSE, POLISH, REFINE, START, Plan
from relionsta.results.ladder import Rung

PIXEL, BOX = 3.0, 64
WORSE, SAME, GAIN = -2, 0, 3


def rung(step, shell, note=''):
    return Rung(step, PIXEL * BOX / shell, PIXEL, BOX, note=note)


def run(plan, changes, rungs=None):
    """Climb: each step changes the shell of the rung it goes on from by the next of `changes`; returns the ladder."""
    rungs = list(rungs or [rung(START, 12)])
    for change in changes:
        step = plan.next(rungs)
        if step is None:
            break
        base = [one for one in rungs if one.kept][-1]
        rungs.append(plan.judge(rungs, rung(step.name, base.shell + change)))
    return rungs


def test_steps_come_in_order_round_by_round():
    """Polishing before CTF refinement, or a round left out, is another cycle than the user asked for."""
    plan = Plan(2, (CTF, POLISH, REFINE))
    rungs = run(plan, [GAIN, SAME, GAIN, SAME, GAIN, GAIN, GAIN])
    assert [one.step for one in rungs] == [START, CTF + ' 1', POLISH + ' 1', REFINE + ' 1', CTF + ' 2', POLISH + ' 2',
                                           REFINE + ' 2']
    assert plan.next(rungs) is None
    assert all(one.kept for one in rungs)


def test_rules():
    """A step that is worse must not be gone on from, unless the user wants it."""
    kept = {}
    for rule in (NOT_WORSE, BETTER, ALWAYS):
        kept[rule] = [run(Plan(1, (CTF,), rule), [change])[-1].kept for change in (WORSE, SAME, GAIN)]
    assert kept == {NOT_WORSE: [False, True, True], BETTER: [False, False, True], ALWAYS: [True, True, True]}
    assert [run(Plan(1, (CTF,), slack=2), [change])[-1].kept for change in (-3, -2)] == [False, True]


def test_a_step_is_compared_with_the_one_it_went_on_from():
    """Compared with a rejected one, a step would be kept that is worse than what was there."""
    plan = Plan(2, (CTF, POLISH))
    rungs = run(plan, [GAIN, -6])
    worse_than_kept = plan.judge(rungs, rung(POLISH + ' 1', 14))
    assert not rungs[-1].kept and rungs[-1].shell == 9
    assert not worse_than_kept.kept
    assert rungs[-1].note == '12.80 Å before, 21.33 Å after: fell back by 6 shells'


def test_a_difference_of_less_than_a_shell_is_none():
    """RELION gives whole shells; what a calibrated pixel size or rounding makes of them is no loss."""
    plan, rungs = Plan(1, (CTF,)), [rung(START, 12)]
    assert plan.judge(rungs, Rung(CTF + ' 1', 16.02, PIXEL, BOX)).kept


def test_a_round_that_keeps_nothing_is_the_last():
    """The next one would do the same with the same particles; one good step in a round makes it worth another."""
    plan = Plan(5, (CTF, POLISH))
    rungs = run(plan, [GAIN, GAIN, SAME, WORSE, WORSE, WORSE, GAIN])
    assert len(rungs) == 7
    assert plan.is_stuck(rungs) and plan.next(rungs) is None
    assert len(run(plan, [WORSE, GAIN] * 5)) == 11
    # Half of a bad round and half of the one before are no round
    assert plan.next(run(plan, [GAIN, WORSE, WORSE])) == (2, POLISH)


@pytest.mark.parametrize('stop', range(6))
def test_a_cycle_that_was_stopped_goes_on_with_the_next_step(stop):
    """A step that is done twice costs days; one that is left out costs resolution."""
    plan, changes = Plan(3, (CTF, POLISH)), [GAIN, WORSE, SAME, GAIN, WORSE, GAIN]
    whole = run(plan, changes)
    assert run(plan, changes[stop:], run(plan, changes[:stop])) == whole


def test_a_step_that_failed_comes_again():
    """It leaves no rung, and nothing else remembers it."""
    plan = Plan(1, (CTF, POLISH))
    rungs = run(plan, [GAIN])
    assert plan.next(rungs) == plan.next(list(rungs)) == (1, POLISH)


def test_more_rounds_go_on_from_a_finished_ladder():
    """Whoever asks for a third round gets the third, not three."""
    rungs = run(Plan(1, (CTF, POLISH)), [GAIN, GAIN])
    assert Plan(2, (CTF, POLISH)).next(rungs) == (2, CTF)


def test_ladders_of_other_plans_are_refused():
    """Steps of another plan, taken for those of this one, would leave some out in silence."""
    rungs = run(Plan(1, (CTF, POLISH)), [GAIN, GAIN])
    with pytest.raises(ValueError, match='made with other steps: CTF refinement 1'):
        Plan(1, (POLISH, CTF)).next(rungs)
    with pytest.raises(ValueError, match='begins with its start'):
        Plan(1, (CTF,)).next([])
    with pytest.raises(ValueError, match='not known'):
        Plan(1, (CTF,)).judge(rungs, Rung('x', 10.0))


@pytest.mark.parametrize('arguments', [(1, ()), (1, ('CTF',)), (1, (CTF,), 'sometimes')])
def test_plans_of_nothing_are_refused(arguments):
    """A misspelt step would never be run."""
    with pytest.raises(ValueError, match='steps of a cycle|is kept'):
        Plan(*arguments)
