"""RELION's optimisation set: the small STAR file that ties particles, tomograms and trajectories together."""
from pathlib import Path
from typing import NamedTuple, Optional, Union

from relionsta.star.tables import StarError, read_star, require_columns, write_star

_LABELS = {'particles': 'rlnTomoParticlesFile', 'tomograms': 'rlnTomoTomogramsFile',
           'trajectories': 'rlnTomoTrajectoriesFile', 'manifolds': 'rlnTomoManifoldsFile'}


class OptimisationSet(NamedTuple):
    """Paths as RELION keeps them: relative to the folder in which RELION runs. None: the set names no such file.

    References, masks and FSC files are left out: RELION drops them from its own sets.
    """

    particles: Optional[str] = None
    tomograms: Optional[str] = None
    trajectories: Optional[str] = None
    manifolds: Optional[str] = None


def read_optimisation_set(path: Union[str, Path], whole: bool = False) -> OptimisationSet:
    """Read a set; its block may have any name, and be a list or a loop of one row.

    Raises StarError where it names neither particles nor tomograms, or has several rows; with `whole`, as for the set of
    results that RELION has written, also where it lacks one of the two or the empty line that RELION writes last.
    """
    for block, table in read_star(path, complete=whole).items():
        if not {_LABELS['particles'], _LABELS['tomograms']} & set(table.columns):
            continue
        if len(table) != 1:
            raise StarError(path, f'an optimisation set has one row, not {len(table)}; choose another file', block)
        if whole:
            require_columns(table, (_LABELS['particles'], _LABELS['tomograms']), path, block)
        row = {field: str(table[label].iloc[0]) for field, label in _LABELS.items() if label in table}
        return OptimisationSet(**{field: value for field, value in row.items() if value not in ('', 'None')})
    raise StarError(path, 'is no optimisation set: rlnTomoParticlesFile and rlnTomoTomogramsFile are both missing; '
                          'choose the optimisation_set.star of a job')


def write_optimisation_set(path: Union[str, Path], files: OptimisationSet) -> None:
    """Write a set as RELION does: an unnamed list block that names the files which are not None."""
    row = {_LABELS[field]: value for field, value in files._asdict().items() if value is not None}
    if not row:
        raise StarError(path, 'an optimisation set needs at least a particles or a tomograms file')
    write_star(path, {'': row})
