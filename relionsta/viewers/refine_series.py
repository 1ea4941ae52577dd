"""Analyze Results of CTF refinement and Bayesian polishing."""
from pyworkflow.protocol import params

from ..figures.tilt_series import alignment_changes_figure, ctf_changes_figure
from ..protocols.ctf_refine import ProtStaCtfRefine
from ..protocols.extract_again import newExtraction
from ..protocols.polish import ProtStaPolish
from ..protocols.refine_series import PARTICLES
from .base import ProtStaViewer
from .form_view import FormView


class ProtStaSeriesRefineViewer(ProtStaViewer):
    """What has changed in the tilt series, and the way to the extraction that has to follow."""

    _label = 'viewer refined tilt series'
    _targets = [ProtStaCtfRefine, ProtStaPolish]

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showExtract', params.LabelParam, important=True, label='Extract the particles again',
                      help='Opens the form of Extract subtomos, filled in: these particles with their refined tilt series, '
                           'and box, binning and kind of image as before.')
        form.addParam('showChanges', params.LabelParam, label='Changes of the tilt images',
                      help='Against the tilt angle, for each tilt series.')

    def _getShows(self):
        return {'showExtract': self._showExtract, 'showChanges': self._showChanges}

    def _showChanges(self):
        figure = ctf_changes_figure if isinstance(self.protocol, ProtStaCtfRefine) else alignment_changes_figure
        if not self.protocol.isFinished():
            raise self._nothing('There is no result yet.')
        return [self._figure(figure(self.protocol.getChanges(), self.protocol.getRunName()), 'changes')]

    def _showExtract(self):
        if not hasattr(self.protocol, PARTICLES):
            raise self._nothing('There are no particles yet.')
        return [FormView(newExtraction(self.getProject(), self.protocol, PARTICLES), self.getProject(), self.windows)]
