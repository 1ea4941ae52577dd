"""Python's garbage collector, put off while many rows are converted."""
import gc
from contextlib import contextmanager
from typing import Iterator


@contextmanager
def collect_later() -> Iterator[None]:
    """No search for circular garbage meanwhile; also a decorator.

    Rows are made and dropped by the million. They free themselves, but their number makes Python look again and again
    through every object of Scipion for cycles: a quarter of the time of a conversion.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
