"""Boxes of particles against the tilt images that they are cut from."""
from ..results.maps import MapError, read_header
from ..star import StarError, read_star
from .maps import plainName


def imageSize(tomogramsStar):
    """Width and height in pixels of the first tilt image of a tomograms.star; None where it cannot be read."""
    try:
        first = read_star(tomogramsStar, ['global'])['global'].iloc[0]
        images = read_star(first['rlnTomoTiltSeriesStarFile'], [first['rlnTomoName']])[first['rlnTomoName']]
        return stackSize(images['rlnMicrographName'].iloc[0].rpartition('@')[2])
    except (StarError, KeyError, IndexError):
        return None


def stackSize(path):
    """Width and height in pixels of the images of a stack, whose name may end with a format (:mrcs); None if unknown."""
    try:
        return read_header(plainName(path)).size[:2]
    except MapError:
        return None


def checkBoxFits(label, box, size, pixel):
    """A box (Å) must be smaller than the tilt images: size in pixels of `pixel` Å, None where unknown.

    RELION drops every particle of too wide a box, without an error.
    """
    if size is None or box < min(size) * pixel:
        return []
    return ['*%s*: %.0f Å, and the tilt images are only %.0f x %.0f Å (%d x %d pixels of %.4g Å). Choose a box well below '
            '%.0f Å.' % ((label, box) + tuple(edge * pixel for edge in size) + tuple(size) + (pixel, min(size) * pixel))]
