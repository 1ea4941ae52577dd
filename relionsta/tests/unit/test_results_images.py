"""Images that an extraction left half-written."""
import mrcfile
import numpy as np

from relionsta.results.images import torn_images


def _write(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(str(path), data=np.ones(size, dtype=np.float32)):
        pass
    return path


def test_torn_and_single_images_are_found(tmp_path):
    """RELION goes on past every file that is there: half an image would stay half for good."""
    folder = tmp_path / 'Subtomograms'
    for number in range(1, 5):
        _write(folder / 'TS_01' / ('%d_stack2d.mrcs' % number), (3, 8, 8))
        _write(folder / 'TS_02' / ('%d_data.mrc' % number), (8, 8, 8))
        _write(folder / 'TS_02' / ('%d_weights.mrc' % number), (16, 8, 5))
        _write(folder / 'TS_03' / ('%d_subtomo.mrc' % number), (8, 8, 8))
    assert torn_images(tmp_path) == [str(folder / 'TS_03' / ('%d_subtomo.mrc' % number)) for number in range(1, 5)]
    for number in range(1, 5):
        _write(folder / 'TS_03' / ('%d_ctf.mrc' % number), (8, 8, 5))
    assert torn_images(tmp_path) == []
    for path, size in ((folder / 'TS_01' / '1_stack2d.mrcs', 1500), (folder / 'TS_01' / '2_stack2d.mrcs', 0),
                       (folder / 'TS_02' / '3_weights.mrc', 1024)):
        with path.open('r+b') as file:
            file.truncate(size)
    (folder / 'TS_02' / '4_weights.mrc').unlink()
    assert [path[len(str(folder)) + 1:] for path in torn_images(tmp_path)] == [
        'TS_01/1_stack2d.mrcs', 'TS_01/2_stack2d.mrcs', 'TS_02/3_data.mrc', 'TS_02/3_weights.mrc', 'TS_02/4_data.mrc']


def test_no_extraction_has_no_torn_images(tmp_path):
    """A run that was cut off before its first image goes on as any other."""
    assert torn_images(tmp_path) == []
