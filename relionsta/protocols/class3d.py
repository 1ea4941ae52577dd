"""3D classification."""
import enum

from pwem.objects import SetOfVolumes
from pyworkflow.protocol import params

from ..convert.classes import read_classes
from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.class3d import CLASS3D
from ..objects import SetOfClassesSta3D, SetOfStaParticles
from ..results.iterations import complete_iterations, is_complete, last_complete
from ..results.model import read_model
from .particles import ProtStaRefineBase

LAST = -1


class Class3DOutputs(enum.Enum):
    """What 3D classification makes."""

    outputClasses = SetOfClassesSta3D
    outputAverages = SetOfVolumes
    outputParticles = SetOfStaParticles


class ProtStaClass3D(ProtStaRefineBase):
    """ Sort particles into classes, align them, or both.

    With one class and local searches it is the quick first alignment of template-matching picks; without alignment
    and with several classes it finds false positives and different states. Follow resolution and changes over the
    iterations (Analyze Results) and choose the iteration to go on with: for another one, change only "Iteration to use"
    and run again with Continue; RELION is not run again.
    """

    _label = '3D classification'
    _possibleOutputs = Class3DOutputs
    _job = CLASS3D
    _defaultThreads = 2
    _outputParams = ('outputIteration',)
    _referenceHelp = 'A first average, low-pass filtered below; every class starts from it.'

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('outputIteration', params.IntParam, default=LAST, allowsNull=True, label='Iteration to use',
                      help='The iteration whose classes and particles become the output; -1 is the last one.')

    def _validateInputs(self):
        wanted, last = self.outputIteration.get(), self.nr_iter.get()
        errors = super()._validateInputs()
        if wanted != LAST and not 1 <= wanted <= last:
            errors.append('*Iteration to use*: %d, and the job runs %d iterations. Choose 1 to %d, or -1 for the last.'
                          % (wanted, last, last))
        return errors

    # ---------------------------------------------------------------- output
    def getIteration(self):
        """The iteration that is, or will be, the output: the chosen one, else the last complete one."""
        folder, wanted = self._getJobPath(), self.outputIteration.get()
        found = last_complete(folder, self._job.type) if wanted == LAST else wanted
        if not found:
            raise ValueError('RELION left no complete iteration in %s. Look at its log.' % folder)
        if not is_complete(folder, self._job.type, found):
            raise ValueError('Iteration %d is not complete in %s; complete are %s. Choose one of them in "Iteration to '
                             'use".' % (found, folder, complete_iterations(folder, self._job.type) or 'none'))
        return found

    def _getNames(self):
        """The files of the output iteration, by role."""
        return files.iteration_files(self._job.type, files.RUN, self.getIteration(), nr_classes=self.nr_classes.get())

    def getModel(self):
        """The model.star of the output iteration, read."""
        return read_model(self._getJobPath(self._getNames()['model']))

    def _makeOutputs(self):
        source = self.inputParticles.get()
        names = self._getNames()
        model = read_model(self._getJobPath(names['model']))
        maps = [self._getJobPath(names[role]) for role in files.class_roles(self.nr_classes.get())]
        averages = SetOfVolumes.create(self._getPath())
        averages.setSamplingRate(source.getSamplingRate())
        for one, path in zip(model.classes, maps):
            volume = make_volume(path, source.getSamplingRate(), box=source.getBoxSize())
            volume.setObjComment('Class %d: %s' % (one.number, one.describe()))
            averages.append(volume)
        averages.write()
        particles = self._readParticles(self._getJobPath(names['data']))
        self._defineOutputs(**{Class3DOutputs.outputParticles.name: particles,
                               Class3DOutputs.outputAverages.name: averages})
        classes = SetOfClassesSta3D.create(self._getPath())
        read_classes(classes, particles, model, maps)
        classes.write()
        self._defineOutputs(**{Class3DOutputs.outputClasses.name: classes})
        self._relateToInputs(particles, averages, classes)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        model = self.getModel()
        lines = ['Iteration %d of %d, %d particles, %s.' % (
            self.getIteration(), self.nr_iter.get(), self.outputParticles.getSize(),
            'aligned' if self.dont_skip_align.get() else 'not aligned')]
        lines += ['Class %d: %s.' % (one.number, one.describe()) for one in model.classes[:3]]
        if len(model.classes) > 3:
            lines[-1] += ' And %d more classes.' % (len(model.classes) - 3)
        return lines

    def _methodsLines(self):
        return ['%d particles were classified in RELION into %d class%s (%d iterations, T = %g, %s).'
                % (self.outputParticles.getSize(), self.nr_classes.get(), 'es' if self.nr_classes.get() > 1 else '',
                   self.getIteration(), self.tau_fudge.get(),
                   'with alignment' if self.dont_skip_align.get() else 'without alignment')]
