"""What tests need from outside: real RELION, and real files of other programs."""
import os
from pathlib import Path
from typing import Optional

import pytest

from relionsta.runtime.folder import read_manifest, runtime_folder

CHECKOUT = Path(__file__).resolve().parents[2]


def find_relion() -> Optional[Path]:
    """Folder whose bin/ holds RELION's programs: $RELION_HOME, else the private runtime; None if neither."""
    given = os.environ.get('RELION_HOME')
    if given:
        return Path(given)
    folder = runtime_folder()
    return folder if read_manifest(folder) else None


def relion_home() -> Path:
    """As find_relion; a test that needs RELION fails where there is none: `make test` installs it."""
    home = find_relion()
    if home is None:
        pytest.fail("no RELION: run `make relion`, or set RELION_HOME")
    return home


def real_data() -> Path:
    """The folder of other programs' real output; it need not be there."""
    return Path(os.environ.get('RELIONSTA_TEST_DATA') or CHECKOUT.parent / 'shared' / 'data')


def shared_data(name: str) -> Path:
    """A file or folder of other programs' real output; the test is skipped where it is absent.

    Looked for in $RELIONSTA_TEST_DATA, else in ../shared/data beside the checkout.
    """
    path = real_data() / name
    if not path.exists():
        pytest.skip('real files of other programs are not here (%s); set RELIONSTA_TEST_DATA' % path)
    return path


def reference(name: str) -> Path:
    """A file of notes on RELION; the test is skipped where they are absent.

    Looked for in $RELIONSTA_TEST_REFERENCE, else in ../shared/reference beside the checkout.
    """
    top = Path(os.environ.get('RELIONSTA_TEST_REFERENCE') or CHECKOUT.parent / 'shared' / 'reference')
    path = top / name
    if not path.exists():
        pytest.skip('the notes on RELION are not here (%s); set RELIONSTA_TEST_REFERENCE' % path)
    return path
