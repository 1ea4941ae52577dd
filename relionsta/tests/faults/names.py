"""Names that hurt, of tilt series, files, folders and in fields of text, through every protocol.

A name is refused before the run, with a reason that says it, or the job runs right. Nothing of it is ever run, and no file
lands outside of the run's folder.
"""
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Set

from pyworkflow import Config
from pyworkflow.project import Project
from pyworkflow.protocol.executor import StepExecutor

from relionsta import protocols
from relionsta.convert.errors import ConvertError
from relionsta.convert.series import scipion_ts_id
from relionsta.demo.project import new_protocol
from relionsta.demo.road import make_road
from relionsta.protocols.job_star import hasJobStar
from relionsta.protocols.place import checkPlace
from relionsta.protocols.runner import runRelion
from relionsta.sources.text import SourceError
from relionsta.star import StarError, read_star
from relionsta.tests.faults.injectors.around import in_folder, quiet
from relionsta.tests.faults.injectors.chosen import Chosen
from relionsta.tests.faults.injectors.hostile import CANARIES, FILE, NAMES, QUICK, SERIES, Hostile, file_name
from relionsta.tests.faults.injectors.named import Stage, in_process
from relionsta.tests.faults.injectors.recorder import Recorder
from relionsta.tests.faults.ways import TEXT, WAYS, Way
from relionsta.tests.protocols.case import shared_road
from relionsta.tests.protocols.scene import SETTINGS, scene_folder

#: A run where a name is refused by what reads it; its message counts as that of the validation.
REFUSED = (ConvertError, StarError, SourceError)
#: SQLite opens no file of a longer path: names of this length are not put into each other.
LONG = 200
OPEN = (
    ('a project with a path of more than 500 letters',
     "SQLite, and so Scipion, opens no file there ('unable to open database file').",
     'Use shorter names for the folders above.'),)
#: Jobs that are sent off from each place.
SENT = 3
#: The last step of the road that is run in such a folder.
LAST_STEP = 'reconstruct'
#: Of a folder: all that hurts but what Scipion itself would run.
BORNE = "it's; a 'real' & %(x)s, Größe {0.__class__} #1 (x) | -x * > hurt"


def run(ledger: Any) -> None:
    """Every name by every way, then every name as the place of a project."""
    names = [name for name in NAMES if not ledger.quick or name.what in QUICK]
    ways = [way for way in WAYS if not ledger.quick or not way.slow]
    with ledger.case('every protocol is tried', 0):
        assert {way.protocol for way in WAYS} == set(protocols.__all__), 'not tried: %s' % ', '.join(
            sorted(set(protocols.__all__) - {way.protocol for way in WAYS}))
    road, rng = shared_road(), random.Random(ledger.seed)
    home = ledger.folder / 'recorder'
    shutil.rmtree(str(home), ignore_errors=True)
    with in_folder(road.project.path):
        with quiet():
            stage, recorder = Stage(road), Recorder(home)
            if any(way.slow for way in ways):
                stage.classes()  # now, since its run is none of a case's
        for way in ways:
            for name in names if not ledger.quick else [random.Random(way.protocol).choice(names)]:
                if way.of == FILE and not name.file:
                    continue
                with ledger.case('%s, %s with %s' % (way.protocol, way.of, name.what)):
                    try_way(stage, way, name, recorder)
    for name in names:
        with ledger.case('a project in a folder with %s' % name.what, len(protocols.__all__)):
            try_place(ledger.folder / 'places', name, recorder, rng)
    if not ledger.quick:
        with ledger.case('a project at work in a folder with all that Scipion bears'):
            work_in(ledger.folder / 'places' / BORNE)
        for what, reason, advice in OPEN:
            ledger.open(what, reason, advice)


def try_way(stage: Stage, way: Way, name: Hostile, recorder: Recorder) -> None:
    """One name: refused with a reason that says it, or the job runs right; nothing else happens. Where RELION is not run,
    only names that real runs of others have shown to be right may be taken."""
    before = files_outside(())
    protocol, text = None, name.text
    try:
        protocol = stage.new(way.protocol, **way.make(stage, text))
        errors = protocol.validate()
    except REFUSED as error:
        errors = [str(error)]
    if errors:
        told = '\n'.join(errors)
        # A field of several lines is read line by line, and a number has no zeros before it
        parts = (text, repr(text)[1:-1], text.splitlines()[0], text.lstrip('0'))
        assert any(part in told for part in parts), 'not named: %s' % told
        assert 'Traceback' not in told, told
    elif way.real:
        with quiet():
            in_process(protocol)
        check_outputs(protocol, way, text)
    else:
        assert way.of in (TEXT,) + name.taken, 'it is taken, and RELION would take it for something else'
        if hasJobStar(type(protocol)):
            send(protocol, recorder, text if way.of == SERIES else '')
    own = [stage.shelf.path(''), *stage.runs]
    if protocol is not None and protocol.hasObjId():
        own.append(protocol._getPath())
    new = sorted(files_outside(own) - before)
    assert not new, 'files outside of the run: %s' % ', '.join(new[:5])


def try_place(top: Path, name: Hostile, recorder: Recorder, rng: random.Random) -> None:
    """A project in a folder of this name, and called so: every protocol refuses it, or none, and words of jobs arrive."""
    place = top / (file_name(name.text, '') if name.file and len(name.text) < LONG else 'plain')
    shutil.rmtree(str(place), ignore_errors=True)
    place.mkdir(parents=True)
    project = new_project(place / Project.cleanProjectName(name.text))
    with in_folder(str(place)):
        before = files_outside((os.path.basename(project.path),))
    with in_folder(project.path):
        every = [new_protocol(project, one, 'Placed', {}) for one in protocols.__all__]
        if checkPlace(project):
            for protocol in every:
                told = protocol.validate()
                assert len(told) == 1 and repr(name.text)[1:-1] in told[0], '%s: %s' % (protocol.getClassName(), told)
            return
        told = [message for protocol in every for message in protocol.validate() if str(place) in message]
        assert not told, told[:1]
        seen = shell_sees(project.path)
        assert seen == project.path, 'the shell that Scipion starts runs with takes it for %r' % seen
        chosen = Chosen(project, lambda one, **values: new_protocol(project, one, 'Placed', values))
        for job in rng.sample([one.getClassName() for one in every if hasJobStar(type(one))], SENT):
            send(chosen.new(job, **chosen.inputs(job)), recorder, '', write=False)
    with in_folder(str(place)):
        new = sorted(files_outside((os.path.basename(project.path),)) - before)
    assert not new, 'files outside of the project: %s' % ', '.join(new[:5])


def shell_sees(path: str) -> str:
    """What a shell makes of a path between double quotes, as Scipion gives that of the project to one."""
    done = subprocess.run(['sh', '-c', 'printf %%s "%s"' % path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return os.fsdecode(done.stdout)


def new_project(path: Path) -> Any:
    """A new project in a folder of its own."""
    with in_folder(str(path.parent)):
        project = Project(Config.getDomain(), str(path))
        project.create()
        project.load(chdir=True)
    return project


def work_in(place: Path) -> None:
    """Real runs, each a process that Scipion starts, in a project in this folder."""
    shutil.rmtree(str(place), ignore_errors=True)
    place.mkdir(parents=True)
    project = new_project(place / 'project')
    done: Dict[str, Any] = {}
    with in_folder(project.path):
        for step in make_road(str(scene_folder())):
            protocol = new_protocol(project, step.protocol, step.label, step.parameters(done, SETTINGS))
            project.launchProtocol(protocol, wait=True)
            assert protocol.isFinished(), '%s: %s' % (step.label, protocol.getErrorMessage())
            done[step.job] = protocol
            if step.job == LAST_STEP:
                break
    assert sorted(os.listdir(str(place))) == ['project'], os.listdir(str(place))


def send(protocol: Any, recorder: Recorder, series: str, write: bool = True) -> None:
    """The command and, if `write`, its STAR files, with the recorder in RELION's place."""
    with recorder.instead_of_relion(), quiet():
        protocol.getProject().saveProtocol(protocol)
        protocol.makePathsAndClean()
        protocol.setStepsExecutor(StepExecutor(protocol.getHostConfig()))
        if write:
            protocol.convertInputStep('')
        protocol._emptyJobFolder()
        commands, folder = protocol.getCommands(), protocol._getJobPath() + '/'
        recorder.provide(*(tokens[0] for tokens in commands))
        runRelion(protocol, commands, folder)
    got = [call[3:] if call[0] == 'mpirun' else call for call in recorder.calls()]
    wanted = [tokens + ['--pipeline_control', folder] if tokens[0].startswith('relion_') else tokens for tokens in commands]
    assert [call[1:] for call in got] == [tokens[1:] for tokens in wanted], 'other words: %s' % got
    star = protocol._getInputPath('particles.star')
    if series and os.path.exists(star):
        assert series in set(read_star(star, ['particles'])['particles']['rlnTomoName']), star


def check_outputs(protocol: Any, way: Way, text: str) -> None:
    """Outputs are there, not empty, and know the tilt series; what was left out is said."""
    made = [output for _, output in protocol.iterOutputAttributes()]
    assert made or not protocol._possibleOutputs, 'no output'
    for output in made:
        size = getattr(output, 'getSize', lambda: 1)()
        assert size > 0, '%s is empty' % output
    series = [output for output in made if hasattr(output, 'getTSIds')]
    if way.of == FILE and not way.protocol.startswith('ProtStaImport'):
        return
    if series and not any(name_in(output, text) for output in series):
        told = protocol.summaryVar.get('')
        assert text in told or repr(text)[1:-1] in told, 'the tilt series is gone without a word: %s' % told


def name_in(output: Any, text: str) -> bool:
    """True where a set has the tilt series, under the name that Scipion gives it."""
    try:
        return scipion_ts_id(text) in set(output.getTSIds())
    except ConvertError:  # nothing is left of it there
        return False


def files_outside(own: Any) -> Set[str]:
    """Files of the project but for these folders and Scipion's own, and whatever a name may have made elsewhere."""
    skipped = {os.path.normpath(path) for path in own}
    found: Set[str] = set()
    for folder, folders, names in os.walk('.'):
        here = os.path.normpath(folder)
        folders[:] = [name for name in folders if os.path.normpath(os.path.join(here, name)) not in skipped
                      and (here, name) not in ((('.'), 'Logs'), ('.', 'Tmp'))]
        found.update(os.path.join(here, name) for name in names if not name.startswith('project.sqlite'))
    above = (os.pardir, os.path.join(os.pardir, os.pardir), '/tmp', os.path.expanduser('~'), '/tmp/relionsta-hurt')
    elsewhere = [os.path.join(place, name) for place in above for name in CANARIES]
    return found.union(filter(os.path.lexists, elsewhere))
