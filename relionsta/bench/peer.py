"""The environment in which scipion-em-reliontomo is timed: its own, so that neither plugin sees the other."""
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

from ..demo.scipion_home import scipion_environment
from .data import BINNING, SCENE

PEER = 'scipion-em-reliontomo==4.0.5'
#: it imports this one and does not name it
NEEDED = 'scipion-app'
SCRIPT = Path(__file__).with_name('peer_tasks.py')


class PeerUnavailable(RuntimeError):
    """The peer could not be installed; the message is pip's."""


def peer_python(folder: Path) -> Path:
    """The Python of an environment in `folder` that has the peer; made the first time (needs the network)."""
    python = folder / 'bin' / 'python'
    ready = folder / 'ready'
    if not ready.exists():
        _run([sys.executable, '-m', 'venv', str(folder)])
        _run([str(python), '-m', 'pip', 'install', '-q', '--disable-pip-version-check', PEER, NEEDED])
        ready.touch()
    return python


def time_peer(python: Path, task: str, folder: Path, n: int, scipion: Path) -> Dict[str, Any]:
    """What peer_tasks.py says of one conversion: seconds, n, rss_mb."""
    environment = dict(os.environ, **scipion_environment(scipion))
    environment.pop('SCIPION_PYTHON')
    done = subprocess.run([str(python), str(SCRIPT), task, str(folder), '-n', str(n), '--pixel',
                           str(SCENE.pixel * BINNING)], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True, check=False)
    if done.returncode:
        raise PeerUnavailable('%s %s: %s' % (PEER, task, done.stderr[-1000:]))
    result: Dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _run(command: List[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                          check=False)
    if done.returncode:
        raise PeerUnavailable('%s could not be installed: %s' % (PEER, done.stdout[-1000:]))
