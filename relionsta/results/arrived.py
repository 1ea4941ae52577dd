"""Results that a network disk shows late, or bit by bit: waiting for them, and which one is missing in the end."""
import os
import time
from pathlib import Path
from typing import Callable, Iterable, Union

from .maps import is_whole_mrc
from .whole import is_whole_star

PathLike = Union[str, Path]
#: How long the files of a program that has ended may take to appear whole, in seconds. Clients of a network disk (NFS) look
#: at a folder or file again after at most 60 s (acdirmax, acregmax); the rest is for writing what the server still holds.
LATE_SECONDS = 90.0
#: Environment variable with another number of seconds.
LATE_VARIABLE = 'RELIONSTA_LATE_SECONDS'
#: Seconds between two looks: the first and the longest.
FIRST_LOOK, LAST_LOOK = 0.2, 5.0


def late_seconds() -> float:
    """How long results may come late: LATE_SECONDS, or what the environment says (ValueError for what is no number)."""
    given = os.environ.get(LATE_VARIABLE, '')
    try:
        return max(0.0, float(given)) if given else LATE_SECONDS
    except ValueError:
        raise ValueError('%s=%s: give a number of seconds, or nothing for %g.'
                         % (LATE_VARIABLE, given, LATE_SECONDS)) from None


def first_missing(paths: Iterable[PathLike]) -> str:
    """The first of these files that is not there, or not whole, as a message; '' where all are.

    STAR files must be closed and maps have the size that their header asks for; other files must not be empty.
    """
    return next(filter(None, map(_problem, paths)), '')


def wait_for(missing: Callable[[], str], seconds: float, say: Callable[[str], None] = lambda text: None) -> str:
    """Look until nothing is missing, at most for `seconds`; returns what is missing then, '' for nothing.

    missing: looks, and says what is missing. say: told once, if there is something to wait for.
    """
    end, pause = time.monotonic() + seconds, FIRST_LOOK
    found = missing()
    if found and seconds > 0:
        say('Waiting for files that are not there yet (at most %.0f s): %s' % (seconds, found))
    while found and time.monotonic() < end:
        time.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(2 * pause, LAST_LOOK)
        found = missing()
    return found


def _problem(path: PathLike) -> str:
    name = os.fspath(path)
    if not os.path.isfile(name):
        return '%s is not there' % name + (' (a folder has its name)' if os.path.isdir(name) else '')
    if name.endswith('.star'):
        whole = is_whole_star(name, ())
    elif name.endswith(('.mrc', '.mrcs')):
        whole = is_whole_mrc(name)
    else:
        whole = os.path.getsize(name) > 0
    return '' if whole else '%s is not whole: it was cut, or is still being written' % name
