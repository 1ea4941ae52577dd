"""Which iteration of a run that was stopped becomes its output."""
from pyworkflow.object import Integer

from ..results.kept import give_back
from .stopping import isMadeOf, isStepDone

#: Beside the job folder: a copy of the iteration that RELION goes on from.
KEPT = 'kept'


class StoppedIterationMixin:
    """For IterativeMixin."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        #: the iteration that is the output of a run that was stopped
        self.stoppedAt = Integer()

    def _makeStoppedOutputs(self):
        """The chosen iteration, if it was reached, else the last complete one, becomes the output of a stopped run."""
        self.stoppedAt.set(None)
        give_back(self._getJobPath(), self._getExtraPath(KEPT), self._job.type)
        done = self._getSoundIterations()
        if not done or not self._isFolderOfThis(done):
            return False
        wanted = self._getWanted()
        self.stoppedAt.set(wanted if wanted in done else done[-1])
        self._makeOutputs()
        return True

    def _isFolderOfThis(self, done):
        """True where Continue would go on from the iterations in the job folder, or use them: a try that was asked something
        else may not have come to emptying it."""
        try:
            todo = self._plan(self._asked(), done)
        except (OSError, ValueError):
            return False  # the inputs are half-written
        return (todo.start is not None or not todo.run) and (
            isStepDone(self, 0, self._fingerprint(work=True)) or isMadeOf(self, self._particlesPointer()))

    def _stoppedLines(self):
        if not self.stoppedAt.hasValue():
            return []
        return ['Stopped; the output is iteration %d. Continue goes on from the last complete one.' % self.stoppedAt.get()]
