"""A Scipion project opened from the command line."""
import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any, Iterator, Optional

#: What a database of SQLite begins with.
_SQLITE = b'SQLite format 3\0'


class NoProject(Exception):
    """There is no such project, or no such run in it; the message says what there is."""


@contextlib.contextmanager
def opened_project(folder: Path) -> Iterator[Any]:
    """Within: the project in this folder, whose folder is the working directory. Raises NoProject.

    Outside of Scipion a configuration of its own is used, and thrown away.
    """
    folder = folder.absolute()
    _check_database(folder)
    with tempfile.TemporaryDirectory() as scratch:
        if 'SCIPION_HOME' not in os.environ:
            from ..demo.scipion_home import prepare_scipion
            prepare_scipion(Path(scratch))
        before = os.getcwd()
        try:
            import pyworkflow
            from pyworkflow.project import Project
            project = Project(pyworkflow.Config.getDomain(), str(folder))
            project.load()
            yield project
        finally:
            os.chdir(before)


def _check_database(folder: Path) -> None:
    """Raise NoProject unless the folder holds a database; SQLite would make one of an empty file."""
    path = folder / 'project.sqlite'
    try:
        with open(path, 'rb') as file:
            is_database = file.read(len(_SQLITE)) == _SQLITE
    except (FileNotFoundError, NotADirectoryError):
        raise NoProject('%s is no Scipion project: it has no project.sqlite.' % folder) from None
    except OSError as error:
        raise NoProject('%s cannot be read (%s).' % (path, error.strerror)) from error
    if not is_database:
        raise NoProject('%s is no database: it was cut, or overwritten. Bring it back from a copy; the runs themselves are '
                        'in the folder Runs, and each has a copy of the project as it was when it was started '
                        '(Runs/*/logs/run.db).' % path)


def one_run(project: Any, number: Optional[int]) -> Any:
    """The run with this number; None for None. Raises NoProject with the numbers that there are."""
    runs = project.getRuns()
    found = next((run for run in runs if run.getObjId() == number), None)
    if number is not None and found is None:
        raise NoProject('The project has no run %d; it has %s.' % (number, ', '.join(
            '%d (%s)' % (run.getObjId(), run.getRunName()) for run in runs)))
    return found
