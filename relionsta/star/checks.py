"""Checks of single columns, each naming the first value that is wrong."""
from pathlib import Path
from typing import Any, Callable, Iterable, Optional, Sequence, Union

import numpy as np
import pandas as pd

from relionsta.star.error import StarError

Where = Union[str, Path, None]
_EMPTY = frozenset(['', 'None', None])


def row_number(table: Union[pd.DataFrame, 'pd.Series[str]'], place: int) -> int:
    """The number in its file, from 1, of the row at this place; rows may have been taken out of the table since."""
    return int(table.index[place]) + 1


def check_not_empty(table: pd.DataFrame, path: Where, block: str) -> None:
    """Raise StarError if the table has no rows."""
    if not len(table):
        raise StarError(path, 'there are no rows; the job that wrote it left nothing over', block)


def check_numbers(table: pd.DataFrame, columns: Iterable[str], path: Where, block: str) -> None:
    """Raise StarError unless those of the columns that the table has hold finite numbers."""
    for column in columns:
        if column not in table.columns:
            continue
        numbers = pd.to_numeric(table[column], errors='coerce').to_numpy(dtype=np.float64)
        wrong = np.flatnonzero(~np.isfinite(numbers))
        if len(wrong):
            raise StarError(path, f'{column} is {table[column].iloc[wrong[0]]} in row {row_number(table, wrong[0])} '
                                  f'({len(wrong)} of {len(table)} rows), no number; correct these rows or leave '
                                  'them out', block)


def check_texts(table: pd.DataFrame, columns: Iterable[str], path: Where, block: str) -> None:
    """Raise StarError if a text column holds nothing (empty, `None` or missing) in a row."""
    for column in columns:
        if _EMPTY.isdisjoint(table[column].tolist()) and not table[column].isna().any():
            continue
        empty = np.flatnonzero(table[column].isin(['', 'None']) | table[column].isna())
        if len(empty):
            raise StarError(path, f'{column} is empty in row {row_number(table, empty[0])}; fill it in', block)


def check_each(table: pd.DataFrame, column: str, good: Callable[[np.ndarray], np.ndarray], rule: str,
               path: Where, block: str) -> None:
    """Raise StarError, with the rule ('must be ...'), unless good(values) is true for each value of the column."""
    values = table[column].to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~good(values))
    if len(wrong):
        raise StarError(path, f'{column} is {values[wrong[0]]:g} in row {row_number(table, wrong[0])}; it {rule}', block)


def check_names(names: 'pd.Series[Any]', trouble: Callable[[str], str], path: Where, block: str) -> None:
    """Raise StarError for a name that RELION cannot work with. trouble: says why it cannot, '' where it can."""
    for name in names.unique():
        why = trouble(name)
        if why:
            row = int(np.flatnonzero((names == name).to_numpy())[0])
            raise StarError(path, f'{names.name} is {name!r} in row {row_number(names, row)}, and {why}', block)


def first_repeated(values: Sequence[object]) -> Optional[object]:
    """The first value that is there a second time; None if all differ."""
    column = pd.Series(values, dtype=object)
    repeated = column[column.duplicated()]
    return repeated.iloc[0] if len(repeated) else None
