"""What the protocols share that run relion_refine on a set of particles."""
from pyworkflow.object import String
from pyworkflow.protocol import params

from ..suggest.sizes import suggest_estep_limit, suggest_mask_diameter
from ..suggest.start import suggest_low_pass
from ..suggest.upstream import resolution_of_map
from . import maps
from .iterative import IterativeMixin
from .particles import TOMO_INPUTS, ProtStaParticlesBase


class ProtStaRefineBase(IterativeMixin, ProtStaParticlesBase):
    """A job of relion_refine on particles, from its start or on from an iteration of an earlier run."""

    _filledIn = TOMO_INPUTS + ('fn_cont',)
    _inputCondition = 'not doContinue'
    _emptyMeans = {'particle_diameter': '90 % of the box'}

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.workedOut = String()

    def _defineInputParams(self, form):
        self._defineContinueParams(form)
        super()._defineInputParams(form)

    def _inputValues(self):
        return dict(super()._inputValues(), fn_cont='',
                    **{name: suggested.value for name, suggested in self._suggestEmpty().items()})

    def _writeInputs(self):
        super()._writeInputs()
        if self._continued() is None:
            self.workedOut.set('\n'.join('%s %s.' % (self._job.option(name).label, suggested.text())
                                         for name, suggested in self._suggestEmpty().items()))
            self._store(self.workedOut)

    def _workedOutLines(self):
        """What empty fields stood for in this run, and why."""
        return self.workedOut.get('').splitlines() if self._continued() is None else []

    # ------------------------------------------------------------ suggestions
    def getSuggestions(self):
        """{name of an option: what the inputs suggest for it}; without those that the inputs do not tell yet."""
        particles = self._particlesPointer().get()
        if particles is None or not particles.getBoxSize():
            return {}
        return {'particle_diameter': suggest_mask_diameter(particles.getBoxSize(), particles.getSamplingRate())}

    def _suggestEmpty(self):
        """The suggestions for options that the form leaves empty."""
        empty = [name for name in self._emptyMeans if getattr(self, name).get() is None]
        return {name: suggested for name, suggested in self.getSuggestions().items() if name in empty} if empty else {}

    def _ownValues(self):
        """Of a run that goes on with other settings, an empty field keeps what the run before had."""
        return {name: value for name, value in super()._ownValues().items()
                if name not in self._emptyMeans or getattr(self, name).get() is not None}

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
    _emptyMeans = dict(ProtStaRefineBase._emptyMeans, ini_high='from the reference')
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

    def getSuggestions(self):
        reference, found = self.referenceVolume.get(), super().getSuggestions()
        if found and reference is not None:
            found['ini_high'] = suggestLowPass(reference, self._particlesPointer().get().getSamplingRate())
        if 'highres_limit' in self._emptyMeans and found:
            found['highres_limit'] = suggest_estep_limit(self._particlesPointer().get().getSamplingRate())
        return found

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


def suggestLowPass(volume, pixel=0.0):
    """The low-pass filter (Å) that suits a map, from what the job which made it has measured. pixel: of the particles, Å."""
    measured = resolution_of_map(volume.getFileName())
    return (suggest_low_pass(None, pixel, 'this map') if measured is None else
            suggest_low_pass(measured.resolution, pixel, measured.source))
