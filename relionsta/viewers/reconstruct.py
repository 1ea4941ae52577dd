"""Analyze Results of Reconstruct particle."""
from pyworkflow.protocol import params

from ..protocols.maps import halfMaps
from ..protocols.reconstruct import AVERAGE, HELICAL, ProtStaReconstruct
from .base import ProtStaViewer
from .particle_lines import ParticleLinesMixin


class ProtStaReconstructViewer(ParticleLinesMixin, ProtStaViewer):
    """The average, and the particles that it was made of."""

    _label = 'viewer reconstructed particle'
    _targets = [ProtStaReconstruct]
    _overview = 'showSlices'

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showSlices', params.LabelParam, label='Average: central slices')
        self._addWalkParam(form)
        self._addVolumesParam(form)
        self._addParticleLines(form)

    def _getShows(self):
        return {'showSlices': self._showSlices, 'showWalk': self._showWalk, 'showVolumes': self._showVolumes,
                **self._particleShows()}

    def _showSlices(self):
        return [self._slices(self._getMaps(), 'Reconstructed particle')]

    def _showWalk(self):
        volume = getattr(self.protocol, AVERAGE, None)
        halves = [] if volume is None else halfMaps(volume)
        return self._walk(dict(self._getMaps(), **{'Half map %d' % number: half
                                                   for number, half in enumerate(halves, start=1)}))

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getMaps(self):
        """Label -> path, of the averages that are there."""
        found = {label: getattr(self.protocol, name).getFileName().split(':')[0] for name, label in
                 ((AVERAGE, 'Average'), (HELICAL, 'With helical symmetry')) if hasattr(self.protocol, name)}
        if not found:
            raise self._nothing('There is no average yet.')
        return found

    def _mapForCopies(self):
        return self._getMaps()['Average']
