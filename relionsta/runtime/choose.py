"""Which RELION to use: the user's own where RELION_HOME names one, else the private one."""
import os
from pathlib import Path
from typing import Callable, Optional

from .build import RELION_HOME, find_build
from .install import install


def use_or_install(folder: Optional[Path] = None, say: Callable[[str], None] = print) -> Path:
    """Home of the RELION to use; installs the private one where RELION_HOME is not set.

    Raises RelionNotFound where RELION_HOME is set and no RELION 5 is there, RuntimeInstallError where the private one
    cannot be installed.
    """
    if folder is None and os.environ.get(RELION_HOME):
        return find_build().home
    return install(folder, say)
