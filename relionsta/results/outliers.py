"""Which values stand out, by a rule that the values that stand out cannot bend."""
from typing import Any

import numpy as np

#: values beyond the median by more than so many MADs (median absolute deviations) stand out
TIMES = 5.
RULE = 'more than %g median absolute deviations above the median' % TIMES


def limit(values: Any, times: float = TIMES) -> float:
    """Median + times MAD of values (n,), NaN left out; infinity where fewer than four values differ from one another.

    MAD is the plain median of |value - median|: for normal noise 5 MAD are 3.4 standard deviations (Leys et al., J. Exp.
    Soc. Psychol. 49, 764 (2013), without their constant).
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[~np.isnan(found)]
    if len(np.unique(found)) < 4:
        return float('inf')
    middle = np.median(found)
    deviation = float(np.median(np.abs(found - middle)))
    return float(middle + times * deviation) if deviation > 0 else float('inf')


def standing_out(values: Any, times: float = TIMES) -> np.ndarray:
    """True (n,) for the values above limit."""
    return np.asarray(np.asarray(values, dtype=np.float64) > limit(values, times))
