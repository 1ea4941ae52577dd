"""What a run was asked, kept in its folder, so that a later try knows whether it may go on with what is there."""
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Union

from ..star import read_star
from ..whole import whole
from .job import NEWEST, Job, Values
from .option import Kind, Version

PathLike = Union[str, Path]
#: Options that say how the work is done and not what comes of it.
HOW: FrozenSet[str] = frozenset((
    'nr_mpi', 'nr_threads', 'use_gpu', 'gpu_ids', 'nr_pool', 'do_parallel_discio', 'do_preread_images', 'scratch_dir',
    'do_combine_thru_disc'))
ITERATIONS = 'nr_iter'
TOMOGRAMS = 'in_tomograms'
SERIES = 'rlnTomoTiltSeriesStarFile'


class Asked(NamedTuple):
    """The values of all options, and by option a digest of the file that it names (where there is one).

    The digest of a tomograms.star covers the STAR files of its tilt series.
    """

    type: str
    values: Values
    files: Dict[str, str]


class Plan(NamedTuple):
    """What a try has to do. start: the iteration to go on from, None: afresh. run: False where nothing is to be run."""

    start: Optional[int]
    run: bool


def asked(job: Job, values: Mapping[str, Any], version: Version = NEWEST) -> Asked:
    """What a job is asked with these values; files that they name are read."""
    complete = job.complete(values, version)
    paths = {option.name: Path(str(complete[option.name])) for option in job.options if option.kind is Kind.PATH}
    return Asked(job.type, complete, {name: digest(*_with_series(name, path)) for name, path in paths.items()
                                   if path.is_file()})


def write_asked(path: PathLike, what: Asked) -> None:
    """Keep it as JSON, written to a temporary name first."""
    with whole(path) as partial:
        partial.write_text(json.dumps(what._asdict(), indent=1, sort_keys=True) + '\n', encoding='utf-8')


def read_asked(path: PathLike) -> Optional[Asked]:
    """What was kept; None where there is nothing, or nothing that this version can read."""
    try:
        kept = json.loads(Path(path).read_text(encoding='utf-8'))
        return Asked(str(kept['type']), dict(kept['values']), dict(kept['files']))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def differing(one: Asked, other: Asked) -> FrozenSet[str]:
    """Names of the options in which two requests differ, by value or by what is in the file."""
    names = set(one.values) | set(other.values)
    return frozenset(name for name in names
                     if one.values.get(name) != other.values.get(name) or one.files.get(name) != other.files.get(name))


def is_same_work(before: Optional[Asked], now: Asked) -> bool:
    """True where the same result was asked for, perhaps with other numbers of processes and the like."""
    return before is not None and before.type == now.type and differing(before, now) <= HOW


def may_go_on(job: Job, before: Optional[Asked], now: Asked) -> bool:
    """True where a run that was asked `before` can go on as `now`: what differs may change on the way."""
    changeable = HOW | job.on_continue | job.only_after(now.values)
    return before is not None and before.type == now.type and differing(before, now) <= changeable


def plan(job: Job, before: Optional[Asked], now: Asked, complete: List[int], finished: bool = False,
         wanted: Optional[int] = None) -> Plan:
    """What a try has to do in a folder where a run that was asked `before` left these complete iterations.

    complete: numbers of the iterations that the run itself made, ascending. finished: a run without a number of
    iterations has come to its end (convergence). wanted: the iteration that shall become the output, None: the last.
    """
    if before is None or not complete or not may_go_on(job, before, now):
        return Plan(None, True)
    total = now.values.get(ITERATIONS)
    unchanged = differing(before, now) <= HOW | job.only_after(now.values) | {ITERATIONS}
    if unchanged and (wanted in complete or finished or total in complete):
        return Plan(None, False)
    if total is not None and complete[-1] >= int(total):
        return Plan(None, True)  # other settings, and no iteration left for them
    return Plan(complete[-1], True)


def _with_series(name: str, path: Path) -> List[Path]:
    """A file, and for a tomograms.star those of its tilt series, which hold alignment and CTF."""
    if name != TOMOGRAMS:
        return [path]
    table = read_star(path, ['global'])['global']
    return [path] + [Path(series) for series in table.get(SERIES, ())]


def digest(*paths: PathLike) -> str:
    """A text that changes with what is in the files, one after the other."""
    result = hashlib.sha1()
    for path in paths:
        with open(path, 'rb') as file:
            for block in iter(lambda: file.read(1 << 20), b''):
                result.update(block)
    return result.hexdigest()
