"""What a running or failed RELION program says: how far it is, and why it stopped."""
import re
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence

from .failures import KNOWN_FAILURES

BAR_LENGTH = 60  # dots of a full progress bar
EXPECTATION_PART = 0.9  # of the time of an iteration: the rest is mostly maximisation
LAST_LINES = 20
_ENDED = 'RELION ended with code '
LONGEST_LINE = 400  # characters of a line for people: dumps of GPU memory are one line of thousands
SEARCHED = 200000  # characters at the end of each stream: errors come last, logs of long runs are large
# Codes of a process that the system stopped: as a shell and as Python's subprocess give them
_BY_SIGNAL = {4: 'ILLEGAL_INSTRUCTION', 7: 'BUS_ERROR', 9: 'MEMORY', 11: 'SEGFAULT', 15: 'ENDED', 25: 'DISK'}
SIGNALS: Dict[Optional[int], str] = {code: name for number, name in _BY_SIGNAL.items() for code in (128 + number, -number)}

# `  12/  34 sec ....~~(,_,">   [oo]`, units sec, min or hrs; `000/??? sec` when it starts, `yum!` when it ends
_BAR = re.compile(r'^\s*(?P<spent>[\d.]+)/\s*(?P<whole>[\d.]+|\?+)\s*(?P<unit>sec|min|hrs)\s(?P<dots>\.*)~~')
_SECONDS = {'sec': 1., 'min': 60., 'hrs': 3600.}
_ITERATION = re.compile(r'(?:Expectation|Gradient optimisation) iteration (?P<now>\d+)(?: of (?P<total>\d+))?')
_AUTO_ITERATION = re.compile(r'Auto-refine: Iteration= (?P<now>\d+)')
_TOMOGRAM = re.compile(r'\+ Tomogram (?P<now>\d+) / (?P<total>\d+)')
_RESOLUTION = re.compile(r'CurrentResolution= (?P<value>[\d.]+) Angstroms|Auto-refine: Resolution= (?P<auto>[\d.]+)')
_FINAL = re.compile(r'(?:FINAL RESOLUTION:|Final resolution \([^)]*\) is:)\s*(?P<value>[\d.]+)')
_CONVERGED = re.compile(r'Refinement has converged')
_STEP = re.compile(r'^\s*(?:==\s*|-\s+|\+\s+)?(?P<text>Estimating (?:initial noise|accuracies)|Expectation|'
                   r'Gradient optimisation|Maximization|Calculating gold-standard FSC|Loading|'
                   r'(?:Extracting|Backprojecting|Predicting|Refining|Aligning|Reconstructing) ?\w*|Masking input maps|'
                   r'Making a soft edge|Fitting straight line|Writing output)')
_NOISE = re.compile(r'^\s*(?:$|/\S+\(\+?\S*\) ?\[0x|={3,} ?Backtrace|={6,}|-{6,}|MPI_ABORT was invoked|Proc: \[|'
                    r'Errorcode: |NOTE: invoking MPI_ABORT|You may or may not see output|exactly when Open MPI kills)')
# Colours of a terminal, and characters that no terminal, window or database shows
_UNSEEN = re.compile(r'\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\ufffd\ud800-\udfff]')
_BAR_BEFORE = re.compile(r'^.*~~\(,_,">.*?(?:\[oo\]|yum!)')  # RELION's message goes on in the line of an open bar


@dataclass(frozen=True)
class Progress:
    """How far a program is.

    text: one line for people. fraction: of the whole run, 0 to 1; None where nobody knows (auto-refine goes on until
    it converges). step: of the present step, 0 to 1, and seconds_left: in it, as RELION estimates; or None.
    """

    text: str
    fraction: Optional[float] = None
    step: Optional[float] = None
    seconds_left: Optional[float] = None


@dataclass(frozen=True)
class Failure:
    """Why a program failed. name: for programs; cause and remedy: sentences; line: what RELION printed, or its
    exit code where only that tells."""

    name: str
    cause: str
    remedy: str
    line: str


class ProgressReader:
    """Follows the standard output of one RELION program: feed it the text as it comes, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = ''
        self._now = self._total = 0
        self._unit = ''
        self._stage = ''
        self._resolution = ''
        self._bar: Optional[float] = None
        self._left: Optional[float] = None
        self._fraction: Optional[float] = None
        self._converged = False

    def feed(self, text: str) -> Progress:
        """Take the next piece of output and say how far the program is."""
        pieces = re.split(r'[\r\n]', self._rest + text)
        self._rest = pieces.pop()
        for piece in pieces:
            self._take(piece)
        # A bar at work has no end of line yet
        if _BAR.match(self._rest):
            self._take(self._rest)
        return self.progress

    @property
    def progress(self) -> Progress:
        """The state after all that was fed."""
        parts: List[str] = []
        if self._now:
            count = '%d of %d' % (self._now, self._total) if self._total else '%d' % self._now
            parts.append('%s %s' % (self._unit, count))
        if self._converged:
            parts.append('converged')
        if self._stage:
            parts.append(self._stage if self._bar is None else '%s %.0f %%' % (self._stage, 100 * self._bar))
        if self._left:
            parts.append('%.0f min left in this step' % (self._left / 60) if self._left >= 90
                         else '%.0f s left in this step' % self._left)
        if self._resolution:
            parts.append(self._resolution)
        return Progress(', '.join(parts) or 'started', self._fraction, self._bar, self._left)

    def _take(self, line: str) -> None:
        bar = _BAR.match(line)
        if bar:
            self._bar = 1. if 'yum!' in line else min(1., len(bar.group('dots')) / BAR_LENGTH)
            whole = bar.group('whole')
            self._left = (None if '?' in whole else
                          max(0., float(whole) - float(bar.group('spent'))) * _SECONDS[bar.group('unit')])
        for pattern, unit in ((_ITERATION, 'iteration'), (_AUTO_ITERATION, 'iteration'), (_TOMOGRAM, 'tomogram')):
            found = pattern.search(line)
            if found:
                self._count(unit, int(found.group('now')), int(found.groupdict().get('total') or 0))
        step = _STEP.match(line)
        if step:
            self._stage, self._bar, self._left = step.group('text').lower(), None, None
        resolution = _RESOLUTION.search(line)
        if resolution:
            self._resolution = 'now at %.3g Å' % float(resolution.group('value') or resolution.group('auto'))
        if _CONVERGED.search(line):
            self._converged = True
        self._measure()
        final = _FINAL.search(line)
        if final:
            self._resolution = 'final resolution %.2f Å' % float(final.group('value'))
            self._stage, self._bar, self._left, self._fraction = '', None, None, 1.

    def _count(self, unit: str, now: int, total: int) -> None:
        if (unit, now) != (self._unit, self._now):
            self._bar, self._left, self._stage = None, None, ''
        self._unit, self._now, self._total = unit, now, total

    def _measure(self) -> None:
        """The part of the whole run that is done; it never goes back."""
        if not self._total:
            return
        inside = self._bar or 0.
        if self._unit == 'iteration':
            inside = {'expectation': EXPECTATION_PART * inside, 'gradient optimisation': EXPECTATION_PART * inside,
                      'maximization': EXPECTATION_PART + (1 - EXPECTATION_PART) * inside,
                      'estimating accuracies': 1.}.get(self._stage, 0.)
        done = (self._now - 1 + inside) / self._total
        self._fraction = max(self._fraction or 0., min(1., done))


def read_progress(text: str) -> Progress:
    """How far a program is that has printed `text` so far."""
    return ProgressReader().feed(text)


def explain(text: str, return_code: Optional[int] = None) -> Optional[Failure]:
    """The first failure that we know in what a program printed (standard error, or both streams); None if none.

    return_code: tells a crash or a kill that left no words.
    """
    text = text[-2 * SEARCHED:]
    found = [(known.weak, match.start(), order) for order, known in enumerate(KNOWN_FAILURES)
             for match in [known.pattern.search(text)] if match]
    if not found:
        return next((Failure(known.name, known.cause, known.remedy, '%s%s' % (_ENDED, return_code))
                     for known in KNOWN_FAILURES if known.name == SIGNALS.get(return_code)), None)
    _, start, order = min(found)
    known = KNOWN_FAILURES[order]
    begin = text.rfind('\n', 0, start) + 1
    end = text.find('\n', start)
    before, rest = text[begin:start], text[start:end if end >= 0 else None]
    line = _for_people(_BAR_BEFORE.sub('', before.rsplit('\r', 1)[-1]) + rest.split('\r', 1)[0])
    return Failure(known.name, known.cause, known.remedy, line.strip())


def last_lines(text: str, count: int = LAST_LINES) -> str:
    """The last lines that say something: bars as they ended, no backtraces, none of MPI's boilerplate, none twice."""
    lines: List[str] = []
    for line in text.split('\n'):
        shown = _for_people(line.rstrip('\r').rsplit('\r', 1)[-1]).rstrip()
        if not _NOISE.match(shown) and not _BAR.match(shown) and shown not in lines[-count:]:
            lines.append(shown)
    return '\n'.join(lines[-count:])


def _for_people(line: str) -> str:
    """A line of a log without what cannot be shown, and not too long; its end counts as much as its beginning."""
    shown = _UNSEEN.sub('', line)
    return shown if len(shown) <= LONGEST_LINE else '%s ... %s' % (shown[:LONGEST_LINE // 2], shown[-LONGEST_LINE // 2:])


def failure_message(text: str, return_code: Optional[int] = None, logs: Sequence[str] = ()) -> str:
    """Cause, remedy and RELION's own words; where we do not know the failure, the last lines and where the logs are."""
    failure = explain(text, return_code)
    if failure is not None:
        said = '' if failure.line.startswith(_ENDED) else 'RELION said: '
        return '%s %s (%s%s)' % (failure.cause, failure.remedy, said, failure.line)
    code = '' if return_code is None else ' with code %d' % return_code
    return 'RELION failed%s for a reason that we do not know. %s' % (code, what_it_said(text, logs))


def what_it_said(text: str, logs: Sequence[str] = ()) -> str:
    """The last lines of a program's output, and where the logs are."""
    lines, where = last_lines(text), ' and '.join(logs)
    said = 'The last lines that it printed:\n%s' % lines if lines.strip() else 'It printed nothing.'
    return said + ('\nIts whole log is in %s.' % where if where else '')
