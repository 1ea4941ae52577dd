"""The form of the refinement cycle: the options of its jobs, each declared where its job is."""
import dataclasses
import re

from pyworkflow.protocol import params
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from ..jobs.ctf_refine import CTF_REFINE
from ..jobs.cycle import NOT_WORSE, RULES
from ..jobs.mask import MASK
from ..jobs.mask import TAB as MASK_TAB
from ..jobs.polish import POLISH
from ..jobs.postprocess import POSTPROCESS
from ..jobs.reconstruct import RECONSTRUCT
from ..jobs.refine3d import REFINE3D
from .form import addJobOptions

MAP_TAB, REFINE_TAB = 'Reference map', '3D auto-refine'
ESTIMATION = 'Box size for estimation (pix)'
_RUNNING = ('box_size', 'nr_mpi', 'nr_threads', 'other_args')


def _part(job, tab=None, only=None):
    """The options of a job that the form of the cycle has; only: names; tab: where they all stand."""
    chosen = [option for option in job.options
              if (option.name in only if only is not None else option.tab != 'I/O' and option.name not in _RUNNING)]
    absent = {option.name for option in job.options} - {option.name for option in chosen}
    return dataclasses.replace(job, options=tuple(
        dataclasses.replace(option, tab=tab or option.tab, condition=_without(option.condition, absent))
        for option in chosen))


def _without(condition, absent):
    """A condition, or none where it hangs on options that are not in the form: they have their defaults."""
    return '' if absent & set(re.findall(r'\w+', condition)) else condition


RECONSTRUCT_PART = _part(RECONSTRUCT, MAP_TAB, ('sym_name',))
MASK_PART = _part(MASK, MASK_TAB, ('lowpass_filter', 'inimask_threshold', 'extend_inimask', 'width_mask_edge'))
CTF_PART = _part(CTF_REFINE)
POLISH_PART = _part(POLISH)
REFINE_PART = _part(REFINE3D, REFINE_TAB, ('particle_diameter', 'ini_high', 'sampling', 'auto_local_sampling',
                                           'offset_range', 'offset_step', 'auto_faster'))
POSTPROCESS_PART = _part(POSTPROCESS, 'Sharpen', ('do_auto_bfac', 'autob_lowres', 'do_adhoc_bfac', 'adhoc_bfac'))
#: Numbers of those parts that may stay empty, and what is taken then.
EMPTY_MEANS = {'inimask_threshold': 'suggested from the map'}


def defineCycleForm(form):
    """Everything that the cycle asks."""
    form.addSection(label='I/O')
    form.addParam('inputParticles', params.PointerParam, pointerClass='SetOfStaParticles', important=True, label='Particles',
                  help='Particles after a 3D auto-refine, in two half sets. The tilt series are read, so they may have been '
                       'extracted at any binning.')
    form.addParam('solventMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True,
                  label='Mask at binning 1 (optional)',
                  help='One mask serves all comparisons: resolutions under different masks say nothing. Its box and pixel '
                       'size must be those of the reference map. Empty: it is made from the first reference map, as the '
                       'tab Mask says.')
    _defineCycle(form)
    _defineMap(form)
    addJobOptions(form, MASK_PART, empty=EMPTY_MEANS)
    addJobOptions(form, POSTPROCESS_PART)
    addJobOptions(form, CTF_PART, conditions=dict.fromkeys(_names(CTF_PART), 'doCtf'))
    addJobOptions(form, POLISH_PART, conditions=dict.fromkeys(_names(POLISH_PART), 'doPolish'))
    _defineRefine(form)
    form.addParallelSection(threads=2, mpi=1)  # of each run that is no auto-refine


def _defineCycle(form):
    form.addSection(label='Cycle')
    form.addParam('rounds', params.IntParam, default=1, allowsNull=True, label='Number of rounds',
                  help='Each round goes through the steps below. 1 to 3 are usual; a round that keeps no step is the last. '
                       'Give a higher number later and Continue: finished steps are not run again.')
    form.addParam('doCtf', params.BooleanParam, default=True, label='CTF refinement?',
                  help='Refines the CTF of each tilt image, as the tabs Defocus and Aberrations say.')
    form.addParam('doPolish', params.BooleanParam, default=True, label='Bayesian polishing?',
                  help='Refines the alignment of the tilt images and the positions of the particles, as the tabs Polish, '
                       'Motion and Deformations say.')
    form.addParam('doRefine', params.BooleanParam, default=False, label='Extract again and refine?',
                  help='Extracts the particles again with their refined tilt series, and refines their poses, as the tab 3D '
                       'auto-refine says. By far the longest step.')
    form.addParam('keepWhen', params.EnumParam, choices=list(RULES), default=RULES.index(NOT_WORSE),
                  display=params.EnumParam.DISPLAY_COMBO, label='A step is kept',
                  help='After each step the particles are averaged at binning 1 and the resolution is measured, always '
                       'under the same mask (FSC 0.143). It is compared, in whole Fourier shells, with that before the '
                       'step. The runs of a step that is not kept stay in the project, and the next step takes the '
                       'particles from before it.')
    form.addParam('slack', params.IntParam, default=0, allowsNull=True, expertLevel=LEVEL_ADVANCED,
                  condition='keepWhen == %d' % RULES.index(NOT_WORSE), label='Shells that a step may lose',
                  help='A step that loses no more Fourier shells than this counts as not worse.')
    form.addParam('estimationBox', params.IntParam, default=None, allowsNull=True, condition='doCtf or doPolish',
                  label=ESTIMATION + ' (empty: 1.5 times the box of the reference map)',
                  help='Pixels of the tilt series, for CTF refinement and polishing. A larger box holds more of the '
                       'high-resolution signal that defocus spreads.')
    for name, what, condition in (('ctfArgs', 'CTF refinement', 'doCtf'), ('polishArgs', 'polishing', 'doPolish'),
                                  ('refineArgs', '3D auto-refine', 'doRefine')):
        form.addParam(name, params.StringParam, default='', expertLevel=LEVEL_ADVANCED, condition=condition,
                      label='Additional arguments of ' + what, help="Given to RELION's program as they are.")


def _defineMap(form):
    form.addSection(label=MAP_TAB)
    form.addParam('referenceBox', params.IntParam, default=None, allowsNull=True,
                  label='Box of the reference map (pix) (empty: as wide as that of the particles)',
                  help='Pixels of the tilt series. The map is made at binning 1 after every step.')
    addJobOptions(form, RECONSTRUCT_PART)


def _defineRefine(form):
    form.addSection(label=REFINE_TAB)
    form.addParam('refineBinning', params.FloatParam, default=None, allowsNull=True, condition='doRefine',
                  label='Binning to extract at (empty: that of the particles)',
                  help='Pixel size of the images / pixel size of the tilt series. Choose it so that twice the pixel size is '
                       'below the resolution that you expect: 2 is usual after a first round.')
    form.addParam('refineBox', params.IntParam, default=None, allowsNull=True, condition='doRefine',
                  label='Box to extract (binned pix) (empty: as wide as that of the particles)',
                  help='An even number of pixels.')
    form.addParam('refineMask', params.PointerParam, pointerClass='VolumeMask', allowsNull=True, condition='doRefine',
                  label='Mask at that binning (optional)',
                  help='With box and pixel size of the images. Empty: it is made from the average of the extracted '
                       'particles, as the tab Mask says.')
    addJobOptions(form, REFINE_PART, conditions=dict.fromkeys(_names(REFINE_PART), 'doRefine'))
    form.addParam('refineMpi', params.IntParam, default=3, allowsNull=True, condition='doRefine',
                  label='MPI processes of 3D auto-refine', help='An odd number of at least 3.')
    form.addParam('refineThreads', params.IntParam, default=1, allowsNull=True, condition='doRefine',
                  label='Threads of each of them', help='Each thread of a process needs memory of its own as well.')
    form.addParam('refineGpu', params.BooleanParam, default=False, condition='doRefine', label='Use GPU acceleration?',
                  help='Needs a RELION that was built for GPUs; a build without is refused.')
    form.addParam('refineGpuList', params.StringParam, default='', condition='doRefine and refineGpu', label='Which GPUs',
                  help="As RELION takes them: ':' between MPI processes, ',' between threads of one (0:1). Empty: RELION "
                       'shares out all.')


def _names(part):
    return [option.name for option in part.options]
