"""Run the main job in a Scipion project of the demo's own; go on where an earlier run stopped."""
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

from ..runtime.build import find_build
from ..runtime.choose import use_or_install
from .scipion_home import prepare_scipion, scipion_environment
from .times import read_times, write_json

PROJECT = 'RelionSTA'
SCENE = 'scene'
SUMMARY = 'summary.json'


def run_demo(folder: Path, say: Callable[[str], None] = print) -> int:
    """Set up, simulate, run the road, compare with the known answer; returns the exit code."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with open(str(folder / 'lock'), 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say('Another demo is at work in %s: wait for it, or give another --folder.' % folder)
            return 1
        return _run(folder, say)


def _run(folder: Path, say: Callable[[str], None]) -> int:
    home = use_or_install(say=say)
    say('Using %s' % find_build(home).describe())
    make_scene(folder / SCENE, home, say)
    prepare_scipion(folder)
    from .project import DemoFailed, run_road
    try:
        finished = run_road(folder, PROJECT, folder / SCENE, say=say)
    except DemoFailed as failure:
        say(str(failure))
        return 1
    from .compare import compare, table
    project = folder / 'ScipionUserData' / 'projects' / PROJECT
    summary = compare(finished, project, folder / SCENE, read_times(folder))
    write_json(folder / SUMMARY, summary)
    say(table(summary))
    say('The same is in %s. To open the project in Scipion: make gui' % (folder / SUMMARY))
    return 0


def make_scene(folder: Path, home: Path, say: Callable[[str], None]) -> None:
    """The simulated data set of the demo, unless it is there. Raises SimulationError where there is another one."""
    from ..simulate.dataset import make_dataset
    from ..simulate.presets import DEMO_SCENE
    from ..simulate.relion_run import SimulationError
    from ..simulate.truth import FOLDER, read_parameters
    if (folder / FOLDER).exists() and read_parameters(folder / FOLDER) != DEMO_SCENE:
        raise SimulationError('%s was made by another version of the demo: remove that folder, or give another one '
                              '(--folder)' % folder.parent)
    make_dataset(DEMO_SCENE, folder, home / 'bin', threads=2, say=say)


def open_gui(folder: Path) -> int:
    """Open the demo's project in the Scipion GUI; returns the exit code of the GUI."""
    folder = folder.absolute()
    if not (folder / 'ScipionUserData' / 'projects' / PROJECT).exists():
        print('There is no project in %s yet: run `make demo` first.' % folder, file=sys.stderr)
        return 1
    prepare_scipion(folder)
    environment = dict(os.environ, **scipion_environment(folder))
    return subprocess.run([sys.executable, '-m', 'scipion', 'project', PROJECT], env=environment, check=False).returncode
