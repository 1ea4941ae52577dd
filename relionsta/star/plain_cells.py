"""Rows of a large STAR file cut into cells, and columns of them, without a Python object for each cell.

Plain is what programs write: ASCII, no quotes and no comments. What is not so is not read here (NotPlain).
"""
import functools
from itertools import chain
from typing import List, NamedTuple

import numpy as np

from relionsta.star import digits

# A number is looked at through a window that ends with it; longer ones are none of RELION's.
WINDOW = 16
# The same for a text and the blank behind it; longer texts are taken one by one.
_LONGEST = 32
#: Blanks before the first row.
BEFORE = _LONGEST
_NEWLINE, _SPACE = b'\n'[0], b' '[0]
_WORD = 8
_BLANKS = np.frombuffer(b' ' * _WORD, '<u8')[0]


class NotPlain(Exception):
    """The rows have another form than RELION's, or are faulty."""


class Cells(NamedTuple):
    """The cells of consecutive rows.

    data: BEFORE blanks and the rows; starts, ends: (rows, columns), where each cell is in data; line_ends: (rows,).
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    line_ends: np.ndarray

    def texts(self, column: int) -> List[str]:
        """The cells of a column as they stand; neighbours that are equal (names of tomograms) mostly are one object."""
        starts, ends = self.starts[:, column], self.ends[:, column]
        lengths = ends - starts
        width = _WORD * (int(lengths.max()) // _WORD + 1)
        if width > _LONGEST:
            data = self.data.decode('ascii')
            return [data[start:end] for start, end in zip(starts.tolist(), ends.tolist())]
        words = _windows(self.data, ends + 1, width)
        words ^= _BLANKS
        words &= _inside(width)[lengths]
        words ^= _BLANKS
        first = np.flatnonzero(np.concatenate([[True], (words[1:] != words[:-1]).any(axis=1)]))
        if 4 * len(first) > len(starts):
            return words.tobytes().decode('ascii').split()
        texts = zip(words[first].tobytes().decode('ascii').split(), np.diff(first, append=len(starts)).tolist())
        return list(chain.from_iterable([text] * times for text, times in texts))


def cells_of(rows: bytes, line_ends: np.ndarray, width: int) -> Cells:
    """The cells of rows of `width` columns. line_ends: (n,) where the line end of each row is in `rows`.

    Raises NotPlain unless all are so.
    """
    if line_ends[-1] != len(rows) - 1 or b'"' in rows or b"'" in rows or b'#' in rows or not rows.isascii():
        raise NotPlain
    data = b' ' * BEFORE + rows
    newlines = line_ends + BEFORE
    characters = np.frombuffer(data, np.uint8)
    blank = characters <= _SPACE
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    tabs = data.count(b'\t') if b'\t' in data else 0  # most have none, which is seen far faster
    if (np.count_nonzero(characters < _SPACE) - tabs != len(newlines)
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
    words = np.ascontiguousarray(_windows(cells.data, ends, WINDOW).T)
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


def _windows(data: bytes, ends: np.ndarray, width: int) -> np.ndarray:
    """(n, width / 8) words with the `width` characters before each of `ends` (n,)."""
    windows: np.ndarray = np.ndarray((len(data) - width + 1,), 'V%d' % width, data, strides=(1,))
    return windows[ends - width].view('<u8').reshape(len(ends), -1)


@functools.lru_cache(maxsize=None)
def _inside(width: int) -> np.ndarray:
    """By length of a text: the characters of its window that are the text, and not the blank behind it."""
    places, lengths = np.arange(width), np.arange(width)[:, None]
    return (((places < width - 1) & (places >= width - 1 - lengths)) * 255).astype(np.uint8).view('<u8')


def _words(characters: np.ndarray) -> np.ndarray:
    """(n, WINDOW) uint8 -> (2, n) words."""
    return np.ascontiguousarray(characters.astype(np.uint8).view('<u8').T)


_PLACES = np.arange(WINDOW)
_POWERS = 10.0 ** _PLACES
# By length of a number: the characters of its window that stand before it.
_BEFORE = _words((_PLACES < WINDOW - np.arange(WINDOW + 1)[:, None]) * 255)
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
