"""The tomograms and coordinates that go with joined particles."""
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

import numpy as np
import pandas as pd
from pyworkflow.object import Pointer
from tomo.objects import Coordinate3D, SetOfCoordinates3D, SetOfTomograms

from relionsta import geometry
from relionsta.objects import SetOfStaParticles

from .bulk import write_items
from .coordinates import SCORE
from .parts import TOMOGRAM
from .poses import poses_of_rows
from .positions import scipion_from_centered, tomogram_table
from .series import scipion_ts_id


def common_coordinates(sets: Sequence[SetOfStaParticles]) -> Optional[Pointer]:
    """A pointer to coordinates whose tomograms are those of all sets; None where there are no such."""
    coordinates = [one.getCoordinates3D() for one in sets]
    if any(one is None for one in coordinates):
        return None
    files = {one.getPrecedents().getFileName() for one in coordinates}
    return sets[0].getCoordinates3D(asPointer=True) if len(files) == 1 else None


def fill_tomograms(target: SetOfTomograms, sets: Sequence[SetOfStaParticles],
                   renamed: Sequence[Mapping[str, str]]) -> None:
    """Fill an empty set with the tomograms of several sets of particles, each of a name once.

    renamed: of each set, new name -> old. The caller writes the set. A tomogram keeps its own pixel size; the set shows
    that of the first.
    """
    known: set = set()
    for one, new_names in zip(sets, renamed):
        new: Dict[str, str] = {scipion_ts_id(old): scipion_ts_id(name) for name, old in new_names.items()}
        precedents = one.getCoordinates3D().getPrecedents()
        if not known:
            target.copyInfo(precedents)
        for tomogram in _of(precedents, one.getTSIds()):
            copy = tomogram.clone()
            copy.setTsId(new.get(tomogram.getTsId(), tomogram.getTsId()))
            if copy.getTsId() not in known:
                known.add(copy.getTsId())
                copy.setObjId(None)
                target.append(copy)


def fill_coordinates(target: SetOfCoordinates3D, tomograms: SetOfTomograms, table: pd.DataFrame, box: int) -> None:
    """Fill an empty set with the poses in rows of a particles STAR. box: pixels of the tomograms. The caller writes
    it."""
    positions, A = poses_of_rows(table)
    names = {name: scipion_ts_id(name) for name in table[TOMOGRAM].unique()}
    ts_ids = table[TOMOGRAM].map(names).to_numpy()
    volumes, pixel = tomogram_table(tomograms), tomograms.getSamplingRate()
    target.setPrecedents(tomograms)
    target.setSamplingRate(pixel)
    target.setBoxSize(box)
    xyz = scipion_from_centered(positions, ts_ids, pixel, volumes)
    columns: Dict[str, Any] = {
        '_x': xyz[:, 0], '_y': xyz[:, 1], '_z': xyz[:, 2], '_tomoId': ts_ids,
        '_volId': volumes['vol_id'].reindex(ts_ids).to_numpy(),
        '_eulerMatrix._matrix': geometry.scipion_from_pose(A),
        '_score': np.nan_to_num(table[SCORE].to_numpy(dtype=np.float64)) if SCORE in table else np.zeros(len(table))}
    write_items(target, Coordinate3D(), columns)


def _of(tomograms: SetOfTomograms, ts_ids: Iterable[str]) -> List[Any]:
    wanted = set(ts_ids)
    return [tomogram.clone() for tomogram in tomograms.iterItems() if tomogram.getTsId() in wanted]
