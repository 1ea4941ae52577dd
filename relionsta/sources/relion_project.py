"""Which folder is the project that the paths in a STAR file or a job of RELION are relative to."""
import re
from pathlib import Path
from typing import Iterator, Optional, Union

import pandas as pd

from ..star import StarError, read_star
from .text import SourceError

JOB_STAR = 'job.star'
PIPELINE = 'default_pipeline.star'
JOB_NUMBER = re.compile(r'job(\d+)$')
#: Columns that name other files, one of which has to be found under the project.
_NAMES = ('rlnTomoParticlesFile', 'rlnTomoTomogramsFile', 'rlnTomoTiltSeriesStarFile', 'rlnTomoTiltSeriesName',
          'rlnImageName')
_MOST_FILES = 12


def find_project(path: Path, given: Union[str, Path, None] = None) -> Path:
    """RELION's project folder for a file or job folder (absolute).

    given: what the user says. Else the nearest folder above from which a file is found that is named there, or in the job's
    other files; else the one with RELION's pipeline; else the folder above Type/jobNNN; else that of the file itself.
    Raises SourceError for a given one that is no folder.
    """
    if given:
        root = Path(str(given)).expanduser().absolute()
        if not root.is_dir():
            raise SourceError('%s: there is no such folder. Give the folder that RELION was started in, or leave it empty.'
                              % given)
        return root
    above = ([path] if path.is_dir() else []) + list(path.parents)
    names = list(_names(path))
    if path.is_file() and (path.parent / JOB_STAR).is_file():
        names += _names(path.parent)
    for folder in above:
        if any((folder / name).is_file() for name in names):
            return folder
    for folder in above:
        if (folder / PIPELINE).is_file():
            return folder
    for folder in above:
        if (folder / JOB_STAR).is_file() and len(folder.parents) > 1:
            return folder.parent.parent
    return above[0]


def job_of(path: Path) -> Optional[Path]:
    """The folder of the job in which a file lies; None where none has a job's name."""
    return next((folder for folder in path.parents if JOB_NUMBER.search(folder.name)), None)


def _names(path: Path) -> Iterator[str]:
    """Relative paths in a STAR file, or in the small ones of a folder."""
    files = [path] if path.is_file() else sorted(path.glob('*.star'), key=lambda one: one.stat().st_size)[:_MOST_FILES]
    for file in files:
        try:
            blocks = read_star(file, only={'particles': ('rlnImageName',)})
        except StarError:
            continue  # it is another file's turn; a file that matters is read again, and refused then
        for table in blocks.values():
            yield from _first_names(table)
            if 'rlnJobOptionValue' in table:
                yield from (text for text in map(str, table['rlnJobOptionValue'])
                            if '/' in text and text.endswith(('.star', '.mrc')) and not text.startswith('/'))


def _first_names(table: pd.DataFrame) -> Iterator[str]:
    for label in _NAMES:
        if label in table and len(table):
            name = str(table[label].iloc[0]).rpartition('@')[2]
            if name and name != 'None' and not name.startswith('/'):
                yield name[:-len(':mrcs')] if name.endswith(':mrcs') else name
