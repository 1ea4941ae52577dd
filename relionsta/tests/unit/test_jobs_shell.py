"""Tokens as text of a shell."""
import os
import shlex
import subprocess

import pytest

from relionsta.jobs.shell import program_word, quote, run_script, shell_arguments

HOSTILE = ['plain', '', 'a b', "it's", '"double"', '$(touch hacked)', '`touch hacked`', '$HOME', '%', '100%', '%s',
           '%%', '%(GPU)s', "'%(x", ';', '&& false', '| cat', '> file', 'line\nbreak', 'tab\there', 'Größe µm Å', '-x',
           '--', '*', '~', '#', '\\', '!', 'end\n']


def test_quoting_is_undone_by_a_shell() -> None:
    """A blank in a file name would cut it in two; $( ) would run it."""
    assert shlex.split(quote(HOSTILE)) == HOSTILE
    done = subprocess.run(['sh', '-c', 'printf "%s\\0" ' + quote(HOSTILE)], stdout=subprocess.PIPE, check=True)
    assert done.stdout.decode().split('\0')[:-1] == HOSTILE


def test_arguments_hold_no_format_that_scipion_looks_for() -> None:
    """Scipion fills in %(GPU)s wherever it finds it, and trips over any other % then."""
    text = shell_arguments(['%(GPU)s', 'a%(b'])
    assert '%(' not in text and shlex.split(text) == ['%(GPU)s', 'a%(b']


def test_program_in_a_folder_with_a_blank() -> None:
    """Scipion puts the path of a program behind mpirun without quotes; one that stays plain must be left alone."""
    assert program_word('relion_refine_mpi', '/opt/relion/bin', 3) == 'relion_refine_mpi'
    assert program_word('relion_refine', '/opt/my relion/bin', 1) == 'relion_refine'
    assert shlex.split(program_word('relion_refine_mpi', '/opt/my relion/bin', 3)) == ['relion_refine_mpi']
    assert program_word('relion_refine_mpi', '/opt/my relion/bin', 3) != 'relion_refine_mpi'


def test_nul_is_refused() -> None:
    """A program would get the token cut off there."""
    with pytest.raises(ValueError, match='NUL'):
        quote(['a\0b'])


@pytest.fixture
def recorder(tmp_path):
    """A folder bin/ with relion_x, relion_x_mpi and mpirun, which write down what they get."""
    (tmp_path / 'my relion' / 'bin').mkdir(parents=True)
    for name in ('relion_x', 'relion_x_mpi', 'mpirun', 'relion_fail'):
        path = tmp_path / 'my relion' / 'bin' / name
        path.write_text('#!/bin/sh\nprintf "%%s\\0" %s "$@" >> got\nprintf "\\0" >> got\n%s' % (
            name, 'exit 3\n' if name == 'relion_fail' else ''))
        path.chmod(0o755)
    return tmp_path


def run(text, folder):
    (folder / 'run.sh').write_text(text)
    environ = {name: value for name, value in os.environ.items() if name != 'RELION_HOME'}
    done = subprocess.run(['sh', 'run.sh'], cwd=str(folder), env=environ, stdout=subprocess.PIPE)
    calls = (folder / 'got').read_bytes().decode().split('\0\0')
    (folder / 'got').unlink()
    return done.returncode, [call.split('\0') for call in calls if call]


def test_run_script_runs_the_same_again(recorder) -> None:
    """run.sh is what people take to a cluster or send to a colleague."""
    tokens = [token for token in HOSTILE if token]
    text = run_script([['relion_x_mpi'] + tokens, ['relion_x', '--i', 'a b']], mpi=3,
                      relion_home=str(recorder / 'my relion'))
    expected = [['mpirun', '-n', '3', 'relion_x_mpi'] + tokens, ['relion_x', '--i', 'a b']]
    for _ in range(2):
        assert run(text, recorder) == (0, expected)


def test_run_script_stops_at_the_first_failure(recorder) -> None:
    """A second command on the output of a failed one makes wrong files."""
    text = run_script([['relion_fail'], ['relion_x']], relion_home=str(recorder / 'my relion'))
    assert run(text, recorder) == (3, [['relion_fail']])


def test_run_script_without_mpi_needs_no_launcher(recorder) -> None:
    """Serial programs do not know about ranks: each would do all the work."""
    text = run_script([['relion_x', '1']], mpi=3, relion_home=str(recorder / 'my relion'))
    assert run(text, recorder) == (0, [['relion_x', '1']])
