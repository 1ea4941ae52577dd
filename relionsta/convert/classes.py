"""A 3D classification of RELION -> SetOfClassesSta3D."""
from typing import Any, Sequence

import numpy as np
from pyworkflow.object import Pointer
from tomo.objects import AverageSubTomogram

from relionsta.objects import ClassSta3D, SetOfClassesSta3D
from relionsta.results.model import Model

from .bulk import copy_items, read_columns
from .errors import ConvertError
from .volumes import make_volume


def read_classes(classes: SetOfClassesSta3D, particles: Any, model: Model, maps: Sequence[str]) -> None:
    """Fill an empty set of classes with the particles of a classification.

    particles: the classified SetOfStaParticles, stored, or a pointer to it. model: the model.star of the iteration.
    maps: the class averages, class 1 first. A class without particles is left out; the others keep their number as
    object id, and say in their comment what the model says of them. The caller writes the set. Raises ConvertError
    where a particle has no class, or one without a map.
    """
    classes.setImages(particles)
    images = particles.get() if isinstance(particles, Pointer) else particles
    classes.setCoordinates3D(images.getCoordinates3D(asPointer=True))
    numbers = read_columns(images, ['_classId'])['_classId']
    for number in np.unique(numbers):
        if not (1 <= number <= min(len(maps), len(model.classes))):
            raise ConvertError('%s: %d particles are in class %s, and there are maps of classes 1 to %d (%s)'
                               % (images, np.count_nonzero(~(numbers != number)), number, len(maps), model.path))
        one = ClassSta3D()
        one.copyInfo(images)
        one.setObjId(int(number))
        average = make_volume(maps[int(number) - 1], model.pixel_size, box=model.box_size, kind=AverageSubTomogram)
        average.setClassId(int(number))
        one.setRepresentative(average)
        one.setObjComment(model.classes[int(number) - 1].describe())
        classes.append(one)
        copy_items(images, one, numbers == number)
        classes.update(one)
