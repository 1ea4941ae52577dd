"""Analyze Results of CTF refinement and Bayesian polishing."""
import numpy as np
from pyworkflow.protocol import params

from ..figures.motion import DEFOCUS_ADVICE, moved_figure, trajectories_figure
from ..figures.series_details import alignment_series_figure, ctf_series_figure
from ..figures.tilt_series import alignment_changes_figure, ctf_changes_figure
from ..protocols.ctf_refine import ProtStaCtfRefine
from ..protocols.extract_again import newExtraction
from ..protocols.polish import ProtStaPolish
from ..protocols.refine_series import PARTICLES
from ..results.motion import particle_moves
from ..results.series_changes import image_names
from .base import ProtStaViewer
from .form_view import FormView
from .particle_lines import ParticleLinesMixin
from .particle_source import TOMOGRAM, ParticleSource

_DOSE = 'rlnMicrographPreExposure'


class ProtStaSeriesRefineViewer(ParticleLinesMixin, ProtStaViewer):
    """What has changed in the tilt series, and the way to the extraction that has to follow."""

    _label = 'viewer refined tilt series'
    _targets = [ProtStaCtfRefine, ProtStaPolish]
    _overview = 'showChanges'

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showExtract', params.LabelParam, important=True, label='Extract the particles again',
                      help='Opens the form of Extract subtomos, filled in: these particles with their refined tilt series, '
                           'and box, binning and kind of image as before.')
        form.addParam('showChanges', params.LabelParam, label='Changes of the tilt images',
                      help='Against the tilt angle, for each tilt series.')
        form.addParam('showSeries', params.LabelParam, label='Before and after, series by series',
                      help='A panel for each tilt series; the twelve that changed most where there are more.')
        form.addParam('showMoved', params.LabelParam, label='How much changed, with outliers',
                      help='CTF refinement: the defocus of each image. Polishing: the shift of each image, and the position '
                           'of each particle.')
        if not self._isCtf():
            form.addParam('showTrajectories', params.LabelParam, label='Trajectories of the particles',
                          help='Where the motion of each particle was fitted: those of the tomogram chosen under '
                               'Particles.')
        self._addParticleLines(form)

    def _getShows(self):
        return {'showExtract': self._showExtract, 'showChanges': self._showChanges, 'showSeries': self._showSeries,
                'showMoved': self._showMoved, 'showTrajectories': self._showTrajectories, **self._particleShows()}

    def _isCtf(self):
        return isinstance(self.protocol, ProtStaCtfRefine)

    def _changes(self):
        if not self.protocol.isFinished():
            raise self._nothing('There is no result yet.')
        return self.protocol.getChanges()

    def _showChanges(self):
        figure = ctf_changes_figure if self._isCtf() else alignment_changes_figure
        return [self._figure(figure(self._changes(), self.protocol.getRunName()), 'changes')]

    def _showSeries(self):
        figure = ctf_series_figure if self._isCtf() else alignment_series_figure
        return [self._figure(figure(self._changes(), self.protocol.getRunName()), 'before and after')]

    def _showMoved(self):
        changes = self._changes()
        names = image_names(changes)
        if self._isCtf():
            moved = (changes['defocus_after'] - changes['defocus_before']).abs()
            return [self._figure(moved_figure(moved, changes['name'], names, 'Change of the defocus', 'Å',
                                              'Change of the defocus', DEFOCUS_ADVICE), 'defocus')]
        shifts = np.hypot(changes['shift_x'], changes['shift_y'])
        before = ParticleSource(*self._inputStars())
        after = self._particleSource()
        particles = particle_moves(before.table, before.positions, after.table, after.positions)
        return [self._figure(moved_figure(shifts, changes['name'], names, 'Shift of the image', 'Å',
                                          'Shifts of the images'), 'images'),
                self._figure(moved_figure(particles['moved'], particles['tomogram'], particles.index,
                                          'Move of the particle', 'Å', 'Moves of the particles'), 'particles')]

    def _showTrajectories(self):
        source = self._particleSource()
        motion = source.motion()
        if motion is None:
            raise ValueError('There are no trajectories: "Fit per-particle motion?" was No.')
        name = self.tomogram.get('').strip() or source.largest()
        series = source.tiltSeries()
        if name not in series:
            raise ValueError('*Tomogram*: there is no %s; there are: %s.' % (name, ', '.join(sorted(series)[:10])))
        inside = (source.table[TOMOGRAM].astype(str) == name).to_numpy()
        places = dict(zip(source.table['rlnTomoParticleName'][inside], source.positions[inside, :2].tolist()))
        return [self._figure(trajectories_figure(motion, places, series[name][_DOSE], 'Trajectories in %s' % name),
                             'trajectories')]

    def _showExtract(self):
        if not hasattr(self.protocol, PARTICLES):
            raise self._nothing('There are no particles yet.')
        return [FormView(newExtraction(self.getProject(), self.protocol, PARTICLES), self.getProject(), self.windows)]

    def _inputStars(self):
        files = self.protocol._inputFiles()
        return files.particles, files.tomograms

    def _particleFiles(self):
        """As they are after the refinement."""
        if not self.protocol.isFinished():
            raise self._nothing('There is no result yet.')
        made = self.protocol.getMade()
        return made.particles, made.tomograms, made.trajectories or ''

    def _mapForCopies(self):
        volume = self.protocol.referenceVolume.get()
        return None if volume is None else volume.getFileName().split(':')[0]
