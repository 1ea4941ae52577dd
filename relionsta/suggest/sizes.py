"""Binning, boxes, masks and the room that they take. Lengths in Å; boxes in pixels after binning."""
import math
from typing import List

from ..amounts import bytes_text
from ..geometry import even_size, good_box_size
from .suggestion import Suggested

#: Width of the box / diameter of the particle.
SMALLEST, LARGEST = 1.5, 2.0
#: Part of the box that the mask diameter takes: leaves the corners, where there is only noise and neighbours.
DIAMETER_OF_BOX = 0.9
#: Pixels across the particle at the first alignment: 46 of a ribosome show its two subunits and are quick.
PIXELS_ACROSS = 30
BINNINGS = (8, 4, 2, 1)
#: Width of the box in which defocus and motion are fitted / that of the particles: signal that defocus spread counts.
ESTIMATION = 1.5
#: Pixel sizes of the particles are told apart beyond this part of them.
_SAME = 1e-3
#: Bytes that relion_refine takes without any map.
_PROGRAM = 30e6


def quick_boxes(low: float, high: float) -> List[int]:
    """Sizes from `low` to `high` pixels that are multiples of 4 without a prime factor above 7: quick to transform, also
    at half the binning and when cropped."""
    return [size for size in range(4 * math.ceil(low / 4 - 1e-9), int(high + 1e-9) + 1, 4) if _largest_factor(size) <= 7]


def _largest_factor(size: int) -> int:
    largest, factor = 1, 2
    while size > 1:
        while size % factor == 0:
            largest, size = factor, size // factor
        factor += 1
    return largest


def suggest_binning(diameter: float, pixel: float) -> Suggested:
    """The coarsest of the usual binnings at which the particle is still wide enough to be aligned.

    diameter: of the particle, Å; pixel: of the tilt images, Å.
    """
    binning = next((one for one in BINNINGS if diameter / (pixel * one) >= PIXELS_ACROSS), BINNINGS[-1])
    across = diameter / (pixel * binning)
    return Suggested(float(binning), 'the particle (%g Å) is then %.0f pixels of %.4g Å wide%s' % (
        diameter, across, pixel * binning,
        ', coarse enough to be quick' if across >= PIXELS_ACROSS else '; there are no finer ones'))


def suggest_box(diameter: float, pixel: float) -> Suggested:
    """The box in pixels of a particle of `diameter` Å at `pixel` Å: the first good size from 1.5 times its width."""
    _positive(diameter=diameter, pixel=pixel)
    across = diameter / pixel
    box = good_box_size(SMALLEST * across)
    others = [size for size in quick_boxes(SMALLEST * across, LARGEST * across) if size != box]
    more = '; %g to %g times is usual%s' % (SMALLEST, LARGEST, ', and %s are quick as well'
                                            % ', '.join(map(str, others)) if others else '')
    return Suggested(box, '%.0f Å at %.4g Å per pixel (Nyquist %.4g Å), %.2f times the particle (%g Å, %.0f pixels)%s' % (
        box * pixel, pixel, 2 * pixel, box / across, diameter, across, more))


def suggest_box_again(box: int, before: float, pixel: float) -> Suggested:
    """The box in pixels of `pixel` Å that is as wide as one of `box` pixels of `before` Å."""
    _positive(box=box, before=before, pixel=pixel)
    if abs(before - pixel) <= _SAME * before:
        return Suggested(box, 'as before, %.0f Å' % (box * pixel))
    again = good_box_size(box * before / pixel)
    return Suggested(again, '%.0f Å at %.4g Å per pixel (Nyquist %.4g Å), as wide as the %d pixels of %.4g Å before' % (
        again * pixel, pixel, 2 * pixel, box, before))


def suggest_precrop(box: int, pixel: float, defocus: float, voltage: float) -> Suggested:
    """The box in Å in which the CTF is corrected, before the images are cropped to `box` pixels of `pixel` Å.

    Defocus z spreads signal of resolution d over lambda z / d to each side; d is Nyquist. defocus: Å, of the images that
    are farthest out of focus; voltage: kV.
    """
    _positive(box=box, pixel=pixel, voltage=voltage)
    spread = electron_wavelength(voltage) * abs(defocus) / (2 * pixel)
    wide = good_box_size(box + 2 * spread / pixel) * pixel
    return Suggested(round(wide, 1), 'at %.2g µm defocus signal of %.3g Å is spread %.0f Å to each side of the box (%.0f Å)'
                     % (abs(defocus) / 1e4, 2 * pixel, spread, box * pixel))


def electron_wavelength(voltage: float) -> float:
    """De Broglie wavelength in Å of electrons of `voltage` kV, relativistic: h / sqrt(2 m e V (1 + e V / 2 m c^2))."""
    volts = voltage * 1e3
    return 12.2643 / math.sqrt(volts * (1 + 0.978476e-6 * volts))


def suggest_mask_diameter(box: int, pixel: float) -> Suggested:
    """Diameter in Å of the sphere outside of which particles are masked: 90 % of the box, down to a round number."""
    _positive(box=box, pixel=pixel)
    exact = DIAMETER_OF_BOX * box * pixel
    step = 10 if exact >= 100 else 1
    return Suggested(float(step * math.floor(exact / step + 1e-9) or exact),
                     '%.0f %% of the box (%d pixels of %.4g Å = %.0f Å)' % (100 * DIAMETER_OF_BOX, box, pixel, box * pixel))


def suggest_estep_limit(pixel: float) -> Suggested:
    """Resolution in Å to which particles are compared: all that this pixel size holds."""
    _positive(pixel=pixel)
    return Suggested(round(2 * pixel, 2), 'Nyquist of particles of %.4g Å per pixel' % pixel)


def suggest_estimation_box(box: int, pixel: float, tilt_pixel: float) -> Suggested:
    """Box in pixels of the tilt images (`tilt_pixel` Å) in which defocus and motion are fitted; that of the particles is
    `box` pixels of `pixel` Å."""
    _positive(box=box, pixel=pixel, tilt_pixel=tilt_pixel)
    unbinned = box * pixel / tilt_pixel
    wide = good_box_size(even_size(ESTIMATION * unbinned))
    return Suggested(wide, '%.0f Å, wider than the box of the particles (%.0f Å, %.0f of these pixels), for the signal that '
                           'defocus has spread' % (wide * tilt_pixel, box * pixel, unbinned))


def disk_bytes(particles: int, tilts: float, box: int, float16: bool = True, stacks: bool = True) -> float:
    """Bytes of the extracted images: 2D stacks hold one image per tilt, pseudo-subtomos two volumes each (image, weights
    and multiplicity are halves of them)."""
    pixels = float(box) ** 2 * tilts if stacks else 2. * float(box) ** 3
    return particles * pixels * (2 if float16 else 4)


def refine_memory_bytes(box: int, classes: int = 1, padding: int = 2) -> float:
    """Memory in bytes of one process of relion_refine, beside the images, at full resolution.

    Half a padded cube in double precision of the transform and of the sums (complex) and of the weights (real) is 40 bytes
    for every second voxel. RELION 5.1 was seen to take 0.8 of that for each class, 0.9 for work in common, and itself.
    """
    return (padding * float(box)) ** 3 / 2 * 40 * (0.8 * classes + 0.9) + _PROGRAM


def describe_room(particles: int, tilts: float, box: int, float16: bool = True, stacks: bool = True) -> str:
    """One line on disk and memory that particles of this box take."""
    disk, memory = disk_bytes(particles, tilts, box, float16, stacks), refine_memory_bytes(box)
    return '%d particles%s take about %s on disk, and each process of a refinement about %s of memory for one class.' % (
        particles, ' of %.3g images' % tilts if stacks else '', bytes_text(disk), bytes_text(memory))


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError('the %s must be above 0, not %r' % (name.replace('_', ' '), value))
