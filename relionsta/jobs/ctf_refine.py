"""CTF refinement: defocus, contrast scale and aberrations of the tilt images, from the particles in them."""
from typing import List

from .common import NR_MPI, NR_THREADS, OTHER_ARGS, TOMO_INPUT, check_even, check_input, tomo_input
from .halves_input import REFERENCE_INPUT, box_for_estimation, check_halves, reference_tokens
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag, flag_if, number

TAB = 'Defocus'
ABERRATIONS = 'Aberrations'

OPTIONS = TOMO_INPUT + REFERENCE_INPUT + (
    box_for_estimation(TAB),
    Option('do_defocus', Kind.BOOL, True, 'Refine defocus?',
           'Yes: fit defocus and astigmatism of each tilt image to the particles in it.', TAB),
    Option('focus_range', Kind.FLOAT, 3000.0, 'Defocus search range (A)',
           'The defocus may change by this much either way, tried in 100 steps. Take more than the error that you expect '
           'of the CTF estimation.', TAB, unit='A', hard=(0, None), sensible=(100, 10000), condition='do_defocus'),
    Option('do_reg_def', Kind.BOOL, False, 'Do defocus regularisation?',
           'Yes: hold the tilt images of a series to similar values, so that images at high tilt, with little signal, '
           'are not fitted to noise. Advised for thick or small specimens.', TAB, condition='do_defocus'),
    Option('lambda', Kind.FLOAT, 0.1, 'Defocus regularisation lambda',
           'How firmly: more keeps the values closer together.', TAB, hard=(0, None), sensible=(0, 1),
           condition='do_defocus and do_reg_def'),
    Option('do_scale', Kind.BOOL, True, 'Refine contrast scale?',
           'Yes: fit how strong the signal of each image is, which falls with the path through the ice.', TAB),
    Option('do_frame_scale', Kind.BOOL, True, 'Refine scale per frame?',
           'Yes: a number for each tilt image. No: a model of ice thickness, its normal and the beam, which has fewer '
           'parameters and stands more noise.', TAB, condition='do_scale'),
    Option('do_tomo_scale', Kind.BOOL, False, 'Refine scale per tomogram?',
           'Yes: with the ice model, a beam luminance for each tilt series instead of one for all. Not advised.', TAB,
           condition='do_scale and not do_frame_scale'),
    Option('do_even_aberr', Kind.BOOL, False, 'Refine even aberrations?',
           'Yes: fit what changes the CTF all around, such as spherical aberration, for each optics group. Needs many '
           'particles and a map better than about 4 Å.', ABERRATIONS, extra=True),
    Option('nr_even_aberr', Kind.INT, 4, 'Order of even aberrations',
           'The highest Zernike order that is fitted: 4, 6 or 8.', ABERRATIONS, hard=(2, 8), sensible=(4, 8),
           condition='do_even_aberr', extra=True),
    Option('do_odd_aberr', Kind.BOOL, False, 'Refine odd aberrations?',
           'Yes: fit what shifts phases to one side, such as beam tilt and trefoil, for each optics group.', ABERRATIONS,
           extra=True),
    Option('nr_odd_aberr', Kind.INT, 3, 'Order of odd aberrations',
           'The highest Zernike order that is fitted: 3, 5 or 7.', ABERRATIONS, hard=(1, 7), sensible=(3, 7),
           condition='do_odd_aberr', extra=True),
    NR_MPI, NR_THREADS, OTHER_ARGS,
)


def _defocus(request: Request) -> List[str]:
    if not request['do_defocus']:
        return []
    limit = request['focus_range']
    return (['--do_defocus', '--d0', '-' + number(limit)] + flag('--d1', limit)
            + (['--do_reg_defocus'] + flag('--lambda', request['lambda']) if request['do_reg_def'] else []))


def _scale(request: Request) -> List[str]:
    """RELION's GUI says --per_tomo_scale, which its program does not know and passes over."""
    if not request['do_scale']:
        return []
    return (['--do_scale'] + flag_if(request['do_frame_scale'], '--per_frame_scale')
            + flag_if(request['do_tomo_scale'], '--per_tomogram_scale'))


def _aberrations(request: Request) -> List[str]:
    even = ['--do_even_aberrations'] + flag('--ne', request['nr_even_aberr']) if request['do_even_aberr'] else []
    odd = ['--do_odd_aberrations'] + flag('--no', request['nr_odd_aberr']) if request['do_odd_aberr'] else []
    return even + odd


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI, and the aberrations, which its program has and its GUI no longer."""
    return [[request.program('relion_tomo_refine_ctf')] + tomo_input(request) + reference_tokens(request)
            + ['--theme', 'classic', '--o', request.out] + flag('--b', request['box_size']) + _defocus(request)
            + _scale(request) + _aberrations(request) + flag_if(request.resume, '--only_do_unfinished')
            + flag('--j', request['nr_threads']) + request.other_args()]


def check(found: Complaints) -> None:
    """One model of the scale at a time; an order must be of its kind."""
    check_even(found, 'box_size')
    if found['do_scale'] and found['do_frame_scale'] and found['do_tomo_scale']:
        found.add('do_tomo_scale', 'and a scale per frame is chosen as well.', 'Choose one of the two.', gui=True)
    if found['do_even_aberr'] and found['nr_even_aberr'] % 2:
        found.add('nr_even_aberr', 'which is odd.', 'Choose 4, 6 or 8.')
    if found['do_odd_aberr'] and found['nr_odd_aberr'] % 2 == 0:
        found.add('nr_odd_aberr', 'which is even.', 'Choose 3, 5 or 7.')


def check_task(found: Complaints) -> None:
    """RELION runs without a task too, and ends well with nothing done."""
    if not any(found[name] for name in ('do_defocus', 'do_scale', 'do_even_aberr', 'do_odd_aberr')):
        found.add('do_defocus', 'and neither scale nor aberrations are refined, so that nothing is done.',
                  'Choose something to refine.', fatal=False)


CTF_REFINE = Job('relion.ctfrefinetomo', 'CTF refinement', 'CtfRefine', OPTIONS, build,
                 (check_input, check_halves, check, check_task))
