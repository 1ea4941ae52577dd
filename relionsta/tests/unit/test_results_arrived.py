"""Results that come late or bit by bit: what counts as there, and how long it is waited for."""
import threading
import time

import mrcfile
import numpy as np
import pytest

from relionsta.results import arrived
from relionsta.results.arrived import LATE_SECONDS, LATE_VARIABLE, first_missing, late_seconds, wait_for
from relionsta.star import write_star


@pytest.fixture
def files(tmp_path):
    """A STAR file, a map, a stack and a text, all whole; by kind."""
    paths = {kind: tmp_path / ('a.%s' % kind) for kind in ('star', 'mrc', 'mrcs', 'pdf')}
    write_star(paths['star'], {'particles': {'rlnTomoName': 'TS_01'}})
    for kind in ('mrc', 'mrcs'):
        with mrcfile.new(str(paths[kind]), np.ones((2, 4, 4), dtype=np.float32)):
            pass
    paths['pdf'].write_text('x')
    return paths


def test_whole_files_are_not_waited_for(files):
    """A minute and a half at the end of every run would be lost, for nothing."""
    said = []
    assert first_missing(files.values()) == first_missing([]) == ''
    assert wait_for(lambda: first_missing(map(str, files.values())), 60, said.append) == ''
    assert said == []


@pytest.mark.parametrize('kind, left', [('star', -2), ('mrc', -1), ('mrcs', 1024), ('mrc', 500), ('pdf', 0), ('star', 0)])
def test_a_file_that_is_still_written_is_not_there_yet(files, kind, left):
    """Read too early, half a table has fewer particles, and nobody is told."""
    content = files[kind].read_bytes()
    files[kind].write_bytes(content[:left])
    told = first_missing(files.values())
    assert told.startswith(str(files[kind])) and 'is not whole' in told
    files[kind].write_bytes(content)
    assert first_missing(files.values()) == ''


def test_what_is_missing_is_named_in_order(files, tmp_path):
    """The first file that is missing says where RELION stopped; a folder of that name is none."""
    files['mrc'].unlink()
    files['pdf'].unlink()
    files['pdf'].mkdir()
    assert first_missing(files.values()) == '%s is not there' % files['mrc']
    assert first_missing([files['pdf']]) == '%s is not there (a folder has its name)' % files['pdf']


def test_a_file_that_comes_late_is_waited_for(files):
    """On a network disk the file is there for the node that wrote it, and seconds later for this one."""
    content, said = files['star'].read_bytes(), []
    files['star'].unlink()
    writer = threading.Timer(0.5, files['star'].write_bytes, [content])
    writer.start()
    try:
        assert wait_for(lambda: first_missing(files.values()), 60, said.append) == ''
    finally:
        writer.join()
    assert len(said) == 1 and 'a.star is not there' in said[0] and '60 s' in said[0]


@pytest.mark.parametrize('seconds', [0, 0.5])
def test_waiting_has_an_end_and_tells_what_is_missing_then(seconds):
    """A run that waits for ever is one that hangs; the name of then counts, not that of the beginning."""
    start, said = time.monotonic(), []
    looks = iter(['first'] + 1000 * ['last'])
    told = wait_for(lambda: next(looks), seconds, said.append)
    assert seconds <= time.monotonic() - start < seconds + 5
    assert told == ('last' if seconds else 'first') and len(said) == (1 if seconds else 0)


def test_looks_become_rare(monkeypatch):
    """A thousand looks at a folder on a busy network disk slow down the very writing that is waited for."""
    clock = [0.0]
    monkeypatch.setattr(arrived.time, 'monotonic', lambda: clock[0])
    monkeypatch.setattr(arrived.time, 'sleep', lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    looks = []
    assert wait_for(lambda: looks.append(clock[0]) or 'missing', LATE_SECONDS) == 'missing'
    pauses = np.diff(looks)
    assert pauses[0] == arrived.FIRST_LOOK and pauses.max() == pytest.approx(arrived.LAST_LOOK)
    assert clock[0] == pytest.approx(LATE_SECONDS) and len(looks) < 30


@pytest.mark.parametrize('given, seconds', [('', LATE_SECONDS), ('0', 0), ('2.5', 2.5), ('-3', 0)])
def test_how_long_is_said_by_the_environment(monkeypatch, given, seconds):
    """Some disks are slower than ours; where none is late, tests and users need not wait."""
    monkeypatch.setenv(LATE_VARIABLE, given)
    assert late_seconds() == seconds


def test_what_is_no_number_of_seconds_is_refused(monkeypatch):
    """Taken for zero, it would fail runs whose files come late."""
    monkeypatch.setenv(LATE_VARIABLE, '1 min')
    with pytest.raises(ValueError, match=r'RELIONSTA_LATE_SECONDS=1 min: give a number of seconds, or nothing for 90\.'):
        late_seconds()
