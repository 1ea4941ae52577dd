"""Running one RELION program: where it is, what it said, and a clear error when it fails."""
import os
import subprocess
from pathlib import Path
from typing import List, Sequence

from .parameters import SceneError


def run_relion(relion_bin: Path, program: str, arguments: Sequence[str], folder: Path, log: Path) -> None:
    """Run a RELION program in `folder`; its words are added to `log`.

    relion_bin: folder with RELION's programs. Raises SceneError, with the end of the log, where the program is absent or fails.
    """
    path = Path(relion_bin).absolute() / program
    if not path.is_file():
        raise SceneError(f'{path} does not exist: give the folder with the programs of RELION 5')
    command: List[str] = [str(path), *arguments]
    with log.open('a') as stream:
        stream.write(' '.join(command) + '\n')
        stream.flush()
        code = subprocess.call(command, cwd=str(folder), stdout=stream, stderr=stream, stdin=subprocess.DEVNULL,
                               env={**os.environ, 'OMP_NUM_THREADS': '1'})
    if code:
        tail = '\n'.join(log.read_text(errors='replace').replace('\r', '\n').splitlines()[-8:])
        raise SceneError(f'{program} failed with exit code {code}; the end of {log}:\n{tail}')
