"""Tilt series that RELION has refined -> Scipion's sets, as copies of those that it started from.

The copies keep all that RELION does not know: images that were left out stay there, disabled, and the order of
acquisition, doses and names are those of the sets that were chosen first.
"""
from typing import Any, Dict, Hashable, List, NamedTuple, Optional

import numpy as np
import pandas as pd
from pwem.objects import Transform
from tomo.objects import CTFTomoSeries, SetOfCTFTomoSeries, SetOfTiltSeries, TiltSeries

from relionsta import geometry
from relionsta.star import read_star, require_columns

from .bulk import read_columns
from .errors import ConvertError
from .image_names import image_names
from .marks import mark_transform, set_columns, set_hand
from .relion_series import further_columns, image_table
from .series import Further, scipion_ts_id

_OWN_SIZE = ['_mapperPath', '_size']


class RefinedSeries(NamedTuple):
    """One tilt series of a tomograms.star. images: by image name, with the columns of append_series."""
    hand: float
    images: pd.DataFrame
    further: Further


def read_refined(path: str) -> Dict[str, RefinedSeries]:
    """tsId -> what RELION wrote, of each tilt series of a tomograms.star. Raises StarError for columns that lack."""
    overview = read_star(path, ['global'])['global']
    require_columns(overview, ('rlnTomoName', 'rlnTomoTiltSeriesStarFile', 'rlnTomoHand'), path, 'global')
    found = {}
    for row in overview.to_dict('records'):
        name, file = row['rlnTomoName'], row['rlnTomoTiltSeriesStarFile']
        table = read_star(file, [name])[name]
        require_columns(table, ('rlnMicrographName', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst',
                                'rlnTomoYShiftAngst'), file, name)
        images = image_table(table, row).set_index(table['rlnMicrographName'])
        found[scipion_ts_id(name)] = RefinedSeries(row['rlnTomoHand'], images, further_columns(table, row))
    return found


def comes_from(refined: Dict[str, RefinedSeries], tilt_series: Optional[SetOfTiltSeries]) -> bool:
    """True where every image that RELION refined is one of this set of tilt series."""
    if tilt_series is None or not set(refined) <= set(tilt_series.getTSIds()):
        return False
    return all(set(refined[series.getTsId()].images.index) <= set(_names(series))
               for series in tilt_series.iterItems() if series.getTsId() in refined)


def copy_tilt_series(refined: Dict[str, RefinedSeries], source: SetOfTiltSeries, target: SetOfTiltSeries) -> None:
    """Fill an empty set with the tilt series of `source` that were refined, with their new alignment.

    The caller writes the set. source: one that the refined images come from (comes_from).
    """
    target.copyInfo(source)
    for series in source.iterItems():
        ts_id = series.getTsId()
        if ts_id not in refined:
            continue
        names, images = _names(series), refined[ts_id].images
        matrices = geometry.transform_from_tilt(images['z_rot'], images['x_shift'], images['y_shift'],
                                                series.getSamplingRate())
        rows = dict(zip(images.index, zip(images.to_dict('records'), matrices)))
        blank = _blank_marks(images)
        copy = TiltSeries()
        copy.copyInfo(series)
        set_columns(copy, _orders(series)['acq_order'].reindex(images.index), refined[ts_id].further.images)
        target.append(copy)
        for name, image in zip(names, series.iterItems()):
            new = image.clone()
            row, matrix = rows.get(name, (blank, None))
            if matrix is not None:
                new.setTiltAngle(row['tilt'])
                new.setTransform(Transform(matrix))
                if new.getAcquisition() is not None:
                    new.getAcquisition().setTiltAxisAngle(row['z_rot'])
            elif new.getTransform() is None:
                new.setTransform(Transform(np.eye(3)))
            mark_transform(new.getTransform(), row)
            copy.append(new)
        target.update(copy)


def copy_ctfs(refined: Dict[str, RefinedSeries], source: SetOfCTFTomoSeries, tilt_series: SetOfTiltSeries,
              target: SetOfCTFTomoSeries) -> None:
    """Fill an empty set with the CTFs of `source` that were refined: new defocus, contrast scale and handedness.

    tilt_series: those of the CTFs, which the refined images come from. The caller writes the set and says which tilt
    series it belongs to. Raises ConvertError where a refined image has no CTF in `source`.
    """
    orders = {series.getTsId(): _orders(series) for series in tilt_series.iterItems() if series.getTsId() in refined}
    target.copyInfo(source)
    hands = {one.hand for one in refined.values()}
    if len(hands) == 1:
        set_hand(target, hands.pop())
    seen = set()
    for ctf_series in source.iterItems():
        ts_id = ctf_series.getTsId()
        if ts_id not in refined:
            continue
        images, order = refined[ts_id].images, orders[ts_id]
        places = order.reindex(images.index)
        copy = CTFTomoSeries()
        copy.copy(ctf_series, ignoreAttrs=_OWN_SIZE)
        set_hand(copy, refined[ts_id].hand)
        set_columns(copy, places['acq_order'], refined[ts_id].further.ctfs)
        target.append(copy)
        _append_refined(copy, ctf_series, images, places)
        target.update(copy)
        seen.add(ts_id)
    if seen != set(refined):
        raise ConvertError('%s has no CTFs of tilt series %s' % (source, ', '.join(sorted(set(refined) - seen)[:5])))




def _append_refined(copy: CTFTomoSeries, source: CTFTomoSeries, images: pd.DataFrame, places: pd.DataFrame) -> None:
    ctfs = [ctf.clone() for ctf in source.iterItems()]
    by_order = all(ctf.getAcquisitionOrder() is not None for ctf in ctfs)
    keys = places['acq_order' if by_order else 'index'].astype(np.int64)
    rows = dict(zip(keys, images.to_dict('records')))
    for ctf in ctfs:
        row = rows.pop(ctf.getAcquisitionOrder() if by_order else ctf.getIndex(), None)
        if row is not None:
            ctf.setStandardDefocus(row['U'], row['V'], row['angle'])
        copy.append(ctf)
    if rows:
        raise ConvertError('tilt series %s: %d refined images have no CTF in the set that they came from'
                           % (source.getTsId(), len(rows)))


def _names(series: TiltSeries) -> List[str]:
    """What RELION calls the images of a tilt series, disabled ones included."""
    columns = read_columns(series, ['_index', '_filename'])
    return image_names(series.getTsId(), columns['_index'], columns['_filename'])


def _orders(series: TiltSeries) -> pd.DataFrame:
    """Order of acquisition and place in the stack of each image, by its name."""
    columns = read_columns(series, ['_index', '_acqOrder'])
    return pd.DataFrame({'acq_order': columns['_acqOrder'], 'index': columns['_index']}, index=_names(series))


def _blank_marks(images: pd.DataFrame) -> Dict[Hashable, Any]:
    """Marks of images that were not refined: all images of a series have the same attributes."""
    return {name: value for name, value in (('x_tilt', 0.0), ('deformation', '')) if name in images}
