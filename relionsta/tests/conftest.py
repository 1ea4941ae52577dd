"""A Scipion home of the test session's own, made before anything of Scipion is imported; inputs stay as they are."""
import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from relionsta.demo.scipion_home import prepare_scipion
from relionsta.tests.faults.injectors.checksums import differences, marks_of, new_files
from relionsta.tests.find import real_data

_FOLDER = Path(tempfile.mkdtemp(prefix='relionsta-tests-'))
atexit.register(shutil.rmtree, str(_FOLDER), ignore_errors=True)
os.environ['MPLBACKEND'] = 'Agg'
os.environ.setdefault('RELIONSTA_LATE_SECONDS', '1')
prepare_scipion(_FOLDER)

#: Marks of the files of other programs at the start of a session.
_INPUTS = pytest.StashKey()


def pytest_sessionstart(session):
    """Marks all files of other programs that tests read."""
    session.config.stash[_INPUTS] = marks_of([real_data()])


def pytest_sessionfinish(session):
    """The session fails where a test has changed one of its inputs: a user's inputs would be changed as well."""
    before = session.config.stash[_INPUTS]
    told = differences(before) + ['%s is new' % path for path in new_files([real_data()], before)]
    scene = sys.modules.get('relionsta.tests.protocols.scene')
    told += differences(scene.made_files()) if scene is not None else []
    if told:
        print('\nInputs of the tests were changed:\n%s' % '\n'.join(told))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
