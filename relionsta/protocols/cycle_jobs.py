"""The runs that each step of a refinement cycle comes to, as children of the cycle."""
from typing import NamedTuple

from ..jobs.cycle import CTF, POLISH, START, Step
from .children import ChildJob, Output, outputOf
from .cycle_form import CTF_PART, MASK_PART, POLISH_PART, POSTPROCESS_PART, RECONSTRUCT_PART, REFINE_PART
from .extract_again import extractionSettings
from .form import jobValues
from .reconstruct import AVERAGE
from .refine_series import PARTICLES


class Place(NamedTuple):
    """Where a cycle stands after a step: what the next step takes, each an Output.

    particles; reference: their average at binning 1; postprocess: the run that measured it. made: keys of the runs of the
    step that made new particles, tilt series or CTFs, the last one last.
    """

    particles: Output
    reference: Output
    postprocess: Output
    made: tuple = ()


class CycleJobs:
    """Makes ChildJobs of what the form of `cycle` says. particles: the first ones, as an Output; box: of the reference map;
    estimationBox: for CTF refinement and polishing; both in pixels of the tilt series."""

    def __init__(self, cycle, particles, box, estimationBox):
        self._cycle, self._particles, self._box, self._estimation = cycle, particles, box, estimationBox
        self._threads = dict(numberOfThreads=cycle.numberOfThreads.get())
        self._tomo = dict(self._threads, numberOfMpi=cycle.numberOfMpi.get())
        given = cycle.solventMask
        self.mask = Output('%s: mask' % START, 'solventMask') if given.get() is None else outputOf(given)

    def start(self):
        """(jobs, place): average and mask at binning 1, and the first resolution."""
        jobs, place = self._measured(START, self._particles)
        if isinstance(self.mask.run, str):
            jobs.insert(1, self._maskJob(START, place.reference, 1.0))
        return jobs, place

    def step(self, step: Step, place: Place):
        """(jobs, place after it) of a step that starts from `place`."""
        if step.kind == CTF:
            jobs = [self._seriesJob(step, 'ProtStaCtfRefine', CTF_PART, self._cycle.ctfArgs, place)]
        elif step.kind == POLISH:
            jobs = [self._seriesJob(step, 'ProtStaPolish', POLISH_PART, self._cycle.polishArgs, place)]
        else:
            jobs = self._refineJobs(step, place)
        more, after = self._measured(step.name, Output(jobs[-1].key, PARTICLES))
        return jobs + more, after._replace(made=(jobs[-1].key,))

    # ------------------------------------------------------------------- jobs
    def _measured(self, name, particles):
        """The average of particles at binning 1 and its resolution under the mask of all."""
        average, measure = '%s: average' % name, '%s: resolution' % name
        jobs = [ChildJob(average, '%s: Reconstruct particle' % name, 'ProtStaReconstruct', dict(
                    self._values(RECONSTRUCT_PART), inputParticles=particles, binning=1.0, box_size=self._box,
                    **self._tomo)),
                ChildJob(measure, '%s: Post-processing' % name, 'ProtStaPostProcess', dict(
                    self._values(POSTPROCESS_PART), inputVolume=Output(average, AVERAGE), solventMask=self.mask))]
        return jobs, Place(particles, Output(average, AVERAGE), Output(measure))

    def _maskJob(self, name, reference, binning):
        """A mask of a map at this binning; its edge is as wide in Å as asked for at binning 1."""
        values = self._values(MASK_PART)
        # A threshold is one of the first map's grey scale: those of other binnings have their own
        values['inimask_threshold'] = self._cycle.inimask_threshold.get() if binning == 1 else None
        for edge in ('extend_inimask', 'width_mask_edge'):
            values[edge] = max(1, int(round(values[edge] / binning))) if values[edge] else 0
        return ChildJob('%s: mask' % name, '%s: Mask creation' % name, 'ProtStaMask',
                        dict(values, inputVolume=reference, usedWith=reference, **self._threads))

    def _seriesJob(self, step, protocol, part, arguments, place):
        return ChildJob(step.name, step.name, protocol, dict(
            self._values(part), inputParticles=place.particles, referenceVolume=place.reference, solventMask=self.mask,
            inputPostprocess=place.postprocess, box_size=self._estimation, other_args=arguments.get(''), **self._tomo))

    def _refineJobs(self, step, place):
        """Extraction with the tilt series as they are now, an average and a mask at that binning, and the refinement."""
        cycle, name = self._cycle, step.name
        binning, box = cycle.getRefineBinning(), cycle.getRefineBox()
        extract, average = '%s: images' % name, '%s: reference' % name
        particles, reference = Output(extract, PARTICLES), Output(average, AVERAGE)
        jobs = [ChildJob(extract, '%s: Extract subtomos' % name, 'ProtStaExtract', dict(
                    extractionSettings(cycle.getProject(), cycle, cycle.inputParticles.get(), binning, box),
                    inputCoordinates=place.particles, **self._tomo)),
                ChildJob(average, '%s: Reference' % name, 'ProtStaReconstruct', dict(
                    self._values(RECONSTRUCT_PART), inputParticles=particles, binning=binning, box_size=box, **self._tomo))]
        mask = outputOf(cycle.refineMask)
        if mask is None and (binning, box) == (1, self._box):
            mask = self.mask
        elif mask is None:
            jobs.append(self._maskJob(name, reference, binning))
            mask = Output(jobs[-1].key, 'solventMask')
        jobs.append(ChildJob(name, name, 'ProtStaRefine3D', dict(
            self._values(REFINE_PART), **self._values(RECONSTRUCT_PART), inputParticles=particles, referenceVolume=reference,
            solventMask=mask, do_solvent_fsc=True, ref_correct_greyscale=True, numberOfMpi=cycle.refineMpi.get(),
            numberOfThreads=cycle.refineThreads.get(), useGpu=cycle.refineGpu.get(),
            gpuList=cycle.refineGpuList.get(''), other_args=cycle.refineArgs.get(''))))
        return jobs

    def _values(self, part):
        return jobValues(self._cycle, part)
