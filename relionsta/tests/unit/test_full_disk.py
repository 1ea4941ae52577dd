"""Files that appear whole or not at all, and what is told of a disk that is full."""
import errno
import os
import sqlite3

import mrcfile
import numpy as np
import pytest

from relionsta.amounts import bytes_text
from relionsta.results.full_disk import (
    Spare,
    bytes_in,
    free_bytes,
    full_disk_message,
    is_disk_error,
    is_full,
)
from relionsta.results.torn import torn_files
from relionsta.star import write_star
from relionsta.tests.faults.injectors.disk import file_size_limit
from relionsta.whole import take_space, whole


def test_an_error_leaves_what_was_there(tmp_path):
    """A half-written file under its final name is taken for the whole one by whoever reads it next."""
    path = tmp_path / 'table.txt'
    with whole(path) as partial:
        partial.write_text('first')
        assert not path.exists() and partial.suffix == '.txt'
    with pytest.raises(ValueError):
        with whole(path) as partial:
            partial.write_text('half')
            raise ValueError('stop')
    assert path.read_text() == 'first' and os.listdir(str(tmp_path)) == ['table.txt']


def test_a_limit_of_file_size_is_told(tmp_path):
    """Batch systems limit files: without its name the error looks like one of RELION."""
    with file_size_limit(1000):
        with pytest.raises(OSError) as raised:
            with whole(tmp_path / 'large.txt') as partial:
                partial.write_text('x' * 5000)
        assert is_disk_error(raised.value)
        message = full_disk_message(tmp_path, 0)
    assert 'ulimit -f' in message and '1 kB' in message and os.listdir(str(tmp_path)) == []


def test_space_is_taken_before_a_map_is_written_to(tmp_path):
    """Writing through a memory map on a full disk kills the process without a word."""
    path = tmp_path / 'map.mrc'
    with mrcfile.new_mmap(str(path), (32, 64, 64), mrc_mode=2, overwrite=True):
        assert bytes_in(tmp_path) < 32 * 64 * 64 * 4
        take_space(path)
    assert bytes_in(tmp_path) >= 32 * 64 * 64 * 4
    with file_size_limit(1000), pytest.raises(OSError):
        with open(str(tmp_path / 'other.mrc'), 'wb') as file:
            file.truncate(5000)


def test_the_spare_room_is_given_back(tmp_path):
    """Room that stays taken after a run is room that the next run lacks."""
    spare = Spare(tmp_path / 'spare', 1 << 16)
    spare.keep()
    assert bytes_in(tmp_path) >= 1 << 16
    spare.release()
    spare.release()
    assert os.listdir(str(tmp_path)) == []
    with file_size_limit(1000), pytest.raises(OSError):
        spare.keep()
    assert os.listdir(str(tmp_path)) == []


def test_errors_of_disks_are_known_through_others():
    """Our readers and writers put what the system said into errors of their own."""
    try:
        try:
            raise OSError(errno.ENOSPC, 'No space left on device')
        except OSError as error:
            raise ValueError('particles.star cannot be written') from error
    except ValueError as error:
        assert is_disk_error(error)
    assert is_disk_error(sqlite3.OperationalError('database or disk is full'))
    assert is_disk_error(OSError(errno.EFBIG, 'File too large'))
    assert not is_disk_error(OSError(errno.ENOENT, 'No such file')) and not is_disk_error(ValueError('a wrong pixel size'))


def test_the_message_says_where_and_how_much(tmp_path):
    """"The disk is full" alone leaves the user to find out which, and how much to free."""
    assert not is_full(tmp_path) and free_bytes(tmp_path) > 0
    message = full_disk_message(tmp_path, 3200000, 51000000000)
    for words in ('The disk is full', str(tmp_path), '3.2 MB', '51 GB', 'Continue'):
        assert words in message
    assert [bytes_text(one) for one in (0, 999, 12345, 10 ** 9)] == ['0 bytes', '999 bytes', '12.3 kB', '1 GB']


def test_files_that_are_not_whole_are_found(tmp_path):
    """RELION ends with success on a full disk; what it could not write is then averaged or refined."""
    folder = tmp_path / 'Subtomograms' / 'TS_01'
    folder.mkdir(parents=True)
    write_star(tmp_path / 'particles.star', {'particles': {'rlnTomoName': 'TS_01'}})
    for name in ('1_stack2d.mrcs', '2_stack2d.mrcs', '3_stack2d.mrcs'):
        with mrcfile.new(str(folder / name), np.zeros((2, 4, 4), dtype=np.float32)):
            pass
    (tmp_path / 'relion_locres_fscs.star').write_text('data_x\n\n kk= 1 ii= 2')
    assert torn_files(tmp_path) == []
    with open(str(folder / '2_stack2d.mrcs'), 'rb+') as file:
        file.truncate(1100)
    (folder / '3_stack2d.mrcs').write_bytes(b'')
    text = (tmp_path / 'particles.star').read_text()
    (tmp_path / 'particles.star').write_text(text[:-9])
    assert [os.path.relpath(path, str(tmp_path)) for path in torn_files(tmp_path)] == [
        'Subtomograms/TS_01/2_stack2d.mrcs', 'Subtomograms/TS_01/3_stack2d.mrcs', 'particles.star']
