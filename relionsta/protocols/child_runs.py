"""Runs of a project that another run makes: saved, started, watched, brought up to date and stopped.

A run in Scipion works on a copy of the project's database and never sees the original. These functions open the
original, which the GUI writes too; each change is one transaction, begun before anything is read, so neither overwrites
what the other has just written.
"""
import contextlib
import os
import shlex
import sqlite3
import subprocess
import time

import psutil
import pyworkflow as pw
from pyworkflow.object import Pointer, PointerList
from pyworkflow.project import Project
from pyworkflow.protocol import launch as submit
from pyworkflow.protocol.constants import ACTIVE_STATUS, MODE_RESUME, STATUS_FINISHED, STATUS_LAUNCHED, STATUS_SAVED
from pyworkflow.protocol.params import EnumParam
from pyworkflow.utils import getFileLastModificationDate
from pyworkflow.utils.process import killWithChilds

from ..runtime.keeper import end_processes
from .ended import readRun
from .stopping import copyDatabase, jobFolder

#: How often, and how many seconds apart, a locked database is tried.
TRIES, PAUSE = 20, 1.5
#: Scipion's program that does a run.
_RUNNER = 'pw_protocol_run.py'
KILLED = ('The process has ended without a word: it was killed, or the computer ran out of memory or was restarted. Look at '
          'its log, and choose Continue to go on.')


@contextlib.contextmanager
def openProject(path):
    """The project in the folder `path` with its own database, read afresh; only for reading."""
    project = Project(pw.Config.getDomain(), path)
    project.load(chdir=False)
    try:
        yield project
    finally:
        project.closeMapper()


@contextlib.contextmanager
def changeProject(path):
    """The same for changes: all or none of them, and no other process changes the project meanwhile.

    Raises sqlite3.OperationalError where the database stays locked.
    """
    with openProject(path) as project:
        database = project.mapper.db
        connection = database.connection
        _retry(lambda: connection.execute('BEGIN IMMEDIATE'))
        # pyworkflow commits in the middle of an update, where another process could come in between
        database.commit = lambda: None
        try:
            yield project
        except BaseException:
            connection.rollback()
            raise
        else:
            _retry(connection.commit)
        finally:
            database.commit = connection.commit


def _retry(action):
    for attempt in range(TRIES):
        try:
            return action()
        except sqlite3.OperationalError as error:
            if 'locked' not in str(error) or attempt == TRIES - 1:
                raise
            time.sleep(PAUSE)


def setValues(protocol, values):
    """Set parameters of a protocol. values: as one would type them (a choice as its text), protocols, pointers, or lists
    of pointers."""
    for name, value in values.items():
        attribute, param = getattr(protocol, name), protocol.getParam(name)
        if isinstance(attribute, PointerList):
            attribute.clear()
            for pointer in value:
                attribute.append(pointer)
        elif isinstance(value, Pointer):
            attribute.set(value.getObjValue())
            attribute.setExtended(value.getExtended())
        elif isinstance(param, EnumParam) and isinstance(value, str):
            attribute.set(list(param.choices).index(value))
        else:
            attribute.set(value)


def newRun(project, protocol, label, values, template=None, comment=''):
    """A protocol of the class named, not yet saved. template: a run of that class whose settings, inputs, host and queue it
    starts from."""
    new = project.getDomain().getProtocols()[protocol](project=project)  # newProtocol reads all runs to find a label
    new.setObjLabel(label)
    new.setObjComment(comment)
    new.setMapper(project.mapper)
    new.setProject(project)
    if template is not None:
        new.copyDefinitionAttributes(template)
        new.copyAttributes(template, 'hostName', '_useQueue', '_queueParams')
    setValues(new, values)
    return new


def prepareRun(project, run):
    """Make a new or stopped run ready for `startRun`, in the project of changeProject: it will go on where it was."""
    run.runMode.set(MODE_RESUME)
    run.setStatus(STATUS_SAVED)
    run.getError().set(None)
    run.cleanExecutionAttributes()
    project._setupProtocol(run)  # saveProtocol reads all runs of the project first, and updates them
    run.makePathsAndClean()


def startRun(path, number):
    """Start a run that is ready, as Scipion's GUI does, and return it; path: of the project.

    It goes on by itself: stopping the process that has started it does not end it, as it would a run that Scipion starts.
    """
    with openProject(path) as project:
        run = project.getProtocol(number)
        copyDatabase(project.mapper.db.connection, run.getDbPath(), lambda copy: copy.execute(
            'UPDATE Objects SET value=? WHERE name=?', (STATUS_LAUNCHED, '%d.status' % run.getObjId())))
    with changeProject(path) as project:
        run = project.getProtocol(number)
        run.setStatus(STATUS_LAUNCHED)
        # or the project would take the process id from the copy, which does not have it yet
        run.lastUpdateTimeStamp.set(getFileLastModificationDate(run.getDbPath()))
        if run.useQueueForProtocol():
            submit(run)
        else:
            run.setPid(_startProcess(project, run))
        project.mapper.store(run)
    return run


def _startProcess(project, run):
    """Start a run's process as a child of none; returns its number."""
    output, errors = os.path.abspath(run.getStdoutLog()), os.path.abspath(run.getStderrLog())
    words = [pw.join(pw.APPS, _RUNNER), project.path, run.getDbPath(), run.strId(), output, errors]
    # Scipion's Python may be a command of several words
    command = ' '.join([pw.PYTHON] + [shlex.quote(word) for word in words])
    shell = subprocess.run('%s >/dev/null 2>>%s </dev/null & echo $!' % (command, shlex.quote(errors)), shell=True,
                           check=True, stdout=subprocess.PIPE, universal_newlines=True, start_new_session=True)
    return int(shell.stdout)


def isAtWork(run, project=None):
    """True while a run that was started has not come to its end, and its process or its job in the queue is there.

    project: only needed for a run in a queue.
    """
    now = readRun(run)
    if now.get('status', run.getStatus()) not in ACTIVE_STATUS:
        return False
    if run.useQueueForProtocol():
        return bool(project.checkJobId(run))
    if isAlive(run, int(float(now.get('_pid') or 0)) or run.getPid()):
        return True
    # it may have ended between the two looks
    return readRun(run).get('status', run.getStatus()) in ACTIVE_STATUS and isAlive(run, run.getPid())


def isAlive(run, pid):
    """True where the run has a process of this number at work; after a restart of the computer it may be another's."""
    try:
        # No words where it only waits for its parent; one long word while the shell that starts it has not become it
        return bool(pid) and any(run.getDbPath() in word for word in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def updateRun(project, run):
    """Bring a run that is not at work any more up to date in the project (of changeProject); one that was killed fails.

    A GUI that looks just when a run ends may have taken it for killed: what the run itself has written counts.
    """
    if readRun(run).get('status') == STATUS_FINISHED and not run.isFinished():
        run.setStatus(STATUS_LAUNCHED)
        run.lastUpdateTimeStamp.set(None)
    if run.isActive():
        project._updateProtocol(run)
    if run.isActive() and not isAtWork(run, project):
        run.setFailed(KILLED)
        project.mapper.store(run)


def _processOf(run, path):
    """The number of the process of a run on this computer, as the system lists it; 0 for none.

    The records do not have it where the parent was killed just after it had started the run.
    """
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            words = process.cmdline()
            names = [os.path.basename(word) for word in words]
            place = names.index(_RUNNER) if _RUNNER in names else len(words)
            if words[place + 2:place + 3] == [run.getDbPath()] and os.path.samefile(words[place + 1], path):
                return process.pid
    return 0


def stopRuns(path, numbers):
    """Stop the runs of the project in the folder `path` that are at work, as Scipion's Stop does, and all at once."""
    with openProject(path) as project:
        runs = [project.getProtocol(number) for number in numbers if project.doesProtocolExists(number)]
        found = {run.getObjId(): _processOf(run, path) for run in runs}
        atWork = [run for run in runs if found[run.getObjId()] or run.isActive() and isAtWork(run, project)]
        for run in atWork:
            if not run.useQueue():
                with contextlib.suppress(psutil.NoSuchProcess):  # it ends by itself at this moment
                    killWithChilds(found[run.getObjId()] or int(float(readRun(run).get('_pid') or 0)) or run.getPid())
        end_processes(*map(jobFolder, atWork))
    stopped = {run.getObjId() for run in atWork}
    for number in numbers:
        with changeProject(path) as project:
            if not project.doesProtocolExists(number):
                continue
            run = project.getProtocol(number)
            if number in stopped and readRun(run).get('status') in ACTIVE_STATUS:
                with contextlib.suppress(psutil.NoSuchProcess):  # it was ended above
                    project.stopProtocol(run)
            updateRun(project, run)
