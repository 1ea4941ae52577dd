"""Objects to choose in forms, made without running anything: small files of the right kinds and sets that name them."""
import functools
import os
from pathlib import Path
from typing import Any, Callable, Dict

from pwem.objects import VolumeMask

from relionsta.convert.particles import read_particles
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star, write_star
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.unit.convert_particle_files import write_particles
from relionsta.tests.unit.convert_tomogram_files import write_tomograms

NAMES = ('TS_01', 'TS_02')
#: An iteration of the refinement that stands for one.
ITERATION = 3


def _once(make: Callable[['Chosen'], Any]) -> Callable[['Chosen'], Any]:
    """A method whose result is kept in the object."""
    @functools.wraps(make)
    def kept(self: 'Chosen') -> Any:
        if make.__name__ not in self.made:
            self.made[make.__name__] = make(self)
        return self.made[make.__name__]
    return kept


class Chosen:
    """What protocols take as inputs; new: makes a protocol of the project. To be used in the project's folder."""

    def __init__(self, project: Any, new: Any) -> None:
        self.new, self._shelf = new, Shelf(project, new('ProtStaExtract'))
        self._project = project
        self.made: Dict[str, Any] = {}

    @_once
    def particles(self) -> Any:
        """3D pseudo-subtomos of two tilt series, with half sets."""
        folder = Path(self._shelf.path('job000'))
        folder.mkdir(exist_ok=True)
        star = str(folder / 'particles.star')
        write_particles(star)
        blocks = read_star(star)
        blocks['general']['rlnTomoSubTomosAre2DStacks'] = 0
        blocks['optics'] = blocks['optics'].assign(rlnImageDimensionality=3, rlnImageSize=SETTINGS.box)
        blocks['particles']['rlnCtfImage'] = blocks['particles']['rlnImageName']
        write_star(star, blocks)
        particles = SetOfStaParticles.create(str(folder))
        read_particles(star, particles, None, write_tomograms(str(folder / 'tomograms.star'), NAMES,
                                                             str(folder / 'tilt_series')))
        particles.write()
        return self._shelf.put(particles)

    @_once
    def volume(self) -> Any:
        """A map with half maps."""
        return self._shelf.map('map.mrc', halves=[self._shelf.file('half%d.mrc' % half) for half in (1, 2)])

    @_once
    def mask(self) -> Any:
        """A mask."""
        return self._shelf.map('mask.mrc', kind=VolumeMask)

    @_once
    def refinement(self) -> Any:
        """A 3D auto-refine that was never run."""
        protocol = self.new('ProtStaRefine3D', inputParticles=self.particles(), referenceVolume=self.volume())
        self._project.saveProtocol(protocol)
        os.makedirs(protocol._getPath(), exist_ok=True)
        return protocol

    def inputs(self, protocol: str) -> Dict[str, Any]:
        """What a protocol of this name gets for its inputs. KeyError for one that is not known here."""
        particles = dict(inputParticles=self.particles)
        on_map = dict(referenceVolume=self.volume, solventMask=self.mask)
        known = {
            'ProtStaExtract': dict(inputCoordinates=self.particles),
            'ProtStaReconstruct': particles,
            'ProtStaInitialModel': particles,
            'ProtStaClass3D': dict(particles, **on_map),
            'ProtStaRefine3D': dict(particles, **on_map),
            'ProtStaMask': dict(inputVolume=self.volume, otherVolume=self.mask),
            'ProtStaPostProcess': dict(inputVolume=self.volume, solventMask=self.mask),
            'ProtStaLocalResolution': dict(inputVolume=self.volume, solventMask=self.mask),
            'ProtStaMultiBody': dict(inputRun=self.refinement, runIteration=lambda: ITERATION),
            'ProtStaSubtract': dict(inputRun=self.refinement, runIteration=lambda: ITERATION, keepMask=self.mask),
            'ProtStaCtfRefine': dict(particles, **on_map),
            'ProtStaPolish': dict(particles, **on_map),
            'ProtStaReconstructTomograms': dict(inputTiltSeries=self.particles),
        }
        return {name: make() for name, make in known[protocol].items()}
