"""Mask creation: a soft solvent mask from a map."""
from typing import List

from .common import IO, NR_THREADS, OTHER_ARGS
from .files import MASK_FILES
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import derived, flag, positive

TAB = 'Mask'
HELIX = 'Helix'

OPTIONS = (
    Option('fn_in', Kind.PATH, '', 'Input 3D map', 'The map to make the mask from, for example the refined average.',
    IO),
    Option('lowpass_filter', Kind.FLOAT, 15.0, 'Lowpass filter map (A)',
           'Resolution to which the map is filtered first, so that the mask follows the shape and not the noise: 15 to '
           '20 A, more for a map of low resolution. 0 or less: no filter.', TAB, unit='A', sensible=(10, 100)),
    Option('angpix', Kind.FLOAT, -1.0, 'Pixel size (A)',
           'Pixel size of the map, if that in its header is wrong. -1: as in the header.', TAB, unit='A', hard=(-1,
           None),
           sensible=(0.3, 20)),
    Option('inimask_threshold', Kind.FLOAT, 0.02, 'Initial binarisation threshold',
           'All voxels of the filtered map above this value are in the mask. In a viewer, take the lowest contour '
           'level that shows no dust around the particle.', TAB, sensible=(0, 0.5)),
    Option('extend_inimask', Kind.INT, 3, 'Extend binary map this many pixels',
           'Grow the mask on all sides. Too tight a mask cuts into the particle and inflates the FSC.', TAB,
           unit='pixels', sensible=(0, 20)),
    Option('width_mask_edge', Kind.INT, 3, 'Add a soft-edge of this many pixels',
           'Width of the cosine edge around the mask. A hard edge makes the two half maps look alike.', TAB,
           unit='pixels', hard=(0, None), sensible=(3, 20)),
    Option('do_helix', Kind.BOOL, False, 'Mask a 3D helix?',
           'Yes: the mask spans a part of the box along Z, as for a filament.', HELIX),
    Option('helical_z_percentage', Kind.FLOAT, 30.0, 'Central Z length (%)',
           'Part of the box along Z that the mask spans; the ends of a reconstructed helix are less reliable.', HELIX,
           unit='%', hard=(1, 100), sensible=(5, 80), condition='do_helix'),
    NR_THREADS, OTHER_ARGS,
)


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI."""
    helix = (['--helix', '--z_percentage', derived(request['helical_z_percentage'] / 100)]
             if request['do_helix'] else [])
    return [['relion_mask_create'] + flag('--i', request['fn_in']) + ['--o', request.out + MASK_FILES['mask']]
            + positive('--lowpass', request['lowpass_filter']) + positive('--angpix', request['angpix'])
            + flag('--ini_threshold', request['inimask_threshold']) + flag('--extend_inimask',
            request['extend_inimask'])
            + flag('--width_soft_edge', request['width_mask_edge']) + helix + flag('--j', request['nr_threads'])
            + request.other_args()]


def check(found: Complaints) -> None:
    """A map must be named."""
    found.missing('fn_in', 'Choose the map to make the mask from.')


MASK = Job('relion.maskcreate', 'Mask creation', 'MaskCreate', OPTIONS, build, (check,))
