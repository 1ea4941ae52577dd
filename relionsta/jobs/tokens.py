"""Values as RELION's programs read them on their command line."""
import re
import shlex
import struct
from typing import List, Union

_WHOLE = re.compile(r'[+-]?\d+(\.0*)?\Z')
_REAL = re.compile(r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z')


class TypedInt(int):
    """A whole number that goes out as it was typed: 25.0 stays 25.0, as RELION's GUI has it."""

    text: str

    def __new__(cls, text: str) -> 'TypedInt':
        """Raises ValueError for text that is no whole number."""
        if not _WHOLE.match(text):
            raise ValueError('%r is no whole number' % text)
        made = super().__new__(cls, int(float(text)))
        made.text = text
        return made


class TypedFloat(float):
    """A number that goes out as it was typed: 0.50 stays 0.50."""

    text: str

    def __new__(cls, text: str) -> 'TypedFloat':
        """Raises ValueError for text that is no finite number."""
        if not _REAL.match(text):
            raise ValueError('%r is no number' % text)
        made = super().__new__(cls, text)
        made.text = text
        return made


def number(value: Union[int, float]) -> str:
    """A number as a person would type it: 25, 0.5, 1 (not 1.0); nothing is rounded, and what was typed stays so.

    Very small and large ones carry an exponent (1e-05), which RELION's programs read.
    """
    if isinstance(value, (TypedInt, TypedFloat)):
        return value.text
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return repr(value)


def derived(value: float, times: float = 1, over: float = 1) -> str:
    """A number that is computed from a typed one, as RELION's GUI prints it: single precision, six digits.

    value * times / over: 5 / 3 -> 1.66667. RELION keeps numbers of its forms in single precision, which can decide the
    last digit.
    """
    return '%g' % _single(_single(value) * times / over)


def _single(value: float) -> float:
    """The number as single precision holds it."""
    return float(struct.unpack('f', struct.pack('f', value))[0])


def flag(name: str, value: Union[int, float, str]) -> List[str]:
    """An option of a program with its value: two tokens."""
    return [name, value if isinstance(value, str) else number(value)]


def flag_if(condition: object, *tokens: str) -> List[str]:
    """The tokens, or none."""
    return list(tokens) if condition else []


def positive(name: str, value: Union[int, float]) -> List[str]:
    """An option that RELION's GUI passes only where its value is above zero."""
    return flag(name, value) if value > 0 else []


def split_arguments(text: str) -> List[str]:
    """Tokens of the text in "Additional arguments": split at blanks, quotes keep a blank, nothing is expanded.

    Raises ValueError where a quote is not closed.
    """
    return shlex.split(text)
