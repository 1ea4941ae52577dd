"""The sets that an import from RELION makes: particles, tilt series, CTFs, tomograms and coordinates."""
import os

from pyworkflow.object import Pointer
from tomo.objects import SetOfCoordinates3D, SetOfCTFTomoSeries, SetOfTiltSeries, SetOfTomograms

from ..convert.join_coordinates import fill_coordinates
from ..convert.particles import read_particles
from ..convert.parts import TOMOGRAM
from ..convert.relion_import import IMAGE, plain_path
from ..convert.relion_series import read_tomograms_star
from ..convert.relion_tomograms import append_tomograms, append_unknown, volumes_there
from ..jobs.files import CLASS3D, REFINE3D
from ..jobs.job_star import find_job
from ..objects import STACKS_2D
from ..results.images import first_damaged_image, first_wrong_image
from ..results.iterations import iteration_of
from ..results.sound import older_rows
from ..sources.relion_folder import EXTRACT, job_type
from ..sources.relion_job import changed_since
from ..sources.relion_project import job_of
from ..star import read_star, write_star
from . import checks
from .tool import FOLDER

PARTICLES, SERIES, CTFS, TOMOGRAMS, COORDINATES = ('outputParticles', 'tiltSeries', 'ctfs', 'tomograms',
                                                   'outputCoordinates')

#: Jobs whose tilt series have no alignment.
NOT_ALIGNED = ('relion.importtomo', 'relion.motioncorr.own', 'relion.motioncorr.motioncor2', 'relion.ctffind.ctffind4',
               'relion.excludetilts')


class ImportSetsMixin:
    """For ProtStaImportRelion: `job` is its RelionJob, `brought` what convert.relion_import.bring made of it."""

    def _plan(self, job, brought):
        """Names of the sets that can be made."""
        rows, names = brought.rows, []
        if self.importSeries.get() and brought.usable:
            names += [SERIES, CTFS] if brought.has_ctf else [SERIES]
        if self.importTomograms.get() and brought.overview is not None and volumes_there(brought.overview):
            names.append(TOMOGRAMS)
        if self.importParticles.get() and rows is not None:
            if brought.has_optics:
                names.append(PARTICLES)
            places = brought.overview is not None or (self.tomogramPixel.get() and self._tomogramSize())
            if TOMOGRAMS in names or (IMAGE not in rows and places):
                names.append(COORDINATES)
        return names

    def _tomogramSize(self):
        """X, Y, Z in voxels, or None where the form has none. Raises ValueError."""
        texts = (self.tomogramSize.get() or '').replace(',', ' ').replace('x', ' ').split()
        if not texts:
            return None
        if len(texts) != 3 or not all(text.isdigit() and int(text) for text in texts):
            raise ValueError('"%s", and three numbers above 0 are needed, such as 960 928 464.' % self.tomogramSize.get())
        return tuple(map(int, texts))

    def _leftOut(self, job, brought):
        """Sentences on what is missing or cannot be used, and what that means."""
        told = [one.text() + ('; without it, the particles of the next job count as not moving.'
                              if one.what == 'trajectories' else '.') for one in job.missing]
        if brought.refused_particles:
            told.append('The particles were left out: %s.' % brought.refused_particles.rstrip('.'))
        if brought.cut:
            told.append('The empty line that RELION writes last is missing in %s. Programs that change the files of RELION '
                        'leave it out; but if they were cut, rows are missing: compare.' % checks.someOf(brought.cut))
        told += self._aboutSeries(brought)
        if brought.refused and job.type in NOT_ALIGNED:
            told.append('Tilt series of this job are not aligned yet: import a later job, from Align tilt-series on.')
        rows = brought.rows
        if rows is not None and brought.overview is None and brought.has_optics:
            told.append('No tomograms.star is known for the particles: no RELION job can go on with them. Give it in '
                        '"Tomograms (tomograms.star)".')
        if rows is not None and not brought.has_optics and COORDINATES not in self._plan(job, brought):
            told.append('The picks were left out: nothing tells their tomograms. Give a tomograms.star in "Tomograms '
                        '(tomograms.star)", or pixel size and size of the tomograms.')
        return told + _aboutImages(brought)

    @staticmethod
    def _aboutSeries(brought):
        same = {}
        for name, reason in brought.refused.items():
            same.setdefault(reason.replace(name, '*'), []).append(name)
        return ['Tilt series %s %s left out: %s.' % (
                    checks.someOf(names), 'was' if len(names) == 1 else 'were', brought.refused[names[0]].rstrip('.'))
                for names in same.values()]

    # ---------------------------------------------------------------- outputs
    def _makeSets(self, job, brought):
        """Make the sets; returns lines for the summary."""
        wanted, lines = self._plan(job, brought), []
        if SERIES in wanted:
            lines += self._makeSeries(brought, CTFS in wanted)
        tomograms = self._makeTomograms(brought, wanted, lines)
        coordinates = None
        if COORDINATES in wanted:
            coordinates = self._makeCoordinates(brought, tomograms, lines)
        if PARTICLES in wanted:
            lines += self._makeParticles(job, brought, coordinates, wanted)
        return lines

    def _makeSeries(self, brought, withCtf):
        star = brought.tomograms
        if brought.refused:  # a file with those that can be used
            star = self._getExtraPath(FOLDER, 'usable_tomograms.star')
            overview = read_star(brought.tomograms, ['global'])['global']
            write_star(star, {'global': overview[overview[TOMOGRAM].isin(brought.usable)]})
        series = SetOfTiltSeries.create(self._getPath(), template='tiltseries')
        ctfs = SetOfCTFTomoSeries.create(self._getPath(), template='ctftomoseries') if withCtf else None
        if withCtf:
            ctfs.setSetOfTiltSeries(Pointer(self, extended=SERIES))
        read_tomograms_star(star, series, ctfs)
        if not series.getDim():
            series.setDim([0, 0, 1])  # of images that are not there; without any, Scipion cannot describe the set
        outputs = {SERIES: series, CTFS: ctfs} if withCtf else {SERIES: series}
        for output in outputs.values():
            output.write()
        self._defineOutputs(**outputs)
        if withCtf:
            self._defineSourceRelation(series, ctfs)
        return ['%d tilt series, %.4g Å/pixel, %s.' % (series.getSize(), series.getSamplingRate(),
                                                       'with CTFs' if withCtf else 'without CTFs')]

    def _makeTomograms(self, brought, wanted, lines):
        """The set of tomograms, or of what stands for them where only coordinates need it; None where nothing does."""
        if TOMOGRAMS not in wanted and COORDINATES not in wanted:
            return None
        tomograms = SetOfTomograms.create(self._getPath(), template='tomograms')
        if brought.overview is None:
            names = brought.rows[TOMOGRAM].unique().tolist()
            append_unknown(tomograms, names, self._tomogramSize(), self.tomogramPixel.get())
            there, gone = [], names
        else:
            there, gone = append_tomograms(tomograms, brought.overview, COORDINATES in wanted, self.tomogramPixel.get())
        tomograms.write()
        self._defineOutputs(**{TOMOGRAMS: tomograms})
        if there:
            lines.append('%d tomograms, %.4g Å/voxel.' % (len(there), tomograms.getSamplingRate()))
        if gone and COORDINATES in wanted:
            lines.append('%d tomograms are only names for the coordinates to lie in, since their files are not there (%s): '
                         'they cannot be shown.' % (len(gone), checks.someOf(gone)))
        return tomograms

    def _makeCoordinates(self, brought, tomograms, lines):
        coordinates = SetOfCoordinates3D.create(self._getPath(), template='coordinates%s.sqlite')
        fill_coordinates(coordinates, tomograms, brought.rows,
                         int(round(self.boxSize.get() / tomograms.getSamplingRate())))
        coordinates.write()
        self._defineOutputs(**{COORDINATES: coordinates})
        self._defineSourceRelation(tomograms, coordinates)
        lines.append('%d coordinates in %d tomograms.' % (coordinates.getSize(), brought.rows[TOMOGRAM].nunique()))
        return Pointer(self, extended=COORDINATES)

    def _makeParticles(self, job, brought, coordinates, wanted):
        kind = changed_since(job, brought.first_image) if brought.first_image else ''
        particles = self._newParticles('particles')
        read_particles(brought.particles, particles, coordinates, brought.tomograms or None,
                       brought.trajectories or None, outdated_by=find_job(kind).label if kind else None)
        for name, tell in ((SERIES, particles.setTiltSeries), (CTFS, particles.setCtfs)):
            if name in wanted:
                tell(Pointer(self, extended=name))
        particles.write()
        self._defineOutputs(**{PARTICLES: particles})
        lines = ['%d particles of %d tilt series, %s.' % (particles.getSize(), brought.rows[TOMOGRAM].nunique(),
                                                         _images(particles))]
        torn = self._damageOfRows(job, brought.rows)
        if torn:
            lines.append('*Damaged particles*: %s.' % torn.rstrip('.'))
        damage = self._damageOfImages(job, brought, particles)
        if damage:
            lines.append('*Damaged images*: %s. Extract these particles again before the next job.' % damage.rstrip('.'))
        if kind:
            lines.append('Their images were cut out before the %s, which has changed the tilt series: extract them again '
                         'before the next refinement.' % find_job(kind).label)
        return lines

    @staticmethod
    def _damageOfRows(job, rows):
        """A message where a part of the particles is of an older iteration; '' for none."""
        path = job.at(job.particles)
        number, kind = iteration_of(path), job_type(path.parent)
        return older_rows(rows, path.parent, kind, number) if number and kind in (CLASS3D, REFINE3D) else ''

    @staticmethod
    def _damageOfImages(job, brought, particles):
        """The first of the images, of those that are there, which is not whole or has lost a part; '' for none."""
        if not particles.getBoxSize() or IMAGE not in brought.rows:
            return ''
        rows = brought.rows
        rows = rows[[os.path.isfile(plain_path(name)) for name in rows[IMAGE]]]
        if not len(rows):
            return ''
        is_2d = particles.getKind() == STACKS_2D
        # Subtraction leaves the header of the image before
        folder = job_of(job.at(brought.first_image))
        by_extraction = folder is not None and job_type(folder) == EXTRACT
        return (first_wrong_image(rows, particles.getBoxSize(), is_2d)
                or first_damaged_image(rows, is_2d, statistics=by_extraction))


def _images(particles):
    if not particles.getBoxSize():
        return 'without images'
    return '%s, box %d pixels of %.4g Å' % (particles.getKind(), particles.getBoxSize(), particles.getSamplingRate())


def _aboutImages(brought):
    """What cannot be done without the images that are gone."""
    told = []
    gone, total = brought.missing_images
    if gone:
        told.append('%d of %d images of particles are not there: the particles have their poses, but cannot be averaged or '
                    'refined before they are extracted again.' % (gone, total))
    gone, total = brought.missing_tilts
    if gone:
        told.append('%d of %d tilt images are not there: nothing can be extracted, reconstructed or refined from them (CTF, '
                    'polishing) until they are.' % (gone, total))
    return told
