"""Checks that come before a run: each returns messages that name the parameter, the value and the fix.

RELION itself checks little: a wrong pixel size, a mask of another box or particles of other tomograms run to the end
and give a wrong map.
"""
from ..objects import StaParticle
from ..star import StarError, read_star
from .maps import checkFile

#: More positions than this fraction outside of their tomograms are no accident: the pixel size or the tomograms are
#: wrong. A few come from picking at the edge.
OUTSIDE_TOLERANCE = 0.1


def checkParticles(label, particles, extracted=True):
    """A set of particles must be complete: its files are there and its tomograms are known."""
    if particles.getSize() == 0:
        return ['*%s*: the set has no particles. Choose another set.' % label]
    errors = []
    tomograms, stars = particles.getTomogramsStars(), particles.getParticlesStars()
    if not stars:
        errors.append('*%s*: the set does not know the STAR file of its particles. Use particles that Extract subtomos '
                      'or a later job of this plugin made.' % label)
    if not tomograms:
        errors.append('*%s*: the set does not know its tomograms (tomograms.star). Extract the particles again.' % label)
    for path in stars + tomograms:
        errors += checkFile(label, path)
    if max(len(stars), len(tomograms)) > 1:
        errors.append('*%s*: the set was joined from %d jobs (%s), and RELION takes particles of one. Join their '
                      'coordinates, tilt series and CTFs, and extract all particles together.'
                      % (label, max(len(stars), len(tomograms)), someOf(stars)))
    if errors:
        return errors
    errors += checkTomograms(label, particles.getTSIds(), tomograms[0]) + checkHalves(label, particles)
    if extracted and not particles.getBoxSize():
        errors.append('*%s*: the particles have no images. Run Extract subtomos on them first.' % label)
    return errors


def checkTomograms(label, tsIds, tomogramsStar):
    """Every particle's tomogram must be in the tomograms.star that the job gets."""
    try:
        known = set(read_star(tomogramsStar, blocks=['global'])['global']['rlnTomoName'])
    except (StarError, KeyError) as error:
        return ['*%s*: %s' % (label, error)]
    return unknownTomograms(label, tsIds, known, 'in ' + tomogramsStar)


def unknownTomograms(label, tsIds, known, where):
    """A message if some of `tsIds` are not in `known`."""
    unknown = sorted(set(tsIds) - set(known))
    if not unknown:
        return []
    return ['*%s*: it has particles of %s, which %s not %s (%s). Choose the tilt series that these particles were '
            'picked in, or take those particles out.'
            % (label, someOf(unknown), 'are' if len(unknown) > 1 else 'is', where, someOf(sorted(known)) or 'none')]


def checkHalves(label, particles):
    """Either all particles have a half set, or none."""
    halves = halfSets(particles)
    if 0 in halves and len(halves) > 1:
        return ['*%s*: some particles have a half set (rlnRandomSubset) and others have none, as in a set that was joined '
                'from before and after a 3D auto-refine. Join sets of one kind.' % label]
    return []


def halfSets(particles):
    """The half sets that occur in a set: 1 and 2, 0 for particles without."""
    return set(particles.getUniqueValues(StaParticle.RANDOM_SUBSET_ATTR))


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
