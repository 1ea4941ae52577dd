"""Reading of small text tables, with errors that tell the user the file, the line and what to do."""
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple, Union

import pandas as pd

_NUMBER = re.compile(r'[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?')
_INTEGER = re.compile(r'[-+]?\d+')


class SourceError(ValueError):
    """A file of another program cannot be used. The message names the file, the line, the value and the fix."""


@dataclass(frozen=True)
class Line:
    """A line of a text file that is not blank: its number (from 1) and its text without surrounding blanks."""

    number: int
    text: str


@dataclass(frozen=True)
class TextFile:
    """The lines of a text file that are not blank; `complete` is False where the last one has no line end."""

    path: Path
    lines: Tuple[Line, ...]
    complete: bool

    def error(self, line: int, message: str) -> SourceError:
        """A SourceError about one line of this file."""
        return SourceError('%s, line %d: %s' % (self.path, line, message))


def read_text(path: Path, fix: str) -> TextFile:
    """Read a text file; Unix and Windows line ends, blank lines are left out.

    Raises SourceError, which ends in the sentence `fix`, where the file is missing, unreadable, empty or binary.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceError('%s: this file is missing. %s' % (path, fix)) from None
    except OSError as error:
        raise SourceError('%s: the file cannot be read (%s). %s' % (path, error.strerror, fix)) from error
    if b'\0' in data:
        raise SourceError('%s: this is a binary file, a text file is expected. %s' % (path, fix))
    text = data.decode('utf-8', errors='replace')
    lines = tuple(Line(number, part.strip()) for number, part in enumerate(text.splitlines(), 1) if part.strip())
    if not lines:
        raise SourceError('%s: the file is empty. %s' % (path, fix))
    return TextFile(path, lines, text.endswith(('\n', '\r')))


def to_int(file: TextFile, line: int, token: str, name: str) -> int:
    """The integer that a token spells; SourceError where it is none."""
    if not _INTEGER.fullmatch(token):
        raise file.error(line, "%s is '%s', a whole number is expected: correct it, or run the program again."
                         % (name, token))
    return int(token)


def to_float(file: TextFile, line: int, token: str, name: str) -> float:
    """The finite number that a token spells; SourceError where it is none (nan and inf are none)."""
    if not _NUMBER.fullmatch(token) or not math.isfinite(float(token)):
        raise file.error(line, "%s is '%s', a number is expected: correct it, or run the program again."
                         % (name, token))
    return float(token)


def parse_table(file: TextFile, lines: Sequence[Line], columns: Sequence[str],
                integers: Iterable[str] = ()) -> pd.DataFrame:
    """A DataFrame of lines of numbers separated by blanks, with a column per name and the column `line` (its number).

    Raises SourceError where a line has another number of columns, where a value is no number, and where the file
    ends inside a number.
    """
    whole = set(integers)
    values: Dict[str, List[Union[int, float]]] = {name: [] for name in ['line', *columns]}
    for line in lines:
        tokens = line.text.split()
        if len(tokens) != len(columns):
            raise file.error(line.number, '%d columns, expected %d (%s): the line is damaged or cut; run the program '
                             'again or restore the file.' % (len(tokens), len(columns), ', '.join(columns)))
        values['line'].append(line.number)
        for name, token in zip(columns, tokens):
            reader = to_int if name in whole else to_float
            values[name].append(reader(file, line.number, token, name))
    _refuse_cut(file, lines)
    return pd.DataFrame(values, columns=['line', *columns])


def _refuse_cut(file: TextFile, lines: Sequence[Line]) -> None:
    """Refuse a table whose last number was cut: no line end, and fewer decimals than in the line before."""
    if file.complete or len(lines) < 2 or lines[-1].number != file.lines[-1].number:
        return
    before, last = (_decimals(line.text.split()[-1]) for line in lines[-2:])
    if last < before:
        raise file.error(lines[-1].number, "the file ends inside the number '%s', it is cut short: restore it or run "
                         "the program again (or end the line, if the number is right)." % lines[-1].text.split()[-1])


def _decimals(token: str) -> int:
    return len(token.partition('.')[2])


def short_list(numbers: Sequence[object], most: int = 8) -> str:
    """'3, 4, 5' for messages; a long list ends in its length."""
    shown = ', '.join(str(number) for number in numbers[:most])
    return shown if len(numbers) <= most else '%s … (%d in all)' % (shown, len(numbers))


def first_existing(candidates: Iterable[Path]) -> Optional[Path]:
    """The first path of the candidates that exists, or None."""
    return next((path for path in candidates if path.exists()), None)
