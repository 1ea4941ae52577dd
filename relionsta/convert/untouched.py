"""Is a set of particles as it was when it was made of its STAR file? Then that file's rows need not be made anew.

A set that a job has just made is, most often, the next job's input as it is. The set keeps a digest of what it took from
the file (names, poses, classes, half sets, in the order of both) and of the file's size and time. Anything that changed
since, in the set, in the file, or in where the coordinates count from, gives another digest, and the rows are compared
one by one as those of any other set.
"""
import hashlib
import os
from typing import Any, List, Mapping, Optional, Sequence, Set, Tuple

import numpy as np

from relionsta.objects import SetOfStaParticles
from relionsta.star.reader import read_plain

from .bulk import first_values, number_of_items, stored_values
from .particle_rows import ParticleRows
from .parts import BODY, CLASS, COORDINATE_PATHS, HALF, PARTICLE_FILES, UNWANTED, mend_optics, volumes_of

NAME_ID, TOMOGRAM_ID, MATRIX = '_particleName', '_coordinate._tomoId', '_transform._matrix'
_TEXTS = (NAME_ID, TOMOGRAM_ID, MATRIX)
CLASS_ID, SUBSET = '_classId', '_randomSubset'
_NUMBERS = (*COORDINATE_PATHS, CLASS_ID, SUBSET)
_PARTICLES = 'particles'
_HALVES = {1, 2}


class Digest:
    """The digest of particles whose attributes come all at once or piece by piece, in their order."""

    def __init__(self) -> None:
        self._columns = {path: hashlib.sha1() for path in _TEXTS + _NUMBERS}
        #: all values that occur
        self.series: Set[str] = set()
        self.classes: Set[Optional[int]] = set()
        self.halves: Set[Optional[int]] = set()

    def add_texts(self, path: str, values: Sequence[Optional[str]]) -> None:
        """The next particles' values of an attribute, as Scipion stores them."""
        text = '\n'.join(['' if value is None else value for value in values] if None in values else values)
        self._columns[path].update((text + '\n').encode('utf-8'))

    def add_numbers(self, path: str, values: Any) -> None:
        """The same for numbers."""
        self._columns[path].update(np.asarray(values, dtype=np.float64).tobytes())

    def text(self, particles: SetOfStaParticles, path: str) -> Optional[str]:
        """The whole digest, with all else that the rows of the file `path` depend on; None where the file is gone."""
        file = file_state(path)
        if file is None:
            return None
        whole = hashlib.sha1()
        for part in (path, *file, particles.getCoordinatesPixelSize(), particles.getKind(),
                     particles.getSamplingRate(), self._offsets(particles),
                     *(self._columns[column].hexdigest() for column in _TEXTS + _NUMBERS)):
            whole.update(('%s\n' % (part,)).encode('utf-8'))
        return whole.hexdigest()

    def _offsets(self, particles: SetOfStaParticles) -> List[str]:
        """What centered_from_scipion adds in each tomogram."""
        coordinates = particles.getCoordinates3D()
        if coordinates is None:
            return []
        series = np.array(sorted(self.series), dtype=object)
        return [repr(row) for row in volumes_of(coordinates, series).reindex(series).values.tolist()]


def digest_of_columns(columns: Mapping[str, Any], same: Mapping[str, Any]) -> Digest:
    """The digest of columns (n,) as write_items takes them, but for the matrices, which are added as they are written.

    same: attribute path -> value, of attributes that are the same in all particles and have no column.
    """
    digest, n = Digest(), len(columns[NAME_ID])
    for path in (NAME_ID, TOMOGRAM_ID):
        digest.add_texts(path, columns[path].tolist())
    for path in _NUMBERS:
        digest.add_numbers(path, columns[path] if path in columns else np.full(n, same[path], dtype=np.float64))
    digest.series.update(columns[TOMOGRAM_ID])
    return digest


def file_state(path: str) -> Optional[Tuple[int, int]]:
    """Size (bytes) and time (ns) of a file; None where it is gone."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns


def untouched_rows(particles: SetOfStaParticles) -> Optional[ParticleRows]:
    """The rows of the file that the set was made of, where they are, all and in their order, those of the set.

    None where that is not certain, and for files that are small or have to be read with care.
    """
    known, path = particles.getDigest(), particles.getDigestFile()
    if not known or not path:
        return None
    found = read_plain(path, {_PARTICLES: ()})
    if found is None or _PARTICLES not in found.loops or any(name.startswith(BODY) for name in found.tables):
        return None
    loop = found.loops[_PARTICLES]
    if number_of_items(particles, enabled_only=True) != len(loop.rows) - 1:
        return None
    digest = _digest_of_set(particles, path)
    if digest is None or digest.text(particles, path) != known:
        return None
    is_split = digest.halves <= _HALVES
    if (digest.halves & _HALVES and not is_split) or (is_split and HALF not in loop.labels) or (
            digest.classes != {None} and CLASS not in loop.labels):
        return None
    left_out = [UNWANTED] + ([] if is_split else [HALF])
    blocks = {**found.tables, _PARTICLES: found.tables[_PARTICLES]}
    mend_optics(particles, blocks)
    return ParticleRows(path, loop, np.arange(len(loop.rows) - 1),
                        {label: None for label in loop.labels if label in left_out}, blocks)


def _digest_of_set(particles: SetOfStaParticles, path: str) -> Optional[Digest]:
    """None where the particles do not all name this file, and the same tomograms and trajectories."""
    digest, paths = Digest(), (*_TEXTS, *_NUMBERS)
    files = dict(zip(PARTICLE_FILES, first_values(particles, PARTICLE_FILES, enabled_only=True)))
    if files[PARTICLE_FILES[0]] != path:
        return None
    for *piece, differs in stored_values(particles, paths, files):
        if any(differs):
            return None
        values = dict(zip(paths, piece))
        for text in _TEXTS:
            digest.add_texts(text, values[text])
        for number in _NUMBERS:
            digest.add_numbers(number, values[number])
        digest.series.update(values[TOMOGRAM_ID])
        digest.classes.update(values[CLASS_ID])
        digest.halves.update(values[SUBSET])
    return None if None in digest.series else digest  # of no tilt series: its place is told elsewhere
