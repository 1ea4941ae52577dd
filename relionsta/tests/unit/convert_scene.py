"""Scipion sets in the working directory for the tests of convert/: no project, no RELION."""
import glob
from typing import Dict, Optional, Sequence, Tuple

import mrcfile
import numpy as np
from pwem.objects import Transform
from tomo.objects import Coordinate3D, SetOfCoordinates3D, SetOfTomograms, Tomogram

VOXEL = 10.0
SIZE = (20, 24, 12)


def new_file(name: str) -> str:
    """A file name that is not taken: Scipion opens an existing set file instead of starting anew."""
    return '%s%d.sqlite' % (name, len(glob.glob(name + '*.sqlite')))


def random_rotations(n: int, seed: int = 1) -> np.ndarray:
    """(n, 3, 3), uniform: from normal quaternions."""
    q = np.random.default_rng(seed).normal(size=(n, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    return np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
                     2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
                     2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], axis=1).reshape(-1, 3, 3)


def make_tomograms(names: Sequence[str] = ('TS_01', 'TS_02'), origins: Optional[Dict[str, Tuple]] = None,
                   size: Tuple[int, int, int] = SIZE, voxel: float = VOXEL) -> SetOfTomograms:
    """Empty volumes and their set; origins: tsId -> shifts in Å (default: the centre, as Scipion sets it)."""
    tomograms = SetOfTomograms(filename=new_file('tomograms'))
    tomograms.setSamplingRate(voxel)
    for name in names:
        path = name + '.mrc'
        with mrcfile.new(path, overwrite=True) as file:
            file.set_data(np.zeros(size[::-1], dtype=np.float32))
            file.voxel_size = voxel
        tomogram = Tomogram(tsId=name)
        tomogram.setFileName(path)
        tomogram.setSamplingRate(voxel)
        tomogram.setOrigin()
        if origins and name in origins:
            origin = Transform()
            origin.setShifts(*origins[name])
            tomogram.setOrigin(origin)
        tomograms.append(tomogram)
    tomograms.write()
    return tomograms


def make_coordinates(tomograms: SetOfTomograms, n: int = 6, pixel: Optional[float] = None,
                     seed: int = 2) -> SetOfCoordinates3D:
    """n coordinates with random places, matrices (Scipion's) and scores, spread over the tomograms."""
    coordinates = SetOfCoordinates3D(filename=new_file('coordinates'))
    coordinates.setSamplingRate(pixel or tomograms.getSamplingRate())
    coordinates.setBoxSize(8)
    coordinates.setPrecedents(tomograms)
    rng = np.random.default_rng(seed)
    rotations = random_rotations(n, seed)
    volumes = [tomogram.clone() for tomogram in tomograms]
    for number in range(n):
        volume = volumes[number % len(volumes)]
        coordinate = Coordinate3D()
        coordinate.setVolume(volume)
        coordinate.setTomoId(volume.getTsId())
        coordinate._x.set(rng.uniform(-9, 9))
        coordinate._y.set(rng.uniform(-9, 9))
        coordinate._z.set(rng.uniform(-5, 5))
        matrix = np.eye(4)
        matrix[:3, :3] = rotations[number]
        coordinate.setMatrix(matrix)
        coordinate.setScore(rng.uniform())
        coordinates.append(coordinate)
    coordinates.write()
    return coordinates
