"""One tilt series of another program, or of RELION's STAR files -> Scipion's tilt series, CTF and tomogram."""
import os
from typing import Any, Dict, Hashable, Mapping, NamedTuple, Optional

import numpy as np
import pandas as pd
from pwem.objects import Transform
from tomo.convert.mdoc import normalizeTSId
from tomo.objects import (
    CTFTomo,
    CTFTomoSeries,
    SetOfCTFTomoSeries,
    SetOfTiltSeries,
    SetOfTomograms,
    TiltImage,
    TiltSeries,
    TomoAcquisition,
    Tomogram,
)

from relionsta import geometry
from relionsta.constants import DEFORMATION, X_TILT
from relionsta.names import series_trouble
from relionsta.sources.series import TiltSeriesRecord

from .bulk import write_items
from .errors import ConvertError
from .marks import mark_transform, set_columns, set_hand, set_tomogram

# Scipion takes an acquisition without magnification for none at all, and then forgets the dose of each image.
# This is its own default; nothing is computed from it.
_MAGNIFICATION = 50000
# Two pixel sizes that differ by less than this fraction are the same.
_SAME_PIXEL = 1e-3


class Microscope(NamedTuple):
    """kV, mm, fraction; Å per pixel of the images; degrees."""
    voltage: float
    cs: float
    amplitude_contrast: float
    pixel_size: float
    tilt_axis: float


class Further(NamedTuple):
    """What RELION's files say of a tilt series and Scipion has no place for.

    images, ctfs: further columns of the tilt-series table, of the images and of their CTFs, a row for each image.
    tomogram: further columns of the row of tomograms.star.
    """
    images: pd.DataFrame
    ctfs: pd.DataFrame
    tomogram: Mapping[Hashable, Any]


def scipion_ts_id(name: str) -> str:
    """The tsId for a tomogram name of another program: 007 -> TS_007, as all of Scipion's imports do.

    Raises ConvertError for a name of which nothing is left.
    """
    try:
        return str(normalizeTSId(name))
    except IndexError:
        raise ConvertError('tilt series %r: no name is left of it in Scipion, which takes letters, digits and _ only: '
                           'rename its files' % name) from None


def check_ts_id(ts_id: str) -> None:
    """Raise ConvertError for a tsId that Scipion or RELION cannot work with."""
    trouble = series_trouble(ts_id)
    if trouble:
        raise ConvertError('tilt series %r cannot have this name, and the reason is: %s' % (ts_id, trouble))


def append_record(record: TiltSeriesRecord, tilt_series: SetOfTiltSeries, ctfs: Optional[SetOfCTFTomoSeries] = None,
                  stack: Optional[str] = None, even: Optional[str] = None, odd: Optional[str] = None) -> TiltSeries:
    """Append a record's images and, if ctfs is given, its CTFs; returns the tilt series, stored.

    stack, even, odd: paths as Scipion shall know them (relative to the project); default: the record's. Images that
    were left out of the alignment are disabled, with the identity as transform. The caller writes the sets.
    """
    pixel = record.pixel_size
    images = record.images
    table = pd.DataFrame({
        'index': images['section'], 'file': stack or str(record.stack),
        'acq_order': images['acquisition_order'], 'dose': images['dose'], 'pre_exposure': images['pre_exposure'],
        'enabled': images['aligned'].astype(bool), 'tilt': images['tilt'].fillna(images['nominal_tilt']),
        'z_rot': images['rot'], 'x_shift': images['x_shift_px'] * pixel, 'y_shift': images['y_shift_px'] * pixel,
        'U': images['defocus_u'], 'V': images['defocus_v'], 'angle': images['defocus_angle'],
        'phase': images['phase_shift_deg'], 'quality': images['ctf_cc'], 'resolution': images['ctf_resolution']})
    halves = (odd or record.odd_stack, even or record.even_stack)
    if all(halves):
        table['odd'], table['even'] = map(str, halves)
    microscope = Microscope(record.voltage, record.cs, record.amplitude_contrast, pixel, record.tilt_axis)
    return append_series(scipion_ts_id(record.ts_id), table, microscope, tilt_series, ctfs, record.hand)


def append_series(ts_id: str, images: pd.DataFrame, microscope: Microscope, tilt_series: SetOfTiltSeries,
                  ctfs: Optional[SetOfCTFTomoSeries] = None, hand: Optional[float] = None,
                  further: Optional[Further] = None) -> TiltSeries:
    """Append one tilt series and its CTFs.

    images: one row per image of the stack, columns index (section, from 1; 0: a file of its own), file, acq_order
    (from 1), dose, pre_exposure (e/Å², before the image), enabled, tilt, z_rot (deg), x_shift, y_shift (Å; RELION's
    rlnTomoX/YShiftAngst), U, V (Å), angle, phase (deg), quality, resolution (Å), and perhaps odd and even (files),
    x_tilt (deg; rlnTomoXTilt) and deformation (see marks.deformations). hand: rlnTomoHand, for the CTFs to remember.
    further: what else tilt series and CTFs shall remember.
    """
    _check_pixel(ts_id, tilt_series, microscope.pixel_size)
    acquisition = _series_acquisition(images, microscope)
    if not tilt_series.getSamplingRate():
        tilt_series.setSamplingRate(microscope.pixel_size)
        tilt_series.setAcquisition(acquisition.clone())
    series = TiltSeries(tsId=ts_id)
    series.setSamplingRate(microscope.pixel_size)
    series.setAcquisition(acquisition)
    series.setAnglesCount(len(images))
    if further is not None:
        set_columns(series, images['acq_order'], further.images)
        set_tomogram(series, further.tomogram)
    tilt_series.append(series)
    transforms = _transforms(images, microscope.pixel_size)
    write_items(series, _tilt_image(images.iloc[0].to_dict(), transforms[0], acquisition),
                _image_columns(images, transforms, acquisition), enabled=images['enabled'].tolist())
    first = series.getFirstItem()
    size = first.getDim() if os.path.exists(first.getFileName()) else None
    if size is not None:
        origin = Transform()
        origin.setShifts(-size[0] / 2 * microscope.pixel_size, -size[1] / 2 * microscope.pixel_size, 0)
        series.setOrigin(origin)
    tilt_series.update(series)
    if ctfs is not None:
        _append_ctfs(series, images, ctfs, hand, further)
    return series


def append_tomogram(record: TiltSeriesRecord, tomograms: SetOfTomograms, file: Optional[str] = None,
                    even: Optional[str] = None, odd: Optional[str] = None) -> Tomogram:
    """Append the tomogram of a record, centred on the specimen; returns it.

    file, even, odd: MRC files with axes X, Y, Z and RELION's orientation; default: the record's, which must then have
    been written so (flip_vol 1). Raises ConvertError where there is no file, or its axes are not X, Y, Z.
    """
    path = file or (str(record.tomogram) if record.tomogram else None)
    if path is None or not os.path.exists(path):
        raise ConvertError('tilt series %s: its tomogram %s is not there' % (record.ts_id, path or '(none)'))
    if file is None and record.flip_vol not in (None, 1):
        raise ConvertError('tilt series %s: the axes of its tomogram %s are not those of RELION (FlipVol %s); write it '
                           'with -FlipVol 1, or turn it first' % (record.ts_id, path, record.flip_vol))
    if not record.voxel_size:
        raise ConvertError('tilt series %s: the pixel size of its tomogram %s is not known' % (record.ts_id, path))
    _check_pixel(record.ts_id, tomograms, record.voxel_size)
    images = record.images.rename(columns={'nominal_tilt': 'tilt'}) if record.images['tilt'].isna().all() \
        else record.images
    acquisition = _series_acquisition(
        images, Microscope(record.voltage, record.cs, record.amplitude_contrast, record.pixel_size, record.tilt_axis))
    if not tomograms.getSamplingRate():
        tomograms.setSamplingRate(record.voxel_size)
        tomograms.setAcquisition(acquisition.clone())
    tomogram = Tomogram(tsId=scipion_ts_id(record.ts_id))
    tomogram.setFileName(path)
    tomogram.setSamplingRate(record.voxel_size)
    tomogram.setAcquisition(acquisition)
    tomogram.setOrigin()
    halves = (even or record.even_tomogram, odd or record.odd_tomogram)
    if all(halves):
        tomogram.setHalfMaps([str(half) for half in halves])
    tomograms.append(tomogram)
    tomograms.update(tomogram)
    return tomogram


def _check_pixel(ts_id: str, items: Any, pixel: float) -> None:
    known = items.getSamplingRate()
    if known and abs(known - pixel) > _SAME_PIXEL * known:
        raise ConvertError('tilt series %s has %.4f Å per pixel, the others of the set %.4f; import it into a set of '
                           'its own' % (ts_id, pixel, known))


def _series_acquisition(images: pd.DataFrame, microscope: Microscope) -> TomoAcquisition:
    tilts = np.sort(images['tilt'].dropna().to_numpy(dtype=np.float64))
    acquisition = TomoAcquisition(
        angleMin=float(tilts[0]), angleMax=float(tilts[-1]),
        step=float(round(np.mean(np.diff(tilts)), 2)) if len(tilts) > 1 else 0.0,
        accumDose=float((images['pre_exposure'] + images['dose']).max()), tiltAxisAngle=microscope.tilt_axis,
        voltage=microscope.voltage, sphericalAberration=microscope.cs,
        amplitudeContrast=microscope.amplitude_contrast, magnification=_MAGNIFICATION,
        dosePerFrame=float(images['dose'].mean()))
    return acquisition


def _transforms(images: pd.DataFrame, pixel: float) -> np.ndarray:
    """(n, 3, 3); the identity for images without alignment."""
    aligned = images['enabled'].to_numpy(dtype=bool)
    matrices = np.tile(np.eye(3), (len(images), 1, 1))
    z_rot, x_shift, y_shift = (images.loc[aligned, column].to_numpy(dtype=np.float64)
                               for column in ('z_rot', 'x_shift', 'y_shift'))
    matrices[aligned] = geometry.transform_from_tilt(z_rot, x_shift, y_shift, pixel)
    return matrices


def _tilt_image(row: Dict[Hashable, Any], matrix: np.ndarray, acquisition: TomoAcquisition) -> TiltImage:
    image = TiltImage(location=(int(row['index']), str(row['file'])), tiltAngle=row['tilt'],
                      acquisitionOrder=int(row['acq_order']))
    image.setEnabled(row['enabled'])
    transform = Transform(matrix)
    mark_transform(transform, row)
    image.setTransform(transform)
    if row.get('odd') and row.get('even'):
        image.setOddEven([row['odd'], row['even']])
    own = acquisition.clone()
    own.setDoseInitial(row['pre_exposure'])
    own.setDosePerFrame(row['dose'])
    own.setAccumDose(row['pre_exposure'] + row['dose'])
    if row['enabled']:
        own.setTiltAxisAngle(row['z_rot'])
    image.setAcquisition(own)
    return image


def _append_ctfs(series: TiltSeries, images: pd.DataFrame, ctfs: SetOfCTFTomoSeries, hand: Optional[float],
                 further: Optional[Further]) -> None:
    ctf_series = CTFTomoSeries(tsId=series.getTsId())
    ctf_series.setTiltSeries(series)
    if hand is not None:
        set_hand(ctf_series, hand)
    if further is not None:
        set_columns(ctf_series, images['acq_order'], further.ctfs)
    ctfs.append(ctf_series)
    known = np.isfinite(images[['U', 'V', 'angle']].to_numpy(dtype=np.float64)).all(axis=1)
    has_phase = bool((images['phase'].fillna(0) != 0).any())
    template = CTFTomo()
    if has_phase:
        template.setPhaseShift(0.0)
    write_items(ctf_series, template, _ctf_columns(images, known, has_phase),
                enabled=(known & images['enabled'].to_numpy(dtype=bool)).tolist())
    ctfs.update(ctf_series)


def _image_columns(images: pd.DataFrame, transforms: np.ndarray, acquisition: TomoAcquisition) -> Dict[str, Any]:
    """Attributes of tilt images, as _tilt_image gives them to one."""
    columns: Dict[str, Any] = {
        '_index': images['index'].astype(int), '_filename': images['file'].astype(str), '_tiltAngle': images['tilt'],
        '_acqOrder': images['acq_order'].astype(int), '_transform._matrix': transforms,
        '_acquisition._doseInitial': images['pre_exposure'], '_acquisition._dosePerFrame': images['dose'],
        '_acquisition._accumDose': images['pre_exposure'] + images['dose'],
        '_acquisition._tiltAxisAngle': np.where(images['enabled'].astype(bool), images['z_rot'],
                                                acquisition.getTiltAxisAngle())}
    if 'odd' in images and 'even' in images:
        columns['_oddEvenFileNames'] = images[['odd', 'even']].to_numpy().tolist()
    for column, attribute in (('x_tilt', X_TILT), ('deformation', DEFORMATION)):
        if column in images:
            columns['_transform.' + attribute] = images[column]
    return columns


def _ctf_columns(images: pd.DataFrame, known: np.ndarray, has_phase: bool) -> Dict[str, Any]:
    """Attributes of CTFs in Scipion's standard form: U >= V, 0 <= angle < 180; its mark of a wrong CTF where none is
    known (n,)."""
    u, v, angle = (images[column].to_numpy(dtype=np.float64) for column in ('U', 'V', 'angle'))
    angle = angle + np.where(v > u, 90.0, 0.0)
    angle = angle - np.where(angle >= 180, 180.0, 0.0) + np.where(angle < 0, 180.0, 0.0)
    smaller, larger = np.minimum(u, v), np.maximum(u, v)
    with np.errstate(divide='ignore', invalid='ignore'):
        ratio = np.where(smaller > CTFTomo.DEFOCUS_V_MINIMUM_VALUE, larger / smaller, CTFTomo.DEFOCUS_RATIO_ERROR_VALUE)
    columns = {'_index': images['index'].astype(int), '_acqOrder': images['acq_order'].astype(int),
               '_defocusU': np.where(known, larger, -999), '_defocusV': np.where(known, smaller, -1),
               '_defocusAngle': np.where(known, angle, -999), '_defocusRatio': np.where(known, ratio, np.nan),
               '_fitQuality': images['quality'], '_resolution': images['resolution']}
    if has_phase:
        columns['_phaseShift'] = np.where(known, images['phase'], 0.0)
    return columns
