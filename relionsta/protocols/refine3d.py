"""3D auto-refine."""
import enum

from pwem.objects import SetOfFSCs, Volume

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.refine3d import REFINE3D
from ..objects import SetOfStaParticles
from ..results.iterations import is_converged
from ..results.model import read_model
from . import checks, maps
from .fscs import addFscSet
from .particles import ProtStaRefineBase


class Refine3DOutputs(enum.Enum):
    """What 3D auto-refine makes."""

    refinedVolume = Volume
    outputParticles = SetOfStaParticles
    fscs = SetOfFSCs


class ProtStaRefine3D(ProtStaRefineBase):
    """ Refine poses and map to the resolution that the data allow, with two independent half sets (gold standard).

    For particles that are aligned already, set the initial angular sampling equal to the one from which local searches
    start: then only local searches are made. With a mask and solvent-flattened FSCs the refinement knows its true
    resolution. The half sets are those of the particles, or drawn at random if they have none. Needs an odd number of
    MPI processes, at least 3: the first one only hands out work.
    """

    _label = '3D auto-refine'
    _possibleOutputs = Refine3DOutputs
    _job = REFINE3D
    _defaultMpi = 3
    _referenceHelp = 'A first average of these particles, low-pass filtered below.'

    def _validateInputs(self):
        return super()._validateInputs() or self._checkBothHalves(self.inputParticles.get())

    @staticmethod
    def _checkBothHalves(particles):
        """RELION keeps half sets that are there, and there must be two."""
        halves = checks.halfSets(particles)
        if halves not in ({1}, {2}):
            return []
        return ['*Particles*: all %d are in half set %d (rlnRandomSubset), and the other one is empty. Choose particles '
                'of both half sets.' % (particles.getSize(), halves.pop())]

    # ---------------------------------------------------------------- output
    def getModel(self):
        """The final model.star, read."""
        return read_model(self._getJobPath(files.refine3d_final_files(files.RUN)['model']))

    def _makeOutputs(self):
        if not is_converged(self._getJobPath()):
            raise ValueError('The refinement did not converge: RELION ended without its final map in %s. Look at its log; '
                             'if it was told to stop (Additional arguments), run it without.' % self._getJobPath())
        source = self.inputParticles.get()
        names = files.refine3d_final_files(files.RUN)
        halves = [self._getJobPath(names[half]) for half in ('half1', 'half2')]
        volume = make_volume(self._getJobPath(names['map']), source.getSamplingRate(), halves, box=source.getBoxSize())
        particles = self._readParticles(self._getJobPath(names['data']))
        fscs = addFscSet(self, {'Gold-standard FSC': self.getModel().fsc(1)})
        self._defineOutputs(**{Refine3DOutputs.refinedVolume.name: volume,
                               Refine3DOutputs.outputParticles.name: particles, Refine3DOutputs.fscs.name: fscs})
        self._relateToInputs(volume, particles, fscs)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        model = self.getModel()
        volume, accuracy = self.refinedVolume, model.classes[0]
        return ['Resolution %s (gold-standard FSC 0.143, %s).' % (_known('%.2f Å', model.resolution), self._howMasked()),
                'Nyquist at %.2f Å (%.4g Å/pixel, box %d).' % (2 * volume.getSamplingRate(), volume.getSamplingRate(),
                                                              maps.boxSize(volume)),
                '%d particles in two half sets.' % self.outputParticles.getSize(),
                'Estimated accuracy: %s and %s.' % (_known('%.2f°', accuracy.accuracy_rotations),
                                                    _known('%.2f Å', accuracy.accuracy_translations))]

    def _howMasked(self):
        flattened = self.do_solvent_fsc.get() and self.solventMask.get() is not None
        return 'solvent-flattened' if flattened else 'without a mask'

    def _methodsLines(self):
        return ['%d particles were refined in RELION with independent half sets to %s (gold-standard FSC = 0.143, %s).'
                % (self.outputParticles.getSize(), _known('%.2f Å', self.getModel().resolution), self._howMasked())]


def _known(text, value):
    """A number in words; RELION makes no estimate of some."""
    return 'unknown' if value is None else text % value
