"""3D classification."""
from typing import List

from .common import NR_MPI, NR_THREADS, OTHER_ARGS, TOMO_INPUT, check_input, check_symmetry, refine_input
from .files import CLASS3D as TYPE
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
from .tokens import derived, flag, flag_if, positive

TAB = 'Sampling'
ALIGNED = 'dont_skip_align'
LOCAL = 'dont_skip_align and do_local_ang_searches'
#: RELION's fast subsets grow over the first 15 iterations and need full ones after them.
FAST_SUBSETS_ITERATIONS = 20

OPTIONS = TOMO_INPUT + FILES + REFERENCE + CTF + (
    Option('nr_classes', Kind.INT, 1, 'Number of classes',
           'States to tell apart. More than you expect, so that junk finds a class of its own; 1 aligns without '
           'classifying.', OPTIMISATION, hard=(1, None), sensible=(1, 50)),
    Option('tau_fudge', Kind.FLOAT, 1.0, 'Regularisation parameter T',
           'Weight of the data against smoothness of the maps. For subtomograms 1 to 4: more shows more detail and '
           'more noise.', OPTIMISATION, hard=(0, None), sensible=(0.1, 10)),
    Option('nr_iter', Kind.INT, 25, 'Number of iterations',
           'All iterations together, those before a continuation included. There is no test of convergence: look '
           'whether classes still change.', OPTIMISATION, hard=(1, None), sensible=(1, 100)),
    Option('do_fast_subsets', Kind.BOOL, False, 'Use fast subsets (for large data sets)?',
           'Yes: the first 15 iterations use growing parts of the data. For tens of thousands of particles.',
           OPTIMISATION, advanced=True),
    PARTICLE_DIAMETER, ZERO_MASK,
    Option('highres_limit', Kind.FLOAT, -1.0, 'Limit resolution E-step to (A)',
           'Align and classify by signal up to this resolution only, which guards against fitting noise; 10 to 20 A '
           'for difficult data. -1: no limit.', OPTIMISATION, unit='A', hard=(-1, None), sensible=(-1, 50),
           advanced=True),
) + BLUSH + (
    Option('dont_skip_align', Kind.BOOL, True, 'Perform image alignment?',
           'No: keep the poses that the particles have and only sort them into classes: fast, and the right way within '
           'a focused mask.', TAB),
    Option('sampling', Kind.CHOICE, SAMPLINGS[2], 'Angular sampling interval',
           'Step of the angular search. Finer is slower: each step down takes eight times as long in a global search.',
           TAB,
           choices=SAMPLINGS, condition=ALIGNED),
) + offsets(TAB, ('Offset search range (pix)', 'Offset search step (pix)'),
            'Each particle may move by this much, in pixels of the images, around its last position.', ALIGNED) + (
    Option('do_local_ang_searches', Kind.BOOL, False, 'Perform local angular searches?',
           'Yes: search only around the angles that the particles have, for example from template matching. Much '
           'faster, and it cannot lose good angles.', TAB, condition=ALIGNED),
    Option('sigma_angles', Kind.FLOAT, 5.0, 'Local angular search range',
           'Search within +/- this of the last angles; RELION takes a third of it as standard deviation.', TAB,
           unit='deg', hard=(0.01, 180), sensible=(0.1, 30), condition=LOCAL),
    relax_symmetry(TAB, LOCAL),
    Option('allow_coarser', Kind.BOOL, False, 'Allow coarser sampling?',
           'Yes: RELION samples more coarsely while the angles are not known to that accuracy yet. Faster, sometimes '
           'unstable.', TAB, condition=ALIGNED, advanced=True),
    sigma_tilt(TAB),
) + HELIX + compute() + (NR_MPI, NR_THREADS, OTHER_ARGS)


def _alignment(request: Request) -> List[str]:
    if not request['dont_skip_align']:
        return ['--skip_align']
    local = (['--sigma_ang', derived(request['sigma_angles'], over=3)]
             + flag_if(request['relax_sym'], '--relax_sym', request['relax_sym'])
             if request['do_local_ang_searches'] else [])
    return (['--oversampling', str(OVERSAMPLING), '--healpix_order', healpix_order(request['sampling'])] + local
            + offset_tokens(request) + flag_if(request['allow_coarser'], '--allow_coarser_sampling'))


def _helix(request: Request) -> List[str]:
    return helix_tokens(request, with_priors=request['dont_skip_align'] and not request['do_local_ang_searches'],
                        prior_flag_first=True, distance_with_priors=True)


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI. A continued run is told only what may change; RELION remembers the rest."""
    new = not request['fn_cont']
    output = ['--o', request.out + RUN]
    tokens = (output + refine_input(request) + reference_tokens(request) if new
              else flag('--continue', request['fn_cont']) + output)
    tokens += compute_tokens(request) + (ctf_tokens(request) if new else [])
    tokens += (flag('--iter', request['nr_iter']) + flag('--tau2_fudge', request['tau_fudge'])
               + flag('--particle_diameter', request['particle_diameter']))
    if new:
        tokens += (flag_if(request['do_fast_subsets'], '--fast_subsets') + flag('--K', request['nr_classes'])
                   + ['--flatten_solvent'] + flag_if(request['do_zero_mask'], '--zero_mask')
                   + positive('--strict_highres_exp', request['highres_limit']))
    tokens += (blush_tokens(request) + flag_if(request['fn_mask'], '--solvent_mask', request['fn_mask'])
               + _alignment(request))
    if new:
        tokens += flag('--sym', request['sym_name']) + ['--norm', '--scale'] + _helix(request)
    return [[request.program('relion_refine')] + tokens + running_tokens(request)]


def check(found: Complaints) -> None:
    """What RELION's GUI or relion_refine refuses in a classification."""
    if found['use_gpu'] and not found['dont_skip_align']:
        found.add('use_gpu', 'and without image alignment RELION uses no GPU.',
                  'Choose No, or Yes in "Perform image alignment?".', gui=True)
    if found['do_fast_subsets'] and found['nr_iter'] < FAST_SUBSETS_ITERATIONS:
        found.add('nr_iter', 'and fast subsets need at least %d.' % FAST_SUBSETS_ITERATIONS,
                  'Choose more iterations, or no fast subsets.')
    if found['tau_fudge'] == 0:
        found.add('tau_fudge', 'which gives the data no weight.', 'Choose 0.1 to 10.')
    step = float(found['sampling'].split()[0])
    if found['dont_skip_align'] and found['do_local_ang_searches'] and found['sigma_angles'] < step:
        found.add('sigma_angles', 'which is less than the angular sampling of %g degrees, so no other angle may be in '
                  'reach.' % step, 'Choose a finer sampling or a wider range.', fatal=False)


#: Alignment is not among them: it cannot be begun in a run without.
ON_CONTINUE = frozenset((
    'nr_iter', 'tau_fudge', 'particle_diameter', 'do_blush', 'blush_version', 'fn_mask', 'sampling', 'offset_range',
    'offset_step', 'do_local_ang_searches', 'sigma_angles', 'relax_sym', 'allow_coarser', 'do_pad1', 'other_args'))

CLASS3D = Job(TYPE, '3D classification', 'Class3D', OPTIONS, build,
              (check_input, check_continue, check_refine, check_symmetry, check_helix, check), ON_CONTINUE)
