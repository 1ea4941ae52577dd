"""Which particles to keep: by value, by tomogram, without duplicates, or in parts. All return (n,) arrays."""
import fnmatch
import re
from typing import Any, List, Optional, Sequence

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree


def in_range(values: Any, low: Optional[float] = None, high: Optional[float] = None) -> np.ndarray:
    """True for values (n,) from low to high, both included; None: no limit. What is no number is outside."""
    numbers = np.asarray(values, dtype=np.float64)
    return np.asarray(~np.isnan(numbers) & (numbers >= (-np.inf if low is None else low))
                      & (numbers <= (np.inf if high is None else high)))


def split_patterns(text: str) -> List[str]:
    """The names and patterns in a text, apart by blanks, commas or semicolons."""
    return [part for part in re.split(r'[\s,;]+', text) if part]


def matches(names: Any, patterns: Sequence[str]) -> np.ndarray:
    """True for names (n,) that are among the patterns (* and ? stand for any text and any letter)."""
    unique, places = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
    found = np.array([any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) for name in unique], dtype=bool)
    return np.asarray(found[places])


def apart(positions: Any, tomograms: Any, distance: float, score: Any = None) -> np.ndarray:
    """True for the particles that stay when none may be nearer to a better one of its tomogram than `distance`.

    positions (n, 3) and distance in Å, tomograms (n,) names. score (n,): more is better, and of equals the first in
    order; None: the first. The best of all stays, then the best of those that are far enough from it, and so on: what
    was removed removes nothing. Particles at exactly `distance` count as near, as in RELION.
    """
    places = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
    n = len(places)
    values = np.zeros(n) if score is None else np.asarray(score, dtype=np.float64)
    # NaN is worse than any number.
    order = np.lexsort((np.arange(n), -np.where(np.isnan(values), -np.inf, values)))
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    of_tomogram = pd.Series(np.asarray(tomograms, dtype=object)).groupby(np.asarray(tomograms, dtype=object)).indices
    pairs = [rows[cKDTree(places[rows]).query_pairs(distance, output_type='ndarray')] for rows in of_tomogram.values()]
    near = rank[np.concatenate(pairs)] if pairs else np.empty((0, 2), dtype=np.int64)
    near = np.sort(near, axis=1)
    near = near[np.lexsort((near[:, 1], near[:, 0]))]
    stays = np.ones(n, dtype=bool)
    for better, others in zip(*_groups(near)):
        if stays[better]:
            stays[others] = False
    return np.asarray(stays[rank])


def parts(n: int, number: Optional[int] = None, size: Optional[int] = None, seed: Optional[int] = None) -> np.ndarray:
    """The part, 0, 1..., of each of n particles: `number` parts of equal size (to one), or parts of `size`, the last
    of them smaller. seed: at random, the same each time; None: in order. Raises ValueError where neither number nor
    size is at least 1."""
    if (number is None) == (size is None) or (number or size or 0) < 1:
        raise ValueError('give the number of parts or their size, 1 or more')
    if size is not None:
        of_place = np.arange(n) // size
    else:
        of_place = np.arange(n) * (number or 1) // max(n, 1)
    result = np.empty(n, dtype=np.int64)
    result[np.arange(n) if seed is None else np.random.default_rng(seed).permutation(n)] = of_place
    return result


def _groups(pairs: np.ndarray) -> Any:
    """First members of sorted pairs, each once, and the second members that go with each."""
    first, starts = np.unique(pairs[:, 0], return_index=True)
    return first, np.split(pairs[:, 1], starts[1:])
