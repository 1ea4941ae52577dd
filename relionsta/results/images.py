"""The images of particles: those that an extraction left half-written, and whether all that a STAR file names are there."""
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd

from ..jobs import files
from .maps import MapError, is_whole_mrc
from .plain_header import HEADER_BYTES, PlainHeader, plain_header

PathLike = Union[str, Path]
IMAGE, WEIGHTS, VISIBLE = 'rlnImageName', 'rlnCtfImage', 'rlnTomoVisibleFrames'
#: How the names of CTF volumes of 3D subtomos end.
PLAIN_CTF = '_ctf.mrc'
#: Images whose voxels are read, evenly taken from all: of the others, headers and sizes are looked at. Fewer where that
#: would be more than MOST_BYTES of large images, but a few at least.
MOST_READ, FEWEST_READ, MOST_BYTES = 1000, 20, 2e9
#: How far the statistics in a header may be off, as a part of the deviation: they are those before images were rounded to
#: 16 bits (measured on RELION 5.1: 1e-5).
STATISTICS_TOLERANCE = 5e-5
_FORMAT = ':mrcs'
_KINDS: Dict[int, 'np.dtype[Any]'] = {2: np.dtype('<f4'), 12: np.dtype('<f2')}


def torn_images(folder: PathLike) -> List[str]:
    """Paths of the images that an extraction which was cut off left half-written, or without the other of their pair.

    RELION's --only_do_unfinished looks only whether the first of a particle's files is there.
    """
    found = [os.path.join(place, name) for place, _, names in os.walk(Path(folder, files.SUBTOMOGRAMS)) for name in names]
    torn = {path for path in found if not is_whole_mrc(path)}
    whole = set(found) - torn
    for path in found:
        torn.update(path for one, other in files.IMAGE_PAIRS for this, that in ((one, other), (other, one))
                    if path.endswith(this) and path[:-len(this)] + that not in whole)
    return sorted(torn)


def first_wrong_image(rows: pd.DataFrame, box: int, is_2d: bool) -> str:
    """The first image (or its weights) that is not there, not whole or of another size, as a message; '' for none.

    rows: of a particles STAR. box: pixels. is_2d: stacks with an image for each visible frame, else volumes.
    """
    paths = [_path(name) for name in rows[IMAGE]]
    wrong = _first_wrong(paths, [(box, box, depth) for depth in _depths(rows, box, is_2d)])
    if wrong or is_2d or WEIGHTS not in rows:
        return wrong
    weights = [_path(name) for name in rows[WEIGHTS]]
    # Weights and multiplicities lie one behind the other; of a plain CTF there is one volume
    return _first_wrong(weights, [(box // 2 + 1, box, box if path.endswith(PLAIN_CTF) else 2 * box) for path in weights])


def first_damaged_image(rows: pd.DataFrame, is_2d: bool, statistics: bool = True) -> str:
    """The first image (or its weights) whose voxels are wrong, of at most MOST_READ that are read; '' for none.

    All must be numbers, and, with `statistics`, those whose mean and deviation their header says, so that no block of them
    was lost. relion_particle_subtract keeps the header of the image before: no statistics. Arguments: as for
    first_wrong_image, which has found nothing.
    """
    columns = [IMAGE] if is_2d or WEIGHTS not in rows else [IMAGE, WEIGHTS]
    return next(filter(None, (_first_damaged(rows[column], statistics) for column in columns)), '')


def _path(name: str) -> str:
    path = str(name).rpartition('@')[2]
    return path[:-len(_FORMAT)] if path.endswith(_FORMAT) else path


def _depths(rows: pd.DataFrame, box: int, is_2d: bool) -> Sequence[Optional[int]]:
    if not is_2d:
        return [box] * len(rows)
    if VISIBLE not in rows:
        return [None] * len(rows)
    known: Dict[str, int] = {text: text.count('1') for text in rows[VISIBLE].unique()}
    return [known[text] for text in rows[VISIBLE]]


def _first_wrong(paths: Sequence[str], sizes: Sequence[Tuple[int, int, Optional[int]]]) -> str:
    for path, (width, height, depth) in zip(paths, sizes):
        try:
            header = _read_header(path)
        except MapError as error:
            return str(error)
        if header.size[:2] != (width, height) or depth not in (None, header.size[2]):
            return '%s has %d x %d x %d pixels, and %d x %d x %s were expected' % (
                (path,) + header.size + (width, height, 'any' if depth is None else depth))
    return ''


def _read_header(path: str) -> PlainHeader:
    """Raises MapError for a file that is not there, or not whole."""
    try:
        header = plain_header(path)
        if header is None and os.path.getsize(path) >= HEADER_BYTES:
            raise MapError('%s is not an image as RELION writes it: its header was overwritten' % path)
    except OSError as error:
        raise MapError('%s is not there (%s)' % (path, error.strerror)) from error
    if header is None:
        raise MapError('%s is not whole: its header is cut' % path)
    if header.there != header.needed:
        raise MapError('%s is not whole: it has %d bytes, and its header (%d x %d x %d, mode %d) asks for %d'
                       % ((path, header.there) + header.size + (header.mode, header.needed)))
    return header


def _first_damaged(names: 'pd.Series[Any]', statistics: bool) -> str:
    if not len(names):
        return ''
    room = int(MOST_BYTES // _read_header(_path(names.iloc[0])).needed)
    number = min(len(names), MOST_READ, max(FEWEST_READ, room))
    chosen = names.iloc[np.unique(np.linspace(0, len(names) - 1, number).astype(int))]
    return next(filter(None, (_damage(_path(name), statistics) for name in chosen)), '')


def _damage(path: str, statistics: bool) -> str:
    header = _read_header(path)
    if header.mode not in _KINDS:
        return '%s has whole numbers for voxels (mode %d), which RELION does not write' % (path, header.mode)
    data = np.fromfile(path, _KINDS[header.mode], offset=header.start).astype(np.float64)
    mean, deviation = data.mean(), data.std()
    if not np.isfinite(deviation):
        return '%s holds values that are no numbers (nan or inf)' % path
    _, _, told_mean, told_deviation = header.told
    if statistics and max(abs(mean - told_mean), abs(deviation - told_deviation)) > STATISTICS_TOLERANCE * max(
            deviation, told_deviation):
        return ('%s: mean and deviation of its voxels are %.6g and %.6g, and its header says %.6g and %.6g: a part of it '
                'was lost' % (path, mean, deviation, told_mean, told_deviation))
    return ''
