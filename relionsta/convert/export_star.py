"""A set of particles as STAR files that RELION takes anywhere: with images, or as coordinates at refined positions."""
import os
from typing import Callable

import pandas as pd

from relionsta import geometry
from relionsta.jobs.export_folder import ExportError, ExportFolder
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star
from relionsta.star.optimisation_set import OptimisationSet, write_optimisation_set

from .coordinates import SCORE, write_particles_star
from .job_inputs import PARTICLES, TOMOGRAMS, TRAJECTORIES, write_job_inputs
from .merge import merge_particles
from .merge_tomograms import FILE, FOLDER
from .parts import CLASS, HALF, NAME, TOMOGRAM, parts_of_set
from .poses import ANGLES, COORDINATES, poses_of_rows

OPTIMISATION_SET = 'optimisation_set.star'
#: Folder of the images that the STAR files name.
IMAGES = 'images'
_KEPT = (SCORE, CLASS, HALF)


def export_star_files(particles: SetOfStaParticles, folder: ExportFolder, work: str, absolute: bool = False,
                      coordinates: bool = False) -> int:
    """Fill a folder with particles.star, tomograms.star, tilt_series/, motion.star where there is one, and
    optimisation_set.star; returns the number of particles.

    The rows are those that a job of RELION gets for the set (enabled particles, its poses). work: a folder for files
    that are needed meanwhile. absolute: name files by their absolute paths, else below the folder, where RELION has to
    be started, with images put into images/. coordinates: particles.star holds no images but refined positions and
    orientations alone (see refined_coordinates). Raises ConvertError and StarError as write_job_inputs, and ExportError
    for absolute names that RELION cannot read.
    """
    files = write_job_inputs(particles, work)
    star = files.particles
    if coordinates:
        table = refined_coordinates(particles)
        star = os.path.join(work, 'coordinates.star')
        write_particles_star(star, table, files.tomograms)
    name = _absolute_name if absolute else lambda path: folder.take(path, IMAGES)
    place = (lambda path: _without_blank(str(folder.target / path))) if absolute else str
    folder.star(star, PARTICLES, name)
    if files.tomograms:
        _export_tomograms(files.tomograms, folder, name, place)
    if files.trajectories:
        folder.put(files.trajectories, TRAJECTORIES, IMAGES)
    write_optimisation_set(folder.path(OPTIMISATION_SET), OptimisationSet(
        particles=place(PARTICLES), tomograms=place(TOMOGRAMS) if files.tomograms else None,
        trajectories=place(TRAJECTORIES) if files.trajectories else None))
    return len(read_star(star, only={'particles': (NAME,)})['particles'])


def refined_coordinates(particles: SetOfStaParticles) -> pd.DataFrame:
    """Where the enabled particles of a set are now, in RELION's terms, everything folded in.

    Columns: rlnTomoName, rlnTomoParticleName, rlnCenteredCoordinateX/Y/ZAngst (coordinate less the rotated origin),
    rlnAngleRot/Tilt/Psi (A_sub · A_part, degrees), and score, class and half set where the particles have them.
    """
    rows = merge_particles(parts_of_set(particles))['particles']
    positions, A = poses_of_rows(rows)
    table = rows[[TOMOGRAM, NAME]].copy()
    table[COORDINATES] = positions
    table[ANGLES] = geometry.matrix_to_euler(A)
    for label in _KEPT:
        if label in rows:
            table[label] = rows[label]
    return table


def _export_tomograms(path: str, folder: ExportFolder, name: Callable[[str], str], place: Callable[[str], str]) -> None:
    overview = read_star(path, ['global'])['global']
    new = {}
    for tomogram, file in zip(overview[TOMOGRAM], overview[FILE]):
        star = folder.free_name(FOLDER, '%s.star' % tomogram)
        folder.know(file, star)
        new[file] = place(star)
        folder.star(file, star, name)
    folder.star(path, TOMOGRAMS, lambda other: new.get(other) or name(other))


def _absolute_name(path: str) -> str:
    return _without_blank(os.path.abspath(path)) if os.path.exists(path) else path


def _without_blank(path: str) -> str:
    if any(character.isspace() for character in path):
        raise ExportError("%s: RELION's STAR files cannot hold a name with a blank in it; take names below the folder "
                          "instead of absolute ones" % path)
    return path
