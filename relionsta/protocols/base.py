"""What all RELION jobs in Scipion share: the form, the run, the checks before it and what is told after it."""
import hashlib
import json
import os
import re

import pyworkflow.utils as pwutils
from pyworkflow.constants import BETA
from pyworkflow.object import PointerList
from pyworkflow.protocol import params

from ..jobs.asked import asked, is_same_work, read_asked, write_asked
from ..results.arrived import first_missing, late_seconds, wait_for
from ..runtime.build import RelionNotFound, find_build
from . import checks, preflight
from .all_or_none import allOrNone, forgetOutputs
from .common import StaProtocol
from .form import (
    SETTINGS_FILE,
    addJobOptions,
    addRunOptions,
    addSettingsFile,
    emptyNumbers,
    jobValues,
    problemText,
    relionVersion,
)
from .job_star import hasJobStar
from .needs import neededMemory
from .own_inputs import mendOwnInputs, writeOwnInputs
from .runner import progressText, runRelion, spentText, toldEmptyHanded
from .stopping import StopMixin, endPrograms

#: RELION writes here; it drops everything up to a folder of this form from the paths of files that it rewrites.
JOB_FOLDER = 'job001'
#: What the run was asked, beside its job folder.
ASKED = 'asked.json'
#: The STAR files that we write for RELION; named so for the same reason.
INPUT_FOLDER = 'job000'


class ProtStaBase(StopMixin, StaProtocol):
    """One RELION job as a Scipion protocol.

    A subclass names its job (`_job`), adds its inputs to the form (`_defineInputParams`), says what RELION gets
    for them (`_inputValues`), writes files for it (`_writeInputs`), checks the inputs (`_validateInputs`), and makes
    the outputs (`_makeOutputs`).
    """

    _devStatus = BETA
    _job = None
    #: options of the job that the protocol fills in from Scipion objects
    _filledIn = ()
    #: when an option is shown in the form, beside its own condition
    _extraConditions = {}
    #: options that are shown for every version of RELION
    _anyVersion = ()
    #: numbers that the form leaves empty -> what is taken then, in words
    _emptyMeans = {}
    #: those of them that hold RELION's default at first
    _prefilled = ()
    #: parameters that only choose what becomes output of what RELION has made
    _outputParams = ()
    #: True where a run that was cut off can go on, tomogram by tomogram: `_removeTorn` then takes away what is not whole
    _resumes = False
    #: possible outputs that not every run makes
    _optionalOutputs = ()
    _defaultMpi = 1
    _defaultThreads = 1

    # ----------------------------------------------------------------- form
    def _defineParams(self, form):
        form.addSection(label='I/O')
        self._defineInputParams(form)
        if hasJobStar(self):
            addSettingsFile(form)
        addJobOptions(form, self._job, skip=self._filledIn, conditions=self._extraConditions,
                      anyVersion=self._anyVersion, empty=self._emptyMeans)
        addRunOptions(form, self._job, threads=self._defaultThreads, mpi=self._defaultMpi)

    def _defineInputParams(self, form):
        raise NotImplementedError

    def _createVarsFromDefinition(self, **kwargs):
        # Not as their default, which Scipion's form shows in an empty field
        held = {name: self._job.option(name).default for name in self._prefilled}
        super()._createVarsFromDefinition(**dict(held, **kwargs))

    def getGpuList(self):
        """Numbers of the GPUs, for Scipion: its own reading of the list stops at RELION's colons (0:1)."""
        return [int(number) for number in re.findall(r'\d+', self.gpuList.get() or '')] if self.allowsGpu() else []

    # ---------------------------------------------------------------- folders
    def _getJobPath(self, *names):
        """Path, from the project's folder, of a file that RELION writes in this run."""
        return self._getExtraPath(JOB_FOLDER, *names)

    def _getInputPath(self, *names):
        """Path, from the project's folder, of a file that we write for RELION."""
        return self._getExtraPath(INPUT_FOLDER, *names)

    # ------------------------------------------------------------------ steps
    def _insertAllSteps(self):
        # Continue skips steps that were finished with the same arguments: these change with what is asked.
        work, output = self._fingerprint(work=True), self._fingerprint(work=False)
        self._insertFunctionStep(self.convertInputStep, work)
        self._insertFunctionStep(self.runRelionStep, work)
        self._insertFunctionStep(self.createOutputStep, work, output)

    def convertInputStep(self, work):
        """Write the files that RELION needs for the inputs."""
        writeOwnInputs(self)

    def runRelionStep(self, work):
        """Run RELION's commands in a fresh job folder: what an earlier try left is never taken for output.

        But for jobs that can go on where a try with the same request was cut off.
        """
        endPrograms(self)
        mendOwnInputs(self)
        now = self._asked()
        more = self._resumes and is_same_work(read_asked(self._getExtraPath(ASKED)), now)
        if more:
            pwutils.makePath(self._getJobPath())
            self._removeTorn()
        else:
            self._emptyJobFolder()
        write_asked(self._getExtraPath(ASKED), now)
        runRelion(self, self.getCommands(resume=more), self._getJobPath() + os.sep, more=more)

    def _asked(self):
        """What RELION is asked, and what is in the files that it gets."""
        return asked(self._job, self.getValues(), relionVersion())

    def _removeTorn(self):
        """Remove what a try that was cut off left half-written: RELION takes every file that is there for whole."""

    def _emptyJobFolder(self):
        forgetOutputs(self)  # those of an earlier try name files that go now
        pwutils.cleanPath(self._getJobPath())
        pwutils.makePath(self._getJobPath())

    def createOutputStep(self, work, output):
        """Make Scipion's objects of what RELION wrote."""
        with toldEmptyHanded(self), allOrNone(self):
            self._awaitResults()
            self._makeOutputs()

    def _awaitResults(self):
        """Wait until all that RELION has made is there: on a network disk that may be after its end.

        Raises ValueError with the file that is still missing when the time for it (results.arrived) is over.
        """
        mendOwnInputs(self)  # outputs name them too
        patience = late_seconds()
        missing = wait_for(self._missingResult, patience, self.info)
        if missing:
            raise ValueError('%s, %.0f s after RELION has ended. If the disk is on the network and shows the file later, '
                             'choose Continue: RELION is not run again.' % (missing, patience))

    def _missingResult(self):
        """What of RELION's results is not there, or not whole, as a message that names the file; '' for nothing."""
        return first_missing(self._getResultPaths())

    def _getResultPaths(self):
        """Paths of the files of RELION without which there is no output."""
        return []

    def _writeInputs(self):
        """Nothing by default: many jobs read the files of the inputs as they are."""

    def _makeOutputs(self):
        raise NotImplementedError

    def _fingerprint(self, work):
        """A short text that changes with every parameter of RELION's work, or else with the choice of the output."""
        asked = {name: str(value) for name, value in self.getDefinitionDict().items()
                 if (name in self._outputParams) != work and name != SETTINGS_FILE
                 and not name.startswith(('_', 'object.', 'run', 'host'))}
        return hashlib.sha1(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]

    # ---------------------------------------------------------------- commands
    def getValues(self):
        """RELION's value of every option of the job, inputs included."""
        values = jobValues(self, self._job, skip=self._filledIn)
        values.update(self._inputValues())
        return values

    def getCommands(self, resume=False):
        """The commands of this run, each a list of tokens (without launcher and --pipeline_control)."""
        return self._job.commands(self.getValues(), self._getJobPath() + os.sep, relionVersion(), resume)

    def _inputValues(self):
        return {}

    def _settingsOf(self, values):
        """The values of a job.star as the form asks for them; a form that asks otherwise than RELION translates them."""
        return values

    # ------------------------------------------------------------------ checks
    def _validate(self):
        if not self._hasInputs():
            return []  # Scipion itself names the inputs that are empty
        return (emptyNumbers(self) or list(self._validateInputs()) or self._validateOptions(fatal=True)
                or self._validateBuild() or preflight.errors(self))

    def _warnings(self):
        if not self._hasInputs() or emptyNumbers(self):
            return []
        return self._validateOptions(fatal=False) + list(self._inputWarnings()) + preflight.warnings(self)

    def _hasInputs(self):
        return all(_isGiven(getattr(self, name)) for name, param in self.getDefinition().iterParams()
                   if isinstance(param, params.PointerParam) and not param.allowsNull
                   and self.evalParamCondition(name))

    def _validateOptions(self, fatal):
        return [problemText(self, self._job, problem)
                for problem in self._job.problems(self.getValues(), relionVersion()) if problem.fatal == fatal]

    def _validateInputs(self):
        """Messages on inputs that RELION would fail on, or worse, accept."""
        return []

    def _inputWarnings(self):
        """Messages on inputs that are legal and unusual."""
        return []

    def estimateMemory(self):
        """Bytes of memory that the run takes, all processes together; 0 where nobody can tell."""
        return neededMemory(self)

    def _validateBuild(self):
        try:
            build = find_build()
        except RelionNotFound:
            return []  # Scipion asks the plugin itself, and shows its message
        return checks.checkBuild(build, self.getValues())

    # ----------------------------------------------------------------- reports
    def _summary(self):
        if self.isActive():
            return [progressText(self) or 'Running.']
        if not self.isFinished():
            stopped = self._stoppedLines() if self.isAborted() else []
            return stopped + self._told(self._summaryLines) if stopped else ['No output yet.']
        return self._told(self._summaryLines) + spentText(self)

    def _methods(self):
        return self._told(self._methodsLines) if self.isFinished() else []

    def _told(self, lines):
        """The lines of a report; one that says why, where outputs or files of a finished run are gone."""
        gone = [name for name in map(_nameOfOutput, self._possibleOutputs)
                if name not in self._optionalOutputs and not hasattr(self, name)]
        if gone:
            return ['The output %s was deleted.' % ', '.join(gone)]
        try:
            self.checkMade()
            return list(lines())
        except (ValueError, OSError) as error:
            return ['The results cannot be read: %s' % error]

    def _summaryLines(self):
        raise NotImplementedError

    def _methodsLines(self):
        raise NotImplementedError

    def _citations(self):
        return ['Burt2024', 'Zivanov2022'] + list(self._moreCitations())

    def _moreCitations(self):
        return []


def _isGiven(pointer):
    """True where something was chosen for a pointer, or for a list of them."""
    return not pointer.isEmpty() if isinstance(pointer, PointerList) else pointer.get() is not None


def _nameOfOutput(output):
    """Scipion takes the possible outputs as an Enum or as names."""
    return getattr(output, 'name', output)
