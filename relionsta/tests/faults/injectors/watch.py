"""Waits for what happens to the files of a folder, and tells it within a millisecond (Linux: inotify)."""
import ctypes
import os
import re
import select
import struct
import time
from typing import Callable, Dict, Iterator, List, NamedTuple, Pattern, Union

#: Our words for what happens to a file -> inotify's masks.
EVENTS: Dict[str, int] = {
    'opened': 0x20, 'made': 0x100, 'written': 0x2, 'closed': 0x8, 'renamed': 0x80, 'removed': 0x200}
_DIRECTORY = 0x40000000
_HEAD = struct.Struct('iIII')
_BUFFER = 1 << 16


class Event(NamedTuple):
    """What happened to a file. path: from the watched folder; at: time.time()."""

    path: str
    what: str
    at: float


class Watch:
    """The events of all files in a folder and in the folders that are made in it.

    Use it in a `with`; OSError where the system has no inotify.
    """

    def __init__(self, folder: Union[str, os.PathLike]):
        self._folder = os.fspath(folder)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(os.O_CLOEXEC)
        if self._handle < 0:
            raise OSError(ctypes.get_errno(), 'inotify_init1')
        self._places: Dict[int, str] = {}
        self._waiting: List[Event] = []
        self._add('', new=False)

    def __enter__(self) -> 'Watch':
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    def events(self, timeout: float, alive: Callable[[], bool] = lambda: True) -> Iterator[Event]:
        """The events as they come, until `timeout` seconds are over or `alive` says no (it is asked when nothing comes)."""
        end = time.time() + timeout
        while time.time() < end:
            while self._waiting:
                yield self._waiting.pop(0)
            if select.select([self._handle], [], [], 0.05)[0]:
                self._read()
            elif not alive():
                return

    def wait(self, name: Union[str, Pattern[str]], what: str, timeout: float = 120.0,
             alive: Callable[[], bool] = lambda: True) -> Event:
        """The first event of that kind on a file whose path matches `name` (from its start to its end).

        Raises TimeoutError with what was seen last.
        """
        pattern = re.compile(name)
        seen: List[Event] = []
        for event in self.events(timeout, alive):
            if event.what == what and pattern.fullmatch(event.path):
                return event
            seen = seen[-4:] + [event]
        raise TimeoutError('no file %s was %s; the last events are %s' % (pattern.pattern, what, [one[:2] for one in seen]))

    def _add(self, place: str, new: bool) -> None:
        """Watch a folder and those in it. new: it was made while the watch was on, and so were its files."""
        mask = sum(EVENTS.values())
        path = os.path.join(self._folder, place)
        number = self._libc.inotify_add_watch(self._handle, os.fsencode(path), mask)
        if number < 0:
            if ctypes.get_errno() == 2:
                return  # it is gone again
            raise OSError(ctypes.get_errno(), 'inotify_add_watch', path)
        self._places[number] = place
        for entry in os.scandir(path):
            inside = os.path.join(place, entry.name)
            if entry.is_dir(follow_symlinks=False):
                self._add(inside, new)
            elif new:  # a file may have got its name in one way or the other
                self._waiting += [Event(inside, what, time.time()) for what in ('made', 'renamed')]

    def _read(self) -> None:
        data, start, now = os.read(self._handle, _BUFFER), 0, time.time()
        while start < len(data):
            number, mask, _, length = _HEAD.unpack_from(data, start)
            name = os.fsdecode(data[start + _HEAD.size:start + _HEAD.size + length].rstrip(b'\0'))
            start += _HEAD.size + length
            if number not in self._places:
                continue
            path = os.path.join(self._places[number], name)
            if mask & _DIRECTORY:
                if mask & EVENTS['made']:
                    self._add(path, new=True)
                continue
            self._waiting += [Event(path, what, now) for what, bit in EVENTS.items() if mask & bit]
