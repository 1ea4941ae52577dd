"""What is typed into a form is what RELION's programs receive, whatever it is.

Values of every option of every job are typed into Scipion's forms, saved in the project's database, read back as the
run's own process does, made into a command, given to Scipion's runner and taken down by a program in RELION's place.
"""
import contextlib
import random
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Set, Tuple

from pyworkflow.protocol.executor import StepExecutor
from pyworkflow.utils import process

from relionsta import protocols
from relionsta.demo.project import new_protocol
from relionsta.jobs.job import Job
from relionsta.jobs.option import Kind
from relionsta.jobs.shell import program_word, run_script, shell_arguments
from relionsta.plugin import Plugin
from relionsta.protocols.extract_form import BY_ANGSTROM
from relionsta.protocols.form import RUN_OPTIONS
from relionsta.protocols.job_star import hasJobStar
from relionsta.protocols.runner import runRelion
from relionsta.tests.faults.injectors.around import in_folder, quiet
from relionsta.tests.faults.injectors.chosen import Chosen
from relionsta.tests.faults.injectors.recorder import Recorder
from relionsta.tests.faults.injectors.typed import Typed, draw, draw_all
from relionsta.tests.protocols.case import shared_road

#: Values that are compared.
WANTED = 100000
#: How mpirun is told the number of processes.
BY_SCIPION, BY_SCRIPT = '-np', '-n'
#: Forms of each job in a round.
EACH = 4
VERSION = (5, 1)
#: Options that a protocol answers itself: one tomogram is chosen by what is written for RELION.
ANSWERED = {'ProtStaReconstructTomograms': ('tomo_name',)}
#: Answers of fields that are no option of RELION's, or that the inputs hang on: one set of them for each time.
VARIANTS: Dict[str, Tuple[Dict[str, Any], ...]] = {
    'ProtStaMask': ({}, {'do_denovo': True}, {'do_combine': True})}


class Sent(NamedTuple):
    """A form that was filled in. commands: what the programs shall be called with; ranks: processes of MPI; compared: number
    of values that have a say in the commands; reached: names of their options."""

    commands: List[List[str]]
    ranks: int
    compared: int
    reached: List[str]


class Form:
    """The form of a protocol, as the user, Scipion's database and the process of the run see it."""

    def __init__(self, project: Any, chosen: Chosen, name: str) -> None:
        self._project = project
        self._protocol = chosen.new(name, **chosen.inputs(name))
        if name == 'ProtStaExtract':
            self._protocol.sizesBy.set(BY_ANGSTROM)
        self._project.saveProtocol(self._protocol)
        self._protocol.makePathsAndClean()
        self.job: Job = self._protocol._job
        self._variants = VARIANTS.get(name, ({},))
        self._plain = {field: getattr(self._protocol, field).get() for one in self._variants for field in one}
        skipped = self._protocol._filledIn + ANSWERED.get(name, ())
        self.names = [option.name for option in self.job.options if option.exists_in(VERSION)
                      and option.name not in skipped and self._place(option.name) is not None]

    def _place(self, option: str) -> Any:
        return getattr(self._protocol, RUN_OPTIONS.get(option, option), None)

    def sent(self, rng: random.Random) -> Tuple[Any, Sent]:
        """Type random legal values; the protocol as its run's process reads it, and what programs shall get."""
        typed = self._fill_in(rng)
        mapper = self._project.createMapper(self._project.getDbPath())
        fresh = mapper.selectById(self._protocol.getObjId())
        fresh.setProject(self._project)
        fresh.setMapper(mapper)
        fresh.setHostConfig(self._protocol.getHostConfig())
        fresh.setStepsExecutor(StepExecutor(fresh.getHostConfig(), gpuList=fresh.getGpuList()))  # as the run's process does
        return fresh, self._expected(typed, fresh, rng)

    def _fill_in(self, rng: random.Random) -> Dict[str, Typed]:
        fixed = rng.choice(self._variants)
        for name, value in dict(self._plain, **fixed).items():
            getattr(self._protocol, name).set(value)
        names = [name for name in self.names if name not in fixed]
        rest = {name: value for name, value in self._protocol.getValues().items() if name not in names}
        typed = draw_all(self.job, names, rest, rng)
        self._enter(typed)
        return typed

    def _enter(self, typed: Dict[str, Typed]) -> None:
        """Type and save; by name of option."""
        for name, one in typed.items():
            self._place(name).set(one.text)
        self._project._storeProtocol(self._protocol)

    def _expected(self, typed: Dict[str, Typed], fresh: Any, rng: random.Random) -> Sent:
        """What the programs shall get for what was typed, found without the form."""
        values = dict(fresh.getValues(), **{name: one.value for name, one in typed.items()})
        out = fresh._getJobPath() + '/'
        commands = self.job.commands(values, out, VERSION)
        reached = [name for name in typed
                   if self.job.commands(dict(values, **{name: self._other(name, values[name], rng)}), out) != commands]
        for name in reached:
            _check_literal(name, typed[name], self.job, commands)
        return Sent(commands, int(values.get('nr_mpi', 1)), len(reached) + len(typed['other_args'].words), reached)

    def _other(self, name: str, value: Any, rng: random.Random) -> Any:
        """Another value of an option."""
        option = self.job.option(name)
        if option.name == 'other_args':
            return value + ' --other'
        if option.kind is Kind.BOOL:
            return not value
        for _ in range(50):
            other = draw(option, rng).value
            if other != value:
                return other
        raise AssertionError('%s has no second value' % name)


def _check_literal(name: str, typed: Typed, job: Job, commands: Sequence[List[str]]) -> None:
    """A text is a word of a command as it was typed; additional arguments are all there, in order."""
    option = job.option(name)
    if name == 'other_args':
        text = '\0'.join(typed.words)
        assert any(text in '\0'.join(tokens) for tokens in commands), '%s: %r' % (name, typed.words)
    elif option.kind in (Kind.TEXT, Kind.PATH) and typed.value:
        assert any(typed.value in tokens for tokens in commands), '%s: %r is in no command' % (name, typed.value)


def same(wanted: Sequence[List[str]], got: Sequence[List[str]]) -> None:
    """AssertionError where the calls differ, in more than the spelling of a number."""
    assert len(wanted) == len(got), '%d programs were called instead of %d' % (len(got), len(wanted))
    for one, other in zip(wanted, got):
        assert len(one) == len(other), '%s got %d words instead of %d: %r, not %r' % (
            one[0], len(other), len(one), other, one)
        for before, after in zip(one, other):
            assert before == after or _number(before) == _number(after) is not None, '%s: %r became %r' % (
                one[0], before, after)


def _number(text: str) -> Any:
    with contextlib.suppress(ValueError):
        return float(text) if text.strip() == text and text.isascii() else None
    return None


def calls_of(commands: Sequence[List[str]], ranks: int, launcher: str) -> List[List[str]]:
    """What the recorder sees of commands. launcher: how mpirun is told the number of processes."""
    return [['mpirun', launcher, str(ranks), *tokens] if ranks > 1 and tokens[0].endswith('_mpi') else list(tokens)
            for tokens in commands]


def shell_line(fresh: Any, tokens: List[str], ranks: int) -> str:
    """The command as Scipion gives it to a shell."""
    build, environ = Plugin.getBuild(), Plugin.getEnviron()
    ranks = ranks if tokens[0].endswith('_mpi') else 1
    program, arguments = program_word(tokens[0], str(build.home / 'bin'), ranks), shell_arguments(tokens[1:])
    # Scipion fills in GPUs where it finds their place in the arguments
    gpus = fresh._stepsExecutor._getGPUListForCommand(program, arguments)
    return process.buildRunCommand(program, arguments, ranks, fresh.getHostConfig(), environ, gpuList=gpus, context={})


class Batch:
    """Commands of several forms for one shell."""

    def __init__(self, recorder: Recorder, folder: Path) -> None:
        self._recorder, self._folder = recorder, folder
        self._lines: List[str] = []
        self._wanted: List[List[str]] = []
        self.compared = 0

    def add(self, fresh: Any, sent: Sent) -> None:
        """The commands as the runner has them, and once more as run.sh has them."""
        home, got = self._recorder.home, fresh.getCommands()
        for tokens in got:
            self._recorder.provide(tokens[0])
            self._lines.append(shell_line(fresh, tokens, sent.ranks))
        self._wanted += calls_of(sent.commands, sent.ranks, BY_SCIPION)
        script = self._folder / ('run%d.sh' % len(self._lines))
        script.write_text(run_script(got, sent.ranks, str(home)))
        self._lines.append('sh %s' % shlex.quote(str(script)))
        self._wanted += calls_of(sent.commands, sent.ranks, BY_SCRIPT)
        self.compared += sent.compared

    def run(self) -> None:
        """Give all to a shell and compare."""
        script = self._folder / 'batch.sh'
        script.write_text('\n'.join(self._lines) + '\n')
        done = subprocess.run(['sh', str(script)], env=Plugin.getEnviron(), stdin=subprocess.DEVNULL, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=str(self._folder))
        got = self._recorder.calls()
        assert done.returncode == 0 and not done.stdout, done.stdout[-500:]
        same(self._wanted, got)


def whole_way(fresh: Any, sent: Sent, recorder: Recorder) -> int:
    """Through the plugin's runner, with its keeper, and run.sh as it leaves it; returns the number of values."""
    folder = fresh._getJobPath() + '/'
    fresh._emptyJobFolder()
    commands = fresh.getCommands()
    recorder.provide(*(tokens[0] for tokens in commands))
    with quiet():
        runRelion(fresh, commands, folder)
    wanted = [tokens + ['--pipeline_control', folder] if tokens[0].startswith('relion_') else tokens
              for tokens in sent.commands]
    same(calls_of(wanted, sent.ranks, BY_SCIPION), recorder.calls())
    subprocess.run(['sh', fresh._getExtraPath('run.sh')], check=True, stdin=subprocess.DEVNULL)
    same(calls_of(wanted, sent.ranks, BY_SCRIPT), recorder.calls())
    return sent.compared


def run(ledger: Any) -> None:
    """Fill in one form after the other until enough values were compared."""
    road, rng = shared_road(), random.Random(ledger.seed)
    home = Path(tempfile.mkdtemp(prefix="a relion's home ", dir=str(ledger.folder)))
    with in_folder(road.project.path), Recorder(home).instead_of_relion() as recorder:
        chosen = Chosen(road.project, lambda name, **values: new_protocol(road.project, name, 'Typed', values))
        forms = {name: Form(road.project, chosen, name) for name in protocols.__all__
                 if hasJobStar(getattr(protocols, name))}
        reached: Dict[str, Set[str]] = {name: set() for name in forms}
        number = 0
        while ledger.tried < (1 if ledger.quick else WANTED):
            number += 1
            batch = Batch(recorder, home)
            with ledger.case('round %d: forms filled in' % number, 0):
                for name in list(forms) * (1 if ledger.quick else EACH):
                    fresh, sent = forms[name].sent(rng)
                    reached[name].update(sent.reached)
                    batch.add(fresh, sent)
            with ledger.case('round %d: words that arrive' % number, batch.compared):
                batch.run()
            name = rng.choice(list(forms))
            fresh, sent = forms[name].sent(rng)
            with ledger.case('round %d: %s, the whole way' % (number, name), sent.compared):
                whole_way(fresh, sent, recorder)
        if not ledger.quick:
            for name, form in forms.items():
                with ledger.case('%s: every option has a say' % name):
                    without = sorted(set(form.names) - reached[name])
                    assert not without, 'none of %d forms had %s in its commands' % (number * EACH, ', '.join(without))
