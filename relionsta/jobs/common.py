"""Options that many jobs share: the particles and tomograms that go in, and how the job runs."""
import re
from typing import List, Tuple

from .job import Complaints, Request
from .option import Kind, Option
from .tokens import flag, flag_if

IO = 'I/O'
RUNNING = 'Running'
#: The point groups that RELION reads (tried on its 5.1: no order above 99, S groups of even order, no I5).
POINT_GROUP = re.compile(r'(?:[CD][1-9]\d?[VH]?|C[IS]|S(?:[2468]|[1-9][02468])|T[DH]?|OH?|I[1-4]?H?)\Z', re.IGNORECASE)

TOMO_INPUT: Tuple[Option, ...] = (
    Option('in_optimisation', Kind.PATH, '', 'Input optimisation set',
           'One STAR file that names the particles, their tomograms and, after polishing, their trajectories. Most '
           'jobs write one; take that of the last job.', IO, condition='not use_direct_entries'),
    Option('use_direct_entries', Kind.BOOL, False, 'OR: use direct entries?',
           'Yes: name the particles and tomograms one by one instead, for example to combine particles of one job with '
           'tomograms of another.', IO),
    Option('in_particles', Kind.PATH, '', 'Input particle set',
           'The particles.star (or run_data.star) to work on.', IO, condition='use_direct_entries'),
    Option('in_tomograms', Kind.PATH, '', 'Input tomogram set',
           'The tomograms.star with the tilt series that the particles were picked in; its alignment and CTF are used.',
           IO, condition='use_direct_entries'),
    Option('in_trajectories', Kind.PATH, '', 'Input trajectory set',
           'The motion.star of Bayesian polishing, with the motion of each particle during the exposure. Empty if '
           'motion was not fitted.', IO, condition='use_direct_entries'),
)

NR_MPI = Option('nr_mpi', Kind.INT, 1, 'Number of MPI procs',
                'Processes that share the work, also over several computers. 1 runs the program without MPI.',
                RUNNING, hard=(1, None), sensible=(1, 64))
NR_THREADS = Option('nr_threads', Kind.INT, 1, 'Number of threads',
                    'Threads of each process; they share its memory. Processes times threads should not exceed the '
                    'cores that you have.', RUNNING, hard=(1, None), sensible=(1, 64))
OTHER_ARGS = Option('other_args', Kind.TEXT, '', 'Additional arguments',
                    'Options of the RELION program that have no entry in the form, as on a command line. They are '
                    'passed as they are: no variable or wildcard is expanded.', RUNNING, advanced=True)

FLOAT16 = Option('do_float16', Kind.BOOL, True, 'Write output in float16?',
                 'Yes halves the disk space of the images at no loss that matters. No, if a program that cannot read '
                 '16-bit MRC files will open them.', 'Reconstruct')


def symmetry(tab: str) -> Option:
    """The point group, on the tab where the job has it."""
    return Option('sym_name', Kind.TEXT, 'C1', 'Symmetry',
                  'Point group of the particle: C1 (none), C2, D7, T, O, I1... The map must stand as RELION expects '
                  'it: the main axis along Z. Start in C1 if you are not sure.', tab)


def tomo_input(request: Request) -> List[str]:
    """Inputs of RELION's tomography programs."""
    if not request['use_direct_entries']:
        return flag('--i', request['in_optimisation'])
    return (flag('--p', request['in_particles']) + flag('--t', request['in_tomograms'])
            + flag_if(request['in_trajectories'], '--mot', request['in_trajectories']))


def refine_input(request: Request) -> List[str]:
    """Inputs of relion_refine."""
    if not request['use_direct_entries']:
        return flag('--ios', request['in_optimisation'])
    return (flag('--i', request['in_particles']) + flag('--tomograms', request['in_tomograms'])
            + flag_if(request['in_trajectories'], '--trajectories', request['in_trajectories']))


def check_input(found: Complaints) -> None:
    """Particles and tomograms must be named, in one way only; a continued run remembers them."""
    if found.values.get('fn_cont'):
        return
    if not found['use_direct_entries']:
        found.missing('in_optimisation', 'Choose an optimisation set, or use direct entries.')
        return
    found.missing('in_particles', 'Choose a particles STAR file.')
    found.missing('in_tomograms', 'Choose a tomograms STAR file.')
    if found['in_optimisation']:
        found.add('in_optimisation', 'and direct entries are chosen as well.',
                  'Empty this field, or choose No in "OR: use direct entries?".', gui=True)


def check_even(found: Complaints, name: str) -> None:
    """A box must have an even number of pixels: RELION writes broken images of odd ones without a word."""
    if found[name] > 0 and found[name] % 2:
        found.add(name, "and RELION's boxes must be even.", 'Choose %d or %d.' % (found[name] - 1, found[name] + 1))


def check_symmetry(found: Complaints) -> None:
    """A point group must be named, in a way that RELION reads."""
    check_point_group(found, 'sym_name', required=True)


def check_point_group(found: Complaints, name: str, required: bool) -> None:
    """The point group in option `name` must be one that RELION knows."""
    group = found[name]
    if not group and not required:
        return
    if not POINT_GROUP.match(group):
        found.add(name, 'which is no point group that RELION knows.', 'Give C1, C2, D2, T, O, I1 or the like.')
