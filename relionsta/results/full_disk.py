"""A full disk: how to tell one, and room that is kept back so that the news of it can still be written."""
import errno
import os
import resource
import tempfile
from pathlib import Path
from typing import Optional, Union

from ..amounts import bytes_text

PathLike = Union[str, Path]
#: A disk on which no file of this size can be made is full: programs stop where their next piece does not fit.
PROBE_BYTES = 64 << 10
#: What is kept back for the record of a failure: Scipion's databases and logs.
SPARE_BYTES = 1 << 20
#: What the system says where a disk, a quota or the largest size of a file is reached.
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CODES = _FULL + (errno.EFBIG,)
#: The same in the words of SQLite, and of programs that pass on the words alone.
_WORDS = ('disk is full', 'No space left on device', 'Disk quota exceeded', 'File too large')


class Spare:
    """Disk space that a file takes up until it is needed. path: of that file; its folder must be there."""

    def __init__(self, path: PathLike, size: int = SPARE_BYTES) -> None:
        self.path, self._size = Path(path), size

    def keep(self) -> None:
        """Take the space. Raises OSError, and takes nothing, where there is not as much."""
        try:
            with open(self.path, 'wb') as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Give the space back; nothing where none was taken."""
        if self.path.exists():
            self.path.unlink()


def is_full(folder: PathLike) -> bool:
    """True where no small file can be written in a folder any more, be it for the disk or for a quota."""
    try:
        with tempfile.NamedTemporaryFile(dir=str(folder), prefix='.probe') as file:
            os.posix_fallocate(file.fileno(), 0, PROBE_BYTES)
    except OSError as error:
        return error.errno in _FULL
    return False


def is_disk_error(error: Optional[BaseException]) -> bool:
    """True where an error, or one that it came from, is that of a full disk or of a file that would be too large."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _CODES:
            return True
        if any(words in str(error) for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def full_disk_message(folder: PathLike, written: int, needed: Optional[int] = None) -> str:
    """What is wrong, where, how much there is and how much it takes, and what to do. written: bytes, by the run so far;
    needed: bytes in all, if known."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    place = os.path.abspath(folder)
    if not is_full(folder) and limit != resource.RLIM_INFINITY:
        return ('A file became too large: this session lets no file grow beyond %s (ulimit -f), as in %s. Raise that '
                'limit where Scipion is started, then choose Continue.' % (bytes_text(limit), place))
    needs = ' It needs about %s in all.' % bytes_text(needed) if needed else ''
    return ('The disk is full: %s free in %s, where this run has written %s so far.%s Free space there (or get a larger '
            'quota), then choose Continue: what is complete is kept.'
            % (bytes_text(free_bytes(folder)), place, bytes_text(written), needs))


def free_bytes(folder: PathLike) -> int:
    """Bytes that may still be written in a folder by an ordinary user."""
    state = os.statvfs(os.fspath(folder))
    return state.f_bavail * state.f_frsize


def bytes_in(folder: PathLike) -> int:
    """Bytes of the files in a folder and below; links count for nothing."""
    total = 0
    for place, _, names in os.walk(os.fspath(folder)):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_blocks * 512
            except FileNotFoundError:
                continue  # gone since the folder was listed
    return total
