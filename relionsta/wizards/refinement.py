"""Wands of classifications and refinements: numbers, searches, maps and processes that follow from the inputs."""
from pyworkflow.wizard import Wizard

from ..amounts import bytes_text
from ..protocols import ProtStaClass3D, ProtStaInitialModel, ProtStaRefine3D
from ..protocols.upstream import findMask, findReference
from ..runtime.machine import cores, memory_bytes
from ..suggest.machine import suggest_parallel
from ..suggest.search import suggest_search
from ..suggest.sizes import disk_bytes, refine_memory_bytes
from ..suggest.start import suggest_t_values
from ..suggest.upstream import has_orientations, search_of_particles
from .dialogs import fill, refuse, tell

NO_PARTICLES = 'Choose extracted particles first: the value follows from them.'
#: Part of the memory that images in it may take.
IMAGES = 0.3


def particlesOf(form):
    """The particles of the form, if they have images; else None, and the user knows it."""
    particles = form.protocol.inputParticles.get()
    if particles is None or not particles.getBoxSize():
        refuse(form, 'Particles', NO_PARTICLES)
        return None
    return particles


class StaSuggestionWizard(Wizard):
    """The value that an empty field stands for, as a number."""

    _targets = [(ProtStaClass3D, ['particle_diameter', 'ini_high', 'highres_limit']),
                (ProtStaRefine3D, ['particle_diameter', 'ini_high']), (ProtStaInitialModel, ['particle_diameter'])]

    def show(self, form, *args):
        name = form.wizParamName
        suggested = form.protocol.getSuggestions().get(name)
        if suggested is not None:
            fill(form, name, suggested, 'Å')
        elif particlesOf(form) is not None:
            refuse(form, 'Reference map', 'Choose the reference map first: the value follows from its resolution.')


class StaSearchWizard(Wizard):
    """Angles and offsets to search, by what is known of the poses."""

    _targets = [(ProtStaClass3D, ['sampling']), (ProtStaRefine3D, ['sampling'])]

    def show(self, form, *args):
        particles = particlesOf(form)
        if particles is None:
            return
        auto = isinstance(form.protocol, ProtStaRefine3D)
        star = particles.getParticlesStars()[0]
        advice = suggest_search(search_of_particles(star), has_orientations(star), particles.getSamplingRate(), auto)
        values = {'sampling': advice.step.value, 'offset_range': advice.offset_range.value,
                  'offset_step': advice.offset_step.value}
        if auto and advice.local.value:
            values['auto_local_sampling'] = advice.step.value  # equal: local from the start
        elif not auto:
            values['do_local_ang_searches'] = advice.local.value
            if advice.local.value:
                values['sigma_angles'] = advice.range.value
        for name, value in values.items():
            param = form.protocol.getParam(name)
            form.setVar(name, param.choices.index(value) if name.endswith('sampling') else value)
        tell(form, 'Search', advice.lines())


class StaTauWizard(Wizard):
    """The values of T that are worth a try."""

    _targets = [(ProtStaClass3D, ['tau_fudge'])]

    def show(self, form, *args):
        suggested = suggest_t_values()
        tell(form, 'Regularisation parameter T', 'Values to try: %s; %s. Parameter scan makes these runs.' % (
            ', '.join('%g' % value for value in suggested.value), suggested.reason))


class StaUpstreamWizard(Wizard):
    """A reference or a mask that fits the particles, out of the project."""

    _targets = [(ProtStaClass3D, ['referenceVolume', 'solventMask']), (ProtStaRefine3D, ['referenceVolume', 'solventMask'])]

    def show(self, form, *args):
        particles = particlesOf(form)
        if particles is None:
            return
        reference = form.wizParamName == 'referenceVolume'
        what = 'Reference map' if reference else 'Reference mask'
        found = (findReference if reference else findMask)(form.protocol.getProject(), form.protocol.inputParticles)
        if found is None:
            refuse(form, what, 'There is none in this project that fits these particles (box %d pixels of %.4g Å). Make one '
                               'with %s.' % (particles.getBoxSize(), particles.getSamplingRate(),
                                             'Reconstruct particle' if reference else 'Mask creation'))
            return
        form.setVar(form.wizParamName, found.value)
        tell(form, what, '"%s": %s.' % (found.value.getObjValue().getRunName(), found.reason))


class StaParallelWizard(Wizard):
    """Processes and threads for this computer, and whether the images fit into its memory."""

    _targets = [(ProtStaClass3D, ['do_preread_images']), (ProtStaRefine3D, ['do_preread_images']),
                (ProtStaInitialModel, ['do_preread_images'])]

    def show(self, form, *args):
        particles, protocol = particlesOf(form), form.protocol
        if particles is None:
            return
        classes = protocol.nr_classes.get() or 1 if hasattr(protocol, 'nr_classes') else 1
        each, memory = refine_memory_bytes(particles.getBoxSize(), classes), memory_bytes()
        gpus = len(protocol.getGpuList()) if protocol.useGpu.get() else 0
        found = suggest_parallel(cores(), isinstance(protocol, ProtStaRefine3D), each, memory, gpus)
        one = isinstance(protocol, ProtStaInitialModel)  # RELION's gradient descent has no MPI
        form.setVar('numberOfThreads', cores() if one else found.threads)
        lines = ['%d threads: all cores.' % cores() if one else found.text() + '.',
                 'Each process takes about %s for its maps.' % bytes_text(each)]
        if not one:
            form.setVar('numberOfMpi', found.mpi)
        series = particles.getTiltSeries()
        if memory is not None and (series is not None or not particles.is2D()):
            tilts = float(series.getFirstItem().getSize()) if series is not None else 0.
            # RELION holds images as 4-byte numbers
            images = disk_bytes(particles.getSize(), tilts, particles.getBoxSize(), False, particles.is2D())
            fits = images < IMAGES * memory
            form.setVar('do_preread_images', fits)
            lines.append('The images take about %s, and this computer has %s of memory: pre-read %s.' % (
                bytes_text(images), bytes_text(memory), 'Yes' if fits else 'No'))
        tell(form, 'This computer', '\n\n'.join(lines))
