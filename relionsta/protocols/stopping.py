"""What happens when the user stops a run: RELION ends, and what it has come to becomes the output.

Scipion kills the run's process and then tells the protocol, in the process of its window. The run's own database is then a
copy of the project's again, as when it was started, since Scipion writes the one with the ids of the other.
"""
import contextlib
import json
import os
import re
import sqlite3
import sys
import time

import pyworkflow.utils as pwutils
from pyworkflow.protocol.constants import STATUS_FINISHED
from pyworkflow.utils import getHostFullName

from ..jobs.shell import quote
from ..runtime import keeper
from ..whole import whole
from .all_or_none import allOrNone, dropForgotten, forgetOutputs

#: Names the computer on which RELION works, as long as it does.
HOST = 'relion_host'
#: RELION's mark of having ended because it was asked to.
ENDED = 'RELION_JOB_EXIT_ABORTED'
#: The step that makes the outputs of a run.
OUTPUT_STEP = 'createOutputStep'
#: Seconds in which RELION on another computer has to answer; it looks between groups of particles.
ELSEWHERE_S = 60.0
#: Seconds that the project's database may be locked while it is copied.
COPY_S = 20.0
#: What makes the launcher of MPI more than one plain command, which the keeper could not run.
_NOT_PLAIN = re.compile(r'[;&|<>`\n]|\$\(')


class StopMixin:
    """For a protocol, before its base class, that runs RELION."""

    def copy(self, other, copyId=True, excludeInputs=False):
        """Scipion brings its record of a run up to date so."""
        dropForgotten(self, other)
        return super().copy(other, copyId, excludeInputs)

    def setAborted(self):
        """Scipion calls this in its own process when the user stops the run."""
        super().setAborted()
        afterStop(self)

    def _makeStoppedOutputs(self):
        """Make outputs of what a run that was stopped has come to; True where there are some."""
        return False

    def _stoppedLines(self):
        """What a run that was stopped has for outputs; [] for none."""
        return []


def keptEnviron(protocol, environ, folder, ranks):
    """The environment for RELION, so that its processes are known as those of this job and end with the run."""
    environ[keeper.MARK] = keeper.job_mark(folder)
    if ranks <= 1 or not _NOT_PLAIN.search(protocol.getHostConfig().getMpiCommand() or ''):
        run = 0 if protocol.useQueueForSteps() else os.getpid()  # such a step is on another computer
        environ.setPrepend(quote([sys.executable, '-I', '-S', os.path.abspath(keeper.__file__), folder, str(run)]))
    return environ


def jobFolder(protocol):
    """The absolute path of the folder that RELION writes."""
    return os.path.join(protocol.getProject().path, protocol._getJobPath())


def endPrograms(protocol):
    """End what an earlier try of this run has left at work: two programs must never write into one folder.

    Raises RuntimeError where a process does not end.
    """
    folder = jobFolder(protocol)
    _askElsewhere(protocol, folder)
    left = keeper.processes_of(folder)
    if not left:
        return
    protocol.info('RELION is still at work for an earlier try of this run (%s) and is ended.' % ', '.join(map(str, left)))
    if not keeper.end_processes(folder):
        raise RuntimeError('Processes of an earlier try of this run are still at work in %s and do not end: %s. End them, '
                           'then continue.' % (folder, ', '.join(map(str, keeper.processes_of(folder)))))


@contextlib.contextmanager
def workingHere(protocol):
    """While RELION works, a file of the run names the computer; it stays where the run is cut off."""
    path = protocol._getExtraPath(HOST)
    with contextlib.suppress(OSError):  # on a full disk RELION has more to say
        with open(path, 'w') as handle:
            handle.write(getHostFullName())
    try:
        yield
    finally:
        pwutils.cleanPath(path)


def _askElsewhere(protocol, folder):
    """Ask RELION to end that was cut off from its run on another computer, whose processes cannot be seen.

    One that does not answer in ELSEWHERE_S has ended too, or has no access to the folder any more.
    """
    path = protocol._getExtraPath(HOST)
    host = getHostFullName()
    if os.path.exists(path):
        with open(path) as handle:
            host = handle.read()
    if host in ('', getHostFullName()) or not os.path.isdir(folder):
        return
    protocol.info('An earlier try of this run was cut off on %s. If RELION is at work there, it is asked to end.' % host)
    asked, ended = os.path.join(folder, keeper.ABORT), os.path.join(folder, ENDED)
    pwutils.cleanPath(ended)
    with open(asked, 'w'):
        end = time.time() + ELSEWHERE_S
    while not os.path.exists(ended) and time.time() < end:
        time.sleep(keeper.PAUSE_S)
    pwutils.cleanPath(asked, path)


def afterStop(protocol):
    """End RELION and make outputs of what it has come to; whatever goes wrong here, the run stays stopped."""
    try:
        keeper.end_processes(jobFolder(protocol))
        with _inProject(protocol):
            if isDone(protocol):
                protocol.setFinished()  # it came to its end at this moment, or had nothing to do
                protocol.getError().set(None)
            else:
                _registerStopped(protocol)
    except Exception as error:  # Scipion's own work on the run comes after this
        protocol.error('The stopped run has no output. %s: %s' % (type(error).__name__, error))


def _registerStopped(protocol):
    """Outputs of a stopped run, in the project's database and in the run's own; those of earlier tries go."""
    project, made = protocol.getProject(), False
    protocol.setMapper(project.mapper)
    try:
        with allOrNone(protocol):
            made = protocol._makeStoppedOutputs()
    finally:
        if not made:
            forgetOutputs(protocol)
        # or Continue would skip the step that makes the outputs where an earlier try had finished it
        protocol._updateSteps(lambda step: step.setAborted(), where="funcName='%s' AND status='%s'" % (
            OUTPUT_STEP, STATUS_FINISHED))
        protocol._store()
        copyDatabase(project.mapper.db.connection, protocol.getDbPath())


def isDone(protocol):
    """True where Scipion would find all steps finished, with outputs: the run has nothing more to do."""
    steps, asked = protocol.loadSteps(), (protocol._fingerprint(work=True), protocol._fingerprint(work=False))
    return (bool(steps) and all(step.isFinished() for step in steps) and isStepDone(protocol, len(steps) - 1, *asked)
            and any(True for _ in protocol.iterOutputAttributes()))


def isStepDone(protocol, number, *asked):
    """True where the last try has finished its step of that number (from 0), with these arguments."""
    steps = protocol.loadSteps()[number:number + 1]
    return bool(steps) and steps[0].isFinished() and json.loads(steps[0].argsStr.get()) == list(asked)


def isMadeOf(protocol, pointer):
    """True where Scipion's relations say that outputs of the run were made of this input."""
    wanted = pointer.getObjValue().getObjId(), pointer.getExtended() or ''
    return any((row['object_parent_id'], row['object_parent_extended'] or '') == wanted for row in protocol.getRelations())


def copyDatabase(connection, path, change=None):
    """The project as it is now as the own database of a run. change: called with the copy before it takes its place."""
    with whole(path) as partial, contextlib.closing(sqlite3.connect(str(partial))) as copy:
        if connection.in_transaction:  # SQLite's backup would wait for its end, for ever
            copy.executescript('\n'.join(connection.iterdump()))
        else:
            connection.backup(copy, progress=_withinSeconds(COPY_S))
        if change is not None:
            change(copy)
        copy.commit()


def _withinSeconds(seconds):
    """For SQLite's backup, which waits for ever where another program keeps the database locked."""
    end = time.time() + seconds

    def progress(_status, remaining, _total):
        if remaining and time.time() > end:
            raise sqlite3.OperationalError('the database of the project was locked for %g s' % seconds)
    return progress


@contextlib.contextmanager
def _inProject(protocol):
    """All paths count from the project's folder, and whoever stops a run may be elsewhere."""
    before = os.getcwd()
    os.chdir(protocol.getProject().path)
    try:
        yield
    finally:
        os.chdir(before)
