"""RELION's particles STAR <-> SetOfStaParticles."""
from itertools import count
from typing import Any, Collection, Dict, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd
from pwem.objects import Transform
from pyworkflow.object import Pointer
from tomo.objects import Coordinate3D

from relionsta import geometry
from relionsta.objects import NO_IMAGES, SetOfStaParticles, StaParticle
from relionsta.star import StarError, is_complete, read_star, require_columns, write_star
from relionsta.star.checks import check_numbers, check_texts

from .bulk import ids_if_same, ids_of_values, write_items
from .collection import collect_later
from .coordinates import SCORE
from .matrix_text import round_matrices
from .merge import merge_particles
from .particle_info import set_info
from .particle_rows import find_rows, write_rows
from .parts import CLASS, COORDINATE_PATHS, HALF, NAME, TOMOGRAM, parts_of_state, state_of_set, volumes_of
from .poses import POSE, poses_of_rows
from .positions import scipion_from_centered
from .series import scipion_ts_id
from .untouched import CLASS_ID, MATRIX, SUBSET, digest_of_columns, file_state, untouched_rows

# The columns that a set of particles takes from its file.
_READ = (NAME, TOMOGRAM, *POSE, 'rlnImageName', 'rlnCtfImage', CLASS, HALF, SCORE)

__all__ = ['CLASS', 'HALF', 'NAME', 'ids_by_name', 'read_particles', 'write_star_of_set']


@collect_later()
def read_particles(path: str, particles: SetOfStaParticles, coordinates: Any = None,
                   tomograms_star: Optional[str] = None, trajectories_star: Optional[str] = None,
                   ids: Union[Mapping[str, int], SetOfStaParticles, None] = None, outdated_by: Optional[str] = None,
                   names: Optional[Collection[str]] = None) -> int:
    """Fill an empty set from a particles STAR of RELION (Extract, InitialModel, Class3D, Refine3D...); returns n.

    path: relative to the project; the particles remember it. coordinates: the SetOfCoordinates3D that the particles
    come from, or a pointer to it: its pixel size and tomograms give the particles' own Coordinate3D; without it they
    are in tilt-series pixels from the specimen's centre. tomograms_star, trajectories_star: for RELION's next job.
    ids: the set in which the particles have their object ids, or particle name -> object id, so that they keep them from
    set to set and Scipion's subset works on them; particles without one get new ids. outdated_by: the job that changed the
    tilt series after the images were cut out. names: the particles that are wanted (default: all). The caller writes the
    set, which stays empty (n = 0) where RELION removed every particle.

    Raises StarError for a file that is no such STAR, or has two particles of one name.
    """
    file = file_state(path)
    blocks = read_star(path, only={'particles': _READ})
    if 'particles' not in blocks and 'optics' in blocks and is_complete(path):
        # RELION writes no block at all where it has removed every particle.
        blocks['particles'] = pd.DataFrame(columns=[NAME, 'rlnTomoName'])
    for block in ('optics', 'particles'):
        if block not in blocks:
            raise StarError(path, 'the block data_%s is missing; a particles STAR of RELION is needed' % block)
    rows = blocks['particles']
    check_rows(rows, path)
    if names is not None:
        rows = rows[rows[NAME].isin(names)]
    set_info(particles, blocks, path)
    particles.setTomogramsStar(*filter(None, [tomograms_star]))
    particles.setTrajectoriesStar(*filter(None, [trajectories_star]))
    template = _template()
    template.setParticlesStar(path)
    template.setTomogramsStar(tomograms_star or None)
    template.setTrajectoriesStar(trajectories_star or None)
    if particles.getKind() != NO_IMAGES:
        template.setOutdatedBy(outdated_by)
        particles.setOutdatedBy(outdated_by)
    particles.setCoordinatesPixelSize(particles.getTiltSeriesPixelSize())
    source, coordinates = coordinates, coordinates.get() if isinstance(coordinates, Pointer) else coordinates
    if coordinates is not None:
        particles.setCoordinates3D(source)
        particles.setCoordinatesPixelSize(coordinates.getSamplingRate())
    if len(rows):
        columns = _item_columns(rows, path, particles, coordinates)
        numbers = None if ids is None else _object_ids(rows[NAME].tolist(), ids)
        # The set goes by the ids.
        in_order = names is None and (numbers is None or bool((np.diff(numbers) > 0).all()))
        digest = digest_of_columns(columns, {CLASS_ID: template.getClassId(), SUBSET: template.getRandomSubset()}
                                   ) if in_order else None
        write_items(particles, template, columns, ids=numbers,
                    watch=digest and (lambda stored: digest.add_texts(MATRIX, stored[MATRIX])))
        if digest is not None and file_state(path) == file:
            particles.setDigest(digest.text(particles, path), path)
    return len(rows)


def check_rows(rows: pd.DataFrame, path: str) -> None:
    """Raise StarError unless rows of a particles STAR have tomograms, and names of their own."""
    require_columns(rows, [NAME, 'rlnTomoName'], path, 'particles')
    check_texts(rows, ['rlnTomoName'], path, 'particles')
    check_numbers(rows, [CLASS, HALF], path, 'particles')
    _check_unique(rows[NAME], path)


def ids_by_name(particles: SetOfStaParticles) -> Dict[str, int]:
    """Particle name -> object id, of all particles of a set."""
    return ids_of_values(particles, '_particleName')


@collect_later()
def write_star_of_set(particles: SetOfStaParticles, path: str) -> int:
    """Write the particles STAR of a set, for RELION's next job; returns the number of rows.

    The rows of the files that the particles come from, those of enabled particles only, in the order of the set, with
    the set's poses, classes and half sets; a row whose pose is unchanged keeps its values (and their spelling, where
    all rows come from one large file). Rows of several files are
    merged (see merge_particles). Other blocks stay as they are, except that pseudo-subtomograms always count as
    premultiplied with the CTF. Raises ConvertError where a particle is not in its file or is there twice, where files
    do not go together, and where only some have a half set. A job also needs the tomograms: see job_inputs.
    """
    found = untouched_rows(particles)
    if found is None:
        state = state_of_set(particles)
        found = find_rows(particles, state)
    if found is not None:
        write_rows(found, path)
        return len(found.rows)
    blocks = merge_particles(parts_of_state(particles, state))
    write_star(path, blocks)
    return len(blocks['particles'])


def _object_ids(names: List[str], given: Union[Mapping[str, int], SetOfStaParticles]) -> Sequence[int]:
    if isinstance(given, SetOfStaParticles):
        same = ids_if_same(given, '_particleName', names)
        if same is not None:
            return same
    known = ids_by_name(given) if isinstance(given, SetOfStaParticles) else given
    ids = list(map(known.get, names))
    if None not in ids:
        return ids
    fresh = count(max(known.values(), default=0) + 1)
    return [next(fresh) if number is None else number for number in ids]


def _check_unique(names: pd.Series, path: str) -> None:
    if (names == '').any():
        raise StarError(path, '%s is empty in row %d; fill it in' % (NAME, (names == '').argmax() + 1), 'particles')
    twice = names[names.duplicated()]
    if len(twice):
        raise StarError(path, '%s %s is there twice (%d such); each particle needs a name of its own'
                        % (NAME, twice.iloc[0], len(twice)), 'particles')


def _template() -> StaParticle:
    particle = StaParticle()
    particle.setTransform(Transform())
    particle.setCoordinate3D(Coordinate3D())
    return particle


def _item_columns(rows: pd.DataFrame, path: str, particles: SetOfStaParticles, coordinates: Any) -> Dict[str, Any]:
    positions, matrices = _transforms(rows, path)
    if _differ(matrices[:1]) or _differ(matrices):
        particles.setAlignment3D()
    numbers, names = pd.factorize(rows[TOMOGRAM].to_numpy(dtype=object))
    series = np.array([scipion_ts_id(name) for name in names], dtype=object)
    ts_ids = series[numbers]
    columns: Dict[str, Any] = {
        '_particleName': rows[NAME].to_numpy(), '_volName': ts_ids,
        '_coordinate._tomoId': ts_ids, '_transform._matrix': matrices, '_coordinate._eulerMatrix._matrix': matrices}
    pixel = particles.getCoordinatesPixelSize()
    if coordinates is None:
        xyz = positions / pixel
    else:
        volumes = volumes_of(coordinates, series)
        xyz = scipion_from_centered(positions, ts_ids, pixel, volumes)
        columns['_volId'] = columns['_coordinate._volId'] = volumes['vol_id'].reindex(series).to_numpy()[numbers]
    columns.update({attribute: xyz[:, axis] for axis, attribute in enumerate(COORDINATE_PATHS)})
    for label, attribute in (('rlnImageName', '_filename'), (CLASS, CLASS_ID), (HALF, SUBSET),
                             (SCORE, '_coordinate._score')):
        if label in rows:
            columns[attribute] = rows[label].to_numpy()
    return columns


def _transforms(rows: pd.DataFrame, path: str) -> Tuple[np.ndarray, np.ndarray]:
    """Centred positions (n, 3) in Å and Scipion's transforms (n, 4, 4)."""
    positions, A = poses_of_rows(rows, path)
    return positions, round_matrices(geometry.scipion_from_pose(A))


def _differ(matrices: np.ndarray) -> bool:
    """True where one of these transforms turns or moves anything."""
    return bool(np.abs(matrices - np.eye(4)).max(initial=0.0) > 1e-6)
