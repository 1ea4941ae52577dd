"""Images that an extraction left half-written, or damaged."""
import mrcfile
import numpy as np
import pandas as pd
import pytest

from relionsta.results import images
from relionsta.results.images import first_damaged_image, first_wrong_image, torn_images


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


def _particles(folder, number, box=8):
    """A STAR table of so many 2D stacks of three images, whose headers tell the truth."""
    rng = np.random.default_rng(1)
    for place in range(number):
        with mrcfile.new(str(folder / ('%d.mrcs' % place)), data=rng.normal(size=(3, box, box)).astype(np.float32)) as mrc:
            mrc.update_header_stats()
    return pd.DataFrame({'rlnImageName': ['%s:mrcs' % (folder / ('%d.mrcs' % place)) for place in range(number)],
                         'rlnTomoVisibleFrames': '[1,1,0,1]'})


def test_images_are_those_that_the_table_names(tmp_path):
    """An image of another box, or with a lost block, averages into the map without a word."""
    rows = _particles(tmp_path, 4)
    assert first_wrong_image(rows, 8, True) == first_damaged_image(rows, True) == ''
    assert '3.mrcs' in first_wrong_image(rows.assign(rlnTomoVisibleFrames=['[1,1,1]'] * 3 + ['[1,0,1]']), 8, True)
    assert '0.mrcs' in first_wrong_image(rows, 10, True)
    content = (tmp_path / '2.mrcs').read_bytes()
    (tmp_path / '2.mrcs').write_bytes(content[:1100] + bytes(200) + content[1300:])
    assert first_wrong_image(rows, 8, True) == '' and '2.mrcs' in first_damaged_image(rows, True)
    assert first_damaged_image(rows, True, statistics=False) == ''
    for damaged, words in ((bytes(1024) + content[1024:], 'overwritten'), (content[:900], 'cut'), (content[:-1], 'bytes')):
        (tmp_path / '2.mrcs').write_bytes(damaged)
        assert '2.mrcs' in first_wrong_image(rows, 8, True) and words in first_wrong_image(rows, 8, True)
    (tmp_path / '2.mrcs').unlink()
    assert 'is not there' in first_wrong_image(rows, 8, True)


@pytest.mark.parametrize('most_bytes, read', [(1e9, 30), (0, 20)])
def test_large_images_are_not_all_read(tmp_path, monkeypatch, most_bytes, read):
    """A thousand volumes of 256 pixels are 67 GB: reading them took longer than their extraction."""
    monkeypatch.setattr(images, 'MOST_BYTES', most_bytes)
    seen = []
    monkeypatch.setattr(images, '_damage', lambda path, statistics: seen.append(path) or '')
    assert first_damaged_image(_particles(tmp_path, 30), True) == ''
    assert len(set(seen)) == read
