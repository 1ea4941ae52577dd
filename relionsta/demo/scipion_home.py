"""A Scipion of this checkout's own: configuration and projects in one folder, nothing in the user's."""
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict


def scipion_environment(folder: Path) -> Dict[str, str]:
    """Variables that put Scipion's configuration, software and projects into `folder`."""
    return {
        'SCIPION_HOME': str(folder / 'scipion'),
        'SCIPION_USER_DATA': str(folder / 'ScipionUserData'),
        'SCIPION_LOGS': str(folder / 'scipion' / 'logs'),
        'SCIPION_TMP': str(folder / 'scipion' / 'tmp'),
        'SCIPION_DOMAIN': 'pwem',
        'SCIPION_PYTHON': sys.executable,  # runs are processes of their own, in this environment
        'SCIPION_NOTIFY': 'False',
        'SCIPION_TEST_NOSYNC': '1',
        # matrices here are tiny: threads would only wait for each other
        'OMP_NUM_THREADS': os.environ.get('OMP_NUM_THREADS', '1'),
        'OPENBLAS_NUM_THREADS': os.environ.get('OPENBLAS_NUM_THREADS', '1'),
    }


def prepare_scipion(folder: Path) -> None:
    """Make `folder` the home of Scipion in this process and its children; must precede the import of pyworkflow.

    The configuration is Scipion's own default, written by `scipion config` the first time.
    """
    variables = scipion_environment(folder.absolute())
    os.environ.update(variables)
    home = Path(variables['SCIPION_HOME'])
    for name in ('config', 'software', 'logs', 'tmp'):
        (home / name).mkdir(parents=True, exist_ok=True)
    (Path(variables['SCIPION_USER_DATA']) / 'projects').mkdir(parents=True, exist_ok=True)
    if not (home / 'config' / 'hosts.conf').exists():
        done = subprocess.run([sys.executable, '-m', 'scipion', 'config', '--notify'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, universal_newlines=True, check=False)
        if not (home / 'config' / 'hosts.conf').exists():
            raise RuntimeError('`scipion config` wrote no hosts.conf in %s: %s' % (home, done.stdout[-1000:]))
