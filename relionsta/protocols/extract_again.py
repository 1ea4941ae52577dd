"""The extraction that has to follow where tilt series were refined, ready to run."""
from pyworkflow.object import Pointer

from ..objects import SetOfStaParticles
from .extract import ProtStaExtract
from .extract_form import BY_BINNING

#: What an extraction before is asked for, beside box and binning, which the particles know.
_SETTINGS = ('precrop_size_angst', 'max_dose', 'min_frames', 'do_float16', 'other_args')
_FARTHEST = 200
LABEL = 'Extract subtomos again'


def newExtraction(project, run, output):
    """A protocol, neither saved nor run, that extracts the particles in `output` of `run` as they were extracted before.

    Box, binning and kind of image are those of the particles; dose limit, pre-cropping and the like those of the
    extraction that they come from, if it is in the project. Particles that were never extracted leave the form's own
    sizes.
    """
    particles = getattr(run, output)
    protocol = project.newProtocol(ProtStaExtract)
    protocol.setObjLabel(LABEL)
    protocol.inputCoordinates.set(run)
    protocol.inputCoordinates.setExtended(output)
    before = _extractionBefore(project, run)
    if before is not None:
        protocol.numberOfThreads.set(before.numberOfThreads.get())
        protocol.numberOfMpi.set(before.numberOfMpi.get())
    for name, value in extractionSettings(project, run, particles, particles.getParticleBinning(),
                                          particles.getBoxSize()).items():
        getattr(protocol, name).set(value)
    return protocol


def extractionSettings(project, run, particles, binning, box):
    """The parameters of an extraction of `particles`, but for its inputs: {name: value}.

    The dose limit and the like are those of the extraction that the particles which `run` made, or took, come from, if it is
    in the project. binning, box (binned pixels): nothing is said of sizes and kind of image without a box.
    """
    before, values = _extractionBefore(project, run), {}
    if before is not None:
        values.update((name, getattr(before, name).get()) for name in _SETTINGS)
    if box:
        kinds = ProtStaExtract._job.option('subtomo_format').choices
        values.update(sizesBy=BY_BINNING, boxBinning=binning, binned_size_pix=box)
        if particles.getKind() in kinds:
            values['subtomo_format'] = kinds.index(particles.getKind())
    return values


def _extractionBefore(project, run):
    """The extraction that the particles of `run` come from, or None."""
    for _ in range(_FARTHEST):
        if run is None or isinstance(run, ProtStaExtract):
            return run
        run = _maker(project, run)
    return None


def _maker(project, run):
    """The run that made the particles which `run` took, or None."""
    for _, pointer in run.iterInputAttributes():
        value = pointer.get() if isinstance(pointer, Pointer) else None
        if isinstance(value, SetOfStaParticles):
            return project.getProtocol(value.getObjParentId())
    return None
