"""Files as disks of the network show them: late, in any order, bit by bit, with any time, or as something else."""
import os
import threading
import time
from pathlib import Path
from typing import Dict, List

import mrcfile
import numpy as np

#: Seconds between two pieces of a file that grows, and pieces of each.
PAUSE, PIECES = 0.002, 3


class Slowly(threading.Thread):
    """Writes files one by one, in a random order and each in pieces, beginning after `wait` seconds."""

    def __init__(self, files: Dict[Path, bytes], random: np.random.Generator, wait: float = 0.05) -> None:
        super().__init__(daemon=True)
        paths = sorted(files)
        self._files, self._wait = [(paths[place], files[paths[place]]) for place in random.permutation(len(paths))], wait

    def run(self) -> None:
        time.sleep(self._wait)
        for path, data in self._files:
            with open(str(path), 'wb') as file:
                for piece in range(PIECES):
                    file.write(data[piece * len(data) // PIECES:(piece + 1) * len(data) // PIECES])
                    file.flush()
                    time.sleep(PAUSE)


def take_away(paths: List[Path]) -> Dict[Path, bytes]:
    """Remove files; returns what was in them."""
    found = {path: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    return found


def scramble_times(folder: Path, random: np.random.Generator) -> None:
    """Any time for any file, some of them to come."""
    now = time.time()
    for place, _, names in os.walk(str(folder)):
        for name in names:
            when = now + float(random.uniform(-3e6, 3e5))
            os.utime(os.path.join(place, name), (when, when))


def be_a_folder(path: Path) -> None:
    """A folder takes the place of a file."""
    path.unlink()
    path.mkdir()


def lead_nowhere(path: Path) -> None:
    """A link to a file that is gone takes its place."""
    path.unlink()
    path.symlink_to(path.with_name('gone ' + path.name))


def be_gone(path: Path) -> None:
    """The file is not there."""
    path.unlink()


def rescale(path: Path) -> None:
    """Another pixel size in the header of a map; all else stays."""
    with mrcfile.open(str(path), mode='r+', permissive=True) as mrc:
        mrc.voxel_size = 1.7 * float(mrc.voxel_size.x)


def crop(path: Path) -> None:
    """A whole map of a smaller box takes the place of a map."""
    with mrcfile.open(str(path), permissive=True) as mrc:
        voxel, whole = float(mrc.voxel_size.x), np.array(mrc.data)
    box = len(whole) - 2
    with mrcfile.new(str(path), whole[:box, :box, :box].copy(), overwrite=True) as mrc:
        mrc.voxel_size = voxel


def lose_row(path: Path) -> None:
    """The last row of the last table is not there; the file is closed as it should be."""
    lines = path.read_text().splitlines(True)
    last = max(number for number, line in enumerate(lines) if line.strip())
    path.write_text(''.join(lines[:last] + lines[last + 1:]))


def rename_rows(path: Path) -> None:
    """The particles of another data set, with other names, in a file that is else the same."""
    path.write_text(path.read_text().replace(' TS_0', ' XY_0').replace('\tTS_0', '\tXY_0'))
