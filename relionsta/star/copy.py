"""Rows of a large STAR file written to another one as they stand there, but for the columns that have changed."""
import os
from itertools import chain
from pathlib import Path
from typing import Iterator, List, Mapping, Optional, Union

import numpy as np
import pandas as pd

from relionsta.star.plain import Loop
from relionsta.star.plain_cells import BEFORE, Cells, cells_of
from relionsta.star.writer import BLOCK_END, Block, BlockWriter, block_begin, star_text, write_whole

# Rows that are worked on at one time.
_PIECE = 1024

#: Label -> its new values (n,); None: the column is left out. Labels that the rows lack come after the others.
Changes = Mapping[str, 'Optional[pd.Series[float]]']


def copy_rows(source: Union[str, Path], loop: Loop, rows: np.ndarray, changes: Changes, target: Union[str, Path],
              blocks: Mapping[str, Block], name: str) -> None:
    """Write blocks as write_star does, but as block `name` the `rows` (n,) of a loop of the file `source`.

    Every cell but those of `changes` keeps its spelling. Raises NotPlain where the file was changed meanwhile, and
    StarError as write_star.
    """
    write_whole(target, _parts(source, loop, rows, changes, target, blocks, name))


def _parts(source: Union[str, Path], loop: Loop, rows: np.ndarray, changes: Changes, target: Union[str, Path],
           blocks: Mapping[str, Block], name: str) -> Iterator[bytes]:
    for other, block in blocks.items():
        if other != name:
            yield star_text({other: block}, target).encode('utf-8')
            continue
        writer = BlockWriter(target, name)
        labels = [label for label in loop.labels if changes.get(label, ()) is not None]
        labels += [label for label in changes if label not in loop.labels]
        yield (block_begin(name) + '\n'.join(writer.loop_header(labels)) + '\n').encode('utf-8')
        with open(str(source), 'rb') as file:
            for first in range(0, len(rows), _PIECE):
                some = rows[first:first + _PIECE]
                data = _lines(file.fileno(), loop, some)
                if changes:
                    line_ends = np.cumsum(loop.rows[some + 1] - loop.rows[some]) - 1
                    data = _changed(cells_of(data, line_ends, len(loop.labels)), loop, changes, first, writer)
                yield data
        yield BLOCK_END[1:].encode('utf-8')


def _lines(file: int, loop: Loop, rows: np.ndarray) -> bytes:
    """Rows as they stand; neighbours are read at once."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    starts = loop.rows[rows[np.concatenate([[0], breaks])]]
    ends = loop.rows[rows[np.concatenate([breaks, [len(rows)]]) - 1] + 1]
    return b''.join(os.pread(file, end - start, start) for start, end in zip(starts.tolist(), ends.tolist()))


def _changed(cells: Cells, loop: Loop, changes: Changes, first: int, writer: BlockWriter) -> bytes:
    """Rows with new cells in the place of the old ones, whose width they keep where they are not longer."""
    text, n = cells.data.decode('ascii'), len(cells.starts)
    lines = cells.line_ends
    at = np.concatenate([[BEFORE], lines[:-1] + 1])
    parts: List[List[str]] = []
    for label in sorted((label for label in changes if label in loop.labels), key=loop.labels.index):
        column, values = loop.labels.index(label), changes[label]
        starts, ends = cells.starts[:, column], cells.ends[:, column]
        parts.append(_slices(text, at, starts))
        if values is not None:
            new = writer.cells(label, values.iloc[first:first + n])
            parts.append(list(map(str.rjust, new, (ends - starts).tolist())))
        at = ends
    parts.append(_slices(text, at, lines))
    for label, values in changes.items():
        if label not in loop.labels and values is not None:
            parts.append([' ' + cell for cell in writer.cells(label, values.iloc[first:first + n])])
    parts.append(['\n'] * n)
    return ''.join(chain.from_iterable(zip(*parts))).encode('utf-8')


def _slices(text: str, starts: np.ndarray, ends: np.ndarray) -> List[str]:
    return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist())]
