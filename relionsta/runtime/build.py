"""What a RELION build is: its version and what it can do, asked of its own programs."""
import functools
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

from .folder import read_manifest, runtime_folder

RELION_HOME = 'RELION_HOME'
#: RELION's Python program for Blush; relion_refine looks for it in PATH.
BLUSH = 'relion_python_blush'
#: Seconds for a program to tell its version.
PATIENCE = 60.0


class RelionBuild(NamedTuple):
    """A RELION that was found and asked for its version."""

    home: Path
    version: Tuple[int, int]
    version_text: str
    has_gpu: bool
    has_mpi: bool
    has_blush: bool

    def describe(self) -> str:
        """One line for people."""
        return 'RELION %s in %s (%s, %s)' % (self.version_text, self.home,
                                             'GPU' if self.has_gpu else 'CPU only',
                                             'MPI' if self.has_mpi else 'no MPI')


class RelionNotFound(Exception):
    """No usable RELION; the message says where was looked and what to do."""


def configured_home() -> Path:
    """$RELION_HOME, else the folder of the private runtime (which may not exist)."""
    given = os.environ.get(RELION_HOME)
    return Path(given).expanduser() if given else runtime_folder()


def find_build(home: Optional[Path] = None) -> RelionBuild:
    """The RELION in `home` (default: the configured one). Raises RelionNotFound with a remedy."""
    folder = home or configured_home()
    private = folder == runtime_folder()
    if private and read_manifest(folder) is None:
        raise RelionNotFound("No RELION: RELION_HOME is not set and the private RELION is not installed in %s. "
                             "Run `python -m relionsta install-relion`, or set RELION_HOME in Scipion's "
                             "configuration to the folder of a RELION 5." % folder)
    program = folder / 'bin' / 'relion_refine'
    if not os.access(str(program), os.X_OK):
        raise RelionNotFound("RELION_HOME is %s and there is no program bin/relion_refine in it. Set RELION_HOME to "
                             "the folder that holds RELION's bin folder, or unset it and run "
                             "`python -m relionsta install-relion`." % folder)
    return _ask(folder, os.stat(str(program)).st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _ask(home: Path, _modified: int) -> RelionBuild:
    program = home / 'bin' / 'relion_refine'
    try:
        done = subprocess.run([str(program), '--version'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, universal_newlines=True, check=False, timeout=PATIENCE)
    except OSError as error:
        raise RelionNotFound('%s does not start (%s). Set RELION_HOME to a RELION 5 that does.'
                             % (program, error)) from error
    except subprocess.TimeoutExpired as error:
        raise RelionNotFound('%s --version gives no answer within %g s. Set RELION_HOME to a RELION 5 that does; a disk '
                             'that does not answer may be the reason.' % (program, PATIENCE)) from error
    found = re.search(r'RELION version:\s*(\d+)\.(\d+)(\S*)', done.stdout)
    if done.returncode != 0 or found is None:
        raise RelionNotFound("%s --version does not tell its version: %s Set RELION_HOME to a RELION 5 that does."
                             % (program, done.stdout.strip()[-200:] or 'it printed nothing.'))
    version = (int(found.group(1)), int(found.group(2)))
    if version[0] != 5:
        raise RelionNotFound("RELION_HOME is %s, which is RELION %s; the plugin needs RELION 5. Set RELION_HOME to a "
                             "RELION 5." % (home, '%d.%d%s' % (version + (found.group(3),))))
    return RelionBuild(
        home=home, version=version, version_text='%d.%d%s' % (version + (found.group(3),)),
        # an accelerated build says so in the line on precision, e.g. "CUDA-ACC=single"
        has_gpu=re.search(r'\b(CUDA|HIP|SYCL)-ACC', done.stdout) is not None,
        has_mpi=(home / 'bin' / 'relion_refine_mpi').exists(),
        has_blush=shutil.which(BLUSH, path=os.pathsep.join((str(home / 'bin'), os.environ.get('PATH', '')))) is not None)
