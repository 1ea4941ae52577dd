"""What CTF refinement and Bayesian polishing leave of each tomogram on their way, in the folder temp of the job.

RELION's --only_do_unfinished takes every file that is there for whole, and file by file: a scale fitted alone differs
from one fitted after the defocus, and without positions it fails (measured). So a tomogram has all its files, or none.
"""
import os
from pathlib import Path
from typing import Callable, Collection, Dict, List, Mapping, NamedTuple, Sequence, Set, Union

from ..star import StarError, read_star
from .maps import is_whole_mrc
from .whole import is_whole_star

PathLike = Union[str, Path]
TEMP = 'temp'
#: Sums from which aberrations are fitted, of each optics group; RELION writes all where it fits some.
_SUMS = ('even_Axx', 'even_Axy', 'even_Ayy', 'even_bx', 'even_by', 'odd_a', 'odd_b_imag', 'odd_b_real')


class Tomogram(NamedTuple):
    """How many rows the files of a tomogram must have. images: tilt images; particles: of the job in this tomogram."""

    images: int
    particles: int


#: Name of a file below temp, with %s for the tomogram's -> is the file whole?
Files = Mapping[str, Callable[[Path, Tomogram], bool]]


def _rows(path: Path, count: int) -> bool:
    """True for a closed file of one table with so many rows."""
    try:
        return is_whole_star(path, ['']) and len(read_star(path, [''])['']) == count
    except StarError:
        return False


def _trajectories(path: Path, tomogram: Tomogram) -> bool:
    """A table for each particle; RELION writes this file in its place, so it may be cut anywhere."""
    try:
        blocks = [line[len('data_'):].strip() for line in path.read_text(encoding='utf-8').splitlines()
                  if line.startswith('data_')]
        return (len(blocks) == tomogram.particles + 1 and is_whole_star(path, blocks)
                and len(read_star(path, blocks[-1:])[blocks[-1]]) == tomogram.images)
    except (OSError, UnicodeDecodeError, StarError):
        return False


DEFOCUS: Files = {'defocus/%s.star': lambda path, tomogram: _rows(path, tomogram.images)}
SCALE: Files = {'scale/%s.star': lambda path, tomogram: _rows(path, tomogram.images)}
ALIGNMENT: Files = {'%s_projections.star': lambda path, tomogram: _rows(path, tomogram.images),
                    '%s_positions.star': lambda path, tomogram: _rows(path, tomogram.particles)}
DEFORMATIONS: Files = {'%s_deformations.star': lambda path, tomogram: _rows(path, tomogram.images)}
MOTION: Files = {'%s_motion.star': _trajectories}


def aberrations(groups: int) -> Files:
    """The files of a fit of aberrations of so many optics groups."""
    return {'aberrations/%%s_group_%d_%s.mrc' % (group, name): lambda path, tomogram: is_whole_mrc(path)
            for group in range(groups) for name in _SUMS}


def left_unfinished(folder: PathLike, tomograms: Mapping[str, Tomogram], wanted: Sequence[Files]) -> List[Path]:
    """What is to be removed from a job's folder before it goes on, so that RELION does all tomograms that are not finished.

    Finished is a tomogram (name -> what it must have) of which all the wanted files are there and whole. All else goes:
    files of the others, and everything outside temp, which RELION writes at the end.
    """
    files: Dict[str, Callable[[Path, Tomogram], bool]] = {}
    for kind in wanted:
        files.update(kind)
    keep: Set[Path] = set()
    for name, tomogram in tomograms.items():
        paths = {Path(folder, TEMP, pattern % name): is_whole for pattern, is_whole in files.items()}
        if all(is_whole(path, tomogram) for path, is_whole in paths.items()):
            keep.update(paths)
    return sorted(path for path in _files(folder) if path not in keep)


def _files(folder: PathLike) -> Collection[Path]:
    return [Path(place, name) for place, _, names in os.walk(os.fspath(folder)) for name in names]
