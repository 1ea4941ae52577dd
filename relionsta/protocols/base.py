"""What all RELION jobs in Scipion share: the form, the run, the checks before it and what is told after it."""
import os

import pyworkflow.utils as pwutils
from pwem.protocols import EMProtocol
from pyworkflow.constants import BETA
from pyworkflow.protocol import params
from tomo.protocols import ProtTomoBase

from ..runtime.build import RelionNotFound, find_build
from . import checks
from .form import addJobOptions, addRunOptions, jobValues, relionVersion
from .runner import runRelion, spentSeconds

#: RELION writes here; it drops everything up to a folder of this form from the paths of files that it rewrites.
JOB_FOLDER = 'job001'
#: The STAR files that we write for RELION; named so for the same reason.
INPUT_FOLDER = 'job000'


class ProtStaBase(EMProtocol, ProtTomoBase):
    """One RELION job as a Scipion protocol.

    A subclass names its job (`_job`), adds its inputs to the form (`_defineInputParams`), says what RELION gets
    for them (`_inputValues`), checks them (`_validateInputs`), and makes the outputs (`createOutputStep`).
    """

    _devStatus = BETA
    _job = None
    #: options of the job that the protocol fills in from Scipion objects
    _filledIn = ()
    #: when an option is shown in the form, beside its own condition
    _extraConditions = {}
    #: defaults that replace RELION's, by option name
    _ownDefaults = {}
    _defaultMpi = 1
    _defaultThreads = 1

    # ----------------------------------------------------------------- form
    def _defineParams(self, form):
        form.addSection(label='I/O')
        self._defineInputParams(form)
        addJobOptions(form, self._job, skip=self._filledIn, defaults=self._ownDefaults,
                      conditions=self._extraConditions)
        addRunOptions(form, self._job, threads=self._defaultThreads, mpi=self._defaultMpi)

    def _defineInputParams(self, form):
        raise NotImplementedError

    # ---------------------------------------------------------------- folders
    def _getJobPath(self, *names):
        """Path, from the project's folder, of a file that RELION writes in this run."""
        return self._getExtraPath(JOB_FOLDER, *names)

    def _getInputPath(self, *names):
        """Path, from the project's folder, of a file that we write for RELION."""
        return self._getExtraPath(INPUT_FOLDER, *names)

    # ------------------------------------------------------------------ steps
    def _insertAllSteps(self):
        self._insertFunctionStep(self.convertInputStep)
        self._insertFunctionStep(self.runRelionStep)
        self._insertFunctionStep(self.createOutputStep)

    def convertInputStep(self):
        """Write the STAR files that RELION needs for the inputs; nothing by default."""

    def runRelionStep(self):
        """Run RELION's commands in a fresh job folder: what an earlier try left is never taken for output."""
        folder = self._getJobPath()
        pwutils.cleanPath(folder)
        pwutils.makePath(folder)
        runRelion(self, self.getCommands(), folder + os.sep)

    def createOutputStep(self):
        raise NotImplementedError

    # ---------------------------------------------------------------- commands
    def getValues(self):
        """RELION's value of every option of the job, inputs included."""
        values = jobValues(self, self._job, skip=self._filledIn)
        values.update(self._inputValues())
        return values

    def getCommands(self):
        """The commands of this run, each a list of tokens (without launcher and --pipeline_control)."""
        return self._job.commands(self.getValues(), self._getJobPath() + os.sep, relionVersion())

    def _inputValues(self):
        return {}

    # ------------------------------------------------------------------ checks
    def _validate(self):
        if not self._hasInputs():
            return []  # Scipion itself names the inputs that are empty
        errors = list(self._validateInputs())
        if not errors:
            try:
                errors += [problem.text() for problem in self._problems() if problem.fatal]
            except ValueError as error:  # an empty number: the message names the option
                errors.append(str(error))
        if not errors:
            errors += self._validateBuild()
        return errors

    def _warnings(self):
        if not self._hasInputs():
            return []
        return [problem.text() for problem in self._problems() if not problem.fatal] + list(self._inputWarnings())

    def _hasInputs(self):
        return all(getattr(self, name).get() is not None for name, param in self.getDefinition().iterParams()
                   if isinstance(param, params.PointerParam) and not param.allowsNull)

    def _problems(self):
        return self._job.problems(self.getValues(), relionVersion())

    def _validateInputs(self):
        """Messages on inputs that RELION would fail on, or worse, accept."""
        return []

    def _inputWarnings(self):
        return []

    def _validateBuild(self):
        try:
            build = find_build()
        except RelionNotFound:
            return []  # Scipion asks the plugin itself, and shows its message
        return checks.checkBuild(build, self.getValues())

    # ----------------------------------------------------------------- reports
    def _summary(self):
        if not self.isFinished():
            return ['Not finished.' if self.isActive() or self.isSaved() else 'No output yet.']
        lines = list(self._summaryLines())
        seconds = spentSeconds(self)
        if seconds:
            lines.append('RELION ran for %s.' % checks.duration(seconds))
        return lines

    def _summaryLines(self):
        return []

    def _citations(self):
        return ['Burt2024', 'Zivanov2022'] + list(self._moreCitations())

    def _moreCitations(self):
        return []
