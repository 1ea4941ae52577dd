"""Install the private RELION into one folder: fetch, unpack, relocate, try, and only then show it."""
import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Callable, Optional

from .fetch import RuntimeInstallError, check_machine, fetch_packages, unpack
from .folder import MANIFEST, read_manifest, runtime_folder
from .relocate import relocate

SUITE = 'sid'  # the Debian suite that has RELION 5.1
PACKAGES = ('relion', 'patchelf')
#: Lies in a folder that an installation has begun to fill; only such a folder is ever emptied.
UNFINISHED = 'runtime.unfinished'
NEEDED_BYTES = 1300 * 1024 ** 2  # packages and unpacked files together


def installed(folder: Optional[Path] = None) -> bool:
    """True if a complete private RELION lies in `folder` (default: the user's)."""
    return read_manifest(folder or runtime_folder()) is not None


def install(folder: Optional[Path] = None, say: Callable[[str], None] = print) -> Path:
    """Install the private RELION into `folder` unless it is there; returns the folder (its RELION_HOME).

    An interrupted installation goes on with the packages it has. The manifest is written last, so a
    half-made folder is never taken for a complete one. Raises RuntimeInstallError with a remedy.
    """
    folder = (folder or runtime_folder()).absolute()
    if installed(folder):
        return folder
    check_machine()
    _check_place(folder)
    state = folder.parent / (folder.name + '.fetch')
    state.mkdir(parents=True, exist_ok=True)
    with open(state / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installs at once: the second waits and finds it done
        if installed(folder):
            return folder
        say('Fetching RELION 5.1 and its libraries from Debian (about 140 MB, kept in %s) ...' % state)
        packages = fetch_packages(state, PACKAGES, SUITE)
        say('Unpacking %d packages into %s ...' % (len(packages), folder))
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        (folder / UNFINISHED).touch()
        unpack(packages, folder)
        programs = relocate(folder)
        version = _try(folder)
        manifest = {'folder': str(folder), 'version': version, 'programs': programs,
                    'packages': [p.name for p in packages]}
        partial = folder / (MANIFEST + '.part')
        partial.write_text(json.dumps(manifest, indent=1) + '\n')
        os.replace(partial, folder / MANIFEST)
        (folder / UNFINISHED).unlink()
        shutil.rmtree(state / 'cache')
    say('RELION %s is ready in %s' % (version, folder))
    return folder


def _check_place(folder: Path) -> None:
    if len(str(folder)) > 180 or any(c in str(folder) for c in '\'"\\$`:\n'):
        raise RuntimeInstallError("The folder %r cannot hold the private RELION (quotes, ':', '$' or too long). "
                                  "Set RELIONSTA_RUNTIME to another folder." % str(folder))
    if folder.exists() and not _is_ours(folder):
        raise RuntimeInstallError('The folder %s is there and holds other files, which would be lost. Give an empty or a '
                                  'new folder (RELIONSTA_RUNTIME, or --folder).' % folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(str(folder.parent)).free
    if free < NEEDED_BYTES:
        raise RuntimeInstallError("The private RELION needs %d MB in %s and %d MB are free. Make space, or set "
                                  "RELIONSTA_RUNTIME to another folder."
                                  % (NEEDED_BYTES // 1024 ** 2, folder.parent, free // 1024 ** 2))


def _is_ours(folder: Path) -> bool:
    """True for an empty folder, an installation that was cut short, and one that was moved here."""
    return folder.is_dir() and (not any(folder.iterdir()) or (folder / UNFINISHED).exists()
                                or (folder / MANIFEST).exists())


def _try(folder: Path) -> str:
    done = subprocess.run([str(folder / 'bin' / 'relion_refine'), '--version'], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    words = done.stdout.split()
    if done.returncode != 0 or 'version:' not in words:
        raise RuntimeInstallError("RELION was unpacked into %s but does not start (%s). Set RELION_HOME to an "
                                  "installed RELION 5." % (folder, done.stdout.strip()[-300:]))
    return words[words.index('version:') + 1]
