"""All that reads the files of a finished run, done in this process without changing the project."""
import hashlib
import os
import re
import sqlite3
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple
from unittest import mock

import numpy as np
from matplotlib.figure import Figure

from relionsta.protocols.full_disk import DiskFull
from relionsta.protocols.runner import RelionFailed, spentText
from relionsta.report.figures import figuresOf
from relionsta.results.arrived import LATE_VARIABLE
from relionsta.results.follow import Follower
from relionsta.results.history import read_iteration
from relionsta.results.iterations import complete_iterations, is_converged
from relionsta.results.model import Model

#: What a reader may raise: errors that are shown to people as they are.
REFUSALS = (ValueError, RelionFailed, DiskFull)
ITERATIVE = ('ProtStaInitialModel', 'ProtStaClass3D', 'ProtStaRefine3D', 'ProtStaMultiBody')
_DIGEST = re.compile('[0-9a-f]{40}')
FLOW = 'flow'
CANNOT = 'The results cannot be read'


class Answer(NamedTuple):
    """What a reader has found. values: comparable; files: those that it hands on to others, by their paths."""

    values: Any
    files: frozenset = frozenset()


def make_outputs(run: Any, patience: float = 0.) -> Answer:
    """The outputs as createOutputStep would make them now, but not kept in the project.

    patience: seconds that it waits for files that come late.
    """
    made: Dict[str, Any] = {}
    run._defineOutputs = lambda **outputs: made.update(outputs)
    run._defineSourceRelation = lambda *_: None
    run._store = lambda *_: None
    with mock.patch.dict(os.environ, {LATE_VARIABLE: str(patience)}):
        run._awaitResults()
    run._makeOutputs()
    return Answer({name: content_of(output) for name, output in made.items()}, frozenset(named_by(made.values())))


def content_of(output: Any) -> Any:
    """Rows of a set's tables, or the attributes of an object."""
    attributes = sorted((name, str(value)) for name, value in output.getObjDict().items()
                        if not name.endswith(("_mapperPath", "_digest")))
    path = output.getFileName() if hasattr(output, 'iterItems') else None
    if not path:
        return attributes
    with sqlite3.connect(path) as base:
        tables = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")]
        rows = {name: [tuple(_settled(value) for key, value in zip(_columns(base, name), row) if key != 'creation')
                       for row in base.execute('SELECT * FROM "%s"' % name)] for name in tables if name != 'Properties'}
    return rows, [one for one in attributes if not one[0].endswith('_size')]


def _settled(value: Any) -> Any:
    """A set also remembers digests of its files with their times, which change when a file is written again."""
    return 'digest' if isinstance(value, str) and _DIGEST.fullmatch(value) else value


def _columns(base: sqlite3.Connection, name: str) -> List[str]:
    return [row[1] for row in base.execute('PRAGMA table_info("%s")' % name)]


def named_by(outputs: Any) -> List[str]:
    """The files that outputs name: maps, images, STAR files, and the STAR files that those name."""
    words = {word.rpartition('@')[2] for output in outputs for word in _words(content_of(output))}
    found = {os.path.normpath(word[:-len(':mrcs')] if word.endswith(':mrcs') else word) for word in words}
    files = {path for path in found if os.path.isfile(path)}
    for star in [path for path in files if path.endswith('tomograms.star')]:
        text = Path(star).read_text()
        files |= {os.path.normpath(word) for word in text.split() if word.endswith('.star') and os.path.isfile(word)}
    for star in [path for path in files if path.endswith('.star') and 'particles' in path or '_data' in path]:
        files |= {os.path.normpath(word) for word in Path(star).read_bytes().decode(errors='replace').split()
                  if word.endswith(('.mrc', '.mrcs')) and os.path.isfile(word)}
    return sorted(files)


def _words(content: Any) -> List[str]:
    if isinstance(content, str):
        return content.replace(',', ' ').split()
    if isinstance(content, dict):
        content = list(content.values())
    return [word for one in content for word in _words(one)] if isinstance(content, (list, tuple)) else []


def followed(run: Any) -> Answer:
    """What the live view shows of each iteration, and of the end."""
    follower = Follower(run._getJobPath(), run._job.type, log=run.getStdoutLog())
    follower.changed()
    follower.status()
    values = {number: _plain(one) for number, one in follower.iterations.items()}
    if isinstance(follower.final, Model):
        values[-1] = _plain(follower.final)
    return Answer(values)


def iterations(run: Any) -> Answer:
    """Each iteration that counts as complete, with its numbers; -1: the end of an auto-refinement."""
    folder, kind = run._getJobPath(), run._job.type
    values: Dict[int, Any] = {number: _plain(read_iteration(folder, kind, number))
                              for number in complete_iterations(folder, kind) if number > 0}
    if is_converged(folder, job_type=kind):
        values[-1] = True
    return Answer(values)


def goes_on(run: Any) -> Answer:
    """The iterations from which a Continue would go on."""
    return Answer({number: True for number in run._getSoundIterations()})


def _plain(value: Any) -> Any:
    """Numbers and texts of a tree of tuples and data classes, so that nan equals nan."""
    if isinstance(value, np.ndarray):
        return tuple(value.tolist()).__repr__()
    if hasattr(value, '__dataclass_fields__'):
        return tuple(_plain(getattr(value, name)) for name in value.__dataclass_fields__)
    return tuple(map(_plain, value)) if isinstance(value, (tuple, list)) else repr(value)


def summary(run: Any) -> Answer:
    """Summary and methods as the project window shows them; a summary that says why it is none is a refusal."""
    lines = run.summary() + run.methods() + spentText(run)
    wrong = [line for line in lines if CANNOT in line]
    if wrong:
        raise ValueError(wrong[0])
    return Answer('\n'.join(lines))


def figures(run: Any) -> Answer:
    """The points and images of every figure that Analyze Results opens, each of them a value: a figure may leave an
    iteration out, or not be shown with the reason; what it shows is right. Of a flow between iterations nothing is compared:
    where one is left out, the flow is between its neighbours."""
    told: List[str] = []
    found = {part: True for title, figure in figuresOf(run, run.getProject(), told.append) if FLOW not in title
             for part in _drawn('%s: %s' % (title, ', '.join(_titles(figure))), figure)}
    return Answer({**found, 'told': '\n'.join(told)})


def _titles(figure: Figure) -> List[str]:
    """Its title, and those of its axes."""
    over = [figure._suptitle.get_text()] if figure._suptitle else []
    return over + [axes.get_title(place) for axes in figure.axes for place in ('left', 'center')]


def _drawn(title: str, figure: Figure) -> List[Tuple[Any, ...]]:
    parts: List[Tuple[Any, ...]] = []
    for number, axes in enumerate(figure.axes):
        for line in axes.lines:
            points = np.asarray(line.get_xydata(), dtype=float).round(6)
            points = points[np.isfinite(points).all(axis=1)]
            parts += [(title, number, line.get_label(), *map(repr, point)) for point in points]
        parts += [(title, number, hashlib.sha1(np.asarray(image.get_array(), dtype=float).round(6).tobytes()).hexdigest())
                  for image in axes.images]
    return parts


class Reader(NamedTuple):
    """name; read: what it finds in a run; slow: for a few tries only; parts: it may find less than all, but nothing else;
    tells: it may find something else, and names the file then; counts: what it finds are iterations that are complete."""

    name: str
    read: Callable[[Any], Answer]
    slow: bool = False
    parts: bool = False
    tells: bool = False
    counts: bool = False


READERS = (Reader('outputs', make_outputs), Reader('summary', summary), Reader('figures', figures, slow=True, parts=True))
OF_ITERATIONS = tuple(Reader(name, read, parts=True, counts=True) for name, read in (
    ('iterations', iterations), ('live view', followed), ('continue', goes_on)))


def readers_of(run: Any) -> List[Reader]:
    """All that reads the files of a run."""
    return list(READERS) + (list(OF_ITERATIONS) if type(run).__name__ in ITERATIVE else [])
