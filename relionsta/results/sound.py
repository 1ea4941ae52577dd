"""Is an iteration sound, through and through? Its files are read as a whole, and compared with each other.

A complete iteration has files that are closed and of the right size (`iterations`), which is quick to see. Whoever goes on
from one, or hands it on, must know more: a power cut can leave blocks of zeros in the middle of a file, and a disk of the
network a part of the iteration that was written there before.
"""
import os
from pathlib import Path
from typing import Dict, Mapping, Union

import numpy as np
import pandas as pd

from ..jobs import files
from ..star import StarError, is_complete, read_star, require_columns
from .iterations import lacking
from .maps import MapError, check_values, read_header
from .model import Model, read_model, read_optimiser, read_sampling

PathLike = Union[str, Path]
NAME, LOG_LIKELIHOOD = 'rlnTomoParticleName', 'rlnLogLikeliContribution'
_ROOT = 'rlnOutputRootName'
_INDEX, _NOISE = 'rlnSpectralIndex', 'rlnReferenceSigma2'
#: model.star has the sum of the particles' log-likelihoods with seven digits (measured on RELION 5.1).
SUM_TOLERANCE = 2e-6
#: A shell has changed where its noise did by more than this part; near the end of a run some do not.
CHANGED = 1e-4


def unsound(folder: PathLike, job_type: str, iteration: int, root: str = files.RUN) -> str:
    """What is wrong with an iteration, as a message that names the file; '' where nothing is."""
    path = lacking(folder, job_type, iteration, root)
    if path is not None:
        return '%s is not there, or not whole' % path
    names = files.iteration_files(job_type, root, iteration)
    try:
        tables = {name: read_star(Path(folder, name), complete=True) for name in names.values()
                  if name.endswith('_model.star')}
        models = [_check_model(Path(folder, name), blocks) for name, blocks in tables.items()]
        for role in ('optimiser', 'sampling', 'optimisation_set'):
            if role in names:
                read_star(Path(folder, names[role]), complete=True)
        if 'sampling' in names:
            read_sampling(Path(folder, names['sampling']))
        every = files.iteration_files(job_type, root, iteration, len(models[0].classes))
        for name in every.values():
            if name.endswith('.mrc'):
                _check_map(Path(folder, name), models[0].box_size, moment='moment' in name)
        for name, blocks in tables.items() if iteration > 1 else ():
            _check_not_half(Path(folder, name), blocks, Path(folder, _of_before(name, job_type, root, iteration)))
        rows = check_rows(Path(folder, names['data']))
        if not read_optimiser(Path(folder, names['optimiser'])).gradient:
            _check_not_older(rows, folder, job_type, iteration, root, sum(model.log_likelihood or 0. for model in models))
    except (StarError, MapError) as error:
        return str(error)
    return ''


def older_rows(rows: pd.DataFrame, folder: PathLike, job_type: str, iteration: int, root: str = files.RUN) -> str:
    """A message where some particles of an iteration are still those of the one before; '' where not, or nobody can tell.

    rows: of its data.star. All particles must take part in each iteration, as in Class3D and Refine3D.
    """
    models = [Path(folder, name) for name in files.iteration_files(job_type, root, iteration).values()
              if name.endswith('_model.star')]
    if not all(path.is_file() for path in models):
        return ''
    try:
        total = sum(read_model(path).log_likelihood or 0. for path in models)
        _check_not_older(rows, folder, job_type, iteration, root, total)
    except StarError as error:
        return str(error)
    return ''


def foreign(folder: PathLike, job_type: str, iteration: int, root: str = files.RUN) -> str:
    """A message where the optimiser.star of an iteration says that it was written in another folder; '' if in this one.

    folder: as RELION got it. A run that went on may name it with dots in between.
    """
    path = Path(folder, files.iteration_files(job_type, root, iteration)['optimiser'])
    block = 'optimiser_general'
    try:
        told = str(read_star(path, [block], only={block: (_ROOT,)})[block][_ROOT].iloc[0])
    except KeyError:
        return ''  # a version that does not say so
    except StarError as error:
        return str(error)
    if os.path.normpath(told) == os.path.normpath(os.path.join(os.fspath(folder), root)):
        return ''
    return '%s is of another run (%s)' % (path, told)


def check_rows(path: PathLike) -> pd.DataFrame:
    """The rows of a data.star, read whole; StarError where it is cut, or has a particle twice."""
    rows = read_star(path, complete=True).get('particles')
    if rows is None or not len(rows):
        raise StarError(path, 'there are no particles in it', 'particles')
    require_columns(rows, [NAME], path, 'particles')
    twice = rows[NAME][rows[NAME].duplicated()]
    if len(twice):
        raise StarError(path, 'the particle %s is there twice' % twice.iloc[0], 'particles')
    return rows


def _check_model(path: Path, blocks: Mapping[str, pd.DataFrame]) -> Model:
    """The model of which these are the tables; StarError where one lacks a shell, or has one twice."""
    model = read_model(path)
    shells = np.arange(model.box_size // 2 + 1)
    for name, table in blocks.items():
        if _INDEX in table and not np.array_equal(table[_INDEX].to_numpy()[:len(shells)], shells[:len(table)]):
            raise StarError(path, 'its shells are not numbered from 0 on', name)
        if name.startswith(('model_class_', 'model_body_')) and len(table) != len(shells):
            raise StarError(path, 'has %d shells, and a box of %d has %d' % (len(table), model.box_size, len(shells)), name)
    return model


def _check_map(path: Path, box: int, moment: bool) -> None:
    """moment: a gradient of the descent, which RELION keeps as numbers of another kind and size."""
    if moment:
        return
    if read_header(path).size != (box,) * 3:
        raise MapError('%s: has %d x %d x %d voxels, and the box of the iteration is %d'
                       % ((path,) + read_header(path).size + (box,)))
    check_values(path)


def _of_before(name: str, job_type: str, root: str, iteration: int) -> str:
    """The file of the iteration before for one of this."""
    role = next(role for role, one in files.iteration_files(job_type, root, iteration).items() if one == name)
    return files.iteration_files(job_type, root, iteration - 1)[role]


def _check_not_half(path: Path, now: Mapping[str, pd.DataFrame], before: Path) -> None:
    """StarError where the last shells of a reference, of those that were used, are to the last digit those of the iteration
    before, while all before them have changed: the end of the file was never written. now: its tables."""
    if not is_complete(before):
        return
    names = [name for name, table in now.items() if name.startswith(('model_class_', 'model_body_')) and _NOISE in table]
    old = read_star(before, only={name: (_NOISE,) for name in names})
    used = int(now['model_general']['rlnCurrentImageSize'].iloc[0]) // 2
    for name in names:
        if name not in old or _NOISE not in old[name] or len(now[name]) != len(old[name]):
            continue
        new, was = (one[_NOISE].to_numpy(dtype=float)[1:used] for one in (now[name], old[name]))
        first = int(np.argmax(new == was))
        if 0 < first < len(new) - 1 and (new == was)[first:].all() and (
                np.abs(new / was - 1)[:first] > CHANGED).all():
            raise StarError(path, 'the last %d of %d shells are those of the iteration before: the end of the file was '
                                  'never written. Use another iteration' % (len(new) - first, len(new)), name)


def _check_not_older(rows: pd.DataFrame, folder: PathLike, job_type: str, iteration: int, root: str, total: float) -> None:
    """StarError where rows are, to the last digit, those of the iteration before, while all together do not have the
    likelihood that the model has."""
    if LOG_LIKELIHOOD not in rows or iteration < 2:
        return
    found = float(rows[LOG_LIKELIHOOD].sum())
    if abs(found - total) <= SUM_TOLERANCE * abs(total):
        return
    path = Path(folder, files.iteration_files(job_type, root, iteration - 1)['data'])
    if not is_complete(path):
        return
    before = read_star(path, ['particles'], only={'particles': (NAME, LOG_LIKELIHOOD)})['particles']
    if LOG_LIKELIHOOD not in before:
        return
    known: Dict[str, float] = dict(zip(before[NAME], before[LOG_LIKELIHOOD]))
    same = int((rows[NAME].map(known) == rows[LOG_LIKELIHOOD]).sum())
    if same:
        raise StarError(Path(folder, files.iteration_files(job_type, root, iteration)['data']),
                        '%d of %d rows are those of iteration %d: a part of the file was never written. Use another '
                        'iteration' % (same, len(rows), iteration - 1), 'particles')
