"""The order of the steps of a refinement cycle, and which of them are kept: a plan without any files or jobs.

A cycle goes through the same kinds of step for a number of rounds. What comes next follows from the ladder alone (the
resolutions measured so far), so a cycle that was stopped goes on where it was: a step without a rung is not done.
"""
from dataclasses import dataclass
from typing import NamedTuple, Optional, Sequence, Tuple

from ..results.ladder import Rung, base_of, kept_rungs, resolution_text, shells_gained, shells_text

CTF, POLISH, REFINE = 'CTF refinement', 'Bayesian polishing', '3D auto-refine'
KINDS = (CTF, POLISH, REFINE)
START = 'Before the cycle'
#: When a step is kept: choices of the form.
NOT_WORSE, BETTER, ALWAYS = 'if the resolution is not worse', 'only if the resolution is better', 'always'
RULES = (NOT_WORSE, BETTER, ALWAYS)


class Step(NamedTuple):
    """One step: its round (from 1) and its kind."""

    round: int
    kind: str

    @property
    def name(self) -> str:
        """As it stands in the ladder."""
        return '%s %d' % (self.kind, self.round)


@dataclass(frozen=True)
class Plan:
    """Kinds of step, in their order, for a number of rounds. rule: one of RULES; slack: Fourier shells that a step may
    lose under NOT_WORSE and still be kept."""

    rounds: int
    kinds: Tuple[str, ...]
    rule: str = NOT_WORSE
    slack: int = 0

    def __post_init__(self) -> None:
        unknown = sorted(set(self.kinds) - set(KINDS))
        if unknown or not self.kinds:
            raise ValueError('the steps of a cycle are some of %s, not %s'
                             % (', '.join(KINDS), ', '.join(unknown) or 'none'))
        if self.rule not in RULES:
            raise ValueError('a step is kept %s, not %r' % (' or '.join(RULES), self.rule))

    @property
    def steps(self) -> Tuple[Step, ...]:
        """All steps, if none makes the cycle end early."""
        return tuple(Step(number, kind) for number in range(1, self.rounds + 1) for kind in self.kinds)

    def next(self, rungs: Sequence[Rung]) -> Optional[Step]:
        """The step that comes after these rungs (the first is the start); None where the cycle is at its end.

        Raises ValueError for a ladder without its start, or of another plan.
        """
        if not rungs:
            raise ValueError('a ladder begins with its start: there is no rung yet')
        done = len(rungs) - 1
        wrong = [rung.step for step, rung in zip(self.steps, rungs[1:]) if rung.step != step.name]
        if wrong:
            raise ValueError('the ladder was made with other steps: %s is not the next one of this plan' % wrong[0])
        if done >= len(self.steps) or self.is_stuck(rungs):
            return None
        return self.steps[done]

    def is_stuck(self, rungs: Sequence[Rung]) -> bool:
        """True where the last whole round kept nothing: another one would do the same with the same particles."""
        done = rungs[1:]
        whole = len(done) >= len(self.kinds) and len(done) % len(self.kinds) == 0
        return whole and not kept_rungs(done[-len(self.kinds):])

    def judge(self, rungs: Sequence[Rung], measured: Rung) -> Rung:
        """The rung of a step that was measured, with the decision whether it is kept and the reason if it is not.

        It is compared with the last rung that was kept, the one that it went on from, in whole Fourier shells: smaller
        differences are none.
        """
        base = base_of(rungs, len(rungs))
        if base is None:
            raise ValueError('there is no rung to compare %s with' % measured.step)
        shells = shells_gained(base, measured)
        if shells is None:
            raise ValueError('the boxes of %s and %s are not known, so their shells cannot be compared'
                             % (base.step, measured.step))
        needed = 1 if self.rule == BETTER else -self.slack
        kept = self.rule == ALWAYS or shells >= needed
        why = measured.note if kept else _reason(base, measured, shells)
        return Rung(measured.step, measured.resolution, measured.pixel, measured.box, kept, why)


def _reason(base: Rung, measured: Rung, shells: int) -> str:
    text = '%s before, %s after: %s' % (resolution_text(base.resolution), resolution_text(measured.resolution),
                                        shells_text(shells))
    return '%s; %s' % (text, measured.note) if measured.note else text
