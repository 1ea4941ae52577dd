"""Analyze Results of 3D auto-refine."""
from pyworkflow.protocol import params

from ..figures.convergence import convergence_figure
from ..figures.fsc import refine_fsc_figure
from ..jobs import files
from ..protocols.refine3d import ProtStaRefine3D
from ..results.history import history, read_iteration
from ..results.iterations import is_converged
from ..results.model import read_model
from .base import IterationViewer


class ProtStaRefine3DViewer(IterationViewer):
    """FSC, maps and course of a 3D auto-refine."""

    _label = 'viewer 3D auto-refine'
    _targets = [ProtStaRefine3D]
    _jobType = files.REFINE3D

    def _defineParams(self, form):
        form.addSection(label='Results')
        self._addIterationsParam(form, 'the final result, or the last complete iteration as long as there is none')
        form.addParam('showFsc', params.LabelParam, label='Gold-standard FSC')
        form.addParam('showSlices', params.LabelParam, label='Maps: central slices')
        form.addParam('showConvergence', params.LabelParam, label='Convergence',
                      help='Resolution and changes over all complete iterations.')
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showFsc': self._showFsc, 'showSlices': self._showSlices,
                'showConvergence': self._showConvergence, 'showVolumes': self._showVolumes}

    def _showFsc(self):
        folder = self.protocol._getJobPath()
        iterations = [] if self._isFinalOnly() else self._getIterations()
        models = {'Iteration %d' % number: read_iteration(folder, self._jobType, number).model
                  for number in iterations}
        if self._hasFinal():
            models['Final'] = self._getFinalModel()
        return [self._figure(refine_fsc_figure(models), 'FSC')]

    def _showSlices(self):
        return [self._slices(self._getMaps(), 'Maps of the auto-refinement')]

    def _showConvergence(self):
        last = self._requireComplete()[-1]
        folder = self.protocol._getJobPath()
        nyquist = read_iteration(folder, self._jobType, last).model.nyquist
        final = self._getFinalModel().resolution if self._hasFinal() else None
        return [self._figure(convergence_figure(history(folder, self._jobType), nyquist, final), 'convergence')]

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getMaps(self):
        """Label -> path: the final maps, or the two half maps of each chosen iteration."""
        if self._isFinalOnly():
            names = files.refine3d_final_files(files.RUN)
            chosen = {'Final map': names['map'], 'Half map 1, unfiltered': names['half1'],
                      'Half map 2, unfiltered': names['half2']}
        else:
            chosen = {}
            for number in self._getIterations():
                names = files.iteration_files(self._jobType, files.RUN, number)
                chosen.update(('Iteration %d, half map %d' % (number, half), names['half%d' % half]) for half in (1, 2))
        return {label: self.protocol._getJobPath(name) for label, name in chosen.items()}

    def _hasFinal(self):
        return is_converged(self.protocol._getJobPath())

    def _isFinalOnly(self):
        return not self.iterations.get('').strip() and self._hasFinal()

    def _getFinalModel(self):
        return read_model(self.protocol._getJobPath(files.refine3d_final_files(files.RUN)['model']))
