"""A job folder of RELION by itself: its type, what it was asked, its last iteration and its maps."""
import os
import re
from pathlib import Path
from typing import Callable, Dict, List, Optional, Union

import pandas as pd

from ..jobs import files
from ..star import is_complete, read_star
from .relion_project import JOB_NUMBER, JOB_STAR

CTF_REFINE, POLISH, POSTPROCESS = 'relion.ctfrefinetomo', 'relion.framealigntomo', 'relion.postprocess'
EXTRACT = 'relion.pseudosubtomo'
MASK, RECONSTRUCT, LOCAL_RESOLUTION = 'relion.maskcreate', 'relion.reconstructparticletomo', 'relion.localres'
PICKS, TOMOGRAMS, EXTERNAL = 'relion.picktomo', 'relion.reconstructtomograms', 'relion.external'
#: Folders of a RELION project, for jobs that have lost their job.star.
_TYPES = {'Import': 'relion.importtomo', 'Picks': PICKS, 'Extract': EXTRACT, 'Reconstruct': RECONSTRUCT,
          'Class3D': files.CLASS3D, 'Refine3D': files.REFINE3D, 'InitialModel': files.INITIAL_MODEL, 'MaskCreate': MASK,
          'PostProcess': POSTPROCESS, 'LocalRes': LOCAL_RESOLUTION, 'CtfRefine': CTF_REFINE, 'Polish': POLISH,
          'Tomograms': TOMOGRAMS, 'Subtract': 'relion.subtract', 'MultiBody': files.MULTIBODY, 'Select': 'relion.select',
          'AlignTiltSeries': 'relion.aligntiltseries'}
_ITERATION = re.compile(r'run_it(\d+)_(?:data|optimisation_set)\.star')
_VERSION = re.compile(r'^# RELION [^;]*; version (\S+)')


def job_type(folder: Path) -> str:
    """RELION's type of the job in a folder, from its job.star or from the folder's place; '' where neither tells."""
    label = _head(folder).get('rlnJobTypeLabel', '')
    return label or (_TYPES.get(folder.parent.name, '') if JOB_NUMBER.search(folder.name) else '')


def made_by_inversion(tomogram: Union[str, Path]) -> bool:
    """True where the job whose folder a tomogram lies in was asked to make it by Fourier inversion."""
    folders = Path(os.path.abspath(str(tomogram))).parents
    return any(options_of(folder).get('do_fourier') == 'Yes' for folder in list(folders)[:3])


def map_files(kind: str, number: Optional[int]) -> Dict[str, List[str]]:
    """Role -> the names that its file may have, best first."""
    if kind == files.REFINE3D:
        final = files.refine3d_final_files(files.RUN)
        names: Dict[str, List[str]] = {}
        start = '' if number is None else files.iteration_root(files.RUN, number)
        for half in ('half1', 'half2'):
            names[half] = [final[half]] + ['%s_%s_class001%s.mrc' % (start, half, end) for end in ('_unfil', '') if start]
        return {'map': [final['map']], 'model': [final['model']], **names}
    if kind == files.CLASS3D and number is not None:
        return {'model': [files.iteration_root(files.RUN, number) + '_model.star']}
    if kind == RECONSTRUCT:
        return {'map': [files.RECONSTRUCT_FILES['merged']], **{half: [files.RECONSTRUCT_FILES[half]]
                                                               for half in ('half1', 'half2')}}
    if kind == POSTPROCESS:
        return {'map': [files.POSTPROCESS_FILES['map']], 'postprocess': [files.POSTPROCESS_FILES['star']]}
    if kind == MASK:
        return {'mask': [files.MASK_FILES['mask']]}
    if kind == files.INITIAL_MODEL:
        return {'map': [files.INITIAL_MODEL_FILES['map']]}
    if kind.startswith(LOCAL_RESOLUTION):
        return {'map': [files.LOCAL_RESOLUTION_FILES['filtered']]}
    return {}


def last_iteration(folder: Path) -> Optional[int]:
    """The last iteration whose particles are there and whole; else the last one that has an optimisation set."""
    numbers: Dict[int, bool] = {}
    for path in folder.glob('run_it*.star'):
        match = _ITERATION.fullmatch(path.name)
        if match:
            whole = path.name.endswith('_data.star') and is_complete(path)
            numbers[int(match.group(1))] = numbers.get(int(match.group(1)), False) or whole
    return max((number for number, whole in numbers.items() if whole or not any(numbers.values())), default=None)


def has_true_header(path: Union[str, Path]) -> bool:
    """True where the job whose folder a map lies in leaves the statistics of the voxels in its header. Helical symmetry
    is put on by a program that leaves those from before there, and nobody knows what an external job does."""
    folder = Path(os.path.abspath(str(path))).parent
    asked = options_of(folder)
    return bool(asked) and asked.get('do_helix') != 'Yes' and job_type(folder) != EXTERNAL


def later_iterations(folder: Path, number: int) -> List[Path]:
    """The particles of iterations after this one, which are not whole: they were cut, or RELION still writes them."""
    return sorted(path for path in folder.glob('run_it*_data.star')
                  for match in [_ITERATION.fullmatch(path.name)] if match and int(match.group(1)) > number)


def _head(folder: Path) -> Dict[str, str]:
    return _cells(folder, 'job', lambda table: {str(label): str(table[label].iloc[0]) for label in table})


def options_of(folder: Path) -> Dict[str, str]:
    """What the job was asked, by RELION's names; empty where it has no job.star."""
    return _cells(folder, 'joboptions_values', lambda table: dict(
        zip(map(str, table['rlnJobOptionVariable']), map(str, table['rlnJobOptionValue']))))


def _cells(folder: Path, block: str, read: Callable[[pd.DataFrame], Dict[str, str]]) -> Dict[str, str]:
    path = folder / JOB_STAR
    return read(read_star(path, [block])[block]) if path.is_file() else {}


def version_of(folder: Path) -> str:
    """As the first line of an optimiser.star or postprocess.star tells it."""
    for path in sorted([*folder.glob('*_optimiser.star'), *folder.glob('postprocess.star')]):
        with open(str(path), encoding='utf-8', errors='replace') as file:
            match = _VERSION.match(file.readline())
        if match:
            return match.group(1)
    return ''
