"""What a set of particles has in RELION's files: one part for each file that its particles come from.

The set is the truth for membership, order, pose, class and half set; the STAR file that each particle names is the
truth for every other column. Rows and particles are joined by rlnTomoParticleName, never by position.
"""
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import pandas as pd

from relionsta import geometry
from relionsta.objects import PSEUDO_SUBTOMOS, SetOfStaParticles
from relionsta.star import StarError, read_star, require_columns

from .bulk import first_values, read_columns
from .errors import ConvertError
from .poses import poses_of_rows, set_poses
from .positions import centered_from_scipion, tomogram_offsets

NAME = 'rlnTomoParticleName'
TOMOGRAM = 'rlnTomoName'
CLASS = 'rlnClassNumber'
HALF = 'rlnRandomSubset'
UNWANTED = 'rlnMicrographName'
#: Multi-body refinement keeps a table per body, with a row for each particle.
BODY = 'images_body_'
COORDINATE_PATHS = ['_coordinate.%s' % axis for axis in ('_x', '_y', '_z')]
#: The files that a particle names.
PARTICLE_FILES = ['_particlesStar', '_tomogramsStar', '_trajectoriesStar']


@dataclass
class Part:
    """Particles that come from one STAR file and belong to the same tomograms.star and motion.star.

    path: the particles STAR. blocks: what it holds, with the rows of these particles alone, as the set has them now.
    places: (n,) where the rows come in the order of the whole. ids: (n,) Scipion's. tomograms: '' where unknown;
    trajectories: '' for none. old_tomograms, old_names: what tomograms and particles that were renamed are called in
    those files.
    """

    path: str
    blocks: Dict[str, pd.DataFrame]
    places: np.ndarray
    ids: np.ndarray
    tomograms: str
    trajectories: str
    old_tomograms: Dict[str, str] = field(default_factory=dict)
    old_names: Dict[str, str] = field(default_factory=dict)

    @property
    def table(self) -> pd.DataFrame:
        """The rows of the particles."""
        return self.blocks['particles']


class SetState(NamedTuple):
    """What a set of particles says itself of those that are enabled, in its order.

    columns: as read_columns gives them, without the poses. files: (particles STAR, tomograms.star, motion.star) ->
    (n,) which particles name these. positions (n, 3; Å, centred), A (n, 3, 3): their poses. lost (n,): True in
    tomograms that the set's coordinates do not know.
    """

    columns: Dict[str, np.ndarray]
    files: Dict[Tuple[str, str, str], np.ndarray]
    positions: np.ndarray
    A: np.ndarray
    lost: np.ndarray


def parts_of_set(particles: SetOfStaParticles) -> List[Part]:
    """The enabled particles of a set, with their rows, poses, classes and half sets.

    Raises ConvertError where there are none, where one is not in its file, where a name is there twice, where only
    some have a half set, and where the position of one cannot be told.
    """
    return parts_of_state(particles, state_of_set(particles))


def state_of_set(particles: SetOfStaParticles) -> SetState:
    """The enabled particles of a set without their rows. Raises ConvertError as parts_of_set."""
    first = first_values(particles, PARTICLE_FILES, enabled_only=True)
    columns = read_columns(particles, ['_particleName', '_randomSubset', '_transform._matrix', '_coordinate._tomoId']
                           + COORDINATE_PATHS, optional=['_classId'], enabled_only=True,
                           expected=dict(zip(PARTICLE_FILES, first)))
    if not len(columns['id']):
        raise ConvertError('%s has no enabled particles' % particles)
    if columns['differs'].any():
        columns.update(read_columns(particles, [], optional=PARTICLE_FILES, enabled_only=True))
    files = _files_of(particles, first, columns)
    paths = np.empty(len(columns['id']), dtype=object)
    for (path, _, _), places in files.items():
        paths[places] = path
    check_unique(pd.Series(columns['_particleName'], dtype=object), paths, particles)
    _check_halves(columns['_randomSubset'], particles)
    positions, A, lost = _poses_of_set(particles, columns)
    return SetState(columns, files, positions, A, lost)


def parts_of_state(particles: SetOfStaParticles, state: SetState) -> List[Part]:
    """As parts_of_set, of what state_of_set has found."""
    read: Dict[str, Dict[str, pd.DataFrame]] = {}
    parts = []
    for (path, tomograms, trajectories), places in state.files.items():
        if path not in read:
            read[path] = read_star(path)
            require_columns(read[path].get('particles', pd.DataFrame()), [NAME], path, 'particles')
        names = state.columns['_particleName'][places]
        blocks = _chosen(read[path], rows_of_names(read[path]['particles'][NAME], names, path))
        bring_up_to_date(particles, state, places, blocks)
        # RELION sorts by this column in one place and not in another: poses would go to the wrong particles.
        blocks['particles'] = blocks['particles'].drop(columns=UNWANTED, errors='ignore')
        parts.append(Part(path, blocks, places, state.columns['id'][places], tomograms, trajectories))
    return parts


def bring_up_to_date(particles: SetOfStaParticles, state: SetState, places: np.ndarray,
                     blocks: Dict[str, pd.DataFrame], has_images: Optional[bool] = None) -> None:
    """Give the rows of block particles, in place, the poses, classes and half sets of the set; mend block optics.

    places: of the rows in the set. has_images: where the table lacks the column of their names.
    """
    table, columns = blocks['particles'], state.columns
    _check_reach(table, state.positions[places], state.lost[places], particles)
    set_poses(table, state.positions[places], state.A[places], has_images)
    _set_classes(table, columns['_classId'][places] if '_classId' in columns else None)
    _set_halves(table, columns['_randomSubset'][places])
    mend_optics(particles, blocks)


def mend_optics(particles: SetOfStaParticles, blocks: Dict[str, pd.DataFrame]) -> None:
    """Pseudo-subtomograms always count as premultiplied with the CTF."""
    if particles.getKind() == PSEUDO_SUBTOMOS and 'optics' in blocks:
        # RELION 5.1 writes 0 when it extracts these, and then refuses to refine them.
        blocks['optics']['rlnCtfDataAreCtfPremultiplied'] = 1


def check_unique(names: 'pd.Series[str]', files: Any, items: Any) -> None:
    """Raise ConvertError where a particle is there twice. files (n,): the STAR file of each."""
    if len(set(names)) == len(names):
        return
    names = names.reset_index(drop=True)
    twice = names[names.duplicated(keep=False)]
    name = twice.iloc[0]
    others = int(names.duplicated().sum()) - 1
    paths = pd.unique(pd.Series(files).reset_index(drop=True)[twice.index[twice == name]])
    where = ' (from %s)' % ' and '.join(map(str, paths)) if len(paths) > 1 else ''
    raise ConvertError('%s: particle %s is in the set twice%s%s; join the sets again with "Join particles", which can '
                       'keep one of each or give them other names'
                       % (items, name, where, ', as are %d others' % others if others else ''))


def block_rows(blocks: Dict[str, pd.DataFrame]) -> List[str]:
    """Names of the blocks that hold a row for each particle."""
    size = len(blocks['particles'])
    return ['particles'] + [name for name, block in blocks.items()
                            if name.startswith(BODY) and len(block) == size]


def _files_of(particles: SetOfStaParticles, first: Tuple[Optional[str], ...], columns: Dict[str, np.ndarray]
              ) -> Dict[Tuple[str, str, str], np.ndarray]:
    """Places of the particles by their three files ('' for none). first: what the first of them names; the columns have
    those of the others where they differ."""
    n = len(columns['id'])
    own = dict(zip(PARTICLE_FILES[1:], particles.getDefaultFiles()))
    # What no particle names, the set may.
    if not columns['differs'].any():
        path, tomograms, trajectories = (name or own.get(column) or '' for column, name in zip(PARTICLE_FILES, first))
        files = {(path, tomograms, trajectories): np.arange(n)}
    else:
        named = {path: pd.Series(columns.get(path, [None] * n), dtype=object) for path in PARTICLE_FILES}
        table = pd.DataFrame({path: names.fillna('' if names.notna().any() else own.get(path) or '')
                              for path, names in named.items()})
        files = {(path, tomograms, trajectories): places for (path, tomograms, trajectories), places
                 in table.groupby(PARTICLE_FILES, sort=False).indices.items()}
    unknown = sum(len(places) for (path, _, _), places in files.items() if not path)
    if unknown:
        raise ConvertError('%s: %d of its particles do not say which STAR file they come from' % (particles, unknown))
    return files


def rows_of_names(table: 'pd.Series[str]', names: np.ndarray, path: str) -> np.ndarray:
    """Where these particles are in the column with the names of a file's particles, (n,).

    Raises StarError where the file has a name twice, and ConvertError where it lacks one. names differ.
    """
    known = table.to_numpy()
    if len(known) == len(names) and (known == names).all():
        return np.arange(len(names))
    twice = table[table.duplicated()]
    if len(twice):
        raise StarError(path, '%s %s is there twice (%d such); each particle needs a name of its own'
                        % (NAME, twice.iloc[0], len(twice)), 'particles')
    rows = pd.Index(table).get_indexer(pd.Index(names))
    if (rows < 0).any():
        raise ConvertError('%d of %d particles are not in %s, the first of them %s; the file was changed after the set '
                           'was made' % (np.count_nonzero(rows < 0), len(names), path, names[rows < 0][0]))
    return rows


def _chosen(blocks: Dict[str, pd.DataFrame], rows: np.ndarray) -> Dict[str, pd.DataFrame]:
    """The blocks of a file with these rows of the particles."""
    by_row = block_rows(blocks)
    chosen = {}
    for name, block in blocks.items():
        chosen[name] = block.iloc[rows].reset_index(drop=True) if name in by_row else block.copy()
        chosen[name].attrs.update(block.attrs)
    return chosen


def _poses_of_set(particles: SetOfStaParticles, columns: Dict[str, np.ndarray]) -> Tuple[np.ndarray, ...]:
    """Centred positions (n, 3) in Å and A (n, 3, 3), with a shift that another protocol left in the transform; and
    True (n,) for particles in tomograms that the set's coordinates do not know."""
    # Taken out, since a million of them fill the memory.
    xyz = np.stack([columns.pop(attribute) for attribute in COORDINATE_PATHS], axis=1)
    pixel = particles.getCoordinatesPixelSize()
    A, origins = geometry.pose_from_scipion(columns.pop('_transform._matrix'))
    coordinates = particles.getCoordinates3D()
    positions, lost = xyz * pixel, np.zeros(len(xyz), dtype=bool)
    if coordinates is not None:
        numbers, ts_ids = pd.factorize(columns['_coordinate._tomoId'], use_na_sentinel=False)
        volumes = volumes_of(coordinates, ts_ids)
        zeros = centered_from_scipion(np.zeros((len(ts_ids), 3)), ts_ids, pixel, volumes)
        if zeros.any():
            positions += zeros[numbers]
        lost = pd.isna(volumes['vol_id'].reindex(ts_ids)).to_numpy()[numbers]
    if not origins.any():
        return positions, A, lost
    return positions - origins * particles.getSamplingRate(), A, lost


def volumes_of(coordinates: Any, ts_ids: np.ndarray) -> pd.DataFrame:
    """tomogram_offsets of the coordinates' tomograms, with rows for those of `ts_ids` that they lack.

    Scipion's own join of two sets keeps the coordinates of the first alone. The particles of the others then count
    from the centre of the specimen, as they do in every tomogram that has an origin.
    """
    volumes = tomogram_offsets(coordinates.getPrecedents())
    unknown = [name for name in pd.unique(pd.Series(ts_ids)) if name not in volumes.index]
    if not unknown:
        return volumes
    volumes = volumes.reindex([*volumes.index, *unknown])
    volumes.loc[unknown, [column for column in volumes.columns if column.startswith('offset_')]] = 0.0
    return volumes


def _check_reach(table: pd.DataFrame, positions: np.ndarray, lost: np.ndarray, particles: SetOfStaParticles) -> None:
    """Particles in tomograms that the set lacks must be where their file says, within a box."""
    if not lost.any():
        return
    before, _ = poses_of_rows(table)
    reach = (particles.getBoxSize() or 0) * particles.getSamplingRate() or particles.getCoordinatesPixelSize()
    far = lost & (np.abs(positions - before).max(axis=1) > reach)
    if far.any():
        row = int(np.flatnonzero(far)[0])
        raise ConvertError('%s: it does not know the tomogram of particle %s (%s), as in a set that was joined with '
                           'Scipion\'s own "join sets"; join the sets with "Join particles" instead'
                           % (particles, table[NAME].iloc[row], table[TOMOGRAM].iloc[row]))


def _set_classes(table: pd.DataFrame, classes: Optional[np.ndarray]) -> None:
    """Classes of the particles that have one; the others keep what their row says."""
    if classes is None:
        return
    known = np.isfinite(classes.astype(np.float64))
    if known.all() or CLASS in table:
        old = table[CLASS].to_numpy() if CLASS in table else 0
        table[CLASS] = np.where(known, np.nan_to_num(classes.astype(np.float64)), old).astype(np.int64)


def _check_halves(halves: np.ndarray, particles: SetOfStaParticles) -> None:
    split = np.isin(halves, (1, 2))
    if split.any() and not split.all():
        raise ConvertError('%s: %d of %d particles have a half set and the others have none; give all a half set, or '
                           'take none from before they were split' % (particles, np.count_nonzero(split), len(split)))


def _set_halves(table: pd.DataFrame, halves: np.ndarray) -> None:
    if np.isin(halves, (1, 2)).all():
        table[HALF] = halves.astype(np.int64)
    else:
        table.drop(columns=HALF, errors='ignore', inplace=True)
