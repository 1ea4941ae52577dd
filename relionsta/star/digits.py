"""Digits in ASCII <-> whole numbers, eight at a time: the characters of a word are worked on together.

A word is a little-endian uint64 of eight characters, the first of them in its lowest byte.
"""
import numpy as np

#: The characters of a word.
WIDTH = 8


def _each(character: int) -> np.uint64:
    """A word of eight equal characters."""
    return np.uint64(character * 0x0101010101010101)


#: '00000000'
ZEROS = _each(ord('0'))
_HIGH, _LOW7 = _each(0x80), _each(0x7f)
_OVER_NINE = _each(0x80 - ord('9') - 1)
_GATHER = np.uint64(0x0102040810204080)
_STEPS = tuple((np.uint64(mask), np.uint64(factor), np.uint64(shift)) for mask, factor, shift in (
    (0x0f0f0f0f0f0f0f0f, 10 * 2 ** 8 + 1, 8), (0x00ff00ff00ff00ff, 100 * 2 ** 16 + 1, 16),
    (0x0000ffff0000ffff, 10000 * 2 ** 32 + 1, 32)))


def whole_numbers(words: np.ndarray) -> np.ndarray:
    """The numbers (uint64) that words of eight digits spell: neighbours are joined to pairs, fours and eights."""
    numbers = words
    for mask, factor, shift in _STEPS:
        numbers = ((numbers & mask) * factor) >> shift
    return np.asarray(numbers)


def no_digits(words: np.ndarray) -> np.ndarray:
    """True for words with a character that is no digit."""
    return np.asarray((((words + _OVER_NINE) | (words - ZEROS) | words) & _HIGH) != 0)


def marked(words: np.ndarray, character: str) -> np.ndarray:
    """Words with a 1 for each character that is this one, and a 0 for the others."""
    different = words ^ _each(ord(character))
    return np.asarray(~(((different & _LOW7) + _LOW7) | different | _LOW7) >> np.uint64(7))


def as_bits(marks: np.ndarray) -> np.ndarray:
    """The marks of each word as a number from 0 to 255; its lowest bit is the first character."""
    return np.asarray((marks * _GATHER) >> np.uint64(56))
