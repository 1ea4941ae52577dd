"""Input files are never changed: all files that are there before a run are the same after it."""
import contextlib
import functools
import os
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, NamedTuple

from ...report.make import makeReport
from ..find import real_data
from ..protocols.scene import scene_folder
from ..protocols.subsets import add_inputs, by_split
from .finished import MAKERS, Made, project_case
from .injectors.checksums import differences, marks_of, new_files
from .ledger import Ledger

#: Minutes each, with the programs and inputs of others that are tried.
SLOW = ('initial model', 'pseudo refine3d', 'multibody')
#: Scipion's own records, which it writes when it likes.
SCIPION = ('/logs/', '/Logs/', 'project.sqlite', 'settings.sqlite')


class Work(NamedTuple):
    """Something that reads files of others. do(case, runs): does it; returns the run, None for what has no folder."""

    name: str
    do: Callable[[Any, Dict[str, Any]], Any]
    quick: bool = False


def _again(kind: str) -> Callable[[Any, Dict[str, Any]], Any]:
    """The run once more, so that its inputs are there before."""
    def do(case: Any, runs: Dict[str, Any]) -> Any:
        return case.road.launch(case.proj.copyProtocol(runs[kind]))
    return do


def _make(one: Made, case: Any, runs: Dict[str, Any]) -> Any:
    runs[one.name] = one.make(case, runs)
    return runs[one.name]


def _split(case: Any, runs: Dict[str, Any]) -> Any:
    runs['parts'] = by_split(case, case.output(runs['extract'], 'outputParticles'))
    return runs['parts'][0].getObjValue()


def _join(case: Any, runs: Dict[str, Any]) -> Any:
    protocol = case.new('ProtStaJoin')
    add_inputs(protocol, runs['parts'])
    return case.road.launch(protocol)


def _export(case: Any, runs: Dict[str, Any]) -> Any:
    return case.run_new('ProtStaExportRelion', inputResult=case.output(runs['postprocess'], 'sharpenedVolume'))


def _import_relion(case: Any, runs: Dict[str, Any]) -> Any:
    return case.run_new('ProtStaImportRelion', filesPath=os.path.abspath(runs['refine3d']._getJobPath('run_data.star')))


def _import_shared(case: Any, _runs: Dict[str, Any]) -> Any:
    return case.run_new('ProtStaImportRelion', filesPath=str(real_data() / 'relion5-hiv-project' / 'Refine3D' / 'job034'))


def _report(case: Any, _runs: Dict[str, Any]) -> None:
    os.remove(makeReport(case.proj, os.path.abspath('report of a test.html')))


#: After all kinds of finished runs, each made with the marks of all that was there before.
WORKS = (
    Work('extract again', _again('extract'), quick=True),
    Work('reconstruct particle again', _again('reconstruct')),
    Work('select particles', lambda case, runs: case.run_new(
        'ProtStaSelectParticles', inputParticles=case.output(runs['extract'], 'outputParticles'), operation='split')),
    Work('extract with new boxes from particles', lambda case, runs: case.run_new(
        'ProtStaExtract', inputCoordinates=case.output(runs['refine3d'], 'outputParticles'), sizesBy=1, boxBinning=2.0,
        binned_size_pix=24, numberOfThreads=2)),
    Work("Scipion's split", _split),
    Work('join', _join),
    Work('export to RELION', _export),
    Work('import from RELION', _import_relion),
    Work('report', _report),
)


def run(ledger: Ledger) -> None:
    """Each work is a case for each file that was there before it."""
    case = project_case()
    with read_only(scene_folder()):
        if ledger.quick:
            runs = {one.name: one.make(case, {}) for one in MAKERS if one.name in ('extract', 'reconstruct')}
            works = [work for work in WORKS if work.quick]
        else:
            runs = {}
            for one in [maker for maker in MAKERS if maker.name not in SLOW]:
                _prove(Work(one.name, functools.partial(_make, one)), case, runs, ledger)
            works = list(WORKS)
            if real_data().is_dir():
                works.append(Work("import of another group's RELION project", _import_shared))
        for work in works:
            _prove(work, case, runs, ledger)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Within: nobody but root may write the files of a folder."""
    modes = {os.path.join(place, name): os.stat(os.path.join(place, name)).st_mode
             for place, _, names in os.walk(str(folder)) for name in names}
    for path, mode in modes.items():
        os.chmod(path, mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            os.chmod(path, mode)


def _prove(work: Work, case: Any, runs: Dict[str, Any], ledger: Ledger) -> None:
    places = [scene_folder(), real_data(), Path(case.proj.path)]
    before = {path: mark for path, mark in marks_of(places).items() if not any(part in path for part in SCIPION)}
    with ledger.case('%s: %d files' % (work.name, len(before)), tries=len(before)):
        done = work.do(case, runs)
        told = differences(before)
        assert not told, '; '.join(told[:5])
        foreign = new_files(places[:2], before)
        assert not foreign, 'new files beside the inputs: %s' % ', '.join(foreign[:5])
        if not ledger.quick and work in WORKS:
            own = () if done is None else ('/%s/' % done.getWorkingDir(),)
            strange = [path for path in new_files(places[2:], before) if not any(part in path for part in own + SCIPION)]
            assert not strange, 'new files outside of the run: %s' % ', '.join(strange[:5])
