"""How far poses are searched, by what is known of them: angles in degrees, offsets in pixels of the particles."""
import math
from typing import NamedTuple, Optional

from ..jobs.refine_options import SAMPLINGS
from .suggestion import Suggested

#: RELION's own: coarse step of a global search, range of a local one.
GLOBAL_STEP, LOCAL_RANGE = 7.5, 5.0
#: First step of an auto-refine of particles that are aligned.
AUTO_LOCAL_STEP = 1.8
#: Range and step of offsets where particles are centred, and where they may not be.
CENTRED, FREE, OFFSET_STEP = 2.0, 5.0, 1.0
#: Steps of the last search to each side of the new one.
STEPS = 3


class Search(NamedTuple):
    """The search of an earlier run. step: degrees, as fine as it was sampled; offset_step: Å, likewise; source: what it
    was, in words."""

    step: float
    offset_step: float
    source: str


class SearchAdvice(NamedTuple):
    """local: search near the known angles only? step: one of RELION's list; range: degrees, of a local search; offsets:
    pixels."""

    local: Suggested
    step: Suggested
    range: Suggested
    offset_range: Suggested
    offset_step: Suggested

    def lines(self) -> str:
        """All of it, one line each."""
        local = 'Yes' if self.local.value else 'No'
        rows = ['Local angular searches: %s, since %s.' % (local, self.local.reason),
                'Angular sampling: %s, %s.' % (self.step.value, self.step.reason)]
        if self.local.value:
            rows.append('Range of the angles: %g degrees, %s.' % (self.range.value, self.range.reason))
        return '\n'.join(rows + ['Offset range: %g pixels, %s.' % (self.offset_range.value, self.offset_range.reason),
                                 'Offset step: %g pixel, %s.' % (self.offset_step.value, self.offset_step.reason)])


def suggest_search(before: Optional[Search], oriented: bool, pixel: float, auto: bool = False) -> SearchAdvice:
    """Ranges for particles of `pixel` Å. before: the search of the run that they come from, None where there was none;
    oriented: they have angles all the same, for example from template matching; auto: for auto-refine, which goes to
    finer steps by itself."""
    if not pixel > 0:
        raise ValueError('the pixel size must be above 0, not %r' % pixel)
    fine = Suggested(OFFSET_STEP, "RELION's own")
    if before is None and not oriented:
        return SearchAdvice(Suggested(False, 'the particles have no angles yet'),
                            Suggested(sampling_text(GLOBAL_STEP), 'which suits most particles in a search of all angles'),
                            Suggested(LOCAL_RANGE, 'of no effect here'),
                            Suggested(FREE, 'as the particles may not be centred'), fine)
    if before is None:
        step = AUTO_LOCAL_STEP if auto else LOCAL_RANGE
        return SearchAdvice(Suggested(True, 'the particles come with angles, for example of template matching'),
                            Suggested(sampling_text(step), 'so that angles near the known ones are tried'),
                            Suggested(LOCAL_RANGE, "RELION's own range"),
                            Suggested(CENTRED, 'as picks with angles are centred to a voxel or so'), fine)
    wide = max(LOCAL_RANGE, STEPS * before.step)
    left = max(CENTRED, 1.0 + math.ceil(before.offset_step / pixel - 1e-6))
    return SearchAdvice(
        Suggested(True, '%s has aligned the particles to %.2g degrees' % (before.source, before.step)),
        Suggested(sampling_text(min(before.step, AUTO_LOCAL_STEP if auto else wide)), 'the last step (%.2g degrees) or finer'
                  % before.step),
        Suggested(wide, '%d steps of that search, and at least %g' % (STEPS, LOCAL_RANGE)),
        Suggested(left, 'the last step (%.3g Å, %.2g of these pixels) and one more, and at least %g' % (
            before.offset_step, before.offset_step / pixel, CENTRED)), fine)


def sampling_text(step: float) -> str:
    """The coarsest entry of RELION's list of angular steps that is no coarser than `step` degrees; else the finest."""
    return next((text for text in SAMPLINGS if float(text.split()[0]) <= step * 1.02), SAMPLINGS[-1])
