"""From STAR text to tables of numbers and text.

We read by ourselves because the starfile package fills rows that were cut with missing values, turns `007` into 7 and
`'` into `"`, and cuts a value at `#`. Tests hold what we read against what it reads wherever it is right.
"""
import re
from pathlib import Path
from typing import Dict, Iterable, Mapping, Optional, Sequence, Union

import numpy as np
import pandas as pd

from relionsta.star.cells import ends_with_empty_line, read_cells, read_text
from relionsta.star.error import StarError
from relionsta.star.labels import INTEGER_LABELS, REAL_LABELS, TEXT_LABELS

# Key of DataFrame.attrs: this table was a list block (`_label value` lines), and is written as one.
LIST_BLOCK = 'star_list'

_LOOKS_LIKE_NAME = re.compile(r'[+-]?0\d|.*_')


def read_star(path: Union[str, Path], blocks: Optional[Iterable[str]] = None,
              complete: bool = False) -> Dict[str, pd.DataFrame]:
    """The blocks of a STAR file, in its order; each a DataFrame with the file's columns in their order.

    blocks: names (without `data_`) of the blocks to read, all of which must be there; None reads every block. A list
    block gives one row and carries attrs[LIST_BLOCK], so that write_star makes a list of it again. Labels that RELION
    defines as text come as str (dtype object) exactly as written, integers and booleans as int64, reals as float64;
    other labels are numbers where every value is one. complete: also refuse a file without the empty line that
    RELION writes last (see is_complete).

    A file that ends after a whole row without that line, as some programs write it, is read with a warning in the log.
    Raises StarError where the file is missing, is no STAR file, or ends within a row.
    """
    tables = {}
    for name, cells in read_cells(path, blocks, complete).items():
        tables[name] = _table(cells.columns)
        if cells.is_list:
            tables[name].attrs[LIST_BLOCK] = True
    return tables


def is_complete(path: Union[str, Path]) -> bool:
    """True if the file exists and ends with the empty line that RELION (and write_star) writes last."""
    try:
        return ends_with_empty_line(read_text(Path(path)))
    except StarError:
        return False


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
