"""What came of the cases of a group."""
import contextlib
import json
import os
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import numpy as np


class Ledger:
    """Counts the cases of a group and keeps the reason of every one that failed.

    folder: of the group, for its scratch and logs; random: for everything that is drawn; quick: only the selection that
    runs with the tests. `survived` of `tried` cases went well; a failure or an open case is told by name.
    """

    def __init__(self, name: str, folder: Path, seed: int = 1, quick: bool = False,
                 say: Callable[[str], None] = lambda text: print(text, flush=True)):
        self.name, self.folder, self.seed, self.quick, self._say = name, Path(folder), seed, quick, say
        self.folder.mkdir(parents=True, exist_ok=True)
        self.random = np.random.default_rng(seed)
        self.tried = self.survived = 0
        self.failures: List[Dict[str, str]] = []
        self.opened: List[Dict[str, str]] = []
        self.notes: Dict[str, Any] = {}
        self._start = time.time()

    @contextlib.contextmanager
    def case(self, name: str, tries: int = 1) -> Iterator[None]:
        """One case, or `tries` cases that fail together; any exception inside is a failure, and the next case is tried."""
        start = time.time()
        self.tried += tries
        try:
            yield
        except Exception as error:  # whatever it is, it is the result of this case
            self.fail(name, '%s: %s' % (type(error).__name__, error), traceback.format_exc())
            return
        self.survived += tries
        self._say('  ok    %s: %s (%.1f s)' % (self.name, name, time.time() - start))

    def fail(self, name: str, why: str, details: str = '') -> None:
        """A case that was counted as tried did not survive; details go into a log."""
        self.failures.append({'case': name, 'why': why[:2000]})
        with open(str(self.folder / 'failures.log'), 'a') as log:
            log.write('%s\n%s\n\n' % (name, details or why))
        self._say('  FAILS %s: %s: %s' % (self.name, name, why[:500]))

    def open(self, name: str, reason: str, advice: str) -> None:
        """A case that cannot survive because Scipion or RELION stands in the way: why, and what a user should do."""
        self.tried += 1
        self.opened.append({'case': name, 'reason': reason, 'advice': advice})
        self._say('  open  %s: %s: %s' % (self.name, name, reason))

    def note(self, name: str, value: Any) -> None:
        """A figure that was measured on the way."""
        self.notes[name] = value

    def result(self) -> Dict[str, Any]:
        """All of it, for JSON."""
        return {'group': self.name, 'seed': self.seed, 'quick': self.quick, 'tried': self.tried, 'survived': self.survived,
                'failures': self.failures, 'open': self.opened, 'notes': self.notes,
                'seconds': round(time.time() - self._start, 1)}

    def save(self, path: Path) -> None:
        """Write the result as JSON."""
        partial = str(path) + '.part'
        with open(partial, 'w') as handle:
            json.dump(self.result(), handle, indent=1)
        os.replace(partial, str(path))
