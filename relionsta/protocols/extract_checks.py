"""Checks on the inputs of Extract subtomos."""
from ..convert.coordinates import coordinates_table
from ..convert.errors import ConvertError
from ..convert.poses import COORDINATES
from ..convert.positions import outside_of_tomograms, tomogram_table
from ..convert.tilt_series import tomogram_tables
from ..objects import SetOfStaParticles
from ..star import StarError
from . import checks
from .boxes import checkBoxFits, checkStacks, firstStack, stackSize
from .extract_form import BY_ANGSTROM, BY_DIAMETER
from .maps import checkFile, plainName
from .real_subtomos import checkRealSubtomos

SOURCE = 'Coordinates or particles'
#: Binning is computed from Å and pixels: what is nearer to 1 than this is 1.
ROUNDING = 0.001
#: missing files that a message names
MOST_MISSING = 3


def checkSource(protocol):
    """Messages on the inputs of an extraction: what they are, whether they belong together, and the box."""
    source, series, ctfs = protocol.inputCoordinates.get(), protocol.inputTiltSeries.get(), protocol.inputCtfs.get()
    again = isinstance(source, SetOfStaParticles)
    if source.getSize() == 0:
        return ['*%s*: the set is empty. Choose another set.' % SOURCE]
    if again:
        errors = checks.checkParticles(SOURCE, source, extracted=False)
        if errors:
            return errors
        if series is None:
            stars = source.getTomogramsStars()
            return (checkStacks(SOURCE, *stars) or _checkBox(protocol, stackSize(firstStack(stars[0])))
                    or checkRealSubtomos(protocol))
    if series is None:
        return ['*Tilt series*: empty, and coordinates alone do not know their tilt images. Choose the aligned tilt '
                'series that these coordinates belong to.']
    if ctfs is None:
        return ['*CTFs*: empty, and RELION needs the defocus of every image. Choose the CTFs of these tilt series.']
    errors = checks.unknownTomograms(SOURCE, source.getTSIds(), series.getTSIds(), 'in the tilt series')
    if not errors:
        errors = checks.unknownTomograms('CTFs', source.getTSIds(), ctfs.getTSIds(), 'in the CTFs')
    return (errors or _checkStacks(series, source.getTSIds())
            or _checkBox(protocol, stackSize(_stackOf(series.getFirstItem())))
            or _checkSeries(protocol) or checkRealSubtomos(protocol) or ([] if again else _checkPositions(source)))


def lostMotionWarning(protocol):
    """A message where particles have trajectories that do not fit the tilt series that were chosen."""
    if protocol.keepsTrajectories() or not protocol.inputCoordinates.get().getTrajectoriesStar():
        return []
    return ['*Tilt series*: the particles have trajectories (Bayesian polishing), fitted with other tilt series; they will '
            'be left out. Leave this empty to extract the particles with the tilt series that they know.']


def outsideWarning(coordinates):
    """A message where some positions lie outside of their tomograms, fewer than are refused."""
    table, outside = _outside(coordinates)
    if not outside.any() or outside.mean() > checks.OUTSIDE_TOLERANCE:
        return []
    return ['*%s*: %d of %d positions lie outside of their tomograms; RELION will leave most of them out.'
            % (SOURCE, outside.sum(), len(table))]


def _checkStacks(series, tsIds):
    """The images of every tilt series that is needed must be there."""
    missing = [message for one in series.iterItems() if one.getTsId() in tsIds
               for message in checkFile('Tilt series', _stackOf(one))]
    return missing[:MOST_MISSING]


def _stackOf(oneSeries):
    """The file with the images of a tilt series."""
    return plainName(oneSeries.getFirstItem().getFileName())


def _checkSeries(protocol):
    """The tilt series and their CTFs must hold all that RELION needs: it runs without, and on wrong numbers."""
    try:
        tomogram_tables(protocol.inputTiltSeries.get(), protocol.inputCtfs.get(),
                        ts_ids=protocol.inputCoordinates.get().getTSIds())
    except (ConvertError, StarError) as error:
        return ['*Tilt series*: %s.' % str(error).rstrip('.')]
    return []


def _checkBox(protocol, size):
    """RELION makes up values beyond the resolution of the images, and drops all particles of too wide a box.

    size: width and height of the tilt images, pixels; None where unknown.
    """
    binning, pixel = protocol.getBinning(), protocol.getTiltSeriesPixelSize()
    label = 'Box size (A)' if protocol.sizesBy.get() == BY_ANGSTROM else 'Binning'
    errors = _checkDiameter(protocol) if protocol.sizesBy.get() == BY_DIAMETER else []
    if errors:
        return errors
    if label == 'Binning' and binning is None:
        return ['*Binning*: empty. Give a number: 4 or 8 to start with.']
    if label == 'Binning' and binning <= 0:
        return ['*Binning*: %g, which is impossible. Give 1 or more.' % binning]
    edge = protocol.getBox() * binning * pixel if binning else 0
    if edge <= 0:
        return []  # the job's own checks tell it
    if binning < 1 - ROUNDING:
        return ['*%s*: %.4g, so that the particles would have a binning of %.3g and smaller pixels (%.4g Å) than the tilt '
                'images (%.4g Å). Choose a larger box in Å, a binning of 1 or more, or fewer pixels.'
                % (label, binning if label == 'Binning' else edge, binning, binning * pixel, pixel)]
    return checkBoxFits(label, edge, size, pixel)


def _checkDiameter(protocol):
    """A box must follow from the particle, or from the box that it had before."""
    label, diameter = '*Diameter of the particle (Å)*', protocol.particleDiameter.get()
    source = protocol.inputCoordinates.get()
    if diameter is not None:
        return [] if diameter > 0 else ['%s: %g, and it must be above 0. Correct it.' % (label, diameter)]
    if isinstance(source, SetOfStaParticles) and source.getBoxSize():
        return []
    return ['%s: empty, and the box follows from it. Give the longest extent of the particle, or choose another way in '
            '"Sizes are given as".' % label]


def _checkPositions(coordinates):
    """Positions must lie in their tomograms: RELION never looks."""
    try:
        table, outside = _outside(coordinates)
    except ConvertError as error:
        return ['*%s*: %s.' % (SOURCE, str(error).rstrip('.'))]
    if outside.mean() <= checks.OUTSIDE_TOLERANCE:
        return []
    worst = table.loc[outside, 'rlnTomoName'].value_counts().index[0]
    return ['*%s*: %d of %d positions lie outside of their tomograms (most in %s). The pixel size of the coordinates '
            '(%.4g Å) or their tomograms are wrong: import them again with the pixel size of the tomogram that they were '
            'picked in.' % (SOURCE, outside.sum(), len(table), worst, coordinates.getSamplingRate())]


def _outside(coordinates):
    """The table of positions and a flag for each that lies outside of its tomogram."""
    table = coordinates_table(coordinates)
    volumes = tomogram_table(coordinates.getPrecedents())
    return table, outside_of_tomograms(table[COORDINATES], table['rlnTomoName'], volumes)
