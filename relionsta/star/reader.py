"""From STAR text to tables of numbers and text.

We read by ourselves because the starfile package fills rows that were cut with missing values, turns `007` into 7 and
`'` into `"`, and cuts a value at `#`. Tests hold what we read against what it reads wherever it is right.
"""
import os
import re
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd

from relionsta.star import plain, plain_cells
from relionsta.star.cells import Cells, cells_of_text, ends_with_empty_line, read_cells, read_text
from relionsta.star.error import StarError
from relionsta.star.few import read_few
from relionsta.star.labels import INTEGER_LABELS, REAL_LABELS, TEXT_LABELS
from relionsta.star.plain_cells import NotPlain

# Key of DataFrame.attrs: this table was a list block (`_label value` lines), and is written as one.
LIST_BLOCK = 'star_list'

# More texts than this are no few names that come again.
_MOST_SHARED = 1 << 16
# Texts that are looked at first: where they are different, the others mostly are too.
_FIRST = 32
_LOOKS_LIKE_NAME = re.compile(r'[+-]?0\d|.*_')


#: What RELION writes above a block, and how many bytes of a file are looked at for it.
_RELION_WORDS, _END = b'# version ', 256

#: Block -> labels of its columns that are wanted.
Wanted = Mapping[str, Collection[str]]


class PlainStar(NamedTuple):
    """Tables of a file, and its large loops, by block."""

    tables: Dict[str, pd.DataFrame]
    loops: Dict[str, plain.Loop]


def read_star(path: Union[str, Path], blocks: Optional[Iterable[str]] = None, complete: bool = False,
              only: Optional[Wanted] = None) -> Dict[str, pd.DataFrame]:
    """The blocks of a STAR file, in its order; each a DataFrame with the file's columns in their order.

    blocks: names (without `data_`) of the blocks to read, all of which must be there; None reads every block. A list
    block gives one row and carries attrs[LIST_BLOCK], so that write_star makes a list of it again. Labels that RELION
    defines as text come as str (dtype object) exactly as written, integers and booleans as int64, reals as float64;
    other labels are numbers where every value is one. complete: also refuse a file without the empty line that
    RELION writes last (see is_complete). only: leave out the other columns of these blocks.

    A file that ends after a whole row without that line, as some programs write it, is read with a warning in the log.
    Raises StarError where the file is missing, is no STAR file, or ends within a row.
    """
    names = None if blocks is None else list(blocks)
    try:
        if names:
            return {name: _table(cells, None if only is None else only.get(name))
                    for name, cells in read_few(path, names, complete).items()}
    except (NotPlain, StarError):
        pass  # another kind of file, or a fault: the readers below judge
    try:
        return _read_plain(path, names, complete, only or {})[0]
    except (NotPlain, StarError):
        return {name: _table(cells, None if only is None else only.get(name))
                for name, cells in read_cells(path, names, complete).items()}


def is_complete(path: Union[str, Path]) -> bool:
    """True if the file exists and ends with the empty line that RELION (and write_star) writes last."""
    try:
        return ends_with_empty_line(read_text(Path(path)))
    except StarError:
        return False


def may_be_cut(path: Union[str, Path]) -> bool:
    """True for a file with RELION's first words and without the empty line that RELION writes last; only its ends are read.

    Other programs leave that line out, and some do so in files that they have from RELION.
    """
    with open(path, 'rb') as file:
        begin = file.read(_END)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _END))
        return _RELION_WORDS in begin and not ends_with_empty_line(file.read().decode('utf-8', 'replace'))


def read_plain(path: Union[str, Path], only: Wanted) -> Optional[PlainStar]:
    """As read_star, and where the large loops are, for copy_rows; None where the file has no large loop of plain rows."""
    try:
        return PlainStar(*_read_plain(path, None, False, only))
    except (NotPlain, StarError):
        return None


def _read_plain(path: Union[str, Path], blocks: Optional[List[str]], complete: bool,
                only: Wanted) -> Tuple[Dict[str, pd.DataFrame], Dict[str, plain.Loop]]:
    """read_star for large files of plain rows. Raises NotPlain or StarError where the careful reader has to judge."""
    large: Dict[str, pd.DataFrame] = {}

    def take(name: str, labels: List[str], rows: Iterator[plain.Piece]) -> None:
        is_asked = blocks is None or name in blocks
        large[name] = _plain_table(labels, rows, only.get(name) if is_asked else ())

    file = plain.read_loops(path, take)
    tables = {}
    for name, cells in cells_of_text(file.text, path, blocks, complete).items():
        loop = file.loops.get(name)
        if loop is None:
            tables[name] = _table(cells, only.get(name))
        elif cells.is_list or loop.labels != list(cells.columns) or any(cells.columns.values()):
            raise NotPlain
        else:
            tables[name] = large.pop(name)
    return tables, file.loops


def _plain_table(labels: List[str], rows: Iterator[plain.Piece], wanted: Optional[Collection[str]]) -> pd.DataFrame:
    columns: Dict[str, List[Any]] = {label: [] for label in labels if wanted is None or label in wanted}
    places = {label: labels.index(label) for label in columns}
    numbers = [label for label in columns if label in REAL_LABELS or label in INTEGER_LABELS]
    whole = [label in INTEGER_LABELS for label in numbers]
    once: Dict[str, str] = {}
    for data, line_ends in rows:
        if not columns:
            continue
        cells = plain_cells.cells_of(data, line_ends, len(labels))
        for label, values in zip(numbers, plain_cells.numbers(cells, [places[label] for label in numbers], whole)):
            columns[label].append(values)
        for label, found in columns.items():
            if label not in numbers:
                found.extend(_shared(cells.texts(places[label]), once))
    table = {}
    for label in list(columns):
        found = columns.pop(label)
        table[label] = pd.Series(np.concatenate(found)) if label in numbers else _column(label, found)
    return pd.DataFrame(table, copy=False)


def _shared(texts: List[str], once: Dict[str, str]) -> List[str]:
    """Texts that come again and again (names of tomograms, visible frames) as one object each, to save memory."""
    few = texts[:_FIRST]
    if 2 * len(set(few)) > len(few):
        return texts
    different = set(texts)
    if 2 * len(different) > len(texts) or len(once) > _MOST_SHARED:
        return texts
    for text in different:
        once.setdefault(text, text)
    return list(map(once.__getitem__, texts))


def _table(cells: Cells, wanted: Optional[Collection[str]]) -> pd.DataFrame:
    table = pd.DataFrame({label: _column(label, values) for label, values in cells.columns.items()
                          if wanted is None or label in wanted})
    if cells.is_list:
        table.attrs[LIST_BLOCK] = True
    return table


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
