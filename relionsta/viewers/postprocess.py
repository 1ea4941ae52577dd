"""Analyze Results of post-processing."""
from pyworkflow.protocol import params

from ..figures.fsc import Curve, postprocess_fsc_figure
from ..figures.guinier import guinier_figure
from ..jobs import files
from ..protocols.maps import halfMaps, mapFile
from ..protocols.postprocess import ProtStaPostProcess
from ..results.maps import check_values
from ..results.postprocess import CORRECTED, UNMASKED, read_postprocess
from ..star import StarError
from .base import ProtStaViewer
from .compare import CompareMixin

MAPS = {'Sharpened map': 'map', 'Sharpened map, masked': 'masked'}


class ProtStaPostProcessViewer(CompareMixin, ProtStaViewer):
    """FSC curves, Guinier plot and maps of a post-processing."""

    _label = 'viewer post-processing'
    _targets = [ProtStaPostProcess]
    _overview = 'showFsc'

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showFsc', params.LabelParam, important=True, label='FSC curves',
                      help='Without mask, under the mask, with random phases, and corrected for the mask; a warning where '
                           'the mask is too tight.')
        self._addCompareParams(form)
        form.addParam('showGuinier', params.LabelParam, label='Guinier plot (sharpening)')
        form.addParam('showSlices', params.LabelParam, label='Maps: central slices')
        self._addWalkParam(form)
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showFsc': self._showFsc, 'showCompare': self._showCompare, 'showGuinier': self._showGuinier,
                'showSlices': self._showSlices, 'showWalk': self._showWalk, 'showVolumes': self._showVolumes}

    def _showFsc(self):
        return [self._figure(postprocess_fsc_figure(self._getResult()), 'FSC')]

    def _curveOf(self, run):
        try:
            result = read_postprocess(run._getJobPath(files.POSTPROCESS_FILES['star']))
        except StarError:
            return None  # not finished
        # Without a mask there is one curve, and it needs no correction
        values = result.fsc.get(CORRECTED, result.fsc.get(UNMASKED))
        return Curve(run.getRunName(), result.frequency, values, result.resolution), result.nyquist / 2

    def _showGuinier(self):
        return [self._figure(guinier_figure(self._getResult()), 'Guinier plot')]

    def _showSlices(self):
        return [self._slices(self._getMaps(), 'Post-processed maps')]

    def _showWalk(self):
        volume = self.protocol.inputVolume.get()
        before = {} if volume is None else dict({'Before': mapFile(volume)}, **{
            'Before, half map %d' % number: half for number, half in enumerate(halfMaps(volume), start=1)})
        return self._walk(dict(self._getMaps(), **before), self._solventMask())

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getResult(self):
        return read_postprocess(self._existing('star'))

    def _getMaps(self):
        """Label -> path. Raises MapError for a map that is not as RELION has left it."""
        self.protocol.checkMade()
        maps = {label: self._existing(role) for label, role in MAPS.items()}
        for path in maps.values():
            check_values(path)
        return maps

    def _existing(self, role):
        return self._jobFile(files.POSTPROCESS_FILES[role])
