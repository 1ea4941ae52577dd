"""Analyze Results of 3D multi-body."""
from pyworkflow.protocol import params

from ..figures.flexibility import flexibility_figure
from ..figures.fsc import bodies_fsc_figure
from ..figures.words import notice_figure
from ..jobs import files
from ..protocols.multibody import ProtStaMultiBody
from ..protocols.multibody_outputs import MOTIONS, describeBody
from ..results.history import read_iteration
from ..results.iterations import is_converged
from ..results.model import read_model
from .base import WAITING, IterationViewer, parseRange


class ProtStaMultiBodyViewer(IterationViewer):
    """Maps and FSCs of the bodies, the course of the refinement, and the motions."""

    _label = 'viewer 3D multi-body'
    _targets = [ProtStaMultiBody]
    _jobType = files.MULTIBODY

    def _defineParams(self, form):
        form.addSection(label='Results')
        self._addIterationsParam(form, 'the final result, or the last complete iteration as long as there is none')
        self._addConvergenceParam(form)
        form.addParam('showFsc', params.LabelParam, label='Gold-standard FSC of the bodies',
                      help='The window follows the run while it works.')
        form.addParam('showSlices', params.LabelParam, label='Maps of the bodies: central slices')
        form.addParam('showFlexibility', params.LabelParam, label='Principal motions',
                      help='What they explain, and the particles along the first of them.')
        form.addParam('motion', params.StringParam, default='1', label='Motions to show', help='For example 1 or 1-2.')
        form.addParam('showMotions', params.LabelParam, label='Maps along these motions: central slices',
                      help='First, middle and last of the ten maps.')
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showFsc': self._showFsc, 'showSlices': self._showSlices, 'showConvergence': self._showConvergence,
                'showFlexibility': self._showFlexibility, 'showMotions': self._showMotions,
                'showVolumes': self._showVolumes}

    def _showFsc(self):
        if not self.iterations.get('').strip() and not self._isFinalOnly():
            return [self._live(self._lastFsc, 'FSC')]
        return [self._figure(bodies_fsc_figure(model, name), 'FSC') for name, model in self._getModels().items()]

    @staticmethod
    def _lastFsc(follower):
        """The FSCs of a run at work: of its last complete iteration, or of its end once it is there."""
        if follower.final is not None:
            return bodies_fsc_figure(follower.final, 'final')
        if not follower.iterations:
            return notice_figure(WAITING)
        last = max(follower.iterations)
        return bodies_fsc_figure(follower.iterations[last].model, 'iteration %d' % last)

    def _showSlices(self):
        return [self._slices(maps, 'Bodies, %s' % name) for name, maps in self._getMaps().items()]

    def _showFlexibility(self):
        projections = self.protocol.getProjections()
        if projections is None:
            raise self._nothing('There is no analysis of the motions.')
        return [self._figure(flexibility_figure(projections), 'motions')]

    def _showMotions(self):
        if not hasattr(self.protocol, MOTIONS):
            raise self._nothing('There are no maps along the motions.')
        views, box = [], self.protocol.getModel().box_size
        for number in parseRange(self.motion.get('').strip(), 'Motions to show') or [1]:
            names = files.component_maps(number)
            maps = {'Map %d' % (place + 1): self._jobFile(names[place]) for place in (0, len(names) // 2, len(names) - 1)}
            views.append(self._slices(self._ofBox(maps, box), 'Along motion %d' % number))
        return views

    def _showVolumes(self):
        return [view for maps in self._getMaps().values() for view in self._volumes(maps)]

    def _getModels(self):
        """What is shown -> its model: the final result, else the chosen iterations."""
        folder = self.protocol._getJobPath()
        if self._isFinalOnly():
            return {'final': read_model(self.protocol._getJobPath(files.multibody_final_files(files.RUN, 0)['model']))}
        return {'iteration %d' % number: read_iteration(folder, self._jobType, number).model
                for number in self._getIterations()}

    def _getMaps(self):
        """What is shown -> label -> path, of all bodies; of an iteration, their first half maps."""
        found = {}
        numbers = [None] if self._isFinalOnly() else self._getIterations()
        for number, (name, model) in zip(numbers, self._getModels().items()):
            count = len(model.classes)
            names = (files.multibody_final_files(files.RUN, count) if number is None
                     else files.iteration_files(self._jobType, files.RUN, number, count))
            found[name] = self._ofBox({'Body %d: %s' % (body.number, describeBody(body)):
                                       self.protocol._getJobPath(names[role if number is None else 'half1_' + role])
                                       for role, body in zip(files.body_roles(count), model.classes)}, model.box_size)
        return found

    def _isFinalOnly(self):
        return (not self.iterations.get('').strip()
                and is_converged(self.protocol._getJobPath(), job_type=self._jobType))
