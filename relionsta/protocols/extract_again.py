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
        for name in _SETTINGS:
            getattr(protocol, name).set(getattr(before, name).get())
        protocol.numberOfThreads.set(before.numberOfThreads.get())
        protocol.numberOfMpi.set(before.numberOfMpi.get())
    if particles.getBoxSize():
        protocol.sizesBy.set(BY_BINNING)
        protocol.boxBinning.set(particles.getParticleBinning())
        protocol.binned_size_pix.set(particles.getBoxSize())
        protocol.subtomo_format.set(protocol.getParam('subtomo_format').choices.index(particles.getKind()))
    return protocol


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
