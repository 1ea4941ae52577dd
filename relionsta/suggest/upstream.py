"""What the files of the inputs say of their history: the resolution of a map, the search of a run. Raises nothing for
files that tell nothing: most maps have no known resolution."""
import os
import re
from pathlib import Path
from typing import NamedTuple, Optional, Union

import numpy as np

from ..jobs import files
from ..results.model import read_model, read_optimiser, read_sampling
from ..results.postprocess import read_postprocess
from ..star import StarError, read_star
from .search import Search

PathLike = Union[str, Path]

#: A map of a run: of an iteration or final, of a class or half set.
_MAP = re.compile(r'(?P<root>.+?)(?:_it(?P<iteration>\d+))?(?:_half[12])?(?:_class(?P<number>\d+))(?:_unfil)?\.mrc\Z')
_DATA = re.compile(r'(?P<root>.+?)(?:_it(?P<iteration>\d+))?_data\.star\Z')
_ANGLES = ('rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi', 'rlnTomoSubtomogramRot', 'rlnTomoSubtomogramTilt',
           'rlnTomoSubtomogramPsi')
#: Beyond this a resolution is no measurement: RELION writes the box for classes without particles.
_NONE = 900.0


class Measured(NamedTuple):
    """A resolution in Å, and what it was measured on, in words."""

    resolution: float
    source: str


def resolution_of_map(path: PathLike) -> Optional[Measured]:
    """The resolution that the job which made this map has found; None where it told none."""
    folder, name = os.path.split(os.fspath(path).split(':')[0])
    if name in (files.POSTPROCESS_FILES['map'], files.POSTPROCESS_FILES['masked']):
        return _of_postprocess(os.path.join(folder, files.POSTPROCESS_FILES['star']))
    match = _MAP.fullmatch(name)
    if match is None:
        return None
    number, root = int(match.group('number')), match.group('root')
    if match.group('iteration') is None:
        return _of_model(os.path.join(folder, '%s_model.star' % root), number, 'the map')
    stem = os.path.join(folder, files.iteration_root(root, int(match.group('iteration'))))
    what = 'class %d of iteration %d' % (number, int(match.group('iteration')))
    return _of_model(stem + '_model.star', number, what) or _of_model(stem + '_half1_model.star', number, what)


def _of_model(path: str, number: int, what: str) -> Optional[Measured]:
    if not os.path.exists(path):
        return None
    try:
        model = read_model(path)
    except (StarError, ValueError, OSError):
        return None
    # the overall value is that of the half sets in an auto-refine, and of the best class in a classification
    found = (model.resolution if len(model.classes) == 1 else
             model.classes[number - 1].resolution if number <= len(model.classes) else None)
    return Measured(found, what) if found is not None and 0 < found < _NONE and np.isfinite(found) else None


def _of_postprocess(path: str) -> Optional[Measured]:
    try:
        found = read_postprocess(path).resolution
    except (StarError, ValueError, OSError):
        return None
    return Measured(found, 'the post-processed map') if 0 < found < _NONE else None


def search_of_particles(path: PathLike) -> Optional[Search]:
    """The search of the run that wrote this particles STAR; None where it is of no run, or of one without alignment."""
    folder, name = os.path.split(os.fspath(path))
    match = _DATA.fullmatch(name)
    if match is None:
        return None
    number = match.group('iteration')
    stem = os.path.join(folder, match.group('root') if number is None
                        else files.iteration_root(match.group('root'), int(number)))
    try:
        sampling, optimiser = read_sampling(stem + '_sampling.star'), read_optimiser(stem + '_optimiser.star')
    except (StarError, ValueError, OSError):
        return None
    if not optimiser.aligned:
        return None
    finer = 2 ** optimiser.oversampling
    what = 'the run before' if number is None else 'the run before (iteration %d)' % int(number)
    return Search(sampling.angular_step(optimiser.oversampling), sampling.offset_step / finer, what)


def has_orientations(path: PathLike) -> bool:
    """True where the particles of a STAR file have angles that are not all 0. Raises StarError."""
    table = read_star(Path(path), ['particles'])['particles']
    there = [label for label in _ANGLES if label in table]
    return bool(there) and bool((table[there].to_numpy(dtype=np.float64) != 0).any())
