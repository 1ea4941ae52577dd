"""One image of each class of an iteration, with what RELION says of it, for people to choose by."""
from typing import Dict, List, NamedTuple, Tuple

import numpy as np

from ..star import read_star, require_columns
from .maps import CentralSlices, central_slices, projections
from .model import ClassResult, read_model
from .select_classes import Run, class_rows

_CLASS = 'rlnClassNumber'
#: What can be shown of a map: name -> (a projection, not a slice; which of the three directions).
VIEWS: Dict[str, Tuple[bool, str]] = {
    'central slice xy': (False, 'xy'), 'central slice xz': (False, 'xz'), 'central slice yz': (False, 'yz'),
    'projection along z': (True, 'xy'), 'projection along y': (True, 'xz'), 'projection along x': (True, 'yz')}


class ClassImage(NamedTuple):
    """A class, with its map. slices, sums: through the centre, and along the axes. path: its map. size: particles.
    texts: particles, share, resolution and the two accuracies as people read them (class_rows)."""

    result: ClassResult
    path: str
    slices: CentralSlices
    sums: CentralSlices
    size: int
    texts: Tuple[str, ...]

    def image(self, view: str) -> np.ndarray:
        """The image (rows, columns) of one of VIEWS."""
        is_sum, plane = VIEWS[view]
        found: np.ndarray = getattr(self.sums if is_sum else self.slices, plane)
        return found


def read_class_images(run: Run) -> List[ClassImage]:
    """The classes of an iteration that is complete, in the order of their numbers.

    Raises StarError and MapError for a file that is missing or cut.
    """
    path = run.file('data')
    rows = read_star(path, ['particles'], only={'particles': [_CLASS]})['particles']
    require_columns(rows, [_CLASS], path, 'particles')
    numbers, counts = np.unique(rows[_CLASS].to_numpy(), return_counts=True)
    sizes = dict(zip(numbers.tolist(), counts.tolist()))
    model = read_model(run.file('model'))
    texts = class_rows(model, sizes)
    images = []
    for one in model.classes:
        place = run.file('class%03d' % one.number, len(model.classes))
        images.append(ClassImage(one, place, central_slices(place, model.pixel_size, statistics=True),
                                 projections(place, model.pixel_size), sizes.get(one.number, 0), texts[one.number]))
    return images


def count_text(images: List[ClassImage], marked: List[int]) -> str:
    """What a choice of classes comes to, in words."""
    total = sum(one.size for one in images)
    kept = sum(one.size for one in images if one.result.number in marked)
    if not marked:
        return 'No class is marked. Click on the good ones.'
    return '%d of %d classes marked: %d of %d particles (%.1f %%) are kept, %d rejected.' % (
        len(marked), len(images), kept, total, 100 * kept / max(1, total), total - kept)
