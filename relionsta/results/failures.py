"""What RELION's error messages mean and what to do about them.

The patterns are words of the messages that RELION's programs print (all but the few of MPI, the C++ library and the
system were seen from, or found in, the programs of RELION 5.1). The order matters only where two match at one place.
"""
import re
from dataclasses import dataclass
from typing import Pattern, Tuple


@dataclass(frozen=True)
class KnownFailure:
    """A failure that we recognise. name: for programs and tests; cause and remedy: sentences for people."""

    name: str
    pattern: Pattern[str]
    cause: str
    remedy: str


def _known(name: str, pattern: str, cause: str, remedy: str) -> KnownFailure:
    return KnownFailure(name, re.compile(pattern, re.IGNORECASE), cause, remedy)


_PARTICLES_AGAIN = 'Extract the particles again with Extract subtomos.'

KNOWN_FAILURES: Tuple[KnownFailure, ...] = (
    # ---- references and masks
    _known('REFERENCE_SIZE', r'reference (pixel|box) size is .* of the first optics group|--trust_ref_size option',
           'The reference map has another pixel size or box than the particles.',
           'Set "Resize reference if needed?" to Yes, or make a reference with the pixel size and box of the '
           'particles.'),
    _known('MASK_SIZE', r'mask and input maps do not have the same size|Solvent mask does not have the same size',
           'The mask has another box than the maps.', 'Make the mask from a map of the same box and pixel size.'),
    _known('MASK_RANGE', r'mask(?: -)? values (?:are )?not in range \[0,1\]|Input mask .*values are not in range',
           'The mask has values below 0 or above 1, so it is no mask (a map was given?).',
           'Make a mask with Mask creation and give that one.'),
    _known('MASK_SHAPE', r'input mask is not of same shape as (reference|body masks)',
           'The mask has another box than the reference of the refinement.',
           'Make the mask from the map of that refinement.'),
    _known('MASK_REFERENCE_SIZE', r'mask and reference have different sizes',
           'The mask has another box than the half maps.', 'Make the mask from a map of the same box.'),
    _known('EMPTY_MASK', r'ERROR: mask is empty', 'The mask is zero everywhere.',
           'Lower the initial binarisation threshold of Mask creation.'),
    _known('HALF_MAP_SIZES', r'two half reconstructions are not of the same size|reference maps have different sizes',
           'The two half maps have different boxes.', 'Give two half maps of the same job.'),
    _known('REFERENCE_TOO_BIG', r'Reference map is too big: \d+',
           'The box for estimation is smaller than the box of the reference map.',
           'Set the box size for estimation to at least the box of the reference.'),
    _known('NOT_AN_FSC', r'does not contain a value for rlnSpectralIndex',
           'The file given as post-processing result holds no FSC.', 'Give the postprocess.star of Post-processing.'),
    _known('NO_HALF_MAP', r'Cannot read file \S*half[12]\S* It does not exist',
           'One of the two half maps is missing.', 'Run the job that made the half maps again.'),
    _known('HALF_MAP_NAME', r"does not contain 'half1' or 'half2'",
           'RELION finds the second half map by its name, and this name has neither half1 nor half2 in it.',
           'Give half maps whose names differ in half1 and half2 only.'),
    _known('NO_REFERENCES', r'two reference maps were (neither found|not specified)',
           'No half maps were given.', 'Give a map that has half maps.'),
    # ---- particles
    _known('NO_TOMOGRAMS', r'you need to provide --tomograms',
           'Particles that are 2D stacks need the tomograms that they come from, and none were given.',
           'Give particles made with Extract subtomos.'),
    _known('NO_VISIBLE_FRAMES', r'frame visibility vector \(rlnTomoVisibleFrames\) missing',
           'The particles do not say in which tilt images they are seen.', _PARTICLES_AGAIN),
    _known('NO_COORDINATES', r'Cannot find particle coordinates', 'The particles have no coordinates.',
           _PARTICLES_AGAIN),
    _known('NO_TOMOGRAM_NAME', r'does not contain rlnTomoName label',
           'The particles do not say which tomogram they belong to.', _PARTICLES_AGAIN),
    _known('NO_OPTICS', r'optics groups were not defined|Failed to get optics group|missing from optics table',
           'A particle names an optics group that the file does not describe.', _PARTICLES_AGAIN),
    _known('OPTICS_DIFFER', r'inconsistent values between optics and tomograms tables',
           'Voltage, spherical aberration, amplitude contrast or pixel size of the particles differ from those of the '
           'tilt series.', 'Correct the acquisition of the tilt series, then extract the particles again.'),
    _known('OTHER_TOMOGRAMS', r'no particles found that belong to any of the defined tomograms',
           'No particle belongs to one of the tilt series that were given.',
           'Give the tilt series from which the particles were picked; compare their names (tsId).'),
    _known('NO_PARTICLES', r'does not contain any particles! Exiting', 'No particle is left.',
           'Look at the job before: were all particles too close to an edge?'),
    _known('NOT_PREMULTIPLIED', r'subtomo multiplicity correction only applies to ctf_premultiplied|'
                                r'3D data must be ctf_premultiplied',
           'The particles are not marked as multiplied with their CTF (RELION 5.1 forgets it for 3D pseudo-subtomos).',
           'Extract the particles again with this plugin, or use 2D stacks.'),
    _known('NO_IMAGE', r'Cannot read file \S+ It does not exist|Image::openFile cannot open',
           'An image that the job needs is missing.', 'Was it moved or deleted? Run the job that made it again.'),
    _known('MRC_STACK_NAME', r'stacks of images in MRC-format should have extension \.mrcs',
           'A stack has the extension .mrc, which RELION reads as a volume.', 'Rename or link the stack as .mrcs.'),
    _known('HALF_SETS', r'getHalfSet|random subset values are zero and others are not|invalid number for random subset',
           'The particles are not, or only in part, divided into two half sets (rlnRandomSubset).',
           'Use particles of a 3D auto-refine.'),
    # ---- tilt series
    _known('NO_TILT_COLUMN', r'does not contain compulsory rlnMicrographPreExposure',
           'A tilt series has no accumulated doses.', 'Give the dose when the tilt series are imported.'),
    _known('NO_LABEL', r'Label \S+ not present in', 'A column that RELION needs is missing in the tilt-series files.',
           'Run the job that made the tilt series again.'),
    _known('NO_TOMOGRAM_SIZE', r'tomogram sizes have not been set', 'A tilt series has no tomogram size.',
           'Give a set of tomograms of the same tilt series, or set the tomogram size.'),
    _known('NO_TABLE', r'could not read data from', 'A tilt series has no table of its name in its STAR file.',
           'Run the job that made the tilt series again.'),
    _known('TRAJECTORIES', r'bad trajectory lengths|insufficient number of particles in|'
                           r'number of particles is not the same as the number of trajectories',
           'The trajectories belong to other particles or tilt series.',
           'Use the particles, tilt series and trajectories of one Bayesian polishing job.'),
    # ---- MPI
    _known('MPI_ODD', r'number of MPI processes must be an odd number',
           'Auto-refine shares its processes between two half sets and one leader.',
           'Set an odd number of MPI processes, for example 3 or 5.'),
    _known('MPI_THREE', r'at least 3 MPI processes are required|Cannot split data into random halves without using MPI',
           'Auto-refine needs at least 3 MPI processes.', 'Set the number of MPI processes to 3, 5, ...'),
    _known('MPI_TWO', r'at least 2 MPI processes are required', 'The MPI program needs at least 2 processes.',
           'Set the number of MPI processes to 1, or to 2 and more.'),
    _known('MPI_GRADIENT', r'Gradient refinement is not supported together with MPI',
           '3D initial reference runs in one process.', 'Set the number of MPI processes to 1 and use threads.'),
    _known('MPI_SLOTS', r'not enough slots available',
           'MPI was asked for more processes than it may start on this machine.',
           'Use fewer MPI processes, or allow more of them in the settings of your queue or host.'),
    # ---- refinement
    _known('ONE_REFERENCE', r'cannot use --split_random_halves with more than 1 reference',
           'Auto-refine takes one reference.', 'Classify first, then refine each class on its own.'),
    _known('FAST_SUBSETS', r'cannot use --fast_subsets|using --fast_subsets you have to perform',
           'Fast subsets work in classifications of at least 20 iterations only.',
           'Set "Use fast subsets?" to No, or do 20 iterations or more.'),
    _known('ZERO_WEIGHTS', r'zero sum of weights',
           'No orientation fits some particle: the grey values or the noise of the particles differ, or the '
           'local searches start from wrong angles.',
           'Check the angles and the pixel size of the particles, widen the angular search, or extract them again.'),
    _known('NARROW_SEARCH', r'Zero orientations fall within the local angular search',
           'The local angular search is narrower than the angular step.',
           'Increase the local angular search range, or take a finer angular sampling.'),
    _known('SYMMETRY', r'do not recognize symmetry group', 'RELION does not know this symmetry.',
           'Give a point group such as C1, C4, D7, T, O or I1.'),
    _known('CONTINUE_FINAL', r'rlnModelStarFile2 (is empty|not found)',
           'The last, joined state of an auto-refinement cannot be continued.',
           'Continue from a run_itNNN_optimiser.star.'),
    _known('SMALL_BOX', r'Backprojector::set1DFourierTransform', 'The box of the particles is too small.',
           'Extract the particles with a box of at least 24 pixels.'),
    _known('BLUSH', r'Something went wrong in the external Python call|relion_python_\w+: (command )?not found',
           'A program of RELION that needs its Python environment could not run (Blush).',
           'Install RELION with its Python environment, or set "Use Blush regularisation?" to No.'),
    _known('NO_BOX', r'vector::_M_default_append', 'No box size, or a negative one, was given.',
           'Give the box size in Å and in pixels.'),
    _known('NO_FOLDER', r'output directory does not exist', 'The folder for the results does not exist.',
           'Was it deleted while the job waited? Run the job again.'),
    _known('NO_STAR', r'MetaDataTable::read: File \S+ does not exist', 'A STAR file that the job needs is missing.',
           'Was it moved or deleted? Run the job that made it again.'),
    # ---- the machine
    _known('GPU_MEMORY', r'out of memory in .*\.cu|cudaErrorMemoryAllocation|CUDA error: out of memory',
           'The GPU has too little memory.',
           'Use fewer MPI processes per GPU, a smaller box or more binning, or set "Skip padding?" to Yes.'),
    _known('GPU', r'CUDA driver version is insufficient|no CUDA-capable device|cudaErrorNoDevice|'
                  r'invalid device ordinal',
           'RELION cannot use the GPU that was asked for.',
           'Check the GPU ids (nvidia-smi lists them) and the driver.'),
    _known('MEMORY', r'std::bad_alloc|cannot allocate memory|out of memory|oom-kill|Killed process|'
                     r'exited on signal 9|signal 9 \(Killed\)',
           'The machine has too little memory, so the system stopped RELION.',
           'Use fewer MPI processes or threads, a smaller box or more binning, or a machine with more memory.'),
    _known('DISK', r'No space left on device|Disk quota exceeded', 'The disk is full.',
           'Free space (or get a larger quota), then run the job again.'),
    _known('LIBRARY', r'error while loading shared libraries', 'RELION was not installed completely.',
           'Run `python -m relionsta doctor`: it says what is missing.'),
    _known('SEGFAULT', r'Segmentation fault|exited on signal 11|signal 11 \(Segmentation',
           'RELION crashed. A column that it takes for granted is often the reason: particles without optics groups, '
           'or tilt series without their files.', 'Extract the particles again and check that no input file is gone.'),
)
