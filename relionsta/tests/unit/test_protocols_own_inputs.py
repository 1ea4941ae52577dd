"""The files that we write for RELION: as they were written, or written again."""
import json
import os

import pytest

from relionsta.protocols.own_inputs import WRITTEN, mendOwnInputs, writeOwnInputs


class _Run:
    """What own_inputs asks of a run: its folders, and to write its files."""

    def __init__(self, folder, source):
        self._folder, self._source = folder, source
        self.written, self.said = 0, []

    def _getExtraPath(self, *names):
        return os.path.join(self._folder, *names)

    def _getInputPath(self, *names):
        return self._getExtraPath('job000', *names)

    def _writeInputs(self):
        self.written += 1
        os.makedirs(self._getInputPath('tilt_series'))
        for name in ('particles.star', 'tilt_series/TS_01.star'):
            with open(self._getInputPath(name), 'w') as file:
                file.write('data_%s\n' % name)
        os.symlink(str(self._source), self._getInputPath('linked.star'))

    def info(self, text):
        self.said.append(text)


@pytest.fixture
def run(tmp_path):
    source, folder = tmp_path / 'of_another_run.star', tmp_path / 'extra'
    source.write_text('data_other\n')
    folder.mkdir()
    run = _Run(str(folder), source)
    writeOwnInputs(run)
    return run


def test_what_is_as_it_was_written_stays(run):
    """Tables of a million particles take a minute to write, at each Continue."""
    before = os.path.getmtime(run._getInputPath('particles.star'))
    mendOwnInputs(run)
    assert (run.written, run.said) == (1, [])
    assert os.path.getmtime(run._getInputPath('particles.star')) == before


def test_another_runs_file_behind_a_link_is_not_ours(run):
    """It may change for good reasons, and nothing that we could write again mends it."""
    with open(run._getInputPath('linked.star'), 'w') as file:
        file.write('data_changed\n')
    mendOwnInputs(run)
    assert run.written == 1
    with open(run._getInputPath('linked.star')) as file:
        assert file.read() == 'data_changed\n'


@pytest.mark.parametrize('name', ['particles.star', 'tilt_series/TS_01.star'])
@pytest.mark.parametrize('harm', [os.remove, lambda path: os.truncate(path, 3),
                                  lambda path: open(path, 'r+b').write(b'\0\0') and None])
def test_what_a_power_cut_has_torn_is_written_again(run, name, harm):
    """Continue skips the step that wrote it, and RELION reads half a table without a word."""
    path = run._getInputPath(name)
    with open(path) as file:
        before = file.read()
    harm(path)
    mendOwnInputs(run)
    with open(path) as file:
        assert file.read() == before
    assert run.written == 2 and name in run.said[0]
    mendOwnInputs(run)
    assert run.written == 2, 'the new ones are not noted'


@pytest.mark.parametrize('note', ['', '{"particles.star": "12', '[1, 2]', 'null', '\0\0\0'])
def test_a_torn_note_proves_nothing(run, note):
    """What tells whether the files are whole may be torn itself."""
    with open(run._getExtraPath(WRITTEN), 'w') as file:
        file.write(note)
    mendOwnInputs(run)
    assert run.written == 2
    with open(run._getExtraPath(WRITTEN)) as file:
        assert sorted(json.load(file)) == ['particles.star', 'tilt_series/TS_01.star']


def test_runs_of_earlier_versions_are_left_alone(run):
    """They have no note: written again, their files might name particles that were changed since."""
    os.remove(run._getExtraPath(WRITTEN))
    os.remove(run._getInputPath('particles.star'))
    mendOwnInputs(run)
    assert run.written == 1


def test_files_of_an_earlier_try_go(run):
    """A mask or tilt series that is not asked for any more would be read all the same, by its name."""
    old = run._getInputPath('tilt_series', 'TS_99.star')
    with open(old, 'w') as file:
        file.write('data_old\n')
    writeOwnInputs(run)
    assert not os.path.exists(old)
