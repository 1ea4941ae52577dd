"""A virtual screen for tests of windows."""
import atexit
import functools
import os
import shutil
import subprocess
import time
from pathlib import Path

SIZE = '1366x768x24'


@functools.lru_cache(maxsize=None)
def _server(size: str) -> str:
    """The name of an Xvfb that lives as long as this process: Tk ends a process whose screen is gone, also for the sake of
    a window that an earlier test has left."""
    read, write = os.pipe()
    process = subprocess.Popen(['Xvfb', '-displayfd', str(write), '-screen', '0', size, '-nolisten', 'tcp'],
                               pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(process.terminate)
    os.close(write)
    with os.fdopen(read) as number:
        name = ':' + number.readline().strip()
    if name == ':':
        raise RuntimeError('Xvfb did not start')
    return name


class Screen:
    """A virtual screen: in its `with` block DISPLAY points to it."""

    def __init__(self, size: str = SIZE) -> None:
        self._size = size
        self._before = os.environ.get('DISPLAY')
        self.name = ''

    @staticmethod
    def available() -> bool:
        """True where Xvfb is installed."""
        return shutil.which('Xvfb') is not None

    def __enter__(self) -> 'Screen':
        self.name = _server(self._size)
        os.environ['DISPLAY'] = self.name
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._before is None:
            os.environ.pop('DISPLAY', None)
        else:
            os.environ['DISPLAY'] = self._before

    def picture(self, path: Path) -> Path:
        """Save what is on the screen as PNG."""
        from PIL import ImageGrab
        ImageGrab.grab(xdisplay=self.name).save(str(path))
        return path


def settle(window, seconds: float) -> None:
    """Let a Tk window work for some time."""
    end = time.time() + seconds
    while time.time() < end:
        window.update()
        time.sleep(0.02)


def until(window, happened, most: float = 60) -> None:
    """Let a Tk window work until something has happened. AssertionError after `most` seconds."""
    end = time.time() + most
    while not happened():
        assert time.time() < end, 'nothing has happened in %g s' % most
        window.update()
        time.sleep(0.02)
