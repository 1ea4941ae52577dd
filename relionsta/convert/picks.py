"""Picks of another program -> SetOfCoordinates3D."""
from typing import Any, Dict, NamedTuple, Optional, Tuple

import numpy as np
import pandas as pd
from pyworkflow.object import Pointer
from tomo.objects import Coordinate3D, SetOfCoordinates3D, SetOfTomograms

from relionsta import geometry
from relionsta.sources.picks import CENTERED, UNBINNED, Picks, match_tomogram

from .bulk import write_items
from .errors import ConvertError
from .poses import ORIGINS
from .positions import XYZ, outside_of_tomograms, scipion_from_centered, tomogram_table


class PicksReport(NamedTuple):
    """What became of picks: tsId -> number written; name in the file -> number without a tomogram; tsId -> number that
    lie outside of their tomogram (written too)."""
    written: Dict[str, int]
    unmatched: Dict[str, int]
    outside: Dict[str, int]


def append_picks(picks: Picks, tomograms: Any, coordinates: SetOfCoordinates3D,
                 tilt_pixel: Optional[float] = None) -> PicksReport:
    """Append picks to a set of coordinates, tied to its tomograms by name, with orientation and score.

    tomograms: SetOfTomograms or a pointer to it; the set's pixel size becomes theirs. tilt_pixel: Å per pixel of the
    tilt series, for picks in unbinned pixels whose file does not say it. The caller sets the box size and writes the
    set. Raises ConvertError where no pick has a tomogram, or the pixel size of unbinned picks is not known.
    """
    volumes_set = tomograms.get() if isinstance(tomograms, Pointer) else tomograms
    coordinates.setPrecedents(tomograms)
    coordinates.setSamplingRate(volumes_set.getSamplingRate())
    placed = _place(picks, volumes_set, tilt_pixel)
    volumes, ts_ids, positions, matched = placed.volumes, placed.ts_ids, placed.positions, placed.rows
    xyz = scipion_from_centered(positions, ts_ids, volumes_set.getSamplingRate(), volumes)
    write_items(coordinates, Coordinate3D(), {
        '_x': xyz[:, 0], '_y': xyz[:, 1], '_z': xyz[:, 2], '_volId': volumes['vol_id'].reindex(ts_ids).to_numpy(),
        '_tomoId': ts_ids.to_numpy(), '_score': np.nan_to_num(matched['score'].to_numpy(dtype=np.float64)),
        '_eulerMatrix._matrix': geometry.scipion_from_pose(placed.A)})
    outside = outside_of_tomograms(positions, ts_ids, volumes)
    return PicksReport(_counts(ts_ids), placed.unmatched, _counts(ts_ids[outside]))


def count_outside(picks: Picks, tomograms: SetOfTomograms, tilt_pixel: Optional[float] = None) -> Tuple[int, int]:
    """How many picks lie outside of their tomogram, and of how many; arguments and errors as append_picks."""
    placed = _place(picks, tomograms, tilt_pixel)
    return int(outside_of_tomograms(placed.positions, placed.ts_ids, placed.volumes).sum()), len(placed.ts_ids)


class _Placed(NamedTuple):
    """Picks in their tomograms: tomogram_table; per matched pick tsId, centred position (Å), A and row; and
    the number of picks of each name without a tomogram."""
    volumes: pd.DataFrame
    ts_ids: 'pd.Series[str]'
    positions: np.ndarray
    A: np.ndarray
    rows: pd.DataFrame
    unmatched: Dict[str, int]


def _place(picks: Picks, tomograms: SetOfTomograms, tilt_pixel: Optional[float]) -> _Placed:
    volumes = tomogram_table(tomograms)
    table = picks.table
    names = {name: match_tomogram(name, list(volumes.index)) for name in picks.tomo_names}
    ts_ids = table['tomo_name'].map(names)
    unmatched = _counts(table['tomo_name'][ts_ids.isna()])
    matched = table[ts_ids.notna()].reset_index(drop=True)
    ts_ids = ts_ids.dropna().reset_index(drop=True)
    if not len(matched):
        raise ConvertError('%s: none of its tomograms (%s) is in the set, which has %s; import the tomograms of these '
                           'picks, or rename them in the file' % (picks.path, ', '.join(picks.tomo_names[:8]),
                                                                  ', '.join(map(str, volumes.index[:8]))))
    own = volumes.loc[ts_ids].reset_index(drop=True)
    centred = _centred(picks, matched, own, tilt_pixel)
    origins = matched.reindex(columns=ORIGINS, fill_value=0.0).to_numpy(dtype=np.float64)
    positions, A = geometry.compose_pose(centred, origins, matched[['sub_rot', 'sub_tilt', 'sub_psi']].to_numpy(),
                                         matched[['rot', 'tilt', 'psi']].to_numpy())
    return _Placed(volumes, ts_ids, positions, A, matched, unmatched)


def _counts(names: 'pd.Series[str]') -> Dict[str, int]:
    return {str(name): int(number) for name, number in names.value_counts(sort=False).items()}


def _centred(picks: Picks, table: pd.DataFrame, own: pd.DataFrame, tilt_pixel: Optional[float]) -> np.ndarray:
    """Centred coordinates (n, 3) in Å; own: the row of tomogram_table of each pick."""
    values = table[XYZ].to_numpy(dtype=np.float64)
    if picks.coordinates == CENTERED:
        return values
    if own[XYZ].isna().any(axis=None):
        raise ConvertError('%s: the size of tomogram %s is needed, but its file is not there'
                           % (picks.path, own['file'][own[XYZ].isna().any(axis=1)].iloc[0]))
    pixel = table['voxel_size'].to_numpy(dtype=np.float64)
    unknown = np.isnan(pixel)
    if picks.coordinates == UNBINNED and unknown.any() and not tilt_pixel:
        raise ConvertError('%s: its coordinates are in pixels of the unbinned tomogram and it does not say their size; '
                           'give the pixel size of the tilt series' % picks.path)
    default = np.full(len(table), tilt_pixel) if picks.coordinates == UNBINNED else own['voxel'].to_numpy()
    pixel = np.where(unknown, default, pixel).astype(np.float64)
    # The tomogram that was searched covers the same volume as ours, perhaps with other voxels.
    half_size = own[XYZ].to_numpy(dtype=np.float64) * own[['voxel']].to_numpy() / 2
    centre = own[['shift_x', 'shift_y', 'shift_z']].to_numpy(dtype=np.float64)
    return values * pixel[:, None] - half_size + centre
