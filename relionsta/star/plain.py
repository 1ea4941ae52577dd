"""Large loops of a STAR file, row by row, in one pass through the file.

Only loops in which every row is plain (plain_cells), and no empty line stands between the rows. What is not so is not read
here (NotPlain), and the careful reader, which knows every form and every fault, reads the file again.
"""
import os
from pathlib import Path
from typing import IO, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from relionsta.star.plain_cells import NotPlain

#: Smaller files, and loops in them, are read carefully at once. Bytes.
LARGE = 1 << 18
# Rows are worked on in pieces that stay in a processor's cache.
_PIECE = 1 << 18
_NEWLINE, _SPACE = b'\n'[0], b' '[0]


class Loop(NamedTuple):
    """A loop in a file. rows: (n + 1,) where each row begins, and where the last one's line end is over."""

    labels: List[str]
    rows: np.ndarray


class PlainFile(NamedTuple):
    """A file with its large loops taken out. text: the file with loops of no rows instead; loops: by block."""

    text: str
    loops: Dict[str, Loop]


#: Some rows that follow each other, and (n,) where the line end of each is in them.
Piece = Tuple[bytes, np.ndarray]
#: Is given a block, the labels of a large loop in it, and its rows, all of which it has to go through.
Take = Callable[[str, List[str], Iterator[Piece]], None]


def read_loops(path: Union[str, Path], take: Take) -> PlainFile:
    """Take the large loops out of a file. Raises NotPlain where there is none, or the file is not of RELION's form."""
    try:
        if os.path.getsize(str(path)) < LARGE:
            raise NotPlain
        with open(str(path), 'rb') as file:
            text, loops = _taken_apart(file, take)
    except OSError as error:
        raise NotPlain from error
    if not loops or not text.isascii() or b'\0' in text or b'\r' in text:
        raise NotPlain
    return PlainFile(text.decode('ascii'), loops)


def _taken_apart(file: IO[bytes], take: Take) -> Tuple[bytes, Dict[str, Loop]]:
    kept: List[bytes] = []
    loops: Dict[str, Loop] = {}
    name: Optional[str] = None
    labels: Optional[List[str]] = None
    for line in iter(file.readline, b''):
        words = line.split()
        if words and words[0].startswith(b'data_') and len(words) == 1:
            name, labels = words[0][len(b'data_'):].decode('ascii', 'replace'), None
        elif words == [b'loop_']:
            labels = []
        elif labels is not None and words and words[0].startswith(b'_'):
            labels.append(words[0][1:].decode('ascii', 'replace'))
        elif labels and words:
            rows = _Rows(file, file.tell() - len(line))
            if rows.are_many:
                if name is None or name in loops:
                    raise NotPlain
                take(name, labels, iter(rows))
                loops[name] = Loop(labels, rows.places())
                file.seek(int(loops[name].rows[-1]))
                line = b''
            else:
                file.seek(rows.start + len(line))
            labels = None
        kept.append(line)
    return b''.join(kept), loops


class _Rows:
    """The rows of a loop, from `start` to the first line that is empty (but for a blank) or the file's end.

    are_many: they are LARGE or more.
    """

    def __init__(self, file: IO[bytes], start: int):
        self.start = start
        self._file = file
        self._places = [np.array([start], np.int64)]
        file.seek(start)
        self._first = file.read(LARGE)
        self.are_many = len(self._first) == LARGE and b'\n\n' not in self._first and b'\n \n' not in self._first

    def places(self) -> np.ndarray:
        """(n + 1,) where the rows begin, of those that were gone through, and where the last one is over."""
        return np.concatenate(self._places)

    def __iter__(self) -> Iterator[Piece]:
        """Raises NotPlain where the last row has no line end."""
        place, data = self.start, self._first
        while data:
            characters = np.frombuffer(data, np.uint8)
            line_ends = np.flatnonzero(characters == _NEWLINE)
            lengths = np.diff(line_ends, prepend=-1)
            empty = (lengths == 1) | ((lengths == 2) & (characters[line_ends - 1] == _SPACE))
            is_last = bool(empty.any())
            if is_last:
                line_ends = line_ends[:empty.argmax()]
            if len(line_ends):
                size = int(line_ends[-1]) + 1
                self._places.append(line_ends + (place + 1))
                yield data[:size], line_ends
                place, data = place + size, data[size:]
            if is_last:
                return
            more = self._file.read(_PIECE)
            if data and not more:
                raise NotPlain
            data += more
