"""The road of the main job: which protocol takes what from which, with what settings."""
from typing import Any, Callable, Dict, NamedTuple

from pyworkflow.object import Pointer

from ..convert.classes import class_sizes

Outputs = Dict[str, Any]  # job -> finished protocol


class Step(NamedTuple):
    """One node of the project: its job, the name it carries, its protocol class and the parameters it gets.

    rung: its name in the ladder of resolutions, for a step that is a rung of it.
    """

    job: str
    label: str
    protocol: str
    parameters: Callable[[Outputs, Any], Dict[str, Any]]
    rung: str = ''


def make_road(scene: str, binning: str = '2'):
    """The steps for the simulated data set in folder `scene` (as an AreTomo3 user would have it); they take the settings of
    simulate.presets. binning: what these come to, for the names of the steps."""
    def import_aretomo3(_done, _settings):
        return dict(filesPath=scene + '/aretomo3')

    def import_picks(done, _settings):
        return dict(filesPath=scene + '/picks/all_particles.star',
                    inputTomograms=output(done, 'import_aretomo3', 'tomograms'))

    def extract(done, settings):
        return dict(inputCoordinates=output(done, 'import_picks', 'outputCoordinates'),
                    inputTiltSeries=output(done, 'import_aretomo3', 'tiltSeries'),
                    inputCtfs=output(done, 'import_aretomo3', 'ctfs'),
                    box_size_angst=settings.box_angst, binned_size_pix=settings.box, numberOfThreads=2)

    def reconstruct(done, _settings):
        return dict(inputParticles=output(done, 'extract', 'outputParticles'), numberOfThreads=2)

    def class3d(done, settings):
        return dict(inputParticles=output(done, 'extract', 'outputParticles'),
                    referenceVolume=output(done, 'reconstruct', 'average'),
                    particle_diameter=settings.diameter, numberOfThreads=2, **settings.class3d)

    def classify(done, settings):
        return dict(inputParticles=output(done, 'class3d', 'outputParticles'),
                    referenceVolume=_average(done['class3d'], 1),
                    particle_diameter=settings.diameter, numberOfThreads=2, **settings.classify)

    def select(done, settings):
        return dict(inputClasses=output(done, 'classify', 'outputClasses'), **settings.select)

    def mask(done, settings):
        return dict(inputVolume=_best_average(done['select']), numberOfThreads=2, **settings.mask)

    def refine3d(done, settings):
        return dict(inputParticles=output(done, 'select', 'outputParticles'),
                    referenceVolume=_best_average(done['select']), solventMask=output(done, 'mask', 'solventMask'),
                    particle_diameter=settings.diameter, numberOfMpi=3, **settings.refine3d)

    def postprocess(done, settings):
        return dict(inputVolume=output(done, 'refine3d', 'refinedVolume'),
                    solventMask=output(done, 'mask', 'solventMask'),
                    **settings.postprocess)

    return [
        Step('import_aretomo3', 'Import AreTomo3 results', 'ProtStaImportAreTomo3', import_aretomo3),
        Step('import_picks', 'Import picks', 'ProtStaImportPicks', import_picks),
        Step('extract', 'Extract subtomos, bin ' + binning, 'ProtStaExtract', extract),
        Step('reconstruct', 'Reconstruct particle', 'ProtStaReconstruct', reconstruct),
        Step('class3d', '3D classification, K = 1, local', 'ProtStaClass3D', class3d),
        Step('classify', '3D classification, no alignment', 'ProtStaClass3D', classify),
        Step('select', 'Subset selection', 'ProtStaSelectClasses', select),
        Step('mask', 'Mask creation', 'ProtStaMask', mask),
        Step('refine3d', '3D auto-refine', 'ProtStaRefine3D', refine3d),
        Step('postprocess', 'Post-processing', 'ProtStaPostProcess', postprocess,
             rung='3D auto-refine'),
    ]


def output(done, job, name):
    """A pointer to an output, as choosing it in the form makes one: it stays right if the job is run again."""
    return Pointer(done[job], extended=name)


def _average(protocol, number):
    """A pointer to the average of a class."""
    return Pointer(protocol, extended='outputAverages.%d' % number)


def _best_average(select):
    """A pointer to the average of the largest class that was kept."""
    sizes = class_sizes(select.outputParticles)
    return _average(select, max(sizes, key=sizes.get))
