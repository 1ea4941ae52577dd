"""Lines of Analyze Results for particles: orientations, coverage, tomogram by tomogram."""
import os

from pyworkflow.protocol import params

from ..figures.orientations import coverage_figure, orientations_figure
from ..figures.style import COLORS
from ..figures.tomogram import tomogram_figure
from ..results.iterations import iteration_of
from ..results.orientations import coverage, views, views_by
from ..results.per_tomogram import per_tomogram
from ..results.scene_files import write_scene
from ..results.tomogram_slab import THICKNESS, busiest, read_slab
from .particle_source import CLASS, HALF, PMAX, SCORE, TOMOGRAM, ParticleSource, particlesPointer
from .tomogram_list import TomogramListView
from .volumes import chimeraScriptView

BY = ['all particles', 'class', 'half set', 'tomogram']
ALL, BY_CLASS, BY_HALF, BY_TOMOGRAM = range(4)
COLOR_BY = ['class', 'half set', 'Pmax', 'score of the pick', 'one colour']
#: column and what it is called, for each of COLOR_BY but the last
COLOR_COLUMNS = ((CLASS, 'class'), (HALF, 'half set'), (PMAX, 'Pmax'), (SCORE, 'Score of the pick'))
FOLDER = 'in_tomograms'


class ParticleLinesMixin:
    """For a ProtStaViewer of a job on particles. A subclass may overrule _particleFiles and _mapForCopies."""

    def _addParticleLines(self, form):
        form.addSection(label='Particles')
        form.addParam('orientationsBy', params.EnumParam, choices=BY, default=ALL, label='Orientations of',
                      display=params.EnumParam.DISPLAY_HLIST, help='One pair of discs for each.')
        form.addParam('showOrientations', params.LabelParam, label='Orientations',
                      help='From which sides the particles were seen, on an equal-area sphere.')
        form.addParam('showCoverage', params.LabelParam, label='Coverage of Fourier space',
                      help='Whether the tilt images of all particles fill the missing wedge of each other, with the '
                           'symmetry of this job.')
        form.addParam('showTomograms', params.LabelParam, label='Tomogram by tomogram',
                      help='A table to sort: particles, score, classes, Pmax, defocus and motion. Mark tomograms there to '
                           'keep or to drop them.')
        form.addParam('tomogram', params.StringParam, default='', label='Tomogram',
                      help='For the two lines below. Empty: the one with most particles.')
        form.addParam('colorBy', params.EnumParam, choices=COLOR_BY, default=0, label='Colour by',
                      help='One colour where the particles do not have this value.')
        form.addParam('showInTomogram', params.LabelParam, label='Particles on a slab of the tomogram',
                      help='A slab of %g Å where most particles are.' % THICKNESS)
        form.addParam('showScene', params.LabelParam, label='Map copies in the tomogram (ChimeraX)',
                      help='Writes a ChimeraX script with the tomogram and a copy of the map at the pose of each particle, '
                           'a STAR file for ArtiaX and points for napari, and opens the script where ChimeraX is found.')

    def _particleShows(self):
        return {'showOrientations': self._showOrientations, 'showCoverage': self._showCoverage,
                'showTomograms': self._showTomograms, 'showInTomogram': self._showInTomogram,
                'showScene': self._showScene}

    # ------------------------------------------------------------------ what
    def _particleFiles(self):
        """Paths of the particles, tomograms and trajectories ('' for none) to show: what the job was given."""
        files = self.protocol._inputFiles()
        return files.particles, files.tomograms, files.trajectories

    def _mapForCopies(self):
        """The map that is placed in the tomogram, or None."""
        return None

    def _symmetry(self):
        """The group in which the poses stand; C1 for a job that has none."""
        return self.protocol.sym_name.get() if hasattr(self.protocol, 'sym_name') else 'C1'

    def _particleSource(self):
        particles, tomograms, trajectories = self._particleFiles()
        return ParticleSource(particles, tomograms, trajectories, self._symmetry(), particlesPointer(self.protocol))

    def _when(self):
        """Of which iteration the particles are, for a title; '' where they are of none of this run's."""
        star = self._particleFiles()[0]
        number = iteration_of(star) if os.path.normpath(os.path.dirname(star)) == os.path.normpath(
            self.protocol._getJobPath()) else None
        return '' if number is None else ', iteration %d' % number

    # ----------------------------------------------------------------- views
    def _showOrientations(self):
        source, by = self._particleSource(), self.orientationsBy.get()
        labels = None
        if by != ALL:
            column, prefix = {BY_CLASS: (CLASS, 'Class '), BY_HALF: (HALF, 'Half set '), BY_TOMOGRAM: (TOMOGRAM, '')}[by]
            labels = source.labels(column, prefix)
            if labels is None:
                raise ValueError('The particles have no %s.' % BY[by])
        operators = source.operators()
        found = ({'All particles': views(source.A, operators)} if labels is None
                 else views_by(source.A, labels, operators))
        return [self._figure(orientations_figure(found, 'Orientations%s (symmetry %s)' % (self._when(), source.symmetry)),
                             'orientations')]

    def _showCoverage(self):
        source = self._particleSource()
        found = coverage(source.A, source.table[TOMOGRAM].astype(str), source.beams(), source.symmetry,
                         source.operators(), source.visible())
        return [self._figure(coverage_figure(found, 'Coverage of Fourier space%s' % self._when()), 'coverage')]

    def _showTomograms(self):
        source = self._particleSource()
        motion = source.motion()
        table = per_tomogram(source.table, source.defocus(), None if motion is None else motion.moved())
        return [TomogramListView(table, '%s: tomograms' % self.protocol.getRunName(), self.getProject(), source.pointer,
                                 getattr(self, 'windows', None), self.getTkRoot())]

    def _showInTomogram(self):
        name, found = self._chosen()
        column, what = self._colorColumn(found)
        slab = read_slab(found.file, busiest(found.places, THICKNESS, found.voxel), voxel=found.voxel)
        values = None if column is None else found.table[column].to_numpy()
        title = 'Particles in %s%s' % (name, self._when())
        return [self._figure(tomogram_figure(slab, found.places, values, what, title), name)]

    def _showScene(self):
        name, found = self._chosen()
        column, _what = self._colorColumn(found)
        groups = found.table[column].to_numpy() if column in (CLASS, HALF) else [0] * len(found.places)
        scene = write_scene(self.protocol._getExtraPath(FOLDER), name, found.places, found.A, found.voxel, groups, COLORS,
                            found.file, self._mapForCopies())
        view = chimeraScriptView(scene.script)
        text = 'Written for %s, %d particles, %d copies of the map:\n%s' % (
            name, len(found.places), scene.copies,
            '\n'.join(os.path.abspath(str(path)) for path in (scene.script, scene.star, scene.points)))
        if view is not None:
            return [view]
        return [self.infoMessage(text + '\n\nChimeraX was not found here. Open the first file in ChimeraX, the second in '
                                        'ArtiaX (as a RELION particle list), the third in napari.', 'Files written')]

    def _chosen(self):
        """The tomogram that was asked for: its name and its particles."""
        source = self._particleSource()
        name = self.tomogram.get('').strip() or source.largest()
        return name, source.inTomogram(name)

    def _colorColumn(self, found):
        """Column and name of what the particles are coloured by; (None, '') where they do not have it."""
        if self.colorBy.get() >= len(COLOR_COLUMNS):
            return None, ''
        column, what = COLOR_COLUMNS[self.colorBy.get()]
        return (column, what) if column in found.table else (None, '')
