"""The resolution at which a curve falls below a threshold, as RELION reads it."""
from typing import Optional

import numpy as np

#: FSC of two independent half maps at the resolution of the map from all data (Rosenthal & Henderson 2003)
GOLD_STANDARD = 0.143


def resolution_at(frequency: np.ndarray, values: np.ndarray, threshold: float = GOLD_STANDARD) -> Optional[float]:
    """Å of the last shell before the values first fall below the threshold (shell 0, the mean, does not count).

    frequency in 1/Å, one per Fourier shell. A shell without value (nan) counts as below. None where the first shell
    is below already. RELION takes whole shells too, so its numbers and these agree.
    """
    below = np.flatnonzero(~(values[1:] >= threshold))
    last = int(below[0]) if below.size else values.size - 1
    return 1. / float(frequency[last]) if last > 0 else None
