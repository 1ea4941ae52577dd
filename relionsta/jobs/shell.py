"""Tokens of commands as text: for people, for run.sh and for Scipion's runner. The one place that quotes."""
import re
import shlex
from typing import List, Sequence

RUN_SCRIPT_HEAD = '''#!/bin/sh
# The commands of this job. Run it from the project's folder: all names are relative to it.
set -e
'''
#: The start of every Python format, and so of the %(GPU)s that Scipion looks for.
_FORMAT = re.compile(r'%(?=\()')


def quote(tokens: Sequence[str]) -> str:
    """One line that a POSIX shell splits into exactly these tokens.

    Raises ValueError for a token with a NUL character, which no program can receive.
    """
    for token in tokens:
        if '\0' in token:
            raise ValueError('an argument holds a NUL character: %r' % token)
    return ' '.join(shlex.quote(token) for token in tokens)


def shell_arguments(tokens: Sequence[str]) -> str:
    """Arguments for Scipion's runJob, which puts them into a shell command; what a token says, the program gets.

    Scipion interprets % in the arguments only where they hold %(GPU)s and GPUs are set; otherwise a doubled % stays
    doubled, whatever the number of MPI processes (with MPI, the arguments are a value of the format, not the format).
    So nothing is doubled: a quote after each % that opens a format hides it from Scipion, and the shell takes it out.

    mpi: processes of the program; Scipion's two ways need the same text (a test tries both).
    """
    return _FORMAT.sub("%''", quote(tokens))


def program_word(name: str, folder: str, mpi: int) -> str:
    """The program's name for Scipion's runJob. folder: where it is, first in PATH; mpi: its processes.

    With MPI Scipion looks for the program and puts its whole path, unquoted, behind the launcher. Where that would fall
    apart in a shell the name goes in quotes: so Scipion does not find it, leaves it as it is, and the launcher finds it
    in PATH.
    """
    path = '%s/%s' % (folder, name)
    return "'%s'" % name if mpi > 1 and shlex.quote(path) != path else name


def with_launcher(tokens: Sequence[str], mpi: int) -> List[str]:
    """The tokens, with mpirun in front where the program's name ends with _mpi. mpi: number of processes."""
    return (['mpirun', '-n', str(mpi)] if mpi > 1 and tokens[0].endswith('_mpi') else []) + list(tokens)


def run_script(commands: Sequence[Sequence[str]], mpi: int = 1, relion_home: str = '') -> str:
    """Text of run.sh, which runs a job's commands again, the same way, from the project's folder.

    commands: tokens, the program's bare name first. mpi: processes for the programs whose name ends with _mpi.
    relion_home: RELION's folder; its bin/ comes first in PATH, unless RELION_HOME says another when it is run.
    """
    lines = [RUN_SCRIPT_HEAD.rstrip('\n')]
    if relion_home:
        lines += ['relion_home=%s' % shlex.quote(relion_home),
                  # Scipion's configuration gives its variables a tilde, which a shell does not expand
                  'case "${RELION_HOME:-}" in "~/"*) RELION_HOME="$HOME/${RELION_HOME#??}";; esac',
                  'export PATH="${RELION_HOME:-$relion_home}/bin:$PATH"']
    for tokens in commands:
        lines += ['', quote(with_launcher(tokens, mpi))]
    return '\n'.join(lines) + '\n'
