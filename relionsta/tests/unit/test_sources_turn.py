"""AreTomo3's tomograms of any FlipVol against a model of the code that writes them."""
import errno
from pathlib import Path
from unittest import mock

import mrcfile
import numpy as np
import pytest

from relionsta.sources import turn
from relionsta.sources.text import SourceError
from relionsta.sources.turn import write_in_relion_axes


def as_aretomo3_writes(slabs: np.ndarray, flip_vol: int) -> np.ndarray:
    """The file's voxels, by AreTomo3's own steps. slabs: (Y, Z, X), its back-projection of each row Y."""
    n_y, n_z, n_x = slabs.shape
    saved = np.empty_like(slabs)
    for y in range(n_y):
        for z in range(n_z):
            saved[y, n_z - 1 - z] = slabs[y, z]  # mGetReconResult: "flip z to match IMOD handedness"
    if flip_vol == 0:
        return saved
    flipped = np.empty((n_z, n_y, n_x), slabs.dtype)  # CTiltSeries::FlipVol
    for y in range(n_z):
        for z in range(n_y):
            flipped[n_z - 1 - y if flip_vol == 1 else y, z] = saved[z, y]
    return flipped


def write(path: Path, volume: np.ndarray) -> None:
    with mrcfile.new(str(path), volume) as file:
        file.set_volume()
        file.voxel_size = 8.5


@pytest.mark.parametrize('flip_vol', [0, 1, 2])
@pytest.mark.parametrize('kind', [np.float32, np.int8, np.float16])
def test_every_flip_gives_relions_tomogram(tmp_path: Path, flip_vol: int, kind: type) -> None:
    """Prevents tomograms that are mirrored or lie on their side: AreTomo3 and RELION project at X cos + Z sin alike,
    so that AreTomo3's slab, row Y and plane Z, is RELION's tomogram before anything is turned."""
    slabs = np.random.default_rng(1).normal(scale=30, size=(7, 4, 6)).astype(kind)
    write(tmp_path / 'a_Vol.mrc', as_aretomo3_writes(slabs, flip_vol))
    write_in_relion_axes(tmp_path / 'a_Vol.mrc', flip_vol, tmp_path / 'b.mrc')
    with mrcfile.open(str(tmp_path / 'b.mrc')) as file:
        np.testing.assert_array_equal(file.data, slabs.transpose(1, 0, 2))
        assert file.data.dtype == kind and file.voxel_size.x == pytest.approx(8.5) and file.is_volume()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['a_Vol.mrc', 'b.mrc']


def test_what_cannot_be_turned_is_named(tmp_path: Path) -> None:
    """Prevents a half-written tomogram, and a traceback in place of the file's name."""
    (tmp_path / 'a_Vol.mrc').write_bytes(b'no map' * 300)
    with pytest.raises(SourceError, match='a_Vol.mrc: it could not be turned.*FlipVol 1'):
        write_in_relion_axes(tmp_path / 'a_Vol.mrc', 0, tmp_path / 'b.mrc')
    with pytest.raises(SourceError, match='gone.mrc'):
        write_in_relion_axes(tmp_path / 'gone.mrc', 2, tmp_path / 'b.mrc')
    assert [path.name for path in tmp_path.iterdir()] == ['a_Vol.mrc']


def test_a_full_disk_is_not_the_tomograms_fault(tmp_path: Path) -> None:
    """Prevents the advice to reconstruct again, where room is all that is missing."""
    with mrcfile.new(str(tmp_path / 'a_Vol.mrc'), np.zeros((4, 6, 8), np.float32)) as file:
        file.set_volume()
    full = OSError(errno.ENOSPC, 'No space left on device')
    with mock.patch.object(turn, 'take_space', side_effect=full), pytest.raises(OSError, match='No space left'):
        write_in_relion_axes(tmp_path / 'a_Vol.mrc', 0, tmp_path / 'b.mrc')
    assert [path.name for path in tmp_path.iterdir()] == ['a_Vol.mrc']
