"""Tilt series that were aligned with IMOD, as eTomo leaves them in a folder."""
from pathlib import Path
from typing import Dict, List, Optional, Set

import numpy as np
import pandas as pd

from relionsta import geometry

from .exposure import exposure_of
from .find import SeriesLocation, find_with
from .imod_files import read_angles, read_com, read_xf, view_numbers
from .mrc import MrcHeader, read_mrc_header
from .optics import GivenOptics, given_or_found
from .series import IMAGE_COLUMNS, TiltSeriesRecord
from .text import SourceError, first_existing

_STACKS = ('.st', '.mrc', '.mrcs')
_MDOCS = ('.st.mdoc', '.mrc.mdoc', '.mdoc')
# Scales that tiltalign finds beyond this, and X-tilts that differ by more degrees, are worth a word.
_SCALE, _X_TILT = 0.005, 0.1


def find_etomo_series(folder_or_pattern: str) -> List[SeriesLocation]:
    """All tilt series with an IMOD alignment (<name>.xf and <name>.tlt) in a folder, in its subfolders where it holds
    none itself, or in what a pattern with * and ? matches; sorted by name. Raises SourceError as find_series does."""
    return find_with(folder_or_pattern, _series_of, 'there is no tilt series here (no <name>.xf with its <name>.tlt): '
                     "give eTomo's folder, or the one above it, after the fine alignment")


def _series_of(path: Path) -> Set[SeriesLocation]:
    """The series in a folder or, if it has none, in those below; for a file, the series that it belongs to."""
    if not path.is_dir():
        return {one for one in _series_in(path.parent) if path.name.startswith(one.ts_id + '.')}
    return _series_in(path) or {one for folder in path.iterdir() if folder.is_dir() for one in _series_in(folder)}


def _series_in(folder: Path) -> Set[SeriesLocation]:
    names = {file.stem for file in folder.glob('*.xf') if file.with_suffix('.tlt').is_file()}
    # eTomo keeps copies of the alignment by fiducials and without them.
    return {SeriesLocation(folder, name) for name in names if name.replace('_nonfid', '').replace('_fid', '') not in
            names - {name}}


def read_etomo_series(location: SeriesLocation, pixel_size: Optional[float] = None, voltage: Optional[float] = None,
                      cs: Optional[float] = None, amplitude_contrast: Optional[float] = None,
                      dose_per_image: Optional[float] = None) -> TiltSeriesRecord:
    """Read one tilt series; arguments as those of aretomo3.read_series, in place of what header and .mdoc say.

    Read: <name>.xf and .tlt; the raw stack's header; .rawtlt; <name>_TLT.txt or the .mdoc for doses and order;
    align.com and tilt.com for excluded views. The record has neither tomogram nor CTF. What tilt.com does to the volume
    as a whole (OFFSET, XAXISTILT, SHIFT, a constant .xtilt) does not concern the images: they are as they are in any
    frame, and RELION's tomograms are in the frame of the .tlt and .xf.

    Raises SourceError where a file is missing, damaged, or does not fit the others.
    """
    folder, name = location.folder, location.ts_id
    notes: List[str] = []
    header = _stack(folder, name)
    n_raw = header.size[2]
    xf, tlt = folder / (name + '.xf'), folder / (name + '.tlt')
    transforms, tilts = read_xf(xf), read_angles(tlt)
    raw = folder / (name + '.rawtlt')
    nominal = read_angles(raw) if raw.exists() else tilts
    for path, rows in ((xf, transforms), (tlt, tilts), (raw, nominal)):
        if len(rows) != n_raw:
            raise SourceError('%s: %d lines, but %s has %d images: the two are not of one alignment. Align the series '
                              'again.' % (path, len(rows), header.path, n_raw))
    tilt_com = _own_com(folder, name, 'tilt', notes)
    align_com = _own_com(folder, name, 'align', notes)
    left_out = view_numbers(folder / 'tilt.com', tilt_com, 'EXCLUDELIST', 'EXCLUDELIST2') | view_numbers(
        folder / 'align.com', align_com, 'EXCLUDELIST')
    aligned = ~np.isin(np.arange(1, n_raw + 1), sorted(left_out))
    if not aligned.any():
        raise SourceError('%s: all views are excluded in tilt.com and align.com: correct the lists.' % folder)
    mdoc = first_existing(folder / (name + end) for end in _MDOCS)
    exposure = exposure_of(folder / (name + '_TLT.txt'), mdoc, nominal, dose_per_image, notes)
    optics = given_or_found(GivenOptics(pixel_size, voltage, cs, amplitude_contrast), header, exposure.voltage, mdoc)
    images = _images(xf, transforms, tilts, nominal, aligned, exposure.images)
    tilt_axis = float(images['rot'].iloc[int(np.nanargmin(images['tilt'].abs()))])
    local = 'LOCALFILE' in tilt_com
    notes += _remarks(folder / (name + '.xtilt'), transforms[aligned], aligned, local)
    return TiltSeriesRecord(
        ts_id=name, stack=header.path, pixel_size=optics.pixel_size, image_size=header.size[:2], n_raw=n_raw,
        images=images, voltage=optics.voltage, cs=optics.cs, amplitude_contrast=optics.amplitude_contrast,
        tilt_axis=tilt_axis, hand=-1, hand_reason='the usual one.', local_alignment=local,
        software={'name': 'IMOD'}, warnings=notes)


def _stack(folder: Path, name: str) -> MrcHeader:
    candidates = [folder / (name + end) for end in _STACKS]
    return read_mrc_header(first_existing(candidates) or candidates[0],
                           'Put the raw stack that was aligned beside the .xf.')


def _own_com(folder: Path, name: str, program: str, notes: List[str]) -> Dict[str, List[str]]:
    """The options of <program>.com, of <program>a.com or b for one of two axes; none where it is of another series."""
    path = folder / (program + (name[-1] if name[-1:] in ('a', 'b') else '') + '.com')
    path = path if path.exists() else folder / (program + '.com')
    options = read_com(path)
    named = [Path(value).stem for option in ('TILTFILE', 'OUTPUTTILTFILE') for value in options.get(option, [])]
    if named and name not in named:
        notes.append('%s is of another series (%s) and was not used.' % (path.name, named[0]))
        return {}
    return options


def _images(xf: Path, transforms: np.ndarray, tilts: np.ndarray, nominal: np.ndarray, aligned: np.ndarray,
            exposure: pd.DataFrame) -> pd.DataFrame:
    """The table of raw images; excluded ones have no alignment, whatever the .xf has in their lines."""
    images = pd.DataFrame({'section': np.arange(1, len(tilts) + 1), 'nominal_tilt': nominal, 'aligned': aligned})
    images[list(exposure.columns)] = exposure
    views = images.index[aligned]
    try:
        rot, x_shift, y_shift = geometry.tilt_from_transform(transforms[aligned], 1.0)
    except ValueError as error:
        raise SourceError('%s: %s (counted without excluded views).' % (xf, error)) from error
    for column, values in (('tilt', tilts[aligned]), ('rot', rot), ('x_shift_px', x_shift), ('y_shift_px', y_shift)):
        images[column] = pd.Series(values, index=views)
    return images.reindex(columns=list(IMAGE_COLUMNS))


def _remarks(xtilt: Path, transforms: np.ndarray, aligned: np.ndarray, local: bool) -> List[str]:
    """What of the alignment RELION cannot express."""
    notes = []
    scales = np.sqrt(np.abs(np.linalg.det(transforms[:, :2, :2])))
    if np.abs(scales - 1).max() > _SCALE:
        notes.append('the alignment scales images by %.4f to %.4f; RELION cannot, so their scale stays as it is.'
                     % (scales.min(), scales.max()))
    if xtilt.exists():
        spread = read_angles(xtilt)
        spread = spread[aligned] if len(spread) == len(aligned) else spread
        if np.ptp(spread) > _X_TILT:
            notes.append('%s: X-tilts that differ by up to %.2f deg between images are not imported.'
                         % (xtilt.name, np.ptp(spread)))
    if local:
        notes.append('IMOD also used local alignments (LOCALFILE in tilt.com). RELION cannot express them, so only the '
                     'global alignment is imported; Bayesian polishing can refine the rest.')
    return notes
