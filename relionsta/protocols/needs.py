"""What a run will take: the sizes of its inputs, and with them room on the disk and memory."""
from ..convert.errors import ConvertError
from ..jobs import files
from ..jobs.disk import Room, Sizes, room_for
from ..results.maps import MapError, read_header
from ..star import StarError
from ..suggest.sizes import refine_memory_bytes
from . import maps
from .boxes import firstStack, stackSize

#: Images of a particle whose tilt series nobody can look at.
TILTS = 41.0
#: Jobs whose processes hold maps in Fourier space; those whose processes hold a whole tilt series.
_MAPS = ('relion.class3d', 'relion.refine3d.tomo', 'relion.initialmodel.tomo', 'relion.multibody')
_SERIES = ('relion.pseudosubtomo', 'relion.ctfrefinetomo', 'relion.framealigntomo')


def ranksOf(protocol):
    """MPI processes of a run, at least 1."""
    return max(1, protocol.numberOfMpi.get() or 1)


def roomOf(protocol):
    """What the run will write, as a Room; nothing where nobody can tell."""
    job = getattr(protocol, '_job', None)
    if job is None:
        return Room(0.0, 0, '')
    try:
        return room_for(job.type, protocol.getValues(), sizesOf(protocol))
    except (ConvertError, StarError, MapError, OSError, ValueError):
        return Room(0.0, 0, '')  # inputs that cannot be read are told by their own checks


def neededMemory(protocol):
    """Bytes of memory that the whole run takes; 0 where nobody can tell."""
    job = getattr(protocol, '_job', None)
    try:
        if job is not None and job.type in _MAPS:
            return ranksOf(protocol) * _mapsMemory(protocol.getValues(), sizesOf(protocol))
        if job is not None and job.type in _SERIES:
            return ranksOf(protocol) * _seriesMemory(protocol)
    except (ConvertError, StarError, MapError, OSError, ValueError):
        return 0  # as above
    return 0


def _mapsMemory(values, sizes):
    """Bytes of one process of relion_refine."""
    count = sizes.bodies or int(values.get('nr_classes', 1))
    images = sizes.particles * (sizes.tilts * sizes.box ** 2 if sizes.stacks else sizes.box ** 3) * 4.
    return (refine_memory_bytes(sizes.box, count, 1 if values.get('do_pad1') else 2)
            + (images if values.get('do_preread_images') else 0.))


def _seriesMemory(protocol):
    """Bytes of one process that reads a tilt series: it holds all its images, as numbers of 4 bytes."""
    size = _tiltImage(protocol)
    return 0 if size is None else 4. * size[0] * size[1] * sizesOf(protocol).tilts


def sizesOf(protocol):
    """The sizes of what goes into a run, as Sizes."""
    job = protocol._job.type
    particles = _particles(protocol)
    if particles is None:
        if job == 'relion.reconstructtomograms':
            return _tomogramSizes(protocol)
        volume = _given(protocol, 'inputVolume')
        made = maps.boxSize(volume) if volume is not None else int(protocol.getValues().get('denovo_box_size') or 0)
        return Sizes(out_box=made, width=made * volume.getSamplingRate() if volume is not None else 0.0)
    box = (particles.getBoxSize() if hasattr(particles, 'is2D') else 0) or 0
    stacks = particles.is2D() if hasattr(particles, 'is2D') else True
    series = 0 if particles.isEmpty() else len(particles.getTSIds())
    return Sizes(particles=particles.getSize(), tilts=_tilts(protocol, particles), series=series, box=box, stacks=stacks,
                 out_box=_outBox(protocol, box), iterations=_iterationsLeft(protocol),
                 bodies=len(protocol.getMasks()) if job == files.MULTIBODY else 0)


def _particles(protocol):
    """The set of particles, or of coordinates, that goes in."""
    if hasattr(protocol, '_particlesPointer'):
        return protocol._particlesPointer().get()
    return _given(protocol, 'inputCoordinates')


def _given(protocol, name):
    """What was chosen for an input; None where there is no such input, or nothing was."""
    pointer = getattr(protocol, name, None)
    return None if pointer is None else pointer.get()


def _outBox(protocol, box):
    if hasattr(protocol, 'getBox'):
        return protocol.getBox() or 0
    given = protocol.getValues().get('new_box', -1)
    return given if given and given > 0 else box


def _iterationsLeft(protocol):
    """Iterations that are asked for beyond those of the run that this one goes on from; 0 where the values say it all."""
    start = protocol.getStartIteration() if hasattr(protocol, 'getStartIteration') else 0
    total = protocol.getValues().get('nr_iter') if start else None
    return max(1, total - start) if total else 0


def _tilts(protocol, particles):
    """Images of a particle, from what is known without reading every row."""
    series = _given(protocol, 'inputTiltSeries') or (
        particles.getTiltSeries() if hasattr(particles, 'getTiltSeries') else None)
    if series is not None and series.getSize():
        return float(series.getFirstItem().getSize())
    if hasattr(particles, 'is2D') and particles.is2D() and particles.getSize():
        return float(read_header(maps.plainName(particles.getFirstItem().getFileName().rpartition('@')[2])).size[2])
    return TILTS


def _tiltImage(protocol):
    """Width and height in pixels of the tilt images that the job reads; None where unknown."""
    series = _given(protocol, 'inputTiltSeries')
    if series is not None and series.getSize():
        return stackSize(series.getFirstItem().getFirstItem().getFileName())
    particles = _particles(protocol)
    return stackSize(firstStack(particles.getTomogramsStar())) if hasattr(particles, 'getTomogramsStar') else None


def _tomogramSizes(protocol):
    size, pixel = protocol.getSizes(), protocol.getTiltSeriesPixelSize()
    scale = (pixel / protocol.binned_angpix.get()) ** 3
    return Sizes(series=len(protocol._wanted()), out_voxels=float(size[0]) * size[1] * size[2] * scale)
