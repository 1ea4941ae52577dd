"""What this computer has."""
import errno
import os
import tempfile
from pathlib import Path
from typing import Dict, NamedTuple, Optional

#: Where a container's own limit is written; its text is `max` where there is none.
_LIMIT = Path('/sys/fs/cgroup/memory.max')


def cores() -> int:
    """Processor cores that programs can use here."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def memory_bytes() -> Optional[int]:
    """Bytes of memory that programs can have here: all of it, or the limit of the container. None where it is not known."""
    try:
        whole = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    except (ValueError, OSError):
        return None
    try:
        limit = _LIMIT.read_text().strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdigit() else whole


class Space(NamedTuple):
    """What can still be written: bytes, and new files (None where the file system does not count them)."""

    bytes: int
    files: Optional[int]


_READ_ONLY, _FULL, _QUOTA, _FORBIDDEN = ('the disk is read-only', 'the disk is full', 'your quota is used up',
                                         'you have no permission to write there')
#: Why nothing can be written in a folder, by the system's number of the error.
_REFUSALS = {errno.EROFS: _READ_ONLY, errno.EACCES: _FORBIDDEN, errno.EPERM: _FORBIDDEN, errno.ENOSPC: _FULL,
             errno.EDQUOT: _QUOTA, errno.ENOENT: 'there is no such folder', errno.ENOTDIR: 'it is no folder'}
#: What to do about it.
_REMEDIES = {_READ_ONLY: 'Mount the disk so that it can be written, or move the project.',
             _FORBIDDEN: 'Give yourself the right to write there, or move the project.',
             _FULL: 'Make room there, or move the project.',
             _QUOTA: 'Make room there, ask for a larger quota, or move the project.'}
_PROBE = 64 << 10


def space(folder: str) -> Optional[Space]:
    """What an ordinary user can still write in a folder; None where the file system does not tell."""
    try:
        state = os.statvfs(folder)
    except OSError:
        return None
    if state.f_blocks <= 0 or state.f_frsize <= 0:
        return None
    return Space(state.f_bavail * state.f_frsize, state.f_favail if state.f_files > 0 else None)


def refusal(folder: str) -> str:
    """Why no file can be written in a folder; '' where one can, or where nobody can tell. A small file is tried: the rights
    alone do not show quotas and disks of other computers."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE))
            file.flush()
    except OSError as error:
        return _REFUSALS.get(error.errno or 0, '')
    return ''


def remedy(why: str) -> str:
    """What to do about a reason of `refusal`: a sentence."""
    return _REMEDIES.get(why, 'Make that folder again, or move the project.')


def nearest(path: str) -> str:
    """The folder of a path that is there, or the next one above it that is; links are followed."""
    path = os.path.realpath(path)
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def physical_cores() -> int:
    """Cores without those that share one: as many processes Open MPI starts unless it is told otherwise."""
    try:
        text = Path('/proc/cpuinfo').read_text()
    except OSError:
        return cores()
    found = {(block.get('physical id', '0'), block['core id']) for block in map(_fields, text.split('\n\n'))
             if 'core id' in block}
    return min(cores(), len(found)) if found else cores()


def _fields(block: str) -> Dict[str, str]:
    pairs = (line.partition(':') for line in block.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}
