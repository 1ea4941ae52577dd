"""Analyze Results of the refinement cycle."""
import numpy as np
from pyworkflow.protocol import params

from ..figures.fsc import Curve, fsc_figure
from ..figures.ladder import ladder_figure
from ..protocols.cycle_outputs import AVERAGE, FSCS, SHARPENED
from ..protocols.extract_again import newExtraction
from ..protocols.refine_series import PARTICLES
from ..protocols.refinement_cycle import ProtStaRefinementCycle
from .base import ProtStaViewer
from .form_view import FormView


class ProtStaLadderViewer(ProtStaViewer):
    """The ladder of a cycle, also while it runs, and the maps that it ended with."""

    _label = 'viewer refinement cycle'
    _targets = [ProtStaRefinementCycle]
    _overview = 'showLadder'

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showLadder', params.LabelParam, important=True, label='Resolution after each step',
                      help='Under one mask, at FSC 0.143; also while the cycle runs.')
        form.addParam('showFscs', params.LabelParam, label='FSC curves of all steps')
        form.addParam('showExtract', params.LabelParam, label='Extract the particles again',
                      help='Opens the form of Extract subtomos, filled in: the particles with their refined tilt series.')
        form.addParam('showSlices', params.LabelParam, label='Maps: central slices')
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showLadder': self._showLadder, 'showFscs': self._showFscs, 'showExtract': self._showExtract,
                'showSlices': self._showSlices, 'showVolumes': self._showVolumes}

    def _showLadder(self):
        rungs = self.protocol.getLadder()
        if not rungs:
            raise self._nothing('No step has been measured yet.')
        return [self._figure(ladder_figure(rungs, self.protocol.getRunName()), 'ladder')]

    def _showFscs(self):
        """The corrected curve of each step, the last one first: it is the one to mark."""
        resolutions = {rung.step: rung.resolution for rung in self.protocol.getLadder()}
        fscs = self._output(FSCS)
        curves = [Curve(fsc.getObjLabel(), *map(np.array, fsc.getData()), resolution=resolutions.get(fsc.getObjLabel()))
                  for fsc in (item.clone() for item in fscs.iterItems())]
        return [self._figure(fsc_figure(curves[::-1], self._output(AVERAGE).getSamplingRate(), ordered=True,
                                        title='FSC corrected for the mask'), 'FSC')]

    def _showExtract(self):
        self._output(PARTICLES)
        return [FormView(newExtraction(self.getProject(), self.protocol, PARTICLES), self.getProject(), self.windows)]

    def _showSlices(self):
        return [self._slices(self._maps(), 'Maps of the last step that was kept')]

    def _showVolumes(self):
        return self._volumes(self._maps())

    def _maps(self):
        return {'Sharpened map': self._output(SHARPENED).getFileName(), 'Average': self._output(AVERAGE).getFileName()}

    def _output(self, name):
        if not hasattr(self.protocol, name):
            raise self._nothing('The cycle is not at its end.')
        return getattr(self.protocol, name)
