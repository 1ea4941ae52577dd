"""Where the private RELION lies, and what a complete one looks like."""
import json
import os
from pathlib import Path
from typing import Any, Dict, Optional

RUNTIME_VAR = 'RELIONSTA_RUNTIME'
MANIFEST = 'runtime.json'


def runtime_folder() -> Path:
    """Folder of the private runtime: $RELIONSTA_RUNTIME, else one in the user's data folder (XDG)."""
    given = os.environ.get(RUNTIME_VAR)
    if given:
        return Path(given).expanduser().absolute()
    data = os.environ.get('XDG_DATA_HOME') or os.path.join(os.path.expanduser('~'), '.local', 'share')
    return Path(data).absolute() / 'relionsta' / 'relion-5.1'


def read_manifest(folder: Path) -> Optional[Dict[str, Any]]:
    """What was installed in `folder`, or None if nothing complete is there.

    The manifest is written last and names the folder that the programs were bound to (their
    interpreter and library paths are absolute), so a folder that was moved counts as absent.
    """
    try:
        text = (folder / MANIFEST).read_text()
    except FileNotFoundError:
        return None
    manifest = json.loads(text)
    return manifest if manifest.get('folder') == str(folder) else None
