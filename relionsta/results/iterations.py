"""Which iterations of a job of relion_refine are complete.

RELION writes the optimiser.star of an iteration first and no file atomically, so the presence of a file says little. An
iteration is complete when all its files are there, each STAR file is whole and of that iteration, and each map has the
size that its header implies. The names come from the job's file table.
"""
import os
import re
from pathlib import Path
from typing import List, Optional, Tuple, Union

from ..jobs import files
from ..star.tables import StarError, read_star
from .maps import is_whole_mrc
from .model import read_optimiser
from .whole import is_whole_star

PathLike = Union[str, Path]
_OPTIMISER = re.compile(r'_it(\d+)_optimiser\.star')
_OF_ITERATION = re.compile(r'_it(\d+)_.+')
# The tables of each kind of file, in RELION's order; those of model.star depend on the number of classes
_BLOCKS = {
    '_data.star': ('optics', 'particles'),
    '_optimiser.star': ('optimiser_general',),
    '_sampling.star': ('sampling_general', 'sampling_directions'),
    '_optimisation_set.star': ('',),
}


def complete_iterations(folder: PathLike, job_type: str, root: str = files.RUN) -> List[int]:
    """The numbers of the complete iterations in a job folder, ascending; [] where there is none, or no folder.

    job_type: RELION's, as in the table of files (`relion.class3d`, ...). root: what RELION's file names begin with.
    """
    return [number for number in _begun(folder, root) if is_complete(folder, job_type, number, root)]


def last_complete(folder: PathLike, job_type: str, root: str = files.RUN) -> Optional[int]:
    """The last complete iteration, or None. Looks from the end, so it is quick in a folder of many iterations."""
    return next((number for number in reversed(_begun(folder, root))
                 if is_complete(folder, job_type, number, root)), None)


def is_complete(folder: PathLike, job_type: str, iteration: int, root: str = files.RUN) -> bool:
    """True where every file of the iteration is there and whole."""
    return lacking(folder, job_type, iteration, root) is None


def lacking(folder: PathLike, job_type: str, iteration: int, root: str = files.RUN) -> Optional[Path]:
    """The first file of an iteration that is not there, not whole or of another iteration; None where it is complete."""
    stars = [Path(folder, name) for name in
             files.iteration_files(job_type, root, iteration, nr_classes=1).values() if name.endswith('.star')]
    found = next((star for star in stars if not _is_whole(star) or not _is_of(star, iteration)), None)
    if found is not None:
        return found
    # The model is whole, so it tells how many maps there must be
    classes = min(_references(star)[1] for star in stars if star.name.endswith('_model.star'))
    names = files.iteration_files(job_type, root, iteration, nr_classes=classes)
    data = Path(folder, names['data'])
    if job_type == files.MULTIBODY and not _has_bodies(data, classes):
        return data
    maps = [Path(folder, name) for name in names.values() if name.endswith('.mrc')]
    return next((path for path in maps if not is_whole_mrc(path)), None)


def left_behind(folder: PathLike, job_type: str, after: int, root: str = files.RUN) -> List[Path]:
    """The files of a job folder that a run which goes on from iteration `after` makes untrue.

    They are those of later iterations, complete or not, and those of an earlier end of the run.
    """
    final = set(files.final_files(job_type, root).values())
    names = os.listdir(folder)
    matches = ((name, _OF_ITERATION.fullmatch(name[len(root):])) for name in names if name.startswith(root))
    later = {name for name, match in matches if match and int(match.group(1)) > after}
    return sorted(Path(folder, name) for name in names if name in final | later)


def optimiser_of(folder: PathLike, iteration: int, root: str = files.RUN) -> str:
    """Path of the file from which a run goes on after an iteration."""
    return os.path.join(os.fspath(folder), files.iteration_root(root, iteration) + '_optimiser.star')


def iteration_of(path: PathLike, root: str = files.RUN) -> Optional[int]:
    """The number of the iteration that a file is of, as its name says; None for none."""
    name = os.path.basename(os.fspath(path))
    match = _OF_ITERATION.fullmatch(name[len(root):]) if name.startswith(root) else None
    return int(match.group(1)) if match else None


def is_converged(folder: PathLike, root: str = files.RUN, job_type: str = files.REFINE3D) -> bool:
    """True where an auto-refinement, also one of bodies, has converged and its final files are all there and whole."""
    return end_lacking(folder, root, job_type) is None


def end_lacking(folder: PathLike, root: str = files.RUN, job_type: str = files.REFINE3D) -> Optional[Path]:
    """The first of the final files of an auto-refinement that is not there, or not whole; None where it has converged."""
    names = files.refine3d_final_files(root)
    if job_type == files.MULTIBODY:
        bodies = _references(Path(folder, names['model']))[1]
        names = files.multibody_final_files(root, bodies)
        if not _has_bodies(Path(folder, names['data']), bodies):
            return Path(folder, names['data'])
    optimiser = Path(folder, names['optimiser'])
    paths = [Path(folder, name) for name in names.values()]
    found = next((path for path in paths if not (
        _is_whole(path) if path.suffix == '.star' else is_whole_mrc(path))), None)
    if found is not None:
        return found
    try:
        return None if read_optimiser(optimiser).has_converged else optimiser
    except StarError:
        return optimiser


def _begun(folder: PathLike, root: str) -> List[int]:
    """Iterations whose first file is there."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    matches = (_OPTIMISER.fullmatch(name[len(root):]) for name in names if name.startswith(root))
    return sorted(int(match.group(1)) for match in matches if match)


def _is_of(star: Path, iteration: int) -> bool:
    """False for an optimiser of another iteration: one that RELION overwrote in a continued run may be."""
    if not star.name.endswith('_optimiser.star'):
        return True
    try:
        return read_optimiser(star).iteration == iteration
    except StarError:
        return False  # closed as a whole file is, and damaged before its end


def _is_whole(star: Path) -> bool:
    """True where the file is closed and has every table that RELION puts into this kind of file."""
    if star.name.endswith('_model.star'):
        what, count = _references(star)
        numbers = range(1, count + 1)
        blocks = (['model_general', 'model_bodies' if what == 'body' else 'model_classes']
                  + ['model_%s_%d' % (what, number) for number in numbers]
                  + ['model_groups'] + ['model_pdf_orient_%s_%d' % (what, number) for number in numbers])
        return count > 0 and is_whole_star(star, blocks)
    for ending, names in _BLOCKS.items():
        if star.name.endswith(ending):
            return is_whole_star(star, names)
    return is_whole_star(star, [])


def _has_bodies(data: Path, number: int) -> bool:
    """True where the particles of a multi-body refinement have a table for each body."""
    return is_whole_star(data, [*_BLOCKS['_data.star'], *('images_body_%d' % body for body in range(1, number + 1))])


def _references(model: Path) -> Tuple[str, int]:
    """('class', n) or, in a multi-body refinement, ('body', n) as a model.star promises; n = 0 where it is cut before."""
    try:
        block = 'model_general'
        table = read_star(model, [block], only={block: ('rlnNrBodies', 'rlnNrClasses')})[block]
        bodies = int(table['rlnNrBodies'].iloc[0])
        return ('body', bodies) if bodies > 1 else ('class', int(table['rlnNrClasses'].iloc[0]))
    except (StarError, KeyError, ValueError):
        return 'class', 0
