"""3D initial reference: a map from the particles alone, by gradient descent (VDAM)."""
from typing import FrozenSet, List

from .common import (
    NR_MPI,
    NR_THREADS,
    OTHER_ARGS,
    TOMO_INPUT,
    check_input,
    check_symmetry,
    refine_input,
    symmetry,
)
from .files import INITIAL_MODEL as TYPE
from .files import INITIAL_MODEL_FILES, RUN, iteration_root
from .job import Complaints, Job, Request, Values
from .option import Kind, Option
from .refine_common import check_compute, check_continue, compute_tokens, ctf_tokens, running_tokens
from .refine_options import CTF, FILES, OPTIMISATION, compute, sigma_tilt
from .tokens import flag, flag_if, positive

#: The search that RELION's GUI asks for; the form has no say in it.
SAMPLING = ['--oversampling', '1', '--healpix_order', '1', '--offset_range', '6', '--offset_step', '2',
            '--auto_sampling']

OPTIONS = TOMO_INPUT + tuple(option for option in FILES if option.name == 'fn_cont') + CTF + (
    Option('nr_iter', Kind.INT, 200, 'Number of VDAM mini-batches',
           'Steps of the gradient descent, each on a part of the particles; those before a continuation included. '
           '100 to 200 are usual.', OPTIMISATION, hard=(1, None), sensible=(50, 500)),
    Option('tau_fudge', Kind.FLOAT, 4.0, 'Regularisation parameter T',
           'Weight of the data against smoothness of the maps. 4 suits most data; 1 to 2 if the map is noisy.',
           OPTIMISATION, hard=(0, None), sensible=(0.1, 10)),
    Option('nr_classes', Kind.INT, 1, 'Number of classes',
           'More than 1 gives false positives and other states maps of their own; the largest class becomes the '
           'initial reference.', OPTIMISATION, hard=(1, None), sensible=(1, 50)),
    Option('particle_diameter', Kind.FLOAT, 200.0, 'Mask diameter (A)',
           'Diameter of the soft sphere outside of which images are masked. A little more than the particle; at most the '
           'box.', OPTIMISATION, unit='A', hard=(1, None), sensible=(20, 1000)),
    Option('do_solvent', Kind.BOOL, True, 'Flatten and enforce non-negative solvent?',
           'Yes: what is outside of the sphere is set to zero and negative density is removed at every step, which keeps '
           'the descent on its way.', OPTIMISATION),
    symmetry(OPTIMISATION),
    Option('do_run_C1', Kind.BOOL, True, 'Run in C1 and apply symmetry later?',
           'Yes: the descent makes no use of the symmetry; its axes are looked for in the result, which is then turned '
           'and averaged. It converges more often than with symmetry from the start.', OPTIMISATION),
    sigma_tilt(OPTIMISATION),
) + compute(with_padding=False) + (NR_MPI, NR_THREADS, OTHER_ARGS)


def _refine(request: Request) -> List[str]:
    new = not request['fn_cont']
    if new:
        tokens = (['--o', request.out + RUN] + flag('--iter', request['nr_iter']) + ['--grad', '--denovo_3dref']
                  + refine_input(request) + positive('--sigma_tilt', request['sigma_tilt']) + ctf_tokens(request)
                  + flag('--K', request['nr_classes'])
                  + flag('--sym', 'C1' if request['do_run_C1'] else request['sym_name'])
                  + flag_if(request['do_solvent'], '--flatten_solvent') + ['--zero_mask'])
    else:
        tokens = flag('--continue', request['fn_cont']) + ['--o', request.out + RUN] + flag('--iter', request['nr_iter'])
    return (['relion_refine'] + tokens + compute_tokens(request)
            + flag('--particle_diameter', request['particle_diameter']) + SAMPLING
            + flag('--tau2_fudge', request['tau_fudge']) + running_tokens(request))


def _align(request: Request) -> List[str]:
    """Finds the axes of the largest class, turns it to them and averages it over them."""
    model = '%s_model.star' % iteration_root(request.out + RUN, request['nr_iter'])
    return ['relion_align_symmetry', '--i', model, '--o', request.out + INITIAL_MODEL_FILES['map'],
            '--sym', request['sym_name'] if request['do_run_C1'] else 'C1', '--apply_sym', '--select_largest_class']


def build(request: Request) -> List[List[str]]:
    """The two programs that RELION's GUI runs.

    Between them its shell removes the mark of success that the first one leaves, and sets it after the second; here
    whoever starts the programs sees to that. resume: the second one alone, for the iteration nr_iter.
    """
    return [_align(request)] if request.resume else [_refine(request), _align(request)]


def _only_after(values: Values) -> FrozenSet[str]:
    """The symmetry, where the descent knows nothing of it."""
    return frozenset(('sym_name',)) if values['do_run_C1'] else frozenset()


def check(found: Complaints) -> None:
    """What RELION's GUI or relion_refine refuses in an initial model."""
    if found['nr_mpi'] > 1:
        found.add('nr_mpi', "and RELION's gradient descent runs in one process.", 'Choose 1, and more threads.',
                  gui=True)
    if found['tau_fudge'] == 0:
        found.add('tau_fudge', 'which gives the data no weight.', 'Choose 1 to 4.')


ON_CONTINUE = frozenset(('nr_iter', 'tau_fudge', 'particle_diameter', 'other_args'))

INITIAL_MODEL = Job(TYPE, '3D initial reference', 'InitialModel', OPTIONS, build,
                    (check_input, check_continue, check_compute, check_symmetry, check), ON_CONTINUE, _only_after)
