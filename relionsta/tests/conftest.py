"""A Scipion home of the test session's own, made before anything of Scipion is imported."""
import atexit
import os
import shutil
import tempfile
from pathlib import Path

from relionsta.demo.scipion_home import prepare_scipion

_FOLDER = Path(tempfile.mkdtemp(prefix='relionsta-tests-'))
atexit.register(shutil.rmtree, str(_FOLDER), ignore_errors=True)
os.environ['MPLBACKEND'] = 'Agg'
prepare_scipion(_FOLDER)
