"""Analyze Results of Reconstruct particle."""
from pyworkflow.protocol import params

from ..convert.volumes import check_map
from ..protocols.maps import halfMaps, mapFile
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
        return [self._slices(self._getMaps(), 'Reconstructed particle', statistics=False)]

    def _showWalk(self):
        volume = getattr(self.protocol, AVERAGE, None)
        halves = [] if volume is None else halfMaps(volume)
        return self._walk(dict(self._getMaps(), **{'Half map %d' % number: half
                                                   for number, half in enumerate(halves, start=1)}))

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getMaps(self):
        """Label -> path, of the averages that are there. Raises ConvertError for one that is not as RELION has left it."""
        found = {label: mapFile(getattr(self.protocol, name)) for name, label in
                 ((AVERAGE, 'Average'), (HELICAL, 'With helical symmetry')) if hasattr(self.protocol, name)}
        if not found:
            raise self._nothing('There is no average yet.')
        for label, path in found.items():
            check_map(path, self.protocol.getMapBox(), None, statistics=label == 'Average')
        return found

    def _mapForCopies(self):
        return self._getMaps()['Average']
