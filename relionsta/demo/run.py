"""Run the main job in a Scipion project of the demo's own; go on where an earlier run stopped."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

from ..runtime.build import find_build
from ..runtime.choose import use_or_install
from .progress import Watch
from .scipion_home import prepare_scipion, scipion_environment

PROJECT = 'RelionSTA'
SCENE = 'scene'
SUMMARY = 'summary.json'
TIMES = 'times.json'


class DemoFailed(Exception):
    """A step of the road did not finish; the message names it, its reason and its log."""


def run_demo(folder: Path, say: Callable[[str], None] = print) -> int:
    """Set up, simulate, run the road, compare with the known answer; returns the exit code."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    home = use_or_install(say=say)
    say('Using %s' % find_build(home).describe())
    make_scene(folder / SCENE, home, say)
    prepare_scipion(folder)
    try:
        finished = run_road(folder, PROJECT, folder / SCENE, say)
    except DemoFailed as failure:
        say(str(failure))
        return 1
    from .compare import compare, table
    project = folder / 'ScipionUserData' / 'projects' / PROJECT
    summary = compare(finished, project, folder / SCENE, _read_times(folder))
    _write_json(folder / SUMMARY, summary)
    say(table(summary))
    say('The same is in %s. To open the project in Scipion: make gui' % (folder / SUMMARY))
    return 0


def make_scene(folder: Path, home: Path, say: Callable[[str], None]) -> None:
    """The simulated data set of the demo, unless it is there."""
    from ..simulate.dataset import make_dataset
    from ..simulate.presets import DEMO_SCENE
    make_dataset(DEMO_SCENE, folder, home / 'bin', threads=2, say=say)


def run_road(folder: Path, name: str, scene: Path, say: Callable[[str], None]) -> Dict[str, Any]:
    """Run every step that is not finished yet in the Scipion project `name`; returns the protocols by job.

    Raises DemoFailed. The wall-clock time of each step is kept beside the project.
    """
    from pyworkflow.project import Manager

    from ..simulate.presets import DEMO_SETTINGS
    from .road import make_road

    manager = Manager()
    if not manager.hasProject(name):
        manager.createProject(name)
    project = manager.loadProject(name)  # also makes its folder the working directory
    known = {run.getObjLabel(): run for run in project.getRuns()}
    done: Dict[str, Any] = {}
    road = make_road(str(scene))
    for number, step in enumerate(road, start=1):
        title = '[%d/%d] %s' % (number, len(road), step.label)
        protocol = known.get(step.label)
        if protocol is not None and protocol.isFinished():
            say('%s: finished before' % title)
            done[step.job] = protocol
            continue
        if protocol is None:
            protocol = project.newProtocol(project.getDomain().getProtocols()[step.protocol], objLabel=step.label,
                                           **step.parameters(done, DEMO_SETTINGS))
            project.saveProtocol(protocol)
        else:
            # RELION's files of an interrupted step are made again: its own steps go on where they can
            project.stopProtocol(protocol) if protocol.isActive() else None
        _launch(project, protocol, title, folder, step.job, say)
        done[step.job] = protocol
    return done


def _launch(project: Any, protocol: Any, title: str, folder: Path, job: str, say: Callable[[str], None]) -> None:
    errors = protocol.validate()
    if errors:
        raise DemoFailed('%s was refused:\n%s' % (title, '\n'.join(errors)))
    start = time.time()
    with Watch(title, Path(project.getPath()) / protocol.getStdoutLog(), say):
        project.launchProtocol(protocol, wait=True)
    seconds = time.time() - start
    if not protocol.isFinished():
        raise DemoFailed('%s did not finish: %s\nIts log is %s.' % (
            title, protocol.getErrorMessage() or protocol.getStatusMessage(),
            Path(project.getPath()) / protocol.getStdoutLog()))
    times = _read_times(folder)
    times[job] = round(seconds, 2)
    _write_json(folder / TIMES, times)
    say('%s: finished in %.0f s' % (title, seconds))
    for line in protocol.summary():
        say('      %s' % line)


def open_gui(folder: Path) -> int:
    """Open the demo's project in the Scipion GUI; returns the exit code of the GUI."""
    folder = folder.absolute()
    if not (folder / 'ScipionUserData' / 'projects' / PROJECT).exists():
        print('There is no project in %s yet: run `make demo` first.' % folder, file=sys.stderr)
        return 1
    prepare_scipion(folder)
    environment = dict(os.environ, **scipion_environment(folder))
    return subprocess.run([sys.executable, '-m', 'scipion', 'project', PROJECT], env=environment, check=False).returncode


def _read_times(folder: Path) -> Dict[str, float]:
    path = folder / TIMES
    return json.loads(path.read_text()) if path.exists() else {}


def _write_json(path: Path, content: Any) -> None:
    partial = path.with_name(path.name + '.part')
    partial.write_text(json.dumps(content, indent=2) + '\n')
    os.replace(str(partial), str(path))
