"""3D auto-refine."""
import enum

from pwem.objects import SetOfFSCs, Volume
from pyworkflow.protocol import params

from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.refine3d import REFINE3D
from ..objects import SetOfStaParticles
from ..results.model import read_model
from .fscs import addFscSet
from .particles import TOMO_INPUTS, ProtStaParticlesBase


class Refine3DOutputs(enum.Enum):
    """What 3D auto-refine makes."""

    refinedVolume = Volume
    outputParticles = SetOfStaParticles
    fscs = SetOfFSCs


class ProtStaRefine3D(ProtStaParticlesBase):
    """ Refine poses and map to the resolution that the data allow, with two independent half sets (gold standard).

    For particles that are aligned already, set the initial angular sampling equal to the one from which local searches
    start: then only local searches are made. With a mask and solvent-flattened FSCs the refinement knows its true
    resolution. The half sets are those of the particles, or drawn at random if they have none. Needs an odd number of
    MPI processes, at least 3: the first one only hands out work.
    """

    _label = '3D auto-refine'
    _possibleOutputs = Refine3DOutputs
    _job = REFINE3D
    _filledIn = TOMO_INPUTS + ('fn_ref', 'fn_mask', 'fn_cont')
    _defaultMpi = 3

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('referenceVolume', params.PointerParam, pointerClass='Volume', important=True,
                      label='Reference map', help='A first average of these particles, low-pass filtered below.')
        form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True,
                      label='Reference mask (optional)',
                      help='A soft solvent mask with the same box and pixel size as the particles.')

    # ------------------------------------------------------------------ input
    def _inputValues(self):
        values = super()._inputValues()
        reference, mask = self.referenceVolume.get(), self.solventMask.get()
        values.update(fn_ref=reference.getFileName() if reference else '', fn_mask=mask.getFileName() if mask else '',
                      fn_cont='')
        return values

    def _validateInputs(self):
        errors = super()._validateInputs()
        if errors:
            return errors
        return (self._checkReference('Reference map', self.referenceVolume.get())
                + self._checkMask('Reference mask', self.solventMask.get()) + self._checkDiameter())

    # ---------------------------------------------------------------- output
    def createOutputStep(self):
        source = self.inputParticles.get()
        names = files.refine3d_final_files('run')
        pixel = source.getSamplingRate()
        volume = make_volume(self._getJobPath(names['map']), pixel,
                             [self._getJobPath(names['half1']), self._getJobPath(names['half2'])],
                             box=source.getBoxSize())
        particles = self._readParticles(self._getJobPath(names['data']))
        model = read_model(self._getJobPath(names['model']))
        fscs = addFscSet(self, {'Gold-standard FSC': model.fsc(1)})
        self._defineOutputs(**{Refine3DOutputs.refinedVolume.name: volume,
                               Refine3DOutputs.outputParticles.name: particles, Refine3DOutputs.fscs.name: fscs})
        for output in (volume, particles, fscs):
            self._defineSourceRelation(self.inputParticles, output)
        self._defineSourceRelation(self.referenceVolume, volume)

    def getModel(self):
        """The final model.star, read."""
        return read_model(self._getJobPath(files.refine3d_final_files('run')['model']))

    def _summaryLines(self):
        model = self.getModel()
        pixel = self.refinedVolume.getSamplingRate()
        return ['Resolution %.2f Å (gold-standard FSC 0.143%s).' % (
                    model.resolution, ', solvent-flattened' if self.do_solvent_fsc.get() and self.solventMask.get()
                    else ', without masking'),
                'Nyquist at %.2f Å (%.4g Å/pixel, box %d).' % (2 * pixel, pixel, self.refinedVolume.getDim()[0]),
                '%d particles in two half sets.' % self.outputParticles.getSize(),
                'Estimated accuracy: %.2f° and %.2f Å.' % (model.classes[0].accuracy_rotations,
                                                         model.classes[0].accuracy_translations)]

    def _methods(self):
        if not self.isFinished():
            return []
        return ['%d particles were refined in RELION with independent half sets to %.2f Å (gold-standard FSC = 0.143).'
                % (self.outputParticles.getSize(), self.getModel().resolution)]

    def _moreCitations(self):
        return ['Scheres2012']
