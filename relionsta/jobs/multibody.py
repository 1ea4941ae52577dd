"""3D multi-body refinement: parts of a particle that move against each other, and an analysis of their motion."""
import re
from dataclasses import replace
from typing import FrozenSet, List

from .common import IO, NR_MPI, NR_THREADS, OTHER_ARGS
from .files import ANALYSE, RUN
from .files import MULTIBODY as TYPE
from .job import Complaints, Job, Request, Values
from .option import Kind, Option
from .refine_common import (
    OVERSAMPLING,
    blush_tokens,
    check_compute,
    compute_tokens,
    healpix_order,
    offset_tokens,
    running_tokens,
)
from .refine_options import BLUSH, SAMPLINGS, compute
from .tokens import flag, flag_if

TAB = 'Auto-sampling'
ANALYSE_TAB = 'Analyse'
SELECTED = 'do_analyse and do_select'
_ITERATION = re.compile(r'_it(\d+)[^/]*_optimiser\.star\Z')

OPTIONS = (
    Option('fn_in', Kind.PATH, '', 'Consensus refinement optimiser.star',
           'run_itNNN_optimiser.star of an iteration of the auto-refine of the whole particle, usually the last. The '
           'final run_optimiser.star will not do: its half sets are joined.', IO),
    Option('fn_cont', Kind.PATH, '', 'Continue from here',
           'run_itNNN_optimiser.star of a multi-body refinement that was cut off. Empty: start anew.', IO,
           advanced=True),
    Option('fn_bodies', Kind.PATH, '', 'Body STAR file',
           'One line per body: mask, body that it rotates against, and widths of the priors on its angles and offsets. '
           'Larger bodies first.', IO),
    Option('do_subtracted_bodies', Kind.BOOL, True, 'Reconstruct subtracted bodies?',
           'Yes: the map of a body is made from images without the other bodies. No: from whole images; the other '
           'bodies then show as a blur.', IO),
) + tuple(replace(option, tab=IO) for option in BLUSH) + (
    Option('sampling', Kind.CHOICE, SAMPLINGS[4], 'Initial angular sampling',
           'First step of the search for the angles of the bodies, always near those of the whole particle; RELION '
           'refines it.', TAB, choices=SAMPLINGS),
    Option('offset_range', Kind.FLOAT, 3.0, 'Initial offset range (pix)',
           'First range of the search for the positions of the bodies, in pixels of the images.', TAB, unit='pix',
           hard=(0, None), sensible=(0, 30)),
    Option('offset_step', Kind.FLOAT, 0.75, 'Initial offset step (pix)',
           'Step of that search, in pixels of the images. Smaller is finer and slower.', TAB, unit='pix',
           hard=(0.01, None), sensible=(0.1, 5)),
    Option('do_analyse', Kind.BOOL, True, 'Run flexibility analysis?',
           'Yes: afterwards find the principal motions of the bodies against each other (principal component analysis '
           'of their poses).', ANALYSE_TAB),
    Option('nr_movies', Kind.INT, 3, 'Number of eigenvector movies',
           'So many of the principal motions are shown, each by ten maps along it.', ANALYSE_TAB, hard=(0, None),
           sensible=(0, 16), condition='do_analyse'),
    Option('do_select', Kind.BOOL, False, 'Select particles based on eigenvalues?',
           'Yes: also give the particles within a range along one of the motions.', ANALYSE_TAB, condition='do_analyse'),
    Option('select_eigenval', Kind.INT, 1, 'Select on eigenvalue', 'Number of the motion, 1 is the largest.',
           ANALYSE_TAB, hard=(1, None), sensible=(1, 20), condition=SELECTED),
    Option('eigenval_min', Kind.FLOAT, -999.0, 'Minimum eigenvalue',
           'Particles below are left out; the histograms of the analysis show what there is.', ANALYSE_TAB,
           sensible=(-50, 50), condition=SELECTED),
    Option('eigenval_max', Kind.FLOAT, 999.0, 'Maximum eigenvalue', 'Particles above are left out.', ANALYSE_TAB,
           sensible=(-50, 50), condition=SELECTED),
    Option('write_projections', Kind.BOOL, False, 'Write the place of every particle?',
           'Yes: a table of all particles and their places along all motions, which the histograms of the analysis are '
           'drawn from.', ANALYSE_TAB, condition='do_analyse', advanced=True, extra=True),
) + compute() + (NR_MPI, NR_THREADS, OTHER_ARGS)


def output_root(fn_cont: str) -> str:
    """What the names of a run's files begin with: run, or run_ctN for one that goes on from iteration N."""
    found = _ITERATION.search(fn_cont)
    return '%s_ct%d' % (RUN, int(found.group(1))) if found else RUN


def _refine(request: Request) -> List[str]:
    root = ['--o', request.out + output_root(request['fn_cont'])]
    if request['fn_cont']:
        start = flag('--continue', request['fn_cont']) + root
    else:
        order = healpix_order(request['sampling'])
        start = (flag('--continue', request['fn_in']) + root + ['--solvent_correct_fsc']
                 + flag('--multibody_masks', request['fn_bodies'])
                 + ['--oversampling', str(OVERSAMPLING), '--healpix_order', order, '--auto_local_healpix_order', order]
                 + offset_tokens(request))
    return ([request.program('relion_refine')] + start + blush_tokens(request)
            + flag_if(request['do_subtracted_bodies'], '--reconstruct_subtracted_bodies') + compute_tokens(request)
            + running_tokens(request))


def _analysis(request: Request) -> List[str]:
    root = request.out + output_root(request['fn_cont'])
    movies = ['--do_maps'] + flag('--k', request['nr_movies']) if request['nr_movies'] > 0 else []
    select = (flag('--select_eigenvalue', request['select_eigenval'])
              + flag('--select_eigenvalue_min', request['eigenval_min'])
              + flag('--select_eigenvalue_max', request['eigenval_max']) if request['do_select'] else [])
    return (['relion_flex_analyse', '--PCA_orient', '--model', root + '_model.star', '--data', root + '_data.star']
            + flag('--bodies', request['fn_bodies']) + ['--o', request.out + ANALYSE] + movies + select
            + flag_if(request['write_projections'], '--write_pca_projections'))


def build(request: Request) -> List[List[str]]:
    """The commands of RELION's GUI: the refinement, and the analysis. resume: the analysis of a finished one alone."""
    refine = [] if request.resume and not request['fn_cont'] else [_refine(request)]
    return refine + ([_analysis(request)] if request['do_analyse'] else [])


def check(found: Complaints) -> None:
    """What RELION's GUI and its programs refuse, some of it only after hours."""
    found.missing('fn_bodies', 'Choose the STAR file of the bodies.')
    ranks = found['nr_mpi']
    if ranks < 3 or ranks % 2 == 0:
        found.add('nr_mpi', 'and multi-body refinement needs an odd number of at least 3: one leads, the others share '
                  'the two half sets.', 'Choose %s.' % ('3' if ranks < 4 else '%d or %d' % (ranks - 1, ranks + 1)))
    if not found['fn_cont'] and not found.resume:
        found.missing('fn_in', 'Choose the optimiser.star of an iteration of a 3D auto-refine.')
    if found.resume and not found['fn_cont'] and not found['do_analyse']:
        found.add('do_analyse', 'and no iteration is chosen to continue from, so that nothing is done.',
                  'Choose Yes, or an optimiser.star in "Continue from here".', gui=True)
    for name in ('fn_in', 'fn_cont'):
        if found[name] and not _ITERATION.search(found[name]):
            found.add(name, 'which is not the optimiser of an iteration; the final one has no separate half sets.',
                      'Choose a run_itNNN_optimiser.star.', gui=name == 'fn_cont' and '_it' not in found[name])
    if found['do_analyse'] and found['do_select'] and not found['eigenval_min'] < found['eigenval_max']:
        found.add('eigenval_max', 'which is not above the minimum of %g.' % found['eigenval_min'],
                  'Choose a range that holds particles.', gui=True)
    if found['offset_range'] and found['offset_step'] > found['offset_range']:
        found.add('offset_step', 'which is more than the range of %g pixels.' % found['offset_range'],
                  'Choose a step of a quarter of the range or less.', fatal=False)


ON_CONTINUE = frozenset(('do_subtracted_bodies', 'do_blush', 'blush_version', 'do_pad1', 'other_args'))
#: Options of the analysis, which comes after the refinement.
ANALYSIS = frozenset(option.name for option in OPTIONS if option.tab == ANALYSE_TAB)


def _analysed_after(_values: Values) -> FrozenSet[str]:
    return ANALYSIS


MULTIBODY = Job(TYPE, '3D multi-body', 'MultiBody', OPTIONS, build, (check, check_compute), ON_CONTINUE, _analysed_after)
