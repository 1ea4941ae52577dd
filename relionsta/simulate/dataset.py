"""Making a data set: a scene's files in a folder, series by series, whole or not at all."""
import json
import shutil
from pathlib import Path
from typing import Callable, Dict

import pandas as pd

from ..star import write_star
from . import aretomo3
from .parameters import SceneParameters
from .project import finish_images, project_series
from .relion_run import SimulationError
from .scene import Scene, make_scene
from .truth import FOLDER, PARAMETERS, read_parameters, write_json, write_truth

ARETOMO3, PICKS, ALL_PICKS = 'aretomo3', 'picks', 'all_particles.star'
_REQUEST = 'request.json'


def make_dataset(parameters: SceneParameters, folder: Path, relion_bin: Path, threads: int = 1, overwrite: bool = False,
                 say: Callable[[str], None] = print) -> Path:
    """Make the data set of `parameters` in `folder` and return the folder.

    relion_bin: folder with RELION's programs. The work is done in `<folder>.making` and renamed at the end; a series
    that is finished there is not made again, nor is a finished data set of the same parameters. Raises SimulationError
    where `folder` holds a data set of other parameters, unless overwrite, and always where it holds anything else.
    say: gets a line per step.
    """
    folder = Path(folder).absolute()
    if _is_dataset(folder) and not overwrite:
        if read_parameters(folder / FOLDER) == parameters:
            say(f'{folder} is there already')
            return folder
        raise SimulationError(f'{folder} holds a data set of other parameters: choose another folder, or replace it '
                              '(--overwrite)')
    making = folder.with_name(folder.name + '.making')
    _prepare(making, parameters)
    scene = make_scene(parameters)
    for number, name in enumerate(parameters.series_names, start=1):
        if (making / ARETOMO3 / f'{name}_Vol.mrc').exists():
            say(f'{name} ({number} of {parameters.series}): finished before')
            continue
        say(f'{name} ({number} of {parameters.series}): projecting {parameters.particles + parameters.decoys} '
            f'particles into {parameters.tilts - parameters.dark_images} images')
        _make_series(scene, name, making, relion_bin, threads, say)
    _write_common(scene, making)
    if folder.exists():
        shutil.rmtree(folder)
    making.rename(folder)
    (folder / _REQUEST).unlink()
    say(f'{folder} is ready: {parameters.series} tilt series, {len(scene.particles)} picks')
    return folder


def _is_dataset(folder: Path) -> bool:
    """Whether `folder` holds a simulated data set; SimulationError where it holds anything else: not ours to remove."""
    if (folder / FOLDER / PARAMETERS).is_file():
        return True
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise SimulationError(f'{folder} holds other files and no simulated data set: choose another folder')
    return False


def _prepare(making: Path, parameters: SceneParameters) -> None:
    """An unfinished data set of the same request is kept, one of another is removed."""
    request = making / _REQUEST
    if request.is_file():
        if json.loads(request.read_text()) != parameters.to_dict():
            shutil.rmtree(making)
    else:
        _is_dataset(making)
    making.mkdir(parents=True, exist_ok=True)
    write_json(request, parameters.to_dict())
    for part in (ARETOMO3, PICKS):
        (making / part).mkdir(exist_ok=True)


def _make_series(scene: Scene, name: str, making: Path, relion_bin: Path, threads: int,
                 say: Callable[[str], None]) -> None:
    """One tilt series' files; the tomogram comes last, its presence says that the series is complete."""
    p, target = scene.parameters, making / ARETOMO3
    work = making / 'work' / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    stack = finish_images(scene, name, project_series(scene, name, relion_bin, work, threads))
    aretomo3.write_stack(target / f'{name}.mrc', stack, p.pixel)
    for ending, text in _texts(scene, name).items():
        (target / f'{name}{ending}').write_text(text)
    say(f'{name}: reconstructing the tomogram at {p.voxel:g} Å per voxel')
    volume = aretomo3.reconstruct_tomogram(scene, name, relion_bin, f'../../{ARETOMO3}/{name}.mrc', work, threads)
    write_star(making / PICKS / f'{name}_Vol_particles.star', {'': aretomo3.picks_table(scene, name)})
    volume.replace(target / f'{name}_Vol.mrc')
    shutil.rmtree(work)


def _texts(scene: Scene, name: str) -> Dict[str, str]:
    p, series = scene.parameters, scene.tilt_series[name]
    return {'.aln': aretomo3.aln_text(series, p), '_CTF.txt': aretomo3.ctf_text(series, p),
            '_TLT.txt': aretomo3.tlt_text(series, p)}


def _write_common(scene: Scene, making: Path) -> None:
    p = scene.parameters
    (making / ARETOMO3 / 'AreTomo3_Session.json').write_text(aretomo3.session_text(p))
    picks = pd.concat([aretomo3.picks_table(scene, name) for name in p.series_names], ignore_index=True)
    write_star(making / PICKS / ALL_PICKS, {'': picks})
    shutil.rmtree(making / 'work', ignore_errors=True)
    write_truth(scene, making / FOLDER, {})
