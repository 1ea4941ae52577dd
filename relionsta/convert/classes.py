"""A 3D classification of RELION -> SetOfClassesSta3D, and the particles of chosen classes out of it again."""
from typing import Dict, Iterator, Optional, Sequence

import numpy as np
import pandas as pd
from pyworkflow.object import Pointer
from tomo.objects import AverageSubTomogram

from relionsta.objects import ClassSta3D, SetOfClassesSta3D, SetOfStaParticles
from relionsta.results.model import Model

from .bulk import copy_items, make_tables, read_columns
from .errors import ConvertError
from .particles import read_particles
from .volumes import make_volume


def read_classes(classes: SetOfClassesSta3D, images: SetOfStaParticles, model: Model, maps: Sequence[str],
                 pointer: Optional[Pointer] = None) -> None:
    """Fill an empty set of classes with the particles of a classification.

    images: the classified particles, stored; pointer: to them as an output, as Scipion wants it. model: the model.star of
    the iteration. maps: the class averages, class 1 first. Classes keep their number as object id, and have what the model
    says of them in their attributes and, in words, in their comment; one without particles is an empty set. The caller
    writes the set. Raises ConvertError where a particle has no class, or one without a map.
    """
    classes.setImages(images if pointer is None else pointer)
    classes.setCoordinates3D(images.getCoordinates3D(asPointer=True))
    numbers = read_columns(images, ['_classId'])['_classId']
    for number in np.unique(numbers):
        if not (1 <= number <= min(len(maps), len(model.classes))):
            raise ConvertError('%s: %d particles are in class %s, and there are maps of classes 1 to %d (%s)'
                               % (images, np.count_nonzero(~(numbers != number)), number, len(maps), model.path))
    for result, path in zip(model.classes, maps):
        one = ClassSta3D()
        one.copyInfo(images)
        one.setObjId(result.number)
        average = make_volume(path, model.pixel_size, box=model.box_size, kind=AverageSubTomogram)
        average.setClassId(result.number)
        one.setRepresentative(average)
        one.setQuality(result.distribution, result.resolution, result.accuracy_rotations, result.accuracy_translations)
        one.setObjComment(result.describe())
        classes.append(one)
        if (numbers == result.number).any():
            copy_items(images, one, numbers == result.number)
        else:
            make_tables(one, images.getFirstItem())
        classes.update(one)


def class_members(classes: SetOfClassesSta3D) -> pd.DataFrame:
    """The enabled particles of the enabled classes: their class (`number`), `name`, `star` (the particles STAR that they
    are in), and object id as index, ascending."""
    tables = []
    for one in _enabled(classes):
        columns = read_columns(one, ['_particleName', '_particlesStar'], enabled_only=True)
        tables.append(pd.DataFrame({'number': one.getObjId(), 'name': columns['_particleName'],
                                    'star': columns['_particlesStar']}, index=columns['id']))
    return pd.concat(tables).sort_index() if tables else pd.DataFrame(columns=['number', 'name', 'star'])


def class_sizes(particles: SetOfStaParticles) -> Dict[int, int]:
    """Class number -> number of particles, as the particles themselves say."""
    numbers, counts = np.unique(read_columns(particles, ['_classId'])['_classId'], return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist()))


def copy_members(classes: SetOfClassesSta3D, target: SetOfStaParticles, ids: np.ndarray) -> None:
    """Fill an empty set with the particles of these object ids, as the classes have them. The caller writes it."""
    for one in _enabled(classes):
        chosen = np.isin(read_columns(one, [])['id'], ids)
        if target.isEmpty():
            target.copyInfo(one)
        if chosen.any():
            copy_items(one, target, chosen)


def read_members(classes: SetOfClassesSta3D, target: SetOfStaParticles, path: str, members: pd.DataFrame) -> None:
    """Fill an empty set with these members (rows of class_members) as another iteration has them.

    path: the particles STAR of that iteration. They keep their object ids. The caller writes the set.
    """
    one = next(_enabled(classes))
    read_particles(path, target, one.getCoordinates3D(asPointer=True), one.getTomogramsStar(), one.getTrajectoriesStar(),
                   ids=dict(zip(members['name'], members.index)), names=set(members['name']))


def _enabled(classes: SetOfClassesSta3D) -> Iterator[ClassSta3D]:
    """The classes with particles that were not disabled in Scipion. One object, changed from class to class."""
    return (one for one in classes.iterItems() if one.isEnabled() and one.getSize())
