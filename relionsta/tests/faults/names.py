"""Names that hurt, of tilt series, files, folders and in fields of text, through every protocol.

A name is refused before the run, with a reason that says it, or the job runs right. Nothing of it is ever run, and no file
lands outside of the run's folder.
"""
import os
import random
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Set, Tuple

from pwem.objects import VolumeMask
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
from relionsta.tests.faults.injectors.hostile import CANARIES, NAMES, QUICK, Hostile, file_name
from relionsta.tests.faults.injectors.named import OLD, Stage, in_process
from relionsta.tests.faults.injectors.recorder import Recorder
from relionsta.tests.protocols.case import shared_road
from relionsta.tests.protocols.scene import SETTINGS, scene_folder
from relionsta.tests.protocols.test_import_imod import GIVEN

#: What a name is of.
SERIES, FILE, TEXT = 'tilt series', 'file', 'text'
#: A run where a name is refused by what reads it; its message counts as that of the validation.
REFUSED = (ConvertError, StarError, SourceError)
REFINE = dict(particle_diameter=SETTINGS.diameter, numberOfThreads=1)
LOCAL = dict(SETTINGS.class3d, nr_iter=1)
#: The last step of the road that is run in such a folder.
LAST_STEP = 'reconstruct'
#: Of a folder: all that hurts but what Scipion itself would run.
BORNE = "it's; a 'real' & %(x)s, Größe {0.__class__} #1 (x) | -x * > hurt"


class Way(NamedTuple):
    """A name into a protocol. make: (stage, name) -> the protocol, filled in. real: RELION itself runs, not the recorder,
    where the name is accepted. slow: not in the quick selection, since its inputs take long to make."""

    protocol: str
    of: str
    make: Callable[[Stage, str], Dict[str, Any]]
    real: bool = False
    slow: bool = False


def _refine(stage: Stage, series: str = OLD, reference: str = 'map', mask: str = 'mask', **values: Any) -> Dict[str, Any]:
    return dict(REFINE, inputParticles=stage.particles(series), referenceVolume=stage.reference(reference),
                solventMask=stage.mask(mask), **values)


def _on_series(stage: Stage, series: str = OLD, reference: str = 'map', mask: str = 'mask', **values: Any) -> Dict[str, Any]:
    """Inputs of jobs that refine tilt series."""
    return dict(inputParticles=stage.particles(series), referenceVolume=stage.map(reference),
                solventMask=stage.map(mask, VolumeMask), **values)


def _on_run(stage: Stage, series: str = OLD, mask: str = 'mask', **values: Any) -> Dict[str, Any]:
    """Inputs of jobs that take a refinement."""
    names = [stage.mask(mask), stage.mask('other')]
    return dict(inputRun=stage.refinement(series), runIteration=1,
                **{key: names if key == 'bodyMasks' else names[0] for key in values})


def _picks(stage: Stage, name: str, folder: str = 'picks') -> Dict[str, Any]:
    return dict(inputTomograms=stage.tomograms, filesPath=str(stage.picks(name, folder)))


def _job_folder(stage: Stage, name: str) -> Dict[str, Any]:
    star, tomograms = stage.star_files(name)
    return dict(filesPath=star, tomogramsFile=tomograms, projectFolder=os.getcwd())


def _scan(stage: Stage, text: str, series: str = OLD) -> Dict[str, Any]:
    template = stage.new('ProtStaClass3D', **_refine(stage, series, **LOCAL))
    stage.project.saveProtocol(template)
    return dict(scannedRun=template, scanText=text)


#: Every protocol is here, at least once.
WAYS: Tuple[Way, ...] = (
    Way('ProtStaExtract', SERIES, lambda stage, name: dict(
        inputCoordinates=stage.particles(name), box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box), real=True),
    Way('ProtStaExtract', FILE, lambda stage, name: dict(
        inputCoordinates=stage.done['import_picks'].outputCoordinates, inputTiltSeries=stage.tilt_series(name),
        inputCtfs=stage.ctfs, box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box), real=True),
    Way('ProtStaReconstruct', SERIES, lambda stage, name: dict(inputParticles=stage.particles(name)), real=True),
    Way('ProtStaInitialModel', SERIES, lambda stage, name: dict(REFINE, inputParticles=stage.particles(name))),
    Way('ProtStaClass3D', SERIES, lambda stage, name: _refine(stage, name, **LOCAL), real=True),
    Way('ProtStaClass3D', FILE, lambda stage, name: _refine(stage, reference=name, mask=name, **LOCAL), real=True),
    Way('ProtStaRefine3D', SERIES, lambda stage, name: _refine(stage, name, numberOfMpi=3)),
    Way('ProtStaRefine3D', FILE, lambda stage, name: _refine(stage, reference=name, numberOfMpi=3)),
    Way('ProtStaMask', FILE, lambda stage, name: dict(SETTINGS.mask, inputVolume=stage.reference(name)), real=True),
    Way('ProtStaPostProcess', FILE, lambda stage, name: dict(
        SETTINGS.postprocess, inputVolume=stage.map(name), solventMask=stage.map(name, VolumeMask)), real=True),
    Way('ProtStaLocalResolution', FILE, lambda stage, name: dict(inputVolume=stage.map(name))),
    Way('ProtStaCtfRefine', SERIES, lambda stage, name: _on_series(stage, name), real=True),
    Way('ProtStaCtfRefine', FILE, lambda stage, name: _on_series(stage, reference=name, mask=name)),
    Way('ProtStaPolish', SERIES, lambda stage, name: _on_series(stage, name)),
    Way('ProtStaPolish', FILE, lambda stage, name: _on_series(stage, reference=name, mask=name)),
    Way('ProtStaSubtract', SERIES, lambda stage, name: _on_run(stage, name, keepMask=1), slow=True),
    Way('ProtStaSubtract', FILE, lambda stage, name: _on_run(stage, mask=name, keepMask=1), slow=True),
    Way('ProtStaMultiBody', SERIES, lambda stage, name: dict(
        _on_run(stage, name, bodyMasks=1), numberOfMpi=3), slow=True),
    Way('ProtStaMultiBody', FILE, lambda stage, name: dict(
        _on_run(stage, mask=name, bodyMasks=1), numberOfMpi=3), slow=True),
    Way('ProtStaReconstructTomograms', SERIES, lambda stage, name: dict(
        inputTiltSeries=stage.particles(name), do_fourier=False, binned_angpix=20.0), real=True),
    Way('ProtStaReconstructTomograms', TEXT, lambda stage, name: dict(
        inputTiltSeries=stage.particles(OLD), tomo_name=name, do_fourier=False)),
    Way('ProtStaJoin', SERIES, lambda stage, name: dict(
        inputSets=[stage.particles(name), stage.particles(OLD)], sameParticles=0), real=True),
    Way('ProtStaSelectParticles', SERIES, lambda stage, name: dict(
        inputParticles=stage.particles(name), operation='by tomogram', tomograms=name), real=True),
    Way('ProtStaSymmetryExpand', SERIES, lambda stage, name: dict(
        inputParticles=stage.particles(name), sym_name='C2'), real=True),
    Way('ProtStaSelectClasses', TEXT, lambda stage, name: dict(
        inputClasses=stage.classes(), selectBy='numbers', classNumbers=name), slow=True),
    Way('ProtStaScan', TEXT, lambda stage, name: _scan(stage, 'tau_fudge = %s' % name)),
    Way('ProtStaScan', SERIES, lambda stage, name: _scan(stage, 'tau_fudge = 1, 2', name)),
    Way('ProtStaRefinementCycle', SERIES, lambda stage, name: dict(inputParticles=stage.particles(name))),
    Way('ProtStaImportAreTomo3', FILE, lambda stage, name: dict(filesPath=str(stage.aretomo(name))), real=True),
    Way('ProtStaImportImod', FILE, lambda stage, name: dict(filesPath=str(stage.etomo(name)), **GIVEN), real=True),
    Way('ProtStaImportPicks', SERIES, _picks, real=True),
    Way('ProtStaImportPicks', FILE, lambda stage, name: _picks(stage, OLD, name), real=True),
    Way('ProtStaImportRelion', SERIES, _job_folder, real=True),
    Way('ProtStaExportRelion', SERIES, lambda stage, name: dict(
        inputResult=stage.particles(name), kind='coordinates at refined positions'), real=True),
    Way('ProtStaExportRelion', FILE, lambda stage, name: dict(
        inputResult=stage.done['extract'].outputParticles, exportFolder=str(stage.folder('exports') / name)), real=True),
)


def run(ledger: Any) -> None:
    """Every name by every way, then every name as the place of a project."""
    names = [name for name in NAMES if not ledger.quick or name.what in QUICK]
    ways = [way for way in WAYS if not ledger.quick or not way.slow]
    with ledger.case('every protocol is tried', 0):
        assert {way.protocol for way in WAYS} == set(protocols.__all__), 'not tried: %s' % ', '.join(
            sorted(set(protocols.__all__) - {way.protocol for way in WAYS}))
    road = shared_road()
    home = ledger.folder / 'recorder'
    shutil.rmtree(str(home), ignore_errors=True)
    with in_folder(road.project.path):
        with quiet():
            stage, recorder = Stage(road), Recorder(home)
        for way in ways:
            for name in names if not ledger.quick else [random.Random(way.protocol).choice(names)]:
                if way.of == FILE and not name.file:
                    continue
                with ledger.case('%s, %s with %s' % (way.protocol, way.of, name.what)):
                    try_way(stage, way, name.text, recorder)
    for name in names:
        with ledger.case('a project in a folder with %s' % name.what, len(protocols.__all__)):
            try_place(ledger.folder / 'places', name, recorder)
    if not ledger.quick:
        with ledger.case('a project at work in a folder with all that Scipion bears'):
            work_in(ledger.folder / 'places' / BORNE)


def try_way(stage: Stage, way: Way, text: str, recorder: Recorder) -> None:
    """One name: refused with a reason that says it, or the job runs right; nothing else happens."""
    before = files_outside(())
    protocol = None
    try:
        protocol = stage.new(way.protocol, **way.make(stage, text))
        errors = protocol.validate()
    except REFUSED as error:
        errors = [str(error)]
    if errors:
        told = '\n'.join(errors)
        assert text in told or repr(text)[1:-1] in told, 'refused without the name: %s' % told
        assert 'Traceback' not in told, told
    elif way.real:
        with quiet():
            in_process(protocol)
        check_outputs(protocol, way, text)
    elif hasJobStar(type(protocol)):
        send(protocol, recorder, text if way.of == SERIES else '')
    own = [stage.shelf.path(''), *stage.runs]
    if protocol is not None and protocol.hasObjId():
        own.append(protocol._getPath())
    new = sorted(files_outside(own) - before)
    assert not new, 'files outside of the run: %s' % ', '.join(new[:5])


def try_place(top: Path, name: Hostile, recorder: Recorder) -> None:
    """A project in a folder of this name: every protocol refuses it, or every job's words arrive."""
    place = top / (file_name(name.text, '') if name.file else 'plain')
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
        chosen = Chosen(project, lambda one, **values: new_protocol(project, one, 'Placed', values))
        for protocol in every:
            if hasJobStar(type(protocol)):
                job = chosen.new(protocol.getClassName(), **chosen.inputs(protocol.getClassName()))
                send(job, recorder, '', write=False)
    with in_folder(str(place)):
        new = sorted(files_outside((os.path.basename(project.path),)) - before)
    assert not new, 'files outside of the project: %s' % ', '.join(new[:5])


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
    return scipion_ts_id(text) in set(output.getTSIds())


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
