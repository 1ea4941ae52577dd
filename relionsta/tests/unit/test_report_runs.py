"""What a report says of a run's inputs and outputs."""
from pwem.objects import Volume

from relionsta.report.runs import _told


def test_a_damaged_file_is_named(tmp_path):
    """One map that a power cut has emptied must not leave a whole project without its report."""
    path = tmp_path / 'map.mrc'
    path.write_bytes(b'')
    volume = Volume(str(path))
    volume.setSamplingRate(2.0)
    assert _told(lambda: volume).startswith('cannot be read (%s: ' % path)
    assert _told(lambda: 'a set') == 'a set'
