"""Checks that come before a run: each returns messages that name the parameter, the value and the fix.

RELION itself checks little: a wrong pixel size, a mask of another box or particles of other tomograms run to the end
and give a wrong map.
"""
import os

import mrcfile

from ..star import StarError, read_star

#: Two pixel sizes are the same if they differ by less than this fraction: headers hold 32-bit numbers, and people
#: round to three digits.
PIXEL_TOLERANCE = 0.002


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
    path = volume.getFileName()
    missing = checkFile(label, path)
    if missing:
        return missing
    try:
        with mrcfile.open(path, header_only=True, permissive=True) as mrc:
            size = [int(mrc.header.nx), int(mrc.header.ny), int(mrc.header.nz)]
            inFile = float(mrc.voxel_size.x)
    except (ValueError, OSError) as error:
        return ['*%s*: %s is not a readable MRC map (%s). Choose another map.' % (label, path, error)]
    errors = []
    if len(set(size)) != 1:
        errors.append('*%s*: %s has %d x %d x %d voxels; RELION needs a cube. Choose another map.'
                      % ((label, path) + tuple(size)))
    elif size[0] % 2:
        errors.append('*%s*: %s has an odd box of %d voxels; RELION shifts odd boxes by half a voxel. Bring it to an '
                      'even box (%d) first.' % (label, path, size[0], size[0] + 1))
    elif box is not None and size[0] != box:
        errors.append('*%s*: its box is %d voxels and that of %s is %d. Choose a map with a box of %d, or make it '
                      'again from this data.' % (label, size[0], whose, box, box))
    rate = volume.getSamplingRate()
    if inFile > 0 and rate and not samePixel(inFile, rate):
        errors.append('*%s*: the header of %s says %.4g Å/pixel and Scipion says %.4g. RELION reads the header: '
                      'import the map again with its right pixel size.' % (label, path, inFile, rate))
    elif pixel is not None and rate and not samePixel(rate, pixel):
        errors.append('*%s*: its pixel size is %.4g Å and that of %s is %.4g Å. Choose a map with the same pixel '
                      'size, or make it again from this data.' % (label, rate, whose, pixel))
    return errors


def checkHalfMaps(label, volume):
    """A map must have its two half maps, both there."""
    halves = [name for name in (volume.getHalfMaps() or '').split(',') if name]
    if len(halves) != 2:
        return ['*%s*: it has no half maps (%s). Choose the output of a 3D auto-refine or of a Reconstruct particle '
                'that made halves: its particles must be split into half sets (rlnRandomSubset).'
                % (label, volume.getFileName())]
    return [message for half in halves for message in checkFile(label + ', half map', half)]


def checkParticles(label, particles, extracted=True):
    """A set of particles must be complete: its files are there and its tomograms are known."""
    if particles.getSize() == 0:
        return ['*%s*: the set has no particles. Choose another set.' % label]
    errors = []
    tomograms = particles.getTomogramsStars()
    stars = particles.getParticlesStars()
    if not stars:
        errors.append('*%s*: the set does not know the STAR file of its particles. Use particles that Extract subtomos '
                      'or a later job of this plugin made.' % label)
    if not tomograms:
        errors.append('*%s*: the set does not know its tomograms (tomograms.star). Extract the particles again.' % label)
    for path in stars + tomograms:
        errors += checkFile(label, path)
    if errors:
        return errors
    errors += checkTomograms(label, particles.getTSIds(), tomograms)
    if extracted and not particles.getBoxSize():
        errors.append('*%s*: the particles have no images. Run Extract subtomos on them first.' % label)
    return errors


def checkTomograms(label, tsIds, tomogramsStars):
    """Every particle's tomogram must be in the tomograms.star that the job gets."""
    known = set()
    for path in tomogramsStars:
        try:
            known.update(read_star(path, blocks=['global'])['global']['rlnTomoName'])
        except (StarError, KeyError) as error:
            return ['*%s*: %s' % (label, error)]
    return unknownTomograms(label, tsIds, known, 'in ' + ', '.join(tomogramsStars))


def unknownTomograms(label, tsIds, known, where):
    """A message if some of `tsIds` are not in `known`."""
    unknown = sorted(set(tsIds) - set(known))
    if not unknown:
        return []
    return ['*%s*: it has particles of %s, which %s not %s (%s). Choose the tilt series that these particles were '
            'picked in, or take those particles out.'
            % (label, someOf(unknown), 'are' if len(unknown) > 1 else 'is', where, someOf(sorted(known)) or 'none')]


def checkBuild(build, values):
    """What is asked must be in the RELION that is there."""
    errors = []
    if values.get('use_gpu') and not build.has_gpu:
        errors.append('*Use GPU acceleration?*: Yes, and %s was built without GPU support. Choose No, or set '
                      'RELION_HOME to a build with GPU support.' % build.describe())
    if values.get('nr_mpi', 1) > 1 and not build.has_mpi:
        errors.append('*MPIs*: %d, and %s has no MPI programs. Choose 1, or set RELION_HOME to a build with MPI.'
                      % (values['nr_mpi'], build.describe()))
    return errors


def someOf(names, most=5):
    """Names for a message: at most `most` of them and how many more."""
    names = list(names)
    return ', '.join(names[:most]) + (' and %d more' % (len(names) - most) if len(names) > most else '')


def duration(seconds):
    """Seconds as people say them."""
    seconds = int(round(seconds))
    if seconds < 60:
        return '%d s' % seconds
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return '%d h %02d min' % (hours, minutes) if hours else '%d min %02d s' % (minutes, seconds)
