"""Particle subtraction: images without the density outside of a mask."""
from typing import List

from .common import FLOAT16, IO, NR_MPI, OTHER_ARGS
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag, flag_if, positive

TAB = 'Centering'
SUBTRACT_NEW = 'not do_fliplabel'


def _centre(axis: str) -> Option:
    return Option('center_' + axis, Kind.FLOAT, 0.0, 'Center coordinate (pix) - %s' % axis.upper(),
                  'Pixels of the reference map from the centre of its box along %s; may be negative.' % axis.upper(),
                  TAB, unit='pix', condition='not do_fliplabel and not do_center_mask and do_center_xyz')


OPTIONS = (
    Option('fn_opt', Kind.PATH, '', 'Input optimiser.star',
           'Of an iteration, or of the end, of the refinement or classification whose map and poses say what is to be '
           'subtracted.', IO, condition=SUBTRACT_NEW),
    Option('fn_mask', Kind.PATH, '', 'Mask of the signal to keep',
           'Soft mask: 1 where the density is to stay, 0 where it is to be subtracted. Same box as the map.', IO,
           condition=SUBTRACT_NEW),
    Option('do_data', Kind.BOOL, False, 'Use different particles?',
           'Yes: subtract from the particles below, at the poses that they have. No: from all particles of the '
           'refinement.', IO, condition=SUBTRACT_NEW),
    Option('fn_data', Kind.PATH, '', 'Input particle star file', 'The particles to subtract from.', IO,
           condition='not do_fliplabel and do_data'),
    Option('do_float16', Kind.BOOL, FLOAT16.default, FLOAT16.label, FLOAT16.help, IO, condition=SUBTRACT_NEW),
    Option('do_fliplabel', Kind.BOOL, False, 'OR revert to original particles?',
           'Yes: nothing is subtracted; particles that were subtracted before get their original images back, with '
           'the poses that they have now.', IO),
    Option('fn_fliplabel', Kind.PATH, '', 'Revert this particle star file',
           'Particles of an earlier subtraction, or of any later job on them.', IO, condition='do_fliplabel'),
    Option('do_center_mask', Kind.BOOL, True, 'Do center subtracted images on mask?',
           'Yes: the new images are centred on the centre of mass of the mask, so that a smaller box does.', TAB,
           condition=SUBTRACT_NEW),
    Option('do_center_xyz', Kind.BOOL, False, 'Do center on my coordinates?',
           'Yes: centre on the point below instead.', TAB, condition='not do_fliplabel and not do_center_mask'),
    _centre('x'), _centre('y'), _centre('z'),
    Option('new_box', Kind.INT, -1, 'New box size',
           'Width of the new images in pixels; smaller is quicker, and the kept part is often small. -1: as before.', TAB,
           unit='pix', hard=(-1, None), sensible=(16, 512), condition=SUBTRACT_NEW),
    NR_MPI, OTHER_ARGS,
)


def _centring(request: Request) -> List[str]:
    if request['do_center_mask']:
        return ['--recenter_on_mask']
    if not request['do_center_xyz']:
        return []
    return [token for axis in 'xyz' for token in flag('--center_' + axis, request['center_' + axis])]


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI: subtract, or give the original images back."""
    if request['do_fliplabel']:
        return [['relion_particle_subtract'] + flag('--revert', request['fn_fliplabel']) + ['--o', request.out]
                + request.other_args()]
    return [[request.program('relion_particle_subtract')] + flag('--i', request['fn_opt'])
            + flag_if(request['fn_mask'], '--mask', request['fn_mask'])
            + flag_if(request['do_data'], '--data', request['fn_data']) + ['--o', request.out] + _centring(request)
            + flag_if(request['do_float16'], '--float16') + positive('--new_box', request['new_box'])
            + request.other_args()]


def check(found: Complaints) -> None:
    """What RELION's GUI refuses, and boxes and names that its program takes without a word."""
    if found['do_fliplabel']:
        found.missing('fn_fliplabel', 'Choose the particles to revert.')
        if found['nr_mpi'] > 1:
            found.add('nr_mpi', 'and reverting uses no MPI.', 'Choose 1.', gui=True)
        return
    found.missing('fn_opt', 'Choose the optimiser.star of a refinement or classification.')
    if found['do_data']:
        found.missing('fn_data', 'Choose a particles STAR file, or No in "Use different particles?".')
    if found['new_box'] == 0 or found['new_box'] > 0 and found['new_box'] % 2:
        box = found['new_box']
        found.add('new_box', "and RELION's boxes must be even.",
                  'Choose %s, or -1 for the present box.' % (' or '.join(str(one) for one in (box - 1, box + 1)
                                                                        if one > 0) if box else '32'))


SUBTRACT = Job('relion.subtract', 'Particle subtraction', 'Subtract', OPTIONS, build, (check,))
