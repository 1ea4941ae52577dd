"""Scipion's Stop of runs that make others: all of them end, what is finished stays, and Continue repeats nothing."""
import os
import time
from typing import Any, Dict, List, NamedTuple, Tuple

import psutil
from pyworkflow.project import Manager
from pyworkflow.protocol.constants import MODE_RESUME, STATUS_SAVED

from ...jobs.cycle import CTF, START
from ...protocols.child_runs import changeProject, isAlive, prepareRun, startRun, stopRuns
from ...results.iterations import last_complete
from ..protocols.case import PROJECT, Road
from ..protocols.series_scene import BOX, SeriesCase
from .injectors import processes
from .injectors.watch import Watch
from .kill_chain import END_S, REACH_S

#: One round of CTF refinement, on a scene of a few particles.
CYCLE = dict(lowpass_filter=20.0, extend_inimask=2, width_mask_edge=4, estimationBox=BOX, referenceBox=BOX,
             do_auto_bfac=False, doPolish=False, numberOfThreads=2)
#: Seconds in which something that was not ended would show: a run of Scipion has started by then.
AFTER_S = 3.0
_LOOK_S = 0.02


class Moment(NamedTuple):
    """When a cycle is stopped. child: the key of the run that has come to it; sign, what: what has just happened to which
    file of that run's folder (watch.EVENTS), nothing for RELION at work; killed: the cycle's process is killed first."""

    child: str
    sign: str = ''
    what: str = ''
    killed: bool = False

    def told(self) -> str:
        """For the name of a case."""
        return 'with %s %s%s' % (self.child, '%s %s' % (self.sign, self.what) if self.sign else 'at work',
                                 ', its process killed' if self.killed else '')


AVERAGE, REFINED = '%s: average' % START, '%s 1' % CTF
_PROTOCOLS = {AVERAGE: 'ProtStaReconstruct', REFINED: 'ProtStaCtfRefine'}
#: From the making of a child to its work.
MOMENTS = (Moment(AVERAGE),
           Moment(REFINED, 'logs/[^/]*', 'made'),
           Moment(REFINED, 'logs/run.db', 'renamed'),
           Moment(REFINED, 'logs/run.stderr', 'opened', killed=True),
           Moment(REFINED))


def stop_scan(case: Any, values: Dict[str, Any]) -> float:
    """Stop a scan whose runs are at work; returns the seconds until they and their programs are gone.

    values: of the form of the scanned classification, which must not end by itself.
    """
    project = case.proj
    scanned = case.new('ProtStaClass3D', **values)
    project.saveProtocol(scanned)
    scan = case.new('ProtStaScan', scannedRun=scanned, scanText='tau_fudge = 1, 2', numberOfThreads=2)
    project.launchProtocol(scan, wait=False)
    end = time.time() + REACH_S
    children: List[Any] = []
    while time.time() < end and sum(_at_work(one) for one in children) < 2:
        project._updateProtocol(scan)
        children = [one for one in project.getRuns(refresh=True) if one.getObjId() in scan.getChildIds().values()]
        time.sleep(0.1)
    assert len(children) == 2, 'the scan has started %d runs' % len(children)
    seconds = _stop(project, scan, children)
    for one in children:
        child = Manager().loadProject(PROJECT).getProtocol(one.getObjId())
        assert child.isAborted(), 'a run of the scan is %s' % child.getStatus()
        last = last_complete(child._getJobPath(), child._job.type) or None
        assert child.stoppedAt.get() == last, 'iteration %s and not %s' % (child.stoppedAt.get(), last)
    return seconds


def stop_unnoted(case: Any, values: Dict[str, Any]) -> None:
    """A child whose process has started, and whose parent was killed before it could note that, ends as well."""
    project = case.proj
    run = case.new('ProtStaClass3D', **values)
    project.saveProtocol(run)
    with changeProject(project.path) as changed:
        prepareRun(changed, changed.getProtocol(run.getObjId()))
    started = startRun(project.path, run.getObjId())
    with changeProject(project.path) as changed:
        noted = changed.getProtocol(run.getObjId())
        noted.setStatus(STATUS_SAVED)
        noted.setPid(0)
        changed.mapper.store(noted)
    assert isAlive(started, started.getPid()), 'it has not started'
    stopRuns(project.path, [run.getObjId()])
    time.sleep(AFTER_S)
    assert not _alive(project.path), 'still at work: %s' % _alive(project.path)
    assert not Manager().loadProject(PROJECT).getProtocol(run.getObjId()).isActive(), 'it looks as if it were at work'


def _at_work(run: Any) -> bool:
    """True from the second iteration on."""
    return bool(processes.processes(run)['relion']) and (last_complete(run._getJobPath(), run._job.type) or 0) > 0


class CycleChain:
    """A refinement cycle that is stopped at each of the moments, one after the other, and then goes on to its end."""

    def __init__(self, road: Road):
        self._case = type('CycleCase', (SeriesCase,), {})
        self._case.setUpClass()
        self._project = road.project
        self.cycle = self._case.new('ProtStaRefinementCycle', inputParticles=self._case.halved, **CYCLE)
        self._finished: Dict[str, Tuple[int, str]] = {}

    def stop_at(self, moment: Moment) -> float:
        """Start it, or go on with it, and stop it at the moment; returns the seconds until all is gone."""
        self.cycle.runMode.set(MODE_RESUME)
        with Watch('Runs') as watch:
            self._project.launchProtocol(self.cycle, wait=False)
            self._project.mapper.commit()  # or nobody else could write to the project
            if moment.sign:
                watch.wait(r'\d+_%s/%s' % (_PROTOCOLS[moment.child], moment.sign), moment.what, REACH_S)
            if moment.killed:
                processes.kill(processes.processes(self.cycle), "the run's process")
        if not moment.sign:
            self._wait_for_work(_PROTOCOLS[moment.child])
        seconds = _stop(self._project, self.cycle, [])
        self._project.mapper.commit()
        self._check(moment)
        return seconds

    def go_on(self) -> None:
        """To its end. What was finished is not run again, what was stopped goes on under its number."""
        before = self.cycle.getChildIds()
        self.cycle.runMode.set(MODE_RESUME)
        self._case.road.launch(self.cycle)
        after = self.cycle.getChildIds()
        assert {key: after[key] for key in before} == before, 'runs were made anew: %s, then %s' % (before, after)
        assert self._made() == sorted(after.values()), 'runs of the cycle are %s, and made were %s' % (after, self._made())
        for key, number in after.items():
            assert self._runs()[number].isFinished(), '%s is not finished' % key
        self._check_finished()
        assert len(self.cycle.getLadder()) == 2, self.cycle.summary()
        assert self.cycle.outputParticles.getSize() == self._case.halved.getSize(), self.cycle.summary()

    def _wait_for_work(self, protocol: str) -> None:
        """Until a program of RELION works for a run of this class."""
        end = time.time() + REACH_S
        while not any('_%s' % protocol in name for name in _alive(self._project.path, 'relion_')):
            assert time.time() < end, '%s did not start: %s' % (protocol, '\n'.join(self.cycle.getLogsLastLines(25)))
            time.sleep(_LOOK_S)

    def _folders(self) -> List[str]:
        return sorted(name for name in os.listdir('Runs') if int(name[:6]) > self.cycle.getObjId())

    def _made(self) -> List[int]:
        return [int(name[:6]) for name in self._folders()]

    def _check(self, moment: Moment) -> None:
        """After a stop nothing begins; finished runs have their outputs, that at work is stopped, and so is the cycle."""
        folders, runs = self._folders(), self._runs()
        time.sleep(AFTER_S)
        assert self._folders() == folders, 'runs were made after the stop: %s' % (set(self._folders()) - set(folders))
        left = _alive(self._project.path)
        assert not left, 'still at work, or started after the stop: %s' % left
        cycle = Manager().loadProject(PROJECT).getProtocol(self.cycle.getObjId())
        assert cycle.isAborted(), 'the cycle is %s' % cycle.getStatus()
        assert not list(cycle.iterOutputAttributes()), 'it has outputs'
        for key, number in cycle.getChildIds().items():
            run = runs[number]
            assert not run.isActive(), '%s is %s' % (key, run.getStatus())
            outputs = [name for name, _ in run.iterOutputAttributes()]
            assert bool(outputs) == run.isFinished(), '%s is %s and has the outputs %s' % (key, run.getStatus(), outputs)
            if run.isFinished():
                self._finished.setdefault(key, (number, str(run.endTime)))
            elif not moment.sign:
                assert run.isAborted(), '%s is %s' % (key, run.getStatus())
        assert (moment.child == AVERAGE) == (AVERAGE not in self._finished), 'finished are %s' % list(self._finished)
        self._check_finished()

    def _check_finished(self) -> None:
        runs = self._runs()
        for key, (number, ended) in self._finished.items():
            assert str(runs[number].endTime) == ended, '%s was run again' % key
            assert runs[number].isFinished(), '%s is %s' % (key, runs[number].getStatus())

    @staticmethod
    def _runs() -> Dict[int, Any]:
        return {run.getObjId(): run for run in Manager().loadProject(PROJECT).getRuns()}


def _stop(project: Any, parent: Any, children: List[Any]) -> float:
    """Stop a run that has made others; returns the seconds until no process of the project is left."""
    start = time.time()
    try:
        project.stopProtocol(parent)
    except psutil.NoSuchProcess:  # Scipion's, where the run's process has gone
        pass
    while _alive(project.path):
        assert time.time() - start < END_S, 'still there: %s' % _alive(project.path)
        time.sleep(_LOOK_S)
    for one in children + [parent]:
        assert processes.gone(one, 0.0), 'still there: %s' % processes.processes(one)
    return time.time() - start


def _alive(path: str, program: str = '') -> List[str]:
    """The commands of all runs of a project that are at work, and of programs of RELION in it. program: only those whose
    name begins so."""
    found, place = [], os.path.realpath(path)
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if not words or process.status() == psutil.STATUS_ZOMBIE or not os.path.basename(words[0]).startswith(program):
                continue
            run = any(os.path.basename(word) == 'pw_protocol_run.py' for word in words) and any(
                os.path.realpath(word) == place for word in words)
            if run or os.path.basename(words[0]).startswith('relion_') and os.path.realpath(process.cwd()) == place:
                found.append(' '.join(words))
        except psutil.Error:
            continue
    return found
