"""Where things are: Scipion's tomograms and coordinates <-> centred coordinates in Å, RELION's frame.

RELION counts from the centre of the specimen, the point that the tilt axis passes through. Scipion's Coordinate3D
counts, in pixels of its set, from the point that the tomogram's origin marks, and this is that same point: the origin
holds the place of voxel (0, 0, 0) in Å, -size/2 for a plain tomogram, something else if it was made with a shift.
"""
from typing import Any

import numpy as np
import pandas as pd
from tomo.objects import SetOfTomograms

from relionsta import geometry

from .bulk import read_columns
from .errors import ConvertError

XYZ = ['x', 'y', 'z']
_OFFSETS = ['offset_x', 'offset_y', 'offset_z']


def tomogram_table(tomograms: SetOfTomograms) -> pd.DataFrame:
    """One row per tomogram, index = its tsId.

    Columns: vol_id (object id), file, half1, half2 (None where there are no half maps), x, y, z (size in voxels; NaN
    where the file is gone), voxel (Å), shift_x, shift_y, shift_z (Å: centre of the volume seen from the centre of the
    specimen), offset_x, offset_y, offset_z (Å to add to Scipion's coordinates, 0 where the origin is set). Raises
    ConvertError for a tomogram without name or pixel size, or without both origin and file, and for two of the same
    name.
    """
    rows = []
    for tomogram in tomograms.iterItems():
        ts_id, voxel, size = tomogram.getTsId(), tomogram.getSamplingRate(), tomogram.getDim() or (np.nan,) * 3
        if not ts_id:
            raise ConvertError('%s: tomogram %s has no tilt-series id (tsId); import it again with a name'
                               % (tomograms, tomogram.getFileName()))
        if not voxel:
            raise ConvertError('tomogram %s has no pixel size; set its sampling rate' % ts_id)
        half = np.array(size, dtype=np.float64) / 2 * voxel
        origin = np.array(tomogram.getOrigin().getShifts(), dtype=np.float64) if tomogram.hasOrigin() else -half
        maps = list(tomogram.getHalfMaps(asList=True)) if tomogram.hasHalfMaps() else []
        half1, half2 = maps if len(maps) == 2 else (None, None)
        offset = geometry.scipion_zero(size, voxel, origin)
        if np.isnan(origin + offset).any():
            raise ConvertError('tomogram %s: its file %s cannot be found; its size is needed'
                               % (ts_id, tomogram.getFileName()))
        shift = np.zeros(3) if offset.any() else origin + half
        rows.append((ts_id, tomogram.getObjId(), tomogram.getFileName(), half1, half2, *size, voxel, *shift, *offset))
    table = pd.DataFrame(rows, columns=['ts_id', 'vol_id', 'file', 'half1', 'half2', *XYZ, 'voxel',
                                        *('shift_' + axis for axis in XYZ), *('offset_' + axis for axis in XYZ)])
    twice = table['ts_id'][table['ts_id'].duplicated()]
    if len(twice):
        raise ConvertError('two tomograms of %s have the tsId %s; keep one of them' % (tomograms, twice.iloc[0]))
    return table.set_index('ts_id')


def tomogram_offsets(tomograms: SetOfTomograms) -> pd.DataFrame:
    """Columns vol_id and offset_x, offset_y, offset_z of tomogram_table, without a look at the files where origins say
    all."""
    columns = read_columns(tomograms, [], optional=['_tsId', '_samplingRate', '_origin._matrix'])
    if len(columns) == 5 and None not in columns['_tsId'] and '' not in columns['_tsId']:
        shifts, voxel = columns['_origin._matrix'][:, :3, 3], columns['_samplingRate']
        if (voxel > 0).all() and len(set(columns['_tsId'])) == len(voxel) and (
                np.abs(shifts) >= voxel[:, None]).any(axis=1).all():
            return pd.DataFrame({'vol_id': columns['id'], **dict.fromkeys(_OFFSETS, 0.0)},
                                index=pd.Index(columns['_tsId'], name='ts_id'))
    return tomogram_table(tomograms)[['vol_id', *_OFFSETS]]


def centered_from_scipion(xyz: Any, ts_ids: Any, pixel: float, tomograms: pd.DataFrame) -> np.ndarray:
    """Centred coordinates (n, 3) in Å of Scipion's _x, _y, _z (n, 3).

    ts_ids (n,): the tomogram of each. pixel: Å per pixel of the set of coordinates, which may differ from the
    tomograms'. tomograms: tomogram_table. Raises ConvertError for coordinates in tomograms that the table lacks.
    """
    return geometry.centered_from_scipion(xyz, pixel, _offsets(ts_ids, tomograms))


def scipion_from_centered(coords: Any, ts_ids: Any, pixel: float, tomograms: pd.DataFrame) -> np.ndarray:
    """Scipion's _x, _y, _z (n, 3) of centred coordinates (n, 3) in Å; inverse of centered_from_scipion."""
    return geometry.scipion_from_centered(coords, pixel, _offsets(ts_ids, tomograms))


def outside_of_tomograms(coords: Any, ts_ids: Any, tomograms: pd.DataFrame) -> np.ndarray:
    """True (n,) for centred coordinates (n, 3) in Å that lie outside of their tomogram's volume."""
    rows = tomograms.loc[list(ts_ids)]
    half = rows[XYZ].to_numpy(dtype=np.float64) / 2 * rows[['voxel']].to_numpy(dtype=np.float64)
    shift = rows[['shift_' + axis for axis in XYZ]].to_numpy(dtype=np.float64)
    return np.asarray((np.abs(np.asarray(coords, dtype=np.float64) - shift) > half).any(axis=1))


def _offsets(ts_ids: Any, tomograms: pd.DataFrame) -> np.ndarray:
    rows = tomograms.index.get_indexer(pd.Index(ts_ids))
    if (rows < 0).any():
        unknown = sorted({str(name) for name, row in zip(ts_ids, rows) if row < 0})
        raise ConvertError('coordinates lie in tomograms that are not in the set: %s; there are: %s'
                           % (', '.join(unknown[:8]), ', '.join(map(str, tomograms.index[:8]))))
    return tomograms[_OFFSETS].to_numpy(dtype=np.float64)[rows]
