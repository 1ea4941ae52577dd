"""What the particles of a scene give with true parameters: the best that a refinement of them can reach."""
import os
from pathlib import Path
from typing import Any, Dict

import pandas as pd

from ..jobs import files
from ..jobs.job import Job
from ..jobs.postprocess import POSTPROCESS
from ..jobs.reconstruct import RECONSTRUCT
from ..results.postprocess import read_postprocess
from ..star import write_star
from .project import particles_blocks
from .relion_run import run_relion
from .truth import FOLDER, MOTION, Truth, true_poses


def true_parameters_resolution(truth: Truth, particles_table: pd.DataFrame, mask: Path, box: int, folder: Path,
                               relion_bin: Path, threads: int = 1) -> float:
    """Resolution (Å) of the average of the same particles with true poses, defocus, alignment and motion.

    particles_table: RELION particles (rows that stand for no true particle are left out); the average is made at the pixel
    size of the tilt series in the table's own frame and half sets, and measured under `mask` (box voxels), so that it
    compares with an average of the table. folder: for RELION's files, made where absent. Runs two programs in the scene's
    folder, where the paths of its truth start; there must be no blank in the way from there to `folder`: RELION makes
    no folders then.
    """
    folder, scene = Path(folder).absolute(), truth.folder.parent.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    write_star(folder / 'particles.star', particles_blocks(truth.parameters, true_poses(truth.particles, particles_table)))
    moving = str(truth.folder.absolute() / MOTION) if truth.parameters.motion else ''
    values = dict(use_direct_entries=True, in_particles=str(folder / 'particles.star'), binning=1.0, box_size=box,
                  in_tomograms=f'{FOLDER}/tomograms.star', in_trajectories=moving, nr_threads=threads)
    _run(RECONSTRUCT, values, folder, scene, relion_bin)
    half = folder / files.RECONSTRUCT_FILES['half1']
    _run(POSTPROCESS, dict(fn_in=str(half), fn_mask=str(Path(mask).absolute()), angpix=truth.parameters.pixel,
                           do_auto_bfac=False), folder, scene, relion_bin)
    return read_postprocess(folder / files.POSTPROCESS_FILES['star']).resolution


def _run(job: Job, values: Dict[str, Any], folder: Path, scene: Path, relion_bin: Path) -> None:
    for program, *arguments in job.commands(values, os.path.relpath(str(folder), str(scene)) + '/'):
        run_relion(relion_bin, program, arguments, scene, folder / 'relion.log')
