"""Torn files: whatever reads one has the right answer, or says which file is wrong."""
import os
import re
import time
from pathlib import Path
from typing import Any, List, Optional

from ...jobs import files
from ...results.iterations import iteration_of
from .finished import MAKERS, finished, project_case
from .injectors.tear import Snapshot, Tear, is_hidden, same_values, tears_for
from .ledger import Ledger
from .reading import REFUSALS, Answer, Reader, readers_of
from .reading_on import outside_readers

#: Kinds of jobs in the quick selection, and how many files are torn in each.
QUICK, QUICK_TRIES = ('extract', 'class3d'), 12
#: Files torn in each kind of job by the whole campaign, and how many of those are also drawn as figures.
TRIES, DRAWN = 30, 3
READERS_AT_ONCE = 2
#: Of the runs that are torn.
MOST_CLASSES = 2
#: RELION's own, which nobody reads but its GUI and pdf viewers, and our record of the commands.
NOT_READ = ('run.sh', 'default_pipeline.star')
#: After these a file is shorter than it was.
CUTS = ('cut', 'cut after a line', 'emptied', 'header cut')

SMALL_TABLES, WEIGHTS = ('_model.star', '_optimiser.star', '_sampling.star', '_optimisation_set.star'), '_weights.mrc'

#: Case, reason, advice.
OPEN = (
    ('half of an older iteration in the small tables of an iteration (model, optimiser, sampling)',
     'RELION writes numbers of one width without a checksum, so a half of the iteration before fits in without a seam. '
     'Particles and maps are compared with the model and with their headers; the curves of convergence are not.',
     'After a power cut or trouble with a network disk, look at the next iteration, or Continue with one more.'),
    ('half of an older iteration in the particles of an initial model',
     'Its iterations take some of the particles, so rows that stayed as they were are right, and nothing tells them from '
     'old ones.',
     'After a power cut or trouble with a network disk, run it again: it is quick.'),
    ('a block of zeros within a subtracted image, or within the weights of a pseudo-subtomo',
     'relion_particle_subtract writes each image under the header of the image before, so its statistics say nothing; '
     'weights are zero in most places.',
     'After a power cut, run the job again.'),
    ('a block of zeros where a map is nearly zero, as in its corners',
     'Minimum, maximum, mean and deviation stay what the header says, within 2e-5 of the deviation, and builds of RELION in '
     'single precision do not know them better.',
     'Nothing need be done: what was lost is as small.'),
)


def run(ledger: Ledger) -> None:
    """Tear files of every kind of job, one at a time."""
    names = QUICK if ledger.quick else [one.name for one in MAKERS if one.name != 'halved']
    start = time.time()
    runs = finished(*names)
    ledger.note('seconds to make the runs', round(time.time() - start))
    for name in names:
        tear_run(ledger, name, runs[name].getObjId(), QUICK_TRIES if ledger.quick else TRIES)
    for case in OPEN:
        ledger.open(*case)


def tear_run(ledger: Ledger, name: str, number: int, tries: int) -> None:
    """Tear files of a run, `tries` of them for the quick readers; each try is a case of its own."""
    project = project_case().proj

    def load() -> Any:
        return project.getProtocol(number)

    one = load()
    snapshot = Snapshot(Path(one._getPath()))
    victims = _victims(one)
    readers = readers_of(one) + ([] if ledger.quick else outside_readers(one))
    truth = {}
    for reader in [reader for reader in readers if not (ledger.quick and reader.slow)]:
        with ledger.case('%s: whole, %s' % (name, reader.name)):
            truth[reader.name] = reader.read(load())
    quick, slow = ([reader for reader in readers if reader.name in truth and reader.slow is is_slow]
                   for is_slow in (False, True))
    snapshot.restore()
    for order in range(tries + (DRAWN if slow else 0)):
        path = victims[int(ledger.random.integers(len(victims)))]
        ways = tears_for(path)
        tear = ways[int(ledger.random.integers(len(ways)))]
        before = path.read_bytes()
        torn = tear.do(before, path, ledger.random)
        while torn is None:
            tear = ways[int(ledger.random.integers(len(ways)))]
            torn = tear.do(before, path, ledger.random)
        if _cannot_be_told(name, path, tear) or is_hidden(path, before, torn):
            continue
        with ledger.case('%s %d: %s, %s' % (name, order, os.path.relpath(str(path), one._getPath()), tear.name)):
            try:
                for reader in slow if order >= tries else _some(quick, ledger):
                    path.write_bytes(torn)
                    problem = _judge(reader, load(), path, before, truth[reader.name]) or (
                        _counted(reader, load(), path, before) if tear.name in CUTS else None)
                    if problem:
                        raise AssertionError('%s: %s' % (reader.name, problem))
                    snapshot.restore()
            finally:
                snapshot.restore()


def _cannot_be_told(name: str, path: Path, tear: Tear) -> bool:
    """Harm that no reader can see, whatever it does; these cases are open."""
    if tear.name == 'half of an older iteration':
        return name == 'initial model' or path.name.endswith(SMALL_TABLES)
    return tear.name == 'a block of zeros' and path.suffix == '.mrc' and (name == 'subtract' or path.name.endswith(WEIGHTS))


def _victims(one: Any) -> List[Path]:
    """The files that RELION and we wrote for a run."""
    return sorted(Path(place) / name for place, _, names in os.walk(one._getExtraPath()) for name in names
                  if name not in NOT_READ and not name.startswith('RELION_JOB')
                  and not os.path.islink(os.path.join(place, name)) and os.path.getsize(os.path.join(place, name)) > 1)


def _some(readers: List[Reader], ledger: Ledger) -> List[Reader]:
    """What makes the outputs, or another two."""
    if len(readers) <= READERS_AT_ONCE:
        return readers
    return [readers[place] for place in sorted(ledger.random.permutation(len(readers))[:READERS_AT_ONCE])]


def _judge(reader: Reader, one: Any, path: Path, before: bytes, right: Answer) -> Optional[str]:
    """What is wrong with what a reader makes of a torn file; None where it is right."""
    try:
        found = reader.read(one)
    except REFUSALS as error:
        return None if path.name in str(error) else 'the file is not named: %s: %s' % (type(error).__name__, error)
    if reader.tells and path.name in found.values['told']:
        return None
    if os.path.normpath(str(path)) in (found if reader.tells else right).files and not same_values(path, before):
        return 'it became part of an output'
    if reader.tells:
        other = [key for key, value in right.values.items() if key != 'told' and found.values.get(key) != value]
        return 'without a word it makes %s otherwise' % other if other else None
    if reader.parts:
        other = [key for key, value in found.values.items()
                 if key != 'told' and right.values.get(key) != value and not _of_another_iteration(key, right)]
        return 'it shows %s otherwise' % other if other else None
    if found.values == right.values or (isinstance(found.values, str) and path.name in found.values):
        return None
    return 'another answer: %s' % _difference(found.values, right.values)


def _counted(reader: Reader, one: Any, path: Path, before: bytes) -> Optional[str]:
    """What is wrong where the iteration of a file that was cut counts as complete; None where it does not."""
    number = iteration_of(path)
    if not reader.counts or number is None or same_values(path, before):
        return None
    every = files.iteration_files(one._job.type, files.RUN, number, MOST_CLASSES).values()
    return 'iteration %d counts as complete' % number if path.name in every and number in reader.read(one).values else None


def _of_another_iteration(key: Any, right: Answer) -> bool:
    """True for a part of a figure whose title or label names an iteration that the whole files are not shown for."""
    words = [word for word in key[:3] if isinstance(word, str) and re.search(r'[Ii]teration \d', word)] if isinstance(
        key, tuple) else []
    return bool(words) and not any(isinstance(one, tuple) and set(words) <= set(one[:3]) for one in right.values)


def _difference(found: Any, right: Any) -> str:
    if isinstance(found, dict):
        return ', '.join(sorted(str(key) for key in set(found) | set(right) if found.get(key) != right.get(key)))
    return '%.300s' % (found,)
