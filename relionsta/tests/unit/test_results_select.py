"""Which particles stay, by distance, value, tomogram or part."""
import numpy as np
import pytest

from relionsta.results import select


def brute(positions, tomograms, distance, score):
    """The same by comparing all with all, best first."""
    kept = []
    for one in sorted(range(len(score)), key=lambda row: (-score[row], row)):
        if all(tomograms[one] != tomograms[two] or np.linalg.norm(positions[one] - positions[two]) > distance
               for two in kept):
            kept.append(one)
    return np.isin(np.arange(len(score)), kept)


def test_duplicates_against_all_pairs():
    """A grid or tree that misses a pair across a border leaves duplicates in."""
    random = np.random.default_rng(4)
    positions, tomograms = random.uniform(-100, 100, (300, 3)), random.choice(['a', 'b', 'c'], 300)
    for distance in (5.0, 30.0, 90.0):
        score = random.integers(0, 20, 300).astype(float)
        np.testing.assert_array_equal(select.apart(positions, tomograms, distance, score),
                                      brute(positions, tomograms, distance, score))
        np.testing.assert_array_equal(select.apart(positions, tomograms, distance),
                                      brute(positions, tomograms, distance, np.zeros(300)))


def test_duplicates_of_few():
    """One removed by a better one removes no other; other tomograms, no particles, and no score are no trouble."""
    line = np.array([[0, 0, 0], [0, 0, 8.0], [0, 0, 16.0]])
    assert list(select.apart(line, ['a'] * 3, 10)) == [True, False, True]
    assert list(select.apart(line, ['a'] * 3, 10, [1, 2, 1])) == [False, True, False]
    assert list(select.apart(line, ['a', 'b', 'a'], 10)) == [True, True, True]
    assert list(select.apart(line[:2], ['a'] * 2, 8)) == [True, False], 'at the distance counts as near'
    assert list(select.apart(line[:2], ['a'] * 2, 8, [np.nan, -5])) == [False, True]
    assert select.apart(np.empty((0, 3)), [], 10).shape == (0,)
    assert list(select.apart(line[:1], ['a'], 10)) == [True]


def test_values_in_a_range():
    """Both ends belong to the range; no number never does."""
    values = [1, 2, np.nan, 3]
    assert list(select.in_range(values, 2, 3)) == [False, True, False, True]
    assert list(select.in_range(values, high=1)) == [True, False, False, False]
    assert list(select.in_range(values)) == [True, True, False, True]


def test_names_and_patterns():
    """TS_1 is not TS_10, and letters count."""
    names = ['TS_1', 'TS_10', 'ts_1', 'a[b']
    assert list(select.matches(names, ['TS_1'])) == [True, False, False, False]
    assert list(select.matches(names, select.split_patterns(' TS_1? ,ts*;'))) == [False, True, True, False]
    assert list(select.matches(names, [])) == [False] * 4 and select.split_patterns(' ') == []


def test_parts():
    """Every particle is in one part; the same seed gives the same parts."""
    assert list(select.parts(7, 3)) == [0, 0, 0, 1, 1, 2, 2]
    assert list(select.parts(7, size=3)) == [0, 0, 0, 1, 1, 1, 2]
    one, two, other = (select.parts(1000, 7, seed=seed) for seed in (1, 1, 2))
    assert (one == two).all() and (one != other).any()
    counts = np.bincount(one)
    assert len(counts) == 7 and counts.sum() == 1000 and counts.max() - counts.min() <= 1
    for wrong in (dict(), dict(number=0), dict(size=0), dict(number=2, size=2)):
        with pytest.raises(ValueError, match='number of parts'):
            select.parts(5, **wrong)
