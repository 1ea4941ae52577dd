"""3D initial reference."""
import os

from pwem.objects import Volume

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.initial_model import INITIAL_MODEL
from .class_outputs import CLASS_OUTPUTS, ClassOutputsMixin
from .form import relionVersion
from .refine_base import ProtStaRefineBase

NO_SYMMETRY = 'C1'
#: RELION's gradient descent fails at its start with smaller boxes.
SMALLEST_BOX = 24


class ProtStaInitialModel(ClassOutputsMixin, ProtStaRefineBase):
    """ Make a first map from the particles alone, without any reference (RELION's gradient descent, VDAM).

    For data without a template, or to be sure that a map does not come from its template. Particles at high binning
    (bin 4 to 8) are enough and quick; the box needs at least 24 pixels. With several classes, false positives and other
    states gather in classes of their own, and the largest class becomes the initial reference. The symmetry, if any, is
    looked for in the finished map, which is then turned to its axes: use it as the reference of a global 3D
    classification or auto-refine. There is no MPI; use threads or a GPU.
    """

    _label = '3D initial reference'
    _possibleOutputs = dict(CLASS_OUTPUTS, initialVolume=Volume)
    _job = INITIAL_MODEL
    _filledIn = ProtStaRefineBase._filledIn + ('nr_mpi',)
    _defaultThreads = 4
    _defaultMpi = 0
    _iterationHelp = ('The iteration whose classes, particles and map become the output; -1 is the last one. RELION '
                      'writes every 10th iteration of large data sets, and all where there are few particles.')

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        self._defineIterationParam(form)

    def _checkInputs(self):
        errors = super()._checkInputs()
        box = self.inputParticles.get().getBoxSize()
        if errors or box >= SMALLEST_BOX:
            return errors
        return ["*Particles*: their box has %d pixels, and RELION's gradient descent needs at least %d. Extract them at "
                'a finer binning, or with a larger box.' % (box, SMALLEST_BOX)]

    # ---------------------------------------------------------------- output
    def _commandsAfter(self):
        """Alignment of the largest class of the chosen iteration to its symmetry."""
        values = dict(self.getValues(), nr_iter=self.getIteration())
        return self._job.commands(values, self._getJobPath() + os.sep, relionVersion(), resume=True)

    def _getResultPaths(self):
        return [self._getJobPath(files.INITIAL_MODEL_FILES['map'])]

    def _makeOutputs(self):
        super()._makeOutputs()
        model = self.getModel()
        volume = make_volume(self._getMap(model), model.pixel_size, box=model.box_size)
        volume.setObjComment('Class %d, %s' % (self._largest(model).number, self._symmetryText()))
        self._defineOutputs(initialVolume=volume)
        self._relateToInputs(volume)

    def _getMap(self, model):
        """The map that RELION has aligned to its symmetry, or, of a stopped run, that of the largest class as it is."""
        if self.isAborted():
            return self._getJobPath(self._getNames(len(model.classes))['class%03d' % self._largest(model).number])
        return self._getJobPath(files.INITIAL_MODEL_FILES['map'])

    @staticmethod
    def _largest(model):
        return max(model.classes, key=lambda one: one.distribution)

    def _isTurned(self):
        """True where RELION moved the map to its symmetry axes after the descent."""
        values = self.getValues()
        return not self.isAborted() and values['do_run_C1'] and values['sym_name'].upper() != NO_SYMMETRY

    def _symmetryText(self):
        if self.isAborted():
            return 'not yet turned to the axes of a symmetry or centred'
        if self._isTurned():
            return 'turned to the axes of %s, centred and averaged over them' % self.getValues()['sym_name']
        return 'symmetry %s' % self.getValues()['sym_name']

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        model, values = self.getModel(), self.getValues()
        lines = ['Iteration %d of %d, %d particles.' % (self.getIteration(), values['nr_iter'],
                                                       self.outputParticles.getSize())]
        lines += self._continuedLines() + self._classLines(model) + self._workedOutLines()
        lines.append('Initial reference: class %d, %s.' % (self._largest(model).number, self._symmetryText()))
        if self._isTurned():
            lines.append("The angles of the particles do not fit the initial reference, which was turned: use it for "
                         'global searches only. They fit the class averages.')
        return lines

    def _methodsLines(self):
        values = self.getValues()
        return ['An initial reference was made from %d particles in RELION by gradient descent (VDAM, %d mini-batches, '
                '%d class%s, %s).' % (self.outputParticles.getSize(), self.getIteration(), values['nr_classes'],
                                      'es' if values['nr_classes'] > 1 else '', self._symmetryText())]
