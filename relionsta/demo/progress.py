"""Progress of a running step, from what RELION prints."""
import sys
import threading
import time
from typing import Callable

PERIOD_S = 2.0


class Watch:
    """While in its `with` block, tells what a step is doing, each time that it changes.

    read: gives what the step is doing, in a few words. On a terminal one line is rewritten; in a file each message is a
    line, at most one in fifteen seconds.
    """

    def __init__(self, title: str, read: Callable[[], str], say: Callable[[str], None]) -> None:
        self._title, self._read, self._say = title, read, say
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._terminal = sys.stdout.isatty()

    def __enter__(self) -> 'Watch':
        self._say('%s ...' % self._title)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._terminal:
            sys.stdout.write('\r\033[K')

    def _follow(self) -> None:
        start, said, last = time.time(), 0.0, ''
        while not self._stop.wait(PERIOD_S):
            text = self._read()
            if text == last and not self._terminal:
                continue
            last = text
            line = '%s: %s (%d s)' % (self._title, text or 'running', time.time() - start)
            if self._terminal:
                sys.stdout.write('\r\033[K' + line[:150])
                sys.stdout.flush()
            elif text and time.time() - said > 15:
                said = time.time()
                self._say(line)
