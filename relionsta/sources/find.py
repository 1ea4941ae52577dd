"""Find the tilt series in the output folders of AreTomo3 and other programs."""
import glob
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Set

from .text import SourceError

_MARKS = ('_TLT.txt', '_CTF.txt', '.aln')
_OTHERS = ('.mrc', '.st', '.mrcs', '', '_Vol.mrc', '_EVN_Vol.mrc', '_ODD_Vol.mrc', '_EVN.mrc', '_ODD.mrc')


@dataclass(frozen=True, order=True)
class SeriesLocation:
    """A tilt series on disk: the folder, and the name that its files start with."""

    folder: Path
    ts_id: str


def find_series(folder_or_pattern: str) -> List[SeriesLocation]:
    """All tilt series of a folder, or of the folders and files that a pattern with * and ? matches; sorted by name.

    A series is found by any of .aln, _TLT.txt and _CTF.txt, so that one which lacks a file is found as well: reading it
    tells what is missing. Raises SourceError where nothing is found, or two folders hold a series of the same name.
    """
    return find_with(folder_or_pattern, _series_of, 'there is no tilt series here (no %s): give the folder that '
                     'AreTomo3 wrote to' % ', no '.join('*' + mark for mark in _MARKS))


def find_with(folder_or_pattern: str, series_of: Callable[[Path], Set[SeriesLocation]],
              nothing: str) -> List[SeriesLocation]:
    """As find_series, of another program: series_of gives the series of a folder or file, `nothing` is said of a place
    without any."""
    text = str(Path(str(folder_or_pattern)).expanduser())
    paths = [Path(text)] if Path(text).exists() else [Path(name) for name in sorted(glob.glob(text, recursive=True))]
    if not paths:
        raise SourceError('%s: no such folder, and no file matches it: correct the path or the pattern.' % text)
    found: Dict[str, SeriesLocation] = {}
    for location in sorted({one for path in paths for one in series_of(path)}):
        other = found.setdefault(location.ts_id, location)
        if other != location:
            raise SourceError("the tilt series '%s' is in two folders, %s and %s: import them in two runs, or "
                              "rename the files of one." % (location.ts_id, other.folder, location.folder))
    if not found:
        raise SourceError('%s: %s.' % (text, nothing))
    return sorted(found.values(), key=lambda location: location.ts_id)


def _series_of(path: Path) -> Set[SeriesLocation]:
    """The series in a folder; for a file, the series that it belongs to."""
    if not path.is_dir():
        return {one for one in _series_of(path.parent) if path.name in [one.ts_id + end for end in _MARKS + _OTHERS]}
    names = [(file.name, mark) for mark in _MARKS for file in path.glob('*' + mark) if file.is_file()]
    return {SeriesLocation(path, name[:-len(mark)]) for name, mark in names if name != mark}
