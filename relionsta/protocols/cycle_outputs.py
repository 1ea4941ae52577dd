"""The results of a refinement cycle: those of its last step that was kept, as objects of the cycle."""
from pyworkflow.object import Pointer
from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries

from ..convert.bulk import read_columns
from ..convert.refined_series import copy_ctfs, copy_tilt_series, read_refined
from ..convert.values import subset
from ..convert.volumes import make_volume
from ..objects import SetOfStaParticles
from ..results.postprocess import CORRECTED
from . import maps
from .fscs import addFscSet
from .refine_series import CTFS, PARTICLES, TILT_SERIES

AVERAGE, SHARPENED, FSCS = 'average', 'sharpenedVolume', 'fscs'


def makeOutputs(cycle, rungs, places):
    """{name: output} of a cycle at its end; rungs, places: of each step, the first one being the start."""
    last = max(number for number, rung in enumerate(rungs) if rung.kept)
    measured = [cycle.loadChild(place.postprocess.run) for place in places]
    outputs = {AVERAGE: _copyOf(cycle.loadChild(places[last].reference.run).average),
               SHARPENED: _copyOf(measured[last].sharpenedVolume),
               FSCS: addFscSet(cycle, {rung.step: run.getResult().fsc_curves()[CORRECTED]
                                       for rung, run in zip(rungs, measured)})}
    outputs.update(_particlesAndSeries(cycle, [place for rung, place in zip(rungs, places) if rung.kept]))
    return outputs


def _copyOf(volume):
    return make_volume(volume.getFileName(), volume.getSamplingRate(), maps.halfMaps(volume), box=maps.boxSize(volume),
                       statistics=False)


def _particlesAndSeries(cycle, kept):
    """The particles of the last of these places, with the tilt series and CTFs that the cycle has refined for them."""
    source = _particlesAt(cycle, kept[-1])
    particles = SetOfStaParticles.create(cycle._getPath())
    subset(source, particles, read_columns(source, [])['id'])
    mine = {cycle.getChildIds()[key] for place in kept for key in place.made}
    outputs, series, ctfs = {}, source.getTiltSeries(), source.getCtfs()
    if _madeBy(source.getTiltSeries(asPointer=True), mine):
        outputs[TILT_SERIES] = SetOfTiltSeries.create(cycle._getPath(), template='tiltseries')
        copy_tilt_series(read_refined(source.getTomogramsStar()), series, outputs[TILT_SERIES])
        particles.setTiltSeries(Pointer(cycle, extended=TILT_SERIES))
    if _madeBy(source.getCtfs(asPointer=True), mine):
        outputs[CTFS] = SetOfCTFTomoSeries.create(cycle._getPath(), template='ctftomoseries')
        copy_ctfs(read_refined(source.getTomogramsStar()), ctfs, series, outputs[CTFS])
        outputs[CTFS].setSetOfTiltSeries(particles.getTiltSeries(asPointer=True))
        particles.setCtfs(Pointer(cycle, extended=CTFS))
    outputs[PARTICLES] = particles
    for output in outputs.values():
        output.write()
    return outputs


def _particlesAt(cycle, place):
    run = place.particles.run
    owner = cycle.loadChild(run) if isinstance(run, str) else cycle.loadRun(run)
    return getattr(owner, place.particles.name)


def _madeBy(pointer, runs):
    """True where a pointer points to an output of one of these runs."""
    owner = pointer.getObjValue()
    return owner is not None and owner.getObjId() in runs
