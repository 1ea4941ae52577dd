"""Reconstruct particle: an average from the tilt images, at the poses that the particles have."""
from typing import List

from .common import (
    NR_MPI,
    NR_THREADS,
    OTHER_ARGS,
    TOMO_INPUT,
    check_even,
    check_input,
    check_symmetry,
    symmetry,
    tomo_input,
)
from .files import RECONSTRUCT_FILES
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import derived, flag, flag_if, positive

TAB = 'Average'
HELIX = 'Helix'

OPTIONS = TOMO_INPUT + (
    Option('binning', Kind.FLOAT, 1.0, 'Binning factor',
           'Pixel size of the map divided by that of the tilt images. It need not be that of the extracted particles.',
           TAB, hard=(0.1, None), sensible=(1, 16)),
    Option('box_size', Kind.INT, 128, 'Box size (binned pix)',
           'Width of the box in which the map is made, in pixels of the map. Take 1.5 to 2 times the particle or more.',
           TAB, unit='pix', hard=(2, None), sensible=(16, 800)),
    Option('crop_size', Kind.INT, -1, 'Cropped box size (binned pix)',
           'Width of the maps that are written; the large box only serves to collect signal that defocus spread. '
           '-1: not cropped.', TAB, unit='pix', hard=(-1, None), sensible=(-1, 800)),
    Option('snr', Kind.FLOAT, 0.0, 'Wiener SNR constant',
           'Signal-to-noise ratio of a Wiener filter. It dampens high resolution, so leave 0 for a map that will be '
           'used as a reference.', TAB, hard=(0, None), sensible=(0, 0.0001), advanced=True),
    symmetry(TAB),
    Option('do_helix', Kind.BOOL, False, 'Apply helical symmetry?',
           'Yes: average over the units of a helix along Z, and write helical_*.mrc maps with the symmetry imposed in '
           'real space as well.', HELIX),
    Option('helical_nr_asu', Kind.INT, 1, 'Number of unique asymmetrical units',
           'Helical units by which neighbouring particles are apart: distance along the filament divided by the rise.',
           HELIX, hard=(1, None), sensible=(1, 100), condition='do_helix'),
    Option('helical_twist', Kind.FLOAT, -1.0, 'Helical twist (deg)',
           'Rotation from one unit to the next; positive for a right-handed helix.', HELIX, unit='deg',
           hard=(-360, 360), sensible=(-180, 180), condition='do_helix'),
    Option('helical_rise', Kind.FLOAT, 4.75, 'Helical rise (A)',
           'Distance along the axis from one unit to the next.', HELIX, unit='A', hard=(0, None), sensible=(0.5, 100),
           condition='do_helix'),
    Option('helical_tube_outer_diameter', Kind.FLOAT, 200.0, 'Outer helical diameter (A)',
           'The symmetry is imposed within a cylinder of this diameter.', HELIX, unit='A', hard=(1, None),
           sensible=(50, 300), condition='do_helix'),
    Option('helical_z_percentage', Kind.FLOAT, 20.0, 'Central Z length (%)',
           'Part of the box along Z from which the helix is taken to be extended; the ends are less reliable.', HELIX,
           unit='%', hard=(1, 100), sensible=(5, 80), condition='do_helix'),
    NR_MPI, NR_THREADS, OTHER_ARGS,
)


#: Volumes that the program holds beside one per thread (measured on 5.1: boxes of 128 and 200, 1 and 2 threads).
_VOLUMES_BESIDE = 3


def memory_bytes(box: int, threads: int, mpi: int = 1) -> float:
    """Memory that a run takes, in bytes. Every thread has a volume of its own: half a cube of `box` pixels, complex and
    with its weights, in double precision, once for each half set; so has every MPI process."""
    return 2.0 * (box // 2 + 1) * box * box * 3 * 8 * (threads + _VOLUMES_BESIDE) * mpi


def _impose(request: Request, name: str) -> List[str]:
    """Helical symmetry in real space, on one of the maps."""
    return (['relion_helix_toolbox', '--impose', '--i', request.out + RECONSTRUCT_FILES[name],
             '--o', request.out + RECONSTRUCT_FILES['helical_' + name]]
            + flag('--twist', request['helical_twist']) + flag('--rise', request['helical_rise'])
            + ['--z_percentage', derived(request['helical_z_percentage'], over=100)]
            + flag('--cyl_outer_diameter', request['helical_tube_outer_diameter']))


def build(request: Request) -> List[List[str]]:
    """The commands of RELION's GUI: the average, and for a helix three more."""
    helix = (flag('--nr_helical_asu', request['helical_nr_asu']) + flag('--helical_twist', request['helical_twist'])
             + flag('--helical_rise', request['helical_rise'])) if request['do_helix'] else []
    command = ([request.program('relion_tomo_reconstruct_particle')] + tomo_input(request)
               + ['--theme', 'classic', '--o', request.out] + flag('--b', request['box_size'])
               + positive('--crop', request['crop_size']) + flag('--bin', request['binning'])
               + positive('--SNR', request['snr']) + helix + flag('--j', request['nr_threads'])
               + flag('--j_out', request['nr_threads']) + ['--j_in', '1']
               + flag_if(request.resume, '--only_do_unfinished') + flag('--sym', request['sym_name'])
               + request.other_args())
    maps = ('half1', 'half2', 'merged') if request['do_helix'] else ()
    return [command] + [_impose(request, name) for name in maps]


def check_sizes(found: Complaints) -> None:
    """Boxes must be even; a crop that crops nothing is a slip."""
    check_even(found, 'box_size')
    check_even(found, 'crop_size')
    if found['crop_size'] >= found['box_size']:
        found.add('crop_size', 'and the box of %d pixels is not larger, so nothing is cropped.' % found['box_size'],
                  'Choose a smaller one, or -1 for none.', fatal=False)


def check_helix(found: Complaints) -> None:
    """A helix must rise."""
    if found['do_helix'] and found['helical_rise'] == 0:
        found.add('helical_rise', 'and the units of a helix cannot lie on each other.', 'Give the rise in A.')


RECONSTRUCT = Job('relion.reconstructparticletomo', 'Reconstruct particle', 'Reconstruct', OPTIONS, build,
                  (check_input, check_sizes, check_symmetry, check_helix))
