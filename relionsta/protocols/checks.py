"""Checks that come before a run: each returns messages that name the parameter, the value and the fix.

RELION itself checks little: a wrong pixel size, a mask of another box or particles of other tomograms run to the end
and give a wrong map.
"""
import os

import pandas as pd

from ..convert.bulk import read_columns
from ..convert.errors import ConvertError
from ..convert.job_inputs import check_job_inputs
from ..convert.parts import NAME, TOMOGRAM, check_unique
from ..convert.series import scipion_ts_id
from ..convert.tilt_tables import tilt_tables
from ..objects import StaParticle
from ..star import StarError, read_star, require_columns
from ..star.schemas import check_particles, check_tilt_series, check_tomograms
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
    for path in stars + tomograms + particles.getTrajectoriesStars():
        errors += checkFile(label, path)
    if errors:
        return errors
    errors += checkTomograms(label, particles.getTSIds(), *tomograms) + checkHalves(label, particles)
    errors = errors or checkJoined(label, particles) or checkFiles(label, particles, images=extracted)
    if extracted and not particles.getBoxSize():
        errors.append('*%s*: the particles have no images. Run Extract subtomos on them first.' % label)
    if extracted and not errors and particles.getBoxSize():
        errors = checkImage(label, particles.getFirstItem().getFileName())
    if extracted and particles.getOutdatedBy():
        errors.append('*%s*: their images were cut out before the %s, which has changed the tilt series that they come '
                      'from. Extract the particles again: Analyze Results of that run opens the form, filled in.'
                      % (label, particles.getOutdatedBy()))
    return errors


def checkImage(label, image):
    """The image of a particle must be there: that of an imported set may have stayed behind."""
    path = (image or '').rpartition('@')[2]
    if os.path.isfile(path[:-len(':mrcs')] if path.endswith(':mrcs') else path):
        return []
    return ['*%s*: the images of the particles are not there (%s). Bring them back, or extract the particles again.'
            % (label, image)]


def checkTomograms(label, tsIds, *tomogramsStars):
    """Every particle's tomogram must be in a tomograms.star that the job gets."""
    try:
        known = {scipion_ts_id(name) for path in tomogramsStars
                 for name in read_star(path, blocks=['global'])['global']['rlnTomoName']}
    except (StarError, KeyError) as error:
        return ['*%s*: %s' % (label, error)]
    return unknownTomograms(label, tsIds, known, 'in ' + ' and '.join(tomogramsStars))


def checkJoined(label, particles):
    """Each particle must be in the set once, and files of several jobs must go together."""
    try:
        if len(particles.getParticlesStars()) > 1 or len(particles.getTomogramsStars()) > 1:
            check_job_inputs(particles)
        else:
            columns = read_columns(particles, ['_particleName', '_particlesStar'], enabled_only=True)
            if not len(columns['id']):
                return ['*%s*: all %d particles of the set are disabled. Enable those that you want, or choose another '
                        'set.' % (label, particles.getSize())]
            check_unique(pd.Series(columns['_particleName']), columns['_particlesStar'], str(particles))
    except (ConvertError, StarError) as error:
        return ['*%s*: %s.' % (label, str(error).rstrip('.'))]
    return []


def checkFiles(label, particles, images):
    """Rows, optics and tilt series of the particles must be such that RELION does not crash or go wrong in silence.

    images: the particles must have some. Rows of the files that are not in the set are not looked at.
    """
    attributes = ['_particleName', StaParticle.PARTICLES_STAR_ATTR, StaParticle.TOMOGRAMS_STAR_ATTR]
    columns = read_columns(particles, attributes[:2], optional=attributes[2:], enabled_only=True)
    items = pd.DataFrame({name: columns.get(name, '') for name in attributes}).fillna('')
    try:
        for (star, tomograms), some in items.groupby(attributes[1:], sort=False):
            _checkRows(star, tomograms or particles.getTomogramsStar(), some[attributes[0]], images)
    except (ConvertError, StarError) as error:
        return ['*%s*: %s. Mend the file, or take particles from a new run of Extract subtomos.'
                % (label, str(error).rstrip('.'))]
    return []


def _checkRows(star, tomogramsStar, names, images):
    """The rows of these particles in a particles STAR, and their tilt series."""
    blocks = read_star(star)
    rows = blocks.get('particles', pd.DataFrame())
    require_columns(rows, [NAME, TOMOGRAM], star, 'particles')
    rows = rows[rows[NAME].isin(names)]
    if len(rows) < len(names):
        raise ConvertError('%d of %d particles are not in %s; the file was changed after the set was made'
                           % (len(names) - len(rows), len(names), star))
    overview = read_star(tomogramsStar, ['global'])['global']
    check_tomograms(overview, tomogramsStar)
    overview = overview[overview[TOMOGRAM].isin(rows[TOMOGRAM])]
    tilts = {}
    # Jobs on the particles' images need the directions of the tilts only, which matrices without shifts have too.
    for row, table, file in tilt_tables(overview, tomogramsStar, matrices=images):
        check_tilt_series(table, row[TOMOGRAM], file, whole_stack='rlnTomoTiltSeriesName' in row)
        tilts[row[TOMOGRAM]] = len(table)
    # A column rlnMicrographName does not go to RELION (see convert/parts.py).
    check_particles({**blocks, 'particles': rows.drop(columns='rlnMicrographName', errors='ignore')}, star, overview, tilts,
                    optics=True, images=images)


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
    if values.get('do_blush') and not build.has_blush:
        errors.append('*Use Blush regularisation?*: Yes, and %s is without it: the program relion_python_blush is missing. '
                      "Choose No, or set RELION_HOME to a RELION with its Python modules." % build.describe())
    return errors


def idleRanks(ranks, pieces, what):
    """A message where there are more MPI processes than pieces of work: RELION gives each whole ones."""
    if ranks <= pieces:
        return []
    return ['*MPIs*: %d, and there are only %d %s: RELION gives each process whole ones, so %d would have nothing to do.'
            % (ranks, pieces, what, ranks - pieces)]


def someOf(names, most=5):
    """Names for a message: at most `most` of them and how many more."""
    names = list(names)
    return ', '.join(names[:most]) + (' and %d more' % (len(names) - most) if len(names) > most else '')
