"""A stand-in for RELION's programs and for mpirun that writes down what it was called with."""
import contextlib
import os
from pathlib import Path
from typing import Iterator, List
from unittest import mock

from relionsta.runtime.build import RELION_HOME

#: Number of words, name of the program and its arguments, each ended by a NUL; asked for its version it is a RELION 5.1.
_PROGRAM = '''#!/bin/sh
if [ "$*" = --version ]; then echo 'RELION version: 5.1.0 CUDA-ACC=single'; exit 0; fi
printf '%%s\\0' "$#" "${0##*/}" "$@" >> %s
'''


class Recorder:
    """A folder like RELION's home: every program that was asked for is there and only writes down its call."""

    def __init__(self, home: Path) -> None:
        self.home, self._record = Path(home), Path(home) / 'calls'
        (self.home / 'bin').mkdir(parents=True)
        self._record.touch()
        program = self.home / 'bin' / 'mpirun'
        program.write_text(_PROGRAM % _quoted(self._record))
        program.chmod(0o755)
        self.provide('relion_refine', 'relion_refine_mpi', 'relion_python_blush')

    def provide(self, *programs: str) -> None:
        """Make programs of these names, where they are not there yet."""
        for name in programs:
            with contextlib.suppress(FileExistsError):
                (self.home / 'bin' / name).symlink_to('mpirun')

    @contextlib.contextmanager
    def instead_of_relion(self) -> Iterator['Recorder']:
        """Within: the RELION that the plugin finds is this one."""
        with mock.patch.dict(os.environ, {RELION_HOME: str(self.home)}):
            yield self

    def calls(self) -> List[List[str]]:
        """Program and arguments of every call since the last time that this was asked, in order."""
        words = self._record.read_bytes().split(b'\0')[:-1]
        self._record.write_bytes(b'')
        found, place = [], 0
        while place < len(words):
            end = place + 2 + int(words[place])
            found.append([os.fsdecode(word) for word in words[place + 1:end]])
            place = end
        return found


def _quoted(path: Path) -> str:
    """A path as one word of a shell; written out here, so that the recorder owes nothing to what it tests."""
    return "'%s'" % str(path).replace("'", "'\\''")
