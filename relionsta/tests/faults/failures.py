"""Every failure has a name, a reason and a next step.

Real programs are made to fail (provoked.py), messages that they cannot be made to print are played back (recorded.py), and
runs of protocols fail from end to end, with real RELION and with one that only plays a text.
"""
import os
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Tuple

from pyworkflow.object import Pointer

from relionsta.demo.project import new_protocol
from relionsta.results.failures import KNOWN_FAILURES
from relionsta.results.known_failure import KnownFailure
from relionsta.results.log import LAST_LINES, LONGEST_LINE, SEARCHED, explain, failure_message
from relionsta.tests.protocols.case import shared_road
from relionsta.tests.protocols.scene import SETTINGS

from .injectors.around import in_folder
from .injectors.bench import Bench
from .injectors.played import PlayedRelion
from .ledger import Ledger
from .provoked import PROVOKED
from .recorded import HARMLESS, RECORDED

#: A progress bar at work: what follows it is in its line.
BAR = '000/??? sec ~~(,_,">                                                          [oo]'
#: A log that went well so far, as RELION prints it.
BEFORE = (' Running CPU instructions in double precision. \n Estimating initial noise spectra from at most 10 particles \n'
          '   2/   2 sec %s~~(,_,"> yum!\n Expectation iteration 1 of 4\n%s\r%s') % ('.' * 60, BAR, BAR)
AFTER = ('\n=== Backtrace  ===\n/usr/bin/relion_refine(+0x94255) [0x55a71e109255]\n==================\n'
         'prterun noticed that process rank 1 with PID 7 on node x exited on\nsignal 15 (Terminated).\n')
MOST_BYTES = 4000  # of an error line: people read it in a small window


class Played(NamedTuple):
    """A run of a protocol with a RELION that plays a text. words: that its error has; absent: that it has not."""

    what: str
    said: Dict[str, Any]
    words: Tuple[str, ...]
    absent: Tuple[str, ...] = ()
    quick: bool = False


_NUMBERED = '\n'.join('line %d of a new kind' % number for number in range(1, 41))
PLAYED = (
    Played('a message that nobody knows', dict(err='BUG: something new\n'), ('that we do not know', 'BUG: something new'),
           quick=True),
    Played('an end after 40 lines', dict(err=_NUMBERED + '\n', end=3),
           ('with code 3', 'line 21 of', 'line 40 of'), ('line 20 of',)),
    Played('no word at all', dict(), ('that we do not know', 'It printed nothing')),
    Played('no word and a signal', dict(end=-9), (), ('that we do not know',)),
    Played('bytes that are no text', dict(raw=bytes(range(256)) * 40 + b'\nlast words\n'), ('last words',)),
    Played('a log of 60 MB', dict(err='x' * 99 + '\n' + ('y' * 99 + '\n') * 600000 + 'the end of it\n'), ('the end of it',)),
    Played('a line of a megabyte', dict(err='z' * 1000000 + ' the end of it\n'), ('the end of it',)),
    Played('a GPU without memory', dict(err=RECORDED[0].text, out=BEFORE), ('The GPU has too little memory',)),
    Played('a GPU that RELION was not built for', dict(err=RECORDED[6].text, out=BEFORE), ('CUDA_ARCH',)),
    Played('the time of the queue is over', dict(err=RECORDED[20].text, out=BEFORE, end=-15), ('Choose Continue',)),
)

#: Real RELION in a real run: additional arguments, and the failure by its name.
REAL = (('--sym X9', 'SYMMETRY', False), ('--blush', 'BLUSH', False),
        ('--auto_refine --split_random_halves', 'MPI_THREE', False), ('--ref gone.mrc', 'NO_IMAGE', False),
        ('--fast_subsets', 'FAST_SUBSETS', False))


def run(ledger: Ledger) -> None:
    """All cases of the group."""
    road = shared_road()
    with in_folder(road.project.path):
        road.until('postprocess')
        _provoked(ledger, road)
        _recorded(ledger)
        _harmless(ledger, road)
        _real_runs(ledger, road)
        _played_runs(ledger, road)
        if not ledger.quick:
            _empty_handed(ledger, road)
    ledger.note('names', len(KNOWN_FAILURES))


def _provoked(ledger: Ledger, road: Any) -> None:
    """Real programs say it; each is known by its name, and by no other that comes before it."""
    bench = Bench(ledger.folder / 'bench', road.done)
    named = set()
    for row in PROVOKED:
        if ledger.quick and not row.quick:
            continue
        with ledger.case('%s: %s' % (row.name, row.what)):
            said = bench.run(row.command(bench), memory=row.memory)
            _equal(said.code == 0, False, 'it went well')
            _check_named(row.name, said.out + '\n' + said.err, said.code)
            named.add(row.name)
    ledger.note('provoked', len(named))


def _recorded(ledger: Ledger) -> None:
    """The same words amid progress bars, traces and the ends of other processes."""
    for number, row in enumerate(RECORDED):
        if ledger.quick and number % 4:
            continue
        with ledger.case('%s: recorded, %s' % (row.name, row.text.strip()[:40])):
            _check_named(row.name, ''.join(HARMLESS) + BEFORE + row.text + AFTER, 1)


def _check_named(name: str, text: str, code: int) -> None:
    failure = explain(text, code)
    _equal(failure and failure.name, name, 'its name')
    assert failure is not None
    mine = next(known for known in KNOWN_FAILURES if known.name == name)
    others = [known.name for known in KNOWN_FAILURES if known.name != name and _before(known, mine, text)]
    _equal(others, [], 'names that come before it')
    message = failure_message(text, code)
    for words in (mine.cause, mine.remedy):
        _equal(words in message and words.endswith(('.', '?', ').')), True, 'told: %s' % words)
    _equal(len(failure.line) > 0 and '~~(' not in failure.line and '\r' not in failure.line, True, 'line %r' % failure.line)
    _equal(len(failure.line) <= LONGEST_LINE + 10, True, 'length of the line')


def _before(other: KnownFailure, mine: KnownFailure, text: str) -> bool:
    """True where another failure would be found earlier in the text, and counts as much."""
    found, own = other.pattern.search(text), mine.pattern.search(text)
    if found is None or own is None:
        return found is not None and not other.weak
    return (other.weak, found.start()) < (mine.weak, own.start())


def _harmless(ledger: Ledger, road: Any) -> None:
    """What RELION prints in runs that went well is never the reason of a failure."""
    for number, text in enumerate(HARMLESS):
        with ledger.case('harmless warning %d' % number):
            _equal(explain(BEFORE + text), None, text)
    for job, protocol in road.done.items():
        with ledger.case('log of a good run: %s' % job):
            for path in protocol.getLogPaths()[:2]:
                if os.path.exists(path):
                    _equal(explain(Path(path).read_text(errors='replace')), None, path)


def _class3d(road: Any, label: str, **values: Any) -> Any:
    done = road.done
    return new_protocol(road.project, 'ProtStaClass3D', label, dict(
        inputParticles=Pointer(done['extract'], extended='outputParticles'), particle_diameter=SETTINGS.diameter,
        referenceVolume=Pointer(done['reconstruct'], extended='average'), **dict(SETTINGS.class3d, **values)))


def _real_runs(ledger: Ledger, road: Any) -> None:
    for arguments, name, quick in REAL:
        if ledger.quick and not quick:
            continue
        with ledger.case('run of a protocol with %s' % arguments):
            protocol = _class3d(road, arguments, other_args=arguments)
            known = next(known for known in KNOWN_FAILURES if known.name == name)
            _check_failed_run(road, protocol, (known.cause, known.remedy))


def _played_runs(ledger: Ledger, road: Any) -> None:
    relion = PlayedRelion(ledger.folder / 'played')
    for row in PLAYED:
        if ledger.quick and not row.quick:
            continue
        with ledger.case('run of a protocol that ends with %s' % row.what), relion.used():
            relion.says(**row.said)
            protocol = _class3d(road, row.what)
            message = _check_failed_run(road, protocol, row.words)
            for words in row.absent:
                _equal(words in message, False, '%r in %s' % (words, message[-MOST_BYTES:]))
            if 'that we do not know' in message:
                logs = protocol.getLogPaths()[:2]
                _equal([log for log in logs if log not in message or not os.path.exists(log)], [], 'logs that are not told')
                _equal(len(message.splitlines()) <= LAST_LINES + 5, True, 'lines of the message')


def _empty_handed(ledger: Ledger, road: Any) -> None:
    """Exit code 0, and nothing was made: every job must see it."""
    relion = PlayedRelion(ledger.folder / 'empty handed')
    for job, again in _AGAIN.items():
        with ledger.case('%s: exit code 0 and nothing made' % job), relion.used():
            relion.says(out='All done!\n', end=0)
            _check_failed_run(road, again(road), ('ended without an error', 'All done!'))


def _copy(job: str) -> Callable[[Any], Any]:
    """The run of a job of the road once more."""
    def again(road: Any) -> Any:
        return road.project.copyProtocol(road.done[job])
    return again


_AGAIN = {job: _copy(job) for job in ('extract', 'reconstruct', 'class3d', 'mask', 'refine3d', 'postprocess')}


def _check_failed_run(road: Any, protocol: Any, words: Tuple[str, ...]) -> str:
    """Run it: it fails, makes no output, and its error and summary have the words; returns the error."""
    road.project.launchProtocol(protocol, wait=True)
    _equal(protocol.isFailed(), True, 'failed (%s)' % protocol.getStatus())
    _equal([name for name, _ in protocol.iterOutputAttributes()], [], 'outputs')
    message = protocol.getErrorMessage()
    summary = '\n'.join(protocol.summary())
    for told in words:
        _equal(told in message, True, '%r in %s' % (told, message[-MOST_BYTES:]))
        _equal(told in summary, True, '%r in the summary' % told)
    _equal('Traceback' in summary or '\0' in message, False, 'what people cannot read')
    _equal(len(message) <= MOST_BYTES + LAST_LINES * LONGEST_LINE and len(message) < SEARCHED, True, 'length of the message')
    return message


def _equal(found: Any, wanted: Any, what: str) -> None:
    if found != wanted:
        raise AssertionError('%s: %r, it should be %r' % (what, found, wanted))
