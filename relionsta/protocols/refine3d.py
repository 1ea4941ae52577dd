"""3D auto-refine."""
import enum
import os

from pwem.objects import SetOfFSCs, Volume

from ..convert.volumes import check_map, make_volume
from ..jobs import files
from ..jobs.refine3d import REFINE3D
from ..objects import SetOfStaParticles
from ..results.history import read_iteration
from ..results.iterations import end_lacking, is_converged
from ..results.maps import write_mean
from ..results.model import read_model
from . import checks, maps
from .fscs import addFscSet
from .refine_base import ProtStaReferenceBase


class Refine3DOutputs(enum.Enum):
    """What 3D auto-refine makes."""

    refinedVolume = Volume
    outputParticles = SetOfStaParticles
    fscs = SetOfFSCs


class ProtStaRefine3D(ProtStaReferenceBase):
    """ Refine poses and map to the resolution that the data allow, with two independent half sets (gold standard).

    For particles that are aligned already, set the initial angular sampling equal to the one from which local searches
    start: then only local searches are made. With a mask and solvent-flattened FSCs the refinement knows its true
    resolution. The half sets are those of the particles, or drawn at random if they have none. Needs an odd number of
    MPI processes, at least 3: the first one only hands out work. A run that was stopped goes on from its last complete
    iteration with Continue; any iteration can be made the output instead of the final map.
    """

    _label = '3D auto-refine'
    _possibleOutputs = Refine3DOutputs
    _job = REFINE3D
    _defaultMpi = 3
    _referenceHelp = 'A first average of these particles, low-pass filtered below.'
    _iterationHelp = ('-1 is the final result of a converged refinement. The number of an iteration gives its half maps, '
                      'their mean and its particles, also of a run that was stopped or did not converge.')

    def _checkInputs(self):
        return super()._checkInputs() or self._checkBothHalves(self.inputParticles.get())

    @staticmethod
    def _checkBothHalves(particles):
        """RELION keeps half sets that are there, and there must be two."""
        halves = checks.halfSets(particles)
        if halves not in ({1}, {2}):
            return []
        return ['*Particles*: all %d are in half set %d (rlnRandomSubset), and the other one is empty. Choose particles '
                'of both half sets.' % (particles.getSize(), halves.pop())]

    # ---------------------------------------------------------------- output
    def _isFinished(self):
        return is_converged(self._getJobPath())

    def _isFinal(self):
        """True where the final result, not an iteration, is the output."""
        return self._getWanted() is None

    def getModel(self):
        """The final model.star, read, or that of half set 1 of the iteration that is the output."""
        if self._isFinal():
            return read_model(self._getJobPath(files.refine3d_final_files(files.RUN)['model']))
        return read_iteration(self._getJobPath(), self._job.type, self.getIteration()).model

    def _makeOutputs(self):
        if self._isFinal() and not self._isFinished():
            raise ValueError('The refinement did not converge: RELION ended without its final map in %s (there is no %s). '
                             'Look at its log; if it was told to stop (Additional arguments), run it without. To use an '
                             'iteration as it is, choose it in "Iteration to use" and Continue; complete are: %s.'
                             % (self._getJobPath(), end_lacking(self._getJobPath()), self._nameIterations() or 'none'))
        model = self.getModel()
        names = self._getFinalNames() if self._isFinal() else self._getIterationNames()
        halves = [names['half1'], names['half2']]
        if not self._isFinal():
            for half in halves:
                check_map(half, model.box_size, model.pixel_size)
            write_mean(names['map'], halves)
        volume = make_volume(names['map'], model.pixel_size, halves, box=model.box_size)
        particles = self._readParticles(names['data'])
        fscs = addFscSet(self, {'Gold-standard FSC': model.fsc(1)})
        self._defineOutputs(**{Refine3DOutputs.refinedVolume.name: volume,
                               Refine3DOutputs.outputParticles.name: particles, Refine3DOutputs.fscs.name: fscs})
        self._relateToInputs(volume, particles, fscs)

    def _getFinalNames(self):
        """Role -> path of the final map, its half maps and particles."""
        names = files.refine3d_final_files(files.RUN)
        return {role: self._getJobPath(names[role]) for role in ('map', 'half1', 'half2', 'data')}

    def _getIterationNames(self):
        """The same of an iteration; RELION writes no map of both half sets there, so `map` is where we put their mean."""
        number = self.getIteration()
        names = files.iteration_files(self._job.type, files.RUN, number)
        more = files.optional_iteration_files(self._job.type, files.RUN, number)
        paths = {role: self._getJobPath(names[role]) for role in ('half1', 'half2', 'data')}
        unfiltered = {half: self._getJobPath(more[half + '_unfil']) for half in ('half1', 'half2')}
        if any(os.path.lexists(path) for path in unfiltered.values()):
            paths.update(unfiltered)
        return dict(paths, map=self._getExtraPath('%s_mean.mrc' % files.iteration_root(files.RUN, number)))

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        model = self.getModel()
        volume, accuracy = self.refinedVolume, model.classes[0]
        lines = ['Resolution %s (gold-standard FSC 0.143, %s).' % (_known('%.2f Å', model.resolution), self._howMasked()),
                 'Nyquist at %.2f Å (%.4g Å/pixel, box %d).' % (2 * volume.getSamplingRate(), volume.getSamplingRate(),
                                                               maps.boxSize(volume)),
                 '%d particles in two half sets.' % self.outputParticles.getSize(),
                 'Estimated accuracy: %s and %s.' % (_known('%.2f°', accuracy.accuracy_rotations),
                                                     _known('%.2f Å', accuracy.accuracy_translations))]
        return self._continuedLines() + self._iterationLines() + lines + self._workedOutLines()

    def _iterationLines(self):
        if self._isFinal():
            return []
        filtered = '_unfil' not in self.refinedVolume.getHalfMaps()
        return ['Iteration %d, not the final result; the map is the mean of its two half maps%s.'
                % (self.getIteration(), ', which RELION has filtered' if filtered else '')]

    def _howMasked(self):
        values = self.getValues()
        return 'solvent-flattened' if values['do_solvent_fsc'] and values['fn_mask'] else 'without a mask'

    def _methodsLines(self):
        return ['%d particles were refined in RELION with independent half sets to %s (gold-standard FSC = 0.143, %s).'
                % (self.outputParticles.getSize(), _known('%.2f Å', self.getModel().resolution), self._howMasked())]


def _known(text, value):
    """A number in words; RELION makes no estimate of some."""
    return 'unknown' if value is None else text % value
