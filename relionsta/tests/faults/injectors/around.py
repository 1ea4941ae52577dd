"""What a case happens in: another working directory, and no noise."""
import contextlib
import os
from typing import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Scipion hands its own output to programs; that of a test may be no file, or nobody reads it."""
    with open(os.devnull, 'w') as nothing, contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
        yield


@contextlib.contextmanager
def in_folder(folder: str) -> Iterator[None]:
    """Within: the working directory."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
