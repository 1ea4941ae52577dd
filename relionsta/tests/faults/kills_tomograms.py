"""Kills between and inside tomograms: extraction, CTF refinement, Bayesian polishing."""
import os
import re
import types
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import mrcfile
import numpy as np

from ...results.images import torn_images
from ..protocols.case import StaCase, shared_road
from ..protocols.scene import SETTINGS
from ..protocols.series_scene import BOX, made
from .kill_chain import Chain, Kill
from .ledger import Ledger

#: Of an extraction each particle is a file; of the others RELION writes STAR files for each tomogram, then the results.
#: A run's process alone is killed last: RELION may do all that is left before it is ended.
EXTRACT = (
    Kill('', '', 'RELION'),
    Kill(r'Subtomograms/TS_01/1_.*', 'made', 'RELION', cut=True),
    Kill(r'Subtomograms/TS_01/5_.*', 'written', 'both', cut=True),
    Kill(r'Subtomograms/TS_01/8_.*', 'closed', 'RELION'),
    Kill(r'Subtomograms/TS_02/\d+_.*', 'made', 'all but RELION'),
    Kill('particles.star', 'written', 'both', cut=True),
    Kill('particles.star', 'written', "the run's process"),
)
CTF_REFINE = (
    Kill('', '', 'both'),
    Kill('temp/defocus/TS_01.star.tmp', 'made', 'RELION', cut=True),
    Kill('temp/defocus/TS_01.star', 'renamed', 'RELION', cut=True),
    Kill('temp/scale/TS_01.star', 'renamed', 'RELION'),
    Kill('temp/defocus/TS_02.dat', 'made', 'both', cut=True),
    Kill('temp/scale/TS_02.star', 'renamed', 'all but RELION'),
    Kill('tilt_series/TS_01.star', 'renamed', 'RELION', cut=True, how='command line'),
    Kill('tomograms.star.tmp', 'made', "the run's process"),
)
POLISH = (
    Kill('', '', 'both'),
    Kill('temp/TS_01_positions.star', 'renamed', 'RELION', cut=True),
    Kill('temp/TS_01_motion.star', 'made', 'both', cut=True),
    Kill('temp/TS_01_motion.star', 'written', 'RELION', cut=True),
    Kill('temp/TS_02_motion.star', 'written', 'both', cut=True),
    Kill('temp/TS_02_projections.star', 'renamed', 'all but RELION'),
    Kill('motion.star', 'written', 'RELION', cut=True, how='command line'),
    Kill('particles.star', 'made', "the run's process"),
)


class Job(NamedTuple):
    """A job that is killed. values: called with the case and the runs of the scene, gives the form; kept: a pattern of
    files in the job folder that are not made again once they are whole."""

    protocol: str
    values: Callable[[Any, Any], Dict[str, Any]]
    ranks: int
    kills: Tuple[Kill, ...]
    kept: str


def _extract(case: Any, scene: Any) -> Dict[str, Any]:
    good = case.done['extract']
    return dict(inputCoordinates=good.inputCoordinates, inputTiltSeries=good.inputTiltSeries, inputCtfs=good.inputCtfs,
                box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box, numberOfThreads=1)


def _series(case: Any, scene: Any, **more: Any) -> Dict[str, Any]:
    return dict(more, inputParticles=scene.halved, referenceVolume=case.output(scene.average, 'average'), box_size=BOX,
                numberOfThreads=1)


JOBS = (
    Job('ProtStaExtract', _extract, 1, EXTRACT, r'Subtomograms/.*'),
    Job('ProtStaCtfRefine', _series, 1, CTF_REFINE, r'temp/(defocus|scale)/.*\.star'),
    Job('ProtStaPolish', lambda case, scene: _series(case, scene, max_error=10, do_motion=True), 1, POLISH,
        r'temp/.*_(projections|positions|motion)\.star'),
)


def run(ledger: Ledger) -> None:
    """Kill runs of each job, one place after the other, and compare what they come to with a run that was left alone."""
    road = shared_road()
    os.chdir(road.project.path)
    road.until('extract')
    case = type('KillCase', (StaCase,), {'road': road, 'proj': road.project, 'done': road.done})
    if ledger.quick:
        _kill_all(ledger, case, None, JOBS[0]._replace(kills=EXTRACT[2:3]), road.done['extract'])
        return
    scene = types.SimpleNamespace(**made(road))
    for job in JOBS:
        _kill_all(ledger, case, scene, job, case.run_new(job.protocol, **job.values(case, scene)))


def _kill_all(ledger: Ledger, case: Any, scene: Any, job: Job, alone: Any) -> None:
    chain = Chain(case.road, case.new(job.protocol, **job.values(case, scene)), job.ranks, ledger.random)
    hits, how, spared = [], 'window', ()
    for number, kill in enumerate(job.kills, start=1):
        with ledger.case('%s %d: %s' % (alone._label, number, kill.told())):
            killed = chain.strike(kill, how, spared)
            how, spared = kill.how, killed.pids
            hits.append('; '.join(killed.hit))
    ledger.note('%s: killed at' % alone._label, hits)
    with ledger.case('%s ends as a run that was left alone, and does only what was missing' % alone._label):
        kept = {} if spared else _finished(chain.run, job)
        chain.start(how)
        again = chain.finish()
        for path, when in kept.items():
            assert os.path.getmtime(path) == when, '%s was made again' % path
        ledger.note('%s: files that were kept' % alone._label, len(kept))
        _compare(alone, again)


def _finished(run: Any, job: Job) -> Dict[str, float]:
    """Path -> time of the files that a run which goes on should leave as they are."""
    torn = set(torn_images(run._getJobPath()))
    paths = [os.path.join(place, name) for place, _, names in os.walk(run._getJobPath()) for name in names]
    return {path: os.path.getmtime(path) for path in paths
            if re.fullmatch(job.kept, os.path.relpath(path, run._getJobPath())) and path not in torn}


def _results(run: Any) -> Dict[str, str]:
    """Path in the job folder -> what the file says, with the run's own folder named alike in all runs."""
    found, folder = {}, run._getJobPath()
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if name.endswith('.star') and name != 'job.star':
                with open(path, encoding='utf-8') as handle:
                    found[os.path.relpath(path, folder)] = handle.read().replace(run.getWorkingDir(), 'RUN')
    return found


def _compare(alone: Any, again: Any) -> None:
    """AssertionError where a STAR file, an image or the outputs of two runs differ."""
    one, other = _results(alone), _results(again)
    different = [name for name in sorted(set(one) | set(other)) if one.get(name) != other.get(name)]
    assert not different, 'these files differ: %s' % ', '.join(different)
    images = _images(alone), _images(again)
    assert list(images[0]) == list(images[1]), 'the images are not those of the other run'
    for name, pixels in images[0].items():
        np.testing.assert_array_equal(pixels, images[1][name], name)
    outputs = [{name: output.getSize() for name, output in run.iterOutputAttributes()} for run in (alone, again)]
    assert outputs[0] == outputs[1] and outputs[0], 'outputs %s and %s' % tuple(outputs)


def _images(run: Any) -> Dict[str, Any]:
    paths: List[str] = [os.path.join(place, name) for place, _, names in os.walk(run._getJobPath('Subtomograms'))
                        for name in names]
    return {os.path.relpath(path, run._getJobPath()): mrcfile.read(path) for path in sorted(paths)}
