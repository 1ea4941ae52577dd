"""What the protocols share that work on a run of relion_refine rather than on a set of particles alone."""
from pyworkflow.protocol import params

from ..objects import PSEUDO_SUBTOMOS
from ..results.iterations import complete_iterations, is_complete, last_complete, optimiser_of
from . import checks
from .particles import ProtStaParticlesBase

LAST = -1


class ProtStaFromRunBase(ProtStaParticlesBase):
    """A job that takes the optimiser.star of a refinement or classification; its particles are those of that run."""

    _runClasses = 'ProtStaRefine3D'
    _runLabel = '3D auto-refine run'
    _runHelp = ''
    _iterationOfRunHelp = ''
    #: why the particles must be 3D pseudo-subtomos
    _why3D = ''

    def _defineInputParams(self, form):
        form.addParam('inputRun', params.PointerParam, pointerClass=self._runClasses, important=True,
                      condition=self._inputCondition, label=self._runLabel, help=self._runHelp)
        form.addParam('runIteration', params.IntParam, default=LAST, allowsNull=True, condition=self._inputCondition,
                      label='Iteration of it', help=self._iterationOfRunHelp)

    # ------------------------------------------------------------------ input
    def _particlesPointer(self):
        return self.inputRun.get()._particlesPointer()

    def _inputFiles(self):
        return self.inputRun.get()._inputFiles()

    def _writeInputs(self):
        """Nothing: RELION reads the files of the run."""

    def _inputValues(self):
        return {}

    def getRunIteration(self):
        """The chosen iteration of the run, the last complete one for -1; None where there is none."""
        run, wanted = self.inputRun.get(), self.runIteration.get()
        return last_complete(run._getJobPath(), run._job.type) if wanted in (LAST, None) else wanted

    def _optimiser(self):
        """The optimiser.star of the chosen iteration; '' where there is none."""
        number = self.getRunIteration()
        return '' if number is None else optimiser_of(self.inputRun.get()._getJobPath(), number)

    # ----------------------------------------------------------------- checks
    def _takesStacks(self):
        """True where 2D stacks may be used as well."""
        return False

    def _validateInputs(self):
        return self._checkKind() or self._checkRunIteration()

    def _checkKind(self):
        particles = self._particlesPointer().get()
        if particles is None:
            return ['*%s*: its particles are gone. Choose another run.' % self._runLabel]
        if particles.getKind() != PSEUDO_SUBTOMOS and not (particles.is2D() and self._takesStacks()):
            return ['*%s*: its particles are %s, and %s Extract these particles again as 3D pseudo-subtomos, refine them '
                    '(local searches are enough), and choose that run.'
                    % (self._runLabel, particles.getKind(), self._why3D)]
        return checks.checkParticles(self._runLabel, particles)

    def _checkRunIteration(self):
        run, number = self.inputRun.get(), self.getRunIteration()
        if number is not None and number > 0 and is_complete(run._getJobPath(), run._job.type, number):
            return []
        there = [one for one in complete_iterations(run._getJobPath(), run._job.type) if one > 0]
        return ['*Iteration of it*: %s, and complete in "%s" are %s. Choose one of them, or another run.'
                % ('the last' if number is None else number, run.getRunName(), ', '.join(map(str, there)) or 'none')]
