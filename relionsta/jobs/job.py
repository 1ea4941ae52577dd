"""One RELION job: its options, the commands that they come to, and what is wrong with them."""
import shlex
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ..names import path_trouble
from .option import Kind, Option, Value, Version
from .tokens import number, split_arguments

Values = Dict[str, Value]
NEWEST: Version = (5, 1)


@dataclass(frozen=True)
class Problem:
    """Something wrong with the value of an option. message names the option's label and value, fix says what to do.

    fatal: the job cannot run well with it; gui: RELION's own GUI makes no command of it either.
    """

    option: str
    value: Value
    message: str
    fix: str
    fatal: bool = True
    gui: bool = False

    def text(self) -> str:
        """Message and fix in one paragraph."""
        return '%s %s' % (self.message, self.fix)


@dataclass(frozen=True)
class Request:
    """What a job is asked: all its values, where it writes (`out`, ends with a slash), for which RELION.

    resume: go on with what an earlier run left in `out`: jobs that work tomogram by tomogram do the unfinished ones,
    those with iterations start only the programs that come after these.
    """

    values: Values
    out: str
    version: Version
    resume: bool = False

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def program(self, name: str) -> str:
        """Name of the program: its MPI twin where more than one MPI process is asked for."""
        return name + '_mpi' if self.values.get('nr_mpi', 1) > 1 else name  # type: ignore[operator]

    def other_args(self) -> List[str]:
        """Tokens of "Additional arguments"."""
        return split_arguments(self['other_args'])


class Complaints:
    """Collects the problems of one set of values; each check of a job adds to it."""

    def __init__(self, job: 'Job', values: Values, version: Version, resume: bool = False) -> None:
        self._job, self.values, self.version, self.resume = job, values, version, resume
        self.found: List[Problem] = []

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def add(self, name: str, because: str, fix: str, fatal: bool = True, gui: bool = False) -> None:
        """A problem of option `name`: '*label*: value, because' and a fix. gui: RELION's own GUI refuses it."""
        option = self._job.option(name)
        value = self.values[name]
        self.found.append(Problem(name, value, '*%s*: %s, %s' % (option.label, option.show(value), because), fix,
                                  fatal, gui))

    def missing(self, name: str, fix: str, gui: bool = True) -> None:
        """A problem if the text of option `name` is empty, which RELION's GUI refuses mostly."""
        if not str(self.values[name]).strip():
            self.add(name, 'and it is required.', fix, gui=gui)


def nothing(_values: Values) -> FrozenSet[str]:
    """No option."""
    return frozenset()


Build = Callable[[Request], List[List[str]]]
Check = Callable[[Complaints], None]


@dataclass(frozen=True)
class Job:
    """A job type of RELION.

    type: RELION's name of it (rlnJobTypeLabel); label: its name in RELION's job list; folder: where RELION's own
    projects keep it. build makes the commands, checks look for what RELION refuses, late or never. on_continue: names
    of the options that may change the work of a run that goes on from one of its iterations; empty for jobs that have
    none. only_after: names of the options that concern nothing but the programs that come after the iterations.
    """

    type: str
    label: str
    folder: str
    options: Tuple[Option, ...]
    build: Build
    checks: Sequence[Check] = ()
    on_continue: FrozenSet[str] = frozenset()
    only_after: Callable[[Values], FrozenSet[str]] = nothing

    def __post_init__(self) -> None:
        names = [option.name for option in self.options]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError('%s declares twice: %s' % (self.type, ', '.join(doubled)))

    def option(self, name: str) -> Option:
        """The option of that name; KeyError if the job has none."""
        for option in self.options:
            if option.name == name:
                return option
        raise KeyError('%s has no option %s' % (self.type, name))

    def defaults(self) -> Values:
        """RELION's default of every option."""
        return {option.name: option.default for option in self.options}

    def complete(self, values: Mapping[str, Any], version: Version = NEWEST) -> Values:
        """All values: those given, checked for their type, and defaults for the rest.

        Options that RELION `version` does not have take their default, whatever is given: they have no effect there.

        Raises ValueError for a name that the job does not have and for a value that is not of its option's kind.
        """
        known = {option.name: option for option in self.options}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError('%s has no option %s; it has: %s' % (self.type, ', '.join(unknown), ', '.join(known)))
        result = self.defaults()
        for name, value in values.items():
            right = known[name].check_type(value)
            if known[name].exists_in(version):
                result[name] = right
        return result

    def commands(self, values: Mapping[str, Any], out: str, version: Version = NEWEST,
                 resume: bool = False) -> List[List[str]]:
        """The commands, one after the other, each a list of tokens with the program's bare name first.

        values: by option name, defaults for the rest. out: the job's folder as RELION sees it, with a slash at its
        end. The launcher (mpirun) and --pipeline_control are not part of it. Raises ValueError as `complete` does.
        """
        if not out.endswith('/'):
            raise ValueError('the folder of a job must end with a slash: %r' % out)
        return self.build(Request(self.complete(values, version), out, version, resume))

    def problems(self, values: Mapping[str, Any], version: Version = NEWEST, resume: bool = False) -> List[Problem]:
        """Everything wrong with the values, fatal problems first; an empty list if RELION can run them.

        No warning is given on a value that is refused anyway. Raises ValueError as `complete` does.
        """
        complaints = Complaints(self, self.complete(values, version), version, resume)
        for option in self.options:
            if option.exists_in(version) and option.is_active(complaints.values):
                _check_range(complaints, option)
                _check_text(complaints, option)
        for check in self.checks:
            check(complaints)
        fatal = [problem for problem in complaints.found if problem.fatal]
        refused = {problem.option for problem in fatal}
        return fatal + [problem for problem in complaints.found
                        if not problem.fatal and problem.option not in refused]


def _outside(value: float, limits: Tuple[Optional[float], Optional[float]]) -> bool:
    low, high = limits
    return (low is not None and value < low) or (high is not None and value > high)


def _range_text(limits: Tuple[Optional[float], Optional[float]]) -> str:
    low, high = limits
    if high is None:
        return '%s or more' % number(low or 0)
    return '%s or less' % number(high) if low is None else '%s to %s' % (number(low), number(high))


def _check_range(complaints: Complaints, option: Option) -> None:
    value = complaints[option.name]
    if option.kind not in (Kind.INT, Kind.FLOAT):
        return
    if _outside(value, option.hard):
        complaints.add(option.name, 'which is impossible.', 'Give %s.' % _range_text(option.hard))
    elif _outside(value, option.sensible) and value != option.default:
        complaints.add(option.name, 'which is unusual.', 'Usual is %s; go on only if you mean it.'
                       % _range_text(option.sensible), fatal=False)


def _check_text(complaints: Complaints, option: Option) -> None:
    value = complaints[option.name]
    if option.kind not in (Kind.TEXT, Kind.PATH):
        return
    if '\0' in value:
        complaints.add(option.name, 'with a NUL character, where every program takes it for ended.', 'Take it out.')
        return
    trouble = path_trouble(value) if option.kind is Kind.PATH else ''
    if trouble:
        because, _, fix = trouble.rpartition(': ')
        complaints.add(option.name, 'and %s.' % because, fix[:1].upper() + fix[1:] + '.')
    if option.name == 'other_args':
        _check_arguments(complaints, option)


def _check_arguments(complaints: Complaints, option: Option) -> None:
    try:
        tokens = shlex.split(complaints[option.name])
    except ValueError:
        complaints.add(option.name, 'where a quote is not closed.', 'Close the quote, or leave it out.')
        return
    owned = sorted({'--o', '--pipeline_control', '--i', '--ios', '--p', '--t'} & set(tokens))
    if owned:
        complaints.add(option.name, 'and %s is set by this job itself.' % ', '.join(owned),
                       'Leave it out; choose the inputs in the form.')
