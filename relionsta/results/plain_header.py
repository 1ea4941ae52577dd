"""Headers of MRC files as RELION writes them, read for images by the hundred thousand: mrcfile takes a millisecond each."""
import os
from pathlib import Path
from typing import Dict, NamedTuple, Optional, Tuple, Union

import numpy as np

HEADER_BYTES = 1024
#: Mode -> bytes of a voxel: integers of 8 and 16 bits, numbers of 32, unsigned of 16, numbers of 16 bits.
_BYTES: Dict[int, int] = {0: 1, 1: 2, 2: 4, 6: 2, 12: 2}
#: Where the format keeps its name and the order of bytes, and what is there for the order of this program.
_NAME, _ORDER = slice(208, 212), slice(212, 214)
_MAP, _LITTLE = b'MAP ', (b'DD', b'DA')


class PlainHeader(NamedTuple):
    """What a header says. size: x, y, z; start: byte of the first voxel; told: minimum, maximum, mean, deviation (as they
    were when it was written); there: bytes of the file."""

    size: Tuple[int, int, int]
    mode: int
    start: int
    told: np.ndarray
    there: int

    @property
    def needed(self) -> int:
        """Bytes that the file must have."""
        return self.start + _BYTES[self.mode] * self.size[0] * self.size[1] * self.size[2]


def plain_header(path: Union[str, Path]) -> Optional[PlainHeader]:
    """The header of a file; None where it is cut, or not as RELION writes it (another order of bytes, complex numbers).

    Raises OSError where there is no file, or it cannot be read.
    """
    with open(path, 'rb') as file:
        raw, there = file.read(HEADER_BYTES), os.fstat(file.fileno()).st_size
    if len(raw) < HEADER_BYTES or raw[_NAME] != _MAP or raw[_ORDER] not in _LITTLE:
        return None
    words, numbers = np.frombuffer(raw, '<i4'), np.frombuffer(raw, '<f4')
    size, mode, extended = (int(words[0]), int(words[1]), int(words[2])), int(words[3]), int(words[23])
    if min(size) < 1 or mode not in _BYTES or extended < 0:
        return None
    return PlainHeader(size, mode, HEADER_BYTES + extended, numbers[[19, 20, 21, 54]].astype(float), there)
