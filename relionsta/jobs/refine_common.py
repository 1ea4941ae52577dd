"""Tokens and checks that the jobs of relion_refine share."""
import re
from typing import List

from .common import check_point_group
from .job import Complaints, Request
from .refine_options import SAMPLINGS
from .tokens import derived, flag, flag_if, positive

#: RELION samples in two passes; the form names the fine one, the command the coarse one.
OVERSAMPLING = 1
#: The end of the name of a file that a run can go on from.
CONTINUABLE = re.compile(r'_it\d+_optimiser\.star\Z')


def reference_tokens(request: Request) -> List[str]:
    """The reference and how far it is trusted."""
    return (positive('--sigma_tilt', request['sigma_tilt']) + flag('--ref', request['fn_ref'])
            + flag_if(not request['ref_correct_greyscale'], '--firstiter_cc')
            + flag_if(request['trust_ref_size'], '--trust_ref_size') + positive('--ini_high', request['ini_high']))


def compute_tokens(request: Request) -> List[str]:
    """The Compute tab, but for the GPU."""
    tokens = (flag_if(not request['do_combine_thru_disc'], '--dont_combine_weights_via_disc')
              + flag_if(not request['do_parallel_discio'], '--no_parallel_disc_io'))
    if request['do_preread_images']:
        tokens += ['--preread_images']
    elif request['scratch_dir']:
        tokens += flag('--scratch_dir', request['scratch_dir'])
    # the initial model has no choice: RELION pads it by 1
    return tokens + flag('--pool', request['nr_pool']) + ['--pad', '1' if request.values.get('do_pad1', True) else '2']


def ctf_tokens(request: Request) -> List[str]:
    """The CTF tab."""
    if not request['do_ctf_correction']:
        return []
    return ['--ctf'] + flag_if(request['ctf_intact_first_peak'], '--ctf_intact_first_peak')


def blush_tokens(request: Request) -> List[str]:
    """Blush; its network is named since RELION 5.1."""
    if not request['do_blush']:
        return []
    return ['--blush'] + (flag('--blush_model', request['blush_version']) if request.version >= (5, 1) else [])


def healpix_order(sampling: str) -> str:
    """The order that is passed for a choice of SAMPLINGS (the form's step is the oversampled one)."""
    return str(SAMPLINGS.index(sampling) + 1 - OVERSAMPLING)


def offset_tokens(request: Request) -> List[str]:
    """The translational search; the step that is passed is the coarse one."""
    return (flag('--offset_range', request['offset_range'])
            + ['--offset_step', derived(request['offset_step'], times=2 ** OVERSAMPLING)])


def running_tokens(request: Request) -> List[str]:
    """Threads, GPUs and what the user adds."""
    gpu = flag('--gpu', request['gpu_ids']) if request['use_gpu'] else []
    return flag('--j', request['nr_threads']) + gpu + request.other_args()


def check_continue(found: Complaints, gui: bool = False) -> None:
    """A run goes on from one of its iterations, not from its end. gui: RELION's GUI sees to it in this job."""
    if found.resume:
        found.missing('fn_cont', 'Choose the run_itNNN_optimiser.star to go on from.')
    if found['fn_cont'] and not CONTINUABLE.search(found['fn_cont']):
        found.add('fn_cont', 'which is not the optimiser of an iteration; from the final one RELION would go on '
                  'without separate half sets.', 'Choose a run_itNNN_optimiser.star.', gui=gui)


def check_compute(found: Complaints) -> None:
    """The Compute tab."""
    if found['use_gpu'] and not set(found['gpu_ids']) <= set('0123456789:,'):
        found.add('gpu_ids', "which is no list of GPU numbers.", "Give numbers with ':' or ',' between, as 0:1.")


def check_refine(found: Complaints) -> None:
    """What relion_refine refuses, late or in silence, in any of its jobs."""
    if not found['fn_cont']:
        found.missing('fn_ref', 'Choose a reference map.')
    check_compute(found)
    check_point_group(found, 'relax_sym', required=False)
    if found['offset_range'] and found['offset_step'] > found['offset_range']:
        found.add('offset_step', 'which is more than the range of %g pixels.' % found['offset_range'],
                  'Choose a step of a quarter of the range or less.', fatal=False)
    if found['do_helix'] and found['sigma_tilt'] > 0:
        found.add('sigma_tilt', 'and the Helix tab gives a prior on the tilt angle as well; RELION gets both.',
                  'Choose -1 and use the tilt range of the Helix tab.', fatal=False)
