"""A threshold for a solvent mask, found in the map itself, with its reason.

The map is low-pass filtered as RELION's mask creation filters it (the same voxels come out above any threshold). Otsu's
threshold finds the particle, the voxels away from it tell the level and the noise of the solvent, and the suggestion lies
PART of the way from the solvent to the particle, or higher if there is still dust at that level.

How the numbers were found: simulated particles with known densities (averages of 3 to 72 particles at binnings 1 to 4,
half maps, refined and sharpened maps, filtered to 15 to 40 Å). Where the contrast is CONTRAST or more, the region above
the suggestion held 96 % of the particle's mass (median; never less than 80 %), and 0.6 % of it lay outside of the particle;
a tenth of these maps showed dust at every level and got the advice to filter more. Otsu's threshold alone cut off 15 % of
the mass, mean + 2.5 standard deviations up to all of it, and below CONTRAST no method found the particle.
"""
from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import fft, ndimage

PART = 0.25
#: where dust makes a higher level necessary, at most this part of the way
HIGHEST = 0.6
#: beyond this part of the way, weak parts of the particle are lost
_HIGH = 0.4
_LEVELS = 16
#: density of the particle above that of the solvent, in standard deviations of the solvent
CONTRAST = 5.0
#: dust: pieces smaller than this part of the largest; what part of all voxels above the threshold it may be
_SPECK, DUST = 0.05, 0.001
#: part of the sphere in the box that must be left for the solvent, to learn its level from it alone
_ENOUGH_SOLVENT = 0.05
#: voxels across the resolution of a filtered map: more of them only cost time
_FINE_ENOUGH = 4
#: part of the voxels that are 1 in a map that is a mask already (a density hardly ever is 1 to the last digit)
_ONES = 0.001
_OTHER_FILTERS = (20.0, 25.0, 30.0, 40.0, 50.0, 60.0)
#: mean mass density of protein
KDA_PER_A3 = 0.81 / 1000
_BINS = 256


class ThresholdError(ValueError):
    """No threshold parts the particle from the solvent; the message says why and what to do."""


@dataclass(frozen=True)
class Suggestion:
    """A threshold for a map.

    volume: Å³ that it encloses before the mask is extended; mass: kDa of protein of that volume. solvent, particle: grey
    levels of the filtered map; contrast: their difference in standard deviations of the solvent (inf without noise).
    reason: sentences without a full stop at the end. touches_edge: the particle reaches the edge of the box.
    """

    threshold: float
    volume: float
    mass: float
    solvent: float
    particle: float
    contrast: float
    reason: str
    touches_edge: bool


def low_pass(data: ArrayLike, pixel: float, resolution: float, size: Optional[int] = None) -> np.ndarray:
    """The cubic map (Z, Y, X) filtered to `resolution` Å as relion_mask_create does; unchanged where that is not above 0.

    pixel in Å. RELION rounds the resolution to a Fourier shell and lets a raised cosine fall from 1 to 0 over the two
    shells around it. size: edge of the result in voxels, even and not above that of the map: the same box, sampled
    coarser, which loses nothing where the resolution is coarser than two of its voxels.
    """
    volume = np.asarray(data, dtype=np.float32)
    if resolution <= 0:
        return volume
    edge = len(volume)
    size = edge if size is None else size
    spectrum = fft.rfftn(volume)
    # every frequency that the coarser grid has; its last one has no partner there, and is filtered away
    rows = np.r_[0:(size + 1) // 2, edge - size // 2:edge]
    spectrum = spectrum[np.ix_(rows, rows, np.arange(size // 2 + 1))]
    whole, half = fft.fftfreq(size, 1 / size), np.arange(size // 2 + 1)
    shell = np.sqrt(whole[:, None, None] ** 2 + whole[:, None] ** 2 + half ** 2)
    beyond = np.clip((shell - np.floor(edge * pixel / resolution + 0.5) + 1) / 2, 0, 1)
    spectrum *= (0.5 + 0.5 * np.cos(np.pi * beyond)).astype(np.float32)
    return fft.irfftn(spectrum, (size,) * 3) * np.float32((size / edge) ** 3)


def suggest_threshold(data: ArrayLike, pixel: float, lowpass: float) -> Suggestion:
    """The threshold for a mask around the particle in a cubic map (Z, Y, X; protein is positive), and why.

    pixel in Å; lowpass: the filter of the mask creation in Å, 0 or less for none. Raises ThresholdError where the particle
    does not stand out, with a filter at which it does if there is one.
    """
    volume = np.asarray(data, dtype=np.float32)
    if volume.ndim != 3 or len(set(volume.shape)) != 1:
        raise ThresholdError('the map has %s voxels and is no cube' % ' x '.join(map(str, volume.shape)))
    if not np.ptp(volume) > 0:
        raise ThresholdError('all voxels of the map have the same value, %.3g' % volume.flat[0])
    if _is_mask(volume):
        return _of_mask(volume, pixel, lowpass)
    found, contrast = _try(volume, pixel, lowpass)
    if found is not None:
        return found
    why = ('its density is %.1f standard deviations of the solvent above it, and %g are needed' % (contrast, CONTRAST)
           if contrast < CONTRAST else 'every level that shows the particle shows dust around it as well')
    raise ThresholdError('%s the particle does not stand out from the noise (%s). %s' % (
        'filtered to %g Å,' % lowpass if lowpass > 0 else 'not filtered,', why, _advice(volume, pixel, lowpass)))


def _is_mask(volume: np.ndarray) -> bool:
    return bool(volume.min() >= 0 and volume.max() <= 1 and np.count_nonzero(volume == 1) > _ONES * volume.size)


def _of_mask(volume: np.ndarray, pixel: float, lowpass: float) -> Suggestion:
    inside = low_pass(volume, pixel, lowpass) > 0.5
    return _suggestion(0.5, inside, pixel, (0.0, 1.0), np.inf, 'the map is a mask already: half-way up its edge')


def _advice(volume: np.ndarray, pixel: float, lowpass: float) -> str:
    for other in _OTHER_FILTERS:
        if other > max(lowpass, 2 * pixel) and _try(volume, pixel, other)[0] is not None:
            return 'Filter the map to %g Å or coarser, or choose a threshold in a viewer.' % other
    if _try(-volume, pixel, max(lowpass, 4 * pixel))[0] is not None:
        return 'The particle seems to be dark on a bright background: give a map in which it is bright (positive).'
    return 'Choose a threshold in a viewer, or a map of more particles.'


def _try(volume: np.ndarray, pixel: float, lowpass: float) -> Tuple[Optional[Suggestion], float]:
    """A suggestion, None where the particle cannot be told from the noise; and the contrast."""
    edge = len(volume)
    size = edge
    if lowpass > 0:
        size = min(edge, 2 * int(np.ceil(_FINE_ENOUGH * edge * pixel / lowpass / 2)))
    filtered, voxel = low_pass(volume, pixel, lowpass, size), pixel * edge / size
    ball = _ball(size)
    dense = ball & (filtered > _otsu(filtered[ball]))
    bulk = _largest(dense)
    solvent = _solvent(filtered, ball, _without_dust(dense), max(lowpass / 2 / voxel, 2))
    level, noise, particle = float(np.median(solvent)), float(solvent.std()), float(np.median(filtered[bulk]))
    contrast = (particle - level) / noise if noise > 0 else np.inf
    if contrast < CONTRAST:
        return None, contrast
    digits = 2 - int(np.floor(np.log10(particle - level)))  # three, of the difference that counts
    for step, part in enumerate(np.linspace(PART, HIGHEST, _LEVELS)):
        threshold = round(level + part * (particle - level), digits)
        inside = filtered > threshold
        if _dust(inside) <= DUST:
            reason = '%.0f %% of the way from the solvent (%.3g) to the particle (%.3g), %s' % (
                100 * part, level, particle, 'the lowest level that shows no dust' if step else 'where no dust shows')
            if part > _HIGH:
                reason += '; a coarser low-pass filter would show more of its weak parts'
            return _suggestion(threshold, inside, voxel, (level, particle), contrast, reason), contrast
    return None, contrast


def _suggestion(threshold: float, inside: np.ndarray, voxel: float, levels: Tuple[float, float], contrast: float,
                reason: str) -> Suggestion:
    volume = float(np.count_nonzero(inside)) * voxel ** 3
    touches = touches_edge(_without_dust(inside))
    if touches:
        reason += '. It reaches the edge of the box there: the box is too small, or a neighbour is in it'
    return Suggestion(threshold, volume, volume * KDA_PER_A3, levels[0], levels[1], contrast, reason, touches)


def touches_edge(inside: np.ndarray) -> bool:
    """True where voxels of the outermost layer of the box are set."""
    return any(bool(np.take(inside, place, axis).any()) for axis in range(3) for place in (0, -1))


def _ball(size: int) -> np.ndarray:
    """The sphere that fills the box: in the corners, reconstructions hold amplified noise."""
    axis = np.arange(size) - size // 2
    return (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis ** 2) < (size // 2 - 1) ** 2


def _otsu(values: np.ndarray) -> float:
    """Otsu's threshold (1979): that which makes the variance between the two classes largest."""
    low, high = np.quantile(values, (0.0001, 0.9999))
    counts, edges = np.histogram(values, _BINS, (low, high))
    centres = (edges[1:] + edges[:-1]) / 2
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * centres)[:-1]
    total, whole = counts.sum(), (counts * centres).sum()
    between = (whole * below / total - sums) ** 2 / np.maximum(below * (total - below), 1)
    return float(centres[int(np.argmax(between))])


def _largest(inside: np.ndarray) -> np.ndarray:
    """The largest connected piece."""
    labels, sizes = _pieces(inside)
    return labels == sizes.argmax()


def _pieces(inside: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """The number of the connected piece of each voxel, and the voxels of each number (0: those in no piece, counted 0)."""
    labels, _ = ndimage.label(inside)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels, sizes


def _without_dust(inside: np.ndarray) -> np.ndarray:
    """The pieces that are not much smaller than the largest."""
    labels, sizes = _pieces(inside)
    return (sizes >= max(_SPECK * sizes.max(), 1))[labels]


def _dust(inside: np.ndarray) -> float:
    """What part of the voxels is in pieces much smaller than the largest; 1 where there are none at all."""
    _, sizes = _pieces(inside)
    return float(sizes[sizes < _SPECK * sizes.max()].sum() / sizes.sum()) if sizes.any() else 1.0


def _solvent(filtered: np.ndarray, ball: np.ndarray, dense: np.ndarray, margin: float) -> np.ndarray:
    """Values in the sphere that lie farther than the margin (voxels) from particle and neighbours; if too few, all
    outside of them."""
    away = ball & (ndimage.distance_transform_edt(~dense) > margin)
    if np.count_nonzero(away) < _ENOUGH_SOLVENT * np.count_nonzero(ball):
        away = ball & ~dense
    return filtered[away]
