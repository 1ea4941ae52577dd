"""MPI processes and threads for a computer."""
from typing import NamedTuple, Optional

from ..amounts import bytes_text

#: Threads of one process beyond which another process does more.
MOST_THREADS = 8
#: Part of the memory that a run may take.
ROOM = 0.8


class Parallel(NamedTuple):
    """Processes (1: without MPI), threads of each, and why."""

    mpi: int
    threads: int
    reason: str

    def text(self) -> str:
        """All of it in one line."""
        return '%d MPI process%s of %d thread%s: %s' % (self.mpi, '' if self.mpi == 1 else 'es', self.threads,
                                                       '' if self.threads == 1 else 's', self.reason)


def suggest_parallel(cores: int, halves: bool, per_process: float = 0.0, memory: Optional[float] = None,
                     gpus: int = 0) -> Parallel:
    """Processes and threads of relion_refine for `cores` cores; one process more hands out the work.

    halves: auto-refine, which has two half sets and needs an even number of workers. per_process: bytes that each takes;
    memory: bytes that there are, None where not known; gpus: to be used, one or more processes for each.
    """
    if cores < 1:
        raise ValueError('there must be a core, not %r' % cores)
    workers = gpus or -(-cores // MOST_THREADS)
    if halves:
        workers = max(2, workers + workers % 2)
    room = None if memory is None or per_process <= 0 else int(ROOM * memory / per_process)
    limit = ''
    # the leader of MPI holds maps as the others do
    if room is not None and room < workers + 1:
        fewer = max(2 if halves else 1, room - 1 - ((room - 1) % 2 if halves else 0))
        if fewer < workers:
            limit, workers = '; memory (%s) allows no more' % bytes_text(memory or 0.), fewer
        elif room < workers:
            limit = '; memory (%s) is short of that: use a coarser binning or a smaller box' % bytes_text(memory or 0.)
    threads = max(1, cores // workers)
    if workers == 1:
        return Parallel(1, threads, 'all of %d core%s%s' % (cores, '' if cores == 1 else 's', limit))
    return Parallel(workers + 1, threads, '%d share %s%s%s, and one hands out the work%s' % (
        workers, '%d core%s' % (cores, '' if cores == 1 else 's'), ' and %d GPU%s' % (gpus, '' if gpus == 1 else 's')
        if gpus else '', ', the same number for each half set' if halves else '', limit))
