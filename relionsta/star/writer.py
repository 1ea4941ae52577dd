"""From tables to STAR text, in full precision; the same tables give the same bytes."""
import os
import re
from pathlib import Path
from typing import Any, Iterable, List, Mapping, Union

import numpy as np
import pandas as pd

from relionsta.star.error import StarError
from relionsta.star.reader import LIST_BLOCK

# RELION reads a block without this line as one of version 3.0.
_VERSION = '# version 50001'
#: What stands after the lines of a block.
BLOCK_END = '\n \n'
_PLAIN = re.compile(r'(?!_|data_|loop_)[^\s"\'#][^\s]*\Z')

Block = Union[Mapping[str, Any], pd.DataFrame]


def write_star(path: Union[str, Path], blocks: Mapping[str, Block]) -> None:
    """Write blocks (name without `data_` -> block) in their order.

    A mapping label -> value becomes a list block, a DataFrame a loop (or a list, if it was read from one and still has
    one row). Floats are written so that they read back equal; booleans as 1 and 0; None as `None`; text that is empty
    or holds blanks in quotes. The file appears whole or not at all. Raises StarError for what STAR cannot hold.
    """
    write_whole(path, [star_text(blocks, path).encode('utf-8')])


def write_whole(path: Union[str, Path], parts: Iterable[bytes]) -> None:
    """Write a file of these parts, which appears whole or not at all. Raises StarError, and what `parts` raises."""
    target = Path(path)
    temporary = target.with_name(f'.{target.name}.{os.getpid()}.tmp')
    try:
        with open(str(temporary), 'wb') as file:
            file.writelines(parts)
        os.replace(str(temporary), str(target))
    except OSError as error:
        raise StarError(path, f'cannot be written ({error.strerror}); check that the folder exists, may be written '
                              'to and has space left') from error
    finally:
        if temporary.exists():
            temporary.unlink()


def star_text(blocks: Mapping[str, Block], path: Union[str, Path, None] = None) -> str:
    """The text of a STAR file with these blocks, as write_star writes it; path is for messages."""
    parts = []
    for name, block in blocks.items():
        if re.search(r'\s', name):
            raise StarError(path, f'the block name "{name}" holds a blank; rename it')
        writer = BlockWriter(path, name)
        if not isinstance(block, pd.DataFrame):
            lines = writer.list_lines({label: _one(value) for label, value in block.items()})
        elif block.attrs.get(LIST_BLOCK) and len(block) == 1:
            lines = writer.list_lines({label: block[label] for label in block.columns})
        else:
            lines = writer.loop_lines(block)
        parts.append(block_begin(name) + '\n'.join(lines) + BLOCK_END)
    return ''.join(parts)


def block_begin(name: str) -> str:
    """What stands before the lines of a block."""
    return f'\n{_VERSION}\n\ndata_{name}\n\n'


class BlockWriter:
    """Writes one block; knows where it is for messages."""

    def __init__(self, path: Union[str, Path, None], block: str) -> None:
        self.path, self.block = path, block

    def fail(self, message: str) -> StarError:
        return StarError(self.path, message, self.block)

    def check_labels(self, labels: List[Any]) -> None:
        if not labels:
            raise self.fail('there are no columns to write')
        for label in labels:
            if not isinstance(label, str) or not label or re.search(r'[\s#]', label):
                raise self.fail(f'{label!r} cannot be a column name; rename it')
        if len(set(labels)) < len(labels):
            raise self.fail(f'the column {next(one for one in labels if labels.count(one) > 1)} is there twice')

    def list_lines(self, columns: 'Mapping[Any, pd.Series[Any]]') -> List[str]:
        labels = list(columns)
        self.check_labels(labels)
        width = max(map(len, labels)) + 4
        return [('_' + label).ljust(width) + self.cells(label, columns[label])[0] for label in labels]

    def loop_lines(self, table: pd.DataFrame) -> List[str]:
        labels = list(table.columns)
        header = self.loop_header(labels)
        columns = [_right_justified(self.cells(label, table[label])) for label in labels]
        return header + list(map(' '.join, zip(*columns)))

    def loop_header(self, labels: List[Any]) -> List[str]:
        self.check_labels(labels)
        return ['loop_'] + [f'_{label} #{number}' for number, label in enumerate(labels, 1)]

    def cells(self, label: str, column: 'pd.Series[Any]') -> List[str]:
        kind = getattr(column.dtype, 'kind', 'O')
        if kind == 'b':
            return ['1' if value else '0' for value in column.tolist()]
        if kind in 'iu' and not column.isna().any():
            return list(map(str, column.tolist()))
        if kind == 'f' and isinstance(column.dtype, np.dtype):
            values = column.to_numpy()
            # A float32 in its own shortest form: 1.35, not 1.350000023841858.
            return list(map(repr, values.tolist())) if values.dtype == np.float64 else values.astype(str).tolist()
        return [self.cell(label, row, value) for row, value in enumerate(column.tolist(), 1)]

    def cell(self, label: str, row: int, value: Any) -> str:
        if isinstance(value, str):
            if _PLAIN.match(value):
                return value
            return self.quoted(label, row, value)
        if value is None:
            return 'None'
        if isinstance(value, (bool, np.bool_)):
            return '1' if value else '0'
        if isinstance(value, (int, np.integer)):
            return str(int(value))
        if isinstance(value, (float, np.floating)) and not np.isnan(value):
            return repr(float(value))
        if isinstance(value, Path):
            return self.cell(label, row, str(value))
        raise self.fail(f'row {row} has no usable value in column {label} ({value!r}); fill it in, with None for text')

    def quoted(self, label: str, row: int, value: str) -> str:
        if '\n' in value or '\r' in value:
            raise self.fail(f'row {row}, column {label}: a line break cannot be written to a STAR file; take it out '
                            f'of {value!r}')
        for mark in '"\'':
            if mark not in value:
                return mark + value + mark
        raise self.fail(f'row {row}, column {label}: {value!r} holds both kinds of quotes; take one out')


def _one(value: Any) -> 'pd.Series[Any]':
    """A single value as a column, floats and integers in their own kind."""
    if isinstance(value, (float, np.floating)):
        return pd.Series([float(value)])
    return pd.Series([value], dtype=object)


def _right_justified(cells: List[str]) -> List[str]:
    """Columns in line with each other, for people who open the file."""
    width = max(map(len, cells), default=0)
    return [cell.rjust(width) for cell in cells]
