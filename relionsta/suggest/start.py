"""Where a refinement starts: how far its reference is filtered, how strongly the data count, how maps are sharpened."""
import math
from typing import Optional, Tuple

from .suggestion import Suggested

#: Å, for a reference whose resolution nobody has measured.
UNKNOWN = 50.0
#: The filter is this much above the resolution, and then up to the next multiple of STEP Å.
ABOVE, STEP = 1.1, 5.0
#: Values of the regularisation parameter T to run side by side.
T_VALUES = (0.5, 1.0, 2.0, 4.0)
#: Å: the fit of a B-factor needs signal beyond this resolution; Å²: what is taken without one.
FITTED, GIVEN = 6.0, -200.0


def suggest_low_pass(resolution: Optional[float], pixel: float = 0.0, source: str = 'its reference') -> Suggested:
    """The initial low-pass filter in Å: a little above the resolution (Å) of the reference, so that detail which is noise
    does not bias the result; None: not measured.

    pixel: of the particles in Å; what is beyond their Nyquist does not count.
    """
    if resolution is None:
        return Suggested(UNKNOWN, 'the resolution of %s is not known' % source)
    if not resolution > 0:
        raise ValueError('a resolution must be above 0 Å, not %r' % resolution)
    best = max(resolution, 2 * pixel)
    value = STEP * math.ceil(ABOVE * best / STEP - 1e-9)
    beyond = ', beyond Nyquist of these particles (%.4g Å)' % best if best > resolution else ''
    return Suggested(value, 'a little above the resolution of %s (%.3g Å%s)' % (source, resolution, beyond))


def suggest_t_values() -> Suggested:
    """Values of T for a scan; the best depends on the data."""
    return Suggested(T_VALUES, 'the best T depends on the data: run these side by side and keep the map that shows most '
                               'without noise')


def suggest_sharpening(resolution: Optional[float]) -> Tuple[bool, Suggested]:
    """Whether post-processing should fit the B-factor itself, and the one (Å²) to give it otherwise."""
    if resolution is not None and resolution <= FITTED:
        return True, Suggested(GIVEN, 'at %.3g Å the B-factor can be fitted' % resolution)
    known = 'the resolution is not known' if resolution is None else 'the map is at %.3g Å' % resolution
    return False, Suggested(GIVEN, 'a fit needs about %g Å, and %s' % (FITTED, known))
