"""Messages that no program here can be made to print (GPUs, clusters, other systems), as people's logs have them."""
from typing import NamedTuple, Tuple


class Recorded(NamedTuple):
    """What was printed. name: of the failure."""

    name: str
    text: str


_GPU_TEXT = '\nA GPU-function failed to execute.\n\n If this occured at the start of a run, you might have GPUs which\n'
_CUDA = '/opt/relion/src/acc/cuda/'

RECORDED: Tuple[Recorded, ...] = (
    Recorded('GPU_MEMORY', 'ERROR: out of memory in %scustom_allocator.cuh at line 435 (error-code 2)\n'
                           'in: %scuda_settings.h, line 65\nERROR: \n%s' % (_CUDA, _CUDA, _GPU_TEXT)),
    Recorded('GPU_MEMORY', 'ERROR: out of memory in /opt/relion/src/acc/acc_backprojector_impl.h at line 38 (error-code 2)'),
    Recorded('GPU_MEMORY', 'ERROR: CudaCustomAllocator out of memory\n [requestedSpace:             44135424 B]\n'
                           ' [largestContinuousFreeSpace: 29665280 B]\n%s\n' % ('(36864B) (165888B) [3584000B] ' * 300)),
    Recorded('GPU_MEMORY', 'ERROR: HipCustomAllocator out of memory\n [requestedSpace: 9223372036854775808 B]'),
    Recorded('GPU_MEMORY', 'ERROR: \n\nYou ran out of memory on the GPU(s).\n\nEach MPI-rank increases it.'),
    Recorded('GPU_MEMORY', 'torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0)\n'
                           'Something went wrong in the external Python call...'),
    Recorded('GPU_BUILD', 'ERROR: no kernel image is available for execution on the device in %scuda_mlo.cu at line 95 '
                          '(error-code 209)\n%s' % (_CUDA, _GPU_TEXT)),
    Recorded('GPU_BUILD', 'KERNEL_ERROR: the provided PTX was compiled with an unsupported toolchain. in %sx.cu at line 5 '
                          '(error-code 222)' % _CUDA),
    Recorded('GPU', 'ERROR: CUDA driver version is insufficient for CUDA runtime version in %scuda_ml_optimiser.cu at line '
                    '3 (error-code 35)' % _CUDA),
    Recorded('GPU', 'ERROR: no CUDA-capable device is detected in %sx.cu at line 3 (error-code 100)' % _CUDA),
    Recorded('GPU', 'There was an issue with the GPU-ids. Either \n\t- you have specified a GPU index that is too high'),
    Recorded('GPU', 'ERROR: all CUDA-capable devices are busy or unavailable in %scuda_ml_optimiser.cu at line 3' % _CUDA),
    Recorded('GPU_FAILED', 'ERROR: unspecified launch failure in %scustom_allocator.cuh at line 176 (error-code 4)\n'
                           '[node01:70189] *** Process received signal ***\nSignal: Segmentation fault (11)' % _CUDA),
    Recorded('GPU_FAILED', 'KERNEL_ERROR: an illegal memory access was encountered in %sx.cu at line 1 (error-code 700)'
             % _CUDA),
    Recorded('GPU_FAILED', 'ERROR: unknown error in %scuda_projector.cu at line 115 (error-code 30)' % _CUDA),
    Recorded('ZERO_WEIGHTS', 'ERROR: \nNo orientation was found as better than any other.\n\nA particle image was compared '
                             'to the reference and resulted in all-zero\nweights (for all orientations).'),
    Recorded('MEMORY', 'There was an issue allocating CPU memory (RAM). \nLikely maximum memory size was exceeded.'),
    Recorded('MEMORY', 'slurmstepd: error: Detected 1 oom_kill event in StepId=77.0. Some of the tasks have been killed.'),
    Recorded('MEMORY', '=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES\n=   PID 4711 RUNNING AT node3\n'
                       '=   KILLED BY SIGNAL: 9 (Killed)'),
    Recorded('MEMORY', 'Allocate: No space left'),
    Recorded('TIME_LIMIT', 'slurmstepd: error: *** JOB 4711 ON n3 CANCELLED AT 2025-02-15T17:37:45 DUE TO TIME LIMIT ***'),
    Recorded('TIME_LIMIT', '=>> PBS: job killed: walltime 3605 exceeded limit 3600'),
    Recorded('PREEMPTED', 'slurmstepd: error: *** JOB 4711 ON node3 CANCELLED AT 2025-02-15T17:37:45 DUE TO PREEMPTION ***'),
    Recorded('PREEMPTED', 'slurmstepd: error: *** JOB 4711 ON node3 CANCELLED AT 2025-02-15T17:37:45 ***'),
    Recorded('BLUSH', "ModuleNotFoundError: No module named 'relion_blush'"),
    Recorded('LIBRARY', 'relion_refine_mpi: error while loading shared libraries: libcufft.so.11: cannot open shared object '
                        'file: No such file or directory'),
    Recorded('LIBRARY', "relion_refine: /lib64/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by it)"),
    Recorded('MPI_MIXED', 'relion_refine_mpi: symbol lookup error: relion_refine_mpi: undefined symbol: ompi_mpi_comm'),
    Recorded('MPI_ROOT', 'mpirun has detected an attempt to run as root.\nRunning as root is *strongly* discouraged'),
    Recorded('MPI_LOST', 'ORTE has lost communication with a remote daemon.\n  HNP daemon   : [[1,0],0] on node node1'),
    Recorded('STALE', 'cat: Extract/job001/particles.star: Stale file handle'),
    Recorded('OPEN_FILES', 'fopen: Too many open files'),
    Recorded('PROCESSES', 'libgomp: Thread creation failed: Resource temporarily unavailable'),
    Recorded('DISK', 'write error: No space left on device'),
    Recorded('DISK', 'write error: Disk quota exceeded'),
    Recorded('READ_ONLY', 'mkdir: cannot create directory ‘Runs/000123’: Read-only file system'),
    Recorded('NARROW_SEARCH', 'Zero orientations fall within the local angular search. Increase the sigma-value(s) on the '
                              'orientations!'),
    Recorded('CONTINUE_FINAL', 'MlOptimiser::readStar: splitting data into two random halves, but rlnModelStarFile2 is '
                               'empty. Probably you specified an optimiser STAR file generated with --force_converge.'),
    Recorded('SMALL_BOX', 'Backprojector::set1DFourierTransform%%ERROR: Dimension of the data array should be 2 or 3'),
    Recorded('EMPTY_MASK', 'ERROR: mask is empty!'),
    Recorded('TILT_SIZES', 'ERROR: unequal image dimensions in the individual tilt series images of tomogram: TS_01'),
)

#: Warnings of runs that went well: none is the reason of a failure.
HARMLESS = (
    '                         ***WARNING***\n\nWith the current settings and hardware, you will be able to \n'
    'use an estimated image-size of 211 pixels during the last iteration...\n\n...but your input box-size (image_size) is '
    'however 300. This means that \nyou will likely run out of memory on the GPU(s), and will have to then re-start \n'
    'from the last completed iteration (i.e. continue from it) *without* the use of GPUs.\n',
    '[falcon4:3216961] mca_base_component_repository_open: unable to open mca_btl_openib: libosmcomp.so.3: cannot open '
    'shared object file: No such file or directory (ignored)\n',
    'By default, for Open MPI 4.0 and later, infiniband ports on a device\nare not used by default.\n',
    'WARNING: There was an error initializing an OpenFabrics device.\n',
    'WARNING: Ignoring required free GPU memory amount of 200 MB, due to space insufficiency.\n',
    'sh: 1: gs: not found\n ERROR in executing: gs -sDEVICE=pdfwrite\n + Will make an empty PDF-file\n',
    'WARNING: you cannot use accelerators (like the GPU) when skipping alignments.\n',
    ' WARNING:  The reference pixel size is 1.25 A/px, but the pixel size of the first optics group of the data is 0.885 '
    'A/px! \n The reference box size is 256 px, but the box size of the first optics group of the data is 360 px!\n',
    '2 particles were removed because they were too close to the edge in all images.\n',
    'FutureWarning: You are using `torch.load` with `weights_only=False`\n',
)
