"""Is a STAR file of RELION whole? RELION writes its files in place, so a run that goes on or died leaves torn ones.

RELION closes every table with a line that holds one blank. A file is whole when it ends with such a line and when
its last tables are there with their contents: a file that was cut anywhere fails one of the two. Zero bytes are blocks that
a power cut has lost.
"""
import os
import re
from pathlib import Path
from typing import IO, Iterable, Union

PathLike = Union[str, Path]
CLOSED = re.compile(rb'\n[ \t]*\r?\n\Z')
TAIL_BYTES = 64
PIECE_BYTES = 1 << 20
# What a block's first lines look like when it has contents: a list entry, or a loop with at least one row
CONTENTS = re.compile(rb'\s*(?:#[^\n]*\s*)*(?:_\S+[ \t]+[^\s#]|loop_\s*(?:_\S+[^\n]*\n)+[ \t]*[^\s_#])')


def is_whole_star(path: PathLike, blocks: Iterable[str]) -> bool:
    """True where the STAR file is closed and holds every one of `blocks` (names without `data_`), none of them empty.

    The blocks must be named in the order in which RELION writes them. Of large files only what is needed is read.
    """
    try:
        # Not by mmap: the system kills whoever looks at a part of it that RELION has just cut off
        with open(path, 'rb') as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            if not _closed(file.read()):
                return False
            file.seek(0)
            return _has_blocks(file, blocks)
    except OSError:
        return False


def _closed(tail: bytes) -> bool:
    return CLOSED.search(tail) is not None and b'\0' not in tail


def _has_blocks(file: IO[bytes], blocks: Iterable[str]) -> bool:
    text, start = file.read(PIECE_BYTES), 0
    for name in blocks:
        wanted = re.compile(rb'^data_' + re.escape(name.encode()) + rb'[ \t\r]*$', re.MULTILINE)
        while True:
            heading = wanted.search(text, start)
            if heading is not None and CONTENTS.match(text, heading.end()) is not None:
                start = heading.end()
                break
            # It may be further on: as much again, so that a file is searched through twice at most
            more = file.read(max(PIECE_BYTES, len(text)))
            if not more:
                return False
            text += more
    return b'\0' not in text
