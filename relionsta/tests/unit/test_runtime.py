"""The private RELION: where it is looked for, and what is said where it cannot be had."""
import json
import os
import platform
import shutil
import subprocess
import sys

import pytest

from relionsta.runtime import fetch, tk
from relionsta.runtime.build import RelionNotFound, find_build
from relionsta.runtime.choose import use_or_install
from relionsta.runtime.doctor import Finding, report
from relionsta.runtime.fetch import RuntimeInstallError, fetch_packages
from relionsta.runtime.folder import MANIFEST, read_manifest, runtime_folder
from relionsta.runtime.install import install


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No RELION configured, and none installed."""
    monkeypatch.delenv('RELION_HOME', raising=False)
    monkeypatch.setenv('RELIONSTA_RUNTIME', str(tmp_path / 'runtime'))
    return tmp_path


def _fake_relion(home, says, code=0):
    (home / 'bin').mkdir(parents=True)
    program = home / 'bin' / 'relion_refine'
    program.write_text('#!/bin/sh\necho "%s"\nexit %d\n' % (says, code))
    program.chmod(0o755)
    return home


def test_other_processor_is_one_sentence(nowhere, monkeypatch):
    """Elsewhere the programs would be fetched, unpacked, and fail to start with a riddle."""
    monkeypatch.setattr(platform, 'machine', lambda: 'aarch64')
    with pytest.raises(RuntimeInstallError, match=r'aarch64.*RELION_HOME') as error:
        install(nowhere / 'runtime')
    assert '\n' not in str(error.value)


def test_no_apt_is_one_sentence(nowhere, monkeypatch):
    """Without Debian's tools the user must learn which variable to set."""
    monkeypatch.setattr(shutil, 'which', lambda _name: None)
    with pytest.raises(RuntimeInstallError, match=r'apt-get and dpkg-deb.*RELION_HOME'):
        install(nowhere / 'runtime')


@pytest.mark.skipif(shutil.which('apt-get') is None, reason='no apt on this machine')
def test_unreachable_mirror_is_one_sentence(nowhere, monkeypatch):
    """Real apt, no network: its many lines must become one that says what to set; nothing is left half-made."""
    monkeypatch.setenv('RELIONSTA_DEBIAN_MIRROR', 'http://127.0.0.1:9/debian')
    with pytest.raises(RuntimeInstallError, match=r'127\.0\.0\.1.*RELIONSTA_DEBIAN_MIRROR') as error:
        install(nowhere / 'runtime')
    assert '\n' not in str(error.value)
    assert not (nowhere / 'runtime').exists()


@pytest.mark.skipif(shutil.which('apt-get') is None, reason='no apt on this machine')
def test_mirror_of_the_machine_is_used(nowhere, monkeypatch):
    """A mirror that is written down here would be wrong for someone; a given one wins."""
    monkeypatch.delenv('RELIONSTA_DEBIAN_MIRROR', raising=False)
    assert '://' in fetch.find_mirror()
    monkeypatch.setenv('RELIONSTA_DEBIAN_MIRROR', 'http://mirror.example/debian/')
    assert fetch.find_mirror() == 'http://mirror.example/debian'


def test_a_folder_of_somebody_is_never_emptied(nowhere):
    """`install-relion --folder ~` must not cost anyone a home folder."""
    kept = nowhere / 'data' / 'thesis.txt'
    kept.parent.mkdir()
    kept.write_text('years of work')
    with pytest.raises(RuntimeInstallError, match='other files'):
        install(kept.parent)
    assert kept.read_text() == 'years of work'


def test_moved_or_unfinished_runtime_counts_as_absent(nowhere):
    """Programs are bound to their folder: in another place they crash; without a manifest they may be cut."""
    folder = nowhere / 'runtime'
    folder.mkdir()
    assert read_manifest(folder) is None
    (folder / MANIFEST).write_text(json.dumps({'folder': str(nowhere / 'before')}))
    assert read_manifest(folder) is None
    (folder / MANIFEST).write_text(json.dumps({'folder': str(folder)}))
    assert read_manifest(folder) is not None
    assert runtime_folder() == folder


@pytest.mark.parametrize('says, version, gpu', [
    ('RELION version: 5.0.1-commit-73f0a3 \nPrecision: BASE=double, CUDA-ACC=single', (5, 0), True),
    ('RELION version: 5.1.0 \nPrecision: BASE=double', (5, 1), False),
])
def test_version_comes_from_the_program(tmp_path, says, version, gpu):
    """Folders are renamed and linked: only the program knows what it is."""
    build = find_build(_fake_relion(tmp_path / 'relion-4.0', says))
    assert build.version == version and build.has_gpu is gpu and not build.has_mpi


@pytest.mark.parametrize('says, code, wanted', [
    ('RELION version: 4.0.1 ', 0, r'RELION 4\.0\.1.*needs RELION 5'),
    ('Segmentation fault', 139, r'does not tell its version'),
])
def test_unusable_relion_is_named(tmp_path, says, code, wanted):
    """A RELION 4 has other programs and columns: it must be refused before a job."""
    with pytest.raises(RelionNotFound, match=wanted):
        find_build(_fake_relion(tmp_path, says, code))


def test_wrong_relion_home_is_not_replaced_in_silence(nowhere, monkeypatch):
    """Whoever sets RELION_HOME wants that RELION, not another one."""
    monkeypatch.setenv('RELION_HOME', str(nowhere / 'none'))
    with pytest.raises(RelionNotFound, match='RELION_HOME is .*none'):
        use_or_install(say=lambda _line: None)


def test_no_relion_says_what_to_run(nowhere):
    """The first message that a new user sees."""
    with pytest.raises(RelionNotFound, match='install-relion'):
        find_build()


def test_tk_is_only_put_into_a_virtual_environment(monkeypatch):
    """The system's own Python is not ours to change."""
    monkeypatch.setattr(tk, 'has_tkinter', lambda: False)
    monkeypatch.setattr(sys, 'prefix', sys.base_prefix)
    with pytest.raises(RuntimeInstallError, match='python3-tk'):
        tk.install_tkinter(say=lambda _line: None)


def test_report_shows_the_fix_below_what_is_wrong():
    """A finding without its remedy sends the user searching."""
    text = report([Finding('Tk', 'present'), Finding('RELION', 'none', 'Set RELION_HOME.')])
    assert text.splitlines()[1].startswith('!!') and 'Set RELION_HOME.' in text.splitlines()[2]


def test_command_line_answers_without_scipion(nowhere):
    """A user with a broken Scipion needs the doctor most."""
    done = subprocess.run([sys.executable, '-m', 'relionsta', 'doctor'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False,
                          env=dict(os.environ, RELIONSTA_RUNTIME=str(nowhere / 'runtime')))
    assert done.returncode == 1 and 'install-relion' in done.stdout and 'Traceback' not in done.stdout


def test_fetching_needs_the_archive_keys(nowhere, monkeypatch):
    """An unsigned package must never be unpacked: apt's own check stays on."""
    text = (nowhere / 'state')
    monkeypatch.setenv('RELIONSTA_DEBIAN_MIRROR', 'http://127.0.0.1:9/debian')
    if shutil.which('apt-get') is None:
        pytest.skip('no apt on this machine')
    with pytest.raises(RuntimeInstallError):
        fetch_packages(text, ('relion',), 'sid')
    configuration = (text / 'etc' / 'apt.conf').read_text() + (text / 'etc' / 'sources.list').read_text()
    assert 'AllowUnauthenticated' not in configuration and 'trusted=yes' not in configuration
