"""Reconstruct particle."""
import enum
import os

from pwem.objects import Volume
from pyworkflow.protocol import params

from ..convert.halves import split_halves
from ..convert.volumes import make_volume
from ..jobs import files
from ..jobs.reconstruct import RECONSTRUCT
from .boxes import checkBoxFits, checkStacks, firstStack, stackSize
from .maps import boxSize
from .particles import PARTICLES, TOMO_INPUTS, ProtStaParticlesBase


class ReconstructOutputs(enum.Enum):
    """What Reconstruct particle makes."""

    average = Volume


class ProtStaReconstruct(ProtStaParticlesBase):
    """ Average particles from the tilt images, at the poses that they have.

    The quickest look at whether picks and orientations are right, and the way to a reference at any binning: the tilt
    series are read, not the extracted images, so a bin-1 map can be made from particles that were aligned at bin 4.
    Two half maps are made as well, from the particles' half sets.
    """

    _label = 'Reconstruct particle'
    _possibleOutputs = ReconstructOutputs
    _job = RECONSTRUCT
    _filledIn = TOMO_INPUTS
    _defaultThreads = 2
    _needsImages = False
    _extraConditions = {'binning': 'not sizesFromParticles', 'box_size': 'not sizesFromParticles'}

    def _defineInputParams(self, form):
        super()._defineInputParams(form)
        form.addParam('splitHalves', params.BooleanParam, default=True,
                      label='Split into random half sets if there are none?',
                      help='Half maps need half sets (rlnRandomSubset). Particles that have not been through a 3D '
                           'auto-refine have none; they are split at random, the same way each time. Half sets that '
                           'are there are never changed.')
        section = form.addSection(label='Average')
        section.addParam('sizesFromParticles', params.BooleanParam, default=True,
                         label="Use the particles' box and binning?",
                         help='No: choose them below, for example binning 1 and a box that is larger by the same '
                              'factor, for a reference at full resolution.')

    # ------------------------------------------------------------------ input
    def _inputValues(self):
        values = super()._inputValues()
        particles = self.inputParticles.get()
        if self.sizesFromParticles.get() and particles.getBoxSize():
            values['binning'] = particles.getParticleBinning()
            values['box_size'] = particles.getBoxSize()
        return values

    def _writeInputs(self):
        super()._writeInputs()
        if self.splitHalves.get():
            split_halves(self._getInputPath(PARTICLES))

    def _validateInputs(self):
        errors = super()._validateInputs()
        particles = self.inputParticles.get()
        if not errors and self.sizesFromParticles.get() and not particles.getBoxSize():
            errors.append("*Use the particles' box and binning?*: Yes, and these particles have no images yet. Choose No "
                          "and give the box and the binning.")
        errors = errors or checkStacks('Particles', *particles.getTomogramsStars())
        if errors:
            return errors
        pixel, values = particles.getTiltSeriesPixelSize(), self.getValues()
        return checkBoxFits('Box size (binned pix)', values['box_size'] * values['binning'] * pixel,
                            stackSize(firstStack(particles.getTomogramsStar())), pixel)

    # ---------------------------------------------------------------- output
    def _makeOutputs(self):
        values = self.getValues()
        pixel = self.inputParticles.get().getTiltSeriesPixelSize() * values['binning']
        cropped = values['crop_size'] if values['crop_size'] > 0 else values['box_size']
        halves = [self._getJobPath(files.RECONSTRUCT_FILES[name]) for name in ('half1', 'half2')]
        average = make_volume(self._getJobPath(files.RECONSTRUCT_FILES['merged']), pixel,
                              [half for half in halves if os.path.exists(half)], box=cropped)
        self._defineOutputs(**{ReconstructOutputs.average.name: average})
        self._defineSourceRelation(self.inputParticles, average)

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        average, particles = self.average, self.inputParticles.get()
        box, rate = boxSize(average), average.getSamplingRate()
        return ['Average of %d particles from %d tilt series.' % (particles.getSize(), len(particles.getTSIds())),
                'Box %d pixels of %.4g Å (%.0f Å), binning %.4g.' % (box, rate, box * rate,
                                                                   rate / particles.getTiltSeriesPixelSize()),
                'Symmetry %s.' % self.sym_name.get(),
                'With two half maps.' if average.getHalfMaps() else 'No half maps: the particles have no half sets.']

    def _methodsLines(self):
        particles, rate = self.inputParticles.get(), self.average.getSamplingRate()
        return ['%d particles were averaged from the tilt images in RELION at %.4g Å/pixel (binning %.4g).'
                % (particles.getSize(), rate, rate / particles.getTiltSeriesPixelSize())]
