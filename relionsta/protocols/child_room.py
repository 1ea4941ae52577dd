"""How many children of a protocol there is room for at a time."""
from ..runtime.machine import memory_bytes as machine_memory

#: Part of the computer's memory that children may take together, where it is known what they take.
ROOM = 0.8


def fits(run, size, memory, running, cores, freeGpus, dealt):
    """True where there is room for one more child beside those that run."""
    if sum(one.size for one in running) + size > cores:
        return False
    there = machine_memory()
    if there is not None and sum(one.memory for one in running) + memory > ROOM * there:
        return False
    if not run.usesGpu():
        return True
    return bool(freeGpus) if dealt else not any(one.run.usesGpu() for one in running)


def coresOf(run):
    """Cores that a run keeps busy."""
    return max(1, run.numberOfMpi.get()) * max(1, run.numberOfThreads.get())


def memoryOf(run):
    """Bytes that a run takes where its protocol can tell, else 0."""
    return run.estimateMemory() if hasattr(run, 'estimateMemory') else 0
