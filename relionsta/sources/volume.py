"""The tomogram of a series: is it of these images, what is its voxel size, how do its axes lie?"""
import math
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

from .mrc import read_mrc_header
from .text import SourceError

_FIX = 'Reconstruct it again, or move it away to import the series without a tomogram.'
_UNEQUAL = 0.002


@dataclass(frozen=True)
class Volumes:
    """A tomogram, its halves from even and odd frames (None where absent), its voxel size (Angstrom), size nx, ny, nz
    of the file and flip_vol (see TiltSeriesRecord)."""

    path: Optional[Path] = None
    even: Optional[Path] = None
    odd: Optional[Path] = None
    voxel_size: Optional[float] = None
    size: Optional[Tuple[int, int, int]] = None
    flip_vol: Optional[int] = None


def aligned_size(image_size: Tuple[int, int], rot: float) -> Tuple[int, int]:
    """nx, ny (unbinned px) of the aligned images: AreTomo exchanges X and Y where the tilt axis (rot, deg) is nearer to
    the X axis of the image, that is |sin rot| > 0.707."""
    return (image_size[1], image_size[0]) if abs(math.sin(math.radians(rot))) > 0.707 else image_size


def find_volumes(folder: Path, name: str, aligned: Tuple[int, int], pixel_size: float, flip_vol: Optional[int],
                 notes: List[str]) -> Volumes:
    """The tomogram of series `name`, <name>_Vol.mrc, and its halves; empty where there is none.

    aligned: nx, ny of the aligned images in px of pixel_size Angstrom. flip_vol: None means, guess from the sizes.
    AreTomo makes N px into n = int(N / binning) / 2 * 2 voxels that still cover the whole image, so the true binning is
    N / n; the voxel size is the mean of X and Y.
    Raises SourceError where the sizes fit no binning of these images, or another order of axes than flip_vol says, or
    where a half has another size.
    """
    path = folder / (name + '_Vol.mrc')
    if not path.exists():
        return Volumes(flip_vol=flip_vol)
    size = read_mrc_header(path, _FIX).size
    flip_vol = _checked_flip(path, size, aligned, flip_vol, notes)
    in_plane = size[2] if flip_vol == 0 else size[1]
    binning = aligned[0] / size[0], aligned[1] / in_plane
    mean = sum(binning) / 2
    if abs(binning[0] - binning[1]) > _UNEQUAL * mean:
        notes.append('%s: the binning is %.4f in X and %.4f in Y; their mean is used.' % ((path.name,) + binning))
    if flip_vol != 1:
        notes.append("%s: made with FlipVol %d, so it is %s of what RELION reconstructs; picks made in it do not fit "
                     "RELION's axes." % (path.name, flip_vol, 'a mirror image' if flip_vol == 2 else 'a turned copy'))
    halves = [folder / (name + end) for end in ('_EVN_Vol.mrc', '_ODD_Vol.mrc')]
    there = [_check_half(half, size) for half in halves if half.exists()]
    if len(there) == 1:
        notes.append('%s: the other half tomogram is missing; neither is used.' % there[0].name)
    even, odd = there if len(there) == 2 else (None, None)
    return Volumes(path, even, odd, pixel_size * mean, size, flip_vol)


def _checked_flip(path: Path, size: Tuple[int, int, int], aligned: Tuple[int, int], flip_vol: Optional[int],
                  notes: List[str]) -> int:
    """flip_vol, guessed where it is None; SourceError where the sizes do not allow it."""
    fits = {0: _same_binning(aligned, (size[0], size[2])), 1: _same_binning(aligned, (size[0], size[1]))}
    what = '%s: %d x %d x %d voxels and aligned images of %d x %d px' % ((path,) + size + aligned)
    if flip_vol is None and fits[0] != fits[1]:
        guess = 0 if fits[0] else 1
        mirrored = '' if guess == 0 else ' or 2, and 1 is taken (with 2 the tomogram is mirrored: give flip_vol)'
        notes.append('%s: FlipVol is unknown; from the sizes it is %d%s.' % (path.name, guess, mirrored))
        return guess
    if flip_vol is None:
        problem = 'fit FlipVol 0 and FlipVol 1' if fits[0] else 'do not fit'
        raise SourceError('%s %s, and no session file says which FlipVol was used. Give flip_vol, or move the tomogram '
                          'away.' % (what, problem))
    axes = min(flip_vol, 1)
    if not fits[axes]:
        hint = ('It looks like FlipVol %d: give flip_vol, if the session file is of another run.' % (1 - axes)
                if fits[1 - axes] else _FIX)
        raise SourceError('%s do not fit with FlipVol %d. %s' % (what, flip_vol, hint))
    return flip_vol


def _same_binning(full: Tuple[int, int], part: Tuple[int, int]) -> bool:
    """Is there a binning b >= 1 with n = int(N / b) / 2 * 2 on both axes? Then n <= N / b < n + 2, so that
    N / (n + 2) < b <= N / n (unbinned images may keep an odd size)."""
    low = max(whole / (binned + 2) for whole, binned in zip(full, part))
    high = min(whole / binned for whole, binned in zip(full, part))
    return low < high and high >= 1


def _check_half(path: Path, size: Tuple[int, int, int]) -> Path:
    found = read_mrc_header(path, _FIX).size
    if found != size:
        raise SourceError('%s: %d x %d x %d voxels, the tomogram has %d x %d x %d. %s'
                          % ((path,) + found + size + (_FIX,)))
    return path
