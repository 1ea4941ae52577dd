"""Boxes of particles against the tilt images that they are cut from."""
from ..geometry import good_box_size
from ..results.maps import MapError, read_header
from ..star import StarError, read_star, require_columns
from .maps import checkFile, plainName

#: damaged files that are named
MOST_MISSING = 3


def stacksOf(tomogramsStar, tomograms=None):
    """The files with the tilt images of a tomograms.star: path -> the highest number of an image that is used.

    tomograms: how many of them are looked at (default: all). A file of a single image has 0. Raises StarError.
    """
    overview = read_star(tomogramsStar, ['global'])['global']
    require_columns(overview, ['rlnTomoName', 'rlnTomoTiltSeriesStarFile'], tomogramsStar, 'global')
    stacks = {}
    for row in overview[:tomograms].to_dict('records'):
        name, path = row['rlnTomoName'], row['rlnTomoTiltSeriesStarFile']
        images = read_star(path, [name])[name]
        whole = row.get('rlnTomoTiltSeriesName')
        if whole:
            stacks[plainName(whole)] = len(images)
            continue
        require_columns(images, ['rlnMicrographName'], path, name)
        _addStacks(images, stacks)
    return stacks


def _addStacks(images, stacks):
    """Add the files of a tilt-series table, and the highest number of an image in each."""
    for number, _, file in images['rlnMicrographName'].str.rpartition('@').itertuples(index=False):
        file = plainName(file)
        stacks[file] = max(stacks.get(file, 0), int(number or 0))


def firstStack(tomogramsStar):
    """The file of the first tilt image of a tomograms.star. Raises StarError."""
    return next(iter(stacksOf(tomogramsStar, tomograms=1)))


def checkStacks(label, *tomogramsStars):
    """The tilt images that these files name must be there; each file's header is read once."""
    try:
        stacks = {path: number for star in tomogramsStars for path, number in stacksOf(star).items()}
    except (StarError, KeyError) as error:
        return ['*%s*: %s. Extract the particles again.' % (label, str(error).rstrip('.'))]
    return _checkAll(label, stacks)


def checkImages(label, tables):
    """The same for tilt-series tables that are not written yet."""
    stacks = {}
    for table in tables:
        _addStacks(table, stacks)
    return _checkAll(label, stacks)


def _checkAll(label, stacks):
    errors = [message for path, number in stacks.items() for message in _checkStack(label, path, number)]
    return errors[:MOST_MISSING] + (['*%s*: and %d more such files.' % (label, len(errors) - MOST_MISSING)]
                                    if len(errors) > MOST_MISSING else [])


def _checkStack(label, path, number):
    missing = checkFile(label, path)
    if missing:
        return missing
    try:
        header = read_header(path)
    except MapError as error:
        return ['*%s*: %s' % (label, error)]
    if header.size[2] < number:
        return ['*%s*: %s has %d images and number %d of it is used. Bring back the file that the tilt series was '
                'imported with.' % (label, path, header.size[2], number)]
    return []


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


def describeBox(box, pixel, binning):
    """One line on a box, with a hint on its size. pixel: Å, after binning."""
    good = good_box_size(box)
    return 'Box %d pixels of %.4g Å (%.0f Å), binning %.4g, Nyquist %.4g Å%s.' % (
        box, pixel, box * pixel, binning, 2 * pixel, '' if good == box else '; a box of %d is quicker' % good)
