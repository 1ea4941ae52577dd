"""RELION's particles STAR <-> SetOfStaParticles.

The set is the truth for membership, order, pose, class and half set; the STAR file that each particle names is the
truth for every other column. Rows and particles are joined by rlnTomoParticleName, never by position.
"""
from itertools import count
from typing import Any, Dict, List, Mapping, Optional

import numpy as np
import pandas as pd
from pwem.objects import Transform
from pyworkflow.object import Pointer
from tomo.objects import Coordinate3D

from relionsta import geometry
from relionsta.objects import PSEUDO_SUBTOMOS, SetOfStaParticles, StaParticle
from relionsta.star import StarError, is_complete, read_star, require_columns, write_star

from .bulk import read_columns, write_items
from .coordinates import SCORE
from .errors import ConvertError
from .particle_info import set_info
from .poses import poses_of_rows, set_poses
from .positions import centered_from_scipion, scipion_from_centered, tomogram_table
from .series import scipion_ts_id

NAME = 'rlnTomoParticleName'
CLASS = 'rlnClassNumber'
HALF = 'rlnRandomSubset'
_COORDINATE = ['_coordinate.%s' % axis for axis in ('_x', '_y', '_z')]


def read_particles(path: str, particles: SetOfStaParticles, coordinates: Any = None,
                   tomograms_star: Optional[str] = None, trajectories_star: Optional[str] = None,
                   ids: Optional[Mapping[str, int]] = None) -> int:
    """Fill an empty set from a particles STAR of RELION (Extract, InitialModel, Class3D, Refine3D...); returns n.

    path: relative to the project; the particles remember it. coordinates: the SetOfCoordinates3D that the particles
    come from, or a pointer to it: its pixel size and tomograms give the particles' own Coordinate3D; without it they
    are in tilt-series pixels from the specimen's centre. tomograms_star, trajectories_star: for RELION's next job.
    ids: particle name -> object id (ids_by_name), so that particles keep their id from set to set and Scipion's subset
    works on them; particles without one get new ids. The caller writes the set, which stays empty (n = 0) where RELION
    removed every particle.

    Raises StarError for a file that is no such STAR, or has two particles of one name.
    """
    blocks = read_star(path)
    if 'particles' not in blocks and 'optics' in blocks and is_complete(path):
        # RELION writes no block at all where it has removed every particle.
        blocks['particles'] = pd.DataFrame(columns=[NAME, 'rlnTomoName'])
    for block in ('optics', 'particles'):
        if block not in blocks:
            raise StarError(path, 'the block data_%s is missing; a particles STAR of RELION is needed' % block)
    rows = blocks['particles']
    require_columns(rows, [NAME, 'rlnTomoName'], path, 'particles')
    _check_unique(rows[NAME], path)
    set_info(particles, blocks, path)
    particles.setTomogramsStar(*filter(None, [tomograms_star]))
    particles.setTrajectoriesStar(*filter(None, [trajectories_star]))
    particles.setCoordinatesPixelSize(particles.getTiltSeriesPixelSize())
    if coordinates is not None:
        particles.setCoordinates3D(coordinates)
        coordinates = coordinates.get() if isinstance(coordinates, Pointer) else coordinates
        particles.setCoordinatesPixelSize(coordinates.getSamplingRate())
    if len(rows):
        write_items(particles, _template(), _item_columns(rows, path, particles, coordinates),
                    ids=None if ids is None else _object_ids(rows[NAME], ids))
    return len(rows)


def ids_by_name(particles: SetOfStaParticles) -> Dict[str, int]:
    """Particle name -> object id, of all particles of a set."""
    columns = read_columns(particles, ['_particleName'])
    return dict(zip(columns['_particleName'], columns['id'].tolist()))


def write_star_of_set(particles: SetOfStaParticles, path: str) -> int:
    """Write the particles STAR of a set, for RELION's next job; returns the number of rows.

    The rows of the file that the particles come from, those of enabled particles only, in the order of the set, with
    the set's poses, classes and half sets; a row whose pose is unchanged keeps its values. Other blocks stay as they
    are, except that pseudo-subtomograms always count as premultiplied with the CTF. Raises ConvertError where a
    particle is not in its file, where particles come from several files, and where only some have a half set.
    """
    columns = read_columns(particles, ['_particleName', '_particlesStar', '_randomSubset', '_transform._matrix',
                                       '_coordinate._tomoId'] + _COORDINATE, optional=['_classId'], enabled_only=True)
    source = _source_file(particles, columns)
    blocks = read_star(source)
    rows = _positions_in_file(columns['_particleName'], blocks['particles'], source)
    size = len(blocks['particles'])
    for name, block in blocks.items():
        # Multi-body refinement keeps a table per body, row by row beside the particles.
        if name == 'particles' or (name.startswith('images_body_') and len(block) == size):
            blocks[name] = block.iloc[rows].reset_index(drop=True)
    table = blocks['particles']
    set_poses(table, *_poses_of_set(particles, columns))
    _set_classes(table, columns.get('_classId'))
    _set_halves(table, columns['_randomSubset'], particles)
    # RELION sorts by this column in one place and not in another: poses would go to the wrong particles.
    blocks['particles'] = table.drop(columns='rlnMicrographName', errors='ignore')
    if particles.getKind() == PSEUDO_SUBTOMOS and 'optics' in blocks:
        # RELION 5.1 writes 0 when it extracts these, and then refuses to refine them.
        blocks['optics']['rlnCtfDataAreCtfPremultiplied'] = 1
    write_star(path, blocks)
    return len(table)


def _object_ids(names: pd.Series, known: Mapping[str, int]) -> List[int]:
    fresh = count(max(known.values(), default=0) + 1)
    return [known[name] if name in known else next(fresh) for name in names]


def _check_unique(names: pd.Series, path: str) -> None:
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
    positions, A = poses_of_rows(rows, path)
    matrices = geometry.scipion_from_pose(A)
    if len(rows) and np.abs(matrices - np.eye(4)).max() > 1e-6:
        particles.setAlignment3D()
    names = {name: scipion_ts_id(name) for name in rows['rlnTomoName'].unique()}
    ts_ids = rows['rlnTomoName'].map(names).to_numpy()
    columns: Dict[str, Any] = {
        '_particleName': rows[NAME].to_numpy(), '_particlesStar': [path] * len(rows), '_volName': ts_ids,
        '_coordinate._tomoId': ts_ids, '_transform._matrix': matrices, '_coordinate._eulerMatrix._matrix': matrices}
    pixel = particles.getCoordinatesPixelSize()
    if coordinates is None:
        xyz = positions / pixel
    else:
        volumes = tomogram_table(coordinates.getPrecedents())
        xyz = scipion_from_centered(positions, ts_ids, pixel, volumes)
        columns['_volId'] = columns['_coordinate._volId'] = volumes['vol_id'].reindex(ts_ids).to_numpy()
    columns.update({attribute: xyz[:, axis] for axis, attribute in enumerate(_COORDINATE)})
    for label, attribute in (('rlnImageName', '_filename'), (CLASS, '_classId'), (HALF, '_randomSubset'),
                             (SCORE, '_coordinate._score')):
        if label in rows:
            columns[attribute] = rows[label].to_numpy()
    return columns


def _source_file(particles: SetOfStaParticles, columns: Dict[str, np.ndarray]) -> str:
    if not len(columns['id']):
        raise ConvertError('%s has no enabled particles' % particles)
    files = pd.unique(columns['_particlesStar'])
    if len(files) > 1:
        raise ConvertError('%s: its particles come from %d STAR files (%s); join them with "Join star files" instead '
                           'of Scipion\'s join sets' % (particles, len(files), ', '.join(map(str, files[:4]))))
    if not files[0]:
        raise ConvertError('%s: its particles do not say which STAR file they come from' % particles)
    return str(files[0])


def _positions_in_file(names: np.ndarray, table: pd.DataFrame, source: str) -> np.ndarray:
    """Row numbers in the file of the set's particles, found by name."""
    require_columns(table, [NAME], source, 'particles')
    _check_unique(table[NAME], source)
    rows = pd.Index(table[NAME]).get_indexer(pd.Index(names))
    if (rows < 0).any():
        raise ConvertError('%d of %d particles are not in %s, the first of them %s; the file was changed after the set '
                           'was made' % (np.count_nonzero(rows < 0), len(names), source, names[rows < 0][0]))
    if len(np.unique(rows)) < len(rows):
        twice = pd.Series(names)[pd.Series(names).duplicated()].iloc[0]
        raise ConvertError('particle %s is in the set twice; join sets again with "Remove duplicates"' % twice)
    return rows


def _poses_of_set(particles: SetOfStaParticles, columns: Dict[str, np.ndarray]) -> Any:
    """Centred positions (n, 3) in Å and A (n, 3, 3), with a shift that another protocol left in the transform."""
    xyz = np.stack([columns[attribute] for attribute in _COORDINATE], axis=1)
    pixel = particles.getCoordinatesPixelSize()
    A, origins = geometry.pose_from_scipion(columns['_transform._matrix'])
    coordinates = particles.getCoordinates3D()
    if coordinates is None:
        positions = xyz * pixel
    else:
        positions = centered_from_scipion(xyz, columns['_coordinate._tomoId'], pixel,
                                          tomogram_table(coordinates.getPrecedents()))
    return positions - origins * particles.getSamplingRate(), A


def _set_classes(table: pd.DataFrame, classes: Optional[np.ndarray]) -> None:
    """Classes of the particles that have one; the others keep what their row says."""
    if classes is None:
        return
    known = np.isfinite(classes.astype(np.float64))
    if known.all() or CLASS in table:
        old = table[CLASS].to_numpy() if CLASS in table else 0
        table[CLASS] = np.where(known, np.nan_to_num(classes.astype(np.float64)), old).astype(np.int64)


def _set_halves(table: pd.DataFrame, halves: np.ndarray, particles: SetOfStaParticles) -> None:
    split = np.isin(halves, (1, 2))
    if split.all():
        table[HALF] = halves.astype(np.int64)
    elif split.any():
        raise ConvertError('%s: %d of %d particles have a half set and the others have none; give all a half set, or '
                           'take none from before they were split' % (particles, np.count_nonzero(split), len(split)))
    else:
        table.drop(columns=HALF, errors='ignore', inplace=True)
