"""Files that appear whole or not at all."""
import contextlib
import os
from pathlib import Path
from typing import Iterator, Union


@contextlib.contextmanager
def whole(path: Union[str, 'os.PathLike[str]']) -> Iterator[Path]:
    """A name to write a file under, with the ending of `path`, that becomes `path` when all went well.

    It has the number of the process in it, so that two that write the same file do not write into each other's. After an
    error nothing is left of it, and `path` is as it was.
    """
    target = Path(path)
    partial = target.with_name('.%s.%d.part%s' % (target.stem, os.getpid(), target.suffix))
    try:
        yield partial
        os.replace(str(partial), str(target))
    finally:
        if partial.exists():
            partial.unlink()


def take_space(path: Union[str, 'os.PathLike[str]']) -> None:
    """Take the disk space of a file that has its size already. To be called before it is written through a memory map: the
    system kills (SIGBUS) whoever writes there when the disk is full. Raises OSError where there is not as much."""
    with open(path, 'rb+') as file:
        os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
