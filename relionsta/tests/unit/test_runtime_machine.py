"""What this computer has: disks, processors, and what cannot be told."""
import errno
import os
import stat
from pathlib import Path
from unittest import mock

import pytest

from relionsta.runtime import doctor, machine


def test_space_of_a_folder(tmp_path):
    """Runs of weeks end on full disks: what is free must be what an ordinary user may write."""
    space = machine.space(str(tmp_path))
    state = os.statvfs(str(tmp_path))
    assert space.bytes == pytest.approx(state.f_bavail * state.f_frsize, rel=0.05)
    assert space.files is None or space.files > 0


@pytest.mark.parametrize('fault', [mock.Mock(side_effect=OSError(errno.ENOSYS, 'not here')),
                                   mock.Mock(return_value=os.statvfs_result((0,) * 10))])
def test_a_file_system_that_tells_nothing_is_no_error(fault, tmp_path):
    """Some network disks do not answer, or with zeros: nobody must be stopped for that."""
    with mock.patch.object(os, 'statvfs', fault):
        assert machine.space(str(tmp_path)) is None
        assert not doctor._disk('Disk', str(tmp_path)).fix


def test_why_nothing_can_be_written(tmp_path):
    """The rights alone do not show quotas and disks of other computers: a file is tried, and nothing of it stays."""
    assert machine.refusal(str(tmp_path)) == '' and not list(tmp_path.iterdir())
    assert 'no such folder' in machine.refusal(str(tmp_path / 'none'))
    for number, words in ((errno.EROFS, 'read-only'), (errno.EACCES, 'permission'), (errno.ENOSPC, 'full'),
                          (errno.EDQUOT, 'quota'), (errno.ENOSYS, '')):
        with mock.patch.object(machine.tempfile, 'TemporaryFile', side_effect=OSError(number, 'no')):
            told = machine.refusal(str(tmp_path))
        assert words in told and bool(told) == bool(words)


@pytest.mark.skipif(os.getuid() == 0, reason='root may write everywhere')
def test_a_folder_without_rights(tmp_path):
    """The same with real rights."""
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert 'permission' in machine.refusal(str(tmp_path))
    tmp_path.chmod(stat.S_IRWXU)


def test_nearest_folder_follows_links(tmp_path):
    """The folder Runs of a project is often a link to a larger disk: that disk counts."""
    (tmp_path / 'large').mkdir()
    (tmp_path / 'Runs').symlink_to(tmp_path / 'large')
    assert machine.nearest(str(tmp_path / 'Runs' / '000123' / 'extra')) == str((tmp_path / 'large').resolve())
    assert machine.nearest('/no/such/place') == '/'


@pytest.mark.parametrize('text, found', [
    ('processor : 0\nphysical id : 0\ncore id : 0\n\nprocessor : 1\nphysical id : 0\ncore id : 0\n', 1),
    ('processor : 0\nphysical id : 0\ncore id : 0\n\nprocessor : 1\nphysical id : 1\ncore id : 0\n', 2),
    ('processor : 0\n\nprocessor : 1\n', 4)])
def test_cores_that_share_one_count_once(text, found):
    """Open MPI gives a slot to each core, not to each of its threads; some processors do not tell."""
    with mock.patch.object(Path, 'read_text', return_value=text), mock.patch.object(machine, 'cores', return_value=4):
        assert machine.physical_cores() == found


def test_the_doctor_looks_at_a_project(tmp_path):
    """A project on a full or read-only disk, or no project at all."""
    assert 'no Scipion project' in doctor._project(tmp_path)[0].found
    (tmp_path / 'project.sqlite').touch()
    assert [finding.what for finding in doctor._project(tmp_path)] == ['Project', 'Runs']
    with mock.patch.object(machine, 'refusal', return_value='the disk is read-only'):
        assert all('read-only' in finding.found and finding.fix for finding in doctor._project(tmp_path))


@pytest.mark.parametrize('built, listed, fix', [(False, '', ''), (False, 'GPU 0: one\nGPU 1: two\n', 'RELION_HOME'),
                                                (True, 'GPU 0: one\n', ''), (True, '', 'driver')])
def test_gpus_and_their_build(built, listed, fix, tmp_path, monkeypatch):
    """A GPU that lies idle, or one that is asked for and not there, is seen before a week is lost."""
    lister = tmp_path / 'nvidia-smi'
    lister.write_text('#!/bin/sh\nprintf "%s"\n' % listed.replace('\n', '\\n'))
    lister.chmod(0o755)
    monkeypatch.setenv('PATH', '%s:/usr/bin:/bin' % tmp_path)
    finding = doctor._gpu(built)
    assert (fix in finding.fix) if fix else not finding.fix
    assert ('%d here' % listed.count('GPU') if listed else 'none here') in finding.found


def test_gpus_of_amd_count(tmp_path, monkeypatch):
    """rocm-smi knows no -L, and names a GPU in several lines: a good computer was told to mend its driver."""
    lister = tmp_path / 'rocm-smi'
    lister.write_text('#!/bin/sh\n[ "$1" = -i ] || exit 2\nfor gpu in 0 1; do for what in Name ID; do '
                      'echo "GPU[$gpu] : Device $what: 0x740f"; done; done\n')
    lister.chmod(0o755)
    monkeypatch.setenv('PATH', '%s:/usr/bin:/bin' % tmp_path)
    finding = doctor._gpu(True)
    assert finding.found.startswith('2 here') and not finding.fix


@pytest.mark.parametrize('text, mode, fix', [('#!/bin/sh\nsleep 30\n', 0o755, 'no answer'), ('', 0o644, 'cannot be started'),
                                             ('#!/bin/sh\nexit 3\n', 0o755, 'ends with 3')])
def test_an_mpi_that_does_not_answer_is_a_finding(tmp_path, monkeypatch, text, mode, fix):
    """mpirun waits for names of computers that nobody knows; the doctor ended with a traceback."""
    monkeypatch.setattr(doctor, 'PATIENCE', 0.5)
    launcher = tmp_path / 'bin' / 'mpirun'
    launcher.parent.mkdir()
    launcher.write_text(text)
    launcher.chmod(mode)
    finding = doctor._mpi(tmp_path)
    assert 'does not start 3' in finding.found and fix in finding.fix


def test_the_remedy_is_that_of_the_reason():
    """Room does not help on a disk that is read-only."""
    assert 'room' not in machine.remedy('the disk is read-only').lower()
    for why in machine._REFUSALS.values():
        assert 'move the project' in machine.remedy(why)


def test_the_fewest_processes_are_tried(tmp_path):
    """Two processes say nothing of an auto-refine, which needs three: on a computer of two cores it would not start."""
    launcher = tmp_path / 'bin' / 'mpirun'
    launcher.parent.mkdir()
    launcher.write_text('#!/bin/sh\n[ "$2" -le 2 ] && exit 0\necho "----"\necho "There are not enough slots"\nexit 1\n')
    launcher.chmod(0o755)
    finding = doctor._mpi(tmp_path)
    assert 'does not start 3' in finding.found and 'not enough slots' in finding.fix
