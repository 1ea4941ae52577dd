"""Maps and masks as inputs: where they are on disk, and whether RELION can use them with the rest of the input."""
import os
import re

import pyworkflow.utils as pwutils

from ..jobs.files import is_half_pair
from ..names import path_trouble
from ..results.maps import MapError, is_whole_mrc, read_header
from ..results.mask import read_mask

#: Two pixel sizes are the same if they differ by less than this fraction: headers hold 32-bit numbers, and people
#: round to three digits.
PIXEL_TOLERANCE = 0.002
#: A calibration changes a pixel size by less than this fraction.
CALIBRATION_TOLERANCE = 0.1
_FORMAT = ':mrc'
_KIND = re.compile(_FORMAT + r's?\Z')
HALF_LINK = 'half%d.mrc'
_KNOWN_TO_RELION = ('.mrc', '.mrcs', '.map')


def plainName(path):
    """The name of a file on disk: without the format that Scipion and RELION may put behind it (map.vol:mrc)."""
    return _KIND.sub('', path)


def mapFile(volume):
    """Path of a map on disk."""
    return plainName(volume.getFileName() or '')


def relionMap(volume):
    """The name under which RELION reads a map; '' for none. RELION tells the format by the name's ending."""
    if volume is None:
        return ''
    path = mapFile(volume)
    return path if path.endswith(_KNOWN_TO_RELION) else path + _FORMAT


def boxSize(volume):
    """Edge of a cubic map in voxels, from its file; MapError where there is none."""
    return read_header(mapFile(volume)).size[0]


def halfMaps(volume):
    """Paths of the half maps of a volume, [] for none."""
    names = [] if volume is None else (volume.getHalfMaps() or '').split(',')
    return [plainName(name) for name in names if name]


def firstHalf(volume, folder):
    """The half map that RELION is given; it finds the other one by its name. folder: see linkHalves."""
    halves = halfMaps(volume)
    return halves[0] if is_half_pair(*halves) else os.path.join(folder, HALF_LINK % 1)


def linkHalves(volume, folder):
    """Half maps whose names RELION would not understand get links of other names in `folder`."""
    halves = halfMaps(volume)
    if is_half_pair(*halves):
        return
    for number, half in enumerate(halves, start=1):
        pwutils.createAbsLink(os.path.abspath(half), os.path.join(folder, HALF_LINK % number))


def samePixel(one, other):
    """True if two pixel sizes (Å) are the same but for rounding."""
    return abs(one - other) <= PIXEL_TOLERANCE * max(abs(one), abs(other))


def checkFile(label, path):
    """The file of an input must be there."""
    if path and os.path.exists(path):
        return []
    return ['*%s*: the file %s does not exist. Run the protocol that made it again, or choose another input.'
            % (label, path or '(none)')]


def checkMap(label, volume, box=None, pixel=None, whose='the particles'):
    """A map must be there, be a whole cube of even size, and say the pixel size that Scipion says.

    box (pixels), pixel (Å): those that the map must have, of `whose`; None where the map may differ.
    """
    return _checkMapFile(label, mapFile(volume), volume.getSamplingRate(), box, pixel, whose)


def checkHalfMaps(label, volume):
    """A map must have its two half maps, both with the map's box and pixel size."""
    halves, trouble = halfMaps(volume), path_trouble(mapFile(volume))
    if trouble:
        return [_named(label, mapFile(volume), trouble)]
    if len(halves) != 2:
        return ['*%s*: it has no half maps (%s). Choose the output of a 3D auto-refine or of a Reconstruct particle '
                'that made halves: its particles must be split into half sets (rlnRandomSubset).'
                % (label, volume.getFileName())]
    box, rate = boxSize(volume), volume.getSamplingRate()
    return [message for number, half in enumerate(halves, start=1)
            for message in _checkMapFile('%s, half map %d' % (label, number), half, rate, box, rate, 'the map')]


def checkMask(label, mask, box, pixel, whose='the particles'):
    """A mask must be a map of this box and pixel size (Å) with values from 0 to 1, not all of them 0."""
    errors = checkMap(label, mask, box, pixel, whose)
    if errors:
        return errors
    values = read_mask(mapFile(mask))
    if not values.in_range:
        return ['*%s*: the values of %s go from %.3g to %.3g, and those of a mask from 0 to 1. Choose a mask, or make '
                'one from this map with Mask creation.' % (label, mapFile(mask), values.minimum, values.maximum)]
    if values.empty:
        return ['*%s*: %s is empty, all its values are 0. Make it again with a lower threshold.'
                % (label, mapFile(mask))]
    return []


def checkCalibration(label, given, volume):
    """A pixel size (Å) that the user gives instead of the map's own, -1 for none, must be near to it."""
    rate = volume.getSamplingRate()
    if given <= 0 or abs(given / rate - 1) <= CALIBRATION_TOLERANCE:
        return []
    return ['*%s*: %g Å, and the map has %.4g Å. A calibration changes a pixel size by a few per cent: give the pixel '
            'size of this map (-1 takes it from the file).' % (label, given, rate)]


def _checkMapFile(label, path, rate, box, pixel, whose):
    missing, trouble = checkFile(label, path), path_trouble(path)
    if missing or trouble:
        return missing or [_named(label, path, trouble)]
    try:
        header = read_header(path)
    except MapError as error:
        return ['*%s*: %s Choose another map.' % (label, error)]
    if not is_whole_mrc(path):
        return ['*%s*: %s is cut: it has fewer bytes than its header asks for. Run the protocol that made it again, or '
                'choose another map.' % (label, path)]
    return (_checkSize(label, path, header.size) or _checkPixel(label, path, header.voxel[0], rate)
            or checkFits(label, header.size[0], rate, box, pixel, whose))


def _named(label, path, trouble):
    """A message on the name of a file."""
    return '*%s*: the name of the file is %r, and %s.' % (label, path, trouble)


def checkFits(label, box, rate, otherBox, otherPixel, whose):
    """Box (voxels) and pixel size (Å) of a map must be those of `whose`; None where they may differ."""
    errors = []
    if otherBox is not None and box != otherBox:
        errors.append('*%s*: its box is %d voxels and that of %s is %d. Choose a map with a box of %d, or make it again '
                      'from this data.' % (label, box, whose, otherBox, otherBox))
    if otherPixel is not None and not samePixel(rate, otherPixel):
        errors.append('*%s*: its pixel size is %.4g Å and that of %s is %.4g Å. Choose a map with the same pixel size, or '
                      'make it again from this data.' % (label, rate, whose, otherPixel))
    return errors


def _checkSize(label, path, size):
    if len(set(size)) != 1:
        return ['*%s*: %s has %d x %d x %d voxels; RELION needs a cube. Choose another map.' % ((label, path) + size)]
    if size[0] % 2:
        return ['*%s*: %s has an odd box of %d voxels; RELION shifts odd boxes by half a voxel. Bring it to an even box '
                '(%d) first.' % (label, path, size[0], size[0] + 1)]
    return []


def _checkPixel(label, path, inFile, rate):
    if not inFile > 0:
        return ['*%s*: the header of %s has no pixel size, and RELION takes it from there. Import the map again with '
                'its pixel size (Scipion says %.4g Å).' % (label, path, rate)]
    if not samePixel(inFile, rate):
        return ['*%s*: the header of %s says %.4g Å/pixel and Scipion says %.4g. RELION reads the header: import the '
                'map again with its right pixel size.' % (label, path, inFile, rate)]
    return []
