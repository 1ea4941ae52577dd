"""The truth of a scene: where the particles are, how the images were taken, and what the data set will say of both.

Every random choice has its own stream, named by series and purpose, so that one more decoy or another jitter leaves
the poses and the noise as they were.
"""
from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np
import pandas as pd

from ..geometry import centered_from_voxel, euler_to_matrix, matrix_to_euler, voxel_from_centered
from .parameters import SceneParameters
from .relion_run import SimulationError

PARTICLE, DECOY, EMPTY = 1, 2, 3
COORDINATES = ['rlnCenteredCoordinateXAngst', 'rlnCenteredCoordinateYAngst', 'rlnCenteredCoordinateZAngst']
ANGLES = ['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi']
_PURPOSES = ('places', 'orientations', 'alignment', 'defocus', 'dark', 'picks', 'turns', 'scores', 'errors',
             'noise', 'motion')
_TRIES = 20000


@dataclass(frozen=True)
class Scene:
    """All that is known of a scene.

    tilt_series: tsId -> one row per raw image in tilt order, with RELION's columns of the true geometry and defocus,
    and `acquisition` (1-based), `dark` (bool), `stage_tilt` (degrees), `stated_*` (what the data set will claim).
    particles: one row per pick of all kinds; rlnClassNumber is 1 for the particle, 2 for a decoy, 3 for an empty place.
    """

    parameters: SceneParameters
    tilt_series: Dict[str, pd.DataFrame]
    particles: pd.DataFrame


def stream(parameters: SceneParameters, series: int, purpose: str) -> np.random.RandomState:
    """The random numbers of one purpose in one series (0-based). RandomState: its streams never change."""
    return np.random.RandomState([parameters.seed, series, _PURPOSES.index(purpose)])


def make_scene(parameters: SceneParameters) -> Scene:
    """The scene of these parameters, the same on every machine. Raises SimulationError where they do not fit."""
    names = parameters.series_names
    particles = pd.concat([_particles(parameters, number, name) for number, name in enumerate(names)],
                          ignore_index=True)
    series = {name: _tilt_series(parameters, number) for number, name in enumerate(names)}
    return Scene(parameters, series, particles)


def dose_symmetric(angles: np.ndarray) -> np.ndarray:
    """1-based acquisition order (n,) of ascending tilt angles (n,): 0, +1, -1, -2, +2, +3, … in steps."""
    middle = len(angles) // 2
    order = [middle]
    for distance in range(1, len(angles)):
        both = [middle + distance, middle - distance]
        order += both if distance % 2 else both[::-1]
    inside = [index for index in order if 0 <= index < len(angles)]
    acquisition = np.empty(len(angles), dtype=np.int64)
    acquisition[inside] = np.arange(1, len(angles) + 1)
    return acquisition


def _tilt_series(parameters: SceneParameters, number: int) -> pd.DataFrame:
    p, count = parameters, parameters.tilts
    alignment, defocus, errors = (stream(p, number, name) for name in ('alignment', 'defocus', 'errors'))
    # Rounded as AreTomo3 writes them, so that its files state the truth exactly where no error is wanted.
    stage = np.round((np.arange(count) - count // 2) * p.tilt_step + alignment.normal(0, 0.01, count), 2)
    axis = round(p.tilt_axis + alignment.normal(0, 0.3), 4)
    shifts = np.round(alignment.normal(0, p.tilt_shift_rms, (count, 2)) / p.pixel, 3)
    acquisition = dose_symmetric(stage)
    # Evenly spread, so that the zeros of one series' CTF are filled by another's.
    own = p.defocus + ((number + 0.5) / p.series - 0.5) * p.defocus_range
    mean = own + defocus.normal(0, p.defocus_tilt_rms, count)
    defocus_u, defocus_v = np.round(mean + p.astigmatism / 2, 2), np.round(mean - p.astigmatism / 2, 2)
    dark = np.zeros(count, dtype=bool)
    # Not the middle image: the least damaged one carries the signal's scale.
    candidates = np.delete(np.arange(count), count // 2)
    dark[stream(p, number, 'dark').permutation(candidates)[:p.dark_images]] = True
    stated_shifts = np.round(shifts + errors.normal(0, p.tilt_shift_error, (count, 2)) / p.pixel, 3)
    defocus_error = p.defocus_error[number % len(p.defocus_error)]
    return pd.DataFrame({
        'rlnTomoXTilt': 0.0, 'rlnTomoYTilt': np.round(stage + p.alpha_offset, 2), 'rlnTomoZRot': axis,
        'rlnTomoXShiftAngst': shifts[:, 0] * p.pixel, 'rlnTomoYShiftAngst': shifts[:, 1] * p.pixel,
        'rlnTomoNominalStageTiltAngle': stage, 'rlnMicrographPreExposure': (acquisition - 1) * p.dose,
        'rlnDefocusU': defocus_u, 'rlnDefocusV': defocus_v,
        'rlnDefocusAngle': np.round(stream(p, number, 'defocus').uniform(-90, 90), 2),
        'rlnPhaseShift': p.phase_shift, 'rlnCtfScalefactor': np.cos(np.radians(stage + p.alpha_offset)),
        'acquisition': acquisition, 'dark': dark,
        'stated_shift_x_px': stated_shifts[:, 0], 'stated_shift_y_px': stated_shifts[:, 1],
        'stated_defocus_u': defocus_u + defocus_error, 'stated_defocus_v': defocus_v + defocus_error})


def _particles(parameters: SceneParameters, number: int, name: str) -> pd.DataFrame:
    p = parameters
    kinds = np.repeat([PARTICLE, DECOY, EMPTY], [p.particles, p.decoys, p.empty_picks])
    positions = _places(p, number, len(kinds))
    quaternions = stream(p, number, 'orientations').normal(size=(len(kinds), 4))
    table = pd.DataFrame({'rlnTomoName': name,
                          'rlnTomoParticleName': [f'{name}/{index}' for index in range(1, len(kinds) + 1)]})
    table[COORDINATES] = np.round(positions, 3)
    table[ANGLES] = np.round(matrix_to_euler(_rotations(quaternions)), 4)
    table['rlnRandomSubset'] = np.arange(len(kinds)) % 2 + 1
    table['rlnOpticsGroup'] = 1
    table['rlnClassNumber'] = kinds
    return table


def _rotations(quaternions: np.ndarray) -> np.ndarray:
    """Rotation matrices (n, 3, 3) of quaternions (n, 4), of any length: normal random ones are uniform rotations."""
    w, x, y, z = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]
    return np.asarray(rows).transpose(2, 0, 1)


def _small_rotations(random: np.random.RandomState, count: int, rms_degrees: float) -> np.ndarray:
    """Rotations (count, 3, 3) about random axes by angles of the given rms."""
    vectors = np.radians(random.normal(0, rms_degrees / np.sqrt(3), (count, 3)))
    half = np.linalg.norm(vectors, axis=1, keepdims=True) / 2
    return _rotations(np.hstack([np.cos(half), vectors / 2 * np.sinc(half / np.pi)]))


def _places(parameters: SceneParameters, number: int, count: int) -> np.ndarray:
    """Positions (count, 3) in centred Å, no two nearer than `spacing`, and all seen whole in every tilt image."""
    p, random = parameters, stream(parameters, number, 'places')
    margin = p.diameter / 2 + 2 * p.tilt_shift_rms
    room = np.asarray(p.tomogram_size) * p.pixel / 2 - [margin, margin, p.diameter / 2]
    if np.any(room <= 0):
        raise SimulationError(f'a tomogram of {p.tomogram_size} pixels of {p.pixel} Å has no room for a particle of '
                         f'{p.diameter:.0f} Å: enlarge image_size or thickness')
    placed: List[np.ndarray] = []
    for _ in range(_TRIES):
        place = random.uniform(-room, room)
        if not placed or np.min(np.linalg.norm(np.asarray(placed) - place, axis=1)) >= p.spacing:
            placed.append(place)
            if len(placed) == count:
                return np.asarray(placed)
    raise SimulationError(f'only {len(placed)} of {count} picks fit into one tomogram {p.spacing} Å apart: '
                     'take fewer, a smaller spacing, or larger images')


def jittered_picks(scene: Scene, name: str) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What template matching would report of one series, in the order of scene.particles.

    Returns voxel indices (n, 3) of the binned tomogram (whole numbers, as a score volume gives them), Euler angles
    (n, 3) and scores (n,). Decoys and empty places have orientations of their own and lower scores.
    """
    p = scene.parameters
    number = p.series_names.index(name)
    rows = scene.particles[scene.particles['rlnTomoName'] == name]
    picks, scores = stream(p, number, 'picks'), stream(p, number, 'scores')
    positions = rows[COORDINATES].to_numpy() + picks.normal(0, p.pick_shift_error / np.sqrt(3), (len(rows), 3))
    size = np.asarray(p.tomogram_size) // p.tomogram_binning
    voxels = np.clip(np.rint(voxel_from_centered(positions, size, p.voxel)), 0, size - 1).astype(np.int64)
    A = euler_to_matrix(rows[ANGLES]) @ _small_rotations(stream(p, number, 'turns'), len(rows), p.pick_angle_error)
    level = rows['rlnClassNumber'].map({PARTICLE: 0.42, DECOY: 0.33, EMPTY: 0.24}).to_numpy()
    return voxels, matrix_to_euler(A), np.clip(level + scores.normal(0, 0.03, len(rows)), 0.2, 1.0)


def start_poses(scene: Scene) -> pd.DataFrame:
    """The picks as particles, the jittered start: names, centred coordinates (Å) and angles in RELION's columns."""
    p, tables = scene.parameters, []
    size = np.asarray(p.tomogram_size) // p.tomogram_binning
    for name in p.series_names:
        voxels, angles, _ = jittered_picks(scene, name)
        here = scene.particles['rlnTomoName'] == name
        table = scene.particles.loc[here, ['rlnTomoName', 'rlnTomoParticleName']].copy()
        table[COORDINATES] = centered_from_voxel(voxels, size, p.voxel)
        table[ANGLES] = angles
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
