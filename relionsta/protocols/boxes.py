"""Boxes of particles against the tilt images that they are cut from."""
from ..results.maps import MapError, read_header
from ..star import StarError, read_star, require_columns
from .maps import checkFile, plainName


def firstStack(tomogramsStar):
    """The file of the first tilt image of a tomograms.star. Raises StarError."""
    overview = read_star(tomogramsStar, ['global'])['global']
    require_columns(overview, ['rlnTomoName', 'rlnTomoTiltSeriesStarFile'], tomogramsStar, 'global')
    name, path = overview[['rlnTomoName', 'rlnTomoTiltSeriesStarFile']].iloc[0]
    images = read_star(path, [name])[name]
    require_columns(images, ['rlnMicrographName'], path, name)
    return plainName(images['rlnMicrographName'].iloc[0].rpartition('@')[2])


def checkStack(label, tomogramsStar):
    """The tilt images that a tomograms.star names must be there; the first of them stands for all."""
    try:
        return checkFile(label, firstStack(tomogramsStar))
    except StarError as error:
        return ['*%s*: %s. Extract the particles again.' % (label, str(error).rstrip('.'))]


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
