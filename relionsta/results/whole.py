"""Is a STAR file of RELION whole? RELION writes its files in place, so a run that goes on or died leaves torn ones.

RELION closes every table with a line that holds one blank. A file is whole when it ends with such a line and when
its last tables are there with their contents: a file that was cut anywhere fails one of the two.
"""
import mmap
import os
import re
from pathlib import Path
from typing import Iterable, Union

PathLike = Union[str, Path]
CLOSED = re.compile(rb'\n[ \t]*\r?\n\Z')
TAIL_BYTES = 64
# What a block's first lines look like when it has contents: a list entry, or a loop with at least one row
CONTENTS = re.compile(rb'\s*(?:#[^\n]*\s*)*(?:_\S+[ \t]+[^\s#]|loop_\s*(?:_\S+[^\n]*\n)+[ \t]*[^\s_#])')


def is_whole_star(path: PathLike, blocks: Iterable[str]) -> bool:
    """True where the STAR file is closed and holds every one of `blocks` (names without `data_`), none of them empty.

    The blocks must be named in the order in which RELION writes them. Large files are searched, not parsed.
    """
    try:
        with open(path, 'rb') as file:
            if os.fstat(file.fileno()).st_size == 0:
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                return _closed(text) and _has_blocks(text, blocks)
    except OSError:
        return False


def _closed(text: mmap.mmap) -> bool:
    tail = text[max(0, len(text) - TAIL_BYTES):]
    return CLOSED.search(tail) is not None and b'\0' not in tail


def _has_blocks(text: mmap.mmap, blocks: Iterable[str]) -> bool:
    start = 0
    for name in blocks:
        heading = re.compile(rb'^data_' + re.escape(name.encode()) + rb'[ \t\r]*$', re.MULTILINE).search(text, start)
        if heading is None or CONTENTS.match(text, heading.end()) is None:
            return False
        start = heading.end()
    return True
