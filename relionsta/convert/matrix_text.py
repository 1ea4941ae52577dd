"""Matrices <-> the JSON text in which Scipion keeps them, many at once.

Rotations of particles are most of a set's text. Where all of their numbers have at most DECIMALS decimals
(round_matrices makes them so), they are written in fixed places and read from there; JSON reads them just as well.
All other matrices go through JSON itself, in full precision.
"""
import json
import re
from typing import Any, List, Sequence

import numpy as np

from relionsta.star import digits

#: 1e-12 of a rotation matrix is less than 1e-10 degrees.
DECIMALS = 12
_SCALE = 10.0 ** DECIMALS
# As many as fit into a processor's cache.
_PIECE = 2048
_FIELD = re.compile(rb'[ -]\d\.\d{%d}(?![\deE])' % DECIMALS)
_LENGTH = DECIMALS + 3
_GROUP = 4
_TEXTS_OF_GROUPS = np.array([b'%04d' % number for number in range(10 ** _GROUP)], 'S4').view('<u4')
_HALF = np.uint64(8 * _GROUP)


def round_matrices(matrices: np.ndarray) -> np.ndarray:
    """Round matrices of any shape, in place, to numbers of DECIMALS decimals; returns them."""
    matrices *= _SCALE
    np.rint(matrices, out=matrices)
    matrices /= _SCALE
    return matrices


def texts_of_matrices(matrices: np.ndarray) -> List[str]:
    """JSON text of each matrix, (n, r, c)."""
    numbers = np.asarray(matrices, dtype=np.float64)
    found: List[str] = []
    for first in range(0, len(numbers), _PIECE):
        piece = numbers[first:first + _PIECE]
        whole = np.rint(np.abs(piece) * _SCALE)
        if (np.abs(piece) < 10).all() and (whole / _SCALE == np.abs(piece)).all():
            found += _in_fixed_places(piece, whole)
        else:
            found += map(json.dumps, piece.tolist())
    return found


def matrices_of_texts(texts: Sequence[Any]) -> np.ndarray:
    """(n, r, c) of JSON texts; what is missing (None, '') becomes the identity of the others' size."""
    if None in texts or '' in texts:
        filled = [text for text in texts if text]
        parsed = matrices_of_texts(filled)
        matrices = np.tile(np.eye(parsed.shape[-1]), (len(texts), 1, 1))
        matrices[np.array([bool(text) for text in texts])] = parsed
        return matrices
    pieces = [_read(texts[first:first + _PIECE]) for first in range(0, len(texts), _PIECE)]
    return np.concatenate(pieces) if pieces else np.empty((0, 4, 4))


def _in_fixed_places(piece: np.ndarray, whole: np.ndarray) -> List[str]:
    """piece (n, r, c), and its absolute values as whole numbers of the last decimal."""
    n = len(piece)
    is_same = (piece == piece[0]).all(axis=0)
    line = json.dumps([[float(value) if same else None for value, same in zip(*row)]
                       for row in zip(piece[0].tolist(), is_same.tolist())])
    template = line.replace(' null', 'null').replace('null', ' ' * _LENGTH).encode('ascii')
    places = [match.start() for match in re.finditer(b' ' * _LENGTH, template)]
    rows = np.full(n, np.void(template)).view(_fields(places, len(template)))
    left = np.ascontiguousarray(whole[:, ~is_same].T)
    groups = []
    for _ in range(DECIMALS // _GROUP):
        # Floats of whole numbers: exact here, and divided far faster than integers.
        more = np.floor(left / 10 ** _GROUP)
        groups.append(_TEXTS_OF_GROUPS[(left - more * 10 ** _GROUP).astype(np.int64)])
        left = more
    signs = np.where(piece[:, ~is_same].T < 0, ord('-'), ord(' '))
    for number in range(len(places)):
        rows['sign%d' % number] = signs[number]
        rows['whole%d' % number] = left[number] + ord('0')
        rows['point%d' % number] = ord('.')
        for group, texts in enumerate(groups[::-1]):
            rows['group%d_%d' % (number, group)] = texts[number]
    text, width = rows.tobytes().decode('ascii'), len(template)
    return [text[start:start + width] for start in range(0, n * width, width)]


def _fields(places: Sequence[int], width: int) -> np.dtype:
    """Texts of `width` characters with numbers in fixed places, as records."""
    fields = [('sign%d', 'u1', 0), ('whole%d', 'u1', 1), ('point%d', 'u1', 2)]
    fields += [('group%d_' + str(group), '<u4', 3 + _GROUP * group) for group in range(DECIMALS // _GROUP)]
    return np.dtype({'names': [name % number for number in range(len(places)) for name, _, _ in fields],
                     'formats': [kind for _ in places for _, kind, _ in fields],
                     'offsets': [place + offset for place in places for _, _, offset in fields], 'itemsize': width})


def _read(texts: Sequence[str]) -> np.ndarray:
    first = texts[0].encode('utf-8')
    fields = [match.start() for match in _FIELD.finditer(first)]
    joined = ''.join(texts).encode('utf-8')
    # Texts of other lengths that add up to the same have their brackets elsewhere.
    if not fields or len(joined) != len(first) * len(texts):
        return _by_json(texts)
    rows = np.frombuffer(joined, _fields(fields, len(first)))
    signs, wholes = np.empty((2, len(fields), len(texts)), np.uint8)
    words = np.empty((2, len(fields), len(texts)), np.uint64)
    free = np.zeros(len(first), dtype=np.uint8)
    for number, place in enumerate(fields):
        signs[number], wholes[number] = rows['sign%d' % number], rows['whole%d' % number]
        words[0, number] = rows['group%d_1' % number]
        words[0, number] <<= _HALF
        words[0, number] |= rows['group%d_0' % number]
        words[1, number] = rows['group%d_2' % number]
        free[[place, place + 1, *range(place + 3, place + _LENGTH)]] = 255
    words[1] <<= _HALF
    words[1] |= digits.ZEROS >> _HALF
    negative = signs == ord('-')
    wholes -= np.uint8(ord('0'))
    characters = np.frombuffer(joined, np.uint8).reshape(len(texts), len(first))
    other = np.bitwise_or.reduce(characters ^ np.frombuffer(first, np.uint8), axis=0) & ~free
    if other.any() or (wholes > 9).any() or digits.no_digits(words).any() or not (negative | (signs == ord(' '))).all():
        return _by_json(texts)
    eight, four = digits.whole_numbers(words).astype(np.float64)
    numbers = (wholes * _SCALE + eight * 10.0 ** _GROUP + four) / _SCALE
    np.negative(numbers, out=numbers, where=negative)
    shape = np.array(json.loads(texts[0]), dtype=np.float64)
    matrices = np.tile(shape, (len(texts), 1, 1))
    marked = json.loads(_FIELD.sub(b' null', first))
    for value, (row, column) in zip(numbers, np.argwhere([[one is None for one in row] for row in marked])):
        matrices[:, row, column] = value
    return matrices


def _by_json(texts: Sequence[str]) -> np.ndarray:
    """Tomograms of a session and particles before their refinement mostly have the same matrix."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    matrices = np.array(json.loads('[%s]' % ','.join(places)), dtype=np.float64)
    return matrices[[places[text] for text in texts]]
