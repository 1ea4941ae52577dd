"""3D classification."""
import enum

from pwem.objects import SetOfVolumes
from pyworkflow.protocol import params

from ..convert.classes import read_classes
from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.class3d import CLASS3D
from ..objects import SetOfClassesSta3D, SetOfStaParticles
from ..results.iterations import complete_iterations
from ..results.model import read_model
from .particles import TOMO_INPUTS, ProtStaParticlesBase


class Class3DOutputs(enum.Enum):
    """What 3D classification makes."""

    outputClasses = SetOfClassesSta3D
    outputAverages = SetOfVolumes
    outputParticles = SetOfStaParticles


class ProtStaClass3D(ProtStaParticlesBase):
    """ Sort particles into classes, align them, or both.

    With one class and local searches it is the quick first alignment of template-matching picks; without alignment
    and with several classes it finds false positives and different states. Follow resolution and changes over the
    iterations (Analyze Results) and choose the iteration to go on with: any complete one can be made the output.
    """

    _label = '3D classification'
    _possibleOutputs = Class3DOutputs
    _job = CLASS3D
    _filledIn = TOMO_INPUTS + ('fn_ref', 'fn_mask', 'fn_cont')
    _defaultThreads = 2

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('referenceVolume', params.PointerParam, pointerClass='Volume', important=True,
                      label='Reference map', help='A first average, low-pass filtered below; every class starts from it.')
        form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True,
                      label='Reference mask (optional)',
                      help='A soft mask with the same box and pixel size as the particles.')
        form.addParam('outputIteration', params.IntParam, default=-1, label='Iteration to use',
                      help='The iteration whose classes and particles become the output; -1 is the last one.')

    # ------------------------------------------------------------------ input
    def _inputValues(self):
        values = super()._inputValues()
        reference, mask = self.referenceVolume.get(), self.solventMask.get()
        values.update(fn_ref=reference.getFileName() if reference else '', fn_mask=mask.getFileName() if mask else '',
                      fn_cont='')
        return values

    def _validateInputs(self):
        errors = super()._validateInputs()
        if errors:
            return errors
        errors = (self._checkReference('Reference map', self.referenceVolume.get())
                  + self._checkMask('Reference mask', self.solventMask.get()) + self._checkDiameter())
        wanted, last = self.outputIteration.get(), self.nr_iter.get()
        if wanted != -1 and not 1 <= wanted <= last:
            errors.append('*Iteration to use*: %d, and the job runs %d iterations. Choose 1 to %d, or -1 for the last.'
                          % (wanted, last, last))
        return errors

    # ---------------------------------------------------------------- output
    def getIteration(self):
        """The iteration that is, or will be, the output: the chosen one, else the last complete one."""
        complete = complete_iterations(self._getJobPath(), self._job.type)
        wanted = self.outputIteration.get()
        if wanted != -1:
            if wanted not in complete:
                raise ValueError('Iteration %d is not complete in %s; complete are %s. Choose one of them in "Iteration '
                                 'to use".' % (wanted, self._getJobPath(), complete or 'none'))
            return wanted
        if not complete or complete[-1] == 0:
            raise ValueError('RELION left no complete iteration in %s. Look at its log.' % self._getJobPath())
        return complete[-1]

    def createOutputStep(self):
        source = self.inputParticles.get()
        names = files.iteration_files(self._job.type, 'run', self.getIteration(), nr_classes=self.nr_classes.get())
        pixel = source.getSamplingRate()
        model = read_model(self._getJobPath(names['model']))
        maps = [self._getJobPath(names['class%03d' % number]) for number in range(1, self.nr_classes.get() + 1)]
        averages = SetOfVolumes.create(self._getPath())
        averages.setSamplingRate(pixel)
        for number, path in enumerate(maps, start=1):
            volume = make_volume(path, pixel, box=source.getBoxSize())
            volume.setObjComment('Class %d: %s' % (number, model.classes[number - 1].describe()))
            averages.append(volume)
        averages.write()
        particles = self._readParticles(self._getJobPath(names['data']))
        self._defineOutputs(**{Class3DOutputs.outputParticles.name: particles,
                               Class3DOutputs.outputAverages.name: averages})
        classes = SetOfClassesSta3D.create(self._getPath())
        read_classes(classes, particles, model, maps)
        classes.write()
        self._defineOutputs(**{Class3DOutputs.outputClasses.name: classes})
        for output in (particles, averages, classes):
            self._defineSourceRelation(self.inputParticles, output)

    def getModel(self):
        """The model.star of the output iteration, read."""
        names = files.iteration_files(self._job.type, 'run', self.getIteration(), nr_classes=self.nr_classes.get())
        return read_model(self._getJobPath(names['model']))

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        model = self.getModel()
        lines = ['Iteration %d of %d, %d particles, %s.' % (
            self.getIteration(), self.nr_iter.get(), self.outputParticles.getSize(),
            'aligned' if self.dont_skip_align.get() else 'not aligned')]
        lines += ['Class %d: %s.' % (number, one.describe()) for number, one in enumerate(model.classes[:3], start=1)]
        if len(model.classes) > 3:
            lines[-1] += ' And %d more classes.' % (len(model.classes) - 3)
        return lines

    def _methods(self):
        return ['%d particles were classified in RELION into %d class%s (%d iterations, T = %g, %s).'
                % (self._particlesIn(), self.nr_classes.get(), 'es' if self.nr_classes.get() > 1 else '',
                   self.nr_iter.get(), self.tau_fudge.get(),
                   'with alignment' if self.dont_skip_align.get() else 'without alignment')]

    def _moreCitations(self):
        return ['Scheres2012']
