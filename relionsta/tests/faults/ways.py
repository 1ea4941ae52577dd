"""The ways on which a name gets into a protocol: a table that one can add a row to."""
import os
from typing import Any, Callable, Dict, NamedTuple, Tuple

from pwem.objects import VolumeMask

from relionsta.tests.faults.injectors.hostile import FILE, PARTICLE, SERIES
from relionsta.tests.faults.injectors.named import OLD, Stage
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.test_import_imod import GIVEN

#: A name may also be a text in a form.
TEXT = 'text'
REFINE = dict(particle_diameter=SETTINGS.diameter, numberOfThreads=1)
LOCAL = dict(SETTINGS.class3d, nr_iter=1)


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
    Way('ProtStaInitialModel', PARTICLE, lambda stage, name: dict(REFINE, inputParticles=stage.particles(OLD, name))),
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
    Way('ProtStaSubtract', SERIES, lambda stage, name: dict(
        _on_run(stage, name, keepMask=1), numberOfMpi=2), slow=True),
    Way('ProtStaSubtract', FILE, lambda stage, name: dict(
        _on_run(stage, mask=name, keepMask=1), numberOfMpi=2), slow=True),
    Way('ProtStaMultiBody', SERIES, lambda stage, name: dict(
        _on_run(stage, name, bodyMasks=1), numberOfMpi=3), slow=True),
    Way('ProtStaMultiBody', FILE, lambda stage, name: dict(
        _on_run(stage, mask=name, bodyMasks=1), numberOfMpi=3), slow=True),
    Way('ProtStaReconstructTomograms', SERIES, lambda stage, name: dict(
        inputTiltSeries=stage.particles(name), do_fourier=False, binned_angpix=20.0), real=True),
    Way('ProtStaReconstructTomograms', TEXT, lambda stage, name: dict(
        inputTiltSeries=stage.particles(OLD), tomo_name=name, do_fourier=False)),
    Way('ProtStaJoin', SERIES, lambda stage, name: dict(
        inputSets=[stage.particles(name), stage.particles(OLD)], sameParticles='same particles: keep the first'), real=True),
    Way('ProtStaSelectParticles', SERIES, lambda stage, name: dict(
        inputParticles=stage.particles(name), operation='by tomogram', tomograms=name), real=True),
    Way('ProtStaSymmetryExpand', SERIES, lambda stage, name: dict(
        inputParticles=stage.particles(name), sym_name='C2'), real=True),
    Way('ProtStaSelectClasses', TEXT, lambda stage, name: dict(
        inputClasses=stage.classes(), selectBy='class numbers', classNumbers=name), slow=True),
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
