"""How the particles of a scene move while the dose goes up: a random walk in which neighbours go alike."""
from typing import Dict

import numpy as np
from scipy.spatial.distance import cdist

from ..star.trajectories import trajectory_text
from .scene import COORDINATES, PARTICLE, Scene, stream


def motion(scene: Scene, name: str) -> np.ndarray:
    """Shifts (picks, kept images, 3) as X, Y, Z in Å of the picks of one series, images in the order of the series.

    RELION's own model of motion (relion_tomo_align --motion): from image to image each axis steps by a normal number of
    the rms `motion` times the dose, correlated between particles as exp(-distance / motion_length). All are 0 in the
    first image. What all particles have in common is no motion but a shift of the image, and is taken off.
    """
    p, series = scene.parameters, scene.tilt_series[name]
    rows = scene.particles[scene.particles['rlnTomoName'] == name]
    positions = rows[COORDINATES].to_numpy()
    alike = np.exp(-cdist(positions, positions) / p.motion_length)
    random = stream(p, p.series_names.index(name), 'motion')
    steps = np.linalg.cholesky(alike) @ random.normal(0, p.motion * p.dose, (len(series) - 1, 3, len(rows), 1))
    walk = np.concatenate([np.zeros((1, len(rows), 3)), np.cumsum(steps[..., 0].transpose(0, 2, 1), axis=0)])
    walk -= walk[:, (rows['rlnClassNumber'] == PARTICLE).to_numpy()].mean(axis=1, keepdims=True)
    kept = series.loc[~series['dark'], 'acquisition'].to_numpy() - 1
    return walk[kept].transpose(1, 0, 2)


def trajectories(scene: Scene, name: str) -> Dict[str, str]:
    """Blocks of a motion.star by particle name, for the picks of one series; empty where nothing moves."""
    if not scene.parameters.motion:
        return {}
    names = scene.particles.loc[scene.particles['rlnTomoName'] == name, 'rlnTomoParticleName']
    return {particle: trajectory_text(shifts) for particle, shifts in zip(names, motion(scene, name))}
