"""STAR text <-> tables: what other rooms need."""
from pathlib import Path
from typing import Iterable, Union

import pandas as pd

from relionsta.star.error import StarError
from relionsta.star.reader import LIST_BLOCK, is_complete, may_be_cut, read_star
from relionsta.star.writer import star_text, write_star

__all__ = ['LIST_BLOCK', 'StarError', 'is_complete', 'may_be_cut', 'read_star', 'require_columns', 'star_text', 'write_star']


def require_columns(table: pd.DataFrame, columns: Iterable[str], path: Union[str, Path, None], block: str) -> None:
    """Raise StarError, naming every one that lacks, unless the table has all columns."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise StarError(path, f'the column{"s" * (len(missing) > 1)} {", ".join(missing)} '
                              f'{"are" if len(missing) > 1 else "is"} missing; choose another file, or make it again',
                        block)
