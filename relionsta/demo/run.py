"""Run the demo or the tutorial in a Scipion project of its own; go on where an earlier run stopped."""
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple

from ..runtime.build import find_build
from ..runtime.choose import use_or_install
from ..simulate.parameters import SceneParameters
from ..simulate.presets import DEMO_SCENE, DEMO_SETTINGS, TUTORIAL_SCENE, TUTORIAL_SETTINGS
from .scipion_home import prepare_scipion, scipion_environment
from .times import read_times, write_json

PROJECT = 'RelionSTA'
SCENE = 'scene'
SUMMARY = 'summary.json'
FIGURE = 'ladder.png'
#: The project, from the folder that it is made in.
PROJECT_FOLDER = Path('ScipionUserData', 'projects', PROJECT)


class Plan(NamedTuple):
    """A road on a scene. name: its command. road: makes the steps from the folder of the scene. finish: makes and tells
    the summary. What needs Scipion is imported in these functions, after Scipion's own folders are set."""

    name: str
    scene: SceneParameters
    settings: Any
    road: Callable[[str], List[Any]]
    finish: Callable[[Path, Dict[str, Any], List[Any], Callable[[str], None]], Dict[str, Any]]


def _demo_road(scene: str) -> List[Any]:
    from .road import make_road
    return make_road(scene)


def _finish_demo(folder: Path, finished: Dict[str, Any], _road: List[Any], say: Callable[[str], None]) -> Dict[str, Any]:
    from .compare import compare, table
    summary = compare(finished, folder / PROJECT_FOLDER, folder / SCENE, read_times(folder))
    say(table(summary))
    return summary


def _tutorial_road(scene: str) -> List[Any]:
    from .tutorial_road import make_tutorial
    return make_tutorial(scene)


def _finish_tutorial(folder: Path, finished: Dict[str, Any], road: List[Any],
                     say: Callable[[str], None]) -> Dict[str, Any]:
    from .tutorial import compare_tutorial, table, write_figure
    summary = compare_tutorial(finished, road, folder / PROJECT_FOLDER, folder / SCENE, folder,
                               find_build().home / 'bin', read_times(folder))
    write_figure(folder / FIGURE, summary)
    say(table(summary))
    say('The ladder is drawn in %s.' % (folder / FIGURE))
    return summary


DEMO = Plan('demo', DEMO_SCENE, DEMO_SETTINGS, _demo_road, _finish_demo)
TUTORIAL = Plan('tutorial', TUTORIAL_SCENE, TUTORIAL_SETTINGS, _tutorial_road, _finish_tutorial)


def run_plan(plan: Plan, folder: Path, say: Callable[[str], None] = print) -> int:
    """Set up, simulate, run the road, compare with the known answer; returns the exit code."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with open(str(folder / 'lock'), 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say('Another %s is at work in %s: wait for it, or give another --folder.' % (plan.name, folder))
            return 1
        return _run(plan, folder, say)


def _run(plan: Plan, folder: Path, say: Callable[[str], None]) -> int:
    home = use_or_install(say=say)
    say('Using %s' % find_build(home).describe())
    make_scene(plan, folder / SCENE, home, say)
    prepare_scipion(folder)
    from .project import DemoFailed, run_road
    road = plan.road(str(folder / SCENE))
    try:
        finished = run_road(folder, PROJECT, road, plan.settings, say=say)
    except DemoFailed as failure:
        say(str(failure))
        return 1
    return finish_plan(plan, folder, finished, road, say)


def finish_plan(plan: Plan, folder: Path, finished: Dict[str, Any], road: List[Any], say: Callable[[str], None]) -> int:
    """Write the summary of a finished road; returns the exit code: 1 where it has goals and one of them is not reached."""
    summary = plan.finish(folder, finished, road, say)
    write_json(folder / SUMMARY, summary)
    say('The same is in %s. To open the project in Scipion: make gui%s'
        % (folder / SUMMARY, '' if plan is DEMO else '-' + plan.name))
    missed = [goal for goal in summary.get('goals', []) if not goal['reached']]
    for goal in missed:
        say('Not reached: %s is %.4g, it should be at %s %.4g.'
            % (goal['goal'], goal['value'], 'least' if goal['at_least'] else 'most', goal['limit']))
    return 1 if missed else 0


def make_scene(plan: Plan, folder: Path, home: Path, say: Callable[[str], None]) -> None:
    """The simulated data set of the plan, unless it is there. Raises SimulationError where there is another one."""
    from ..simulate.dataset import make_dataset
    from ..simulate.relion_run import SimulationError
    from ..simulate.truth import FOLDER, read_parameters
    if (folder / FOLDER).exists() and read_parameters(folder / FOLDER) != plan.scene:
        raise SimulationError('%s was made by another version of the %s: remove that folder, or give another one '
                              '(--folder)' % (folder.parent, plan.name))
    make_dataset(plan.scene, folder, home / 'bin', threads=2, say=say)


def open_gui(folder: Path) -> int:
    """Open the project of a demo or tutorial in the Scipion GUI; returns the exit code of the GUI."""
    folder = folder.absolute()
    if not (folder / PROJECT_FOLDER).exists():
        print('There is no project in %s yet: run `make demo` or `make tutorial` first.' % folder, file=sys.stderr)
        return 1
    prepare_scipion(folder)
    environment = dict(os.environ, **scipion_environment(folder))
    return subprocess.run([sys.executable, '-m', 'scipion', 'project', PROJECT], env=environment, check=False).returncode
