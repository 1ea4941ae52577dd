"""What is typed into the real windows of Scipion's forms: it is saved as it was typed, or refused in words.

Values go into the widgets of Scipion's own form on a virtual screen, Save is pressed, and what the project's database gives
back, what a form that is opened again shows, and what the programs of the job get are compared with what was typed.
"""
import math
import os
import random
import tempfile
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from pyworkflow.protocol import params

from relionsta import protocols
from relionsta.demo.project import new_protocol
from relionsta.jobs.option import Kind
from relionsta.protocols.form import RUN_OPTIONS
from relionsta.protocols.job_star import hasJobStar
from relionsta.tests.faults.injectors.around import in_folder, quiet
from relionsta.tests.faults.injectors.chosen import Chosen
from relionsta.tests.faults.injectors.hostile import CANARIES
from relionsta.tests.faults.injectors.recorder import Recorder
from relionsta.tests.faults.injectors.typed import Typed
from relionsta.tests.faults.injectors.typist import Typist
from relionsta.tests.faults.values import Batch, Form
from relionsta.tests.gui.screen import Screen
from relionsta.tests.protocols.case import shared_road

#: What people type for numbers, and what they do not mean for one.
NUMBERS = (
    '1e-3', '1,5', '-0', 'nan', 'inf', '1' + 20 * '0', '1' + 400 * '0', '', ' 12 ', '007', '+3', '.5', '1E2', '0x10', '12 Å',
    '1/2', '10^3', '$(touch hurt)', '`touch hurt`', '%d', 'None', '²', '٣', '0.1234567890123456789', '2147483648', '64.0')
#: What is a text for people, and something else for shells, Python, SQLite, Tcl or Scipion.
TEXTS = (
    ' a blank at both ends ', '', ' ', "it's", '"quoted"', '$(touch hurt)', '`touch hurt`', '%', '%%', '%(x)s', '%d',
    ';touch hurt;', '-v', '--o', '007', '1e-3', '1,5', '1.0', 'None', 'True', 'nan', 'Größe_µÅ', '粒子', '\U0001f9ca',
    '[exec touch hurt]', '$env(HOME)', '{a b', '}', '\\', '\\n', 'a\tb', 'a\nb', '~/x', '../x', '#1',
    "__import__('os').system('touch hurt')", 'x' * 2000)
#: Values of the whole campaign, where there is a screen.
ENOUGH = 5000
#: The form of the quick selection.
DRAWN = 'ProtStaMask'
#: Windows of each job whose values go through to the programs.
EACH = 3
#: Rounds in which other texts go into the fields of a form.
ROUNDS = 5
VERY_NEAR = 1e-14  # Scipion's database keeps 15 digits


class Fields(NamedTuple):
    """The fields of a form by name of their parameters."""

    numbers: List[str]
    texts: List[str]
    choices: List[str]


class Desk:
    """The project, and windows of forms. To be used in the project's folder, where there is a screen."""

    def __init__(self, project: Any) -> None:
        # Only now, when there is a screen; and the project's window first, or Scipion imports itself in a circle
        from pyworkflow.gui.project import ProjectWindow  # noqa: F401  isort: skip
        from pyworkflow.gui import Window
        from pyworkflow.gui.form import FormWindow
        self.project, self._form, self._master = project, FormWindow, Window('Scipion')

    def open(self, protocol: Any) -> Typist:
        """The form of a protocol, whose Save does what it does in the project's window."""
        def save(saved: Any, *_how: Any, **_where: Any) -> str:
            self.project.saveProtocol(saved)
            return 'Saved.'
        form = self._form(protocol.getClassName(), protocol, save, self._master, disableRunMode=True)
        form.showError = form.showInfo = _dialog
        return Typist(form)

    def reload(self, protocol: Any) -> Any:
        """The run as another process reads it."""
        mapper = self.project.createMapper(self.project.getDbPath())
        fresh = mapper.selectById(protocol.getObjId())
        fresh.setProject(self.project)
        fresh.setMapper(mapper)
        return fresh


def _dialog(message: Any, *_: Any, **__: Any) -> None:
    """In place of a dialog, which would wait for a click."""
    raise AssertionError('Scipion says: %s' % message)


class WindowForm(Form):
    """A form whose values are typed into its window."""

    def __init__(self, desk: Desk, chosen: Chosen, name: str) -> None:
        super().__init__(desk.project, chosen, name)
        self._desk, self._inputs = desk, chosen.inputs(name)

    def _fill_in(self, rng: random.Random) -> Dict[str, Typed]:
        for name, chosen in self._inputs.items():  # Scipion's form forgets those that it does not show
            getattr(self._protocol, name).set(chosen)
        return super()._fill_in(rng)

    def _enter(self, typed: Dict[str, Typed]) -> None:
        hands = self._desk.open(self._protocol)
        for name, one in typed.items():
            field = RUN_OPTIONS.get(name, name)
            if self.job.option(name).kind in (Kind.BOOL, Kind.CHOICE):
                hands.choose(field, one.value)
            else:
                hands.type(field, one.text)
        hands.save()


def fields_of(protocol: Any, hands: Typist) -> Fields:
    """All fields in which something can be typed or chosen, by kind."""
    found = Fields([], [], [])
    for name, param in protocol.getDefinition().iterParams():
        if not hands.has(name):
            continue
        if isinstance(param, (params.BooleanParam, params.EnumParam)):
            found.choices.append(name)
        elif isinstance(param, (params.IntParam, params.FloatParam)):
            found.numbers.append(name)
        elif isinstance(param, params.StringParam):
            found.texts.append(name)
    return found


def meaning(text: str, whole: bool) -> Optional[float]:
    """The number that a text is; None for an empty one. Raises ValueError for what is none that RELION could use."""
    if not text.strip():
        return None
    value = int(text) if whole else float(text)
    if abs(value) >= 2 ** 31 if whole else not math.isfinite(value):
        raise ValueError(text)
    return value


def try_number(desk: Desk, protocol: Any, names: Sequence[str], text: str) -> None:
    """The same text in all of these fields of numbers."""
    hands = desk.open(protocol)
    for name in names:
        hands.type(name, text)
    hands.save()
    fresh = desk.reload(protocol)
    for one in (protocol, fresh):
        told = one.validate()
        for name in names:
            param = one.getParam(name)
            value = getattr(one, name).get()
            try:
                wanted = meaning(text, isinstance(param, params.IntParam))
            except ValueError:
                assert not one.evalParamCondition(name) or any(
                    message.startswith('*%s*' % param.label.get()) for message in told), '%s: not refused: %s' % (name, told)
            else:
                assert _same(wanted, value), '%s: %r became %r' % (name, text, value)
    again = desk.open(fresh)
    for name in names:
        shown, value = str(again.shown(name)), getattr(fresh, name).get()
        assert _same(float(shown) if shown else None, value), '%s: shows %r, and has %r' % (name, shown, value)
    again.close()


def _same(one: Optional[float], other: Optional[float]) -> bool:
    return one == other if one is None or other is None else math.isclose(one, other, rel_tol=VERY_NEAR)


def try_texts(desk: Desk, protocol: Any, fields: Fields, rng: random.Random) -> None:
    """Another text in every field of text, and something chosen in all others."""
    hands = desk.open(protocol)
    typed = {name: rng.choice(TEXTS) for name in fields.texts}
    for name, text in typed.items():
        hands.type(name, text)
    for name in fields.choices:
        param = protocol.getParam(name)
        typed[name] = rng.choice((True, False) if isinstance(param, params.BooleanParam) else range(len(param.choices)))
        hands.choose(name, typed[name] if isinstance(typed[name], bool) else param.choices[typed[name]])
    hands.save()
    fresh = desk.reload(protocol)
    again = desk.open(fresh)
    for name, wanted in typed.items():
        if isinstance(fresh.getParam(name), params.TextParam):
            wanted = wanted.strip()  # of several lines: blanks around them say nothing
        for got in (getattr(fresh, name).get(), again.shown(name)):
            assert (got or '') == (wanted or '') and type(got or '') is type(wanted or ''), '%s: %r became %r' % (
                name, wanted, got)
    again.close()


def run(ledger: Any) -> None:
    """Every job's legal values up to its programs, then every form with values that hurt."""
    if not Screen.available():
        ledger.open('windows of forms', 'there is no virtual screen: Xvfb is not installed.',
                    'Install Xvfb (apt install xvfb).')
        return
    road, rng = shared_road(), random.Random(ledger.seed)
    home = Path(tempfile.mkdtemp(prefix="a relion's home ", dir=str(ledger.folder)))
    with in_folder(road.project.path), Screen(), Recorder(home).instead_of_relion() as recorder:
        desk, names = Desk(road.project), [DRAWN] if ledger.quick else protocols.__all__
        _try_jobs(ledger, desk, [name for name in names if hasJobStar(getattr(protocols, name))], recorder, rng)
        for name in names:
            _try_form(ledger, desk, new_protocol(road.project, name, 'Typed', {}), rng)
        if not ledger.quick:
            _try_paste(ledger, desk, new_protocol(road.project, 'ProtStaScan', 'Typed', {}))
            with ledger.case('there were enough values', 0):
                assert ledger.tried >= ENOUGH, ledger.tried
        with ledger.case('nothing that was typed was run', 0):
            found = [canary for canary in CANARIES if os.path.exists(canary) or (home / canary).exists()]
            assert not found, found


def _try_jobs(ledger: Any, desk: Desk, names: Sequence[str], recorder: Recorder, rng: random.Random) -> None:
    """Legal values, up to the programs."""
    chosen = Chosen(desk.project, lambda name, **values: new_protocol(desk.project, name, 'Typed', values))
    for name in names:
        form, batch = WindowForm(desk, chosen, name), Batch(recorder, recorder.home)
        with ledger.case('%s: filled in' % name, 0):
            for _ in range(1 if ledger.quick else EACH):
                batch.add(*form.sent(rng))
        with ledger.case('%s: words that arrive' % name, batch.compared):
            batch.run()


def _try_form(ledger: Any, desk: Desk, protocol: Any, rng: random.Random) -> None:
    """Values that hurt, in every field."""
    name = protocol.getClassName()
    desk.project.saveProtocol(protocol)
    hands = desk.open(protocol)
    fields = fields_of(protocol, hands)
    hands.close()
    for text in rng.sample(NUMBERS, 3) if ledger.quick else NUMBERS:
        with ledger.case('%s: %.30r for numbers' % (name, text), len(fields.numbers)), quiet():
            try_number(desk, protocol, fields.numbers, text)
    for number in range(1 if ledger.quick else ROUNDS):
        tries = len(fields.texts + fields.choices)
        with ledger.case('%s: texts and choices, round %d' % (name, number + 1), tries), quiet():
            try_texts(desk, protocol, fields, rng)


def _try_paste(ledger: Any, desk: Desk, protocol: Any) -> None:
    """A text that comes without a key."""
    desk.project.saveProtocol(protocol)
    hands = desk.open(protocol)
    hands.paste('scanText', 'tau_fudge = 1, 4')
    assert 'tau_fudge' in hands.shown('scanText')
    hands.save()
    if not desk.reload(protocol).scanText.get():
        ledger.open('a text that is pasted with the mouse into a field of several lines',
                    "Scipion's form reads such a field when a key goes up, and not before it saves.",
                    'Press any key in the field after pasting (an arrow will do), or paste with Ctrl+V.')
