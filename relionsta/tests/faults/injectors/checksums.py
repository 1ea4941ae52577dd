"""Checksums and times of files, to see whether anything changed them."""
import hashlib
import os
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Union

PathLike = Union[str, Path]


class Mark(NamedTuple):
    """Of a file: bytes, nanoseconds of its last change, and the digest of what is in it."""

    size: int
    changed: int
    digest: str


def marks_of(places: Iterable[PathLike]) -> Dict[str, Mark]:
    """Marks of files, and of all files in folders, by real path (links are followed, each file counts once)."""
    found: Dict[str, Mark] = {}
    for place in places:
        for path in _files(os.path.realpath(str(place))):
            if path not in found:
                found[path] = _mark(path)
    return found


def differences(before: Dict[str, Mark]) -> List[str]:
    """What has happened to these files since, a sentence each; [] where nothing has."""
    told = []
    for path, mark in before.items():
        if not os.path.exists(path):
            told.append('%s is gone' % path)
            continue
        now = _mark(path)
        if now.digest != mark.digest:
            told.append('%s has other contents (%d bytes, before %d)' % (path, now.size, mark.size))
        elif now.changed != mark.changed:
            told.append('%s was written again' % path)
    return told


def new_files(places: Iterable[PathLike], before: Dict[str, Mark]) -> List[str]:
    """Files in these folders that were not there."""
    return sorted(path for place in places for path in _files(os.path.realpath(str(place))) if path not in before)


def _files(place: str) -> Iterator[str]:
    if os.path.isfile(place):
        yield place
    for folder, _, names in os.walk(place):
        for name in names:
            path = os.path.realpath(os.path.join(folder, name))
            if os.path.isfile(path):
                yield path


def _mark(path: str) -> Mark:
    digest = hashlib.sha1()
    with open(path, 'rb') as file:
        for piece in iter(lambda: file.read(1 << 20), b''):
            digest.update(piece)
    state = os.stat(path)
    return Mark(state.st_size, state.st_mtime_ns, digest.hexdigest())
