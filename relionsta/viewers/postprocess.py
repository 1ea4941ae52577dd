"""Analyze Results of post-processing."""
from pyworkflow.protocol import params

from ..figures.fsc import postprocess_fsc_figure
from ..figures.guinier import guinier_figure
from ..jobs import files
from ..protocols.postprocess import ProtStaPostProcess
from ..results.postprocess import read_postprocess
from .base import ProtStaViewer

MAPS = {'Sharpened map': 'map', 'Sharpened map, masked': 'masked'}


class ProtStaPostProcessViewer(ProtStaViewer):
    """FSC curves, Guinier plot and maps of a post-processing."""

    _label = 'viewer post-processing'
    _targets = [ProtStaPostProcess]

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showFsc', params.LabelParam, label='FSC curves')
        form.addParam('showGuinier', params.LabelParam, label='Guinier plot (sharpening)')
        form.addParam('showSlices', params.LabelParam, label='Maps: central slices')
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showFsc': self._showFsc, 'showGuinier': self._showGuinier,
                'showSlices': self._showSlices, 'showVolumes': self._showVolumes}

    def _showFsc(self):
        return [self._figure(postprocess_fsc_figure(self._getResult()), 'FSC')]

    def _showGuinier(self):
        return [self._figure(guinier_figure(self._getResult()), 'Guinier plot')]

    def _showSlices(self):
        return [self._slices(self._getMaps(), 'Post-processed maps')]

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getResult(self):
        return read_postprocess(self._existing('star'))

    def _getMaps(self):
        return {label: self._existing(role) for label, role in MAPS.items()}

    def _existing(self, role):
        return self._jobFile(files.POSTPROCESS_FILES[role])
