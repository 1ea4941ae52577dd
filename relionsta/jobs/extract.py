"""Extract subtomos: crop particles from the tilt images."""
from typing import List

from .common import FLOAT16, NR_MPI, NR_THREADS, OTHER_ARGS, TOMO_INPUT, check_even, check_input, tomo_input
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag, flag_if, positive

TAB = 'Reconstruct'
STACKS_2D = '2D stacks'
PSEUDO_3D = '3D pseudo-subtomos'
REAL_3D = '3D subtomos'
LAST_5_0 = (5, 0)
FIRST_5_1 = (5, 1)

OPTIONS = TOMO_INPUT + (
    Option('box_size_angst', Kind.FLOAT, 128.0, 'Box size (A)',
           'Width of the particle images. Take 1.5 to 2 times the particle, so that the signal that defocus spreads '
           'stays in the box.', TAB, unit='A', hard=(1, None), sensible=(32, 2000), since=FIRST_5_1),
    Option('binned_size_pix', Kind.INT, 64, 'Binning to box size (pixels)',
           'Pixels across the box after binning. Small is fast but limits the resolution to twice the pixel: box in A '
           'divided by this number, times two.', TAB, unit='pixels', hard=(2, None), sensible=(16, 512),
           since=FIRST_5_1),
    Option('precrop_size_angst', Kind.FLOAT, -1.0, 'Pre-cropping box size (A)',
           'Correct the CTF in this larger box first, then crop: keeps high-resolution signal that defocus spread '
           'beyond the box. -1: no larger box.', TAB, unit='A', hard=(-1, None), sensible=(-1, 4000), since=FIRST_5_1),
    Option('binning', Kind.FLOAT, 1.0, 'Binning factor',
           'Pixel size of the particles divided by that of the tilt images; need not be whole. Start at 4 or 8, and '
           'extract again at 2 and 1 when the resolution reaches twice the pixel.', TAB, hard=(1, None),
           sensible=(1, 16), until=LAST_5_0),
    Option('box_size', Kind.INT, 128, 'Box size (binned pix)',
           'Width of the box in which the CTF is corrected, in pixels after binning.', TAB, unit='pix', hard=(2, None),
           sensible=(32, 512), until=LAST_5_0),
    Option('crop_size', Kind.INT, -1, 'Cropped box size (binned pix)',
           'Width to which the images are cropped in the end; a smaller box makes refinement faster. -1: not cropped.',
           TAB, unit='pix', hard=(-1, None), sensible=(-1, 512), until=LAST_5_0),
    Option('max_dose', Kind.FLOAT, -1.0, 'Maximum dose (e/A^2)',
           'Leave out tilt images taken after this dose: they are damaged and add little. -1: use all.', TAB,
           unit='e/A^2', hard=(-1, None), sensible=(-1, 200)),
    Option('min_frames', Kind.INT, 1, 'Minimum nr. frames',
           'Drop particles that are seen whole in fewer tilt images than this, as happens near the edge of the field.',
           TAB, hard=(0, None), sensible=(1, 100)),
    Option('subtomo_format', Kind.CHOICE, STACKS_2D, 'Subtomogram format',
           '2D stacks hold the cropped tilt images and are the fast form for nearly all later jobs. 3D pseudo-subtomos are '
           'needed for particle subtraction and multi-body. 3D subtomos are cut from the reconstructed tomograms, at their '
           'pixel size.',
           TAB, choices=(STACKS_2D, PSEUDO_3D, REAL_3D), since=FIRST_5_1),
    Option('do_stack2d', Kind.BOOL, True, 'Write output as 2D stacks?',
           'Yes: cropped tilt images, the fast form for all later jobs. No: 3D pseudo-subtomograms.', TAB,
           until=LAST_5_0),
    FLOAT16, NR_MPI, NR_THREADS, OTHER_ARGS,
)


def _sizes(request: Request) -> List[str]:
    if request.version >= FIRST_5_1:
        return (flag('--box_size_A', request['box_size_angst']) + flag('--precrop_size_A',
        request['precrop_size_angst'])
                + flag('--binned_size_pix', request['binned_size_pix']))
    return (flag('--b', request['box_size']) + positive('--crop', request['crop_size'])
            + flag('--bin', request['binning']))


def _format(request: Request) -> List[str]:
    float16 = flag_if(request['do_float16'], '--float16')
    if request.version >= FIRST_5_1:
        kind = request['subtomo_format']
        return flag_if(kind == STACKS_2D, '--stack2d') + flag_if(kind == REAL_3D, '--real_subtomo') + float16
    return float16 + flag_if(request['do_stack2d'], '--stack2d')


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI; sizes are asked for in other words since 5.1."""
    return [[request.program('relion_tomo_subtomo')] + tomo_input(request)
            + ['--theme', 'classic', '--o', request.out] + _sizes(request)
            + positive('--max_dose', request['max_dose']) + positive('--min_frames', request['min_frames'])
            + _format(request) + flag_if(request.resume, '--only_do_unfinished')
            + flag('--j', request['nr_threads']) + request.other_args()]


def check_sizes(found: Complaints) -> None:
    """RELION takes any sizes and writes broken images, or none, without an error."""
    if found.version >= FIRST_5_1:
        check_even(found, 'binned_size_pix')
        if 0 < found['precrop_size_angst'] < found['box_size_angst']:
            found.add('precrop_size_angst', 'which is less than the box of %g A.' % found['box_size_angst'],
                      'Choose a larger one, or -1 for none.')
        if found['precrop_size_angst'] == 0:
            found.add('precrop_size_angst', 'which is no size.', 'Choose -1 for no larger box.')
        return
    check_even(found, 'box_size')
    check_even(found, 'crop_size')
    if found['crop_size'] > found['box_size']:
        found.add('crop_size', 'which is more than the box of %d pixels.' % found['box_size'],
                  'Choose a smaller one, or -1 for none.')


EXTRACT = Job('relion.pseudosubtomo', 'Extract subtomos', 'Extract', OPTIONS, build, (check_input, check_sizes))
