"""Which classes of a classification to keep, and the particles in them by their values. All of it on plain tables."""
import os
import re
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np
import pandas as pd

from ..jobs import files
from . import select
from .iterations import complete_iterations, is_complete
from .model import ClassResult, Model

#: Nobody has so many classes; a list of them would fill the memory.
MOST = 10000
_NUMBERS = re.compile(r'\s*(\d+)\s*(?:-\s*(\d+)\s*)?')
_DATA = re.compile(r'(?P<root>.+)_it(?P<iteration>\d+)_data\.star')


class Run(NamedTuple):
    """The run that an iteration's particles come from: its folder, the root of its names, and that iteration."""

    folder: str
    root: str
    iteration: int

    def file(self, role: str, nr_classes: int = 1) -> str:
        """Path of a file of the iteration by its role: data, model, class001..."""
        # What a classification leaves, an initial model leaves too: no more than that is asked for here.
        return os.path.join(self.folder, files.iteration_files(files.CLASS3D, self.root, self.iteration,
                                                               nr_classes)[role])

    def at(self, iteration: Optional[int]) -> 'Run':
        """The same run at another iteration (None: the same). Raises ValueError where that one is not complete."""
        if iteration is None or iteration == self.iteration:
            return self
        # Iteration 0 is the start: no particle has a class yet.
        if iteration < 1 or not is_complete(self.folder, files.CLASS3D, iteration, self.root):
            there = [number for number in complete_iterations(self.folder, files.CLASS3D, self.root) if number]
            raise ValueError('iteration %d is not complete in %s; complete are: %s'
                             % (iteration, self.folder, number_text(there) or 'none'))
        return self._replace(iteration=iteration)


def run_of(data_star: str) -> Run:
    """The run whose iteration wrote this particles STAR (run_it025_data.star). Raises ValueError for another name."""
    folder, name = os.path.split(data_star)
    match = _DATA.fullmatch(name)
    if match is None:
        raise ValueError('%s is no particles file of an iteration (run_itNNN_data.star)' % data_star)
    return Run(folder, match.group('root'), int(match.group('iteration')))


class Criteria(NamedTuple):
    """Limits for classes, all of which a class must keep; None: no limit. resolution, translations in Å at most,
    rotations in degrees at most, share: at least this fraction of the particles."""

    resolution: Optional[float] = None
    share: Optional[float] = None
    rotations: Optional[float] = None
    translations: Optional[float] = None

    def met_by(self, one: ClassResult) -> bool:
        """True for a class that keeps all limits. One without a value does not keep its limit, an empty one none."""
        return one.distribution > 0 and (self.share is None or one.distribution >= self.share) and all(
            limit is None or (value is not None and value <= limit) for limit, value in
            ((self.resolution, one.resolution), (self.rotations, one.accuracy_rotations),
             (self.translations, one.accuracy_translations)))

    def text(self) -> str:
        """The limits in words; '' for none."""
        return ', '.join(words % value for words, value in
                         (('resolution %g Å or better', self.resolution),
                          ('at least %g %% of the particles', None if self.share is None else 100 * self.share),
                          ('accuracy of rotations %g° or better', self.rotations),
                          ('accuracy of translations %g Å or better', self.translations)) if value is not None)


class Limits(NamedTuple):
    """A range of a column of the particles, both ends included; None: no limit."""

    label: str
    low: Optional[float]
    high: Optional[float]

    def text(self) -> str:
        """The range in words."""
        return ' '.join([self.label] + [words % value for words, value in (('from %g', self.low), ('to %g', self.high))
                                        if value is not None])


def parse_numbers(text: str) -> List[int]:
    """Class numbers of a text such as 1,3-5, ascending, each once; [] for a blank one. Raises ValueError."""
    numbers: Set[int] = set()
    for part in filter(None, (part.strip() for part in re.split('[,;]', text))):
        match = _NUMBERS.fullmatch(part)
        if match is None:
            raise ValueError('"%s"%s is no class number; write for example 2 or 1,3-5'
                             % (part, '' if part == text.strip() else ' of "%s"' % text))
        first = int(match.group(1))
        last = int(match.group(2) or first)
        if last < first:
            raise ValueError('"%s" ends before it begins; write %d-%d' % (part, last, first))
        if last - first >= MOST:
            raise ValueError('"%s" are more classes than any run has' % part)
        numbers.update(range(first, last + 1))
    return sorted(numbers)


def number_text(numbers: Sequence[int]) -> str:
    """The inverse of parse_numbers: 1,3-5."""
    ordered = sorted(set(numbers))
    starts = [n for n in ordered if n - 1 not in ordered]
    ends = [n for n in ordered if n + 1 not in ordered]
    return ','.join(str(start) if start == end else '%d-%d' % (start, end) for start, end in zip(starts, ends))


def classes_meeting(model: Model, criteria: Criteria) -> List[int]:
    """Numbers of the classes that keep all limits."""
    return [one.number for one in model.classes if criteria.met_by(one)]


def chosen_particles(table: pd.DataFrame, classes: Sequence[int], limits: Sequence[Limits]) -> np.ndarray:
    """True (n,) for particles of these classes with all values in their ranges.

    table: RELION's columns of the particles. Raises ValueError where a column is not there.
    """
    keep = np.isin(table['rlnClassNumber'].to_numpy(), list(classes))
    for one in limits:
        if one.label not in table:
            raise ValueError('the particles have no %s' % one.label)
        keep &= select.in_range(pd.to_numeric(table[one.label], errors='coerce'), one.low, one.high)
    return np.asarray(keep)


def class_rows(model: Model, sizes: Mapping[int, int]) -> Dict[int, Tuple[str, ...]]:
    """Class number -> particles, share, resolution and the two accuracies, as people read them; – for no value.

    sizes: the particles in each class.
    """
    return {one.number: (str(sizes.get(one.number, 0)), '%.1f %%' % (100 * one.distribution),
                         _known('%.1f Å', one, one.resolution), _known('%.1f°', one, one.accuracy_rotations),
                         _known('%.1f Å', one, one.accuracy_translations)) for one in model.classes}


def _known(text: str, one: ClassResult, value: Optional[float]) -> str:
    # RELION keeps old numbers for a class that has lost its particles.
    return '–' if value is None or one.distribution == 0 else text % value
