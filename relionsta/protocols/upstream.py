"""Maps and masks of a project that fit a set of particles."""
from pwem.objects import SetOfVolumes, Volume, VolumeMask
from pyworkflow.object import Pointer

from ..convert.classes import class_sizes
from ..objects import SetOfStaParticles
from ..suggest import Suggested
from . import maps


def findReference(project, pointer):
    """Suggested(a pointer to a map, why) for the particles of `pointer`; None where the project has none.

    First the map that the run which made the particles made with them, of their largest class; else the newest map that
    was made of them. It has their box and pixel size.
    """
    particles, maker = pointer.get(), _maker(project, pointer)
    for found in _mapsOf(maker, particles):
        return Suggested(found, 'the map that was made with these particles')
    for run in _newestFirst(project):
        if run is not maker and _takes(run, particles):
            for found in _mapsOf(run, particles):
                return Suggested(found, 'the newest map that was made of these particles')
    return None


def findMask(project, pointer):
    """Suggested(a pointer to a mask, why): the newest one with the box and pixel size of the particles; or None."""
    particles = pointer.get()
    for run in _newestFirst(project):
        for name, output in run.iterOutputAttributes(VolumeMask):
            if _fits(output, particles):
                return Suggested(Pointer(run, extended=name), 'the newest mask with the box and pixel size of the particles')
    return None


def _newestFirst(project):
    return sorted(project.getRuns(), key=lambda run: run.getObjId(), reverse=True)


def _maker(project, pointer):
    """The run that made the particles."""
    return project.getProtocol(pointer.get().getObjParentId())


def _takes(run, particles):
    return any(isinstance(given.get(), SetOfStaParticles) and given.get().getObjId() == particles.getObjId()
               for _, given in run.iterInputAttributes() if isinstance(given, Pointer))


def _mapsOf(run, particles):
    """Pointers to the maps of a run that have the box and pixel size of the particles."""
    if run is None:
        return
    for name, output in run.iterOutputAttributes():
        if isinstance(output, SetOfVolumes):
            sizes = class_sizes(particles)
            largest = output[max(sizes, key=sizes.get)] if sizes else None
            if largest is not None and _fits(largest, particles):
                yield Pointer(run, extended='%s.%d' % (name, largest.getObjId()))
        elif isinstance(output, Volume) and not isinstance(output, VolumeMask) and _fits(output, particles):
            yield Pointer(run, extended=name)


def _fits(volume, particles):
    return not maps.checkMap('', volume, particles.getBoxSize(), particles.getSamplingRate())
