"""Scipion's Stop: RELION and every rank end, nothing is left, and the last complete iteration is usable output."""
import os
import signal
import subprocess
import time
from typing import Any, Dict, List, NamedTuple, Tuple

import psutil
from pyworkflow.project import Manager
from pyworkflow.protocol import getProtocolFromDb

from ...protocols.stopping import HOST
from ...results.iterations import last_complete
from ...runtime import keeper
from ..protocols.case import PROJECT, StaCase, shared_road
from ..protocols.scene import SETTINGS
from .injectors import processes
from .injectors.watch import Watch
from .kill_chain import END_S, REACH_S, Chain, Kill, few_particles, started_from
from .ledger import Ledger

SEED = '--random_seed 1'
#: RELION's code where it was asked to end.
ABORTED = 2
#: Enough iterations that none of the runs ends before it is stopped.
LONG = 60
START, STEP, WRITING = ('', 0.0), ('run_it002_optimisation_set.star', 0.1), ('run_it003_optimiser.star', 0.0)


class Stop(NamedTuple):
    """When a run is stopped. place: a file of the job folder that has just been made ('' for RELION's start) and seconds
    after that; before: what is done to the run before (of HARM)."""

    protocol: str
    ranks: int
    place: Tuple[str, float]
    before: str = ''


#: What is done to a run before it is stopped.
HARM = {'a rank that takes no signal': lambda found: processes.kill(found, 'one rank', signal.SIGSTOP),
        'a launcher that takes no signal': lambda found: processes.kill(found, 'the launcher of MPI', signal.SIGSTOP),
        'its process killed, RELION left': lambda found: processes.kill(found, 'all but RELION'),
        'a rank killed': lambda found: processes.kill(found, 'one rank')}
STOPS = tuple(Stop(protocol, ranks, place) for protocol, ranks in (
    ('ProtStaClass3D', 1), ('ProtStaClass3D', 3), ('ProtStaRefine3D', 3), ('ProtStaInitialModel', 1))
    for place in (START, STEP, WRITING)) + (
    Stop('ProtStaClass3D', 3, STEP, 'a rank that takes no signal'),
    Stop('ProtStaRefine3D', 3, STEP, 'a rank that takes no signal'),
    Stop('ProtStaRefine3D', 3, STEP, 'a launcher that takes no signal'),
    Stop('ProtStaClass3D', 1, STEP, 'its process killed, RELION left'),
    Stop('ProtStaRefine3D', 3, STEP, 'its process killed, RELION left'),
    Stop('ProtStaRefine3D', 3, STEP, 'a rank killed'))
#: Of these, what is stopped goes on afterwards to an end.
GO_ON = (Stop('ProtStaClass3D', 3, WRITING), Stop('ProtStaInitialModel', 1, STEP))
QUICK = (Stop('ProtStaClass3D', 1, STEP),)
OUTPUTS = {'ProtStaClass3D': ['outputAverages', 'outputClasses', 'outputParticles'],
           'ProtStaRefine3D': ['fscs', 'outputParticles', 'refinedVolume'],
           'ProtStaInitialModel': ['initialVolume', 'outputAverages', 'outputClasses', 'outputParticles']}


def run(ledger: Ledger) -> None:
    """Stop runs at every moment of the table, then a scan with its children."""
    road = shared_road()
    os.chdir(road.project.path)
    road.until('class3d')
    case = type('StopCase', (StaCase,), {'road': road, 'proj': road.project, 'done': road.done})
    times: Dict[str, float] = {}
    for stop in QUICK if ledger.quick else STOPS:
        name = '%s, %d rank%s, stopped %s%s' % (
            stop.protocol, stop.ranks, 's' if stop.ranks > 1 else '', 'at the start' if stop.place == START else
            '%g s after %s' % stop.place[::-1], ', %s' % stop.before if stop.before else '')
        with ledger.case(name):
            chain = Chain(road, case.new(stop.protocol, **_values(case, stop)), stop.ranks, ledger.random)
            times[name] = _stop(chain, stop)
            if stop in GO_ON:
                _go_on(chain)
    if not ledger.quick:
        with ledger.case('RELION that a run has left on another computer ends before the run goes on'):
            _left_elsewhere(Chain(road, case.new('ProtStaClass3D', **_values(case, Stop('ProtStaClass3D', 1, STEP))), 1,
                                  ledger.random))
        with ledger.case('a scan is stopped with its runs'):
            times['scan'] = _stop_scan(case)
    ledger.note('seconds from Stop until all is gone', {name: round(seconds, 1) for name, seconds in times.items()})


def _values(case: Any, stop: Stop) -> Dict[str, Any]:
    common = dict(inputParticles=case.output('extract', 'outputParticles'), particle_diameter=SETTINGS.diameter,
                  numberOfThreads=1)
    if stop.protocol == 'ProtStaInitialModel':
        return dict(common, inputParticles=few_particles(case), nr_iter=LONG, nr_classes=1, other_args=SEED)
    if stop.protocol == 'ProtStaClass3D':
        return dict(dict(SETTINGS.class3d, nr_iter=LONG, nr_classes=2), numberOfMpi=stop.ranks,
                    referenceVolume=case.output('reconstruct', 'average'), **common)
    return dict(SETTINGS.refine3d, inputParticles=case.output('class3d', 'outputParticles'), numberOfMpi=stop.ranks,
                referenceVolume=case.output('class3d', 'outputAverages.1'), particle_diameter=SETTINGS.diameter,
                do_solvent_fsc=False, numberOfThreads=1)


def _stop(chain: Chain, stop: Stop) -> float:
    """Start the run, stop it at its moment and look at what is left; returns the seconds until all is gone."""
    chain.start()
    with Watch(chain.run._getExtraPath()) as watch:
        found = processes.wait_for(chain.run, stop.ranks, REACH_S)
        if stop.place[0]:
            watch.wait('job001/%s' % stop.place[0], 'renamed' if 'set' in stop.place[0] else 'made', REACH_S)
        time.sleep(stop.place[1])
    project = chain.road.project
    project._updateProtocol(chain.run)
    found = processes.processes(chain.run)
    if stop.before:
        HARM[stop.before](found)
    start = time.time()
    try:
        project.stopProtocol(chain.run)
    except psutil.NoSuchProcess:  # Scipion's, where the run's process has gone: the run is stopped all the same
        pass
    told = time.time() - start
    assert processes.gone(chain.run, END_S - told), 'still there: %s' % processes.processes(chain.run)
    seconds = time.time() - start
    assert not keeper.processes_of(chain.folder), 'processes of the job are left'
    assert not os.path.exists(os.path.join(chain.folder, keeper.ABORT)), 'RELION would stop at once the next time'
    _check(chain, stop)
    return seconds


def _check(chain: Chain, stop: Stop) -> None:
    """The run is stopped and has the outputs of its last complete iteration, however it is read."""
    project, number = chain.road.project, chain.run.getObjId()
    last = last_complete(chain.folder, chain.run._job.type) or None
    again = Manager().loadProject(PROJECT)
    views = {'as it was stopped': chain.run, 'from the database of the project': again.getProtocol(number),
             'from its own database': getProtocolFromDb(project.path, chain.run.getDbPath(), number),
             'as the window draws it anew': next(one for one in project.getRuns(refresh=True) if one.getObjId() == number)}
    for view, one in views.items():
        assert one.isAborted(), '%s: it is %s' % (view, one.getStatus())
        outputs = sorted(name for name, _ in one.iterOutputAttributes())
        assert outputs == (OUTPUTS[stop.protocol] if last else []), '%s: outputs %s' % (view, outputs)
        assert one.stoppedAt.get() == last, '%s: iteration %s and not %s' % (view, one.stoppedAt.get(), last)
        if last:
            found, wanted = one.outputParticles.getSize(), one.inputParticles.get().getSize()
            assert found == wanted, '%s: %d of %d particles' % (view, found, wanted)
            star = one.outputParticles.getFirstItem().getParticlesStar()
            assert os.path.basename(star) == 'run_it%03d_data.star' % last, '%s: %s' % (view, star)
            told = '\n'.join(again.getProtocol(number).summary())
            assert 'Stopped' in told and 'iteration %d' % last in told, told
            assert all(os.path.exists(path) for path in _maps(one)), '%s: maps %s' % (view, _maps(one))
    if stop.place != START:
        assert last, 'the run was stopped in its third iteration and none is complete'


def _maps(run: Any) -> List[str]:
    return [output.getFileName() for name, output in run.iterOutputAttributes()
            if name in ('refinedVolume', 'initialVolume')]


def _go_on(chain: Chain) -> None:
    """Continue goes on from the last complete iteration, and its outputs take the place of those of the stop."""
    last = last_complete(chain.folder, chain.run._job.type)
    chain.run = chain.road.project.getProtocol(chain.run.getObjId())
    chain.run.nr_iter.set(last + 1)
    chain.start()
    again = chain.finish()
    assert started_from(again) == last, 'it went on from iteration %d' % started_from(again)
    assert again.getIteration() == last + 1, 'iteration %d' % again.getIteration()
    star = again.outputParticles.getFirstItem().getParticlesStar()
    assert os.path.basename(star) == 'run_it%03d_data.star' % (last + 1), star


def _left_elsewhere(chain: Chain) -> None:
    """A program that has none of our marks, as those of another computer cannot be seen, started by the run's own run.sh."""
    power_cut = Kill('run_itNNN_optimisation_set.star', 'renamed', 'both')
    chain.start()
    chain.hit(power_cut)
    chain.look()
    with open(chain.run._getExtraPath(HOST), 'w') as handle:
        handle.write('another.computer')
    left = subprocess.Popen(['sh', chain.run._getExtraPath('run.sh')], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found = processes.wait_for(chain.run, 1, REACH_S)
    assert not keeper.processes_of(chain.folder), 'the program of the test can be seen'
    chain.start()
    chain.hit(power_cut._replace(name=''), tuple(one.pid for one in found['relion']))
    assert left.wait(END_S) == ABORTED, 'it ended with %d' % left.returncode
    chain.look()


def _stop_scan(case: Any) -> float:
    """Stop a scan whose runs are at work; returns the seconds until they and their programs are gone."""
    project = case.proj
    scanned = case.new('ProtStaClass3D', **_values(case, Stop('ProtStaClass3D', 1, START)))
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
    start = time.time()
    project.stopProtocol(scan)
    for one in children + [scan]:
        assert processes.gone(one, max(0.0, start + END_S - time.time())), 'still there: %s' % processes.processes(one)
    seconds = time.time() - start
    for one in children:
        child = Manager().loadProject(PROJECT).getProtocol(one.getObjId())
        assert child.isAborted(), 'a run of the scan is %s' % child.getStatus()
        last = last_complete(child._getJobPath(), child._job.type) or None
        assert child.stoppedAt.get() == last, 'iteration %s and not %s' % (child.stoppedAt.get(), last)
    return seconds


def _at_work(run: Any) -> bool:
    """True from the second iteration on."""
    return bool(processes.processes(run)['relion']) and (last_complete(run._getJobPath(), run._job.type) or 0) > 0
