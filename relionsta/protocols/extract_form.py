"""The inputs in the form of Extract subtomos."""
from pyworkflow.protocol import params

from ..jobs.extract import EXTRACT, PSEUDO_3D, STACKS_2D

BY_ANGSTROM, BY_BINNING, BY_DIAMETER = 0, 1, 2
#: choice in the form -> rlnTomoHand; choice 0 takes the one that was imported
HANDS = {1: -1, 2: 1}
#: options that RELION 5.1 has; for 5.0 they are translated
SIZES = ('box_size_angst', 'binned_size_pix', 'precrop_size_angst')


def defineExtractInputs(form):
    """Add the inputs, and how sizes are given, to the form."""
    form.addParam('inputCoordinates', params.PointerParam, pointerClass='SetOfCoordinates3D, SetOfStaParticles',
                  important=True, label='Coordinates or particles',
                  help='3D coordinates of any plugin, at any binning and pixel size; or particles of an earlier '
                       'step, to extract them again.')
    form.addParam('inputTiltSeries', params.PointerParam, pointerClass='SetOfTiltSeries', allowsNull=True,
                  label='Tilt series',
                  help='The raw (not interpolated) tilt series with their alignment. May stay empty for particles of '
                       'an earlier step: then those that the particles know are used.')
    form.addParam('inputCtfs', params.PointerParam, pointerClass='SetOfCTFTomoSeries', allowsNull=True,
                  label='CTFs', help='The CTF of the same tilt series; needed where tilt series are given.')
    form.addParam('hand', params.EnumParam, choices=['as imported (-1 if unknown)', '-1', '+1'],
                  default=0, display=params.EnumParam.DISPLAY_COMBO, label='Handedness of defocus',
                  help='rlnTomoHand: the side of the tilted specimen that is more out of focus. -1 is right for most '
                       'data. A wrong value costs resolution and shows as CTF-refined defocus that drifts across '
                       'the field. Used where tilt series are given; particles keep theirs otherwise.')
    section = form.addSection(label='Reconstruct')
    section.addParam('sizesBy', params.EnumParam, default=BY_ANGSTROM, display=params.EnumParam.DISPLAY_COMBO,
                     choices=['box in Å and in pixels (RELION)', 'binning and pixels', 'diameter of the particle'],
                     label='Sizes are given as',
                     help='RELION takes the box in Å and its size in pixels after binning; the binning follows: box '
                          'in Å / (pixel size of the tilt series x box in pixels). Or give the binning and the box '
                          'in pixels. Or give the diameter of the particle, and the box is worked out: a good size from '
                          '1.5 times the particle on. The wands show what comes out, and why.')
    section.addParam('particleDiameter', params.FloatParam, default=None, allowsNull=True,
                     condition='sizesBy == %d' % BY_DIAMETER, label='Diameter of the particle (Å)',
                     help='The longest extent of the particle: about 350 Å for a ribosome. Empty, for particles of an '
                          'earlier step: the box becomes as wide in Å as theirs.')
    section.addParam('boxBinning', params.FloatParam, default=None, allowsNull=True,
                     condition='sizesBy != %d' % BY_ANGSTROM, label='Binning',
                     help='Pixel size of the particles / pixel size of the tilt series: 4 or 8 to start with, 2 and 1 when '
                          'the resolution comes near twice the pixel. Where the diameter of the particle is given it may '
                          'stay empty: the coarsest of 8, 4, 2 and 1 that leaves the particle 30 pixels wide.')


def sizesOf(protocol, values):
    """The values of a job.star as the form asks for them; sets how sizes are given.

    RELION 5.1 gives sizes in Å; 5.0 as binning and pixels, which the form has as well. A larger box of 5.0 stays in the
    result as box_size where its width in Å cannot be told before tilt series are chosen.
    """
    old = 'binning' in values and 'box_size_angst' not in values
    protocol.sizesBy.set(BY_BINNING if old else BY_ANGSTROM)
    if not old:
        return dict(values, do_stack2d=values.get('subtomo_format', STACKS_2D) == STACKS_2D)
    protocol.boxBinning.set(values['binning'])
    sizes = dict(EXTRACT.defaults(), **values)
    pixel, cropped = protocol.getTiltSeriesPixelSize(), sizes['crop_size'] > 0
    result = {name: value for name, value in values.items() if name not in ('binning', 'box_size', 'crop_size')}
    result['subtomo_format'] = STACKS_2D if sizes['do_stack2d'] else PSEUDO_3D
    result['binned_size_pix'] = sizes['crop_size'] if cropped else sizes['box_size']
    if cropped and pixel:
        result['precrop_size_angst'] = round(sizes['box_size'] * sizes['binning'] * pixel, 6)
    elif cropped:
        result['box_size'] = sizes['box_size']
    return result
