"""Our sets in the hands of Scipion's own protocols: subset, split, join, classes, selections made in viewers."""
import os

import mrcfile
import numpy as np
import pandas as pd
import pytest
from pwem import Domain
from pwem.protocols import ProtSplitSet, ProtSubSet, ProtUnionSet, ProtUserSubSet
from pwem.utils import loadSetFromDb
from pyworkflow.object import Pointer, PointerList
from tomo.objects import SetOfCoordinates3D, SetOfSubTomograms

from relionsta.convert.bulk import read_columns
from relionsta.convert.classes import read_classes
from relionsta.convert.errors import ConvertError
from relionsta.convert.particles import read_particles, write_star_of_set
from relionsta.convert.volumes import make_volume
from relionsta.objects import STACKS_2D, ClassSta3D, SetOfClassesSta3D, SetOfStaParticles, StaParticle
from relionsta.results.model import ClassResult, Model, Spectrum
from relionsta.star import read_star

from .convert_particle_files import write_particles
from .convert_scene import make_coordinates, make_tomograms

NAMES = ['TS_01/0', 'TS_02/1', 'TS_01/2', 'TS_02/3', 'TS_01/4', 'TS_02/5', 'TS_01/6', 'TS_02/7']


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(protocol_class, **inputs):
    """Run the one step of a Scipion set protocol outside of a project; only the project's book-keeping is left out."""
    class Standalone(protocol_class):
        def _defineOutputs(self, **outputs):
            self.made = {**getattr(self, 'made', {}), **outputs}

        def _defineTransformRelation(self, *pair):
            pass

        _defineSourceRelation = _defineTransformRelation

    protocol = Standalone()
    folder = 'run%d' % len([name for name in os.listdir('.') if name.startswith('run') and os.path.isdir(name)])
    os.makedirs(folder)
    protocol.setWorkingDir(folder)
    for name, value in inputs.items():
        parameter = getattr(protocol, name)
        if isinstance(parameter, PointerList):
            for one in value:
                parameter.append(one)
        else:
            parameter.set(value)
    getattr(protocol, 'createOutputStep' if hasattr(protocol, 'createOutputStep') else 'createSetStep')()
    for output in protocol.made.values():
        output.write()
    return protocol.made


def select_in_viewer(items, ids, output):
    """What the metadata viewer starts when a user marks rows and asks for a set of class `output`."""
    with open('selection.txt', 'w') as file:
        file.write(ids)
    items.setObjId(5)
    return run(ProtUserSubSet, inputObject=items, sqliteFile='selection.txt,', outputClassName=output)


def stored(items):
    """The set as another process reads it from its file."""
    items.close()
    again = loadSetFromDb(items.getFileName())
    again.loadAllProperties()
    again.setCoordinates3D(items.getCoordinates3D(asPointer=True))
    return again


@pytest.fixture
def particles():
    write_particles()
    tomograms = make_tomograms()
    result = SetOfStaParticles.create('.')
    read_particles('run_data.star', result, make_coordinates(tomograms), 'tomograms.star', 'motion.star')
    result.write()
    return result


def check_child(child, names):
    """A set made by Scipion is of our class, knows all that its parent knew, and RELION gets exactly its rows."""
    child = stored(child)
    assert type(child) is SetOfStaParticles and type(child.getFirstItem()) is StaParticle
    assert (child.getBoxSize(), child.getKind(), child.getParticleBinning()) == (32, STACKS_2D, 2.5)
    assert (child.getTomogramsStar(), child.getTrajectoriesStar()) == ('tomograms.star', 'motion.star')
    assert child.getTiltSeriesPixelSize() == 1.5 and child.getCoordinatesPixelSize() == 10.0
    assert child.getDim() == (32, 32, 1) and child.hasAlignment3D()
    assert child.getCoordinates3D().getPrecedents().getSize() == 2
    write_star_of_set(child, 'child.star')
    original = read_star('run_data.star')['particles'].set_index('rlnTomoParticleName', drop=False)
    written = read_star('child.star')['particles']
    pd.testing.assert_frame_equal(written, original.loc[names].reset_index(drop=True))


def test_scipion_finds_our_classes():
    """A class that Scipion does not find is read back as something else, without its attributes."""
    found = Domain.getObjects()
    for one in (StaParticle, SetOfStaParticles, ClassSta3D, SetOfClassesSta3D):
        assert found[one.__name__] is one


def test_subset_by_ids(particles):
    """Scipion's subset protocol."""
    made = run(ProtSubSet, inputFullSet=particles, selectIds=True, range='2-4,7')
    assert list(made) == ['outputStaParticles']
    check_child(made['outputStaParticles'], [NAMES[1], NAMES[2], NAMES[3], NAMES[6]])


def test_split_set(particles):
    """Scipion's split protocol."""
    made = run(ProtSplitSet, inputSet=particles, numberOfSets=2)
    one, two = made.values()
    check_child(one, NAMES[:4])
    check_child(two, NAMES[4:])


def test_selection_in_the_viewer(particles):
    """What a user marks in the metadata viewer: a text file of ids."""
    made = select_in_viewer(particles, '1 8', 'SetOfStaParticles')
    check_child(made['outputStaParticles'], [NAMES[0], NAMES[7]])


def test_join_of_two_subsets(particles):
    """Parts of one set joined again, with other ids or the same."""
    one = run(ProtSubSet, inputFullSet=particles, selectIds=True, range='1-3')['outputStaParticles']
    two = run(ProtSubSet, inputFullSet=particles, selectIds=True, range='3-5')['outputStaParticles']
    union = ProtUnionSet()
    for part in (one, two):
        union.inputSets.append(part)
    # 2D stacks differ in their number of images: Scipion must not compare dimensions.
    assert union._validate() == []
    made = run(ProtUnionSet, inputSets=[one, two], ignoreDuplicates=True)
    check_child(made['outputSet'], NAMES[:5])
    twice = run(ProtUnionSet, inputSets=[one, two])['outputSet']
    with pytest.raises(ConvertError, match='particle TS_01/2 is in the set twice'):
        write_star_of_set(twice, 'child.star')


def test_join_refuses_other_boxes(particles):
    """Particles of two boxes or pixel sizes in one set would go to RELION with one optics table."""
    other = SetOfStaParticles.create('.', prefix='other')
    read_particles('run_data.star', other)
    other.setBoxSize(64)
    union = ProtUnionSet()
    for part in (particles, other):
        union.inputSets.append(part)
    assert any('box sizes' in message for message in union._validate())


def test_join_of_two_sessions_keeps_both_files(particles):
    """Joined by Scipion, particles still know their own files, and RELION gets the rows of both."""
    before = read_star('run_data.star')['particles']
    after = write_particles('session2.star', names=['TS_03/%d' % row for row in range(8)], seed=11)
    other = SetOfStaParticles.create('.', prefix='other')
    read_particles('session2.star', other, particles.getCoordinates3D())
    other.write()
    joined = stored(run(ProtUnionSet, inputSets=[particles, other])['outputSet'])
    assert joined.getSize() == 16
    assert joined.getParticlesStars() == ['run_data.star', 'session2.star']
    write_star_of_set(joined, 'child.star')
    pd.testing.assert_frame_equal(read_star('child.star')['particles'], pd.concat([before, after], ignore_index=True))


def test_info_from_subtomograms_of_another_plugin():
    """copyInfo from a plain set must not fail on what that set does not have."""
    plain = SetOfSubTomograms(filename='plain.sqlite')
    plain.setSamplingRate(3.0)
    ours = SetOfStaParticles(filename='ours.sqlite')
    ours.copyInfo(plain)
    assert ours.getSamplingRate() == 3.0 and ours.getTomogramsStars() == [] and ours.getParticlesStars() == []


def a_model(classes, box=16):
    spectrum = Spectrum(np.arange(3.0), np.ones(3), np.zeros(3), np.ones(3))
    results = tuple(ClassResult(number, 'x.mrc', 1 / classes, 20.0 + number, True, 1.0, 2.0, 1.0, spectrum)
                    for number in range(1, classes + 1))
    return Model('run_it001_model.star', box, 3.75, 20.0, 0.5, 1.0, 3.0, 1.0, results)


def write_map(path, box=16):
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(np.zeros((box, box, box), dtype=np.float32))
    return path


@pytest.fixture
def classes(particles):
    result = SetOfClassesSta3D.create('.')
    read_classes(result, particles, a_model(4), [write_map('class%d.mrc' % number) for number in range(1, 5)])
    result.write()
    return result


def test_classes_hold_the_right_particles(particles, classes):
    """Class 4 is an empty set; the others have their particles under their ids; all have averages and RELION's figures."""
    classes.close()
    again = SetOfClassesSta3D(filename=classes.getFileName())
    again.loadAllProperties()
    again.setImages(particles)
    again.setCoordinates3D(particles.getCoordinates3D())
    found = {}
    for one in again.iterItems():
        assert type(one) is ClassSta3D and one.getBoxSize() == 32
        assert one.getRepresentative().getFileName() == 'class%d.mrc' % one.getObjId()
        assert '%.1f Å' % (20 + one.getObjId()) in one.getObjComment()
        result = a_model(4).classes[one.getObjId() - 1]
        assert one.getShare() == pytest.approx(result.distribution)
        assert one.getResolution() == pytest.approx(result.resolution)
        assert one.getAccuracyRotations() == result.accuracy_rotations
        assert one.getAccuracyTranslations() == result.accuracy_translations
        found[one.getObjId()] = list(read_columns(one, ['_particleName'])['_particleName'])
        assert all(item.getClassId() == one.getObjId() for item in one.iterItems())
        assert [item.getCoordinate3D().getVolume().getTsId() for item in one.iterSubtomos()] == [
            name[:5] for name in found[one.getObjId()]]
        assert one.getSize() == len(found[one.getObjId()])
    assert found == {1: [NAMES[0], NAMES[3], NAMES[6]], 2: [NAMES[1], NAMES[4], NAMES[7]], 3: [NAMES[2], NAMES[5]], 4: []}


def test_particles_of_chosen_classes(particles, classes):
    """Select classes in the viewer, get their particles."""
    made = select_in_viewer(classes, '1 3', 'SetOfParticles')
    child = made['outputStaParticles']
    assert sorted(read_columns(child, ['_particleName'])['_particleName']) == sorted(
        [NAMES[0], NAMES[3], NAMES[6], NAMES[2], NAMES[5]])
    check_child(child, [NAMES[row] for row in (0, 2, 3, 5, 6)])


def test_averages_of_chosen_classes(classes):
    """Select classes in the viewer, get their averages."""
    made = select_in_viewer(classes, '2', 'SetOfVolumes')
    averages = [average.clone() for average in made['outputRepresentatives'].iterItems()]
    assert [average.getFileName() for average in averages] == ['class2.mrc']
    assert averages[0].getSamplingRate() == 3.75 and averages[0].getDim() == (16, 16, 16)


def test_class_without_a_map(particles):
    """A map of another run in place of a class average would go unnoticed."""
    maps = [write_map('class%d.mrc' % number) for number in (1, 2)]
    with pytest.raises(ConvertError, match='class 3, and there are maps of classes 1 to 2'):
        read_classes(SetOfClassesSta3D.create('.'), particles, a_model(2), maps)


def test_volumes():
    """A half map alone, a missing or a wrongly sized map must stop the run and not the next one."""
    paths = [write_map(name) for name in ('map.mrc', 'half1.mrc', 'half2.mrc')]
    volume = make_volume(paths[0], 3.0, paths[1:], box=16)
    assert volume.getSamplingRate() == 3.0 and volume.getHalfMaps() == 'half1.mrc,half2.mrc'
    for arguments, message in ((('no.mrc', 3.0), 'no.mrc is not there'), ((paths[0], 0), 'must be above 0'),
                               ((paths[0], 3.0, paths[1:2]), '1 half map'),
                               ((paths[0], 3.0, (paths[1], write_map('other.mrc', 24))),
                                'half map other.mrc has 24 x 24 x 24'),
                               ((paths[0], 3.0, (), 32), '16 x 16 x 16 voxels, and 32 x 32 x 32')):
        with pytest.raises(ConvertError, match=message):
            make_volume(*arguments)
    with open('text.mrc', 'w') as file:
        file.write('no map')
    with pytest.raises(ConvertError, match='not a readable MRC map'):
        make_volume('text.mrc', 3.0)


def test_sets_have_pointers_of_their_own():
    """One pointer in two outputs, or in an input and an output, has two places in the project: Scipion then ends the run
    with an error, after its last step, and without its time."""
    given = Pointer(SetOfCoordinates3D(filename=':memory:'))
    given.setObjId(7)
    for made in (SetOfStaParticles(filename=':memory:'), SetOfClassesSta3D(filename=':memory:')):
        made.setCoordinates3D(given)
        assert made._coordsPointer is not given
        assert made._coordsPointer.getObjId() is None
        assert made._coordsPointer.getObjValue() is given.getObjValue()
    particles = SetOfStaParticles(filename=':memory:')
    particles.setTiltSeries(given)
    particles.setCtfs(given)
    assert [particles.getTiltSeries(asPointer=True).getObjId(), particles.getCtfs(asPointer=True).getObjId()] == [None, None]
