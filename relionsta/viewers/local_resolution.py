"""Analyze Results of local resolution."""
from pyworkflow.protocol import params

from ..figures.local_resolution import resolution_histogram, resolution_slices
from ..jobs import files
from ..protocols import maps
from ..protocols.local_resolution import ProtStaLocalResolution
from ..results.maps import central_slices
from .base import ProtStaViewer

MAPS = {'Locally filtered map': 'filtered', 'Local resolution': 'resolution'}


class ProtStaLocalResolutionViewer(ProtStaViewer):
    """Histogram and coloured slices of the local resolution, and the filtered map."""

    _label = 'viewer local resolution'
    _targets = [ProtStaLocalResolution]
    _overview = 'showHistogram'

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showHistogram', params.LabelParam, label='Histogram of local resolution')
        form.addParam('showResolution', params.LabelParam, label='Local resolution: central slices in colour')
        form.addParam('showSlices', params.LabelParam, label='Locally filtered map: central slices')
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showHistogram': self._showHistogram, 'showResolution': self._showResolution,
                'showSlices': self._showSlices, 'showVolumes': self._showVolumes}

    def _showHistogram(self):
        self._getMap('resolution')
        result = self.protocol.getPostprocess()
        figure = resolution_histogram(self.protocol.getResult(), 2 * self.protocol.inputVolume.get().getSamplingRate(),
                                      None if result is None else result.resolution)
        return [self._figure(figure, 'histogram')]

    def _showResolution(self):
        mask = self.protocol.solventMask.get()
        figure = resolution_slices(central_slices(self._getMap('resolution'), statistics=True),
                                   None if mask is None else central_slices(maps.mapFile(mask)))
        return [self._figure(figure, 'local resolution')]

    def _showSlices(self):
        return [self._slices({'Locally filtered map': self._getMap('filtered')}, 'Locally filtered map')]

    def _showVolumes(self):
        return self._volumes({label: self._getMap(role) for label, role in MAPS.items()})

    def _getMap(self, role):
        self.protocol.checkMade()
        return self._jobFile(files.LOCAL_RESOLUTION_FILES[role])
