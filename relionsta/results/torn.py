"""Files that a program left half-written: RELION may end without an error where its files did not fit on the disk."""
import os
from pathlib import Path
from typing import List, Union

from ..jobs.files import LOCAL_RESOLUTION_FILES
from .maps import is_whole_mrc
from .whole import is_whole_star

PathLike = Union[str, Path]
_IMAGES = ('.mrc', '.mrcs')
_TABLE = '.star'
#: Called so, and yet no STAR file: RELION adds a line for each place to the tables that it holds.
_OPEN_END = LOCAL_RESOLUTION_FILES['fscs']


def torn_files(folder: PathLike) -> List[str]:
    """Paths of the images, maps and STAR files in a folder and below that are not whole, sorted.

    Of an image only the header is read, of a table the end: seconds for a hundred thousand files.
    """
    torn = []
    for place, _, names in os.walk(os.fspath(folder)):
        for name in names:
            path = os.path.join(place, name)
            if name.endswith(_IMAGES):
                whole = is_whole_mrc(path)
            else:
                whole = not name.endswith(_TABLE) or name == _OPEN_END or is_whole_star(path, ())
            if not whole:
                torn.append(path)
    return sorted(torn)
