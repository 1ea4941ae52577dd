"""Files as power cuts, full disks and network disks leave them."""
import os
import re
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import mrcfile
import numpy as np

#: Disks lose whole sectors, file systems whole pages.
SECTOR, PAGE = 512, 4096
HEADER = 1024
#: Bytes of a voxel -> how well the mean in a header is known, as a part of the deviation.
AGREED = {2: 5e-5, 4: 2e-5}
_STEP = re.compile(r'_it(\d+)_')
#: A file's bytes, the file's path and the dice -> its bytes after the harm; None where this harm cannot be done to it.
Harm = Callable[[bytes, Path, np.random.Generator], Optional[bytes]]


class Tear(NamedTuple):
    """A way to tear a file. ending: of the files that it is for ('' for all)."""

    name: str
    do: Harm
    ending: str = ''


def _cut(data: bytes, _path: Path, random: np.random.Generator) -> Optional[bytes]:
    return data[:int(random.integers(1, len(data)))] if len(data) > 1 else None


def _cut_lines(data: bytes, _path: Path, random: np.random.Generator) -> Optional[bytes]:
    """After a whole line: what is left is a file of its kind."""
    lines = data.splitlines(True)
    return b''.join(lines[:int(random.integers(1, len(lines)))]) if len(lines) > 2 else None


def _zeros(data: bytes, _path: Path, random: np.random.Generator) -> Optional[bytes]:
    """A block that was never written, as file systems show it after a power cut."""
    block = PAGE if len(data) > 2 * PAGE else SECTOR
    start = int(random.integers(0, max(1, len(data) // block))) * block
    length = min(block * int(random.integers(1, 5)), len(data) - start)
    torn = data[:start] + bytes(length) + data[start + length:]
    return torn if torn != data else None


def _twice(data: bytes, _path: Path, random: np.random.Generator) -> Optional[bytes]:
    """The end is there twice: an append that was tried again."""
    return data + data[-int(random.integers(1, len(data))):] if len(data) > 1 else None


def _older_half(data: bytes, path: Path, random: np.random.Generator) -> Optional[bytes]:
    """The second half is that of the iteration before."""
    step = _STEP.search(path.name)
    if step is None:
        return None
    older = path.with_name(path.name.replace(step.group(), '_it%03d_' % (int(step.group(1)) - 1)))
    if not older.is_file():
        return None
    at = int(random.integers(len(data) // 4, max(len(data) // 4 + 1, 3 * len(data) // 4)))
    torn = data[:at] + older.read_bytes()[at:]
    return torn if torn != data else None


def _not_numbers(data: bytes, _path: Path, random: np.random.Generator) -> Optional[bytes]:
    kind = {2: np.dtype('<f4'), 12: np.dtype('<f2')}.get(_word(data, 3))
    if kind is None:
        return None
    values = np.frombuffer(data[HEADER:], kind).copy()
    at = int(random.integers(len(values)))
    values[at:at + int(random.integers(1, 50))] = np.nan
    return data[:HEADER] + values.tobytes()


def _word(data: bytes, number: int) -> int:
    return int(np.frombuffer(data[4 * number:4 * number + 4], '<i4')[0]) if len(data) >= HEADER else -1


def _with_word(number: int, value: Callable[[int, np.random.Generator], int]) -> Harm:
    def harm(data: bytes, _path: Path, random: np.random.Generator) -> Optional[bytes]:
        if len(data) < HEADER:
            return None
        new = np.int32(value(_word(data, number), random)).tobytes()
        return data[:4 * number] + new + data[4 * number + 4:]
    return harm


def _other_box(data: bytes, path: Path, _random: np.random.Generator) -> Optional[bytes]:
    """A whole map of another box, as of another job."""
    with mrcfile.open(str(path), permissive=True) as mrc:
        voxel, whole = float(mrc.voxel_size.x), np.array(mrc.data)
    part = tuple(slice(0, max(2, 2 * (size // 3))) for size in whole.shape)
    partial = path.with_name(path.name + '.other')
    with mrcfile.new(str(partial), whole[part], overwrite=True) as mrc:
        mrc.voxel_size = voxel
    torn = partial.read_bytes()
    partial.unlink()
    return torn if torn != data else None


MRC, STAR = ('.mrc', '.mrcs'), ('.star', '.txt', '.json')
TEARS = (
    Tear('cut', _cut), Tear('cut', _cut), Tear('emptied', lambda data, path, random: b'' if data else None),
    Tear('cut after a line', _cut_lines, 'star'), Tear('cut after a line', _cut_lines, 'star'),
    Tear('a block of zeros', _zeros), Tear('a block of zeros', _zeros), Tear('its end twice', _twice),
    Tear('half of an older iteration', _older_half), Tear('nan', _not_numbers, 'mrc'),
    Tear('header cut', lambda data, path, random: data[:int(random.integers(1, HEADER))], 'mrc'),
    Tear('header with another size', _with_word(0, lambda old, random: old + int(random.choice([-2, 2, 1 << 20]))), 'mrc'),
    Tear('header with another mode', _with_word(3, lambda old, random: int(random.choice(
        [mode for mode in (0, 1, 2, 4, 6, 12, 101, 9999) if mode != old]))), 'mrc'),
    Tear('another box', _other_box, 'mrc'),
)


def tears_for(path: Path) -> List[Tear]:
    """The ways to tear a file of this kind."""
    kind = 'mrc' if path.suffix in MRC else 'star' if path.suffix in STAR else 'other'
    return [tear for tear in TEARS if tear.ending in ('', kind)]


def same_values(path: Path, before: bytes) -> bool:
    """True where a file says what it said `before`: the same words, or the same voxels of the same size.

    Judged without the readers that are on trial.
    """
    if not path.is_file():
        return False
    now = path.read_bytes()
    if now == before:
        return True
    if path.suffix not in MRC:
        return now.split() == before.split() and now.count(b'\n\n') + now.count(b'\n \n') > 0
    return now[HEADER:] == before[HEADER:] and now[:16] == before[:16] and now[40:52] == before[40:52]


def is_hidden(path: Path, before: bytes, torn: bytes) -> bool:
    """True where a map has lost so little that mean and deviation of its voxels are what they were, as far as different
    builds of RELION agree on them."""
    kind = {2: np.dtype('<f4'), 12: np.dtype('<f2')}.get(_word(before, 3))
    if path.suffix not in MRC or kind is None or len(before) != len(torn) or before[:HEADER] != torn[:HEADER]:
        return False
    old, new = (np.frombuffer(data[HEADER:], kind).astype(float) for data in (before, torn))
    changes = new.mean() - old.mean(), new.std() - old.std(), new.min() - old.min(), new.max() - old.max()
    return bool(np.abs(changes).max() <= AGREED[kind.itemsize] * old.std())


class Snapshot:
    """All files of a folder as they are; `restore` brings them back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: Dict[Path, bytes] = {path: path.read_bytes() for path in self._found()}
        self._times = {path: os.stat(str(path)).st_mtime_ns for path in self.files}
        self._stamps = {path: self._stamp(path) for path in self.files}

    def _found(self) -> List[Path]:
        return [Path(place) / name for place, _, names in os.walk(str(self.folder)) for name in names]

    @staticmethod
    def _stamp(path: Path) -> Tuple[int, int, int]:
        state = os.lstat(str(path))
        return state.st_ctime_ns, state.st_size, state.st_ino

    def restore(self) -> None:
        """Files that were changed or removed come back, new ones go."""
        for path in self._found():
            if path not in self.files:
                path.unlink()
        for path, data in self.files.items():
            if not path.is_file() or path.is_symlink() or self._stamp(path) != self._stamps[path]:
                if path.is_symlink():
                    path.unlink()
                elif path.is_dir():
                    path.rmdir()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                os.utime(str(path), ns=(self._times[path], self._times[path]))
                self._stamps[path] = self._stamp(path)
