"""Bayesian polishing: the alignment of the tilt images, the places of the particles and their motion."""
from typing import List

from .common import NR_MPI, NR_THREADS, OTHER_ARGS, TOMO_INPUT, check_even, check_input, tomo_input
from .halves_input import REFERENCE_INPUT, box_for_estimation, check_halves, reference_tokens
from .job import Complaints, Job, Request
from .option import Kind, Option
from .tokens import flag, flag_if

TAB = 'Polish'
MOTION = 'Motion'
DEFORMATIONS = 'Deformations'
WHOLE_IMAGES, ONLY_PARTICLES = 'Entire micrographs', 'Only particles'

OPTIONS = TOMO_INPUT + REFERENCE_INPUT + (
    box_for_estimation(TAB),
    Option('max_error', Kind.INT, 5, 'Max position error (pix)',
           'How far a particle may be, in a tilt image, from where it is expected; pixels of the tilt series.', TAB,
           unit='pix', hard=(0, None), sensible=(1, 64)),
    Option('do_shift_align', Kind.BOOL, False, 'Align by shift only?',
           'Yes: only shift each tilt image, by cross-correlation, without fitting angles and particle positions. For '
           'badly aligned tilt series, before a full alignment.', TAB),
    Option('shift_align_type', Kind.CHOICE, WHOLE_IMAGES, 'Alignment model',
           'Entire micrographs: the whole image is predicted from all particles, which finds large shifts. Only '
           'particles: each particle votes; shifts must be below half the box.', TAB,
           choices=(WHOLE_IMAGES, ONLY_PARTICLES), condition='do_shift_align'),
    Option('do_motion', Kind.BOOL, False, 'Fit per-particle motion?',
           'Yes: fit how each particle moves in the course of the exposure, beside the motion of the whole specimen. '
           'Needs many particles in each tomogram and a map of high resolution.', MOTION),
    Option('sigma_vel', Kind.FLOAT, 0.2, 'Sigma for velocity (A/dose)',
           'How much motion is expected: Å for each e/Å^2 of dose.', MOTION, unit='A/dose', hard=(0, None),
           sensible=(0.01, 10), condition='do_motion'),
    Option('sigma_div', Kind.FLOAT, 5000.0, 'Sigma for divergence (A)',
           'Distance over which neighbouring particles move alike; larger is smoother.', MOTION, unit='A',
           hard=(0, None), sensible=(100, 20000), condition='do_motion'),
    Option('do_sq_exp_ker', Kind.BOOL, False, 'Use Gaussian decay?',
           'Yes: motions become independent with distance as a Gaussian and not as an exponential: smoother, and faster '
           'to compute.', MOTION, condition='do_motion'),
    Option('do_deform', Kind.BOOL, False, 'Estimate 2D deformations?',
           'Yes: also fit how each tilt image is bent.', DEFORMATIONS, extra=True),
    Option('def_w', Kind.INT, 3, 'Horizontal sampling points',
           'Points of the deformation grid across the image.', DEFORMATIONS, hard=(2, None), sensible=(3, 10),
           condition='do_deform', extra=True),
    Option('def_h', Kind.INT, 3, 'Vertical sampling points', 'Points of the deformation grid down the image.',
           DEFORMATIONS, hard=(2, None), sensible=(3, 10), condition='do_deform', extra=True),
    Option('def_model', Kind.CHOICE, 'spline', 'Deformation model',
           'What lies between the points of the grid: straight lines, cubic splines or waves.', DEFORMATIONS,
           choices=('linear', 'spline', 'Fourier'), condition='do_deform', extra=True),
    Option('def_lambda', Kind.FLOAT, 0.0, 'Deformation regularisation',
           'How firmly the deformations are held small.', DEFORMATIONS, hard=(0, None), sensible=(0, 10),
           condition='do_deform', extra=True),
    Option('do_frame_def', Kind.BOOL, False, 'Refine deformations per frame?',
           'Yes: each tilt image is bent in its own way. No: all images of a series alike.', DEFORMATIONS,
           condition='do_deform', extra=True),
    NR_MPI, NR_THREADS, OTHER_ARGS,
)


def _shift_only(request: Request) -> List[str]:
    if not request['do_shift_align']:
        return []
    return ['--shift_only'] + flag_if(request['shift_align_type'] == ONLY_PARTICLES, '--shift_only_by_particles')


def _motion(request: Request) -> List[str]:
    if not request['do_motion']:
        return []
    return (['--motion'] + flag('--s_vel', request['sigma_vel']) + flag('--s_div', request['sigma_div'])
            + flag_if(request['do_sq_exp_ker'], '--sq_exp_ker'))


def _deformations(request: Request) -> List[str]:
    if not request['do_deform']:
        return []
    return (['--deformation'] + flag('--def_w', request['def_w']) + flag('--def_h', request['def_h'])
            + flag('--def_model', request['def_model']) + flag('--def_reg', request['def_lambda'])
            + flag_if(request['do_frame_def'], '--per_frame_deformation'))


def build(request: Request) -> List[List[str]]:
    """The command of RELION's GUI, and the deformations, which its program has and its GUI no longer."""
    return [[request.program('relion_tomo_align')] + tomo_input(request) + reference_tokens(request)
            + ['--theme', 'classic', '--o', request.out] + flag('--b', request['box_size'])
            + flag('--r', request['max_error']) + _shift_only(request) + _motion(request) + _deformations(request)
            + flag_if(request.resume, '--only_do_unfinished') + flag('--j', request['nr_threads'])
            + request.other_args()]


def check(found: Complaints) -> None:
    """Shifting images as a whole goes with no other fit."""
    check_even(found, 'box_size')
    for name, what in (('do_motion', 'per-particle motion'), ('do_deform', 'deformations')):
        if found['do_shift_align'] and found[name]:
            found.add(name, 'and alignment by shift only fits no %s.' % what,
                      'Choose No here or in "Align by shift only?".', gui=name == 'do_motion')


POLISH = Job('relion.framealigntomo', 'Bayesian polishing', 'Polish', OPTIONS, build, (check_input, check_halves, check))
