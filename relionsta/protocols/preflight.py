"""What a run needs of the computer, before it starts: a folder that can be written, room on the disk, memory, processes.

What must fail is an error, what may fail a warning: estimates are right to a factor of 1.5, so that less than two thirds of
one are too little for certain.
"""
import functools
import os
import re
import signal
import subprocess

from pyworkflow.utils import process

from ..amounts import bytes_text
from ..jobs.disk import WITHIN
from ..plugin import Plugin
from ..results.full_disk import bytes_in
from ..runtime import machine
from ..runtime.build import RelionNotFound
from .needs import ranksOf, roomOf, sizesOf

#: Of an estimate of memory: less is too little for certain. Of one of the disk: more is enough for certain.
LEAST, MOST = 1 / WITHIN, 1.1
#: Bytes that any run writes (databases, logs, STAR files), and that should be left on a disk.
SMALLEST, LOW = 20e6, 1e9
#: Part of the memory that a run may take without a word.
MEMORY = 0.8
#: Seconds for mpirun to start processes that do nothing.
PATIENCE = 30


def errors(protocol):
    """Messages on what the run would fail on; inputs and options are right already."""
    return (_checkRoom(protocol, fatal=True) + _checkMemory(protocol, LEAST, fatal=True)
            + checkRanks(protocol))


def warnings(protocol):
    """Messages on what the run may fail on."""
    return (_checkRoom(protocol, fatal=False) + _checkMemory(protocol, 1 / MEMORY, fatal=False)
            + _manyRanks(protocol))


# ------------------------------------------------------------------------ disk
def checkFolder(protocol):
    """The folder of the run must take files."""
    folder = folderOf(protocol)
    why = machine.refusal(folder)
    if why:
        return ['*Project*: nothing can be written in %s: %s. %s' % (folder, why, machine.remedy(why))]
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


def _checkRoom(protocol, fatal):
    folder = folderOf(protocol)
    space, room = machine.space(folder), roomOf(protocol)
    if space is None:
        return []
    found, part = [], room.least if fatal else MOST
    if not fatal and SMALLEST <= space.bytes < LOW:
        found.append('*Disk*: only %s are free in %s. Make room there soon.' % (bytes_text(space.bytes), folder))
    if room.bytes * part > space.bytes and room.bytes * part > space.bytes + _there(protocol):
        found.append('*Disk*: the run will write about %s (%s), and %s are free in %s. Make room there, choose a coarser '
                     'binning, a smaller box or less of it, or move the project to a larger disk.'
                     % (bytes_text(room.bytes), room.reason, bytes_text(space.bytes), folder))
    if space.files is not None and room.files * part > space.files:
        found.append('*Disk*: the run will write about %d files (%s), and the disk of %s takes only %d more (`df -i`). '
                     'Make room there, or move the project to another disk.'
                     % (room.files, room.reason, folder, space.files))
    return found


def _there(protocol):
    """Bytes of an earlier try of this run: it goes on from them, or they are removed first."""
    folder = os.path.join(folderOf(protocol), 'extra')
    return bytes_in(folder) if os.path.isdir(folder) else 0


# ---------------------------------------------------------------------- memory
def _checkMemory(protocol, part, fatal):
    there = machine.memory_bytes()
    if there is None or protocol.useQueue():
        return []  # another computer may have more
    needed = protocol.estimateMemory() if hasattr(protocol, 'estimateMemory') else 0
    if needed * part <= there or (not fatal and needed * LEAST > there):
        return []
    ranks, sizes = ranksOf(protocol), sizesOf(protocol)
    threads = max(1, protocol.numberOfThreads.get() or 1)
    return ['*Memory*: the run takes about %s in %d MPI process%s of %d thread%s (box %d), and this computer has %s. Choose '
            'fewer of them, a coarser binning or a smaller box%s.' % (
                bytes_text(needed), ranks, 'es' if ranks > 1 else '', threads, 's' if threads > 1 else '',
                sizes.out_box or sizes.box, bytes_text(there),
                ', or Yes in "Skip padding?"' if hasattr(protocol, 'do_pad1') and not protocol.do_pad1.get() else '')]


# ------------------------------------------------------------------- processes
def checkRanks(protocol):
    """More MPI processes than cores: the launcher itself says whether it starts them."""
    ranks = ranksOf(protocol)
    if ranks <= machine.physical_cores() or protocol.useQueue() or getattr(protocol, '_job', None) is None:
        return []
    try:
        environ = Plugin.getEnviron()
    except RelionNotFound:
        return []  # told by the plugin
    host = protocol.getProject().getHostConfig(protocol.getHostName())  # a new protocol does not know its own yet
    said = _tryLauncher(process.buildRunCommand('true', '', ranks, host, environ), environ['PATH'])
    if not said:
        return []
    return ['*MPIs*: %d, and MPI does not start as many processes here: %s. Choose fewer (this computer has %d cores), or '
            'allow more in the settings of the host (PARALLEL_COMMAND in hosts.conf, for example mpirun --oversubscribe).'
            % (ranks, said, machine.cores())]


@functools.lru_cache(maxsize=16)
def _tryLauncher(command, path):
    """Why the launcher of MPI starts nothing; '' where it does, or does not answer."""
    try:
        asked = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, universal_newlines=True, start_new_session=True,
                                 env=dict(os.environ, PATH=path))
    except OSError:
        return ''
    with asked:
        try:
            output = asked.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            os.killpg(asked.pid, signal.SIGKILL)  # the launcher too, which a shell that is killed leaves waiting
            return ''
    if asked.returncode == 0:
        return ''
    lines = [line.strip() for line in output.splitlines() if re.search(r'\w', line)]
    told = [line for line in lines if re.search(r'slots|not found|unable|error', line, re.IGNORECASE)]
    return (told or lines or ['it ended with code %d' % asked.returncode])[0].rstrip('.:')


def _manyRanks(protocol):
    ranks, threads = ranksOf(protocol), max(1, protocol.numberOfThreads.get() or 1)
    if ranks * threads <= 2 * machine.cores() or protocol.useQueue() or getattr(protocol, '_job', None) is None:
        return []
    return ['*MPIs*: %d processes of %d thread%s, and this computer has %d cores: they wait for each other. Choose fewer.'
            % (ranks, threads, 's' if threads > 1 else '', machine.cores())]
