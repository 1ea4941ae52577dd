"""What goes wrong around RELION: its processes, the computer, the installation."""
from .known_failure import known as _known

MACHINE_FAILURES = (
    # ---- MPI
    _known('MPI_ODD', r'number of MPI processes must be an odd number',
           'Auto-refine shares its processes between two half sets and one leader.',
           'Set an odd number of MPI processes, for example 3 or 5.'),
    _known('MPI_THREE', r'at least 3 MPI processes are required|Cannot split data into random halves without using MPI',
           'Auto-refine needs at least 3 MPI processes.', 'Set the number of MPI processes to 3, 5, ...'),
    _known('MPI_TWO', r'at least (2|two) MPI processes', 'The MPI program needs at least 2 processes.',
           'Set the number of MPI processes to 1, or to 2 and more.'),
    _known('MPI_GRADIENT', r'Gradient refinement is not supported together with MPI',
           '3D initial reference runs in one process.', 'Set the number of MPI processes to 1 and use threads.'),
    _known('MPI_SLOTS', r'not enough slots available|All nodes which are allocated for this job are already filled',
           'MPI was asked for more processes than it may start on this machine.',
           'Use fewer MPI processes, or allow more of them in the settings of your queue or host.'),
    _known('MPI_ROOT', r'has detected an attempt to run as root', 'Open MPI does not start programs for the user root.',
           'Start Scipion as an ordinary user.'),
    _known('MPI_MIXED', r'undefined symbol: \S*[MP]PI|symbol lookup error|error while loading \S*libmpi|'
                        r'PMIX ERROR: .*(NOT-FOUND|not supported)|OPAL ERROR: Not initialized|'
                        r'application appears to have been direct launched',
           'RELION was built with another MPI than the one that starts it.',
           'Put the mpirun that RELION was built with first in PATH; `python -m relionsta doctor` shows which one is used.'),
    _known('MPI_LOST', r'lost connection|connection to the remote process|ORTE has lost communication|'
                       r'PRTE has lost communication|Connection reset by peer',
           'The MPI processes lost contact with each other: a computer or its network failed, or a process was ended.',
           'Continue the run; if it comes again, use one computer, or ask who looks after the cluster.', weak=True),
    # ---- GPU
    _known('GPU_MEMORY', r'ERROR: out of memory in |CustomAllocator out of memory|ran out of memory on the GPU|'
                         r'cudaErrorMemoryAllocation|CUDA error: out of memory|CUDA out of memory|'
                         r'GPU memory was insufficient',
           'The GPU has too little memory: each process takes about 1.1e-8 x (2 x box)^3 GB of it.',
           'Use fewer MPI processes per GPU, a smaller box or more binning, or set "Skip padding?" to Yes.'),
    _known('GPU_BUILD', r'no kernel image is available|invalid device function|with an unsupported toolchain',
           'This RELION was not built for the kind of GPU that is here.',
           "Build RELION with the GPU's compute capability (CUDA_ARCH), or set \"Use GPU acceleration?\" to No."),
    _known('GPU', r'CUDA driver version is insufficient|no CUDA-capable device|cudaErrorNoDevice|invalid device ordinal|'
                  r'all CUDA-capable devices are busy|issue with the GPU-ids|initialization error in \S+\.(cu|h)',
           'RELION cannot use the GPU that was asked for.',
           'Check the GPU ids (nvidia-smi lists them) and the driver.'),
    _known('GPU_FAILED', r'A GPU-function failed to execute|KERNEL_ERROR: |illegal memory access|unspecified launch failure|'
                         r'ERROR: [\w ]+ in \S+ at line \d+ \(error-code \d+\)|CUDNN_STATUS_|'
                         r'unable to find an engine to execute',
           'The GPU stopped in the middle of its work.',
           'Choose Continue; if it fails at the same place, run it without GPU. Reset the GPU or its driver if other '
           'programs fail too (nvidia-smi shows errors).', weak=True),
    _known('BLUSH', r'Something went wrong in the external Python call|relion_python_\w+: (command )?not found|'
                    r'No module named .(relion|torch)',
           'A program of RELION that needs its Python environment could not run (Blush).',
           'Install RELION with its Python environment, or set "Use Blush regularisation?" to No.'),
    # ---- installation
    _known('LIBRARY', r'error while loading shared libraries|version `(GLIBC|GLIBCXX|CXXABI)\S+ not found',
           'RELION was not installed completely, or for another system.',
           'Run `python -m relionsta doctor`: it says what is missing. Install RELION again, or set RELION_HOME to '
           'another.'),
    _known('NO_MPIRUN', r'(mpirun|mpiexec|srun|prterun)(: command)?:? not found|No such file or directory: .mpirun',
           'The program that starts MPI processes is missing.',
           'Put the mpirun that RELION was built with into PATH (or name it in the hosts.conf of Scipion), or use 1 MPI '
           'process.'),
    _known('NO_PROGRAM', r'relion_\w+: (command )?not found|unable to find the specified executable file|'
                         r'could not find an executable|relion_\w+: No such file or directory|'
                         r'No such file or directory: .\S*relion_\w+',
           "A program of RELION is missing from the folder that RELION_HOME names.",
           'Run `python -m relionsta doctor`: it says which RELION is used. Install RELION again, or set RELION_HOME.'),
    _known('NOT_RUNNABLE', r'relion_\w+: (Permission denied|cannot execute)|Exec format error|cannot execute binary file',
           'A program of RELION may not be run here, or was built for another kind of processor.',
           'Check the permissions of the folder that RELION_HOME names, or install RELION for this computer.'),
    _known('ILLEGAL_INSTRUCTION', r'Illegal instruction|signal 4\b|SIGILL',
           'RELION was built for a newer processor than this one.',
           'Build RELION on this computer, or unset RELION_HOME and run `python -m relionsta install-relion`.'),
    # ---- the computer
    _known('TIME_LIMIT', r'DUE TO TIME LIMIT|time limit for job execution has been reached|TERM_RUNLIMIT|'
                         r'exceeded \w* ?walltime|walltime .*exceeded',
           'The time that the job was given is over.',
           'Choose Continue (it goes on from the last complete iteration), with more time if the queue allows it.'),
    _known('PREEMPTED', r'DUE TO PREEMPTION|CANCELLED AT (?!.*DUE TO)',
           'The queue took the job away, or it was cancelled there.',
           'Choose Continue: it goes on from the last complete iteration.'),
    _known('MEMORY', r'std::bad_alloc|cannot allocate memory|oom.kill|out of memory: Kill|Killed process|'
                     r'issue allocating CPU memory|Allocate: No space left|Memory allocation of -?\d+ bytes failed|'
                     r'exited on signal 9|signal 9 \(Killed\)|KILLED BY SIGNAL: 9|EXIT CODE: 9\b|exceeded memory limit|'
                     r'allocation failure in vector',
           'The machine has too little memory, so the system stopped RELION (or somebody killed it).',
           'Use fewer MPI processes or threads, a smaller box or more binning, or a machine with more memory.'),
    _known('BUS_ERROR', r'Bus error|signal 7\b|SIGBUS|bus_adrerr',
           'A file or the shared memory that RELION was reading from or writing to vanished: /dev/shm or /tmp is full, or a '
           'network disk failed.',
           'Make room in /dev/shm and /tmp, check the disk, then choose Continue.'),
    _known('STALE', r'Stale (NFS )?file handle|Input/output error|Transport endpoint is not connected|Host is down',
           'A disk failed while RELION used it, most often a network disk.',
           'Check that disk (other files on it, too), then choose Continue.', weak=True),
    _known('DISK', r'No space left on device|Disk quota exceeded|File size limit exceeded|File too large',
           'The disk is full.', 'Free space (or get a larger quota), then choose Continue: what is complete is kept.'),
    _known('READ_ONLY', r'Read-only file system', 'The disk with the project is read-only.',
           'Mount it so that it can be written, or move the project.'),
    _known('NO_PERMISSION', r'Permission denied|Operation not permitted',
           'A file or folder may not be read or written by the user who runs Scipion.',
           'Correct its owner or permissions (`ls -l` shows them).', weak=True),
    _known('OPEN_FILES', r'Too many open files', 'RELION opened more files than the system allows.',
           'Raise the limit (`ulimit -n 4096`) where Scipion is started.'),
    _known('PROCESSES', r'Resource temporarily unavailable|cannot fork|pthread_create|Cannot create thread|'
                        r'libgomp: Thread creation failed',
           'The system allows no more processes or threads.',
           'Use fewer MPI processes and threads, or raise the limit (`ulimit -u`).', weak=True),
    _known('SEGFAULT', r'Segmentation fault|exited on signal 11|signal 11 \(Segm|KILLED BY SIGNAL: 11|EXIT CODE: 139\b',
           'RELION crashed. A column that it takes for granted is often the reason: particles without images or optics '
           'groups, or tilt series without their files; too little memory is another.',
           'Extract the particles again, check that no input file is gone, and look at the memory that is free.', weak=True),
    _known('ENDED', r'signal 15 \(Terminated\)|exited on signal 15|KILLED BY SIGNAL: 15|signal 2 \(Interrupt',
           'RELION was told to stop, by a person or by the system.',
           'Choose Continue: it goes on from the last complete iteration.', weak=True),
)
