"""A virtual screen for tests of windows."""
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Optional

SIZE = '1366x768x24'
WAIT_S = 20


class Screen:
    """An Xvfb of its own while in its `with` block; DISPLAY points to it."""

    def __init__(self, size: str = SIZE) -> None:
        self._size = size
        self._process: Optional['subprocess.Popen[bytes]'] = None
        self._before = os.environ.get('DISPLAY')
        self.name = ''

    @staticmethod
    def available() -> bool:
        """True where Xvfb is installed."""
        return shutil.which('Xvfb') is not None

    def __enter__(self) -> 'Screen':
        read, write = os.pipe()
        self._process = subprocess.Popen(['Xvfb', '-displayfd', str(write), '-screen', '0', self._size, '-nolisten', 'tcp'],
                                         pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            self.name = ':' + number.readline().strip()
        if self.name == ':':
            raise RuntimeError('Xvfb did not start')
        os.environ['DISPLAY'] = self.name
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WAIT_S)
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
