"""The one error of this room."""
from pathlib import Path
from typing import Union


class StarError(ValueError):
    """A STAR file, or a table for one, that cannot be used: says which file, block and column, and what to do."""

    def __init__(self, path: Union[str, Path, None], message: str, block: str = '', line: int = 0) -> None:
        where = str(path) if path else 'STAR table'
        if line:
            where += f', line {line}'
        if block:
            where += f', block data_{block}'
        super().__init__(f'{where}: {message}')
