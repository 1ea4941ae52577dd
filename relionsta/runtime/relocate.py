"""Bind unpacked Debian programs to the folder they lie in.

Debian's programs look for their loader and libraries in /lib. They are given the absolute paths of
this folder instead (interpreter and DT_RPATH), so they run on a machine with an older C library and
never see, or show themselves to, the system's own programs.
"""
import os
import subprocess
from pathlib import Path
from typing import List

LIBRARIES = 'usr/lib/x86_64-linux-gnu'
LOADER = LIBRARIES + '/ld-linux-x86-64.so.2'

#: Programs shown in bin/, beside RELION's own: name there -> file in usr/bin.
MPI_PROGRAMS = {'mpirun': 'mpirun.openmpi', 'mpiexec': 'mpiexec.openmpi'}
#: Helpers that those start by themselves.
MPI_HELPERS = ('prte', 'prted')

_WRAPPER = """#!/bin/sh
# The folder's own Open MPI, and nothing else of it, in the environment of this one program.
root='{root}'
export OPAL_PREFIX="$root/usr" PRTE_PREFIX="$root/usr" PMIX_PREFIX="$root/usr"
export PMIX_MCA_pcompress_base_silence_warning=1
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
{path}exec "$root/usr/bin/{program}" {args}"$@"
"""
# mpirun starts its helpers by name
_MPI_PATH = 'export PATH="$root/usr/libexec/relionsta:$PATH"\n'
# ranks may outnumber cores: RELION's first rank only hands out work
_MPI_ARGS = '--oversubscribe --bind-to none '


def library_folders(root: Path) -> List[Path]:
    """Folders of `root` that programs may load libraries from."""
    top = root / LIBRARIES
    found = [top]
    for name in ('blas', 'lapack', 'openmpi/lib', 'openmpi/lib/openmpi40', 'pmix2/lib', 'pmix2/lib/pmix', 'prte',
                 'hwloc', 'ucc', 'pulseaudio'):
        if (top / name).is_dir():
            found.append(top / name)
    return found


def is_dynamic_program(path: Path) -> bool:
    """True for an ELF file (scripts and links to elsewhere are left alone)."""
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, 'rb') as handle:
        return handle.read(4) == b'\x7fELF'


def relocate(root: Path) -> List[str]:
    """Bind RELION and MPI in `root` to that folder and make `bin/`; returns the program names."""
    usr_bin = root / 'usr' / 'bin'
    relion = sorted(p.name for p in usr_bin.glob('relion_*') if is_dynamic_program(p))
    programs = relion + sorted(MPI_PROGRAMS.values()) + list(MPI_HELPERS)
    files = [p for p in (usr_bin / name for name in programs) if is_dynamic_program(p)]
    folders = [str(p) for p in library_folders(root)]
    loader = root / LOADER
    # patchelf itself is run through the folder's loader: it is not bound yet
    patchelf = [str(loader), '--library-path', folders[0], str(usr_bin / 'patchelf')]
    subprocess.run(patchelf + ['--set-interpreter', str(loader), '--force-rpath', '--set-rpath', ':'.join(folders)]
                   + [str(p) for p in files], check=True)
    shown = root / 'bin'
    shown.mkdir(exist_ok=True)
    for name in relion:
        _write_program(shown / name, _WRAPPER.format(root=root, program=name, path='', args=''))
    for name, target in MPI_PROGRAMS.items():
        _write_program(shown / name, _WRAPPER.format(root=root, program=target, path=_MPI_PATH, args=_MPI_ARGS))
    helpers = root / 'usr' / 'libexec' / 'relionsta'
    helpers.mkdir(parents=True, exist_ok=True)
    for name in MPI_HELPERS:
        link = helpers / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(str(usr_bin / name), str(helpers)))
    return relion + sorted(MPI_PROGRAMS)


def _write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
