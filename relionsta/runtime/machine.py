"""What this computer has."""
import os
from pathlib import Path
from typing import Optional

#: Where a container's own limit is written; its text is `max` where there is none.
_LIMIT = Path('/sys/fs/cgroup/memory.max')


def cores() -> int:
    """Processor cores that programs can use here."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def memory_bytes() -> Optional[int]:
    """Bytes of memory that programs can have here: all of it, or the limit of the container. None where it is not known."""
    try:
        whole = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    except (ValueError, OSError):
        return None
    try:
        limit = _LIMIT.read_text().strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdigit() else whole
