"""Scipion's tilt series, CTFs and tomograms -> RELION's tomograms.star and tilt-series STAR files."""
import logging
import os
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

import numpy as np
import pandas as pd
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms, TiltSeries

from relionsta import geometry
from relionsta.constants import DEFORMATION, X_TILT
from relionsta.star import write_star
from relionsta.star.schemas import SIZE_COLUMNS, check_tilt_series, check_tomograms

from .bulk import read_columns
from .errors import ConvertError
from .image_names import half_names, image_names, without_suffix
from .marks import (
    COEFFICIENTS,
    DEFORMATION_GRID,
    SCALE,
    columns_of,
    grid_and_coefficients,
    remembered_columns,
    remembered_hand,
    remembered_tomogram,
)
from .positions import tomogram_table
from .series import check_ts_id

logger = logging.getLogger(__name__)

_CTF_PATHS = ('_defocusU', '_defocusV', '_defocusAngle', '_phaseShift', '_resolution', '_fitQuality', '_acqOrder', '_index')
_CTF_COLUMNS = ('U', 'V', 'angle', 'phase', 'resolution', 'quality', 'acq_order', 'index', 'scale')
_GROUP, _STAGE_TILT, _STAGE_AXIS = 'rlnOpticsGroupName', 'rlnTomoNominalStageTiltAngle', 'rlnTomoNominalTiltAxisAngle'
_X_TILT, _DEFORMATION = '_transform.' + X_TILT, '_transform.' + DEFORMATION
# A tomogram whose centre is farther than this (in voxels) from the specimen's is not offered to RELION as a volume.
_CENTRED = 0.51
#: rlnTomoHand of most data.
DEFAULT_HAND = -1


class TomogramTables(NamedTuple):
    """What goes into the STAR files: block `global` (without rlnTomoTiltSeriesStarFile) and a table per tsId."""
    tomograms: pd.DataFrame
    tilt_series: Dict[str, pd.DataFrame]


def write_tomograms_star(folder: str, tilt_series: SetOfTiltSeries, ctfs: SetOfCTFTomoSeries,
                         tomograms: Optional[SetOfTomograms] = None, hand: Optional[float] = None,
                         ts_ids: Optional[Iterable[str]] = None) -> str:
    """Write <folder>/tomograms.star and <folder>/tilt_series/<tsId>.star; return the path of the first.

    folder: relative to the project, as RELION will see it. Other arguments and errors: tomogram_tables.
    """
    tables = tomogram_tables(tilt_series, ctfs, tomograms, hand, ts_ids)
    os.makedirs(os.path.join(folder, 'tilt_series'), exist_ok=True)
    paths = {ts_id: os.path.join(folder, 'tilt_series', ts_id + '.star') for ts_id in tables.tilt_series}
    for ts_id, images in tables.tilt_series.items():
        write_star(paths[ts_id], {ts_id: images})
    path = os.path.join(folder, 'tomograms.star')
    overview = tables.tomograms.copy()
    overview.insert(1, 'rlnTomoTiltSeriesStarFile', overview['rlnTomoName'].map(paths))
    check_tomograms(overview, path)
    write_star(path, {'global': overview})
    return path


def tomogram_tables(tilt_series: SetOfTiltSeries, ctfs: SetOfCTFTomoSeries,
                    tomograms: Optional[SetOfTomograms] = None, hand: Optional[float] = None,
                    ts_ids: Optional[Iterable[str]] = None) -> TomogramTables:
    """The tables of write_tomograms_star, checked, without writing: for validation too.

    tomograms: give the sizes; without them the sizes are those of RELION's file that the series came from, or else of the
    aligned images (they only set RELION's centre). Columns that RELION had and Scipion has no place for (see marks.py)
    are there if all images of a series, or all tomograms, have them.
    hand: rlnTomoHand (default: what the CTFs of each series remember, else -1). ts_ids: the tilt series wanted
    (default: all). An image is a row if it is enabled in the tilt series and in the CTF, matched by acquisition order
    (by index where the CTF has no order).

    Raises ConvertError, naming the tsId, where a tilt series is missing, not aligned or interpolated, where its CTF or
    tomogram is missing, or nothing is left of it; StarError where RELION could not use the rows.
    """
    wanted = None if ts_ids is None else list(dict.fromkeys(ts_ids))
    defocus, hands = _ctf_tables(ctfs)
    volumes = None if tomograms is None else tomogram_table(tomograms)
    rows: List[Dict[str, Any]] = []
    images: Dict[str, pd.DataFrame] = {}
    for series in tilt_series.iterItems():
        ts_id = series.getTsId()
        if wanted is not None and ts_id not in wanted:
            continue
        _check_usable(series)
        check_ts_id(ts_id)
        if ts_id not in defocus:
            raise ConvertError('tilt series %s has no CTF in %s; estimate or import it, or leave the tilt series out'
                               % (ts_id, ctfs))
        if volumes is not None and ts_id not in volumes.index:
            raise ConvertError('tilt series %s has no tomogram in %s; there are: %s'
                               % (ts_id, tomograms, ', '.join(map(str, volumes.index[:8]))))
        images[ts_id], grid = _image_table(series, defocus[ts_id])
        check_tilt_series(images[ts_id], ts_id)
        rows.append({**_overview_row(series, images[ts_id], None if volumes is None else volumes.loc[ts_id],
                                     hands[ts_id] if hand is None else hand), **grid})
    missing = [ts_id for ts_id in wanted or () if ts_id not in images]
    if missing or not rows:
        raise ConvertError('%s: tilt series %s is not there; there are: %s'
                           % (tilt_series, ', '.join(missing[:8]) or '(none at all)',
                              ', '.join(sorted(tilt_series.getTSIds())[:8])))
    overview = pd.DataFrame(rows)
    names = _optics_group_names(overview)
    overview = overview.drop(columns=_GROUP, errors='ignore')
    overview.insert(1, _GROUP, names)
    # A column that lacks a value for one tomogram cannot be written for the others.
    overview = overview.dropna(axis='columns')
    if not set(DEFORMATION_GRID) <= set(overview):
        images = {ts_id: table.drop(columns=COEFFICIENTS, errors='ignore') for ts_id, table in images.items()}
    return TomogramTables(overview, images)


def _optics_group_names(overview: pd.DataFrame) -> List[str]:
    """One optics group for each combination of voltage, Cs, amplitude contrast and pixel size, in order of the rows.

    The names that RELION had where all have one, and none of them stands for two such combinations.
    """
    keys = list(overview[['rlnVoltage', 'rlnSphericalAberration', 'rlnAmplitudeContrast',
                          'rlnTomoTiltSeriesPixelSize']].round(4).itertuples(index=False, name=None))
    if _GROUP in overview and overview[_GROUP].notna().all():
        old = overview[_GROUP].tolist()
        if len(set(zip(old, keys))) == len(set(old)):
            return old
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys), 1)}
    return ['opticsGroup%d' % numbers[key] for key in keys]


def _check_usable(series: TiltSeries) -> None:
    if series.interpolated():
        raise ConvertError('tilt series %s is interpolated (its images have been rotated): RELION needs the original '
                           'images with their alignment; take the set that the alignment was computed for'
                           % series.getTsId())
    if not series.hasAlignment():
        raise ConvertError('tilt series %s has no alignment; align it first' % series.getTsId())


def _ctf_tables(ctfs: SetOfCTFTomoSeries) -> Tuple[Dict[str, pd.DataFrame], Dict[str, int]]:
    """tsId -> enabled CTFs, and tsId -> rlnTomoHand.

    Columns: U, V, angle, phase, resolution, quality, acq_order, index, scale (NaN where unknown), and further ones of
    RELION that all of them have.
    """
    names = dict(zip(_CTF_PATHS, _CTF_COLUMNS))
    tables, hands = {}, {}
    for series in ctfs.iterItems():
        columns = read_columns(series, list(names)[:3], optional=list(names)[3:], enabled_only=True)
        table = pd.DataFrame({name: columns.get(path, np.nan) for path, name in names.items()},
                             index=range(len(columns['id'])))
        table = table.astype(np.float64)
        known = remembered_columns(series)
        table['scale'] = table['acq_order'].map(known.pop(SCALE, {})).astype(np.float64)
        for label, values in columns_of(known, table['acq_order']).items():
            table[label] = values
        tables[series.getTsId()] = table
        hands[series.getTsId()] = remembered_hand(series, ctfs) or DEFAULT_HAND
    return tables, hands


def _image_table(series: TiltSeries, ctf: pd.DataFrame) -> Tuple[pd.DataFrame, Dict[str, Any]]:
    """The tilt-series STAR table of the images that are enabled in both the tilt series and its CTF.

    And columns of tomograms.star that say how the images are deformed, if they are.
    """
    ts_id, pixel = series.getTsId(), series.getSamplingRate()
    columns = read_columns(series, ['_index', '_filename', '_tiltAngle', '_acqOrder', '_transform._matrix'],
                           optional=['_acquisition._doseInitial', '_acquisition._tiltAxisAngle',
                                     '_oddEvenFileNames', _X_TILT, _DEFORMATION], enabled_only=True)
    key, of_image, of_ctf = _matching_key(columns, ctf)
    for what, values in (('image', of_image), ('CTF', of_ctf)):
        if len(set(values)) < len(values):
            raise ConvertError('tilt series %s: two enabled %ss have the same %s; they cannot be matched'
                               % (ts_id, what, key))
    rows = pd.Index(of_ctf).get_indexer(pd.Index(of_image))
    keep = rows >= 0
    if not keep.any():
        raise ConvertError('tilt series %s: none of its %d enabled images has an enabled CTF of the same %s'
                           % (ts_id, len(keep), key))
    if not keep.all():
        logger.info('tilt series %s: %d of %d enabled images have no CTF and are left out',
                    ts_id, np.count_nonzero(~keep), len(keep))
    kept = {path: values[keep] for path, values in columns.items()}
    ctf = ctf.iloc[rows[keep]].reset_index(drop=True)
    # Only now: the matrices of disabled images are identities and mean nothing.
    z_rot, x_shift, y_shift = _alignment(ts_id, kept['_transform._matrix'], pixel)
    dose = kept.get('_acquisition._doseInitial')
    if dose is None or np.isnan(dose.astype(np.float64)).any():
        raise ConvertError('tilt series %s: the dose before each image is not known; import it with its dose' % ts_id)
    axis = kept.get('_acquisition._tiltAxisAngle')
    known = remembered_columns(series)
    table = pd.DataFrame({'rlnMicrographName': image_names(ts_id, kept['_index'], kept['_filename'])})
    for column, names in half_names(ts_id, kept).items():
        table[column] = names
    table['rlnMicrographPreExposure'] = dose.astype(np.float64)
    for column, otherwise in ((_STAGE_TILT, kept['_tiltAngle']),
                              (_STAGE_AXIS, z_rot if axis is None or np.isnan(axis).any() else axis)):
        stage = pd.Series(kept['_acqOrder']).map(known.get(column, {})).astype(np.float64)
        table[column] = stage.fillna(pd.Series(otherwise)).to_numpy()
    table['rlnTomoXTilt'] = np.nan_to_num(kept[_X_TILT]) if _X_TILT in kept else 0.0
    table['rlnTomoYTilt'] = kept['_tiltAngle']
    table['rlnTomoZRot'] = z_rot
    table['rlnTomoXShiftAngst'] = x_shift
    table['rlnTomoYShiftAngst'] = y_shift
    table['rlnDefocusU'] = ctf['U']
    table['rlnDefocusV'] = ctf['V']
    table['rlnDefocusAngle'] = ctf['angle']
    if (ctf['phase'].fillna(0) != 0).any():
        table['rlnPhaseShift'] = ctf['phase'].fillna(0)
    # What RELION has refined; else the part of the signal that a longer way through the ice leaves.
    table[SCALE] = ctf['scale'].fillna(pd.Series(np.cos(np.radians(kept['_tiltAngle']))))
    bent = grid_and_coefficients(kept.get(_DEFORMATION, ()))
    if bent is not None:
        table[COEFFICIENTS] = bent[1]
    for column, values in (('rlnCtfFigureOfMerit', ctf['quality']), ('rlnCtfMaxResolution', ctf['resolution'])):
        if np.isfinite(values).all():
            table[column] = values
    for label, values in {**columns_of(known, kept['_acqOrder']), **ctf.drop(columns=list(_CTF_COLUMNS))}.items():
        if label not in table:
            table[label] = values
    return table, bent[0] if bent is not None else {}


def _matching_key(columns: Dict[str, np.ndarray], ctf: pd.DataFrame) -> Any:
    if ctf['acq_order'].notna().all() and not np.isnan(columns['_acqOrder'].astype(np.float64)).any():
        return 'acquisition order', columns['_acqOrder'].astype(np.float64), ctf['acq_order'].to_numpy()
    return 'index', columns['_index'].astype(np.float64), ctf['index'].to_numpy()


def _alignment(ts_id: str, matrices: np.ndarray, pixel: float) -> Any:
    try:
        return geometry.tilt_from_transform(matrices, pixel)
    except ValueError as error:
        raise ConvertError('tilt series %s: %s' % (ts_id, error)) from error


def _overview_row(series: TiltSeries, images: pd.DataFrame, volume: Optional[pd.Series], hand: float) -> Dict[str, Any]:
    ts_id, pixel, acquisition = series.getTsId(), series.getSamplingRate(), series.getAcquisition()
    microscope = {'rlnVoltage': acquisition.getVoltage(),
                  'rlnSphericalAberration': acquisition.getSphericalAberration(),
                  'rlnAmplitudeContrast': acquisition.getAmplitudeContrast(), 'rlnTomoTiltSeriesPixelSize': pixel}
    unknown = [label[3:] for label, value in microscope.items() if value is None]
    if unknown:
        raise ConvertError('tilt series %s: %s is not known; set it when importing the tilt series'
                           % (ts_id, ', '.join(unknown)))
    known = remembered_tomogram(series)
    # Sizes are in pixels of the images that they were written with.
    as_before = abs(known.pop('rlnTomoTiltSeriesPixelSize', 0.0) - pixel) < 1e-3 * pixel
    sizes = [known.pop(label, None) for label in SIZE_COLUMNS]
    unsized = volume is None or bool(volume[['x', 'y', 'z']].isna().any())
    if unsized and as_before and all(sizes):
        size = tuple(geometry.even_size(n) for n in sizes)
    elif volume is None:
        size = _aligned_size(series, images)
    elif unsized:
        raise ConvertError('tilt series %s: its tomogram %s cannot be found; its size is needed'
                           % (ts_id, volume['file']))
    else:
        size = geometry.even_tomogram_size(volume[['x', 'y', 'z']].tolist(), volume['voxel'], pixel)
    row = {'rlnTomoName': ts_id, **microscope, 'rlnTomoHand': float(hand), 'rlnTomoSizeX': size[0],
           'rlnTomoSizeY': size[1], 'rlnTomoSizeZ': size[2], 'rlnTomoImportFractionalDose': _dose_per_image(series)}
    if volume is not None:
        row['rlnTomoTomogramBinning'] = float(volume['voxel'] / pixel)
        if np.abs(volume[['shift_x', 'shift_y', 'shift_z']].astype(float)).max() < _CENTRED * volume['voxel']:
            row.update({'rlnTomoReconstructedTomogram': volume['file'],
                        'rlnTomoReconstructedTomogramHalf1': volume['half1'],
                        'rlnTomoReconstructedTomogramHalf2': volume['half2']})
    return {**row, **{label: value for label, value in known.items() if label not in row}}


def _aligned_size(series: TiltSeries, images: pd.DataFrame) -> Any:
    """Size in tilt-series pixels of the tomogram that the aligned images would make, as thick as half its width."""
    first = series.getFirstItem()
    if not os.path.exists(without_suffix(first.getFileName())):
        raise ConvertError('tilt series %s: its images %s cannot be found; their size is needed'
                           % (series.getTsId(), first.getFileName()))
    x, y, _ = first.getDim()
    if abs(np.sin(np.radians(images['rlnTomoZRot'].iloc[0]))) > np.sqrt(0.5):
        x, y = y, x
    return tuple(geometry.even_size(n) for n in (x, y, min(x, y) / 2))


def _dose_per_image(series: TiltSeries) -> Optional[float]:
    """e/Å² per image. RELION's own guess, a difference of pre-exposures, is wrong where images have been dropped."""
    doses = read_columns(series, [], optional=['_acquisition._dosePerFrame'], enabled_only=True)
    values = doses.get('_acquisition._dosePerFrame', np.empty(0)).astype(np.float64)
    dose = float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else 0.0
    return dose if dose > 0 else None
