"""Analyze Results of 3D classification."""
from pyworkflow.protocol import params

from ..figures.convergence import convergence_figure
from ..figures.ssnr import ssnr_figure
from ..jobs import files
from ..protocols.class3d import ProtStaClass3D
from ..results.history import history
from ..results.model import read_model
from ..results.select_classes import Run
from .base import IterationViewer, parseRange
from .gallery import GalleryView


class ProtStaClass3DViewer(IterationViewer):
    """Class averages, their signal to noise, and the course of a 3D classification."""

    _label = 'viewer 3D classification'
    _targets = [ProtStaClass3D]
    _jobType = files.CLASS3D

    def _defineParams(self, form):
        form.addSection(label='Results')
        self._addIterationsParam(form, 'the last complete one')
        form.addParam('classes', params.StringParam, default='', label='Classes',
                      help='For example 2 or 1-3,7; empty for all of them.')
        form.addParam('showGallery', params.LabelParam, important=True, label='Gallery: choose the good classes',
                      help='All classes of an iteration side by side. Click on the good ones, see how many particles '
                           'they hold, and keep them: Subset selection starts as the next node.')
        form.addParam('showSlices', params.LabelParam, label='Class averages: central slices')
        form.addParam('showSsnr', params.LabelParam, label='Signal to noise and resolution of the classes',
                      help='RELION takes for the resolution of a class where its signal-to-noise ratio falls below 1.')
        form.addParam('showConvergence', params.LabelParam, label='Convergence',
                      help='Resolution, changes and sizes of the classes over all complete iterations.')
        self._defineMore(form)
        self._addVolumesParam(form)

    def _defineMore(self, form):
        """Lines of the form for what other jobs with classes make besides."""

    def _getShows(self):
        return {'showGallery': self._showGallery, 'showSlices': self._showSlices, 'showSsnr': self._showSsnr,
                'showConvergence': self._showConvergence, 'showVolumes': self._showVolumes}

    def _showGallery(self):
        return [GalleryView(self.protocol, self.getProject(), self._requireComplete(),
                            lambda iteration: Run(self.protocol._getJobPath(), files.RUN, iteration),
                            self.windows, self.getTkRoot())]

    def _showSlices(self):
        views = []
        for iteration in self._getIterations():
            model = self._getModel(iteration)
            maps = {'Class %d: %s' % (number, model.classes[number - 1].describe()): path
                    for number, path in self._getMaps(iteration, model).items()}
            views.append(self._slices(maps, 'Class averages of iteration %d' % iteration))
        return views

    def _showSsnr(self):
        views = []
        for iteration in self._getIterations():
            model = self._getModel(iteration)
            title = 'Signal to noise of the classes, iteration %d' % iteration
            views.append(self._figure(ssnr_figure(model, self._getClasses(model), title), 'signal to noise'))
        return views

    def _showConvergence(self):
        last = self._requireComplete()[-1]
        table = history(self.protocol._getJobPath(), self._jobType)
        return [self._figure(convergence_figure(table, self._getModel(last).nyquist), 'convergence')]

    def _showVolumes(self):
        views = []
        for iteration in self._getIterations():
            views += self._volumes(self._getMaps(iteration, self._getModel(iteration)))
        return views

    def _getModel(self, iteration):
        return read_model(self.protocol._getJobPath(self._names(iteration)['model']))

    def _getClasses(self, model):
        return parseRange(self.classes.get('').strip(), 'Classes') or list(range(1, len(model.classes) + 1))

    def _getMaps(self, iteration, model):
        """Class number -> path, of the chosen classes."""
        number = len(model.classes)
        names = self._names(iteration, number)
        chosen = self._getClasses(model)
        wrong = [one for one in chosen if not 1 <= one <= number]
        if wrong:
            raise ValueError('*Classes*: there is no class %d; the classes are 1 to %d.' % (wrong[0], number))
        roles = files.class_roles(number)
        return {one: self.protocol._getJobPath(names[roles[one - 1]]) for one in chosen}

    def _names(self, iteration, number=1):
        return files.iteration_files(self._jobType, files.RUN, iteration, nr_classes=number)
