"""Kills a run again and again, at places that a case names, and lets it go on each time, as a user would."""
import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any, List, NamedTuple, Tuple

import psutil
from pyworkflow.protocol.constants import MODE_RESTART, MODE_RESUME

from ...convert.bulk import read_columns
from ...protocols.base import JOB_FOLDER
from ..protocols.case import Road
from ..protocols.subsets import by_hand
from .injectors import processes
from .injectors.watch import Event, Watch

#: Seconds until RELION has started.
START_S = 120.0
#: Seconds that a run may take to come to the place of a kill, and to end after it; the machine may be busy.
REACH_S, END_S = 600.0, 30.0
#: How often a kill that came too late is tried.
TRIES = 3
#: Particles of an initial model.
FEW = 4
#: What a program does that writes a file; who only looks at it opens it.
WRITES = ('made', 'written', 'closed', 'renamed')
#: How many of the last files are told of a kill.
TOLD = 2
#: Goes on with a run from the command line, in a process of its own.
COMMAND_LINE = '''
import sys
from pyworkflow.project import Manager
from pyworkflow.protocol.constants import MODE_RESTART, MODE_RESUME
project = Manager().loadProject(sys.argv[1])
run = project.getProtocol(int(sys.argv[2]))
project._updateProtocol(run)
run.runMode.set(MODE_RESUME)
project.launchProtocol(run, wait=%s)
'''


class Kill(NamedTuple):
    """A place to kill at. name: a pattern of the file's path in the job folder, '' for RELION's start; NNN in it is the
    first iteration that this try makes, MMM the second, SSS the one that it starts from; what: what happens to the file (of
    watch.EVENTS); who: is killed (of processes.WHO); wait: seconds to wait then; cut: what a slow disk would have left is
    made of it: the file cut somewhere, those that came after it not there; how: Continue is chosen."""

    name: str
    what: str
    who: str
    wait: float = 0.0
    cut: bool = False
    how: str = 'window'

    def told(self) -> str:
        """For the name of a case."""
        place = 'at the start of RELION' if not self.name else '%s %s%s' % (
            self.name.replace('\\', ''), self.what, ' + %g s' % self.wait if self.wait else '')
        return '%s killed, %s%s%s' % (self.who, place, ', cut' if self.cut else '',
                                      ', from the command line' if self.how != 'window' else '')


class Killed(NamedTuple):
    """What a kill came to. start: the iteration that the try went on from, 0 for none; hit: the last files that anything
    happened to; pids: RELION's processes that were spared."""

    start: int
    hit: Tuple[str, ...]
    pids: Tuple[int, ...]


class Chain:
    """A run that is killed and goes on. ranks: RELION's processes; cut: makes the place of a kill exact."""

    def __init__(self, road: Road, run: Any, ranks: int, random: Any):
        self.road, self.run, self._ranks, self._random = road, run, ranks, random

    @property
    def folder(self) -> str:
        """The run's job folder."""
        return self.run._getJobPath()

    def start(self, how: str = 'window', mode: int = MODE_RESUME) -> None:
        """Start the run, or go on with it, or start it afresh (MODE_RESTART); one that is still at work, since a case has
        failed, is stopped first."""
        if self.run.isActive():
            with contextlib.suppress(psutil.NoSuchProcess):
                self.road.project.stopProtocol(self.run)
        self.run.runMode.set(mode)
        if how == 'window':
            self.road.project.launchProtocol(self.run, wait=False)
        else:
            self._from_command_line(wait=False)

    def _from_command_line(self, wait: bool) -> None:
        project = self.road.project
        project.mapper.store(self.run)
        project.mapper.commit()
        subprocess.run([sys.executable, '-c', COMMAND_LINE % wait, project.getShortName(), self.run.strId()], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.run = project.getProtocol(self.run.getObjId())
        self.run.lastUpdateTimeStamp.set(None)
        project._updateProtocol(self.run)

    def strike(self, kill: Kill, how: str, spared: Tuple[int, ...] = ()) -> Killed:
        """Start the run and kill it; one that came to its end before, since the computer is busy, starts afresh."""
        for _ in range(TRIES):
            if self.run.isFinished():
                self.start(mode=MODE_RESTART)
            else:
                self.start(how)
            try:
                killed = self.hit(kill, spared)
            except TimeoutError:
                self.look()
                if not self.run.isFinished():
                    raise
            else:
                self.look()
                if not self.run.isFinished():
                    return killed
            spared = ()
        raise AssertionError('the run came to its end %d times before it could be killed' % TRIES)

    def hit(self, kill: Kill, spared: Tuple[int, ...] = ()) -> Killed:
        """Wait until the run comes to the place and kill; returns when what was killed has gone.

        spared: processes of RELION that an earlier kill has left; AssertionError where RELION starts while one is there.
        """
        with Watch(self.run._getExtraPath()) as watch:
            found = processes.wait_for(self.run, self._ranks, START_S, spared)
            if set(spared) & {one.pid for one in found['relion']}:
                raise AssertionError('RELION of the try before (%s) still writes into the folder' % list(spared))
            start, events = started_from(self.run), []  # type: int, List[Event]
            if kill.name:
                name = kill.name
                for word, number in (('SSS', start), ('NNN', start + 1), ('MMM', start + 2)):
                    name = name.replace(word, '%03d' % number)
                events.append(watch.wait('%s/%s' % (JOB_FOLDER, name), kill.what, REACH_S, self._is_at_work))
            time.sleep(kill.wait)
            processes.kill(found, kill.who)
            if kill.who == 'all but RELION':
                processes.kill(found, 'RELION', signal.SIGSTOP)  # or a busy computer lets it come to its end
            left = tuple(one.pid for one in found['relion']) if kill.who == 'all but RELION' else ()
            if not left and not processes.gone(self.run, END_S):
                raise AssertionError('%g s after the kill there are still %s' % (END_S, processes.processes(self.run)))
            events += [event for event in watch.events(0.06) if event.path.startswith(JOB_FOLDER)]
        if kill.cut:
            self._cut(events)
        return Killed(start, tuple('%s %s' % (os.path.basename(event.path), event.what) for event in events[-TOLD:]), left)

    def _is_at_work(self) -> bool:
        """True also between one program and the next."""
        return any(processes.processes(self.run).values())

    def _cut(self, events: List[Event]) -> None:
        """What the disk would hold had it been slower: the file of the kill cut, later ones not there."""
        name = events[0].path
        for later in {event.path for event in events[1:] if event.what in WRITES} - {name}:
            path = self.run._getExtraPath(later)
            if os.path.exists(path):
                os.remove(path)
        path = self.run._getExtraPath(name)
        if os.path.exists(path) and os.path.getsize(path):
            with open(path, 'r+b') as handle:
                handle.truncate(int(self._random.integers(os.path.getsize(path))))

    def look(self) -> None:
        """What the project's window does every few seconds; a run that it takes for running is stopped, as a user would."""
        project = self.road.project
        end = time.time() + END_S
        while self.run.isActive() and time.time() < end:
            project._updateProtocol(self.run)
            if self.run.isActive():
                if not processes.processes(self.run)['run']:
                    project.stopProtocol(self.run)
                time.sleep(0.05)
        self.run = project.getProtocol(self.run.getObjId())
        if self.run.isActive():
            raise AssertionError('the run is still %s' % self.run.getStatus())

    def finish(self) -> Any:
        """Wait until the run has come to its end; returns it. AssertionError with its message if it failed."""
        end = time.time() + REACH_S
        while self.run.isActive():
            if time.time() > end:
                raise TimeoutError('the run does not end')
            self.road.project._updateProtocol(self.run)
            time.sleep(0.1)
        if not self.run.isFinished():
            raise AssertionError('%s: %s' % (self.run.getStatus(), self.run.getErrorMessage()))
        return self.run


@functools.lru_cache(maxsize=1)
def few_particles(case: Any) -> Any:
    """Some of the road's particles, so that a global search takes a second or two."""
    particles = case.output('extract', 'outputParticles').get()
    ids = read_columns(particles, [])['id']
    return by_hand(case, particles, ids[::len(ids) // FEW][:FEW])


def started_from(run: Any) -> int:
    """The iteration that the last command of a run goes on from; 0 for one that starts afresh."""
    with open(run._getExtraPath('run.sh')) as handle:
        found = re.search(r'--continue \S*_it(\d+)_optimiser\.star', handle.read())
    return int(found.group(1)) if found else 0
