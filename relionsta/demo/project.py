"""The road in a Scipion project: makes the nodes that are missing, runs those that are not finished."""
import time
from pathlib import Path
from typing import Any, Callable, Dict, Sequence

from pyworkflow.object import Pointer
from pyworkflow.project import Manager
from pyworkflow.protocol.params import EnumParam

from ..protocols.runner import progress
from .progress import Watch
from .road import Step
from .times import add_time

#: The tree of protocols that the GUI shows beside the project.
VIEW = 'Tomography'


class DemoFailed(Exception):
    """A step of the road did not finish; the message names it, its reason and its log."""


def run_road(folder: Path, name: str, road: Sequence[Step], settings: Any,
             say: Callable[[str], None] = print) -> Dict[str, Any]:
    """Run every step that is not finished yet in the Scipion project `name`; returns the protocols by job.

    settings: what the steps take. The wall-clock time of each is kept in `folder`. Raises DemoFailed.
    """
    project = open_project(name)
    known = {run.getObjLabel(): run for run in project.getRuns()}
    done: Dict[str, Any] = {}
    for number, step in enumerate(road, start=1):
        title = '[%d/%d] %s' % (number, len(road), step.label)
        protocol = known.get(step.label)
        if protocol is not None and protocol.isFinished():
            say('%s: finished before' % title)
        else:
            if protocol is None:
                protocol = new_protocol(project, step.protocol, step.label, step.parameters(done, settings))
                project.saveProtocol(protocol)
            elif protocol.isActive():
                project.stopProtocol(protocol)
            add_time(folder, step.job, launch(project, protocol, title, say))
        done[step.job] = protocol
    return done


def open_project(name: str) -> Any:
    """The Scipion project `name`, made where it is missing; its folder becomes the working directory."""
    manager = Manager()
    new = not manager.hasProject(name)
    if new:
        manager.createProject(name)
    project = manager.loadProject(name)
    if new:
        project.getSettings().setProtocolView(VIEW)
        project.saveSettings()
    return project


def new_protocol(project: Any, name: str, label: str, parameters: Dict[str, Any]) -> Any:
    """A protocol of the class `name`, not yet run.

    parameters: values as one would type them (a choice as its text), outputs of other protocols, or pointers.
    """
    protocol = project.newProtocol(project.getDomain().getProtocols()[name])
    protocol.setObjLabel(label)
    for key, value in parameters.items():
        attribute = getattr(protocol, key)
        param = protocol.getParam(key)
        if isinstance(value, Pointer):
            attribute.set(value.getObjValue())
            attribute.setExtended(value.getExtended())
        elif isinstance(param, EnumParam) and isinstance(value, str):
            attribute.set(param.choices.index(value))
        else:
            attribute.set(value)
    return protocol


def launch(project: Any, protocol: Any, title: str, say: Callable[[str], None]) -> float:
    """Run a protocol to its end with its progress shown; returns the seconds that it took. Raises DemoFailed."""
    errors = protocol.validate()
    if errors:
        raise DemoFailed('%s was refused:\n%s' % (title, '\n'.join(errors)))
    start = time.time()
    with Watch(title, lambda: progress(protocol), say):
        project.launchProtocol(protocol, wait=True)
    seconds = time.time() - start
    if not protocol.isFinished():
        raise DemoFailed('%s did not finish: %s\nIts log is %s.'
                         % (title, protocol.getErrorMessage() or protocol.getStatusMessage(),
                            Path(project.getPath()) / protocol.getStdoutLog()))
    say('%s: finished in %.0f s' % (title, seconds))
    for line in protocol.summary():
        say('      %s' % line)
    return seconds
