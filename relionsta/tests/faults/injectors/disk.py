"""A disk that is full when we say so: a small file system in memory, or a limit on the size of files."""
import contextlib
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Iterator, List, Union

#: A program that is started in it has mounts of its own, though its user may mount nothing, where the kernel permits that.
_OWN_MOUNTS = ['unshare', '--user', '--map-root-user', '--mount', '--']
#: The name of the file system.
_SMALL = 'relionsta-small'
_BALLAST = 'ballast'


class NoSmallDisk(Exception):
    """This user may not mount a file system."""


class SmallDisk:
    """A file system of its own. folder: where it is mounted; bounded: False for a mere folder, which nobody can fill."""

    def __init__(self, folder: Path, bounded: bool = True) -> None:
        self.folder, self.bounded = folder, bounded
        self._ballast = folder / _BALLAST

    @property
    def free(self) -> int:
        """Bytes that may be written."""
        state = os.statvfs(str(self.folder))
        return state.f_bavail * state.f_frsize

    def leave(self, free: int) -> None:
        """Fill it up to so many free bytes, while others write there. Nothing where it has no more."""
        self.empty()
        with open(str(self._ballast), 'wb') as file:
            while self.free > free:
                with contextlib.suppress(OSError):  # others were faster
                    os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size + self.free - free)

    def remount(self, *options: str) -> None:
        """With other options, `nr_inodes=1000` for example. Raises NoSmallDisk."""
        # With the name of the file system, since the options that it has are then not given again: some may not be
        mount('-o', ','.join(('remount',) + options), _SMALL, str(self.folder))

    @contextlib.contextmanager
    def given_back(self) -> Iterator[None]:
        """Within: it may be filled; afterwards there is space again, whatever happens."""
        try:
            yield
        finally:
            self.empty()

    def empty(self) -> None:
        """Make space: what filled it is taken away, and nothing else."""
        if self._ballast.exists():
            self._ballast.unlink()


def mount(*words: str) -> None:
    """The system's mount. Raises NoSmallDisk."""
    done = subprocess.run(('mount',) + words, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    if done.returncode:
        raise NoSmallDisk(done.stdout.strip().partition('\n')[0].rstrip('.'))


def own_mounts() -> List[str]:
    """What has to stand before a command so that it may mount; nothing where it may, or may not in any way."""
    def works(words: List[str]) -> bool:
        return subprocess.run(words + ['mount', '-t', 'tmpfs', 'relionsta-tried', '/mnt'], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    if shutil.which(_OWN_MOUNTS[0]) is None or works(['unshare', '--mount', '--']):
        return []
    return _OWN_MOUNTS if works(_OWN_MOUNTS) else []


@contextlib.contextmanager
def read_only(folder: Path, place: Path) -> Iterator[None]:
    """Within: what is in a folder is seen at `place` too, where nothing can be written. Raises NoSmallDisk."""
    place.mkdir(parents=True, exist_ok=True)
    mount('--bind', str(folder), str(place))
    try:
        mount('-o', 'remount,bind,ro', str(place))
        yield
    finally:
        subprocess.run(['umount', '-l', str(place)], check=True)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """A file system of `size` bytes in memory, mounted at `folder` and gone afterwards. Raises NoSmallDisk."""
    folder.mkdir(parents=True, exist_ok=True)
    mount('-t', 'tmpfs', '-o', 'size=%d' % size, _SMALL, str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        # Lazily, since a program may still be ending there
        subprocess.run(['umount', '-l', str(folder)], check=True)


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Within: no file of this process, or of those that it starts, may grow beyond `size` bytes (as after `ulimit -f`).

    A program that tries is killed by SIGXFSZ; Python, and what ignores that signal, gets EFBIG.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def bytes_of(folder: Union[str, Path]) -> int:
    """What the files in a folder and below take of the disk."""
    return sum(os.lstat(os.path.join(place, name)).st_blocks * 512
               for place, _, names in os.walk(str(folder)) for name in names)
