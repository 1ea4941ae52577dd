"""The rules that keep the house in order."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest

import relionsta

PACKAGE = Path(relionsta.__file__).parent
PURE = ('jobs', 'star', 'sources', 'results', 'figures', 'simulate', 'runtime', 'geometry', 'names', 'whole',
        'amounts', 'suggest')
HOST = ('pyworkflow', 'pwem', 'tomo', 'tkinter')

_PROBE = '''
import importlib, pkgutil, sys
room = importlib.import_module('relionsta.' + sys.argv[1])
for found in pkgutil.walk_packages(getattr(room, '__path__', []), room.__name__ + '.'):
    importlib.import_module(found.name)
print(' '.join(name for name in %r if name in sys.modules))
''' % (HOST,)


@pytest.mark.parametrize('room', PURE)
def test_pure_rooms_need_no_scipion(room):
    """A pure room that imports Scipion cannot be tested, typed or used without it, and slows the command line."""
    done = subprocess.run([sys.executable, '-c', _PROBE, room], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_importing_the_package_costs_nothing():
    """Scipion imports every plugin at its start: what this one loads, every user waits for."""
    code = 'import sys, relionsta; print(len([m for m in sys.modules if m.split(".")[0] in ("numpy", "pwem", "pandas")]))'
    done = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, universal_newlines=True, check=True)
    assert done.stdout.strip() == '0'


def test_source_is_python_38():
    """Scipion's default environment is Python 3.8: newer syntax would keep the plugin from loading there."""
    files = sorted(PACKAGE.rglob('*.py'))
    assert len(files) > 50
    for path in files:
        ast.parse(path.read_text(), str(path), feature_version=(3, 8))
