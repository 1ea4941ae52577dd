"""Running one RELION program: where it is, what it said, and a clear error when it fails."""
import os
import subprocess
from pathlib import Path
from typing import List, Sequence


class SimulationError(ValueError):
    """A scene that cannot be made, or a data set that does not fit the request; the message names the cure."""


def run_relion(relion_bin: Path, program: str, arguments: Sequence[str], folder: Path, log: Path) -> None:
    """Run a RELION program in `folder`; its words are added to `log`.

    relion_bin: folder with RELION's programs. Raises SimulationError where the program is absent, or fails (then with
    the end of the log).
    """
    path = Path(relion_bin).absolute() / program
    if not path.is_file():
        raise SimulationError(f'{path} does not exist: give the folder with the programs of RELION 5')
    command: List[str] = [str(path), *arguments]
    with log.open('a') as stream:
        stream.write(' '.join(command) + '\n')
        stream.flush()
        code = subprocess.call(command, cwd=str(folder), stdout=stream, stderr=stream, stdin=subprocess.DEVNULL,
                               env={**os.environ, 'OMP_NUM_THREADS': '1'})
    if code:
        tail = '\n'.join(log.read_text(errors='replace').replace('\r', '\n').splitlines()[-8:])
        raise SimulationError(f'{program} failed with exit code {code}; the end of {log}:\n{tail}')
