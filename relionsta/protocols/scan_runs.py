"""The runs of a parameter scan: one per combination, and those that measure what each has made."""
from pwem.objects import Volume

from ..jobs import files
from ..jobs.scan import describe, show
from ..results.postprocess import CORRECTED, read_postprocess
from ..results.ranking import Candidate, model_measures
from . import maps
from .children import ChildJob, Output, outputOf
from .class3d import ProtStaClass3D
from .class_outputs import CLASS_OUTPUTS
from .ctf_refine import ProtStaCtfRefine
from .initial_model import ProtStaInitialModel
from .mask import ProtStaMask
from .polish import ProtStaPolish
from .postprocess import ProtStaPostProcess
from .reconstruct import AVERAGE, ProtStaReconstruct
from .refine3d import ProtStaRefine3D
from .refine_series import PARTICLES, ProtStaSeriesRefineBase

#: What can be scanned.
SCANNED = (ProtStaClass3D, ProtStaRefine3D, ProtStaCtfRefine, ProtStaPolish, ProtStaInitialModel, ProtStaReconstruct,
           ProtStaMask, ProtStaPostProcess)
#: Of these, what post-processing under a common mask can follow.
FOLLOWED = (ProtStaClass3D, ProtStaRefine3D, ProtStaCtfRefine, ProtStaPolish, ProtStaReconstruct)
RECONSTRUCT, MEASURE = 'average', 'resolution'


def scanJobs(template, combinations):
    """Key -> ChildJob of each combination: the run that is scanned, with these values."""
    name = template.getRunName()
    return {describe(values): ChildJob(describe(values), '%s: %s' % (name, describe(values)), template.getClassName(),
                                       values, template.getObjId()) for values in combinations}


def mapGrid(template):
    """(box in pixels, Å per pixel) of the maps that follow from a run like `template`."""
    if isinstance(template, ProtStaSeriesRefineBase):
        reference = template.referenceVolume.get()
        return maps.boxSize(reference), reference.getSamplingRate()
    particles = template._particlesPointer().get()
    if isinstance(template, ProtStaReconstruct):
        return template.getBox(), particles.getTiltSeriesPixelSize() * template.getBinning()
    return particles.getBoxSize(), particles.getSamplingRate()


def followJobs(job, run, mask):
    """The ChildJobs that measure the result of a finished `run` of `job` under a mask (an Output)."""
    jobs = []
    if isinstance(run, ProtStaRefine3D):
        volume = Output(job.key, 'refinedVolume')
    elif isinstance(run, ProtStaReconstruct):
        volume = Output(job.key, AVERAGE)
    else:
        jobs = _averageJobs(job, run)
        volume = Output(jobs[-1].key, AVERAGE)
    return jobs + [ChildJob(_key(job, MEASURE), 'Post-processing of %s' % job.label, 'ProtStaPostProcess', dict(
        inputVolume=volume, solventMask=mask, do_auto_bfac=False, do_adhoc_bfac=False))]


def _averageJobs(job, run):
    """The average of the particles of a run; of several classes, those of the largest."""
    jobs, particles = [], Output(job.key, PARTICLES)
    values = dict(numberOfThreads=run.numberOfThreads.get())
    template = None
    if isinstance(run, ProtStaSeriesRefineBase):
        box, _ = mapGrid(run)
        maker = outputOf(run.referenceVolume).run
        if isinstance(run.referenceVolume.getObjValue(), ProtStaReconstruct):
            template = maker  # with its symmetry and SNR
        values.update(binning=1.0, box_size=box)
    else:
        values['sym_name'] = run.sym_name.get()
        classes = run.getModel().classes
        if len(classes) > 1:
            largest = max(classes, key=lambda one: one.distribution).number
            jobs.append(ChildJob('%s, largest class' % job.key, 'Class %d of %s' % (largest, job.label),
                                 'ProtStaSelectClasses', dict(inputClasses=Output(job.key, next(iter(CLASS_OUTPUTS))),
                                                              classNumbers=str(largest))))
            particles = Output(jobs[0].key, PARTICLES)
    jobs.append(ChildJob(_key(job, RECONSTRUCT), 'Average of %s' % job.label, 'ProtStaReconstruct',
                         dict(values, inputParticles=particles), template))
    return jobs


def _key(job, what):
    return '%s, %s' % (job.key, what)


def candidate(values, state, run, measured, followed):
    """What is known of one combination. state: ChildState of its run; run: that, loaded; measured: the finished
    post-processing that followed, or None; followed: {key: ChildState} of all that followed."""
    settings = {name: show(value) for name, value in values.items()}
    status, reason, measures = state.status, state.error, {}
    if state.isFinished and run is not None:
        try:
            measures = _measures(run)
            if measured is not None:
                measures.update(_postprocessMeasures(measured))
        except (ValueError, OSError) as error:
            reason = 'its results cannot be read: %s' % error
        broken = [one for one in followed.values() if not one.isFinished]
        if broken:
            reason = '%s: %s' % (broken[0].label, broken[0].error)
    return Candidate(settings, state.id, status, _short(reason), state.seconds, measures)


def _measures(run):
    if isinstance(run, ProtStaPostProcess):
        return _postprocessMeasures(run)
    return model_measures(run.getModel()) if hasattr(run, 'getModel') else {}


def _postprocessMeasures(run):
    found = read_postprocess(run._getJobPath(files.POSTPROCESS_FILES['star']))
    return {'postprocess_A': found.resolution, 'postprocess_fsc': float(found.fsc[CORRECTED][1:].mean())}


def _short(reason):
    """The first line that says something; the whole is with the run."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    return lines[0] if lines else ''


def mapOf(run):
    """Path of the map of a run: its result, or the average of its largest class; None where there is none (any more)."""
    if run is None:
        return None
    if hasattr(run, 'outputAverages'):
        largest = max(run.getModel().classes, key=lambda one: one.distribution).number
        return run.outputAverages[largest].getFileName()
    volume = next((getattr(run, name) for name in ('refinedVolume', AVERAGE, 'sharpenedVolume', 'solventMask')
                   if isinstance(getattr(run, name, None), Volume)), None)
    return None if volume is None else maps.mapFile(volume)
