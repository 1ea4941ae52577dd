"""3D auto-refine."""
from typing import List

from .common import NR_MPI, NR_THREADS, OTHER_ARGS, TOMO_INPUT, check_input, check_symmetry, refine_input
from .files import REFINE3D as TYPE
from .files import RUN
from .helix import HELIX, check_helix, helix_tokens
from .job import Complaints, Job, Request
from .option import Kind, Option
from .refine_common import (
    OVERSAMPLING,
    blush_tokens,
    check_continue,
    check_refine,
    compute_tokens,
    ctf_tokens,
    healpix_order,
    offset_tokens,
    reference_tokens,
    running_tokens,
)
from .refine_options import (
    BLUSH,
    CTF,
    FILES,
    OPTIMISATION,
    PARTICLE_DIAMETER,
    REFERENCE,
    SAMPLINGS,
    ZERO_MASK,
    compute,
    offsets,
    relax_symmetry,
    sigma_tilt,
)
from .tokens import flag, flag_if

TAB = 'Auto-sampling'

OPTIONS = TOMO_INPUT + FILES + REFERENCE + CTF + (
    PARTICLE_DIAMETER, ZERO_MASK,
    Option('do_solvent_fsc', Kind.BOOL, False, 'Use solvent-flattened FSCs?',
           'Yes, with a reference mask: the resolution is measured inside of the mask at every iteration, which lets '
           'the refinement use all the signal there is.', OPTIMISATION),
) + BLUSH + (
    Option('sampling', Kind.CHOICE, SAMPLINGS[2], 'Initial angular sampling',
           'First step of the angular search; RELION refines it as the resolution grows. 7.5 degrees suits most '
           'particles, 3.7 those of high symmetry.', TAB, choices=SAMPLINGS),
) + offsets(TAB, ('Initial offset range (pix)', 'Initial offset step (pix)'),
            'First range of the search for positions, in pixels of the images; small if they are centred well.') + (
    Option('auto_local_sampling', Kind.CHOICE, SAMPLINGS[4], 'Local searches from auto-sampling',
           'From this step on, only angles near the last ones are searched. Equal to the initial sampling: local from '
           'the start, for particles that are aligned already.', TAB, choices=SAMPLINGS),
    relax_symmetry(TAB),
    Option('auto_faster', Kind.BOOL, False, 'Use finer angular sampling faster?',
           'Yes: go to finer steps before the coarse ones have converged. Faster; now and then a little worse.', TAB,
           advanced=True),
    sigma_tilt(TAB),
) + HELIX + compute() + (NR_MPI, NR_THREADS, OTHER_ARGS)


def _mask(request: Request) -> List[str]:
    if not request['fn_mask']:
        return []
    return flag('--solvent_mask', request['fn_mask']) + flag_if(request['do_solvent_fsc'], '--solvent_correct_fsc')


def _sampling(request: Request) -> List[str]:
    return (['--oversampling', str(OVERSAMPLING), '--healpix_order', healpix_order(request['sampling']),
             '--auto_local_healpix_order', healpix_order(request['auto_local_sampling'])] + offset_tokens(request))


def _helix(request: Request) -> List[str]:
    return helix_tokens(request, with_priors=request['sampling'] != request['auto_local_sampling'],
                        prior_flag_first=False, distance_with_priors=False)


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI. A continued run is told only what may change; RELION remembers the rest."""
    new = not request['fn_cont']
    output = ['--o', request.out + RUN]
    tokens = (output + ['--auto_refine', '--split_random_halves'] + refine_input(request) + reference_tokens(request)
              if new else flag('--continue', request['fn_cont']) + output)
    tokens += blush_tokens(request) + compute_tokens(request)
    tokens += flag_if(request['auto_faster'], '--auto_ignore_angles', '--auto_resol_angles')
    tokens += (ctf_tokens(request) if new else []) + flag('--particle_diameter', request['particle_diameter'])
    if new:
        tokens += ['--flatten_solvent'] + flag_if(request['do_zero_mask'], '--zero_mask')
    tokens += _mask(request)
    if new:
        tokens += (_sampling(request) + flag('--sym', request['sym_name'])
                   + ['--low_resol_join_halves', '40', '--norm', '--scale'] + _helix(request))
    tokens += flag_if(request['relax_sym'], '--relax_sym', request['relax_sym'])
    return [[request.program('relion_refine')] + tokens + running_tokens(request)]


def check(found: Complaints) -> None:
    """What relion_refine refuses in an auto-refinement: it works on two half sets at once."""
    check_continue(found, gui=True)
    ranks = found['nr_mpi']
    if ranks < 3 or ranks % 2 == 0:
        found.add('nr_mpi', 'and auto-refine needs an odd number of at least 3: one leads, the others share the two '
                  'half sets.', 'Choose %s.' % ('3' if ranks < 4 else '%d or %d' % (ranks - 1, ranks + 1)))
    if found['do_solvent_fsc'] and not found['fn_mask']:
        found.add('do_solvent_fsc', 'and there is no reference mask, so RELION would measure without one.',
                  'Choose a reference mask, or No.')
    if float(found['auto_local_sampling'].split()[0]) > float(found['sampling'].split()[0]):
        found.add('auto_local_sampling', 'which is coarser than the initial sampling of %s.' % found['sampling'],
                  'Local searches are made from the start then; choose the same value to say so.', fatal=False)


ON_CONTINUE = frozenset((
    'particle_diameter', 'do_blush', 'blush_version', 'fn_mask', 'do_solvent_fsc', 'auto_faster', 'relax_sym', 'do_pad1',
    'other_args'))

REFINE3D = Job(TYPE, '3D auto-refine', 'Refine3D', OPTIONS, build,
               (check_input, check_refine, check_symmetry, check_helix, check), ON_CONTINUE)
