"""The outputs of a job that sorts particles into classes."""
from pwem.objects import SetOfVolumes
from pyworkflow.object import Pointer

from ..convert.classes import read_classes
from ..convert.volumes import make_volume
from ..jobs import files
from ..objects import SetOfClassesSta3D, SetOfStaParticles
from ..results.model import read_model

#: Classes that a summary tells one by one.
TOLD = 3
CLASS_OUTPUTS = {'outputClasses': SetOfClassesSta3D, 'outputAverages': SetOfVolumes,
                 'outputParticles': SetOfStaParticles}


def makeAverages(protocol, model, maps):
    """The class averages of a run as a set of volumes, written. maps: their files, class 1 first."""
    averages = SetOfVolumes.create(protocol._getPath())
    averages.setSamplingRate(model.pixel_size)
    for one, path in zip(model.classes, maps):
        volume = make_volume(path, model.pixel_size, box=model.box_size)
        volume.setObjComment('Class %d: %s' % (one.number, one.describe()))
        averages.append(volume)
    averages.write()
    return averages


class ClassOutputsMixin:
    """For a protocol with IterativeMixin whose iterations have class averages."""

    def getModel(self):
        """The model.star of the output iteration, read."""
        return read_model(self._getJobPath(self._getNames()['model']))

    def _makeOutputs(self):
        model = self.getModel()
        names = self._getNames(len(model.classes))
        maps = [self._getJobPath(names[role]) for role in files.class_roles(len(model.classes))]
        averages = makeAverages(self, model, maps)
        particles = self._readParticles(self._getJobPath(names['data']))
        self._defineOutputs(outputParticles=particles, outputAverages=averages)
        classes = SetOfClassesSta3D.create(self._getPath())
        read_classes(classes, particles, model, maps, Pointer(self, extended='outputParticles'))
        classes.write()
        self._defineOutputs(outputClasses=classes)
        self._relateToInputs(particles, averages, classes)

    def _classLines(self, model):
        """Lines of the summary: the classes, as far as there is room."""
        lines = ['Class %d: %s.' % (one.number, one.describe()) for one in model.classes[:TOLD]]
        if len(model.classes) > TOLD:
            lines[-1] += ' And %d more classes.' % (len(model.classes) - TOLD)
        return lines
