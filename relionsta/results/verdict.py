"""What a course of iterations means for the next step, in words, each with the rule that it follows from.

The rules say in numbers what people read off the curves: classes settle when few particles change class; a single map has
settled when its resolution gets no better; a resolution at Nyquist asks for smaller pixels.
"""
from dataclasses import dataclass
from typing import List, Optional, Sequence

import numpy as np
import pandas as pd

from ..jobs import files
from .course import Course
from .postprocess import TOO_TIGHT, PostProcess

#: Kinds of verdict: the run can be used; it goes on; it cannot get better as it is; something is to be looked at.
DONE, GOING, LIMIT, LOOK = 'done', 'going', 'limit', 'look'
#: Iterations that must agree before we speak of a standstill.
WINDOW = 3
#: Fraction of the particles that may still change class in stable classes.
STABLE = 0.05
#: Iterations over which a number of changes that does not fall is a standstill too, and how much it must fall.
STALLED, FALL = 5, 0.9
#: Part of the Nyquist frequency that counts as reached: a shell or two of the usual boxes.
AT_LIMIT = 0.95
#: Shares of the particles in a class: too few to be one, and so many that there is no other.
EMPTY, ALL = 0.01, 0.9
#: Fourier shells that the resolution must lose before it counts as worse, and gain to be better.
WORSE, BETTER = 2., 0.5
#: A step of the search that is so many times the estimated accuracy is coarse.
COARSE = 2.


@dataclass(frozen=True)
class Verdict:
    """A finding. level: DONE, GOING, LIMIT or LOOK; rule: how it was found; iteration: the one to use, or None."""

    level: str
    text: str
    rule: str
    iteration: Optional[int] = None


def judge(course: Course) -> List[Verdict]:
    """What to do with a run, first of all whether it is done, then what limits it and what looks wrong."""
    found = [_state(course), _nyquist(course), _e_step(course), _worse(course), _coarse(course)]
    return [one for one in found if one is not None] + _shares(course)


def judge_mask(result: PostProcess) -> List[Verdict]:
    """What may be wrong with the mask of a post-processing; [] where nothing is."""
    if result.mask_left_out:
        return [Verdict(LOOK, 'RELION left the mask out, because the corrected curve was worse than the one without mask. '
                        'Make another mask: wider, softer, or of a map that is filtered more.',
                        'Left out: the corrected curve is the one without mask.')]
    if result.mask_effect is None or result.mask_effect <= TOO_TIGHT:
        return []
    return [Verdict(LOOK, 'The mask is too tight: maps with random phases still correlate by %.2f under it. Extend it, or '
                    'give it a wider soft edge.' % result.mask_effect,
                    'Too tight: the phase-randomised curve is above %g on average between where phases are random and the '
                    'resolution.' % TOO_TIGHT)]


def _state(course: Course) -> Verdict:
    if course.final is not None:
        return Verdict(DONE, 'Converged in %s at %.2f Å: go on to post-processing with a mask.'
                       % (counted(len(course.table)), course.final),
                       'RELION ends where neither resolution nor changes get better at the finest step that the accuracy '
                       'allows.')
    if not np.isfinite(course.table['resolution']).any():
        return Verdict(GOING, 'RELION gives no resolution yet: %s complete.' % counted(len(course.table)),
                       'Without a resolution nothing is judged.')
    if course.is_auto:
        return _refining(course)
    if course.job_type == files.INITIAL_MODEL and course.last == course.total:
        return Verdict(DONE, 'The descent is at its end: look at the map, and go on if it shows the particle.',
                       'It runs as many iterations as it was asked for.', course.last)
    if len(course.table) < WINDOW:
        return Verdict(GOING, 'Too early to judge: %s complete.' % counted(len(course.table)),
                       '%d iterations are compared.' % WINDOW)
    return _classes(course) if course.has_classes else _single(course)


def _refining(course: Course) -> Verdict:
    rule = 'RELION makes the step finer until the accuracy allows no more, and ends where nothing gets better then.'
    since = course.last - best_iteration(course)
    if since >= WINDOW:
        return Verdict(GOING, 'Not converged; the resolution is no better since iteration %d (%.1f Å). RELION stops by '
                       'itself.' % (course.last - since, _best(course)), rule)
    return Verdict(GOING, 'Still improving: %.1f Å after %s.' % (course.table['resolution'].iloc[-1],
                                                                 counted(len(course.table))), rule)


def _classes(course: Course) -> Verdict:
    """Several classes: stable where few particles change class and the resolution gets no better."""
    changes = course.table['change_classes']
    rule = ('Stable: in %d iterations or more at most %.0f %% of the particles change class, and the resolution gets no '
            'better.' % (WINDOW, 100 * STABLE))
    stable = settled_since(changes, STABLE)
    since = None if stable is None else max(stable, best_iteration(course))
    if since is not None and course.last - since >= WINDOW - 1:
        return Verdict(DONE, 'Classes are stable since iteration %d: %s.' % (since, _use(course, since)), rule, since)
    now = 100 * changes.iloc[-1]
    if not np.isfinite(now):
        return Verdict(GOING, 'RELION does not say how many particles change class.', rule)
    if now > 100 * STABLE and stalled(changes):
        return Verdict(LOOK, '%.0f %% of the particles still change class at each iteration, no fewer than %d iterations '
                       'ago: some classes are too alike to settle. See who goes where; ask for fewer classes.'
                       % (now, STALLED), 'The changes of the last %d iterations have not fallen by %.0f %%.'
                       % (STALLED, 100 * (1 - FALL)))
    return Verdict(GOING, '%s: %.1f %% of the particles changed class in iteration %d%s.'
                   % ('Settling' if now <= 100 * STABLE else 'Still improving', now, course.last, _more(course)), rule)


def _single(course: Course) -> Verdict:
    """One class, or a descent at work: settled where the resolution gets no better."""
    rule = 'Settled: the resolution is no better in %d iterations, by half a Fourier shell.' % WINDOW
    since = best_iteration(course)
    if course.last - since >= WINDOW:
        if course.job_type == files.INITIAL_MODEL:
            return Verdict(GOING, 'No better than %.1f Å since iteration %d; the descent goes on to iteration %s.'
                           % (_best(course), since, course.total or 'its end'), rule)
        return Verdict(DONE, 'The resolution is no better than %.1f Å since iteration %d: %s.'
                       % (_best(course), since, _use(course, since)), rule, since)
    return Verdict(GOING, 'Still improving: from %.1f to %.1f Å in the last %d iterations%s.'
                   % (course.table['resolution'].iloc[-WINDOW], course.table['resolution'].iloc[-1], WINDOW,
                      _more(course)), rule)


def _nyquist(course: Course) -> Optional[Verdict]:
    reached = _reached(course)
    if reached is None or course.nyquist / reached < AT_LIMIT:
        return None
    rule = 'At Nyquist: at %.0f %% of its frequency or more.' % (100 * AT_LIMIT)
    if course.binning is None:
        where, advice = 'the pixels (%.4g Å)' % course.nyquist, 'extract with smaller pixels'
    else:
        where = 'bin %.3g (%.4g Å)' % (course.binning, course.nyquist)
        advice = ('extract at bin %.3g' % max(1., course.binning / 2) if course.binning > 1.05
                  else 'the images hold no more')
    return Verdict(LIMIT, 'The resolution, %.1f Å, is at Nyquist of %s: %s.' % (reached, where, advice), rule)


def _e_step(course: Course) -> Optional[Verdict]:
    reached, limit = _reached(course), course.limit
    if reached is None or limit is None or limit <= course.nyquist / AT_LIMIT or limit / reached < AT_LIMIT:
        return None
    return Verdict(LIMIT, 'The resolution, %.1f Å, is at the limit of the E-step (%.3g Å): particles are compared up to '
                   'there only. For finer differences set it to Nyquist (%.4g Å).' % (reached, limit, course.nyquist),
                   'At the limit: at %.0f %% of its frequency or more.' % (100 * AT_LIMIT))


def _worse(course: Course) -> Optional[Verdict]:
    shells = course.shells()
    if course.final is not None or not np.isfinite(shells).any() or shells.max() - shells.iloc[-1] < WORSE:
        return None
    best = int(course.table.index[int(np.nanargmax(shells.to_numpy()))])
    return Verdict(LOOK, 'The resolution was better in iteration %d (%.1f Å) than it is now (%.1f Å): compare the maps.'
                   % (best, _best(course), course.table['resolution'].iloc[-1]),
                   'Worse: by %.0f Fourier shells or more.' % WORSE, best)


def _coarse(course: Course) -> Optional[Verdict]:
    last = course.table.iloc[-1]
    step, accuracy = last['angular_step'], last['accuracy_rotations']
    if course.is_auto or course.job_type == files.INITIAL_MODEL or not step > COARSE * accuracy:
        return None
    return Verdict(LOOK, 'The search steps by %.2g degrees where %.2g could be told apart: a finer angular sampling, with '
                   'local searches, may give more.' % (step, accuracy),
                   'Coarse: the step is more than %.0f times the estimated accuracy.' % COARSE)


def _shares(course: Course) -> List[Verdict]:
    if not course.has_classes:
        return []
    shares = course.table.iloc[-1][['distribution_%d' % number for number in course.references]].to_numpy(dtype=float)
    found = []
    empty = [number for number, share in zip(course.references, shares) if share < EMPTY]
    if empty:
        found.append(Verdict(LOOK, '%s (almost) empty: fewer classes will do.' % _listed(empty),
                             'Empty: less than %.0f %% of the particles.' % (100 * EMPTY)))
    if shares.max() >= ALL:
        found.append(Verdict(LOOK, 'Class %d holds %.0f %% of the particles: either they are all alike, or the classes '
                             'could not be told apart.' % (course.references[int(shares.argmax())], 100 * shares.max()),
                             'One class: %.0f %% or more.' % (100 * ALL)))
    return found


def settled_since(values: pd.Series, most: float) -> Optional[int]:
    """The iteration from which on all values are at most `most`; None where the last one is more, or unknown."""
    above = np.flatnonzero(~(values.to_numpy(dtype=float) <= most))
    first = int(above[-1]) + 1 if above.size else 0
    return int(values.index[first]) if first < len(values) else None


def stalled(values: pd.Series) -> bool:
    """True where the last STALLED values are not smaller than those before by the part that counts."""
    if len(values) < 2 * STALLED:
        return False
    return bool(values.iloc[-STALLED:].mean() > FALL * values.iloc[-2 * STALLED:-STALLED].mean())


def best_iteration(course: Course) -> int:
    """The first iteration whose resolution no later one beats by half a Fourier shell."""
    shells = course.shells().to_numpy(dtype=float)
    known = np.where(np.isfinite(shells), shells, -np.inf)
    return int(course.table.index[int(np.flatnonzero(known >= known.max() - BETTER)[0])])


def counted(number: int) -> str:
    """So many iterations."""
    return '%d iteration%s' % (number, '' if number == 1 else 's')


def _best(course: Course) -> float:
    return float(course.table['resolution'].min())


def _reached(course: Course) -> Optional[float]:
    """The resolution that the run stands for, Å."""
    value = course.final if course.final is not None else float(course.table['resolution'].iloc[-1])
    return value if np.isfinite(value) else None


def _use(course: Course, since: int) -> str:
    if course.total == course.last:
        return 'use iteration %d or a later one' % since
    return 'stop and use iteration %d' % since


def _more(course: Course) -> str:
    """What to do with a run that has not settled when it is over."""
    return ', the last one: continue with more iterations' if course.total == course.last else ''


def _listed(numbers: Sequence[int]) -> str:
    texts = [str(number) for number in numbers]
    if len(texts) == 1:
        return 'Class %s is' % texts[0]
    return 'Classes %s and %s are' % (', '.join(texts[:-1]), texts[-1])
