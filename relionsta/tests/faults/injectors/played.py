"""A RELION whose programs only print a recorded text and end in a given way: for failures that no program here can have."""
import contextlib
import os
from pathlib import Path
from typing import Iterator, Optional

from relionsta.runtime.build import RELION_HOME

#: What the programs say of themselves, and then: the two texts, and the end (a code, or a signal as a number below 0).
_PROGRAM = """#!/bin/sh
here='%s'
if [ "$1" = --version ]; then
  cat "$here/version"
  exit 0
fi
cat "$here/out"
cat "$here/err" >&2
end=$(cat "$here/end")
case "$end" in -*) kill "$end" $$; sleep 9;; esac
exit "$end"
"""
#: The start of a mpirun that runs nothing but one process of the program.
_LAUNCHER = '#!/bin/sh\nwhile [ $# -gt 0 ] && [ "${1#*relion_}" = "$1" ]; do shift; done\nexec "$@"\n'
PROGRAMS = ('relion_refine', 'relion_refine_mpi', 'relion_tomo_subtomo', 'relion_tomo_subtomo_mpi',
            'relion_tomo_reconstruct_particle', 'relion_tomo_refine_ctf', 'relion_tomo_align', 'relion_postprocess',
            'relion_mask_create', 'relion_particle_subtract', 'relion_tomo_reconstruct_tomogram')
VERSION = 'RELION version: 5.1.0 \nPrecision: BASE=double, CUDA-ACC=single\n'


class PlayedRelion:
    """A folder that can be RELION_HOME."""

    def __init__(self, folder: Path, version: str = VERSION):
        self.home = folder
        (folder / 'bin').mkdir(parents=True, exist_ok=True)
        (folder / 'version').write_text(version)
        program = _PROGRAM % folder
        for name, text in [(name, program) for name in PROGRAMS] + [('mpirun', _LAUNCHER)]:
            path = folder / 'bin' / name
            path.write_text(text)
            path.chmod(0o755)
        self.says('')

    def says(self, err: str = '', end: int = 1, out: str = '', raw: Optional[bytes] = None) -> None:
        """What the programs print from now on, and how they end; raw: on standard error instead of a text."""
        (self.home / 'out').write_text(out)
        (self.home / 'err').write_bytes(err.encode() if raw is None else raw)
        (self.home / 'end').write_text('%d\n' % end)

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """Within: this is the RELION of this process and of all that it starts."""
        before = os.environ.get(RELION_HOME)
        os.environ[RELION_HOME] = str(self.home)
        try:
            yield
        finally:
            if before is None:
                del os.environ[RELION_HOME]
            else:
                os.environ[RELION_HOME] = before
