"""Progress and failures, from what RELION 5.1 really printed (shortened, all else as it was)."""
import random

import pytest

from relionsta.results.failures import KNOWN_FAILURES
from relionsta.results.log import LONGEST_LINE, ProgressReader, explain, failure_message, last_lines, read_progress
from relionsta.tests.faults.provoked import PROVOKED
from relionsta.tests.faults.recorded import RECORDED

BAR = '{:>4}/{:>4} {} {}~~(,_,">{}[oo]'


def bar(dots, spent=0, whole=0, unit='sec'):
    """A progress bar as RELION draws it: 60 dots when full."""
    return BAR.format(spent, whole, unit, '.' * dots, ' ' * (60 - dots))


FULL = '   2/   2 sec ............................................................~~(,_,"> yum!\n'
CLASS3D = (
    ' Running CPU instructions in double precision. \n'
    ' Estimating initial noise spectra from at most 10 particles \n'
    '000/??? sec ~~(,_,">                                                          [oo]\r' + FULL +
    ' CurrentResolution= 80 Angstroms, which requires orientationSampling of at least 25.7143 degrees for a particle '
    'of diameter 350 Angstroms\n'
    ' Expectation iteration 1 of 4\n' + bar(30) + '\r' + FULL +
    ' Maximization...\n' + FULL +
    ' Estimating accuracies in the orientational assignment ... \n' + FULL +
    ' CurrentResolution= 96 Angstroms, which requires orientationSampling of at least 25.7143 degrees\n'
    ' Expectation iteration 2 of 4\n' + bar(30, 60, 240))
REFINE3D = (
    ' Auto-refine: Iteration= 7\n Auto-refine: Resolution= 80 (no gain for 6 iter) \n'
    ' Auto-refine: Changes in angles= 1.21016 degrees; and in offsets= 0.697545 Angstroms (no gain for 0 iter) \n'
    ' Expectation iteration 7\n' + bar(45, 3, 4, 'min'))
REFINED = (
    '\n Auto-refine: Refinement has converged, stopping now... \n'
    ' Auto-refine: + Final reconstruction from all particles is saved as: r3/job001/run_class001.mrc\n'
    ' Auto-refine: + Final resolution (without masking) is: 68.5714\n'
    ' Auto-refine: + But you may want to run relion_postprocess to mask the unfil.mrc maps and calculate a higher '
    'resolution FSC\n')
SUBTOMO = (' + Setting boxSize= 48 cropSize= 48 binning= 1\n + Tomogram 1 / 2:\n    - Loading\n'
           '    - Extracting particles:\n' + FULL + ' + Tomogram 2 / 2:\n    - Loading\n    - Extracting particles:\n'
           + bar(15))
POSTPROCESS = ('== Masking input maps ...\n  + randomize phases beyond:       160 Angstroms\n'
               '== Writing output files ...\n  + Metadata file:                 pp/job001/postprocess.star\n'
               '  + FINAL RESOLUTION:              68.5714\n')

BACKTRACE = ('=== Backtrace  ===\n/usr/bin/relion_refine(+0x94255) [0x55a71e109255]\n'
             '/usr/lib/x86_64-linux-gnu/libc.so.6(__libc_start_main+0x87) [0x7fc5c02f00d7]\n==================\n')
# Program messages seen on RELION 5.1.0, each from a run that was made to fail so
SEEN = [
    ('REFERENCE_SIZE', 'ERROR  The reference pixel size is 5 A/px, but the pixel size of the first optics group of the '
                       'data is 10 A/px! \n The reference box size is 96 px, but the box size of the first optics '
                       'group of the data is 48 px!\n'),
    ('MPI_THREE', 'MlOptimiserMpi::initialiseWorkLoad: at least 3 MPI processes are required when splitting data into '
                  'random halves'),
    ('MPI_THREE', 'ERROR: Cannot split data into random halves without using MPI! For debugging ONLY, use '
                  '--debug_split_random_half 1 (or 2)'),
    ('MPI_ODD', 'MlOptimiserMpi::initialiseWorkLoad: the number of MPI processes must be an odd number when '
                'gold-standard separation is applied.'),
    ('MPI_GRADIENT', 'Gradient refinement is not supported together with MPI. \nPlease rerun with Number of MPI '
                     'processes: 1'),
    ('ONE_REFERENCE', 'ERROR: One cannot use --split_random_halves with more than 1 reference... You could first '
                      'classify, and then refine each class separately using --random_halves.'),
    ('SYMMETRY', "SymList::read_sym_file:Can't open file:  or do not recognize symmetry groupX9"),
    ('FAST_SUBSETS', 'ERROR: when using --fast_subsets you have to perform at least 20 iterations!'),
    ('NO_FOLDER', 'ERROR: output directory does not exist!'),
    ('NO_STAR', 'MetaDataTable::read: File nothere.star does not exist'),
    ('NO_TOMOGRAMS', 'ERROR: you need to provide --tomograms when refining 2D stacks of tilt series images'),
    ('BLUSH', 'sh: 1: relion_python_blush: not found\n\nSomething went wrong in the external Python call...'),
    ('REFERENCE_TOO_BIG', 'Reference map is too big: 48 pixels instead of 32'),
    ('NOT_AN_FSC', 'ReferenceMap::ReferenceMap: tomograms.star does not contain a value for rlnSpectralIndex'),
    ('MASK_REFERENCE_SIZE', 'ReferenceMap::ReferenceMap: mask and reference have different sizes (96x96x96 and '
                            '48x48x48) '),
    ('NO_REFERENCES', 'ERROR: The two reference maps were not specified on the command line, and no optimisation-set '
                      'file has been provided.'),
    ('MASK_RANGE', 'Postprocessing::mask ERROR: mask values not in range [0,1]!'),
    ('HALF_MAP_NAME', "The input filename does not contain 'half1' or 'half2'"),
    ('NO_HALF_MAP', 'Cannot read file half2x.mrc It does not exist'),
    ('NO_BOX', "terminate called after throwing an instance of 'std::length_error'\n  what():  "
               'vector::_M_default_append'),
]
# Messages that RELION's sources or the system print; RELION could not be made to say them cheaply
QUOTED = [
    ('MASK_SIZE', 'Postprocessing::mask ERROR: mask and input maps do not have the same size!'),
    ('MASK_SHAPE', 'ERROR: input mask is not of same shape as reference inside the optimiser.'),
    ('NO_VISIBLE_FRAMES', 'ParticleSet::getVisibileFrames: frame visibility vector (rlnTomoVisibleFrames) missing from '
                          'particles table'),
    ('NO_COORDINATES', 'Cannot find particle coordinates (rlnCenteredCoordinateX/Y/ZAngst) in particle star file'),
    ('NO_OPTICS', 'ObservationModel::getOpticsGroup: Failed to get optics group for particle #12'),
    ('OPTICS_DIFFER', 'Tomogram::validateParticleOptics: inconsistent values between optics and tomograms tables.'),
    ('OTHER_TOMOGRAMS', 'ParticleSet::splitByTomogram: no particles found that belong to any of the defined '
                        'tomograms. '),
    ('NOT_PREMULTIPLIED', 'ERROR: subtomo multiplicity correction only applies to ctf_premultiplied data'),
    ('NO_TILT_COLUMN', 'ERROR: ts.star does not contain compulsory rlnMicrographPreExposure label'),
    ('NO_LABEL', 'Label rlnTomoHand not present in global'),
    ('NO_TOMOGRAM_SIZE', 'ERROR loadTomogram: tomogram sizes have not been set for tomogram TS_01'),
    ('TRAJECTORIES', 'TS_01: bad trajectory lengths; expected 41 frames, found 40'),
    ('MRC_STACK_NAME', 'Image::read ERROR: stacks of images in MRC-format should have extension .mrcs; .mrc extensions '
                       'are reserved for 3D maps.'),
    ('ZERO_WEIGHTS', 'ERROR!!! zero sum of weights....'),
    ('NARROW_SEARCH', 'Zero orientations fall within the local angular search. Increase the sigma-value(s) on the '
                      'orientations!'),
    ('SMALL_BOX', 'Backprojector::set1DFourierTransform%%ERROR: Dimension of the data array should be 2'),
    ('HALF_SETS', "terminate called after throwing an instance of 'RelionError'\nParticleSet::getHalfSet"),
    ('NO_PARTICLES', 'The input STAR file particles.star does not contain any particles! Exiting...'),
    ('MPI_SLOTS', 'There are not enough slots available in the system to satisfy the 9 slots'),
    ('MEMORY', "terminate called after throwing an instance of 'std::bad_alloc'"),
    ('MEMORY', 'mpirun noticed that process rank 2 with PID 0 on node x exited on signal 9 (Killed).'),
    ('GPU_MEMORY', 'ERROR: out of memory in ./src/acc/cuda/cuda_mem_utils.h.cu at line 100'),
    ('EMPTY_MASK', 'ERROR: mask is empty!'),
    ('HALF_MAP_SIZES', 'Postprocessing::initialise ERROR: The two half reconstructions are not of the same size!'),
    ('NO_TOMOGRAM_NAME', 'ERROR: particles.star does not contain rlnTomoName label '),
    ('NO_IMAGE', 'Cannot read file Extract/job001/Subtomograms/TS_01/7_stack2d.mrcs It does not exist'),
    ('NO_TABLE', 'ERROR: could not read data from tilt_series/TS_01.star'),
    ('MPI_TWO', 'MlOptimiserMpi::initialiseWorkLoad: at least 2 MPI processes are required, otherwise use the '
                'sequential program'),
    ('CONTINUE_FINAL', 'MlOptimiser::readStar: splitting data into two random halves, but rlnModelStarFile2 is empty. '
                       'Probably you specified an optimiser STAR file generated with --force_converge.'),
    ('GPU', 'CUDA driver version is insufficient for CUDA runtime version'),
    ('LIBRARY', 'relion_refine: error while loading shared libraries: libfftw3.so.3: cannot open shared object file'),
    ('DISK', 'write error: No space left on device'),
    ('SEGFAULT', 'exited on signal 11 (Segmentation fault).'),
]


def test_classification():
    """Iteration, bar and resolution of a classification, and its share of the whole run."""
    found = read_progress(CLASS3D)
    assert found.text == 'iteration 2 of 4, expectation 50 %, 3 min left in this step, now at 96 Å'
    assert found.fraction == pytest.approx((1 + 0.9 * 0.5) / 4)
    assert (found.step, found.seconds_left) == (0.5, 180)


def test_refinement_has_no_fraction_until_it_ends():
    """Nobody knows when auto-refine converges: a made-up percentage would be wrong; its end is known."""
    reader = ProgressReader()
    found = reader.feed(REFINE3D)
    assert (found.fraction, found.step, found.seconds_left) == (None, 0.75, 60)
    assert found.text.startswith('iteration 7, expectation 75 %')
    found = reader.feed(REFINED)
    assert found.fraction == 1
    assert found.text == 'iteration 7, converged, final resolution 68.57 Å'


def test_tomogram_by_tomogram():
    """The tomogram programs count tomograms; the bar is that of one of them."""
    found = read_progress(SUBTOMO)
    assert found.text == 'tomogram 2 of 2, extracting particles 25 %'
    assert found.step == 0.25


def test_postprocess_tells_the_resolution():
    """The last line of post-processing is its result."""
    assert read_progress(POSTPROCESS).text == 'final resolution 68.57 Å'


@pytest.mark.parametrize('text', [CLASS3D, REFINE3D + REFINED, SUBTOMO, POSTPROCESS])
def test_pieces_of_any_size_give_the_same(text):
    """A log is read while it is written: a piece may end within a word or a bar; progress never goes back."""
    chosen = random.Random(3)
    for _ in range(20):
        reader, place, seen = ProgressReader(), 0, []
        while place < len(text):
            step = chosen.randrange(1, 60)
            reader.feed(text[place:place + step])
            place += step
            seen.append(reader.progress.fraction or 0)
        assert reader.progress == read_progress(text)
        assert seen == sorted(seen)


def test_nothing_yet():
    """An empty log is a start, not an error."""
    assert read_progress('').text == 'started'


@pytest.mark.parametrize('name, message', SEEN + QUOTED, ids=lambda value: value[:20])
def test_failures_are_recognised(name, message):
    """The user must get cause and remedy, whichever stream and noise the message comes in."""
    text = CLASS3D + '\nin: ./src/ml_optimiser.cpp, line 2126\nERROR: \n' + message + '\n' + BACKTRACE + message
    found = explain(text)
    assert found is not None and found.name == name
    assert found.line and found.line in message
    assert found.cause.endswith('.') and found.remedy.endswith(('.', '?'))
    assert found.cause in failure_message(text) and found.remedy in failure_message(text)


@pytest.mark.parametrize('text', [CLASS3D, REFINE3D + REFINED, SUBTOMO, POSTPROCESS])
def test_a_good_run_is_no_failure(text):
    """Warnings and command lines of runs that went well must not be taken for the reason of another failure."""
    warnings = (
        'relion_refine_mpi --o job001/run --auto_refine --split_random_halves --tomograms t.star --trust_ref_size '
        '--blush --fast_subsets --gpu "0"\n'
        'WARNING: You did not specify --angpix. The pixel size in the image header, 10 A/px, is used.\n'
        ' WARNING: The phase-randomised FSC is larger than 0.10 at the estimated resolution!\n'
        'sh: 1: gs: not found\n ERROR in executing: gs -sDEVICE=pdfwrite\n + Will make an empty PDF-file\n'
        '+ WARNING : Relion was compiled without CUDA >= 7.0 - you do NOT have support for GPUs\n'
        '2 particles were removed because they were too close to the edge in all images.\n')
    assert explain(warnings + text) is None


def test_every_failure_has_a_test():
    """A pattern that matches nothing that is ever printed helps nobody."""
    tried = {name for name, _ in SEEN + QUOTED} | {row.name for row in PROVOKED} | {row.name for row in RECORDED}
    assert {known.name for known in KNOWN_FAILURES} == tried
    names = [known.name for known in KNOWN_FAILURES]
    assert len(names) == len(set(names)) and len(names) >= 25


def test_first_of_several_is_the_cause():
    """MPI prints consequences after the cause: the killed ranks must not hide it."""
    text = SEEN[3][1] + '\nprterun noticed that process rank 1 exited on signal 9 (Killed).'
    assert explain(text).name == 'MPI_ODD'


def test_a_crash_without_words_is_told_by_its_code():
    """A segmentation fault or a kill by the system leaves an empty log."""
    assert explain('', 139).name == explain('', -11).name == 'SEGFAULT'
    assert explain('', 137).name == explain('', -9).name == 'MEMORY'
    assert 'RELION said: ' not in failure_message('', 137) and 'code 137' in failure_message('', 137)
    assert explain('', 1) is None and explain('') is None


def test_what_follows_is_not_the_cause():
    """The end of a rank, or a warning with words of an error, may stand before the reason that RELION gives."""
    after = 'exited on signal 11 (Segmentation fault).\nls: Permission denied\n' + SEEN[3][1]
    assert explain(after).name == 'MPI_ODD'
    assert explain('exited on signal 11 (Segmentation fault).').name == 'SEGFAULT'


def test_a_message_is_not_hidden_by_its_line():
    """Bars have no end of line, dumps of GPU memory are one line of a megabyte, and some logs hold no text at all."""
    found = explain(bar(30) + '\r' + bar(31) + 'ERROR: CudaCustomAllocator out of memory\r' + bar(2))
    assert found.line == 'ERROR: CudaCustomAllocator out of memory'
    assert len(explain('std::bad_alloc ' + 'x' * 10 ** 5).line) < 2 * LONGEST_LINE
    shown = last_lines('\x1b[31mred\x1b[0m\n' + bytes(range(256)).decode('latin1').replace('\n', '') + '\n' + 'y' * 10 ** 5)
    assert shown.split('\n')[0] == 'red' and '\0' not in shown and len(shown) < 3 * LONGEST_LINE


def test_where_the_log_is():
    """Where we know nothing, the user must find the log, also if it is empty."""
    told = failure_message('BUG: something new', 3, ('logs/run.stdout', 'logs/run.stderr'))
    assert 'code 3' in told and 'logs/run.stdout and logs/run.stderr' in told
    assert 'printed nothing' in failure_message('', 1)


def test_unknown_failures_show_the_last_lines():
    """Where we know nothing, RELION's own last words must be seen, not its bars and backtrace."""
    lines = ['line %d' % number for number in range(40)]
    text = '\n'.join(lines) + '\n' + bar(10) + '\r' + FULL + 'BUG: something new\n' + BACKTRACE
    shown = last_lines(text).split('\n')
    assert shown == lines[-19:] + ['BUG: something new']
    assert 'BUG: something new' in failure_message(text)
