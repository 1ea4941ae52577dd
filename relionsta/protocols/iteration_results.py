"""Which iterations of a run can be trusted, and which one must be there when RELION has ended."""
import os

from ..jobs.asked import ITERATIONS
from ..results.iterations import end_lacking, iteration_of, lacking
from ..results.sound import foreign, unsound
from .all_or_none import forgetOutputs
from .runner import hasSaid

#: In the additional arguments: RELION then makes another number of iterations than the form says.
_OWN_NUMBER = '--iter'
#: What relion_refine says before it writes its final result.
CONVERGED = 'Auto-refine: Refinement has converged, stopping now'


class IterationResultsMixin:
    """For IterativeMixin."""

    def _getSoundIterations(self):
        """The complete iterations without those at the end that a look into their files shows to be damaged."""
        found = self.getCompleteIterations()
        while found:
            problem = unsound(self._getJobPath(), self._job.type, found[-1])
            if not problem:
                break
            self.info('Iteration %d is damaged and is not used. %s' % (found.pop(), problem))
        return found

    def createOutputStep(self, work, output):
        """Make Scipion's objects of what RELION wrote, and keep which iteration they are of, as their file's name says."""
        super().createOutputStep(work, output)
        particles = getattr(self, 'outputParticles', None)
        names = [] if particles is None else particles.getParticlesStars()
        self.registeredIteration.set(iteration_of(names[0]) if names else None)
        self._store(self.registeredIteration)

    def _forgetRemoved(self):
        """The outputs go where files of them were removed: a final result, before more iterations are made."""
        particles = getattr(self, 'outputParticles', None)
        if particles is not None and not all(map(os.path.exists, particles.getParticlesStars())):
            forgetOutputs(self)

    def _getRegistered(self):
        """The iteration that a finished run has as its output; None where it is none of them, but the end."""
        # Not asked of the set: one that was open before a Continue is still at what it was
        return self.registeredIteration.get() if self.isFinished() else None

    def _getExpected(self):
        """The number of the iteration that must be there after RELION has ended; None where RELION decides."""
        wanted, values = self._getWanted(), self.getValues()
        if wanted is None and _OWN_NUMBER not in values.get('other_args', '').split():
            return values.get(ITERATIONS)
        return wanted

    def _missingResult(self):
        """The files of the iteration that is the output."""
        expected = self._getExpected()
        if expected is None and hasSaid(self, CONVERGED):
            path = end_lacking(self._getJobPath(), job_type=self._job.type)
            return '' if path is None else '%s of the final result is not there, or not whole' % path
        path = None if expected is None else lacking(self._getJobPath(), self._job.type, expected)
        if path is None:
            return super()._missingResult()
        return '%s of iteration %d is not there, or not whole (complete are: %s)' % (
            path, expected, self._nameIterations() or 'none')

    def _awaitResults(self):
        super()._awaitResults()
        expected = self._getExpected()
        folder, kind = self._getJobPath(), self._job.type
        problem = '' if expected is None else unsound(folder, kind, expected) or foreign(folder, kind, expected)
        if problem:
            raise ValueError('Iteration %d is damaged: %s. Choose another one in "Iteration to use", and Continue.'
                             % (expected, problem.rstrip('.')))
