"""What relion_particle_subtract leaves out for subtomograms: new places, new weights, and the way back.

Its STAR file has no data_general. Where images are centred on another point, RELION moves them by whole pixels and
keeps the old coordinates; where they get a smaller box, the weights in Fourier space keep the old one. Both would be
read without an error (measured on RELION 5.1).
"""
import os
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Union

import mrcfile
import numpy as np
import pandas as pd

from relionsta.jobs.files import EXTRACT_FILES
from relionsta.star import read_star, require_columns, write_star
from relionsta.whole import whole

from .errors import ConvertError
from .parts import NAME
from .poses import COORDINATES, ORIGINS, poses_of_rows, set_poses, subtomogram_matrices

PathLike = Union[str, Path]
IMAGE, WEIGHTS, ORIGINAL = 'rlnImageName', 'rlnCtfImage', 'rlnImageOriginalName'
BOX = 'rlnImageSize'
#: Where an extraction keeps its images, under its job folder.
IMAGES_FOLDER = '/Subtomograms/'
#: RELION moves images by whole pixels; what is left must be nearer to one than this.
_WHOLE = 0.05


def centre_of_mass(mask: np.ndarray) -> np.ndarray:
    """(x, y, z) of a mask (z, y, x) in voxels from the centre of its box (voxel N/2), as RELION finds it."""
    axes = [np.arange(size) - size // 2 for size in mask.shape]
    total = mask.sum(dtype=np.float64)
    sums = [mask.sum(axis=tuple(other for other in range(3) if other != axis), dtype=np.float64) for axis in range(3)]
    return np.array([sums[axis] @ axes[axis] / total for axis in (2, 1, 0)])


def finish_subtraction(made: PathLike, source: PathLike, target: PathLike, centre: Optional[Sequence[float]],
                       weights_folder: PathLike) -> int:
    """Make a whole particles STAR of RELION's particles_subtracted.star; returns the number of particles.

    source: the STAR file of the particles before. centre: the point (x, y, z; Å from the centre of the box) on which
    the images were centred, or None. weights_folder: for new weights (made where the box has changed). Raises
    ConvertError where particles were lost or the shifts do not fit the centre.
    """
    blocks, before = read_star(made), read_star(source)
    rows, old = blocks['particles'], before['particles'].set_index(NAME)
    require_columns(rows, [NAME, IMAGE, WEIGHTS, ORIGINAL], made, 'particles')
    lost = set(old.index) - set(rows[NAME])
    if lost:
        raise ConvertError('%s: %d of %d particles are not there, the first of them %s'
                           % (made, len(lost), len(old), sorted(lost)[0]))
    old = old.loc[rows[NAME]].reset_index()
    if centre is not None:
        pixel = blocks['optics'].set_index('rlnOpticsGroup')['rlnImagePixelSize'].loc[rows['rlnOpticsGroup']].to_numpy(float)
        _move_coordinates(rows, old, np.asarray(centre, dtype=np.float64), pixel, made)
    box = int(blocks['optics'][BOX].iloc[0])
    if box != int(before['optics'][BOX].iloc[0]):
        rows[WEIGHTS] = crop_all_weights(rows[WEIGHTS].tolist(), rows[IMAGE].tolist(), box, weights_folder)
    _write(target, before, blocks)
    return len(rows)


def _move_coordinates(rows: pd.DataFrame, old: pd.DataFrame, centre: np.ndarray, pixel: np.ndarray,
                      path: PathLike) -> None:
    """Coordinates follow the centre of the images, which was moved by whole pixels of the subtomograms."""
    positions, A = poses_of_rows(old)
    sub = subtomogram_matrices(old)
    old_coordinates = old[COORDINATES].to_numpy(float)
    new_coordinates = positions + A @ centre + np.einsum('nij,nj->ni', sub, rows[ORIGINS].to_numpy(float))
    moved = np.einsum('nji,nj->ni', sub, new_coordinates - old_coordinates) / pixel[:, None]
    if np.abs(moved - np.round(moved)).max() > _WHOLE:
        raise ConvertError('%s: its images were not moved to the point %s Å from the centre of their boxes'
                           % (path, ', '.join('%.1f' % one for one in centre)))
    rows[COORDINATES] = old_coordinates + np.einsum('nij,nj->ni', sub, np.round(moved) * pixel[:, None])


def crop_all_weights(weights: Sequence[str], images: Sequence[str], box: int, folder: PathLike) -> List[str]:
    """Write the weights for images of a smaller box; returns their paths, named as the images (RELION knows
    pseudo-subtomograms by the ending _weights.mrc)."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    made = []
    for path, image in zip(weights, images):
        target = Path(folder) / (Path(image).stem + '_weights.mrc')
        with mrcfile.open(path) as mrc:
            data, voxel = crop_weights(np.asarray(mrc.data, dtype=np.float64), box), mrc.voxel_size
            kind = mrc.data.dtype
        with whole(target) as partial, mrcfile.new(str(partial), data.astype(kind), overwrite=True) as mrc:
            mrc.voxel_size = voxel
        made.append(os.fspath(target))
    return made


def crop_weights(weights: np.ndarray, box: int) -> np.ndarray:
    """Weights of a pseudo-subtomogram for a smaller box.

    weights: (2 s, s, s / 2 + 1) as RELION keeps them: CTF² and multiplicity, each half a transform with frequency 0 at
    index 0. A pseudo-subtomogram is the particle times the first in Fourier space, so convolved with its transform in
    real space: that one is cropped as the image is. Returns (2 box, box, box / 2 + 1), no value below 0.
    """
    size = weights.shape[1]
    start = size // 2 - box // 2
    part = slice(start, start + box)
    halves = []
    for half in (weights[:size], weights[size:]):
        spread = np.fft.fftshift(np.fft.irfftn(half, s=(size,) * 3, axes=(0, 1, 2)))[part, part, part]
        halves.append(np.fft.rfftn(np.fft.ifftshift(spread)).real)
    return np.maximum(np.concatenate(halves), 0)


def finish_revert(made: PathLike, source: PathLike, target: PathLike) -> int:
    """Make a whole particles STAR of RELION's original.star, in which the particles have their first images again.

    source: the STAR file of the particles before. The particles stay where they are: coordinate, box and weights become
    those with which the images were cut out, and the rest is an origin. Raises ConvertError where the STAR file of that
    extraction is gone or lacks a particle's image.
    """
    blocks, before = read_star(made), read_star(source)
    rows = blocks['particles']
    first = _first_rows(rows[IMAGE], made)
    positions, A = poses_of_rows(rows)
    rows[COORDINATES] = first[COORDINATES].to_numpy(float)
    set_poses(rows, positions, A)
    rows[WEIGHTS] = first[WEIGHTS].to_numpy()
    blocks['optics'][BOX] = int(first[BOX].iloc[0])
    _write(target, before, blocks)
    return len(rows)


def _first_rows(images: 'pd.Series[str]', path: PathLike) -> pd.DataFrame:
    """Coordinates, weights and box with which these images were cut out, from the STAR files of their extractions."""
    tables = []
    for folder in pd.unique(images.str.rpartition(IMAGES_FOLDER)[0]):
        star = os.path.join(str(folder), EXTRACT_FILES['particles'])
        if not folder or not os.path.exists(star):
            raise ConvertError('%s: the extraction of %s is not there any more (%s), so its coordinates are not known'
                               % (path, images.iloc[0], star))
        found = read_star(star, ['optics', 'particles'])
        require_columns(found['particles'], [IMAGE, WEIGHTS] + COORDINATES, star, 'particles')
        tables.append(found['particles'][[IMAGE, WEIGHTS] + COORDINATES].assign(**{BOX: int(found['optics'][BOX].iloc[0])}))
    table = pd.concat(tables, ignore_index=True).drop_duplicates(IMAGE).set_index(IMAGE)
    unknown = images[~images.isin(table.index)]
    if len(unknown):
        raise ConvertError('%s: the image %s is in no STAR file of its extraction' % (path, unknown.iloc[0]))
    result = table.loc[images]
    if result[BOX].nunique() > 1:
        raise ConvertError('%s: the first images of its particles have boxes of %s pixels; revert those of one box at a '
                           'time' % (path, ', '.join(map(str, result[BOX].unique()))))
    return result


def _write(target: PathLike, before: Dict[str, pd.DataFrame], blocks: Dict[str, pd.DataFrame]) -> None:
    """The blocks, behind the data_general that RELION leaves out."""
    general = {'general': before['general']} if 'general' in before else {}
    write_star(target, {**general, **{name: block for name, block in blocks.items() if name != 'general'}})
