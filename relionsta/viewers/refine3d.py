"""Analyze Results of 3D auto-refine."""
from pyworkflow.protocol import params

from ..figures.fsc import Curve, refine_fsc_figure
from ..figures.words import notice_figure
from ..jobs import files
from ..protocols.refine3d import ProtStaRefine3D
from ..results.history import read_iteration
from ..results.iterations import is_converged
from ..results.model import read_model
from ..star import StarError
from .base import WAITING, IterationViewer
from .compare import CompareMixin
from .particle_lines import ParticleLinesMixin


class ProtStaRefine3DViewer(CompareMixin, ParticleLinesMixin, IterationViewer):
    """FSC, maps and course of a 3D auto-refine."""

    _label = 'viewer 3D auto-refine'
    _targets = [ProtStaRefine3D]
    _jobType = files.REFINE3D

    def _defineParams(self, form):
        form.addSection(label='Results')
        self._addIterationsParam(form, 'the final result, or the last complete iteration as long as there is none')
        self._addConvergenceParam(form)
        form.addParam('showFsc', params.LabelParam, label='Gold-standard FSC')
        self._addCompareParams(form)
        form.addParam('showSlices', params.LabelParam, label='Maps: central slices')
        self._addWalkParam(form)
        self._addVolumesParam(form)
        self._addParticleLines(form)

    def _getShows(self):
        return {'showFsc': self._showFsc, 'showCompare': self._showCompare, 'showSlices': self._showSlices,
                'showConvergence': self._showConvergence, 'showWalk': self._showWalk, 'showVolumes': self._showVolumes,
                **self._particleShows()}

    def _showFsc(self):
        if not self.iterations.get('').strip() and not self._hasFinal():
            return [self._live(self._lastFsc, 'FSC')]
        folder = self.protocol._getJobPath()
        iterations = [] if self._isFinalOnly() else self._getIterations()
        models = {'Iteration %d' % number: read_iteration(folder, self._jobType, number).model
                  for number in iterations}
        if self._hasFinal():
            models['Final'] = self._getFinalModel()
        return [self._figure(refine_fsc_figure(models), 'FSC')]

    @staticmethod
    def _lastFsc(follower):
        """The FSC of a run at work: of its last complete iteration, and of its end when it comes."""
        models = {'Iteration %d' % number: follower.iterations[number].model
                  for number in sorted(follower.iterations)[-1:]}
        if follower.final is not None:
            models['Final'] = follower.final
        return refine_fsc_figure(models) if models else notice_figure(WAITING)

    def _curveOf(self, run):
        try:
            model = read_model(run._getJobPath(files.refine3d_final_files(files.RUN)['model']))
        except StarError:
            return None  # not converged
        return Curve(run.getRunName(), *model.fsc(1), resolution=model.resolution), model.pixel_size

    def _showSlices(self):
        return [self._slices(self._getMaps(), 'Maps of the auto-refinement')]

    def _showWalk(self):
        return self._walk(self._getMaps(), self._solventMask())

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getMaps(self):
        """Label -> path: the final maps, or the two half maps of each chosen iteration."""
        if self._isFinalOnly():
            names, box = files.refine3d_final_files(files.RUN), self._getFinalModel().box_size
            chosen = {'Final map': names['map'], 'Half map 1, unfiltered': names['half1'],
                      'Half map 2, unfiltered': names['half2']}
        else:
            chosen = {}
            for number in self._getIterations():
                box = read_iteration(self.protocol._getJobPath(), self._jobType, number).model.box_size
                names = files.iteration_files(self._jobType, files.RUN, number)
                chosen.update(('Iteration %d, half map %d' % (number, half), names['half%d' % half]) for half in (1, 2))
        return self._ofBox({label: self.protocol._getJobPath(name) for label, name in chosen.items()}, box)

    def _particleFiles(self):
        """As they are at the end, or after the iteration that was chosen."""
        names = (files.refine3d_final_files(files.RUN) if self._isFinalOnly()
                 else files.iteration_files(self._jobType, files.RUN, self._getIterations()[-1]))
        return (self.protocol._getJobPath(names['data']),) + super()._particleFiles()[1:]

    def _mapForCopies(self):
        return next(iter(self._getMaps().values()))

    def _hasFinal(self):
        return is_converged(self.protocol._getJobPath())

    def _isFinalOnly(self):
        return not self.iterations.get('').strip() and self._hasFinal()

    def _getFinalModel(self):
        return read_model(self.protocol._getJobPath(files.refine3d_final_files(files.RUN)['model']))
