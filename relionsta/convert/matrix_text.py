"""Matrices <-> the JSON text in which Scipion keeps them, many at once.

Rotations of particles are most of a set's text. Where all of their numbers have at most DECIMALS decimals (rounded
says so), they are written in fixed places and read from there; JSON reads them just as well. All other matrices go
through JSON itself, in full precision.
"""
import json
import re
from typing import List, Optional, Sequence

import numpy as np

#: 1e-12 of a rotation matrix is less than 1e-10 degrees.
DECIMALS = 12
_SCALE = 10.0 ** DECIMALS
# As many as fit into a processor's cache.
_PIECE = 4096
_FIELD = re.compile(rb'[ -]\d\.\d{%d}(?![\deE])' % DECIMALS)
_LENGTH = DECIMALS + 3
_GROUP = 4
_TEXTS_OF_GROUPS = np.array([b'%04d' % number for number in range(10 ** _GROUP)], 'S4').view(np.uint8).reshape(-1, 4)


def rounded(matrices: np.ndarray) -> np.ndarray:
    """Matrices of any shape, in numbers of DECIMALS decimals."""
    return np.asarray(np.rint(matrices * _SCALE) / _SCALE)


def texts_of_matrices(matrices: np.ndarray) -> List[str]:
    """JSON text of each matrix, (n, r, c)."""
    numbers = np.asarray(matrices, dtype=np.float64)
    found: List[str] = []
    for first in range(0, len(numbers), _PIECE):
        piece = numbers[first:first + _PIECE]
        whole = np.rint(np.abs(piece) * _SCALE)
        if (np.abs(piece) < 10).all() and (whole / _SCALE == np.abs(piece)).all():
            found += _in_fixed_places(piece, whole.astype(np.int64))
        else:
            found += map(json.dumps, piece.tolist())
    return found


def matrices_of_texts(texts: Sequence[Optional[str]]) -> np.ndarray:
    """(n, r, c) of JSON texts; what is missing becomes the identity of the others' size."""
    filled = [text for text in texts if text]
    pieces = [_read(filled[first:first + _PIECE]) for first in range(0, len(filled), _PIECE)]
    parsed = np.concatenate(pieces) if pieces else np.empty((0, 4, 4))
    if len(filled) == len(texts):
        return parsed
    matrices = np.tile(np.eye(parsed.shape[-1]), (len(texts), 1, 1))
    matrices[np.array([bool(text) for text in texts])] = parsed
    return matrices


def _in_fixed_places(piece: np.ndarray, whole: np.ndarray) -> List[str]:
    """piece (n, r, c), and its absolute values as whole numbers of the last decimal."""
    n = len(piece)
    is_same = (piece == piece[0]).all(axis=0)
    line = json.dumps([[float(value) if same else None for value, same in zip(*row)]
                       for row in zip(piece[0].tolist(), is_same.tolist())])
    template = line.replace(' null', 'null').replace('null', ' ' * _LENGTH).encode('ascii')
    rows = np.tile(np.frombuffer(template, np.uint8), (n, 1))
    places = [match.start() for match in re.finditer(b' ' * _LENGTH, template)]
    for place, (row, column) in zip(places, np.argwhere(~is_same)):
        number = whole[:, row, column]
        rows[:, place] = np.where(piece[:, row, column] < 0, ord('-'), ord(' '))
        for end in range(place + _LENGTH, place + 3, -_GROUP):
            number, group = np.divmod(number, 10 ** _GROUP)
            rows[:, end - _GROUP:end] = _TEXTS_OF_GROUPS[group]
        rows[:, place + 1] = number + ord('0')
        rows[:, place + 2] = ord('.')
    text, width = rows.tobytes().decode('ascii'), len(template)
    return [text[start:start + width] for start in range(0, n * width, width)]


def _read(texts: List[str]) -> np.ndarray:
    first = texts[0].encode('utf-8')
    fields = [match.start() for match in _FIELD.finditer(first)]
    joined = ''.join(texts).encode('utf-8')
    if not fields or set(map(len, texts)) != {len(first)} or len(joined) != len(first) * len(texts):
        return np.array(json.loads('[%s]' % ','.join(texts)), dtype=np.float64)
    rows = np.frombuffer(joined, np.uint8).reshape(len(texts), len(first))
    shown = np.ones(len(first), dtype=bool)
    numbers = []
    good = True
    for place in fields:
        shown[[place, place + 1, *range(place + 3, place + _LENGTH)]] = False
        sign = rows[:, place]
        digits = np.ascontiguousarray(rows[:, place + 1:place + _LENGTH].T) - np.uint8(ord('0'))
        good = good and bool(((sign == ord(' ')) | (sign == ord('-'))).all() and (digits[0] <= 9).all()
                             and (digits[2:] <= 9).all())
        pairs = digits[2::2] * np.uint8(10) + digits[3::2]
        fours = pairs[0::2].astype(np.float64) * 100 + pairs[1::2]
        value = (digits[0] * _SCALE + fours[0] * 1e8 + fours[1] * 1e4 + fours[2]) / _SCALE
        numbers.append(np.where(sign == ord('-'), -value, value))
    if not good or not (rows[:, shown] == np.frombuffer(first, np.uint8)[shown]).all():
        return np.array(json.loads('[%s]' % ','.join(texts)), dtype=np.float64)
    shape = np.array(json.loads(texts[0]), dtype=np.float64)
    matrices = np.tile(shape, (len(texts), 1, 1))
    marked = json.loads(_FIELD.sub(b' null', first))
    for value, (row, column) in zip(numbers, np.argwhere([[one is None for one in row] for row in marked])):
        matrices[:, row, column] = value
    return matrices
