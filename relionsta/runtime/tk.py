"""Tk for a Python that came without it.

Scipion's framework imports tkinter even where no window is opened, and Debian's plain Python has none.
Debian's own build of it is put into the virtual environment that runs this, and nowhere else.
"""
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Callable, Dict

from .fetch import RuntimeInstallError, fetch_packages, unpack

SYSTEM_STATUS = Path('/var/lib/dpkg/status')


def has_tkinter() -> bool:
    """True if this Python can import tkinter, compiled part included."""
    return importlib.util.find_spec('_tkinter') is not None and importlib.util.find_spec('tkinter') is not None


def install_tkinter(say: Callable[[str], None] = print) -> None:
    """Give this virtual environment Debian's tkinter unless it has one.

    Raises RuntimeInstallError if it cannot be had (not a virtual environment, not Debian, other Python version).
    """
    if has_tkinter():
        return
    remedy = 'Install it (Debian: apt-get install python3-tk) and make the virtual environment again'
    if sys.prefix == sys.base_prefix:
        raise RuntimeInstallError('This Python (%s) has no tkinter, which Scipion needs. %s.' % (sys.executable, remedy))
    say("Fetching Tk for this Python from Debian (about 4 MB) ...")
    with tempfile.TemporaryDirectory(prefix='relionsta-tk-') as temporary:
        state = Path(temporary)
        packages = fetch_packages(state, ('python3-tk', 'patchelf'), _codename(), status=SYSTEM_STATUS)
        tree = state / 'tree'
        unpack(packages, tree)
        name = '_tkinter' + sysconfig.get_config_var('EXT_SUFFIX')
        library = 'usr/lib/python%d.%d' % sys.version_info[:2]
        compiled = tree / library / 'lib-dynload' / name
        if not compiled.exists():
            raise RuntimeInstallError("This Python is %d.%d and Debian's tkinter is for another. %s."
                                      % (sys.version_info[0], sys.version_info[1], remedy))
        home = Path(sys.prefix) / 'lib' / 'relionsta-tk'
        if home.exists():
            shutil.rmtree(home)
        shutil.copytree(tree / 'usr' / 'lib', home / 'lib', symlinks=True, ignore=shutil.ignore_patterns('python3*'))
        if (tree / 'usr/share/tcltk').exists():  # else the machine's own Tcl, which finds its scripts
            shutil.copytree(tree / 'usr/share/tcltk', home / 'tcltk', symlinks=True)
        folders = [str(home / 'lib'), str(home / 'lib' / 'x86_64-linux-gnu')]
        subprocess.run([str(_patchelf(tree)), '--force-rpath', '--set-rpath', ':'.join(folders), str(compiled)],
                       check=True)
        site = Path(sysconfig.get_paths()['purelib'])
        shutil.copytree(tree / library / 'tkinter', site / 'tkinter', dirs_exist_ok=True)
        scripts = {variable: home / 'tcltk' / folder
                   for variable, folder in (('TCL_LIBRARY', 'tcl8.6'), ('TK_LIBRARY', 'tk8.6'))
                   if (home / 'tcltk' / folder).exists()}
        if scripts:
            (site / 'relionsta_tk.pth').write_text(_start_line(scripts))
        shutil.copy2(compiled, site / (name + '.part'))
        os.replace(site / (name + '.part'), site / name)
    subprocess.run([sys.executable, '-c', 'import tkinter; tkinter.Tcl().eval("info library")'], check=True)


def _codename() -> str:
    for line in Path('/etc/os-release').read_text().splitlines():
        key, _, value = line.partition('=')
        if key == 'VERSION_CODENAME':
            return value.strip('"')
    raise RuntimeInstallError('/etc/os-release names no Debian release (VERSION_CODENAME), so Tk cannot be fetched. '
                              'Install python3-tk by hand.')


def _patchelf(tree: Path) -> Path:
    inside = tree / 'usr' / 'bin' / 'patchelf'
    return inside if inside.exists() else Path(shutil.which('patchelf') or inside)  # not fetched where installed


def _start_line(variables: Dict[str, Path]) -> str:
    """A line that Python runs at its start, so that Tcl finds its scripts in this environment."""
    settings = '; '.join('os.environ.setdefault(%r, %r)' % (key, str(path)) for key, path in variables.items())
    return 'import os; %s\n' % settings
