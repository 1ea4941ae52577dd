"""Protocols that make other protocols in their project and run them.

The children are ordinary runs: in the tree of runs, in processes of their own, with their own settings. The parent says
what it wants as `ChildJob`s and `runChildren` makes, starts and watches them, several at a time. What is finished is kept
on Continue, what still runs is waited for, what failed or was stopped goes on, what the user has deleted is made again.
"""
import hashlib
import json
import os
import time
from datetime import datetime
from typing import Any, Dict, NamedTuple, Optional, Union

from pyworkflow.object import Pointer, PointerList, String
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import MODE_RESTART, STATUS_ABORTED, STATUS_FAILED, STATUS_FINISHED

from .child_room import coresOf, fits, memoryOf
from .child_runs import (
    changeProject,
    isAtWork,
    newRun,
    openProject,
    prepareRun,
    readRun,
    startRun,
    stopRuns,
    updateRun,
)

#: Seconds between two looks at the children, and between two looks at a queue.
LOOK, LOOK_AT_QUEUE = 1.0, 20.0
#: Of a child whose input did not come about.
STATUS_SKIPPED = 'skipped'


#: Parameters that change how fast a run is and not what it makes: with other ones it is still the same child.
_RUNNING = ('gpuList', 'useGpu', 'numberOfThreads', 'numberOfMpi')


class Output(NamedTuple):
    """An output of a run as an input of a child. run: the key of another child of this parent, or the id of any run of the
    project. name: of the output, also of an item (`outputAverages.1`); '' for the run itself."""

    run: Union[str, int]
    name: str = ''


def outputOf(pointer):
    """What a pointer of a form points to, as an Output; None for nothing."""
    if pointer.get() is None:
        return None
    owner, name = pointer.getObjValue(), pointer.getExtended()
    if name or isinstance(owner, Protocol):
        return Output(owner.getObjId(), name or '')
    return Output(owner.getObjParentId(), owner.getLastName())  # a pointer to the output itself


class ChildJob(NamedTuple):
    """A child that a parent wants. key: its name within the parent (letters of any kind); label: what the user sees;
    protocol: name of the class; values: parameters as one would type them, an input as Output (or a list of them), None for
    an input that shall be empty; template: id of a run of that class whose settings and inputs it starts from."""

    key: str
    label: str
    protocol: str
    values: Dict[str, Any] = {}
    template: Optional[int] = None

    def needs(self):
        """Keys of the children whose outputs it takes."""
        return [one.run for one in _outputs(self.values) if isinstance(one.run, str)]


class ChildState(NamedTuple):
    """How a child came out. status: of Scipion, or STATUS_SKIPPED (then id is None); error: the reason where it is not
    finished; seconds: its own time."""

    key: str
    label: str
    id: Optional[int]
    status: str
    error: str
    seconds: float

    @property
    def isFinished(self):
        return self.status == STATUS_FINISHED


class ParentMixin:
    """For a protocol, before its base class, that makes children."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        #: JSON: key -> [id, digest of what the child was asked]; kept with the run, so that Continue finds them
        self._childRuns = String()

    # ---------------------------------------------------------------- knowing
    def getChildIds(self):
        """Ids of the children by key, in the order in which they were made."""
        return {key: number for key, (number, _) in self._remembered().items()}

    def loadChild(self, key):
        """The child as the project has it, with its outputs; None where it was not made, or deleted since."""
        number = self.getChildIds().get(key)
        with openProject(self._projectPath()) as project:
            return project.getProtocol(number) if number and project.doesProtocolExists(number) else None

    def loadRun(self, number):
        """Any run of the project by its id, up to date; the parent's own project is as old as its start."""
        with openProject(self._projectPath()) as project:
            return project.getProtocol(number)

    def _projectPath(self):
        return self.getProject().path

    def _remembered(self):
        return json.loads(self._childRuns.get() or '{}')

    def _remember(self, key, number, digest):
        self._childRuns.set(json.dumps(dict(self._remembered(), **{key: [number, digest]})))
        self._store(self._childRuns)

    def forgetChildrenOnRestart(self):
        """To be called when the steps are defined: a run that starts afresh makes new children; the old ones stay in the
        project, and may have been used."""
        if self.getRunMode() == MODE_RESTART and self._remembered():
            self._childRuns.set('')
            self._store(self._childRuns)

    # ---------------------------------------------------------------- running
    def runChildren(self, jobs, cores, gpus=(), onChange=None):
        """Run ChildJobs to their ends, side by side as far as `cores` allow; returns ChildState by key, in their order.

        A child that fails leaves the others; those that need it are skipped. gpus: numbers of GPUs, one entry per child at
        a time (for children that use GPUs); none: these run one at a time with those of their own form. onChange(states):
        called when a child has started (status running) or ended.
        """
        waiting, running, states = list(jobs), {}, {}
        now = {job.key for job in jobs}
        free, changed = list(gpus), True
        while waiting or running:
            look, changed = changed, False
            for job in list(waiting) if look else []:  # nothing new can begin before something has ended
                lacking = [states[key] for key in job.needs() if key in states and not states[key].isFinished]
                if lacking:
                    states[job.key] = ChildState(job.key, job.label, None, STATUS_SKIPPED, 'Its input "%s" is missing.'
                                                 % lacking[0].label, 0.0)
                elif all(key in states for key in job.needs() if key in now):  # others were run by an earlier call
                    begun = self._begin(job, list(running.values()), cores, free, bool(gpus))
                    if begun is None:
                        continue
                    (states if isinstance(begun, ChildState) else running)[job.key] = begun
                else:
                    continue
                waiting.remove(job)
                changed = True
            for key, one in list(running.items()):
                if one.isOver():
                    states[key] = self._end(one)
                    free.extend(one.gpus)
                    del running[key]
                    changed = True
            if changed and onChange is not None:
                onChange(_ordered(jobs, dict(states, **{key: one.state() for key, one in running.items()})))
            if not changed:
                time.sleep(LOOK)
        return _ordered(jobs, states)

    def runChild(self, job, cores):
        """Run one ChildJob to its end; returns its ChildState."""
        return self.runChildren([job], cores)[job.key]

    def _begin(self, job, running, cores, freeGpus, dealt):
        """A _Running of the job; None where there is no room now; a ChildState where its form is refused."""
        with changeProject(self._projectPath()) as project:
            asked = self._asked(project, job)
            digest, run = _digest(asked), asked
            number, before = self._remembered().get(job.key, (None, ''))
            known = digest == before and project.doesProtocolExists(number)
            if known:
                run = project.getProtocol(number)
                # Asked of the run itself too: it may have finished since the project last looked, or between these looks
                if run.isFinished() or (run.isActive() and isAtWork(run, project)) or (
                        readRun(run).get('status') == STATUS_FINISHED):
                    return _Running(job, run, self._projectPath(), coresOf(run), memoryOf(run), ())
            errors = [] if known else run.validate()
            if errors:
                return ChildState(job.key, job.label, None, STATUS_FAILED, 'it was refused.\n%s' % '\n'.join(errors), 0.0)
            size, memory = coresOf(run), memoryOf(run)
            if running and not run.useQueue() and not fits(run, size, memory, running, cores, freeGpus, dealt):
                return None
            gpus = ()
            if dealt and run.usesGpu() and freeGpus:
                gpus = (freeGpus.pop(0),)
                run.gpuList.set(gpus[0])
            if known:
                updateRun(project, run)
            prepareRun(project, run)
        self._remember(job.key, run.getObjId(), digest)
        run = startRun(self._projectPath(), run.getObjId())
        self.info('%s: run %d.' % (job.label, run.getObjId()))
        return _Running(job, run, self._projectPath(), 0 if run.useQueue() else size, memory, gpus)

    def _asked(self, project, job):
        """A new protocol, not saved, that is what the job asks for."""
        template = None if job.template is None else project.getProtocol(job.template)
        values = {name: self._resolved(project, value) for name, value in job.values.items()}
        return newRun(project, job.protocol, job.label, values, template,
                      'Made by "%s" (run %s).' % (self.getRunName(), self.strId()))

    def _resolved(self, project, value):
        if isinstance(value, (list, tuple)) and not isinstance(value, Output):
            return [self._resolved(project, one) for one in value]
        if not isinstance(value, Output):
            return value
        number = self.getChildIds()[value.run] if isinstance(value.run, str) else value.run
        return Pointer(project.getProtocol(number), extended=value.name or None)

    def _end(self, one):
        with changeProject(self._projectPath()) as project:
            run = project.getProtocol(one.run.getObjId()) if project.doesProtocolExists(one.run.getObjId()) else None
            if run is None:
                return one.state(STATUS_ABORTED, 'It was deleted while it ran.')
            updateRun(project, run)
            return ChildState(one.job.key, run.getRunName(), run.getObjId(), run.getStatus(),
                              '' if run.isFinished() else run.getErrorMessage() or 'It did not finish.',
                              run.getElapsedTime().total_seconds())

    # --------------------------------------------------------------- stopping
    def stopsChildren(self):
        """True where children are stopped together with their parent."""
        return True

    def setAborted(self):
        """Scipion calls this in its own process when the user stops the run."""
        super().setAborted()
        if self.stopsChildren():
            # Scipion has just brought the record of this run up to date, and waits with the end of that transaction
            self.getProject().mapper.commit()
            stopRuns(self._projectPath(), list(self.getChildIds().values()))


class _Running:
    """A child at work."""

    def __init__(self, job, run, path, size, memory, gpus):
        self.job, self.run, self.size, self.memory, self.gpus = job, run, size, memory, gpus
        self._path, self._looked = path, 0.0

    def isOver(self):
        if self.run.isFinished() or not os.path.exists(self.run.getWorkingDir()):
            return True
        if not self.run.useQueueForProtocol():
            return not isAtWork(self.run)
        if time.time() - self._looked < LOOK_AT_QUEUE:
            return False
        self._looked = time.time()
        with openProject(self._path) as project:
            return not isAtWork(self.run, project)

    def state(self, status=None, error=''):
        since = readRun(self.run).get('initTime')
        seconds = (datetime.now() - _time(since)).total_seconds() if since else 0.0
        return ChildState(self.job.key, self.run.getRunName(), self.run.getObjId(), status or self.run.getStatus(), error,
                          seconds)


def _digest(run):
    """A short text that changes with all that a run is asked."""
    asked = {}
    for name, attribute in run.iterDefinitionAttributes():
        if isinstance(attribute, PointerList):
            asked[name] = [pointer.getUniqueId() for pointer in attribute]
        elif attribute.isPointer():
            asked[name] = attribute.getUniqueId() if attribute.hasValue() else None
        elif name not in _RUNNING:
            asked[name] = str(attribute)
    return hashlib.sha1(json.dumps([run.getClassName(), asked], sort_keys=True).encode()).hexdigest()[:16]


def _outputs(values):
    """All Outputs among the values of a job."""
    for value in values.values():
        if isinstance(value, Output):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (one for one in value if isinstance(one, Output))


def _ordered(jobs, states):
    return {job.key: states[job.key] for job in jobs if job.key in states}


def _time(text):
    """Scipion's text of a time."""
    return datetime.strptime(text, '%Y-%m-%d %H:%M:%S.%f' if '.' in text else '%Y-%m-%d %H:%M:%S')
