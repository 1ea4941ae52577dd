"""What is wrong with a refinement cycle before it starts: it runs for days, so all that can be seen now is said now."""
from ..jobs.registry import JOBS
from ..runtime.build import RelionNotFound, find_build
from . import checks, maps
from .boxes import checkBoxFits, checkStacks, firstStack, stackSize
from .cycle_form import CTF_PART, ESTIMATION, MASK_PART, POLISH_PART, POSTPROCESS_PART, RECONSTRUCT_PART, REFINE_PART
from .form import jobValues, problemText, relionVersion

_MAP_BOX = 'Box of the reference map (pix)'


def checkCycle(cycle):
    """Messages on the form of a cycle with its inputs."""
    particles = cycle.inputParticles.get()
    return (checks.checkParticles('Particles', particles, extracted=False) or _checkSplit(particles) or _checkSteps(cycle)
            or _checkSizes(cycle, particles) or _checkRefine(cycle) or _checkOptions(cycle) or _checkBuild(cycle))


def _checkSplit(particles):
    if checks.halfSets(particles) == {1, 2}:
        return []
    return ['*Particles*: they are not split into two half sets (rlnRandomSubset), which the resolution is measured with. '
            'Run 3D auto-refine on them first.']


def _checkSteps(cycle):
    errors = []
    if cycle.rounds.get() < 1:
        errors.append('*Number of rounds*: %d. Give 1 or more.' % cycle.rounds.get())
    if cycle.slack.get() is not None and cycle.slack.get() < 0:
        errors.append('*Shells that a step may lose*: %d. Give 0 or more.' % cycle.slack.get())
    if not (cycle.doCtf.get() or cycle.doPolish.get() or cycle.doRefine.get()):
        errors.append('*CTF refinement?*: No, and neither polishing nor refinement is chosen, so that nothing is done. '
                      'Choose Yes for one of them.')
    return errors


def _checkSizes(cycle, particles):
    box, pixel = cycle.getReferenceBox(), particles.getTiltSeriesPixelSize()
    if box is None:
        return ['*%s*: empty, and these particles have no images whose width it could be. Give a number.' % _MAP_BOX]
    if box < 2 or box % 2:
        return ['*%s*: %d. Give an even number, 1.5 to 2 times as wide as the particle.' % (_MAP_BOX, box)]
    stars, mask = particles.getTomogramsStars(), cycle.solventMask.get()
    errors = checkStacks('Particles', *stars)
    if errors:
        return errors
    size = stackSize(firstStack(stars[0]))
    errors = checkBoxFits(_MAP_BOX, box * pixel, size, pixel)
    if not errors and mask is not None:
        errors = maps.checkMask('Mask at binning 1 (optional)', mask, box, pixel, whose='the reference map')
    if not errors and (cycle.doCtf.get() or cycle.doPolish.get()):
        errors = _checkEstimation(cycle.getEstimationBox(), box, pixel, size)
    return errors


def _checkEstimation(estimation, box, pixel, size):
    if estimation < box:
        return ['*%s*: %d, and the box of the reference map is %d pixels. Give at least %d.'
                % (ESTIMATION, estimation, box, box)]
    if estimation % 2:
        return ['*%s*: %d, which is odd. Give an even number.' % (ESTIMATION, estimation)]
    return checkBoxFits(ESTIMATION, estimation * pixel, size, pixel)


def _checkRefine(cycle):
    if not cycle.doRefine.get():
        return []
    particles, binning, box = cycle.inputParticles.get(), cycle.getRefineBinning(), cycle.getRefineBox()
    errors = ['*%s*: empty, and these particles have no images whose %s it could be. Give a number.' % (label, what)
              for label, what, value in (('Binning to extract at', 'binning', binning),
                                         ('Box to extract (binned pix)', 'width', box)) if value is None]
    if errors:
        return errors
    if binning < 1:
        return ['*Binning to extract at*: %g. Give 1 or more.' % binning]
    if box % 2 or box < 2:
        return ['*Box to extract (binned pix)*: %d. Give an even number.' % box]
    pixel, diameter = binning * particles.getTiltSeriesPixelSize(), cycle.particle_diameter.get()
    if diameter > box * pixel:
        return ['*Mask diameter (A)*: %g Å, and the box is only %.0f Å wide (%d pixels of %.4g Å). Choose at most %.0f.'
                % (diameter, box * pixel, box, pixel, box * pixel)]
    ranks = cycle.refineMpi.get()
    if ranks < 3 or ranks % 2 == 0:
        return ['*MPI processes of 3D auto-refine*: %d, and it needs an odd number of at least 3: one leads, the others '
                'share the two half sets. Choose 3 or 5.' % ranks]
    mask = cycle.refineMask.get()
    return [] if mask is None else maps.checkMask('Mask at that binning (optional)', mask, box, pixel)


def _checkOptions(cycle):
    """What the jobs themselves find; their inputs are not there yet."""
    parts = [RECONSTRUCT_PART, POSTPROCESS_PART] + [part for part, used in (
        (MASK_PART, cycle.solventMask.get() is None), (CTF_PART, cycle.doCtf.get()), (POLISH_PART, cycle.doPolish.get()),
        (REFINE_PART, cycle.doRefine.get())) if used]
    return [problemText(cycle, part, problem) for part in parts for problem in _problems(cycle, part) if problem.fatal]


def _problems(cycle, part):
    """The problems of the options that the form has, with those that it does not have at their defaults."""
    job, values = JOBS[part.type], jobValues(cycle, part)
    return [problem for problem in job.problems(dict(job.defaults(), **values), relionVersion()) if problem.option in values]


def _checkBuild(cycle):
    try:
        build = find_build()
    except RelionNotFound:
        return []  # Scipion asks the plugin itself, and shows its message
    refine = {'use_gpu': cycle.refineGpu.get(), 'nr_mpi': cycle.refineMpi.get()} if cycle.doRefine.get() else {}
    return (checks.checkBuild(build, refine)
            or checks.checkBuild(build, {'nr_mpi': cycle.numberOfMpi.get()}))
