"""The maps, classes, mask and FSC curves that an import from RELION makes."""
from dataclasses import replace

from pwem.objects import VolumeMask
from pyworkflow.object import Pointer

from ..convert.classes import read_classes
from ..convert.errors import ConvertError
from ..convert.relion_import import as_seen
from ..convert.volumes import make_volume
from ..jobs.files import REFINE3D
from ..objects import SetOfClassesSta3D
from ..results.maps import MapError, pixel_size, write_mean
from ..results.model import read_model
from ..results.postprocess import read_postprocess
from ..sources.relion_folder import has_true_header
from ..star import StarError
from .class_outputs import makeAverages
from .fscs import addFscSet

MAP, MASK, FSCS, CLASSES, AVERAGES = 'outputVolume', 'outputMask', 'fscs', 'outputClasses', 'outputAverages'
HALVES = ('half1', 'half2')


class ImportMapsMixin:
    """For ProtStaImportRelion: what RELION made or was given beside the sets."""

    def _mapsOf(self, job):
        """True where there is a map, mask, FSC or class average to import."""
        there = set(job.maps)
        return self.importMaps.get() and bool(
            there & {'map', 'mask', 'postprocess'} or there.issuperset(HALVES)
            or ('model' in there and (job.classes or job.type == REFINE3D)))

    def _makeMaps(self, job, prefix, reasons):
        """Make the outputs; returns lines for the summary, and adds to the reasons for what is left out.

        prefix: RELION's project as this project sees it.
        """
        lines = []
        if not self._mapsOf(job):
            return lines
        job = replace(job, maps={role: as_seen(job, path, prefix) for role, path in job.maps.items()},
                      classes=tuple(as_seen(job, path, prefix) for path in job.classes))
        for make in (self._makeVolume, self._makeMask, self._makeFscs, self._makeClasses):
            try:
                lines += make(job)
            except (ConvertError, MapError, StarError) as error:
                reasons.append('Left out: %s.' % str(error).rstrip('.'))
        return lines

    def _makeVolume(self, job):
        halves = [job.maps[half] for half in HALVES if half in job.maps]
        if 'map' not in job.maps and len(halves) < 2:
            return []
        path = job.maps['map'] if 'map' in job.maps else self._mean(halves)
        pixel = pixel_size(path)
        halves = halves if len(halves) == 2 else []
        made = halves + [job.maps['map']] if 'map' in job.maps else halves
        volume = make_volume(path, pixel, halves, in_header=False, statistics=all(map(has_true_header, made)))
        self._defineOutputs(**{MAP: volume})
        return ['Map %s, %d voxels of %.4g Å%s%s.' % (
            path.rsplit('/', 1)[-1], volume.getDim()[0], pixel, ', with half maps' if halves else '',
            '' if 'map' in job.maps else ': the mean of the half maps, since the run has not ended')]

    def _mean(self, halves):
        """An iteration of an auto-refine has half maps only."""
        path = self._getExtraPath('mean_of_halves.mrc')
        write_mean(path, halves)
        return path

    def _makeMask(self, job):
        if 'mask' not in job.maps:
            return []
        path = job.maps['mask']
        mask = make_volume(path, pixel_size(path), kind=VolumeMask, statistics=has_true_header(path))
        self._defineOutputs(**{MASK: mask})
        return ['Mask %s.' % path.rsplit('/', 1)[-1]]

    def _makeFscs(self, job):
        if 'postprocess' in job.maps:
            result = read_postprocess(job.maps['postprocess'])
            curves, resolution = result.fsc_curves(), result.resolution
        elif 'model' in job.maps and job.type == REFINE3D:
            model = read_model(job.maps['model'])
            if not model.classes[0].spectrum.has_fsc:
                return []
            curves, resolution = {'Gold-standard FSC': model.fsc(1)}, model.resolution
        else:
            return []
        self._defineOutputs(**{FSCS: addFscSet(self, curves)})
        return ['FSC; resolution %s.' % ('not known' if resolution is None else '%.2f Å' % resolution)]

    def _makeClasses(self, job):
        """The classes of a classification: averages, and the particles in them where those were imported."""
        if not job.classes or 'model' not in job.maps:
            return []
        model = read_model(job.maps['model'])
        averages = makeAverages(self, model, job.classes)
        self._defineOutputs(**{AVERAGES: averages})
        if not hasattr(self, 'outputParticles'):
            return ['%d class averages.' % averages.getSize()]
        classes = SetOfClassesSta3D.create(self._getPath())
        read_classes(classes, self.outputParticles, model, job.classes, Pointer(self, extended='outputParticles'))
        classes.write()
        self._defineOutputs(**{CLASSES: classes})
        self._defineSourceRelation(self.outputParticles, classes)
        return ['%d classes.' % classes.getSize()]
