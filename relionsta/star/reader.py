"""From STAR text to tables, strictly: a file that was cut or edited badly is refused, never half-read.

We read by ourselves because the starfile package fills rows that were cut with missing values, turns `007` into 7 and
`'` into `"`, and cuts a value at `#`. Tests hold what we read against what it reads wherever it is right.
"""
import re
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd

from relionsta.star.error import StarError
from relionsta.star.labels import INTEGER_LABELS, REAL_LABELS, TEXT_LABELS

# Key of DataFrame.attrs: this table was a list block (`_label value` lines), and is written as one.
LIST_BLOCK = 'star_list'

_BLOCK = re.compile(r'^[ \t]*data_(\S*)[ \t]*$', re.MULTILINE)
_TOKEN = re.compile(r'"(?P<double>.*?)"(?=\s|$)|\'(?P<single>.*?)\'(?=\s|$)|(?P<comment>#)|(?P<plain>\S+)')
_LOOKS_LIKE_NAME = re.compile(r'[+-]?0\d|.*_')

_CUT = ('the file may have been cut or may still be being written: make it again with the job that wrote it, '
        'or take the one of the iteration before')


def read_star(path: Union[str, Path], blocks: Optional[Iterable[str]] = None,
              complete: bool = False) -> Dict[str, pd.DataFrame]:
    """The blocks of a STAR file, in its order; each a DataFrame with the file's columns in their order.

    blocks: names (without `data_`) of the blocks to read, all of which must be there; None reads every block. A list
    block gives one row and carries attrs[LIST_BLOCK], so that write_star makes a list of it again. Labels that RELION
    defines as text come as str (dtype object) exactly as written, integers and booleans as int64, reals as float64;
    other labels are numbers where every value is one. complete: also refuse a file without the empty line that
    RELION writes last (see is_complete).

    Raises StarError where the file is missing, is no STAR file, or ends within a row.
    """
    text = _read_text(Path(path))
    if complete and not _ends_with_empty_line(text):
        raise StarError(path, 'the empty line at the end of the file is missing; ' + _CUT)
    wanted = None if blocks is None else list(blocks)
    marks = list(_BLOCK.finditer(text))
    if not marks:
        raise StarError(path, 'no block (a line such as data_particles) in it; it is empty, cut or no STAR file')
    names = [mark.group(1) for mark in marks]
    _check_names(path, names, wanted)
    if not text.endswith('\n'):
        raise StarError(path, 'its last line has no end; ' + _CUT + '. If it is whole, add an empty line at its end',
                        names[-1])
    tables = {}
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, name, end in zip(marks, names, ends):
        if wanted is None or name in wanted:
            first_line = text.count('\n', 0, mark.end()) + 2
            lines = text[mark.end() + 1:end].split('\n')
            tables[name] = _BlockReader(path, name, first_line, last=end == len(text)).read(lines)
    return tables


def is_complete(path: Union[str, Path]) -> bool:
    """True if the file exists and ends with the empty line that RELION (and write_star) writes last."""
    try:
        return _ends_with_empty_line(_read_text(Path(path)))
    except StarError:
        return False


def _ends_with_empty_line(text: str) -> bool:
    return bool(re.search(r'\n[ \t]*\n\Z', text))


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StarError(path, f'cannot be read ({error.strerror}); check the path') from error
    try:
        text = raw.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise StarError(path, f'is no text file (byte {error.start}); a STAR file is needed here') from error
    if '\0' in text:
        raise StarError(path, 'holds zero bytes: it is no text file, or its disk was full when it was written')
    return text.replace('\r\n', '\n').replace('\r', '\n')


def _check_names(path: Union[str, Path], names: Sequence[str], wanted: Optional[Sequence[str]]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise StarError(path, 'the block is there twice; keep one of the two', twice[0])
    missing = [name for name in wanted or () if name not in names]
    if missing:
        there = ', '.join('data_' + name for name in names[:8]) + (', …' if len(names) > 8 else '')
        raise StarError(path, f'the block data_{missing[0]} is missing (there: {there}); '
                              'choose another file, or make it again')


class _BlockReader:
    """Reads one block; knows where it is for messages."""

    def __init__(self, path: Union[str, Path], block: str, first_line: int, last: bool) -> None:
        self.path, self.block, self.first_line, self.last = path, block, first_line, last

    def fail(self, message: str, index: Optional[int] = None) -> StarError:
        return StarError(self.path, message, self.block, 0 if index is None else self.first_line + index)

    def tokens(self, line: str, index: int) -> List[str]:
        """The values of a line: quotes removed, comment left out."""
        if '"' not in line and "'" not in line and '#' not in line:
            return line.split()
        found = []
        for match in _TOKEN.finditer(line):
            kind = match.lastgroup
            if kind == 'comment':
                break
            value = match.group(kind or 0)
            if kind == 'plain' and value[0] in '"\'':
                raise self.fail(f'a quote is not closed: {line.strip()[:80]}', index)
            found.append(value)
        return found

    def read(self, lines: List[str]) -> pd.DataFrame:
        content = [(index, line) for index, line in enumerate(lines) if line.strip() and line.lstrip()[0] != '#']
        if not content:
            raise self.fail('the block is empty; ' + _CUT)
        if content[0][1].split()[0] != 'loop_':
            return self.read_list(content)
        after = 1
        labels: List[str] = []
        while after < len(content) and content[after][1].lstrip()[0] == '_':
            labels.append(content[after][1].split()[0][1:])
            after += 1
        self.check_labels(labels)
        rows = content[after:]
        if not rows and self.last and not (len(lines) > 1 and not lines[-2].strip()):
            raise self.fail('the file ends after the column names; ' + _CUT)
        return self.read_loop(labels, rows)

    def check_labels(self, labels: Sequence[str]) -> None:
        if not labels:
            raise self.fail('the block names no column; ' + _CUT)
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if list(labels).count(label) > 1)
            raise self.fail(f'the column {twice} is there twice; remove one of the two')

    def read_list(self, content: Sequence[Tuple[int, str]]) -> pd.DataFrame:
        cells: Dict[str, List[str]] = {}
        labels = []
        for index, line in content:
            tokens = self.tokens(line, index)
            if len(tokens) != 2 or tokens[0][0] != '_':
                raise self.fail(f'a label and its value are needed, not "{line.strip()[:80]}"; ' + _CUT, index)
            labels.append(tokens[0][1:])
            cells[tokens[0][1:]] = [tokens[1]]
        self.check_labels(labels)
        table = _table(cells)
        table.attrs[LIST_BLOCK] = True
        return table

    def read_loop(self, labels: Sequence[str], rows: Sequence[Tuple[int, str]]) -> pd.DataFrame:
        split = [self.tokens(line, index) for index, line in rows]
        width = len(labels)
        wrong = next((number for number, tokens in enumerate(split) if len(tokens) != width), None)
        if wrong is not None:
            index = rows[wrong][0]
            raise self.fail(f'the row has {len(split[wrong])} values for {width} columns; ' + _CUT, index)
        columns = list(zip(*split)) if split else [()] * width
        return _table(dict(zip(labels, columns)))


def _table(cells: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame({label: _column(label, values) for label, values in cells.items()})


def _column(label: str, cells: Sequence[str]) -> pd.Series:
    """One column in the kind of its label; where the text does not fit a number's label, it stays text."""
    if label not in TEXT_LABELS and not _are_names(label, cells):
        for kind in ((np.float64,) if label in REAL_LABELS else (np.int64, np.float64)):
            try:
                return pd.Series(np.array(cells, dtype=kind))
            except (ValueError, OverflowError):
                continue
    return pd.Series(np.array(cells, dtype=object), dtype=object)


def _are_names(label: str, cells: Sequence[str]) -> bool:
    """True where Python would see a number in what is none: 1_2 anywhere, 007 in a label that RELION does not know."""
    if label in REAL_LABELS or label in INTEGER_LABELS:
        return '_' in ''.join(cells)
    return any(map(_LOOKS_LIKE_NAME.match, cells))
