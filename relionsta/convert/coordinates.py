"""Scipion's 3D coordinates -> the particles STAR that an extraction starts from."""
from typing import Optional, Union

import numpy as np
import pandas as pd
from tomo.objects import SetOfCoordinates3D, SetOfSubTomograms, SetOfTomograms

from relionsta import geometry
from relionsta.star import StarError, read_star, require_columns, write_star
from relionsta.star.schemas import MICROSCOPE_COLUMNS

from .bulk import read_columns
from .errors import ConvertError
from .poses import ANGLES, COORDINATES
from .positions import centered_from_scipion, tomogram_table

SCORE = 'rlnAutopickFigureOfMerit'


def coordinates_table(items: Union[SetOfCoordinates3D, SetOfSubTomograms],
                      tomograms: Optional[SetOfTomograms] = None) -> pd.DataFrame:
    """Positions and orientations of the enabled items of any plugin's coordinates or subtomograms, in RELION's terms.

    tomograms: those that the coordinates lie in (default: the set's own). Returns one row per item, index = object id:
    rlnTomoName (tsId), rlnTomoParticleName (`<tsId>/<object id>`: the same for every subset of the set),
    rlnCenteredCoordinate*Angst (Å, with the item's shift), rlnAngleRot/Tilt/Psi (degrees), and
    rlnAutopickFigureOfMerit where there are scores. Raises ConvertError where pixel size, tomograms or names lack.
    """
    of_subtomograms = isinstance(items, SetOfSubTomograms)
    coordinates = items.getCoordinates3D() if of_subtomograms else items
    if coordinates is None and tomograms is None:
        raise ConvertError('%s: its items have no coordinates in tomograms' % items)
    volumes = tomogram_table(coordinates.getPrecedents() if tomograms is None else tomograms)
    pixel = coordinates.getSamplingRate() if coordinates is not None else float(volumes['voxel'].iloc[0])
    if not pixel:
        raise ConvertError('%s has no sampling rate; pick or import the coordinates again' % coordinates)
    prefix = '_coordinate.' if of_subtomograms else ''
    matrix = '_transform._matrix' if of_subtomograms else '_eulerMatrix._matrix'
    axes = [prefix + axis for axis in ('_x', '_y', '_z')]
    columns = read_columns(items, axes + [prefix + '_tomoId', prefix + '_volId'],
                           optional=[matrix, prefix + '_score'], enabled_only=True)
    ids = columns['id']
    ts_ids = _tomogram_names(columns[prefix + '_tomoId'], columns[prefix + '_volId'], volumes)
    matrices = columns.get(matrix, np.tile(np.eye(4), (len(ids), 1, 1)))
    A, origins = geometry.pose_from_scipion(matrices if len(ids) else np.empty((0, 4, 4)))
    xyz = np.stack([columns[axis].astype(np.float64) for axis in axes], axis=1)
    if not np.isfinite(xyz).all():
        raise ConvertError('%s: item %d has no position' % (items, ids[~np.isfinite(xyz).all(axis=1)][0]))
    # The shift is in pixels of what was aligned: the subtomogram, or the tomogram of the coordinates.
    positions = (centered_from_scipion(xyz, ts_ids, pixel, volumes)
                 - origins * (items.getSamplingRate() if of_subtomograms else pixel))
    table = pd.DataFrame({'rlnTomoName': ts_ids,
                          'rlnTomoParticleName': ['%s/%d' % name for name in zip(ts_ids, ids.tolist())]},
                         index=pd.Index(ids, name='id'), dtype=object)
    table[COORDINATES] = positions
    table[ANGLES] = geometry.matrix_to_euler(A)
    score = columns.get(prefix + '_score')
    if score is not None and np.nan_to_num(score.astype(np.float64)).any():
        table[SCORE] = np.nan_to_num(score.astype(np.float64))
    return table


def write_particles_star(path: str, table: pd.DataFrame, tomograms_star: str) -> None:
    """Write a particles STAR without images, for extraction or reconstruction, from a coordinates_table.

    The optics table and the optics group of each row come from tomograms_star. Further columns of the table, such as
    rlnRandomSubset, go out as they are. Raises ConvertError for an empty table and for tomograms that tomograms_star
    lacks.
    """
    if not len(table):
        raise ConvertError('there are no particles to write to %s; enable some coordinates' % path)
    overview = read_star(tomograms_star, ['global'])['global']
    require_columns(overview, ('rlnTomoName', *MICROSCOPE_COLUMNS), tomograms_star, 'global')
    unknown = sorted(set(table['rlnTomoName']) - set(overview['rlnTomoName']))
    if unknown:
        raise StarError(tomograms_star, 'there are particles in %s, which it lacks; leave them out, or give these tilt '
                                        'series too' % ', '.join(unknown[:8]), 'global')
    # As RELION does: a group for each name, or for each tomogram where groups have no name.
    label = 'rlnOpticsGroupName' if 'rlnOpticsGroupName' in overview else 'rlnTomoName'
    groups = overview.drop_duplicates(label)
    optics = groups[list(MICROSCOPE_COLUMNS)].reset_index(drop=True)
    optics.insert(0, 'rlnOpticsGroupName', groups[label].to_numpy())
    optics.insert(0, 'rlnOpticsGroup', np.arange(1, len(groups) + 1))
    number = dict(zip(optics['rlnOpticsGroupName'], optics['rlnOpticsGroup']))
    group_of = {name: number[group] for name, group in zip(overview['rlnTomoName'], overview[label])}
    particles = table.reset_index(drop=True)
    particles['rlnOpticsGroup'] = particles['rlnTomoName'].map(group_of).astype(np.int64)
    write_star(path, {'general': {'rlnTomoSubTomosAre2DStacks': 0}, 'optics': optics, 'particles': particles})


def _tomogram_names(names: np.ndarray, vol_ids: np.ndarray, volumes: pd.DataFrame) -> np.ndarray:
    """The tsId of each item; items of old plugins only know the object id of their tomogram."""
    unnamed = pd.isna(names)
    if not unnamed.any():
        return names
    by_id = dict(zip(volumes['vol_id'].tolist(), volumes.index))
    filled = [by_id.get(number) if lacks else name for name, number, lacks in zip(names, vol_ids.tolist(), unnamed)]
    if None in filled:
        raise ConvertError('a coordinate names no tomogram (tomogram id %s is not in the set); pick it again'
                           % vol_ids[filled.index(None)])
    return np.array(filled, dtype=object)
