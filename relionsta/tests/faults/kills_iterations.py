"""Kills at every point of an iteration's write sequence: initial model, 3D classification, 3D auto-refine."""
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

import mrcfile
import numpy as np
from pyworkflow.protocol.constants import MODE_RESUME

from ...results.iterations import last_complete
from ..protocols.case import StaCase, shared_road
from ..protocols.scene import SETTINGS
from .kill_chain import Chain, Kill, few_particles, started_from
from .ledger import Ledger

#: One Fourier shell of the box, 1/Å, and a little for rounding.
SHELL = 1.01 / (SETTINGS.box * SETTINGS.pixel)
#: Correlation of the maps of a run that was killed with those of one that went on from the same iterations unharmed.
SAME_MAP = 0.999
SEED = '--random_seed 1'
#: In the order in which RELION writes (one process): optimiser, maps, model, data, sampling, optimisation set.
CLASS3D = (
    Kill('', '', 'RELION'),
    Kill('run_it000_optimiser.star', 'made', "the run's process"),
    Kill('run_itNNN_optimiser.star', 'made', 'RELION', cut=True),
    Kill('run_itNNN_class001.mrc', 'written', 'both', cut=True),
    Kill('run_itNNN_optimisation_set.star', 'renamed', 'RELION', 0.15),
    Kill('run_itMMM_optimiser.star', 'closed', 'both'),
    Kill('run_itMMM_class001.mrc', 'made', 'RELION', cut=True),
    Kill('run_itNNN_class001_angdist.bild', 'written', "the run's process"),
    Kill('run_itSSS_model.star', 'written', 'RELION', cut=True),
    Kill('run_itNNN_optimisation_set.star', 'renamed', 'all but RELION', how='command line'),
    Kill('run_itMMM_model.star', 'written', 'RELION', cut=True),
    Kill('run_itNNN_data.star', 'written', 'both', cut=True, how='command line'),
    Kill('run_itNNN_sampling.star', 'written', 'RELION', cut=True),
    Kill('run_itMMM_optimisation_set.star', 'renamed', 'both'),
    Kill('run_itNNN_data.star', 'closed', 'all but RELION'),
)
#: Ranks: the leader writes optimiser and data, those of the half sets their maps and models.
REFINE3D = (
    Kill('', '', 'one rank'),
    Kill('run_itNNN_optimiser.star', 'written', 'RELION', cut=True),
    Kill(r'run_itNNN_half2_class001\.mrc', 'written', 'one rank', cut=True),
    Kill(r'run_itNNN_half1_class001\.mrc', 'made', "the run's process"),
    Kill('run_itNNN_optimisation_set.star', 'renamed', 'the launcher of MPI', 0.2),
    Kill('run_itNNN_half1_model.star', 'written', 'all but RELION'),
    Kill('run_itNNN_half2_model.star', 'written', 'both', cut=True),
    Kill('run_itNNN_sampling.star', 'written', 'RELION', cut=True),
    Kill('run_itMMM_data.star', 'written', 'both', cut=True, how='command line'),
    Kill('run_itNNN_optimisation_set.star', 'renamed', "the run's process", 0.1),
    Kill('run_itNNN_optimiser.star', 'made', 'one rank'),
    Kill('run_itSSS_data.star', 'written', 'both', cut=True),
    Kill(r'run_itNNN_half\d_class001_angdist.bild', 'made', 'both', cut=True),
    Kill('run_half2_class001_unfil.mrc', 'made', 'RELION', cut=True),
    Kill('run_optimiser.star', 'made', 'both', cut=True),
    Kill('run_data.star', 'written', 'all but RELION'),
)
INITIAL_MODEL = (
    Kill('', '', "the run's process"),
    Kill('run_itNNN_optimiser.star', 'made', 'both', cut=True),
    Kill('run_itNNN_class001.mrc', 'written', 'RELION', cut=True),
    Kill('run_itNNN_1moment001.mrc', 'written', 'RELION', cut=True),
    Kill('run_itNNN_optimisation_set.star', 'renamed', 'all but RELION'),
    Kill('run_itNNN_1moment002.mrc', 'made', 'both', cut=True),
    Kill('run_itMMM_2moment001.mrc', 'written', 'RELION', cut=True, how='command line'),
    Kill('run_itNNN_model.star', 'written', "the run's process"),
    Kill('run_itNNN_data.star', 'made', 'both', cut=True),
    Kill('run_itSSS_class001.mrc', 'written', 'RELION', cut=True),
    Kill('run_itMMM_optimisation_set.star', 'renamed', 'RELION', 0.1),
    Kill('run_itNNN_sampling.star', 'written', 'both', cut=True),
    Kill('run_itMMM_optimisation_set.star.tmp', 'made', 'RELION', cut=True),
    Kill('initial_model.mrc', 'written', 'both', cut=True),
)
#: RELION's mark of having come to its end.
SUCCESS = 'RELION_JOB_EXIT_SUCCESS'
#: Enough that what is left at work for a moment does not come to the end.
ITERATIONS, FEWER = 30, 14


class Job(NamedTuple):
    """A job that is killed. values: called with the case, gives the form; ranks: RELION's processes; maps: called with
    the run, gives those to compare; until: called with a number, gives values with which it ends at that iteration and can
    go on from there, None for a job that has none."""

    protocol: str
    values: Callable[[Any], Dict[str, Any]]
    ranks: int
    kills: Tuple[Kill, ...]
    maps: Callable[[Any], List[str]]
    until: Optional[Callable[[int], Dict[str, Any]]] = None


def _class3d(case: Any) -> Dict[str, Any]:
    # One class: of two, the few particles change theirs with the last digit that RELION writes.
    return dict(dict(SETTINGS.class3d, nr_iter=ITERATIONS, nr_classes=1), numberOfThreads=1,
                inputParticles=case.output('extract', 'outputParticles'), particle_diameter=SETTINGS.diameter,
                referenceVolume=case.output('reconstruct', 'average'))


def _refine3d(case: Any) -> Dict[str, Any]:
    return dict(SETTINGS.refine3d, inputParticles=case.output('class3d', 'outputParticles'), numberOfMpi=3,
                referenceVolume=case.output('class3d', 'outputAverages.1'), particle_diameter=SETTINGS.diameter,
                do_solvent_fsc=False, numberOfThreads=1)


def _initial_model(case: Any) -> Dict[str, Any]:
    return dict(inputParticles=few_particles(case), nr_iter=FEWER, nr_classes=1,
                particle_diameter=SETTINGS.diameter, numberOfThreads=1, other_args=SEED)


JOBS = (
    Job('ProtStaClass3D', _class3d, 1, CLASS3D, lambda run: [one.getFileName() for one in run.outputAverages.iterItems()],
        lambda number: {'nr_iter': number}),
    Job('ProtStaRefine3D', _refine3d, 3, REFINE3D, lambda run: [run.refinedVolume.getFileName()],
        lambda number: {'other_args': '%s --auto_iter_max %d' % (SEED, number)}),
    Job('ProtStaInitialModel', _initial_model, 1, INITIAL_MODEL, lambda run: [run.initialVolume.getFileName()]),
)
#: What runs with the tests: a place of the first job, in the last iteration of the run that it is compared with.
QUICK = (CLASS3D[3]._replace(name='run_itMMM_class001.mrc'),)


def run(ledger: Ledger) -> None:
    """Kill runs of each job, one place after the other, and compare what they come to with a run that was left alone."""
    road = shared_road()
    os.chdir(road.project.path)
    road.until('class3d')
    case = type('KillCase', (StaCase,), {'road': road, 'proj': road.project, 'done': road.done})
    if ledger.quick:
        values = dict(SETTINGS.class3d, inputParticles=case.output('extract', 'outputParticles'), numberOfThreads=2,
                      referenceVolume=case.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter)
        _kill_all(ledger, case, JOBS[0]._replace(kills=QUICK, values=lambda _: values), road.done['class3d'])
        return
    for job in JOBS:
        _kill_all(ledger, case, job, case.run_new(job.protocol, **job.values(case)))


def _kill_all(ledger: Ledger, case: Any, job: Job, alone: Any) -> None:
    chain = Chain(case.road, case.new(job.protocol, **job.values(case)), job.ranks, ledger.random)
    hits, starts, how, spared, last = [], [], 'window', (), 0
    for number, kill in enumerate(job.kills, start=1):
        with ledger.case('%s %d: %s' % (alone._label, number, kill.told())):
            chain.start(how)
            how, left, spared = kill.how, spared, ()
            killed = chain.hit(kill, left)
            spared = killed.pids
            starts.append(killed.start)
            hits.append('%s: %s' % (kill.who, '; '.join(killed.hit)))
            if kill.who == "the run's process" and os.path.exists(os.path.join(chain.folder, SUCCESS)):
                raise AssertionError('nobody has ended RELION: it came to its own end')
            if killed.start < last:
                raise AssertionError('it went on from iteration %d, and %d was complete' % (killed.start, last))
            last = max(killed.start + kill.name.count('MMM'), last_complete(chain.folder, chain.run._job.type) or 0)
            chain.look()
    ledger.note('%s: killed at' % alone._label, hits)
    with ledger.case('%s ends as a run that was left alone' % alone._label):
        chain.start(how)
        again = chain.finish()
        compare(job, alone, again)
        starts.append(started_from(again))
        ledger.note('%s: went on from' % alone._label, starts)
        if job.until is not None:
            ledger.note('%s: maps, correlation' % alone._label, compare_maps(job, _unharmed(case, job, starts), again))


def _unharmed(case: Any, job: Job, starts: Sequence[int]) -> Any:
    """A run that ended, and was gone on with, where the other one was killed: RELION writes six digits of its state, so no
    run that goes on ends quite as one that never stopped."""
    values = job.values(case)
    run = case.new(job.protocol, **values)
    for number in sorted(set(starts) - {0}) + [None]:
        for name, value in (job.until(number) if number else {name: values[name] for name in job.until(0)}).items():
            getattr(run, name).set(value)
        run.runMode.set(MODE_RESUME)
        case.proj.launchProtocol(run, wait=True)
    assert run.isFinished(), run.getErrorMessage()
    return run


def compare(job: Job, alone: Any, again: Any) -> None:
    """AssertionError where a run that was killed has other files, another number of particles or another resolution, by more
    than a Fourier shell, than one that was left alone."""
    made, wanted = (sorted(os.listdir(one._getJobPath())) for one in (again, alone))
    if job.protocol != 'ProtStaRefine3D':  # its number of iterations is RELION's
        assert made == wanted, 'files %s' % sorted(set(made) ^ set(wanted))
    assert again.outputParticles.getSize() == alone.inputParticles.get().getSize(), again.outputParticles.getSize()
    one, other = (1 / run.getModel().resolution for run in (alone, again))
    assert abs(one - other) <= SHELL, 'resolution %.2f and %.2f Å' % (1 / one, 1 / other)


def compare_maps(job: Job, unharmed: Any, again: Any) -> List[float]:
    """The correlation of each map; AssertionError where one is another."""
    found = []
    for first, second in zip(job.maps(unharmed), job.maps(again)):
        maps = [mrcfile.read(path).astype(float).ravel() for path in (first, second)]
        found.append(round(float(np.corrcoef(*maps)[0, 1]), 5))
    assert min(found) >= SAME_MAP, 'correlation of the maps %s' % found
    return found
