"""Values as RELION's programs read them on their command line."""
import shlex
from typing import List, Union


def number(value: Union[int, float]) -> str:
    """A number as a person would type it: 25, 0.5, 1 (not 1.0); nothing is rounded.

    Very small and large ones carry an exponent (1e-05), which RELION's programs read.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return repr(value)


def derived(value: float) -> str:
    """A number that is computed from a typed one, with the six digits that RELION's GUI prints (5 / 3 -> 1.66667)."""
    return '%g' % value


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
