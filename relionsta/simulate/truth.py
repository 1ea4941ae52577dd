"""The known answer of a scene: written beside the data set, read back, and compared with a result.

    truth/particles.star         every pick's true pose; rlnClassNumber 1 particle, 2 decoy species, 3 empty place
    truth/tomograms.star         true geometry and defocus (paths from the scene's folder)
    truth/tilt_series/<s>.star
    truth/motion.star            how every pick moves, where the scene has motion
    truth/map_<pixel>A.mrc       the particle at the tilt-series pixel and at twice it
    truth/parameters.json        the parameters, and what followed from them; written last

The data set itself (aretomo3/, picks/) never refers to any of them.
"""
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import mrcfile
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from ..geometry import compose_pose, good_box_size, matrix_to_euler
from ..star import read_star, write_star
from ..star.trajectories import write_trajectories
from ..whole import whole
from .maps import MapMatch, match_maps
from .motion import trajectories
from .parameters import SceneParameters
from .particle import sample
from .project import alignment_columns, particles_blocks, species, tomogram_columns
from .relion_run import SimulationError
from .scene import ANGLES, COORDINATES, PARTICLE, Scene

FOLDER, PARAMETERS, MOTION = 'truth', 'parameters.json', 'motion.star'
_ORIGINS = ['rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst']
_SUB_ANGLES = ['rlnTomoSubtomogramRot', 'rlnTomoSubtomogramTilt', 'rlnTomoSubtomogramPsi']
_GAUGE_ROUNDS = 50


@dataclass(frozen=True)
class Truth:
    """What `read_truth` found: the parameters, and the true poses of all picks (a RELION particles table)."""

    folder: Path
    parameters: SceneParameters
    particles: pd.DataFrame

    def map(self, box: int, pixel: float, kind: int = PARTICLE) -> np.ndarray:
        """The true map (box, box, box) as Z, Y, X at any box and pixel size (Å); kind as rlnClassNumber."""
        return sample(species(self.parameters)[kind], box, pixel)


@dataclass(frozen=True)
class PoseErrors:
    """How far poses are from the truth; angles in degrees, lengths in Å.

    frame_rotation_deg and frame_shift_A: the common motion of the reference frame that was taken off.
    n_matched: particles of the table that stand for a true one; n_false: those that stand for none; n_missed: true
    particles that none stands for.
    """

    median_angle_error_deg: float
    median_shift_error_A: float
    mean_angle_error_deg: float
    mean_shift_error_A: float
    frame_rotation_deg: float
    frame_shift_A: float
    n_matched: int
    n_false: int
    n_missed: int


def write_truth(scene: Scene, folder: Path, facts: Dict[str, Any]) -> None:
    """Write the known answer into `folder` (made where absent). facts: what else is worth keeping (plain values)."""
    p = scene.parameters
    (folder / 'tilt_series').mkdir(parents=True, exist_ok=True)
    write_star(folder / 'particles.star', particles_blocks(p, scene.particles))
    write_star(folder / 'tomograms.star', {'global': tomogram_columns(p, p.series_names, f'{FOLDER}/tilt_series')})
    for name, series in scene.tilt_series.items():
        table = alignment_columns(series, f'aretomo3/{name}.mrc', p.pixel)
        write_star(folder / 'tilt_series' / f'{name}.star', {name: table})
    if p.motion:
        moving = [trajectories(scene, name) for name in p.series_names]
        write_trajectories(folder / MOTION, {one: text for blocks in moving for one, text in blocks.items()})
    for pixel in (p.pixel, 2 * p.pixel):
        box = good_box_size(1.3 * p.diameter / pixel)
        with mrcfile.new(str(folder / f'map_{pixel:.2f}A.mrc'), sample(species(p)[PARTICLE], box, pixel),
                         overwrite=True) as mrc:
            mrc.voxel_size = pixel
    write_json(folder / PARAMETERS, {'parameters': p.to_dict(), **facts})


def write_json(path: Path, values: Dict[str, Any]) -> None:
    with whole(path) as temporary:
        temporary.write_text(json.dumps(values, indent=2) + '\n')


def read_parameters(folder: Path) -> SceneParameters:
    """The parameters of the scene whose truth folder this is. Raises SimulationError where it is not one."""
    path = Path(folder) / PARAMETERS
    try:
        return SceneParameters.from_dict(json.loads(path.read_text())['parameters'])
    except (OSError, KeyError, ValueError) as error:
        raise SimulationError(f'{path} is not the truth of a finished simulated data set ({error}); '
                         'make it with: python -m relionsta simulate') from error


def read_truth(scene_folder: Path) -> Truth:
    """The known answer of a scene, from the scene's folder."""
    folder = Path(scene_folder) / FOLDER
    return Truth(folder, read_parameters(folder), read_star(folder / 'particles.star')['particles'])


def _columns(table: pd.DataFrame, names: Sequence[str]) -> Optional[np.ndarray]:
    return table[list(names)].to_numpy(dtype=np.float64) if set(names) <= set(table.columns) else None


def _match(truth: pd.DataFrame, true_positions: np.ndarray, table: pd.DataFrame, positions: np.ndarray,
           limit_A: float) -> pd.DataFrame:
    """One-to-one pairs of rows (columns `truth` and `table`, row numbers), nearest first, within limit_A."""
    pairs: List[pd.DataFrame] = []
    for name in truth['rlnTomoName'].unique():
        here = np.flatnonzero((truth['rlnTomoName'] == name).to_numpy())
        there = np.flatnonzero((table['rlnTomoName'] == name).to_numpy())
        if len(there):
            distance, nearest = cKDTree(true_positions[here]).query(positions[there], distance_upper_bound=limit_A)
            found = np.isfinite(distance)
            pairs.append(pd.DataFrame({'truth': here[nearest[found]], 'table': there[found],
                                       'distance': distance[found]}))
    if not pairs:
        return pd.DataFrame({'truth': [], 'table': []}, dtype=np.int64)
    return pd.concat(pairs).sort_values('distance').drop_duplicates('truth')


def _common_rotation(rotations: Rotation) -> Rotation:
    """The rotation nearest to most of these: the geodesic median, which a few gross errors do not move (Weiszfeld)."""
    common = rotations.mean()
    for _ in range(_GAUGE_ROUNDS):
        distance = (rotations * common.inv()).magnitude()
        common = rotations.mean(1 / np.maximum(distance, 1e-4))
    return common


def _common_shift(shifts: np.ndarray) -> np.ndarray:
    """The geometric median (3,) of shifts (n, 3)."""
    common = np.median(shifts, axis=0)
    for _ in range(_GAUGE_ROUNDS):
        weights = 1 / np.maximum(np.linalg.norm(shifts - common, axis=1), 1e-3)
        common = np.average(shifts, axis=0, weights=weights)
    return common


@dataclass(frozen=True)
class _Matched:
    """Rows of the truth and of a table that stand for the same particle, and the motion of the table's frame.

    turns (n) and shifts (n, 3): each particle's own motion of the frame; rotation G and shift t (3,): the common one.
    """

    truth: np.ndarray
    table: np.ndarray
    turns: Rotation
    shifts: np.ndarray
    rotation: Rotation
    shift: np.ndarray


def _matched(truth: pd.DataFrame, table: pd.DataFrame, limit_A: Optional[float]) -> _Matched:
    true_positions, A_true = compose_pose(truth[COORDINATES], None, None, truth[ANGLES])
    positions, A = compose_pose(table[COORDINATES], _columns(table, _ORIGINS), _columns(table, _SUB_ANGLES),
                                _columns(table, ANGLES))
    limit = _half_spacing(truth, true_positions) if limit_A is None else limit_A
    pairs = _match(truth, true_positions, table, positions, limit)
    pairs = pairs[(truth['rlnClassNumber'].to_numpy() == PARTICLE)[pairs['truth'].to_numpy()]]
    if pairs.empty:
        raise SimulationError(f'none of {len(table)} particles lies within {limit:.0f} Å of a true one: '
                         'compare with the truth of the same scene (rlnTomoName, rlnCenteredCoordinate*)')
    here, there = pairs['truth'].to_numpy(), pairs['table'].to_numpy()
    turns = Rotation.from_matrix(A_true[here].transpose(0, 2, 1) @ A[there])
    shifts = np.einsum('nji,nj->ni', A_true[here], positions[there] - true_positions[here])
    return _Matched(here, there, turns, shifts, _common_rotation(turns), _common_shift(shifts))


def compare_poses(truth: pd.DataFrame, particles_table: pd.DataFrame, limit_A: Optional[float] = None) -> PoseErrors:
    """Errors of the poses in a RELION particles table against the true ones (`Truth.particles`).

    Particles are matched by tomogram and nearest position within limit_A (default: half the smallest distance between
    true picks). An average may be turned and shifted as a whole, its particles with it, without any error: the frame's
    rotation G and shift t, with A = A_true G and position = position_true + A_true t, are estimated as medians over all
    particles and taken off; a jittered start is treated alike. Raises SimulationError where nothing matches.
    """
    found = _matched(truth, particles_table, limit_A)
    angle = np.degrees((found.turns * found.rotation.inv()).magnitude())
    distance = np.linalg.norm(found.shifts - found.shift, axis=1)
    number, wanted = len(found.truth), int((truth['rlnClassNumber'] == PARTICLE).sum())
    return PoseErrors(float(np.median(angle)), float(np.median(distance)), float(angle.mean()), float(distance.mean()),
                      float(np.degrees(found.rotation.magnitude())), float(np.linalg.norm(found.shift)),
                      number, len(particles_table) - number, wanted - number)


def true_poses(truth: pd.DataFrame, particles_table: pd.DataFrame) -> pd.DataFrame:
    """The true particles that a RELION particles table holds, with their true poses in the table's own frame.

    The frame's rotation and shift (see compare_poses) are put on, so that an average of these particles lies where that of
    the table does and the same mask fits both. The half sets (rlnRandomSubset) are those of the table; names are the
    truth's.
    """
    found = _matched(truth, particles_table, None)
    order = np.argsort(found.truth)
    poses = truth.iloc[found.truth[order]].reset_index(drop=True)
    positions, A = compose_pose(poses[COORDINATES], None, None, poses[ANGLES])
    poses[COORDINATES] = positions + A @ found.shift
    poses[ANGLES] = matrix_to_euler(A @ found.rotation.as_matrix())
    poses['rlnRandomSubset'] = particles_table['rlnRandomSubset'].to_numpy()[found.table[order]]
    return poses


def kinds(truth: pd.DataFrame, particles_table: pd.DataFrame) -> np.ndarray:
    """What each row (n,) of a RELION particles table stands for: the rlnClassNumber of the true pick that is nearest to
    it in its tomogram (1 particle, 2 decoy species, 3 empty place), 0 where it is in no tomogram of the truth."""
    true_positions, _ = compose_pose(truth[COORDINATES], None, None, truth[ANGLES])
    positions, _ = compose_pose(particles_table[COORDINATES], _columns(particles_table, _ORIGINS),
                                _columns(particles_table, _SUB_ANGLES), _columns(particles_table, ANGLES))
    pairs = _match(truth, true_positions, particles_table, positions, np.inf)
    found = np.zeros(len(particles_table), dtype=np.int64)
    found[pairs['table'].to_numpy()] = truth['rlnClassNumber'].to_numpy()[pairs['truth'].to_numpy()]
    return found


def _half_spacing(truth: pd.DataFrame, positions: np.ndarray) -> float:
    """Half the smallest distance (Å) between two true picks of one tomogram."""
    nearest = [cKDTree(positions[rows]).query(positions[rows], k=2)[0][:, 1].min()
               for rows in truth.groupby('rlnTomoName').indices.values() if len(rows) > 1]
    return float(min(nearest)) / 2 if nearest else 100.0


def compare_maps(map_file: Path, truth: Truth, resolution_A: float, mask_file: Optional[Path] = None) -> MapMatch:
    """Correlation of a map with the true one at its own box and pixel size, aligned by pose only, both low-passed at
    resolution_A; inside the mask where one is given."""
    with mrcfile.open(str(map_file)) as mrc:
        volume, pixel = np.array(mrc.data, dtype=np.float64), float(mrc.voxel_size.x)
    if pixel <= 0:
        raise SimulationError(f'{map_file} states no pixel size in its header')
    mask = None
    if mask_file is not None:
        with mrcfile.open(str(mask_file)) as mrc:
            mask = np.array(mrc.data, dtype=np.float64)
    return match_maps(volume, truth.map(len(volume), pixel).astype(np.float64), pixel, resolution_A, mask)
