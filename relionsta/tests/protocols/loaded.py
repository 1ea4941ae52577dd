"""Runs of tests, each a process of its own, split off from one that has loaded Scipion: loading takes most of a small run.

What Scipion starts with a command line, `pw_protocol_run.py` and its arguments, is done by the same function there.
"""
import contextlib
import functools
import importlib
import multiprocessing
import os
import shlex
import sys
import types
from typing import Any, Dict, Iterator
from unittest import mock

#: What the process that others are split off from has loaded.
_LOADED = 'relionsta.tests.protocols.loaded_scipion'


@functools.lru_cache(maxsize=1)
def _context() -> Any:
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([_LOADED])
    return context


@contextlib.contextmanager
def loaded_runs() -> Iterator[None]:
    """Within: Scipion starts the processes of its runs so."""
    with mock.patch.object(importlib.import_module('pyworkflow.protocol.launch'), '_run', _start):
        yield


def _start(command: str, wait: bool, *_streams: Any) -> int:
    """In place of Scipion's own function: start the command of a run; returns the number of its process."""
    _python, _script, project, database, number, out, error = shlex.split(command)
    process = _context().Process(target=_run, args=(dict(os.environ), project, database, int(number), out, error))
    with _without_script():
        process.start()
    if wait:
        process.join()
    return process.pid


@contextlib.contextmanager
def _without_script() -> Iterator[None]:
    """Within: the script that this process runs is not known, or the new process would run it once more."""
    script = sys.modules['__main__']
    sys.modules['__main__'] = types.ModuleType('__main__')
    try:
        yield
    finally:
        sys.modules['__main__'] = script


def _run(environ: Dict[str, str], project: str, database: str, number: int, out: str, error: str) -> None:
    """What pw_protocol_run.py does."""
    os.environ.clear()
    os.environ.update(environ)
    from pyworkflow.protocol import runProtocolMain
    from pyworkflow.utils import LoggingConfigurator
    LoggingConfigurator.setUpProtocolRunLogging(out, error)
    runProtocolMain(project, database, number)
