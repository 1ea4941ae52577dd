"""Mask creation: a soft solvent mask from a map."""
from typing import List

from .common import IO, NR_THREADS, OTHER_ARGS, check_even
from .files import MASK_FILES
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import derived, flag, flag_if, positive

TAB = 'Mask'
HELIX = 'Helix'
COMBINE = 'Combine'
AND = 'AND: in both'
#: choice -> the program's option for the second map
COMBINED = {AND: '--and', 'OR: in one or both': '--or', 'AND NOT: in this, not in the other': '--and_not',
            'OR NOT: in this, or outside of the other': '--or_not'}
_FROM_MAP = 'not do_denovo'
_COMBINED = 'do_combine and ' + _FROM_MAP

OPTIONS = (
    Option('fn_in', Kind.PATH, '', 'Input 3D map', 'The map to make the mask from, for example the refined average.', IO,
           condition=_FROM_MAP),
    Option('do_denovo', Kind.BOOL, False, 'Make a sphere or shell instead?',
           'Yes: no map is used; the mask is a sphere, or a shell, of radii that you give.', IO, extra=True),
    Option('denovo_box_size', Kind.INT, 128, 'Box size (pix)', 'Width of the box of the sphere.', IO, unit='pix',
           hard=(2, None), sensible=(16, 800), condition='do_denovo', extra=True),
    Option('outer_radius', Kind.FLOAT, 20.0, 'Outer radius (pix)', 'Radius of the sphere, without its soft edge.', IO,
           unit='pix', hard=(1, None), sensible=(4, 400), condition='do_denovo', extra=True),
    Option('inner_radius', Kind.FLOAT, 0.0, 'Inner radius (pix)',
           'Radius of the hollow inside, for a shell such as a capsid or a vesicle. 0: a full sphere.', IO, unit='pix',
           hard=(0, None), condition='do_denovo', extra=True),
) + tuple(
    Option('center_' + axis.lower(), Kind.FLOAT, 0.0, 'Centre: %s (pix)' % axis,
           'Place of the middle of the sphere, from the middle of the box.', IO, unit='pix', condition='do_denovo',
           advanced=True, extra=True) for axis in 'XYZ'
) + (
    Option('lowpass_filter', Kind.FLOAT, 15.0, 'Lowpass filter map (A)',
           'Resolution to which the map is filtered first, so that the mask follows the shape and not the noise: 15 to '
           '20 A, more for a map of low resolution. 0 or less: no filter.', TAB, unit='A', sensible=(10, 100),
           condition=_FROM_MAP),
    Option('angpix', Kind.FLOAT, -1.0, 'Pixel size (A)',
           'Pixel size of the map, if that in its header is wrong. -1: as in the header.', TAB, unit='A', hard=(-1, None),
           sensible=(0.3, 20)),
    Option('inimask_threshold', Kind.FLOAT, 0.02, 'Initial binarisation threshold',
           'All voxels of the filtered map above this value are in the mask. In a viewer, take the lowest contour '
           'level that shows no dust around the particle.', TAB, condition=_FROM_MAP),
    Option('extend_inimask', Kind.INT, 3, 'Extend binary map this many pixels',
           'Grow the mask on all sides. Too tight a mask cuts into the particle and inflates the FSC.', TAB,
           unit='pixels', sensible=(0, 20), condition=_FROM_MAP),
    Option('width_mask_edge', Kind.INT, 3, 'Add a soft-edge of this many pixels',
           'Width of the cosine edge around the mask. A hard edge makes the two half maps look alike.', TAB,
           unit='pixels', hard=(0, None), sensible=(3, 20)),
    Option('do_combine', Kind.BOOL, False, 'Combine with another map or mask?',
           'Yes: a voxel is in the mask according to both; the other map is taken at the same threshold and is not '
           'filtered. Best done with two masks and a threshold of 0.5, for example to cut a part out of a mask.', COMBINE,
           condition=_FROM_MAP, extra=True),
    Option('combine_how', Kind.CHOICE, AND, 'Which voxels', 'What is above the threshold in the map, in the other one, or '
           'not.', COMBINE, choices=tuple(COMBINED), condition=_COMBINED, extra=True),
    Option('fn_other', Kind.PATH, '', 'The other map', 'The map or mask to combine with.', COMBINE,
           condition=_COMBINED, extra=True),
    Option('do_invert', Kind.BOOL, False, 'Invert the mask?',
           'Yes: 1 outside and 0 inside, for example the part that particle subtraction takes away.', COMBINE,
           extra=True),
    Option('do_helix', Kind.BOOL, False, 'Mask a 3D helix?',
           'Yes: the mask spans a part of the box along Z, as for a filament.', HELIX, condition=_FROM_MAP),
    Option('helical_z_percentage', Kind.FLOAT, 30.0, 'Central Z length (%)',
           'Part of the box along Z that the mask spans; the ends of a reconstructed helix are less reliable.', HELIX,
           unit='%', hard=(1, 100), sensible=(5, 80), condition='do_helix and ' + _FROM_MAP),
    NR_THREADS, OTHER_ARGS,
)


def _sphere(request: Request) -> List[str]:
    """A mask that is made from no map; the program takes no other option for it."""
    return (['--denovo', '--o', request.out + MASK_FILES['mask']] + positive('--angpix', request['angpix'])
            + flag('--box_size', request['denovo_box_size']) + flag('--inner_radius', request['inner_radius'])
            + flag('--outer_radius', request['outer_radius'])
            + [token for axis in 'xyz' if request['center_' + axis]
               for token in flag('--center_' + axis, request['center_' + axis])]
            + flag('--width_soft_edge', request['width_mask_edge']))


def _of_map(request: Request) -> List[str]:
    helix = (['--helix', '--z_percentage', derived(request['helical_z_percentage'], over=100)]
             if request['do_helix'] else [])
    other = flag(COMBINED[request['combine_how']], request['fn_other']) if request['do_combine'] else []
    return (flag('--i', request['fn_in']) + ['--o', request.out + MASK_FILES['mask']]
            + positive('--lowpass', request['lowpass_filter']) + positive('--angpix', request['angpix'])
            + flag('--ini_threshold', request['inimask_threshold']) + flag('--extend_inimask', request['extend_inimask'])
            + flag('--width_soft_edge', request['width_mask_edge']) + helix + other)


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI, and what its program can do besides: spheres, combined and inverted masks."""
    return [['relion_mask_create'] + (_sphere(request) if request['do_denovo'] else _of_map(request))
            + flag_if(request['do_invert'], '--invert') + flag('--j', request['nr_threads']) + request.other_args()]


def check(found: Complaints) -> None:
    """A map must be named, or a sphere be possible; so must the other map be."""
    if found['do_denovo']:
        _check_sphere(found)
        return
    found.missing('fn_in', 'Choose the map to make the mask from.')
    if found['do_combine']:
        found.missing('fn_other', 'Choose the map or mask to combine with.')


def _check_sphere(found: Complaints) -> None:
    check_even(found, 'denovo_box_size')
    if found['angpix'] <= 0:
        found.add('angpix', 'and a sphere has no map to take it from; RELION would write 1 A.',
                  'Give the pixel size of the maps that the mask is for.')
    if found['inner_radius'] >= found['outer_radius']:
        found.add('inner_radius', 'and the outer radius is only %g.' % found['outer_radius'],
                  'Choose a smaller one, or 0 for a full sphere.')
    farthest = max(abs(found['center_' + axis]) for axis in 'xyz') + found['outer_radius'] + found['width_mask_edge']
    if found['denovo_box_size'] > 0 and farthest > found['denovo_box_size'] / 2:
        found.add('outer_radius', 'which with its soft edge reaches %g pixels from the middle of a box of %d.'
                  % (farthest, found['denovo_box_size']), 'Usual is a mask that ends inside of the box.', fatal=False)


MASK = Job('relion.maskcreate', 'Mask creation', 'MaskCreate', OPTIONS, build, (check,))
