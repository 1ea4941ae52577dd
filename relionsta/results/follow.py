"""Following a run while it works: what is complete, and nothing else.

RELION writes no file atomically and rewrites files of the iteration that it goes on from. An iteration counts when all its
files are whole and none of them changed while they were read; its values are kept until one of its files changes.
"""
import os
import re
import time
from pathlib import Path
from typing import Dict, Mapping, Optional, Tuple, Union

import numpy as np

from ..jobs import files
from ..star.tables import StarError
from .course import Course, course_of, read_binning
from .history import Iteration, read_iteration
from .iterations import is_complete, is_converged
from .log import Progress, read_progress
from .model import Model, read_model

PathLike = Union[str, Path]
#: File name -> (nanoseconds of its last change, bytes).
Stamps = Dict[str, Tuple[int, int]]
#: Enough of a log's end to hold the present step of any job.
TAIL_BYTES = 20000
#: Seconds without a word from RELION that are worth telling.
SILENT = 600.
#: Files of no iteration: those that a converged refinement leaves.
_END = -1
_NUMBER = re.compile(r'_it(\d+)_')
_MARKS = {'RELION_JOB_EXIT_SUCCESS': 'RELION has finished.', 'RELION_JOB_EXIT_FAILURE': 'RELION failed: see the log.',
          'RELION_JOB_EXIT_ABORTED': 'RELION was stopped.'}
_RECENT = 3


class Follower:
    """A job folder of relion_refine that is looked at again and again; quick where nothing has changed.

    folder may not exist yet. job_type: RELION's. log: RELION's standard output, or None.
    """

    def __init__(self, folder: PathLike, job_type: str, root: str = files.RUN, log: Optional[PathLike] = None) -> None:
        self.folder, self.job_type, self.root = Path(folder), job_type, root
        self._log = None if log is None else Path(log)
        self._log_stamp: Tuple[int, int] = (0, -1)
        self._progress: Optional[Progress] = None
        self._stamps: Dict[int, Stamps] = {}
        self._mark = ''
        self._iterations: Dict[int, Iteration] = {}
        self._final: Optional[Model] = None
        self._binning: Optional[float] = None

    @property
    def iterations(self) -> Mapping[int, Iteration]:
        """The complete iterations, as of the last call of `changed`."""
        return self._iterations

    @property
    def final(self) -> Optional[Model]:
        """The model of a converged auto-refinement, once all its files are whole."""
        return self._final

    def changed(self) -> bool:
        """Look at the folder again; True where a complete iteration, or the final result, is new, other or gone."""
        found, self._mark = self._scan()
        different = False
        for number in sorted(set(found) | set(self._stamps)):
            now = found.get(number, {})
            if now == self._stamps.get(number, {}):
                continue
            known = self._known(number)
            new = self._read(number) if now else None
            if self._scan()[0].get(number, {}) != now:
                # Written to while we read: what was read may be of two states. The next look decides.
                new, now = None, {}
            self._stamps[number] = now
            self._keep(number, new)
            different = different or known is not None or new is not None
        if different and self._binning is None and self._iterations:
            first = files.iteration_files(self.job_type, self.root, min(self._iterations))['data']
            self._binning = read_binning(self.folder / first)
        return different

    def course(self) -> Optional[Course]:
        """How the run went so far; None as long as no iteration (from 1) is complete."""
        return course_of(self._iterations, self.job_type, self._final, self._binning)

    def progress(self) -> Optional[Progress]:
        """How far the running program is, as it prints it; None where it has printed nothing."""
        if self._log is not None:
            try:
                state = self._log.stat()
                stamp = (state.st_mtime_ns, state.st_size)
                if stamp != self._log_stamp:
                    with open(self._log, 'rb') as handle:
                        handle.seek(max(0, state.st_size - TAIL_BYTES))
                        text = handle.read().decode(errors='replace')
                    self._log_stamp, self._progress = stamp, read_progress(text) if text else None
            except OSError:
                self._progress = None
        return self._progress

    def iteration_seconds(self) -> Optional[float]:
        """What an iteration takes: the median of the last ones, from the times of their files; None for fewer than two."""
        numbers = [number for number in sorted(self._iterations) if self._stamps.get(number)]
        ends = [max(stamp[0] for stamp in self._stamps[number].values()) / 1e9 for number in numbers]
        if len(numbers) < 2:
            return None
        return float(np.median((np.diff(ends) / np.diff(numbers))[-_RECENT:]))

    def status(self, now: Optional[float] = None) -> str:
        """What RELION is doing and how long it will take, in a line for people; '' where nothing is known.

        now: seconds since 1970, the present time if None.
        """
        if self._mark:
            return _MARKS[self._mark]
        progress = self.progress()
        if progress is None:
            return ''
        silent = (time.time() if now is None else now) - self._log_stamp[0] / 1e9
        parts = [progress.text[:1].upper() + progress.text[1:]]
        if silent > SILENT:
            parts.append('RELION has printed nothing for %.0f min' % (silent / 60))
        rest = self._seconds_for_the_rest()
        if rest is not None:
            parts.append('About %s for the iterations that are left' % spoken(rest))
        return '. '.join(parts) + '.'

    def _seconds_for_the_rest(self) -> Optional[float]:
        """Seconds that the iterations after the last complete one take at the present pace."""
        each = self.iteration_seconds()
        last = max(self._iterations, default=0)
        total = self._iterations[last].optimiser.number_of_iterations if last else None
        return each * (total - last) if each and total and total > last else None

    def _known(self, number: int) -> object:
        return self._final if number == _END else self._iterations.get(number)

    def _keep(self, number: int, what: Union[Iteration, Model, None]) -> None:
        if number == _END:
            self._final = what if isinstance(what, Model) else None
        elif isinstance(what, Iteration):
            self._iterations[number] = what
        else:
            self._iterations.pop(number, None)

    def _read(self, number: int) -> Union[Iteration, Model, None]:
        """The iteration, or the final model; None where it is not complete."""
        try:
            if number != _END:
                return (read_iteration(self.folder, self.job_type, number, self.root)
                        if number and is_complete(self.folder, self.job_type, number, self.root) else None)
            ends = files.final_files(self.job_type, self.root)
            if 'model' not in ends or not is_converged(self.folder, self.root, self.job_type):
                return None
            return read_model(self.folder / ends['model'])
        except (StarError, OSError):
            return None

    def _scan(self) -> Tuple[Dict[int, Stamps], str]:
        """Stamps of RELION's files by iteration, and the mark with which its last program ended."""
        found: Dict[int, Stamps] = {}
        mark = ''
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if entry.name in _MARKS:
                        mark = entry.name
                    elif entry.name.startswith(self.root + '_') and entry.name.endswith(('.star', '.mrc')):
                        number = _NUMBER.match(entry.name, len(self.root))
                        stamp = _stamp(entry)
                        if stamp is not None:
                            found.setdefault(int(number.group(1)) if number else _END, {})[entry.name] = stamp
        except (FileNotFoundError, NotADirectoryError):
            return {}, ''
        return found, mark


def _stamp(entry: 'os.DirEntry[str]') -> Optional[Tuple[int, int]]:
    try:
        state = entry.stat()
    except FileNotFoundError:
        return None  # removed since the folder was listed
    return state.st_mtime_ns, state.st_size


def spoken(seconds: float) -> str:
    """A time as people say it: 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return '%.0f s' % seconds
    hours, minutes = divmod(int(round(seconds / 60)), 60)
    return '%d h %02d min' % (hours, minutes) if hours else '%d min' % minutes
