"""What the protocols share whose RELION job goes on in iterations: going on from one, and choosing one as output."""
import os

import pyworkflow.utils as pwutils
from pyworkflow.object import Integer
from pyworkflow.protocol import params

from ..jobs import files
from ..jobs.asked import HOW, ITERATIONS, plan, read_asked, write_asked
from ..results.iterations import complete_iterations, lacking, last_complete, left_behind, optimiser_of
from ..results.kept import forget, give_back, keep_iteration
from .base import ASKED
from .form import RUN_OPTIONS, jobValues, relionVersion
from .iteration_results import IterationResultsMixin
from .iteration_stop import KEPT, StoppedIterationMixin
from .own_inputs import mendOwnInputs
from .runner import runRelion
from .stopping import endPrograms

#: In "Iteration to ...": the last one.
LAST = -1
#: RELION 5.0 begins a new root of names where it is told the one that it had.
SAME_ROOT = (5, 1)


class IterativeMixin(StoppedIterationMixin, IterationResultsMixin):
    """For a protocol (before its base class in the list) whose job has options that may change on a continue.

    A run that was cut off, or that was asked for more iterations since, goes on in its own folder from its last
    complete iteration (Scipion's Continue). A new run may go on from an iteration of another run of the same job. Any
    complete iteration can be made the output.

    A subclass calls `_defineContinueParams` and `_defineIterationParam` in its form. It may say how it comes to its end
    (`_isFinished`) and which programs come after the iterations (`_commandsAfter`).
    """

    _outputParams = ('outputIteration',)
    _iterationHelp = 'The iteration whose result becomes the output; -1 is the last one.'

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        #: the iteration that is the output of a run that has finished
        self.registeredIteration = Integer()

    # ------------------------------------------------------------------- form
    def _defineContinueParams(self, form):
        form.addParam('doContinue', params.BooleanParam, default=False, label='Continue from a run?',
                      help='Yes: go on from an iteration of another run of this job, in a folder of its own; that run '
                           'stays as it is. To go on with this run itself, where it was stopped, choose Continue in '
                           '"Run mode" and leave No here.')
        form.addParam('continueRun', params.PointerParam, pointerClass=type(self).__name__, important=True,
                      condition='doContinue', label='Run to continue',
                      help='A run of this job with at least one complete iteration: finished, stopped or failed. '
                           'Particles, reference and all settings are those of that run.')
        form.addParam('continueIteration', params.IntParam, default=LAST, allowsNull=True, condition='doContinue',
                      label='Iteration to continue from',
                      help='-1 is the last one that is complete when this run starts.')
        form.addParam('changeSettings', params.BooleanParam, default=False, condition='doContinue',
                      label='Change settings on the way?',
                      help='Yes: the settings that RELION can change in a run that goes on are shown, and those of this '
                           'form count. No: all stay as they were.')

    def _defineIterationParam(self, form):
        form.addParam('outputIteration', params.IntParam, default=LAST, allowsNull=True, label='Iteration to use',
                      help=self._iterationHelp + ' Change it after the run and choose Continue for another one: RELION '
                                                 'is not run again.')

    @property
    def _extraConditions(self):
        """Of a run that goes on, only what can change is shown."""
        changeable = self._changeable(self._job.defaults())
        conditions = {option.name: 'not doContinue or changeSettings' if option.name in changeable else 'not doContinue'
                      for option in self._job.options}
        conditions.pop(ITERATIONS, None)
        return conditions

    def _changeable(self, values):
        """Names of the options that may differ from those of a run with `values` that is gone on with."""
        return self._job.on_continue | self._job.only_after(values) | HOW

    # ------------------------------------------------------------------ values
    def _continued(self):
        """The run that this one goes on from, or None."""
        return self.continueRun.get() if self.doContinue.get() else None

    def getStartIteration(self):
        """The iteration of another run that this one goes on from; 0 for one that starts by itself.

        None where that run has no complete iteration.
        """
        before = self._continued()
        if before is None:
            return 0
        if self.continueIteration.get() != LAST:
            return self.continueIteration.get()
        return self._startedFrom(before) or before.getLastIteration()

    def _startedFrom(self, before):
        """The iteration of the other run from which this one did start, however far that one has come since."""
        kept = read_asked(self._getExtraPath(ASKED))
        start = kept.values.get('fn_cont', '') if kept is not None else ''
        return next((number for number in complete_iterations(before._getJobPath(), self._job.type, files.RUN)
                     if start == optimiser_of(before._getJobPath(), number)), None) if start else None

    def getValues(self):
        before = self._continued()
        if before is None:
            return super().getValues()
        values = before.getValues()
        names = self._changeable(values) if self.changeSettings.get() else frozenset(RUN_OPTIONS) | {ITERATIONS}
        values.update((name, value) for name, value in self._ownValues().items() if name in names)
        values['fn_cont'] = optimiser_of(before._getJobPath(), self.getStartIteration() or 0)
        return values

    def _ownValues(self):
        """RELION's values of the options in the form."""
        return jobValues(self, self._job, skip=self._filledIn)

    def _inputFiles(self):
        before = self._continued()
        return super()._inputFiles() if before is None else before._inputFiles()

    def _particlesPointer(self):
        before = self._continued()
        return super()._particlesPointer() if before is None else before._particlesPointer()

    # ------------------------------------------------------------------- steps
    def _insertAllSteps(self):
        work, output = self._fingerprint(work=True), self._fingerprint(work=False)
        self._insertFunctionStep(self.convertInputStep, work)
        self._insertFunctionStep(self.runRelionStep, work, output)
        self._insertFunctionStep(self.createOutputStep, work, output)

    def _writeInputs(self):
        if self._continued() is None:
            super()._writeInputs()

    def runRelionStep(self, work, output):
        """Run RELION afresh, or on from the last complete iteration, or not at all where all is there."""
        endPrograms(self)
        mendOwnInputs(self)
        folder, kept = self._getJobPath(), self._getExtraPath(KEPT)
        give_back(folder, kept, self._job.type)
        now = self._asked()
        todo = self._plan(now, self._getSoundIterations())
        afresh = todo.run and todo.start is None
        if afresh:
            forget(kept)
            self._emptyJobFolder()
        elif todo.run:
            for path in left_behind(folder, self._job.type, todo.start):
                pwutils.cleanPath(str(path))
            self._forgetRemoved()
            keep_iteration(folder, kept, todo.start)
            self.info('Going on from iteration %d.' % todo.start)
        refine = self._getRefineCommand(todo.start) if todo.run else []
        if refine:
            write_asked(self._getExtraPath(ASKED), now)
            runRelion(self, refine, folder + os.sep, more=not afresh)
            forget(kept)
        after = self._commandsAfter()
        if after:
            runRelion(self, after, folder + os.sep, more=True, before=refine or self._getRefineCommand(None))

    def _plan(self, now, done):
        """What a try that is asked `now` has to do after one that has come to the iterations `done`."""
        return plan(self._job, read_asked(self._getExtraPath(ASKED)), now, done, self._isFinished(), self._getWanted())

    def _getRefineCommand(self, start):
        """[the command that makes iterations]; start: that of this run to go on from, or None."""
        values, out, version = self.getValues(), self._getJobPath() + os.sep, relionVersion()
        if start is not None:
            values['fn_cont'] = optimiser_of(self._getJobPath(), start)
            if version < SAME_ROOT:
                out = os.path.join(out, '.', '')
        return self._job.commands(values, out, version)[:1]

    def _commandsAfter(self):
        """Commands that make the output of the chosen iteration, which is there now; they are run each time."""
        return []

    def _isFinished(self):
        """True where a run that has no number of iterations has come to its end."""
        return False

    # -------------------------------------------------------------- iterations
    def getCompleteIterations(self):
        """The complete iterations that this run has made, ascending."""
        start = self.getStartIteration() or 0
        return [number for number in complete_iterations(self._getJobPath(), self._job.type) if number > start]

    def getLastIteration(self):
        """The last complete iteration that this run has made, or that it was started from; None if there is none."""
        return last_complete(self._getJobPath(), self._job.type) or self.getStartIteration() or None

    def _getWanted(self):
        """The number in "Iteration to use", or None for the last; of a stopped run, the iteration that it has as output."""
        if self.isAborted() and self.stoppedAt.hasValue():
            return self.stoppedAt.get()
        wanted = self.outputIteration.get()
        return None if wanted in (LAST, None) else wanted

    def getIteration(self):
        """The iteration that is, or will be, the output. Raises ValueError where it is not complete."""
        number = self._getWanted() if self._getWanted() is not None else self._getRegistered()
        if number is None:
            return self._getLastAsked()
        path = lacking(self._getJobPath(), self._job.type, number)
        if path is not None:
            raise ValueError('Iteration %d is not complete (%s is not there, or not whole); complete are %s. Choose one of '
                             'them in "Iteration to use".' % (number, path, self._nameIterations() or 'none'))
        return number

    def _getLastAsked(self):
        """The last complete iteration within the number that was asked for."""
        total, start = self.getValues().get(ITERATIONS), self.getStartIteration() or 0
        last = last_complete(self._getJobPath(), self._job.type) or 0
        if last > start and (total is None or last <= total):
            return last  # the usual case, without a look at the others
        found = [number for number in self.getCompleteIterations() if total is None or number <= total]
        if not found:
            raise ValueError('RELION left no complete iteration in %s. Look at its log.' % self._getJobPath())
        return found[-1]

    def _nameIterations(self):
        return ', '.join(map(str, self.getCompleteIterations()))

    def _getNames(self, nr_classes=1):
        """The files of the output iteration, by role."""
        return files.iteration_files(self._job.type, files.RUN, self.getIteration(), nr_classes)

    # ------------------------------------------------------------------ checks
    def _validateInputs(self):
        errors = self._checkInputs() if self._continued() is None else self._checkContinued()
        return errors or self._checkIteration()

    def _checkInputs(self):
        """Messages on the inputs of a run that starts by itself."""
        return super()._validateInputs()

    def _checkContinued(self):
        before, start = self._continued(), self.getStartIteration()
        if not before._hasInputs():
            return ['*Run to continue*: "%s" has no inputs; they were never chosen, or deleted since. Choose a run that has '
                    'its particles.' % before.getRunName()]
        there = complete_iterations(before._getJobPath(), self._job.type)
        if start not in there or start < 1:
            return ['*Iteration to continue from*: %s, and complete in "%s" are %s. Choose one of them, or another run.'
                    % ('the last' if self.continueIteration.get() == LAST else start, before.getRunName(),
                       ', '.join(str(number) for number in there if number > 0) or 'none')]
        total = self.getValues().get(ITERATIONS)
        if total is not None and total <= start:
            return ['*%s*: %d, and the run goes on from iteration %d. Choose more; the iterations before count as well.'
                    % (self._job.option(ITERATIONS).label, total, start)]
        return self._checkChanged() if self.changeSettings.get() else []

    def _checkChanged(self):
        """Messages on settings that change on the way and that the inputs have a say in."""
        return []

    def _checkIteration(self):
        wanted, start, total = self._getWanted(), self.getStartIteration(), self.getValues().get(ITERATIONS)
        if wanted is None or (wanted > start and (total is None or wanted <= total)):
            return []
        if total is None:
            return ['*Iteration to use*: %d, and the first one of this run is %d. Choose that or a later one, or -1 for '
                    'the last.' % (wanted, start + 1)]
        return ['*Iteration to use*: %d, and the job runs iterations %d to %d. Choose one of them, or -1 for the last.'
                % (wanted, start + 1, total)]

    def _inputWarnings(self):
        return super()._inputWarnings() if self._continued() is None else []

    # ----------------------------------------------------------------- reports
    def _continuedLines(self):
        """A line for the summary of a run that goes on from another one."""
        before = self._continued()
        if before is None:
            return []
        return ['Continued from iteration %s of "%s".' % (self.getStartIteration(), before.getRunName())]
