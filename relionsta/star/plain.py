"""Loops of a large STAR file in which every row is plain: found, cut into cells and handed on without a Python object
for each cell.

Plain is what programs write: ASCII, no quotes, no comments and no empty lines between the rows. What is not so is
not read here (NotPlain), and the careful reader, which knows every form and every fault, reads the file again.
"""
import os
from itertools import chain
from pathlib import Path
from typing import IO, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from relionsta.star import digits

#: Smaller files are read carefully at once. Bytes.
LARGE = 1 << 18
#: Rows are worked on in pieces that stay in a processor's cache.
PIECE = 1 << 18
# A cell is looked at through a window that ends with it; longer numbers are none of RELION's.
WINDOW = 16
_NEWLINE, _SPACE = b'\n'[0], b' '[0]


class NotPlain(Exception):
    """The rows have another form than RELION's, or are faulty."""


class Loop(NamedTuple):
    """A loop in a file. rows: (n + 1,) where each row begins, and where the last one's line end is over."""

    labels: List[str]
    rows: np.ndarray


class PlainFile(NamedTuple):
    """A file with its large loops taken out. text: the file with loops of no rows instead; loops: by block."""

    text: str
    loops: Dict[str, Loop]


class Cells(NamedTuple):
    """The cells of consecutive rows.

    data: WINDOW spaces and the rows; starts, ends: (rows, columns), where each cell is in data; line_ends: (rows,).
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    line_ends: np.ndarray

    def texts(self, column: int) -> List[str]:
        """The cells of a column as they stand; neighbours that are short and equal (names of tomograms) are one object."""
        starts, ends = self.starts[:, column], self.ends[:, column]
        if (ends - starts).max() > WINDOW:
            return self._slices(starts, ends)
        words = _windows(self.data, ends)
        words &= _INSIDE.take(ends - starts, axis=1)
        first = np.flatnonzero(np.concatenate([[True], (words[:, 1:] != words[:, :-1]).any(axis=0)]))
        if 4 * len(first) > len(starts):
            return self._slices(starts, ends)
        texts = zip(self._slices(starts[first], ends[first]), np.diff(first, append=len(starts)).tolist())
        return list(chain.from_iterable([text] * times for text, times in texts))

    def _slices(self, starts: np.ndarray, ends: np.ndarray) -> List[str]:
        data = self.data.decode('ascii')
        return [data[start:end] for start, end in zip(starts.tolist(), ends.tolist())]


def find_loops(path: Union[str, Path]) -> PlainFile:
    """Take the large loops out of a file. Raises NotPlain where there is none, or the file is not of RELION's form."""
    try:
        if os.path.getsize(str(path)) < LARGE:
            raise NotPlain
        with open(str(path), 'rb') as file:
            text, loops = _taken_apart(file)
    except OSError as error:
        raise NotPlain from error
    if not loops or not text.isascii() or b'\0' in text or b'\r' in text:
        raise NotPlain
    return PlainFile(text.decode('ascii'), loops)


def pieces(path: Union[str, Path], loop: Loop) -> Iterator[Cells]:
    """The rows of a loop in their order, some at a time. Raises NotPlain where they are not plain."""
    rows = loop.rows
    with open(str(path), 'rb') as file:
        file.seek(int(rows[0]))
        first = 0
        while first < len(rows) - 1:
            last = max(first + 1, int(np.searchsorted(rows, rows[first] + PIECE, side='right')) - 1)
            data = file.read(int(rows[last] - rows[first]))
            yield cells_of(data, rows[first + 1:last + 1] - (rows[first] + 1), len(loop.labels))
            first = last


def cells_of(rows: bytes, line_ends: np.ndarray, width: int) -> Cells:
    """The cells of rows of `width` columns. line_ends: (n,) where the line end of each row is in `rows`.

    Raises NotPlain unless all are so.
    """
    if line_ends[-1] != len(rows) - 1 or b'"' in rows or b"'" in rows or b'#' in rows or not rows.isascii():
        raise NotPlain
    data = b' ' * WINDOW + rows
    newlines = line_ends + WINDOW
    characters = np.frombuffer(data, np.uint8)
    blank = characters <= _SPACE
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    if (np.count_nonzero(characters < _SPACE) - data.count(b'\t') != len(newlines)
            or (characters[newlines] != _NEWLINE).any() or len(edges) != 2 * width * len(newlines)):
        raise NotPlain
    edges = edges.reshape(len(newlines), 2 * width)
    if (edges[:, -1] > newlines).any() or (edges[1:, 0] <= newlines[:-1]).any():
        raise NotPlain
    return Cells(data, edges[:, 0::2], edges[:, 1::2], newlines)


def numbers(cells: Cells, columns: List[int], whole: List[bool]) -> List[np.ndarray]:
    """Columns as float64, or int64 where `whole`; equal to what Python makes of each cell.

    Raises NotPlain where a cell is no such number.
    """
    if not columns:
        return []
    starts, ends = (places[:, columns].T.ravel() for places in (cells.starts, cells.ends))
    lengths = ends - starts
    negative = np.frombuffer(cells.data, np.uint8)[starts] == ord('-')
    # What stands before a cell, its sign and its point become the digit 0.
    words = _windows(cells.data, ends)
    kept = np.minimum(lengths - negative, WINDOW)
    for word, before in zip(words, _BEFORE):
        word ^= (word ^ digits.ZEROS) & before.take(kept)
    points = digits.marked(words, '.')
    words ^= points * np.uint64(ord('.') ^ ord('0'))
    first, last = digits.as_bits(points)
    places = (first | (last << np.uint64(digits.WIDTH))).astype(np.uint16)
    decimals, has_point = _DECIMALS.take(places), places != 0
    n_digits = lengths - has_point - negative
    no_point = np.broadcast_to(np.array(whole)[:, None], (len(columns), len(cells.starts))).ravel()
    odd = (digits.no_digits(words).any(axis=0) | (decimals == _SEVERAL) | (has_point & no_point) | (n_digits < 1)
           | (n_digits >= WINDOW))
    if odd.any():
        decimals[odd] = 0
    # With the point as a digit 0 between; every step is exact, since all are whole numbers below 2^53.
    left, right = digits.whole_numbers(words).astype(np.float64)
    value = left * 10.0 ** digits.WIDTH + right
    scale = _POWERS.take(decimals)
    value -= np.floor(value / (scale * 10)) * (scale * 9) * has_point
    value /= scale
    np.negative(value, out=value, where=negative)
    if odd.any():
        if no_point[odd].any():
            raise NotPlain
        value[odd] = _read_by_python(cells.data, starts[odd], ends[odd])
    return [column.astype(np.int64) if one else column
            for column, one in zip(value.reshape(len(columns), -1), whole)]


def _windows(data: bytes, ends: np.ndarray) -> np.ndarray:
    """(2, n) words with the WINDOW characters before each of `ends` (n,)."""
    windows: np.ndarray = np.ndarray((len(data) - WINDOW + 1,), 'V%d' % WINDOW, data, strides=(1,))
    return np.ascontiguousarray(windows[ends - WINDOW].view('<u8').reshape(-1, 2).T)


def _words(characters: np.ndarray) -> np.ndarray:
    """(n, WINDOW) uint8 -> (2, n) words."""
    return np.ascontiguousarray(characters.astype(np.uint8).view('<u8').T)


_PLACES = np.arange(WINDOW)
_POWERS = 10.0 ** _PLACES
# By length of a number: the characters of its window that stand before it.
_BEFORE = _words((_PLACES < WINDOW - np.arange(WINDOW + 1)[:, None]) * 255)
_INSIDE = ~_BEFORE
# By the bits that say where points are: the number of characters after it.
_SEVERAL = WINDOW
_DECIMALS = np.full(1 << WINDOW, _SEVERAL, np.uint8)
_DECIMALS[0] = 0
_DECIMALS[1 << _PLACES] = WINDOW - 1 - _PLACES


def _read_by_python(data: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Numbers such as 1.5e-07, one by one."""
    texts = [data[start:end].decode('ascii') for start, end in zip(starts.tolist(), ends.tolist())]
    if any('_' in text for text in texts):
        raise NotPlain
    try:
        return np.array(texts, dtype=np.float64)
    except ValueError as error:
        raise NotPlain from error


def _taken_apart(file: IO[bytes]) -> Tuple[bytes, Dict[str, Loop]]:
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
            start = file.tell() - len(line)
            rows = _rows(file, start)
            is_large = rows[-1] - start >= LARGE
            if is_large:
                if name is None or name in loops:
                    raise NotPlain
                loops[name] = Loop(labels, rows)
            file.seek(int(rows[-1]) if is_large else start + len(line))
            line, labels = b'' if is_large else line, None
        kept.append(line)
    return b''.join(kept), loops


def _rows(file: IO[bytes], start: int) -> np.ndarray:
    """Where the rows begin and end, from `start` to the first line that is empty (but for a blank) or the file's end."""
    file.seek(start)
    found, place, before, character = [np.array([start], np.int64)], start, start, b''
    for data in iter(lambda: file.read(PIECE), b''):
        characters = np.frombuffer(character + data, np.uint8)
        begins = np.flatnonzero(characters[len(character):] == _NEWLINE) + (place + 1)
        lengths = np.diff(begins, prepend=before)
        blank = characters[begins - place + len(character) - 2] == _SPACE
        empty = (lengths == 1) | ((lengths == 2) & blank)
        if empty.any():
            return np.concatenate([*found, begins[:empty.argmax()]])
        found.append(begins)
        before, place, character = begins[-1] if len(begins) else before, place + len(data), data[-1:]
    if before != place:
        raise NotPlain
    return np.concatenate(found)
