"""What a process holds: memory, open files, threads, child processes, figures, temporary files."""
import gc
import os
import sys
import tempfile
import threading
import tracemalloc
from typing import Dict, NamedTuple

import psutil


class Held(NamedTuple):
    """traced: bytes of Python objects (tracemalloc); resident: bytes of memory (RSS); the rest are numbers of things."""

    traced: int
    resident: int
    files: int
    threads: int
    children: int
    figures: int
    temporary: int


#: What may be held more at the end. Memory: a tenth of what a leak of 1 kB at each of the fewest looks of a whole
#: campaign (17,280) would come to; the resident memory also holds what the allocator keeps for later.
MORE: Dict[str, int] = {'traced': 1700000, 'resident': 8 << 20, 'files': 0, 'threads': 0, 'children': 0, 'figures': 0,
                        'temporary': 0}


def held() -> Held:
    """What this process holds now, after garbage is collected; objects are only those made since tracemalloc was started."""
    gc.collect()
    process = psutil.Process()
    return Held(tracemalloc.get_traced_memory()[0], process.memory_info().rss, len(os.listdir('/proc/self/fd')),
                threading.active_count(), len(process.children(recursive=True)), _figures(),
                len(os.listdir(tempfile.gettempdir())))


def _figures() -> int:
    """Figures that pyplot keeps; it need not have been imported."""
    pyplot = sys.modules.get('matplotlib.pyplot')
    return len(pyplot.get_fignums()) if pyplot is not None else 0


def check_held(before: Held, after: Held, looks: int) -> Dict[str, float]:
    """What is held more than before, per look for memory; AssertionError where that is more than MORE.

    looks: between the two; for few of them the memory may grow by no more than 300 bytes each and a rest.
    """
    grown = {name: now - then for name, then, now in zip(Held._fields, before, after)}
    most = dict(MORE, traced=min(MORE['traced'], 100000 + 300 * looks))
    over = ['%s %+d (%d)' % (name, grown[name], most[name]) for name in Held._fields if grown[name] > most[name]]
    assert not over, 'after %d looks there are more of: %s' % (looks, ', '.join(over))
    return {'traced bytes per look': round(grown['traced'] / looks, 2), 'resident bytes per look': round(
        grown['resident'] / looks, 2), 'looks': looks}
