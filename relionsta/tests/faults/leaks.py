"""A job that runs for a day, and all that looks at it meanwhile: nothing may pile up."""
import gc
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

from pyworkflow.protocol.constants import STATUS_RUNNING

from ...figures.convergence import convergence_figure
from ...figures.words import notice_figure
from ...jobs import files
from ...protocols.child_runs import isAtWork
from ...protocols.ended import readRun
from ...protocols.runner import progress
from ...results.follow import Follower
from ...viewers.live import LiveView
from ..gui.screen import Screen
from ..unit.relion_job_folder import write_iteration
from .finished import finished, project_case
from .injectors.watch_self import check_held, held
from .ledger import Ledger

#: A day: looks of a window (every 2 s) and of the project window, and of a parent at its children (every 5 s).
DAY_WINDOW, DAY_PROJECT = 43200, 17280
#: The iterations of a classification that lasts that long, and how often its last one is written again afterwards.
ITERATIONS, AGAIN = 25, 40
#: All iterations are there when this part of the looks is over.
WARM_UP = 0.2
#: The last looks, in which each Python object is counted; all of them would take hours.
TRACED = 3000
#: Of the selection that runs with the tests.
QUICK, FEW = 300, 3
BAR = '%6d/%6d sec %s~~(,_,">%s[oo]\r'


class Looker(NamedTuple):
    """Something that looks at a run. looks: in a day; make(folder, log): gives the function that is called at each.
    iterations, again: how often files are written; window: it needs a screen and takes long."""

    name: str
    looks: int
    make: Callable[[Path, Path], Callable[[], Any]]
    iterations: int = ITERATIONS
    again: int = AGAIN
    window: bool = False


def run(ledger: Ledger) -> None:
    """Each looker spends its day; what the process holds is compared after the warm-up and at the end."""
    finished('reconstruct')  # with its folders, which are to stay
    for looker in LOOKERS:
        if looker.window and ledger.quick:
            continue
        if looker.window and not Screen.available():
            ledger.open(looker.name, 'no virtual screen: Xvfb is not installed.', 'Install Xvfb to try it.')
            continue
        with ledger.case(looker.name):
            ledger.note(looker.name, _spend_day(looker, ledger))
    for name, leak in LEAKS.items():
        with ledger.case('a leak is found: %s' % name):
            _must_be_found(leak)


def _must_be_found(leak: Callable[[List[Any]], Any]) -> None:
    """What is watched here would show this leak at each look."""
    kept: List[Any] = []
    tracemalloc.start()
    before = held()
    for _ in range(QUICK):
        leak(kept)
    try:
        check_held(before, held(), QUICK)
    except AssertionError:
        return
    finally:
        tracemalloc.stop()
        for one in kept:
            getattr(one, 'close', lambda: None)()
    raise AssertionError('it was not found')


def _spend_day(looker: Looker, ledger: Ledger) -> Any:
    looks = min(looker.looks, QUICK) if ledger.quick else looker.looks
    iterations, again = (FEW, FEW) if ledger.quick else (looker.iterations, looker.again)
    here, before_temporary = os.getcwd(), tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix='relionsta leaks ') as place:
        # A folder of our own: others put temporary files into the usual one
        tempfile.tempdir = os.path.join(place, 'temporary')
        os.mkdir(tempfile.tempdir)
        folder, log = Path(place) / 'job001', Path(place) / 'run.stdout'
        folder.mkdir()
        log.write_text('')
        look = looker.make(folder, log)
        warm = int(WARM_UP * looks)
        late = max(warm, looks - TRACED)
        written = {number * warm // iterations: number + 1 for number in range(iterations)}
        written.update((warm + 1 + number * (looks - warm - 1) // again, iterations) for number in range(again))
        try:
            for number in range(looks):
                if number in written:
                    _go_on(folder, log, written[number])
                if number % 40 == 0:
                    _say(log, number)
                if number == warm:
                    before = held()
                if number == late:
                    tracemalloc.start()
                    traced = held()
                if number == (late + looks) // 2:
                    middle = held()
                look()
            after = held()
        finally:
            tracemalloc.stop()
            getattr(look, 'close', lambda: None)()
            os.chdir(here)
            tempfile.tempdir = before_temporary
            gc.collect()
    whole = check_held(before._replace(traced=after.traced), after, looks - warm)
    # What is loaded once is no leak: a leak is in both halves
    grown = min(middle.traced - traced.traced, after.traced - middle.traced)
    counted = check_held(middle._replace(traced=after.traced - grown), after, looks - (late + looks) // 2)
    return {'day': whole, 'counted': counted}


def _go_on(folder: Path, log: Path, iteration: int) -> None:
    """RELION writes an iteration, or the last one again."""
    write_iteration(folder, files.CLASS3D, iteration, 2)
    with open(str(log), 'a') as handle:
        handle.write('\n Expectation iteration %d of %d\n' % (iteration, ITERATIONS))


def _say(log: Path, number: int) -> None:
    with open(str(log), 'a') as handle:
        handle.write(BAR % (number % 900, 900, '.' * (number % 60), ' ' * (60 - number % 60)))


def _follower(folder: Path, log: Path) -> Callable[[], Any]:
    follower = Follower(folder, files.CLASS3D, log=log)

    def look() -> None:
        if follower.changed():
            follower.course()
        follower.status()
    return look


class _Window:
    """The window that follows a run; called for each look of its timer."""

    def __init__(self, folder: Path, log: Path) -> None:
        import tkinter
        self._screen = Screen()
        self._screen.__enter__()
        self._root = tkinter.Tk()
        follower = Follower(folder, files.CLASS3D, log=log)
        self._view = LiveView(follower, self._draw, lambda: True, 'Run: convergence', self._root)
        self._window = self._view.show()

    @staticmethod
    def _draw(follower: Follower) -> Any:
        course = follower.course()
        return notice_figure('Nothing yet.') if course is None else convergence_figure(course, title='Convergence')

    def __call__(self) -> None:
        self._window.after_cancel(self._view._next)
        self._view._look(self._window)
        self._window.update()

    def close(self) -> None:
        """The window goes, as when the user closes it."""
        self._window.destroy()
        self._root.destroy()
        self._screen.__exit__()


def _running(log: Path) -> Any:
    """A run at work, as the project window has it, whose log is the one that grows."""
    run = finished('reconstruct')['reconstruct']
    os.chdir(run.getProject().path)
    work = project_case().proj.copyProtocol(run)
    project_case().proj.saveProtocol(work)
    work.makePathsAndClean()
    os.makedirs(os.path.dirname(work.getStdoutLog()), exist_ok=True)
    if os.path.lexists(work.getStdoutLog()):
        os.remove(work.getStdoutLog())
    os.symlink(str(log), work.getStdoutLog())
    work.setStatus(STATUS_RUNNING)
    return work


def _summary(_folder: Path, log: Path) -> Callable[[], Any]:
    return _told(_running(log), lambda run: run.summary())


def _progress(_folder: Path, log: Path) -> Callable[[], Any]:
    return _told(_running(log), progress)


def _told(run: Any, ask: Callable[[Any], Any]) -> Callable[[], Any]:
    def look() -> None:
        assert ask(run), 'nothing is told of a run at work'
    return look


def _parent(_folder: Path, _log: Path) -> Callable[[], Any]:
    run = finished('reconstruct')['reconstruct']
    os.chdir(run.getProject().path)

    def look() -> None:
        assert readRun(run)['status'] == 'finished' and not isAtWork(run)
    return look


#: Leaks of one look each, put into a list.
LEAKS: Dict[str, Callable[[List[Any]], Any]] = {
    '1 kB': lambda kept: kept.append(bytes(1000)),
    'an open file': lambda kept: kept.append(open(os.devnull)),  # noqa: SIM115  that is the harm
}

LOOKERS = (
    Looker('figures that follow a run', DAY_WINDOW, _follower),
    Looker('an open window that follows a run', DAY_WINDOW, _Window, iterations=6, again=12, window=True),
    Looker('the summary of a run at work', DAY_PROJECT, _summary),
    Looker('the progress of a run at work', DAY_PROJECT, _progress),
    Looker('a protocol that watches its children', DAY_PROJECT, _parent),
)
