"""Some blocks of a large STAR file, without the rest of it: RELION puts tables of orientations, the bulk of a model.star,
behind those that say how a run went."""
import os
from pathlib import Path
from typing import Dict, List, Sequence, Union

from relionsta.star.cells import Cells, cells_of_text, ends_with_empty_line
from relionsta.star.plain import LARGE
from relionsta.star.plain_cells import NotPlain

_MARK = b'\ndata_'


def read_few(path: Union[str, Path], names: Sequence[str], complete: bool) -> Dict[str, Cells]:
    """As read_cells, of blocks that are small in a large file.

    Raises NotPlain where the file or these blocks are of another kind, and StarError as read_cells; what is wrong is then
    for the reader of the whole file to say.
    """
    try:
        if os.path.getsize(str(path)) < LARGE or complete:
            raise NotPlain
        text = _cut_out(Path(path).read_bytes(), names)
    except (OSError, ValueError) as error:
        raise NotPlain from error
    return cells_of_text(text, path, names)


def _cut_out(whole: bytes, names: Sequence[str]) -> str:
    if whole.find(b'\0') >= 0 or whole.find(b'\r') >= 0:
        raise NotPlain
    starts = _starts(whole)
    found = [whole[start + len(_MARK):whole.find(b'\n', start + 1)].strip().decode('ascii', 'replace') for start in starts]
    ends = starts[1:] + [len(whole)]
    if len(set(found)) < len(found) or not set(names) <= set(found):
        raise NotPlain
    places = [(start, end) for name, start, end in zip(found, starts, ends) if name in names]
    if sum(end - start for start, end in places) >= LARGE:
        raise NotPlain
    pieces = [whole[start:end] for start, end in places]
    if places[-1][1] < len(whole):
        pieces.append(b'\n\n')  # another block follows, so the last of these is whole
    elif not ends_with_empty_line(pieces[-1].decode('utf-8')):
        raise NotPlain
    return b''.join(pieces).decode('utf-8')


def _starts(whole: bytes) -> List[int]:
    starts = []
    place = whole.find(_MARK)
    while place >= 0:
        starts.append(place)
        place = whole.find(_MARK, place + 1)
    return starts
