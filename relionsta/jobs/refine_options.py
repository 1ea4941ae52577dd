"""Options that the jobs of relion_refine share: reference, CTF, masks, sampling, computing."""
from typing import Tuple

from .common import IO, symmetry
from .option import Kind, Option

REFERENCE_TAB = 'Reference'
CTF_TAB = 'CTF'
OPTIMISATION = 'Optimisation'
COMPUTE_TAB = 'Compute'

#: RELION's list of angular steps; place in the list = order of the HEALPix grid that is passed.
SAMPLINGS = ('30 degrees', '15 degrees', '7.5 degrees', '3.7 degrees', '1.8 degrees', '0.9 degrees', '0.5 degrees',
             '0.2 degrees', '0.1 degrees')
BLUSH_VERSIONS = ('v1.0', 'amy-v1.0')

FILES: Tuple[Option, ...] = (
    Option('fn_ref', Kind.PATH, '', 'Reference map',
           'Map from which the alignment starts. Only what is below the initial low-pass filter of it counts.',
           IO),
    Option('fn_mask', Kind.PATH, '', 'Reference mask (optional)',
           'Soft mask around the particle: only what is inside of it is aligned and compared. Empty: a sphere of the '
           'mask diameter.', IO),
    Option('fn_cont', Kind.PATH, '', 'Continue from here',
           'run_itNNN_optimiser.star of a run of this job that was cut off, to go on from there. Empty: start anew.',
           IO, advanced=True),
)

REFERENCE: Tuple[Option, ...] = (
    Option('ref_correct_greyscale', Kind.BOOL, False, 'Ref. map is on absolute greyscale?',
           'Yes if RELION made the map from these particles. No costs little: the first iteration then compares by '
           'correlation, which does not depend on the scale.', REFERENCE_TAB),
    Option('trust_ref_size', Kind.BOOL, True, 'Resize reference if needed?',
           'Yes: a reference of another pixel size or box is scaled and cropped or padded to fit. No: RELION stops.',
           REFERENCE_TAB),
    Option('ini_high', Kind.FLOAT, 60.0, 'Initial low-pass filter (A)',
           'Filter the reference to this resolution first, so that its detail does not bias the result: 40 to 60 A for '
           'most starts. 0: not filtered.', REFERENCE_TAB, unit='A', hard=(0, None), sensible=(0, 200)),
    symmetry(REFERENCE_TAB),
)

CTF: Tuple[Option, ...] = (
    Option('do_ctf_correction', Kind.BOOL, True, 'Do CTF-correction?',
           'Yes for all usual data: the CTF of each tilt image is taken into account.', CTF_TAB),
    Option('ctf_intact_first_peak', Kind.BOOL, False, 'Ignore CTFs until first peak?',
           'Yes: leave amplitudes before the first CTF peak as they are. A help only where low resolution dominates '
           'and classes differ in contrast.', CTF_TAB, condition='do_ctf_correction', advanced=True),
)

PARTICLE_DIAMETER = Option(
    'particle_diameter', Kind.FLOAT, 200.0, 'Mask diameter (A)',
    'Diameter of the soft sphere outside of which images are masked. A little more than the particle; at most the box.',
    OPTIMISATION, unit='A', hard=(1, None), sensible=(20, 1000))
ZERO_MASK = Option(
    'do_zero_mask', Kind.BOOL, True, 'Mask individual particles with zeros?',
    'Yes: zeros outside of the mask, better for small or weak particles. No: noise, which avoids edge artefacts at '
    'high resolution.', OPTIMISATION, advanced=True)
BLUSH: Tuple[Option, ...] = (
    Option('do_blush', Kind.BOOL, False, 'Use Blush regularisation?',
           'Yes: a neural network denoises the map at every iteration. It helps with small particles and poor data; '
           'needs RELION\'s Python modules.', OPTIMISATION),
    Option('blush_version', Kind.CHOICE, BLUSH_VERSIONS[0], 'Blush network version',
           'v1.0 is for particles in general, amy-v1.0 for amyloid filaments.', OPTIMISATION, choices=BLUSH_VERSIONS,
           condition='do_blush', since=(5, 1), advanced=True),
)


def offsets(tab: str, words: Tuple[str, str], help_range: str, condition: str = '') -> Tuple[Option, ...]:
    """The translational search; words: RELION's labels of range and step in this job."""
    return (
        Option('offset_range', Kind.FLOAT, 5.0, words[0], help_range, tab, unit='pix', hard=(0, None), sensible=(0, 30),
               condition=condition),
        Option('offset_step', Kind.FLOAT, 1.0, words[1],
               'Step of the search, in pixels of the particle images. Smaller is finer and slower.', tab, unit='pix',
               hard=(0.01, None), sensible=(0.1, 5), condition=condition),
    )


def relax_symmetry(tab: str, condition: str = '') -> Option:
    """Search the poses that a pseudo-symmetry relates."""
    return Option('relax_sym', Kind.TEXT, '', 'Relax symmetry',
                  'Point group of a pseudo-symmetry, for example C2 of a dimer whose halves differ: poses related by '
                  'it are tried as well. Empty: none.', tab, condition=condition, advanced=True)


def sigma_tilt(tab: str, condition: str = '') -> Option:
    """Prior on the tilt angle of particles on membranes."""
    return Option('sigma_tilt', Kind.FLOAT, -1.0, 'Prior width on tilt angle (deg)',
                  'For particles on membranes or filaments with known normals (rlnAngleTiltPrior): standard deviation '
                  'of the tilt angle around them; three times this is searched. -1: no prior.', tab, unit='deg',
                  hard=(-1, 180), sensible=(-1, 30), condition=condition)


def compute(with_padding: bool = True) -> Tuple[Option, ...]:
    """RELION's Compute tab."""
    skip_padding = Option(
        'do_pad1', Kind.BOOL, False, 'Skip padding?',
        'Yes: an eighth of the memory for the references and faster, at the price of faint artefacts in the corners.',
        COMPUTE_TAB, advanced=True)
    return (
        Option('do_parallel_discio', Kind.BOOL, True, 'Use parallel disc I/O?',
               'Yes: every MPI process reads its own images. No: one reads for all, for network disks that are slow.',
               COMPUTE_TAB, advanced=True),
        Option('nr_pool', Kind.INT, 3, 'Number of pooled particles',
               'Particles that each thread takes at a time; 10 to 30 is quicker with GPUs and costs some memory.',
               COMPUTE_TAB, hard=(1, None), sensible=(1, 100), advanced=True),
    ) + ((skip_padding,) if with_padding else ()) + (
        Option('do_preread_images', Kind.BOOL, False, 'Pre-read all particles into RAM?',
               'Yes: quick where all particles fit into memory (each process reads its share).', COMPUTE_TAB),
        Option('scratch_dir', Kind.PATH, '', 'Copy particles to scratch directory',
               'A folder on a fast local disk; particles are copied there first and removed at the end.', COMPUTE_TAB,
               condition='not do_preread_images'),
        Option('do_combine_thru_disc', Kind.BOOL, False, 'Combine iterations through disc?',
               'Yes: processes exchange their sums by files rather than over the network. Rarely of use.', COMPUTE_TAB,
               advanced=True),
        Option('use_gpu', Kind.BOOL, False, 'Use GPU acceleration?',
               'Yes, if there is a GPU and RELION was built for it: ten times as fast or more.', COMPUTE_TAB),
        Option('gpu_ids', Kind.TEXT, '', 'Which GPUs to use',
               "Numbers of the GPUs: ':' between MPI processes, ',' between threads of one process. "
               'Empty: all of them.', COMPUTE_TAB, condition='use_gpu'),
    )
