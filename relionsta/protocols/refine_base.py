"""What the protocols share that run relion_refine on a set of particles."""
from pyworkflow.protocol import params

from . import maps
from .iterative import IterativeMixin
from .particles import TOMO_INPUTS, ProtStaParticlesBase


class ProtStaRefineBase(IterativeMixin, ProtStaParticlesBase):
    """A job of relion_refine on particles, from its start or on from an iteration of an earlier run."""

    _filledIn = TOMO_INPUTS + ('fn_cont',)
    _inputCondition = 'not doContinue'

    def _defineInputParams(self, form):
        self._defineContinueParams(form)
        super()._defineInputParams(form)

    def _inputValues(self):
        return dict(super()._inputValues(), fn_cont='')

    def _checkInputs(self):
        return super()._checkInputs() or self._checkDiameter()

    def _checkChanged(self):
        return self._checkDiameter()

    def _checkDiameter(self):
        """RELION takes a mask diameter beyond the box without a word."""
        particles, diameter = self._particlesPointer().get(), self.getValues()['particle_diameter']
        box, pixel = particles.getBoxSize(), particles.getSamplingRate()
        edge = box * pixel
        if diameter <= edge:
            return []
        return ['*Mask diameter (A)*: %g Å, and the box is only %.0f Å wide (%d pixels of %.4g Å). Choose at most %.0f; '
                '90 %% of the box (%.0f Å) is usual.' % (diameter, edge, box, pixel, edge, 0.9 * edge)]

    def _moreCitations(self):
        return ['Scheres2012']


class ProtStaReferenceBase(ProtStaRefineBase):
    """Particles against a reference, with an optional mask."""

    _filledIn = ProtStaRefineBase._filledIn + ('fn_ref', 'fn_mask')
    _referenceHelp = ''

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('referenceVolume', params.PointerParam, pointerClass='Volume', important=True,
                      condition=self._inputCondition, label='Reference map', help=self._referenceHelp)
        form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True,
                      condition='not doContinue or changeSettings', label='Reference mask (optional)',
                      help='A soft solvent mask with the same box and pixel size as the particles. Empty: a sphere of the '
                           'mask diameter, or, in a run that goes on, the mask that it had.')
        self._defineIterationParam(form)

    def _inputValues(self):
        return dict(super()._inputValues(), fn_ref=maps.relionMap(self.referenceVolume.get()),
                    fn_mask=maps.relionMap(self.solventMask.get()))

    def _ownValues(self):
        values = super()._ownValues()
        if self.solventMask.get() is not None:
            values['fn_mask'] = maps.relionMap(self.solventMask.get())
        return values

    def _inputPointers(self):
        before = self._continued()
        first = [self._particlesPointer(), self.referenceVolume] if before is None else before._inputPointers()
        return first + [self.solventMask]

    # ------------------------------------------------------------------ checks
    def _checkInputs(self):
        return super()._checkInputs() or self._checkReference() + self._checkMask()

    def _checkChanged(self):
        return super()._checkChanged() or self._checkMask()

    def _checkReference(self):
        """The reference must fit the particles, or RELION must have been told to make it fit."""
        particles, box, pixel = self.inputParticles.get(), None, None
        if not self.trust_ref_size.get():
            box, pixel = particles.getBoxSize(), particles.getSamplingRate()
        return maps.checkMap('Reference map', self.referenceVolume.get(), box, pixel)

    def _checkMask(self):
        particles, mask = self._particlesPointer().get(), self.solventMask.get()
        if mask is None:
            return []
        return maps.checkMask('Reference mask', mask, particles.getBoxSize(), particles.getSamplingRate())

    def _inputWarnings(self):
        """RELION scales, crops or pads a reference of another size, as it is told to."""
        if self._continued() is not None:
            return []
        particles, reference = self.inputParticles.get(), self.referenceVolume.get()
        other = maps.checkMap('Reference map', reference, particles.getBoxSize(), particles.getSamplingRate())
        return ['%s RELION will resize it, as "Resize reference if needed?" says.' % text for text in other]
