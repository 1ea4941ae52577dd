"""Tilt series as AreTomo3 leaves them in its output folder (and those of AreTomo 1 and 2, given a _TLT.txt)."""
from pathlib import Path
from typing import List, Optional, Sequence

import numpy as np
import pandas as pd

from .aln import AlnFile, read_aln
from .ctf import read_ctf
from .find import SeriesLocation, find_series
from .hand import suggest_hand
from .mapping import map_rows
from .optics import GivenOptics, choose_optics
from .series import IMAGE_COLUMNS, TiltSeriesRecord
from .session import read_session
from .stack import find_stacks
from .text import SourceError, short_list
from .tlt import read_tlt
from .volume import aligned_size, find_volumes

__all__ = ['SeriesLocation', 'find_series', 'read_series']


def read_series(location: SeriesLocation, pixel_size: Optional[float] = None, voltage: Optional[float] = None,
                cs: Optional[float] = None, amplitude_contrast: Optional[float] = None,
                dose_per_image: Optional[float] = None, flip_vol: Optional[int] = None, hand: Optional[int] = None,
                stack_folder: Optional[Path] = None) -> TiltSeriesRecord:
    """Read one tilt series. What is given here wins over the files.

    pixel_size: Angstrom of the unbinned motion-corrected images (default: PixSize * McBin of AreTomo3_Session.json,
    never AtBin); voltage: kV; cs: mm; amplitude_contrast: fraction; dose_per_image: e/A2; flip_vol: 0, 1 or 2;
    hand: 1 or -1; stack_folder: where the stacks and _TLT.txt are, if the alignment was run again into
    a folder of its own.

    Raises SourceError where a file is missing, damaged, or not of the same run as the others.
    """
    _check_choice('flip_vol', flip_vol, (0, 1, 2))
    _check_choice('hand', hand, (-1, 1))
    notes: List[str] = []
    folder, name = location.folder, location.ts_id
    stack_folder = folder if stack_folder is None else Path(stack_folder)
    aln = read_aln(folder / (name + '.aln'))
    image_size, n_raw = aln.raw_size[:2], aln.raw_size[2]
    tlt = read_tlt(stack_folder / (name + '_TLT.txt'), n_raw, dose_per_image, notes)
    mapping = map_rows(aln, tlt['nominal_tilt'])
    notes.extend(mapping.notes)
    ctf = read_ctf(folder / (name + '_CTF.txt'), n_raw, notes)
    session = read_session(folder)
    stacks = find_stacks(stack_folder, name, aln.raw_size, notes)
    given = GivenOptics(pixel_size, voltage, cs, amplitude_contrast)
    optics = choose_optics(given, session, stacks, folder, notes)
    images = _images(aln, mapping.indexes, tlt, ctf.table, notes)
    tilt_axis = float(images['rot'].iloc[int(np.nanargmin(images['tilt'].abs()))])
    suggested, reason, doubt = suggest_hand(ctf.df_hand, tilt_axis, session.tilt_axis)
    if hand is None and doubt:
        notes.append('defocus hand %d: %s Check it.' % (suggested, reason))
    volumes = find_volumes(folder, name, aligned_size(image_size, tilt_axis), optics.pixel_size,
                           session.flip_vol if flip_vol is None else flip_vol, notes)
    return TiltSeriesRecord(
        ts_id=name, stack=stacks.path, pixel_size=optics.pixel_size, image_size=image_size, n_raw=n_raw, images=images,
        voltage=optics.voltage, cs=optics.cs, amplitude_contrast=optics.amplitude_contrast, tilt_axis=tilt_axis,
        hand=suggested if hand is None else hand, hand_reason=reason if hand is None else 'given by the user.',
        even_stack=stacks.even, odd_stack=stacks.odd, tomogram=volumes.path, even_tomogram=volumes.even,
        odd_tomogram=volumes.odd, voxel_size=volumes.voxel_size, tomogram_size=volumes.size, flip_vol=volumes.flip_vol,
        alpha_offset=aln.alpha_offset or 0., beta_offset=aln.beta_offset or 0., thickness=aln.thickness,
        local_alignment=_used_local(aln, notes),
        software={'name': session.name or 'AreTomo', 'version': session.version, 'section_numbers': mapping.numbering,
                  'session': str(session.path or '')},
        warnings=notes)


def _check_choice(option: str, value: Optional[int], choices: Sequence[int]) -> None:
    if value is not None and value not in choices:
        raise SourceError('%s is %s: give %s.' % (option, value, ' or '.join(str(choice) for choice in choices)))


def _images(aln: AlnFile, indexes: np.ndarray, tlt: pd.DataFrame, ctf: pd.DataFrame, notes: List[str]) -> pd.DataFrame:
    """The table of raw images; the accumulated dose counts dark images, because they were exposed as well."""
    images = pd.DataFrame({'section': np.arange(1, len(tlt) + 1), 'nominal_tilt': tlt['nominal_tilt'],
                           'acquisition_order': tlt['acquisition_order'], 'dose': tlt['dose']})
    in_time = images.sort_values('acquisition_order')['dose']
    images['pre_exposure'] = in_time.cumsum().shift(fill_value=0.)
    images['aligned'] = np.isin(np.arange(len(images)), indexes)
    rows = aln.rows.set_axis(indexes)
    for column, name in (('tilt', 'TILT'), ('rot', 'ROT'), ('x_shift_px', 'TX'), ('y_shift_px', 'TY')):
        images[column] = rows[name].astype(float).reindex(images.index)
    images = pd.concat([images, ctf], axis=1)[list(IMAGE_COLUMNS)]
    without = images.loc[images['aligned'] & (images['defocus_v'] <= 0), 'section']
    if len(without):
        notes.append('no CTF was found for image %s (defocus 0 or below): leave it out of the averaging.'
                     % short_list(without.tolist()))
    return images


def _used_local(aln: AlnFile, notes: List[str]) -> bool:
    used = aln.num_patches > 0 or aln.num_local_rows > 0
    if used:
        notes.append('%s: AreTomo also used local shifts for its tomogram. RELION cannot express them, so only the '
                     'global alignment is imported; Bayesian polishing can refine the rest.' % aln.path.name)
        if aln.num_local_rows != aln.num_patches * len(aln.rows):
            notes.append('%s: the local table has %d lines, %d are expected; it is not used.'
                         % (aln.path.name, aln.num_local_rows, aln.num_patches * len(aln.rows)))
    return used
