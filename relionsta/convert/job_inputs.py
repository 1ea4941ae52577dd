"""The files that a RELION job gets for a set of particles: particles.star, tomograms.star and motion.star.

One of the set's own serves where all particles have the same; where a set was joined, the files are merged.
"""
import os
from typing import Dict, NamedTuple, Sequence

import numpy as np
import pandas as pd

from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star, write_star
from relionsta.star.trajectories import read_trajectories, still_trajectory, write_trajectories

from .errors import ConvertError
from .merge import merge_particles
from .merge_tomograms import FILE, merge_tomograms, write_tomograms
from .particle_rows import find_rows
from .particles import write_star_of_set
from .parts import NAME, TOMOGRAM, Part, parts_of_set, parts_of_state, state_of_set

PARTICLES = 'particles.star'
TOMOGRAMS = 'tomograms.star'
TRAJECTORIES = 'motion.star'


class JobInputs(NamedTuple):
    """Paths from the project's folder; '' for a file that there is not."""

    particles: str
    tomograms: str
    trajectories: str


def job_inputs(particles: SetOfStaParticles, folder: str) -> JobInputs:
    """What write_job_inputs(particles, folder) writes or names, without writing it."""
    tomograms, trajectories = particles.getTomogramsStars(), particles.getTrajectoriesStars()
    one_tomograms = tomograms[0] if tomograms else ''
    one_trajectories = trajectories[0] if trajectories else ''
    if len(tomograms) > 1:
        one_tomograms = os.path.join(folder, TOMOGRAMS)
    if trajectories and (len(trajectories) > 1 or _some_have_none(particles)):
        one_trajectories = os.path.join(folder, TRAJECTORIES)
    return JobInputs(os.path.join(folder, PARTICLES), one_tomograms, one_trajectories)


def write_job_inputs(particles: SetOfStaParticles, folder: str) -> JobInputs:
    """Write the files for a job on the enabled particles of a set into `folder`, which is there; returns their paths.

    particles.star always (see write_star_of_set); tomograms.star and motion.star only where the particles come from
    several, else the set's own are named. Raises ConvertError where the files do not go together.
    """
    files = job_inputs(particles, folder)
    if files.tomograms == (particles.getTomogramsStar() or '') and files.trajectories == (
            particles.getTrajectoriesStar() or ''):
        write_star_of_set(particles, files.particles)
        return files
    parts = parts_of_set(particles)
    merged = merge_particles(parts)
    if files.tomograms != particles.getTomogramsStar():
        write_tomograms(merge_tomograms(parts), files.tomograms, {})
    if files.trajectories and files.trajectories != particles.getTrajectoriesStar():
        tomograms = read_star(files.tomograms, ['global'])['global']
        write_trajectories(files.trajectories, merge_trajectories(parts, tomograms))
    write_star(files.particles, merged)
    return files


def check_job_inputs(particles: SetOfStaParticles) -> None:
    """Raise ConvertError or StarError where write_job_inputs would, for validation before the run."""
    state = state_of_set(particles)
    if find_rows(particles, state) is not None:
        return
    parts = parts_of_state(particles, state)
    merge_particles(parts)
    if len(particles.getTomogramsStars()) > 1:
        merge_tomograms(parts)


def merge_trajectories(parts: Sequence[Part], tomograms: pd.DataFrame) -> Dict[str, str]:
    """Particle name -> trajectory, of all particles; those that have none do not move.

    tomograms: block data_global with all their tomograms. Raises ConvertError for a particle that its file lacks.
    """
    known: Dict[str, Dict[str, str]] = {}
    merged: Dict[str, str] = {}
    series = dict(zip(tomograms[TOMOGRAM], tomograms[FILE]))
    for part in parts:
        names = part.table[NAME].tolist()
        if not part.trajectories:
            still = {name: still_trajectory(_tilts(part.old_tomograms.get(name, name), series[name]))
                     for name in part.table[TOMOGRAM].unique()}
            merged.update(zip(names, part.table[TOMOGRAM].map(still)))
            continue
        if part.trajectories not in known:
            known[part.trajectories] = read_trajectories(part.trajectories)
        of_file = known[part.trajectories]
        old = [part.old_names.get(name, name) for name in names]
        lost = [name for name in old if name not in of_file]
        if lost:
            raise ConvertError('%s lacks the trajectories of %d particles, the first of them %s; take the motion.star '
                               'that was fitted for these particles' % (part.trajectories, len(lost), lost[0]))
        merged.update(zip(names, map(of_file.__getitem__, old)))
    return merged


def _tilts(name: str, file: str) -> int:
    """Rows of a tilt series' table."""
    blocks = read_star(file)
    return len(blocks[name] if name in blocks else next(iter(blocks.values())))


def _some_have_none(particles: SetOfStaParticles) -> bool:
    """True where some particles have a trajectory and others none."""
    own = particles.getUniqueValues('_trajectoriesStar')
    return bool(np.any([not path for path in own])) and any(own)
