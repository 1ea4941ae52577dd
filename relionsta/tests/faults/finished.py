"""Finished runs of every kind of job on the small scene, made once for all cases of a process."""
import functools
from typing import Any, Callable, Dict, NamedTuple

import mrcfile
import numpy as np
from pwem.objects import VolumeMask

from relionsta.convert.bulk import read_columns
from relionsta.tests.protocols import pseudo
from relionsta.tests.protocols.pseudo import PseudoCase
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.subsets import by_hand

Runs = Dict[str, Any]
#: particles and images that are enough for a descent of seconds, and for the estimation of tilt series
FEW, NARROW = 4, 48


class Made(NamedTuple):
    """How a run is made of those before it. name: of the kind of job; on_road: it is of the road that all tests share."""

    name: str
    make: Callable[[Any, Runs], Any]
    on_road: bool = False


class FaultCase(PseudoCase):
    """The shared project; the runs in it are made as they are asked for."""

    _until = None

    @classmethod
    def setUpClass(cls):
        super(PseudoCase, cls).setUpClass()


def _of_road(job: str) -> Callable[[Any, Runs], Any]:
    def make(case: Any, _runs: Runs) -> Any:
        case.road.until(job)
        return case.done[job]
    return make


def _mask_part(case: Any, name: str, upper: bool) -> Any:
    """A part of the road's mask: above the centre, or the rest (which is larger)."""
    shelf = Shelf(case.proj, case.new('ProtStaMask'))
    whole = mrcfile.read(case.done['mask'].solventMask.getFileName())
    box = len(whole)
    rest = np.clip((box // 2 + 3 - np.arange(box)) / 4, 0, 1)[:, None, None] * np.ones_like(whole)
    made = shelf.map(name, kind=VolumeMask)
    with mrcfile.open(made.getFileName(), mode='r+') as mrc:
        mrc.set_data((whole * (1 - rest if upper else rest)).astype(np.float32))
    return made


def _initial(case: Any, runs: Runs) -> Any:
    particles = runs['extract'].outputParticles
    few = by_hand(case, particles, read_columns(particles, [])['id'][::4][:FEW])
    return case.run_new('ProtStaInitialModel', inputParticles=few, particle_diameter=SETTINGS.diameter, nr_iter=3,
                        nr_classes=2, sym_name='C2', numberOfThreads=2, other_args='--random_seed 1')


def _multibody(case: Any, runs: Runs) -> Any:
    protocol = case.new('ProtStaMultiBody', inputRun=runs['pseudo refine3d'], sampling='7.5 degrees', offset_range=1.0,
                        offset_step=1.0, nr_movies=2, do_select=True, eigenval_min=0.0, numberOfMpi=3,
                        bodyTable='2 5 4\n1 5 4')
    for name, upper in (('body1.mrc', False), ('body2.mrc', True)):
        protocol.bodyMasks.append(_mask_part(case, name, upper))
    return case.road.launch(protocol)


def _halved(case: Any, runs: Runs) -> Any:
    """The particles of the extraction in two half sets, and their average at binning 1."""
    shelf = Shelf(case.proj, case.new('ProtStaExtract'))
    particles = shelf.changed(runs['extract'].outputParticles, 'halved',
                              change=lambda particle: particle.setRandomSubset(particle.getObjId() % 2 + 1))
    return particles, case.run_new('ProtStaReconstruct', inputParticles=particles, binning=1.0, box_size=NARROW,
                                   numberOfThreads=2)


def _refine_series(name: str, **values: Any) -> Callable[[Any, Runs], Any]:
    def make(case: Any, runs: Runs) -> Any:
        particles, average = runs['halved']
        return case.run_new(name, inputParticles=particles, referenceVolume=case.output(average, 'average'),
                            numberOfThreads=2, **values)
    return make


#: In the order in which they can be made; what is first is quick.
MAKERS = (
    Made('extract', _of_road('extract'), True),
    Made('reconstruct', _of_road('reconstruct'), True),
    Made('class3d', _of_road('class3d'), True),
    Made('classify', _of_road('classify'), True),
    Made('mask', _of_road('mask'), True),
    Made('refine3d', _of_road('refine3d'), True),
    Made('postprocess', _of_road('postprocess'), True),
    Made('initial model', _initial),
    Made('local resolution', lambda case, runs: case.run_new(
        'ProtStaLocalResolution', inputVolume=case.output(runs['reconstruct'], 'average'),
        solventMask=case.output(runs['mask'], 'solventMask'), other_args='--random_seed 1')),
    Made('symmetry expand', lambda case, runs: case.run_new(
        'ProtStaSymmetryExpand', sym_name='D2', inputParticles=case.output(runs['extract'], 'outputParticles'))),
    Made('tomograms', lambda case, runs: case.run_new(
        'ProtStaReconstructTomograms', inputTiltSeries=case.output(case.done['import_aretomo3'], 'tiltSeries'),
        inputCtfs=case.output(case.done['import_aretomo3'], 'ctfs'), zdim=80, binned_angpix=20.0, do_fourier=False,
        numberOfThreads=2)),
    Made('halved', _halved),
    Made('ctf refine', _refine_series('ProtStaCtfRefine')),
    Made('polish', _refine_series('ProtStaPolish', max_error=5, do_motion=True)),
    Made('pseudo extract', lambda case, runs: case.done.setdefault(pseudo.EXTRACT, case._extract())),
    Made('pseudo class3d', lambda case, runs: case.done.setdefault(pseudo.CLASS3D, case._class3d())),
    Made('pseudo refine3d', lambda case, runs: case.done.setdefault(pseudo.REFINE3D, case._refine3d())),
    Made('subtract', lambda case, runs: case.run_new(
        'ProtStaSubtract', inputRun=runs['pseudo class3d'], keepMask=_mask_part(case, 'kept.mrc', True), new_box=16)),
    Made('multibody', _multibody),
)


@functools.lru_cache(maxsize=1)
def project_case() -> Any:
    """The case of this process, in the folder of the project."""
    FaultCase.setUpClass()
    return FaultCase


def finished(*names: str) -> Runs:
    """Finished runs by kind; those that are not there yet are made, with all that they need. No names: all kinds."""
    case, wanted = project_case(), names or [one.name for one in MAKERS]
    last = max(index for index, one in enumerate(MAKERS) if one.name in wanted)
    runs = _made()
    for one in MAKERS[:last + 1]:
        if one.name not in runs and (one.name in wanted or not names or not all(
                other.on_road for other in MAKERS if other.name in wanted)):
            runs[one.name] = one.make(case, runs)
    return runs


@functools.lru_cache(maxsize=1)
def _made() -> Runs:
    return {}
