"""Half of a set of particles, in every way in which users of Scipion drop particles: for tests of any protocol.

Each way runs Scipion's own protocols in the project of the case and gives a pointer to the set that they make.
"""
from pathlib import Path

from pyworkflow.object import Pointer

from relionsta.convert.bulk import read_columns
from relionsta.tests.protocols.scene import SETTINGS, scratch

WAYS = ('by hand', 'by class', 'by a random split', 'by a join')


def half_set(case, way, particles, classes=None):
    """A pointer to a part of `particles` (a pointer) made in one of WAYS; classes: pointer to a classification of them,
    for 'by class' (default: one is run)."""
    if way == 'by hand':
        ids = read_columns(particles.get(), [])['id']
        return by_hand(case, particles, ids[1::2])
    if way == 'by class':
        return by_class(case, classes or two_classes(case, particles))
    if way == 'by a random split':
        return by_split(case, particles)[0]
    quarters = by_split(case, particles, number=4)
    return by_join(case, quarters[0], quarters[2])


def by_hand(case, items, ids, output='SetOfStaParticles'):
    """The items with these ids, as marked in the metadata viewer, which then starts ProtUserSubSet."""
    marked = Path(str(scratch())) / ('marked %d.txt' % len(list(scratch().glob('marked *.txt'))))
    marked.write_text(' '.join(map(str, ids)))
    return _first(case, case.new('ProtUserSubSet', inputObject=items, sqliteFile='%s,' % marked, outputClassName=output))


def by_class(case, classes):
    """The particles of the largest class, chosen in the viewer."""
    _size, largest = max((one.getSize(), one.getObjId()) for one in classes.get().iterItems())
    return by_hand(case, classes, [largest], output='SetOfParticles')


def by_split(case, particles, number=2):
    """Random parts of equal size (ProtSplitSet)."""
    protocol = case.road.launch(case.new('ProtSplitSet', inputSet=particles, numberOfSets=number, randomize=True))
    return [case.output(protocol, name) for name, _ in protocol.iterOutputAttributes()]


def by_join(case, *parts, **values):
    """Sets put together by Scipion itself (ProtUnionSet)."""
    protocol = case.new('ProtUnionSet', **values)
    add_inputs(protocol, parts)
    return _first(case, protocol)


def add_inputs(protocol, parts):
    """Choose several sets in the form of a protocol; parts: pointers to outputs."""
    for part in parts:
        protocol.inputSets.append(Pointer(part.getObjValue(), extended=part.getExtended()))


def two_classes(case, particles):
    """A quick classification of particles into two classes; a pointer to it."""
    protocol = case.run_new('ProtStaClass3D', inputParticles=particles, nr_classes=2, nr_iter=1, dont_skip_align=False,
                            referenceVolume=case.output('reconstruct', 'average'), particle_diameter=SETTINGS.diameter,
                            ref_correct_greyscale=True, ini_high=40.0, other_args='--random_seed 1')
    return case.output(protocol, 'outputClasses')


def names_of(particles):
    """The names of the particles of a set (or of what a pointer names), in its order."""
    items = particles.get() if isinstance(particles, Pointer) else particles
    return list(read_columns(items, ['_particleName'])['_particleName'])


def _first(case, protocol):
    case.road.launch(protocol)
    name, _ = next(protocol.iterOutputAttributes())
    return case.output(protocol, name)
