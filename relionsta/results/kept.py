"""A copy of the iteration that a run goes on from: RELION writes its files once more first, in their place.

Whoever kills it then would lose an iteration that was complete. The copy lies beside the job folder under the same names.
"""
import os
import shutil
from pathlib import Path
from typing import Optional, Union

from ..jobs import files
from .iterations import is_complete, last_complete

PathLike = Union[str, Path]


def keep_iteration(folder: PathLike, kept: PathLike, iteration: int, root: str = files.RUN) -> None:
    """Copy the files of an iteration from the job folder to `kept`, which holds nothing else then."""
    shutil.rmtree(os.fspath(kept), ignore_errors=True)
    os.makedirs(os.fspath(kept))
    for path in sorted(Path(folder).glob(files.iteration_root(root, iteration) + '_*')):
        shutil.copy2(str(path), os.fspath(kept))


def give_back(folder: PathLike, kept: PathLike, job_type: str, root: str = files.RUN) -> Optional[int]:
    """Put the iteration in `kept` back where the one in the job folder is not complete any more; returns its number.

    None where there was nothing to do. A copy that is not complete itself, or a half-written one, is never used; each file
    comes under another name first. The copy stays.
    """
    iteration = last_complete(kept, job_type, root)
    if iteration is None or not os.path.isdir(os.fspath(folder)) or is_complete(folder, job_type, iteration, root):
        return None
    for path in sorted(Path(kept).iterdir()):
        partial = Path(folder, path.name + '.part')
        shutil.copy2(str(path), str(partial))
        os.replace(str(partial), str(Path(folder, path.name)))
    return iteration


def forget(kept: PathLike) -> None:
    """Remove the copy: the run has come to its end, or starts afresh."""
    shutil.rmtree(os.fspath(kept), ignore_errors=True)
