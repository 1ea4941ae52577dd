"""RELION's own GUI, from Debian, for tests that open it; RELION itself and its libraries are those of the private RELION."""
import ctypes
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Dict

import pytest

from relionsta.runtime.fetch import RuntimeInstallError, fetch_packages, unpack
from relionsta.runtime.folder import MANIFEST, runtime_folder
from relionsta.runtime.install import SUITE
from relionsta.runtime.relocate import LOADER, library_folders

_DONE = 'gui.done'


def gui_program() -> Path:
    """RELION's GUI, fetched once and kept beside the private RELION; the test is skipped where it cannot be had."""
    runtime = runtime_folder()
    if not (runtime / MANIFEST).exists():
        pytest.skip('there is no private RELION, with whose libraries its GUI is run')
    folder = runtime.with_name(runtime.name + '.gui')
    program = folder / 'usr' / 'bin' / 'relion'
    if not (folder / _DONE).exists():
        try:
            packages = fetch_packages(_state(runtime, folder), ('relion-gui',), SUITE, status=folder / 'fetch' / 'status')
        except RuntimeInstallError as error:
            pytest.skip('RELION\'s GUI cannot be fetched: %s' % error)
        unpack(packages, folder)
        _bind(program, folder, runtime)
        shutil.rmtree(str(folder / 'fetch'))
        (folder / _DONE).touch()
    return program


def _state(runtime: Path, folder: Path) -> Path:
    """A folder for apt, which is told that the packages of the private RELION are there."""
    state = folder / 'fetch'
    state.mkdir(parents=True, exist_ok=True)
    entries = []
    for name in json.loads((runtime / MANIFEST).read_text())['packages']:
        package, version, _ = name.split('_')
        entries.append('Package: %s\nStatus: install ok installed\nVersion: %s\nArchitecture: amd64\nMaintainer: none\n'
                       'Description: in the private RELION\n' % (package, version.replace('%3a', ':')))
    (state / 'status').write_text('\n'.join(entries) + '\n')
    return state


def _bind(program: Path, folder: Path, runtime: Path) -> None:
    folders = [str(path) for path in library_folders(folder) + library_folders(runtime)]
    loader = runtime / LOADER
    subprocess.run([str(loader), '--library-path', ':'.join(folders), str(runtime / 'usr' / 'bin' / 'patchelf'),
                    '--set-interpreter', str(loader), '--force-rpath', '--set-rpath', ':'.join(folders), str(program)],
                   check=True)


def environment(display: str) -> Dict[str, str]:
    """Variables with which the GUI starts."""
    root = str(runtime_folder() / 'usr')
    return dict(os.environ, DISPLAY=display, OPAL_PREFIX=root, PRTE_PREFIX=root, PMIX_PREFIX=root)


def click(display: str, x: int, y: int) -> None:
    """Press the mouse's first button at a place of a screen."""
    x11, xtest = ctypes.CDLL('libX11.so.6'), ctypes.CDLL('libXtst.so.6')
    x11.XOpenDisplay.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    xtest.XTestFakeMotionEvent(handle, -1, x, y, 0)
    for down in (1, 0):
        xtest.XTestFakeButtonEvent(handle, 1, down, 0)
        x11.XFlush(handle)
        time.sleep(0.1)
    x11.XCloseDisplay(handle)
