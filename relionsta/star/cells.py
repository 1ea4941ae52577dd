"""STAR text as cells of text, strictly: a file that was cut or edited badly is refused, never half-read.

It needs neither numpy nor pandas, so that a command that reads a small file answers at once.
"""
import logging
import re
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from relionsta.star.error import StarError

logger = logging.getLogger(__name__)

_BLOCK = re.compile(r'^[ \t]*data_(\S*)[ \t]*$', re.MULTILINE)
_TOKEN = re.compile(r'"(?P<double>.*?)"(?=\s|$)|\'(?P<single>.*?)\'(?=\s|$)|(?P<comment>#)|(?P<plain>\S+)')

CUT = ('the file may have been cut or may still be being written: make it again with the job that wrote it, '
       'or take the one of the iteration before')


class Cells(NamedTuple):
    """A block as text. columns: label -> its cells, top to bottom; is_list: `_label value` lines, so one row."""

    columns: Dict[str, Sequence[str]]
    is_list: bool


def read_cells(path: Union[str, Path], blocks: Optional[Iterable[str]] = None, complete: bool = False) -> Dict[str, Cells]:
    """The blocks of a STAR file, in its order, as text: quotes removed, comments left out.

    Arguments and errors are those of `read_star`, which makes numbers of these cells.
    """
    return cells_of_text(read_text(Path(path)), path, blocks, complete)


def cells_of_text(text: str, path: Union[str, Path], blocks: Optional[Iterable[str]] = None,
                  complete: bool = False) -> Dict[str, Cells]:
    """As read_cells, of the text of a file; path is for messages."""
    if complete and not ends_with_empty_line(text):
        raise StarError(path, 'the empty line at the end of the file is missing; ' + CUT)
    wanted = None if blocks is None else list(blocks)
    marks = list(_BLOCK.finditer(text))
    if not marks:
        raise StarError(path, 'no block (a line such as data_particles) in it; it is empty, cut or no STAR file')
    names = [mark.group(1) for mark in marks]
    _check_names(path, names, wanted)
    if not text.endswith('\n'):
        raise StarError(path, 'its last line has no end; ' + CUT + '. If it is whole, add an empty line at its end',
                        names[-1])
    found = {}
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    for mark, name, end in zip(marks, names, ends):
        if wanted is None or name in wanted:
            first_line = text.count('\n', 0, mark.end()) + 2
            lines = text[mark.end() + 1:end].split('\n')
            found[name] = _BlockReader(path, name, first_line, last=end == len(text)).read(lines)
    if names[-1] in found and not ends_with_empty_line(text):
        rows = len(next(iter(found[names[-1]].columns.values())))
        logger.warning('%s, block data_%s: the empty line that RELION writes last is missing after row %d; if the file '
                       'was cut, rows are missing', path, names[-1], rows)
    return found


def ends_with_empty_line(text: str) -> bool:
    """True for text that ends as RELION (and write_star) ends a file."""
    return bool(re.search(r'\n[ \t]*\n\Z', text))


def read_text(path: Path) -> str:
    """The whole text, with line ends of one kind. Raises StarError for what is no text."""
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

    def read(self, lines: List[str]) -> Cells:
        content = [(index, line) for index, line in enumerate(lines) if line.strip() and line.lstrip()[0] != '#']
        if not content:
            raise self.fail('the block is empty; ' + CUT)
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
            raise self.fail('the file ends after the column names; ' + CUT)
        return self.read_loop(labels, rows)

    def check_labels(self, labels: Sequence[str]) -> None:
        if not labels:
            raise self.fail('the block names no column; ' + CUT)
        if len(set(labels)) < len(labels):
            twice = next(label for label in labels if list(labels).count(label) > 1)
            raise self.fail(f'the column {twice} is there twice; remove one of the two')

    def read_list(self, content: Sequence[Tuple[int, str]]) -> Cells:
        cells: Dict[str, Sequence[str]] = {}
        labels = []
        for index, line in content:
            tokens = self.tokens(line, index)
            if len(tokens) != 2 or tokens[0][0] != '_':
                raise self.fail(f'a label and its value are needed, not "{line.strip()[:80]}"; ' + CUT, index)
            labels.append(tokens[0][1:])
            cells[tokens[0][1:]] = [tokens[1]]
        self.check_labels(labels)
        return Cells(cells, is_list=True)

    def read_loop(self, labels: Sequence[str], rows: Sequence[Tuple[int, str]]) -> Cells:
        split = [self.tokens(line, index) for index, line in rows]
        width = len(labels)
        wrong = next((number for number, tokens in enumerate(split) if len(tokens) != width), None)
        if wrong is not None:
            index = rows[wrong][0]
            raise self.fail(f'the row has {len(split[wrong])} values for {width} columns; ' + CUT, index)
        columns = list(zip(*split)) if split else [()] * width
        return Cells(dict(zip(labels, columns)), is_list=False)
