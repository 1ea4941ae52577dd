"""Analyze Results of 3D classification."""
from pyworkflow.protocol import params

from ..figures.class_flow import class_flow_figure
from ..figures.ssnr import ssnr_figure
from ..jobs import files
from ..protocols.class3d import ProtStaClass3D
from ..results.class_flow import class_flow, read_class_numbers
from ..results.model import read_model
from ..results.select_classes import Run
from .base import IterationViewer, NothingToShow, parseRange
from .gallery import GalleryView
from .particle_lines import ParticleLinesMixin


class ProtStaClass3DViewer(ParticleLinesMixin, IterationViewer):
    """Class averages, their signal to noise, and the course of a 3D classification."""

    _label = 'viewer 3D classification'
    _targets = [ProtStaClass3D]
    _jobType = files.CLASS3D

    def _defineParams(self, form):
        form.addSection(label='Results')
        self._addIterationsParam(form, 'the last complete one')
        form.addParam('classes', params.StringParam, default='', label='Classes',
                      help='For example 2 or 1-3,7; empty for all of them.')
        self._addConvergenceParam(form)
        form.addParam('showGallery', params.LabelParam, important=True, label='Gallery: choose the good classes',
                      help='All classes of an iteration side by side. Click on the good ones, see how many particles '
                           'they hold, and keep them: Subset selection starts as the next node.')
        form.addParam('showSlices', params.LabelParam, label='Class averages: central slices')
        form.addParam('showSsnr', params.LabelParam, label='Signal to noise and resolution of the classes',
                      help='RELION takes for the resolution of a class where its signal-to-noise ratio falls below 1.')
        form.addParam('showFlow', params.LabelParam, label='Flow between classes',
                      help='Which particles went from which class to which, from the first to the last of the chosen '
                           'iterations; of one iteration, since the complete one before it.')
        self._defineMore(form)
        self._addWalkParam(form)
        self._addVolumesParam(form)
        self._addParticleLines(form)

    def _defineMore(self, form):
        """Lines of the form for what other jobs with classes make besides."""

    def _getShows(self):
        return {'showGallery': self._showGallery, 'showSlices': self._showSlices, 'showSsnr': self._showSsnr,
                'showConvergence': self._showConvergence, 'showFlow': self._showFlow,
                'showWalk': self._showWalk, 'showVolumes': self._showVolumes, **self._particleShows()}

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

    def _showFlow(self):
        complete, chosen = self._requireComplete(), self._getIterations()
        before = [number for number in complete if number < chosen[-1]]
        if not before:
            raise self._nothing('Only iteration %d is complete, and two are compared.' % chosen[-1])
        first, last = chosen[0] if len(chosen) > 1 else before[-1], chosen[-1]
        model = self._getModel(last)
        if len(model.classes) == 1:
            raise NothingToShow('There is one class only: all particles stay in it.')
        numbers = [read_class_numbers(self._jobFile(self._names(number)['data'])) for number in (first, last)]
        return [self._figure(class_flow_figure(class_flow(numbers[0], numbers[1], len(model.classes)), first, last),
                             'flow between classes')]

    def _showWalk(self):
        maps = {'Class %d of iteration %d' % (number, iteration): path for iteration in self._getIterations()
                for number, path in self._getMaps(iteration, self._getModel(iteration)).items()}
        return self._walk(maps, self._solventMask() if hasattr(self.protocol, 'solventMask') else None)

    def _showVolumes(self):
        views = []
        for iteration in self._getIterations():
            views += self._volumes(self._getMaps(iteration, self._getModel(iteration)))
        return views

    def _particleFiles(self):
        """As they are after the iteration that was chosen."""
        star = self.protocol._getJobPath(self._names(self._getIterations()[-1])['data'])
        return (star,) + super()._particleFiles()[1:]

    def _mapForCopies(self):
        """The largest class."""
        iteration = self._getIterations()[-1]
        model = self._getModel(iteration)
        largest = max(model.classes, key=lambda one: one.distribution).number
        return self.protocol._getJobPath(self._names(iteration, len(model.classes))['class%03d' % largest])

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
        return self._ofBox({one: self.protocol._getJobPath(names[roles[one - 1]]) for one in chosen}, model.box_size)

    def _names(self, iteration, number=1):
        return files.iteration_files(self._jobType, files.RUN, iteration, nr_classes=number)
