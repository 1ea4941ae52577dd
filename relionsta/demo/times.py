"""How long each step took, kept beside the project so that a demo that goes on can still tell."""
import json
from pathlib import Path
from typing import Any, Dict

from ..whole import whole

TIMES = 'times.json'


def read_times(folder: Path) -> Dict[str, float]:
    """Wall-clock seconds by job."""
    path = folder / TIMES
    return json.loads(path.read_text()) if path.exists() else {}


def add_time(folder: Path, job: str, seconds: float) -> None:
    """Remember the time of one more job."""
    write_json(folder / TIMES, dict(read_times(folder), **{job: round(seconds, 2)}))


def write_json(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    with whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + '\n')
