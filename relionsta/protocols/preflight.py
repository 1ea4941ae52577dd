"""What a run needs of the computer, before it starts: a folder that can be written, room on the disk, memory, processes.

What must fail is an error, what may fail a warning: estimates are right to a factor of 1.5, so that less than two thirds of
one are too little for certain.
"""
import functools
import os
import re
import subprocess

from pyworkflow.utils import process

from ..convert.errors import ConvertError
from ..jobs import files
from ..jobs.disk import Room, Sizes, room_for
from ..plugin import Plugin
from ..results.full_disk import bytes_in
from ..results.maps import MapError
from ..runtime import machine
from ..runtime.build import RelionNotFound
from ..star import StarError
from ..suggest.sizes import bytes_text, refine_memory_bytes
from . import maps
from .boxes import firstStack, stackSize

#: Of an estimate: less is too little for certain; more is enough for certain.
LEAST, MOST = 1 / 1.5, 1.1
#: Bytes that any run writes (databases, logs, STAR files), and that should be left on a disk.
SMALLEST, LOW = 20e6, 1e9
#: Part of the memory that a run may take without a word.
MEMORY = 0.8
#: Seconds for mpirun to start processes that do nothing.
PATIENCE = 30
#: Images of a particle whose tilt series nobody can look at.
TILTS = 41.0
#: Jobs whose processes hold maps in Fourier space; those whose processes hold a whole tilt series.
_MAPS = ('relion.class3d', 'relion.refine3d.tomo', 'relion.initialmodel.tomo', 'relion.multibody')
_SERIES = ('relion.pseudosubtomo', 'relion.ctfrefinetomo', 'relion.framealigntomo')


def errors(protocol):
    """Messages on what the run would fail on; inputs and options are right already."""
    return (checkPlace(protocol) or _checkRoom(protocol, LEAST, fatal=True) + _checkMemory(protocol, LEAST, fatal=True)
            + checkRanks(protocol))


def warnings(protocol):
    """Messages on what the run may fail on."""
    return (_checkRoom(protocol, MOST, fatal=False) + _checkMemory(protocol, 1 / MEMORY, fatal=False)
            + _manyRanks(protocol))


# ------------------------------------------------------------------------ disk
def checkPlace(protocol):
    """The folder of the run must take files."""
    folder = folderOf(protocol)
    why = machine.refusal(folder)
    if why:
        return ['*Project*: nothing can be written in %s: %s. Make room or give yourself the right to write there, or move '
                'the project.' % (folder, why)]
    space = machine.space(folder)
    if space is not None and space.bytes < SMALLEST:
        return ['*Disk*: only %s are free in %s, and any run needs about %s. Make room there, or move the project.'
                % (bytes_text(space.bytes), folder, bytes_text(SMALLEST))]
    return []


def folderOf(protocol):
    """The folder that is there and in which the run will write; the folder Runs may lie on another disk."""
    project = protocol.getProject()
    root = project.path if project is not None else os.getcwd()
    return machine.nearest(os.path.join(root, protocol.getWorkingDir() or 'Runs'))


def roomOf(protocol):
    """What the run will write, as a Room; nothing where nobody can tell."""
    job = getattr(protocol, '_job', None)
    if job is None:
        return Room(0.0, 0, '')
    try:
        return room_for(job.type, protocol.getValues(), sizesOf(protocol))
    except (ConvertError, StarError, MapError, OSError, ValueError):
        return Room(0.0, 0, '')  # inputs that cannot be read are told by their own checks


def _checkRoom(protocol, part, fatal):
    folder = folderOf(protocol)
    space, room = machine.space(folder), roomOf(protocol)
    if space is None:
        return []
    found = []
    if not fatal and SMALLEST <= space.bytes < LOW:
        found.append('*Disk*: only %s are free in %s. Make room there soon.' % (bytes_text(space.bytes), folder))
    if room.bytes * part > space.bytes and room.bytes * part > space.bytes + _there(protocol):
        found.append('*Disk*: the run will write about %s (%s), and %s are free in %s. Make room there, choose a coarser '
                     'binning, a smaller box or less of it, or move the project to a larger disk.'
                     % (bytes_text(room.bytes), room.reason, bytes_text(space.bytes), folder))
    if space.files is not None and room.files * part > space.files:
        found.append('*Disk*: the run will write about %d files (%s), and the disk of %s takes only %d more (`df -i`). Remove '
                     'files there, or move the project to another disk.' % (room.files, room.reason, folder, space.files))
    return found


def _there(protocol):
    """Bytes of an earlier try of this run: it goes on from them, or they are removed first."""
    folder = os.path.join(folderOf(protocol), 'extra')
    return bytes_in(folder) if os.path.isdir(folder) else 0


# ---------------------------------------------------------------------- memory
def memoryOf(protocol):
    """Bytes of memory that the whole run takes; 0 where nobody can tell."""
    job = getattr(protocol, '_job', None)
    try:
        if job is not None and job.type in _MAPS:
            return _ranks(protocol) * _mapsMemory(protocol.getValues(), sizesOf(protocol))
        if job is not None and job.type in _SERIES:
            return _ranks(protocol) * _seriesMemory(protocol)
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


def _checkMemory(protocol, part, fatal):
    there = machine.memory_bytes()
    if there is None or protocol.useQueue():
        return []  # another computer may have more
    needed = protocol.estimateMemory() if hasattr(protocol, 'estimateMemory') else 0
    if needed * part <= there or (not fatal and needed * LEAST > there):
        return []
    ranks, sizes = _ranks(protocol), sizesOf(protocol)
    return ['*Memory*: the run takes about %s in %d process%s (box %d), and this computer has %s. Choose fewer MPI processes, '
            'a coarser binning or a smaller box%s.' % (
                bytes_text(needed), ranks, 'es' if ranks > 1 else '', sizes.out_box or sizes.box, bytes_text(there),
                ', or Yes in "Skip padding?"' if hasattr(protocol, 'do_pad1') and not protocol.do_pad1.get() else '')]


# ------------------------------------------------------------------- processes
def _ranks(protocol):
    return max(1, protocol.numberOfMpi.get() or 1)


def checkRanks(protocol):
    """More MPI processes than cores: the launcher itself says whether it starts them."""
    ranks = _ranks(protocol)
    if ranks <= machine.physical_cores() or protocol.useQueue() or getattr(protocol, '_job', None) is None:
        return []
    try:
        environ = Plugin.getEnviron()
    except RelionNotFound:
        return []  # told by the plugin
    said = _tryLauncher(process.buildRunCommand('true', '', ranks, protocol.getHostConfig(), environ), environ['PATH'])
    if not said:
        return []
    return ['*MPIs*: %d, and MPI does not start as many processes here: %s. Choose fewer (this computer has %d cores), or '
            'allow more in the settings of the host (PARALLEL_COMMAND in hosts.conf, for example mpirun --oversubscribe).'
            % (ranks, said, machine.cores())]


@functools.lru_cache(maxsize=16)
def _tryLauncher(command, path):
    """Why the launcher of MPI starts nothing; '' where it does, or does not answer."""
    try:
        done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, universal_newlines=True, check=False, env=dict(os.environ, PATH=path))
    except (OSError, subprocess.TimeoutExpired):
        return ''
    if done.returncode == 0:
        return ''
    lines = [line.strip() for line in done.stdout.splitlines() if re.search(r'\w', line)]
    told = [line for line in lines if re.search(r'slots|not found|unable|error', line, re.IGNORECASE)]
    return (told or lines or ['it ended with code %d' % done.returncode])[0].rstrip('.:')


def _manyRanks(protocol):
    ranks, threads = _ranks(protocol), max(1, protocol.numberOfThreads.get() or 1)
    if ranks * threads <= 2 * machine.cores() or protocol.useQueue() or getattr(protocol, '_job', None) is None:
        return []
    return ['*MPIs*: %d processes of %d thread%s, and this computer has %d cores: they will wait for each other. Choose fewer.'
            % (ranks, threads, 's' if threads > 1 else '', machine.cores())]


# ----------------------------------------------------------------------- sizes
def sizesOf(protocol):
    """The sizes of what goes into a run, as Sizes."""
    job = protocol._job.type
    particles = _particles(protocol)
    if particles is None:
        volume = getattr(protocol, 'inputVolume', None)
        if job == 'relion.reconstructtomograms':
            return _tomogramSizes(protocol)
        made = maps.boxSize(volume.get()) if volume is not None and volume.get() is not None else 0
        return Sizes(out_box=made or int(protocol.getValues().get('denovo_box_size') or 0))
    box = (particles.getBoxSize() if hasattr(particles, 'is2D') else 0) or 0
    stacks = particles.is2D() if hasattr(particles, 'is2D') else True
    return Sizes(particles=particles.getSize(), tilts=_tilts(protocol, particles), series=len(particles.getTSIds()), box=box,
                 stacks=stacks, out_box=_outBox(protocol, box), iterations=_iterationsLeft(protocol),
                 bodies=len(protocol.getMasks()) if job == files.MULTIBODY else 0)


def _particles(protocol):
    """The set of particles, or of coordinates, that goes in."""
    if hasattr(protocol, '_particlesPointer'):
        return protocol._particlesPointer().get()
    coordinates = getattr(protocol, 'inputCoordinates', None)
    return None if coordinates is None else coordinates.get()


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
    for pointer in (getattr(protocol, 'inputTiltSeries', None), ):
        if pointer is not None and pointer.get() is not None and pointer.get().getSize():
            return float(pointer.get().getFirstItem().getSize())
    series = particles.getTiltSeries() if hasattr(particles, 'getTiltSeries') else None
    if series is not None and series.getSize():
        return float(series.getFirstItem().getSize())
    if hasattr(particles, 'is2D') and particles.is2D() and particles.getSize():
        return float(maps.depth(particles.getFirstItem().getFileName()) or TILTS)
    return TILTS


def _tiltImage(protocol):
    """Width and height in pixels of the tilt images that the job reads; None where unknown."""
    pointer = getattr(protocol, 'inputTiltSeries', None)
    if pointer is not None and pointer.get() is not None and pointer.get().getSize():
        return pointer.get().getFirstItem().getFirstItem().getDim()[:2]
    particles = _particles(protocol)
    return stackSize(firstStack(particles.getTomogramsStar())) if hasattr(particles, 'getTomogramsStar') else None


def _tomogramSizes(protocol):
    size, pixel = protocol.getSizes(), protocol.getTiltSeriesPixelSize()
    scale = (pixel / protocol.binned_angpix.get()) ** 3
    return Sizes(series=len(protocol._wanted()), out_voxels=float(size[0]) * size[1] * size[2] * scale)
