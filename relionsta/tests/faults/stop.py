"""Scipion's Stop: RELION and every rank end, nothing is left, and the last complete iteration is usable output."""
import os
import signal
import subprocess
import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import psutil
from pyworkflow.project import Manager
from pyworkflow.protocol import getProtocolFromDb
from pyworkflow.protocol.constants import MODE_RESTART, MODE_RESUME

from ...protocols.child_runs import setValues
from ...protocols.stopping import HOST
from ...results.iterations import last_complete
from ...runtime import keeper
from ..protocols.case import PROJECT, StaCase, shared_road
from ..protocols.scene import SETTINGS
from ..protocols.subsets import half_set
from .injectors import processes
from .injectors.watch import Watch
from .kill_chain import END_S, REACH_S, Chain, Kill, few_particles, started_from
from .ledger import Ledger
from .stop_parents import MOMENTS, CycleChain, stop_scan, stop_unnoted

SEED = '--random_seed 1'
#: RELION's code where it was asked to end.
ABORTED = 2
#: Enough iterations that none of the runs ends before it is stopped.
LONG = 60
LAUNCH, START = ('launch', 0.0), ('', 0.0)
STEP, WRITING = ('run_it002_optimisation_set.star', 0.1), ('run_it003_optimiser.star', 0.0)


class Stop(NamedTuple):
    """When a run is stopped. place: a file of the job folder that has just been made ('' for RELION's start, LAUNCH for
    before that) and seconds after that; before: what is done to the run before (of HARM); again: the run has finished with
    few iterations, and how it is started again (of AGAIN)."""

    protocol: str
    ranks: int
    place: Tuple[str, float]
    before: str = ''
    again: str = ''


#: What is done to a run before it is stopped.
HARM = {'a rank that takes no signal': lambda found: processes.kill(found, 'one rank', signal.SIGSTOP),
        'a launcher that takes no signal': lambda found: processes.kill(found, 'the launcher of MPI', signal.SIGSTOP),
        'its process killed, RELION left': lambda found: processes.kill(found, 'all but RELION'),
        'a rank killed': lambda found: processes.kill(found, 'one rank')}


class Again(NamedTuple):
    """How a run that has finished is started again. values: what is changed in its form; keeps: the iteration that it has
    as its output if it is stopped at once, None for no output."""

    mode: int
    values: Dict[str, Any] = {}
    keeps: Optional[int] = None


#: Iterations of a run that finishes before it is started again.
SHORT = 2
HALF = 'half of them'
AGAIN = {'restarted': Again(MODE_RESTART),
         'with another question': Again(MODE_RESUME, {'nr_classes': 1, 'nr_iter': LONG,
                                                      'binned_size_pix': SETTINGS.box - 4}),
         'with other settings and no iteration left for them': Again(MODE_RESUME, {'tau_fudge': 3.0}),
         'with another set of particles': Again(MODE_RESUME, {'inputParticles': HALF}),
         'for more iterations': Again(MODE_RESUME, {'nr_iter': LONG}, SHORT)}
STOPS = tuple(Stop(protocol, ranks, place) for protocol, ranks in (
    ('ProtStaClass3D', 1), ('ProtStaClass3D', 3), ('ProtStaRefine3D', 3), ('ProtStaInitialModel', 1))
    for place in (START, STEP, WRITING)) + (
    Stop('ProtStaClass3D', 3, STEP, 'a rank that takes no signal'),
    Stop('ProtStaRefine3D', 3, STEP, 'a rank that takes no signal'),
    Stop('ProtStaRefine3D', 3, STEP, 'a launcher that takes no signal'),
    Stop('ProtStaClass3D', 1, STEP, 'its process killed, RELION left'),
    Stop('ProtStaRefine3D', 3, STEP, 'its process killed, RELION left'),
    Stop('ProtStaRefine3D', 3, STEP, 'a rank killed')) + tuple(
    Stop(protocol, 1, place, '', again) for protocol, again, places in (
        ('ProtStaClass3D', 'restarted', (LAUNCH, START)),
        ('ProtStaClass3D', 'with another question', (LAUNCH, START)),
        ('ProtStaClass3D', 'with other settings and no iteration left for them', (LAUNCH, START)),
        ('ProtStaClass3D', 'with another set of particles', (LAUNCH, START)),
        ('ProtStaClass3D', 'for more iterations', (LAUNCH, START, WRITING)),
        ('ProtStaExtract', 'restarted', (LAUNCH, START)),
        ('ProtStaExtract', 'with another question', (LAUNCH, START)))
    for place in places)
#: Of these, what is stopped goes on afterwards to an end.
GO_ON = (Stop('ProtStaClass3D', 3, WRITING), Stop('ProtStaInitialModel', 1, STEP))
#: Of these, the question is changed back afterwards: the result of before counts again, without RELION.
GO_BACK = (Stop('ProtStaClass3D', 1, LAUNCH, '', 'with another question'),
           Stop('ProtStaExtract', 1, LAUNCH, '', 'with another question'))
QUICK = (Stop('ProtStaClass3D', 1, STEP),)
OUTPUTS = {'ProtStaClass3D': ['outputAverages', 'outputClasses', 'outputParticles'],
           'ProtStaRefine3D': ['fscs', 'outputParticles', 'refinedVolume'],
           'ProtStaInitialModel': ['initialVolume', 'outputAverages', 'outputClasses', 'outputParticles']}


def run(ledger: Ledger) -> None:
    """Stop runs at every moment of the table, then those that make others."""
    road = shared_road()
    os.chdir(road.project.path)
    road.until('class3d')
    case = type('StopCase', (StaCase,), {'road': road, 'proj': road.project, 'done': road.done})
    times: Dict[str, float] = {}
    for stop in QUICK if ledger.quick else STOPS:
        name = '%s, %d rank%s%s, stopped %s%s' % (
            stop.protocol, stop.ranks, 's' if stop.ranks > 1 else '', ', again %s' % stop.again if stop.again else '',
            {LAUNCH: 'at its launch', START: 'at the start'}.get(stop.place) or '%g s after %s' % stop.place[::-1],
            ', %s' % stop.before if stop.before else '')
        with ledger.case(name):
            chain = Chain(road, case.new(stop.protocol, **_values(case, stop)), stop.ranks, ledger.random)
            before = _finish_first(case, chain, stop) if stop.again else {}
            times[name] = _stop(chain, stop)
            if stop in GO_ON:
                _go_on(chain)
            if stop in GO_BACK:
                _go_back(chain, before)
    if not ledger.quick:
        with ledger.case('RELION that a run has left on another computer ends before the run goes on'):
            _left_elsewhere(Chain(road, case.new('ProtStaClass3D', **_values(case, Stop('ProtStaClass3D', 1, STEP))), 1,
                                  ledger.random))
        with ledger.case('3D auto-refine that has finished, again with the same question, stopped at its launch'):
            _nothing_to_do(case, ledger)
        with ledger.case('a scan is stopped with its runs'):
            times['scan'] = stop_scan(case, _values(case, Stop('ProtStaClass3D', 1, START)))
        with ledger.case('a run that its parent has started and could not note any more'):
            stop_unnoted(case, _values(case, Stop('ProtStaClass3D', 1, START)))
        cycle = CycleChain(road)
        for moment in MOMENTS:
            with ledger.case('a refinement cycle is stopped %s' % moment.told()):
                times['cycle %s' % moment.told()] = cycle.stop_at(moment)
        with ledger.case('a refinement cycle goes on with the run that was stopped'):
            cycle.go_on()
    ledger.note('seconds from Stop until all is gone', {name: round(seconds, 1) for name, seconds in times.items()})


def _values(case: Any, stop: Stop) -> Dict[str, Any]:
    if stop.protocol == 'ProtStaExtract':
        done = case.done['extract']
        return dict(inputCoordinates=done.inputCoordinates, inputTiltSeries=done.inputTiltSeries, inputCtfs=done.inputCtfs,
                    box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box, numberOfThreads=1)
    common = dict(inputParticles=case.output('extract', 'outputParticles'), particle_diameter=SETTINGS.diameter,
                  numberOfThreads=1)
    if stop.protocol == 'ProtStaInitialModel':
        return dict(common, inputParticles=few_particles(case), nr_iter=LONG, nr_classes=1, other_args=SEED)
    if stop.protocol == 'ProtStaClass3D':
        return dict(dict(SETTINGS.class3d, nr_iter=SHORT if stop.again else LONG, nr_classes=2), numberOfMpi=stop.ranks,
                    referenceVolume=case.output('reconstruct', 'average'), **common)
    return dict(SETTINGS.refine3d, inputParticles=case.output('class3d', 'outputParticles'), numberOfMpi=stop.ranks,
                referenceVolume=case.output('class3d', 'outputAverages.1'), particle_diameter=SETTINGS.diameter,
                do_solvent_fsc=False, numberOfThreads=1)


def _stop(chain: Chain, stop: Stop) -> float:
    """Start the run, stop it at its moment and look at what is left; returns the seconds until all is gone."""
    chain.start(mode=AGAIN[stop.again].mode if stop.again else MODE_RESUME)
    with Watch(chain.run._getExtraPath()) as watch:
        found = processes.wait_for(chain.run, stop.ranks, REACH_S) if stop.place != LAUNCH else {}
        if stop.protocol == 'ProtStaExtract' and found:
            processes.kill(found, 'RELION', signal.SIGSTOP)  # or it has ended before it is stopped
        if stop.place not in (LAUNCH, START):
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
    iterative = hasattr(chain.run, 'stoppedAt')
    last = last_complete(chain.folder, chain.run._job.type) or None if iterative else None
    if stop.again and stop.place == LAUNCH:  # the folder may still be that of the try before
        last = AGAIN[stop.again].keeps if iterative else None
    again = Manager().loadProject(PROJECT)
    views = {'as it was stopped': chain.run, 'from the database of the project': again.getProtocol(number),
             'from its own database': getProtocolFromDb(project.path, chain.run.getDbPath(), number),
             'as the window draws it anew': next(one for one in project.getRuns(refresh=True) if one.getObjId() == number)}
    for view, one in views.items():
        assert one.isAborted(), '%s: it is %s' % (view, one.getStatus())
        outputs = sorted(name for name, _ in one.iterOutputAttributes())
        assert outputs == (OUTPUTS[stop.protocol] if last else []), '%s: outputs %s' % (view, outputs)
        assert not iterative or one.stoppedAt.get() == last, '%s: iteration %s and not %s' % (
            view, one.stoppedAt.get(), last)
        if last:
            found, wanted = one.outputParticles.getSize(), one.inputParticles.get().getSize()
            assert found == wanted, '%s: %d of %d particles' % (view, found, wanted)
            star = one.outputParticles.getFirstItem().getParticlesStar()
            assert os.path.basename(star) == 'run_it%03d_data.star' % last, '%s: %s' % (view, star)
            told = '\n'.join(again.getProtocol(number).summary())
            assert 'Stopped' in told and 'iteration %d' % last in told, told
            assert all(os.path.exists(path) for path in _maps(one)), '%s: maps %s' % (view, _maps(one))
    assert last or stop.place in (LAUNCH, START), 'the run was stopped in its third iteration and none is complete'


def _finish_first(case: Any, chain: Chain, stop: Stop) -> Dict[str, Any]:
    """The run finishes, and its form is then filled in for the next time; returns what was in the form before."""
    chain.start()
    chain.run = chain.road.project.getProtocol(chain.finish().getObjId())
    before = {}
    for name, value in AGAIN[stop.again].values.items():
        if hasattr(chain.run, name):
            before[name] = getattr(chain.run, name).get()
            setValues(chain.run, {name: half_set(case, 'by hand', case.output('extract', 'outputParticles')) if value == HALF
                                  else value})
    return before


def _go_back(chain: Chain, before: Dict[str, Any]) -> None:
    """With the question of before, Continue makes the outputs again, of what RELION made then."""
    chain.run = chain.road.project.getProtocol(chain.run.getObjId())
    ran = os.path.getmtime(chain.run._getExtraPath('run.sh'))
    for name, value in before.items():
        getattr(chain.run, name).set(value)
    chain.start()
    again = chain.finish()
    assert os.path.getmtime(again._getExtraPath('run.sh')) == ran, 'RELION was run again'
    assert again.outputParticles.getSize(), 'there are no particles'


def _nothing_to_do(case: Any, ledger: Ledger) -> None:
    """Its final map stays the output, and not the last iteration's."""
    values = _values(case, Stop('ProtStaRefine3D', 3, START))
    chain = Chain(case.road, case.new('ProtStaRefine3D', **values), 3, ledger.random)
    chain.start()
    chain.run = chain.road.project.getProtocol(chain.finish().getObjId())
    final = chain.run.refinedVolume.getFileName()
    for how in ('is stopped', 'goes on'):
        chain.start()
        if how == 'is stopped':
            chain.road.project.stopProtocol(chain.run)
            assert processes.gone(chain.run, END_S), 'still there: %s' % processes.processes(chain.run)
        chain.run = chain.road.project.getProtocol(chain.finish().getObjId())
        assert chain.run.refinedVolume.getFileName() == final, '%s: %s' % (how, chain.run.refinedVolume.getFileName())
        assert 'Aborted' not in '\n'.join(chain.run.summary()), chain.run.summary()


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
