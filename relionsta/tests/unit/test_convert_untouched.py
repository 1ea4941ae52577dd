"""Sets that are as they were read: their rows are copied from the file, and only theirs."""
import os

import pytest

from relionsta.convert import particles as particles_module
from relionsta.convert.bulk import number_of_items
from relionsta.convert.particles import write_star_of_set
from relionsta.convert.untouched import untouched_rows
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star, write_star
from relionsta.star.plain import LARGE

from .convert_particle_files import read, write_particles
from .convert_scene import make_coordinates, make_tomograms

#: Rows of a file that is copied and not read.
N = 1200
STAR = 'run_data.star'


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def reopened():
    """The set as the next protocol loads it from its file."""
    particles = SetOfStaParticles(filename=next(name for name in os.listdir('.') if name.endswith('.sqlite')))
    particles.loadAllProperties()
    return particles


def change(statement, *values):
    """Edit the set's file as another program does; the column of an attribute is written as {path}."""
    particles = reopened()
    database = particles._getMapper().db
    columns = {row['label_property']: row['column_name'] for row in database.getClassRows()}
    for path, column in columns.items():
        statement = statement.replace('{%s}' % path, column)
    database.connection.execute(statement, values)
    database.connection.commit()
    particles.close()


def slowly(particles, path, monkeypatch):
    """The same as write_star_of_set, row by row."""
    with monkeypatch.context() as patched:
        patched.setattr(particles_module, 'untouched_rows', lambda _: None)
        write_star_of_set(particles, path)
    with open(path, 'rb') as handle:
        return handle.read()


def check(particles, monkeypatch, is_untouched):
    """Both ways give the same bytes; says which way it went."""
    found = untouched_rows(particles)
    assert (found is not None) == is_untouched
    write_star_of_set(particles, 'next.star')
    with open('next.star', 'rb') as handle:
        assert handle.read() == slowly(particles, 'slow.star', monkeypatch)


@pytest.mark.parametrize('columns', [
    {}, {'rlnMicrographName': 'mic'}, {'rlnRandomSubset': 0}, {'rlnCtfImage': 'a/1_weights.mrc'}],
    ids=['plain', 'unwanted column', 'no half sets', 'pseudo-subtomos'])
def test_an_untouched_set_has_the_rows_of_its_file(columns, monkeypatch):
    """The short way must leave out, mend and keep just what the long way does."""
    write_particles(n=N, **columns)
    assert os.path.getsize(STAR) > LARGE
    read().close()
    check(reopened(), monkeypatch, is_untouched=True)


def test_columns_that_the_file_lacks(monkeypatch):
    """Half sets and classes of a file without them are none, and none are added."""
    write_particles(n=N)
    blocks = read_star(STAR)
    blocks['particles'] = blocks['particles'].drop(columns=['rlnRandomSubset', 'rlnClassNumber'])
    write_star(STAR, blocks)
    read().close()
    check(reopened(), monkeypatch, is_untouched=True)
    assert not {'rlnRandomSubset', 'rlnClassNumber'} & set(read_star('next.star')['particles'])


@pytest.mark.parametrize('statement, changed', [
    ('UPDATE Objects SET {_coordinate._x} = {_coordinate._x} + 1 WHERE id = 7', ('rlnOriginXAngst', 6)),
    ("UPDATE Objects SET {_transform._matrix} = '[[-1.0, 0.0, 0.0, 0.0], [0.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], "
     "[0.0, 0.0, 0.0, 1.0]]' WHERE id = 7", ('rlnAngleRot', 6)),
    ('UPDATE Objects SET {_classId} = 9 WHERE id = 7', ('rlnClassNumber', 6)),
    ('UPDATE Objects SET {_randomSubset} = 3 - {_randomSubset} WHERE id = 7', ('rlnRandomSubset', 6)),
    ('UPDATE Objects SET enabled = 0 WHERE id = 7', ('rlnTomoParticleName', 6)),
    ('DELETE FROM Objects WHERE id = 7', ('rlnTomoParticleName', 6)),
], ids=['position', 'orientation', 'class', 'half set', 'disabled', 'deleted'])
def test_every_change_of_the_set_goes_out(statement, changed, monkeypatch):
    """A particle that someone moved, turned or took out must never come back from the file."""
    before = write_particles(n=N)
    read().close()
    change(statement)
    particles = reopened()
    check(particles, monkeypatch, is_untouched=False)
    after = read_star('next.star')['particles']
    assert len(after) == number_of_items(particles, enabled_only=True)
    label, row = changed
    assert after[label].iloc[row] != before[label].iloc[row]


def test_two_particles_that_change_places(monkeypatch):
    """The same names and the same poses, given to each other: sums and sets would not tell."""
    write_particles(n=N)
    read().close()
    names = [particle.getParticleName() for particle in reopened().iterItems()][:2]
    for number, name in enumerate(reversed(names), start=1):
        change('UPDATE Objects SET {_particleName} = ? WHERE id = %d' % number, name)
    check(reopened(), monkeypatch, is_untouched=False)


def test_a_file_that_changed_afterwards(monkeypatch):
    """RELION, or a person, may write the file again: what the digest was made of is gone then."""
    write_particles(n=N)
    read().close()
    facts = os.stat(STAR)
    with open(STAR) as handle:
        text = handle.read()
    with open(STAR, 'w') as handle:
        handle.write(text.replace('x17 ', 'y17 '))
    assert os.path.getsize(STAR) == facts.st_size
    os.utime(STAR, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    check(reopened(), monkeypatch, is_untouched=False)
    assert read_star('next.star')['particles']['rlnOurOwnColumn'].iloc[17] == 'y17'


def test_coordinates_that_count_from_elsewhere(monkeypatch):
    """A set's positions mean others when its tomograms have another origin, or its coordinates another pixel size."""
    write_particles(n=N)
    particles = read(coordinates=make_coordinates(make_tomograms()))
    check(particles, monkeypatch, is_untouched=True)
    particles.setCoordinatesPixelSize(particles.getCoordinatesPixelSize() * 2)
    check(particles, monkeypatch, is_untouched=False)
    particles.setCoordinatesPixelSize(particles.getCoordinatesPixelSize() / 2)
    particles.setCoordinates3D(make_coordinates(make_tomograms(origins={'TS_01': (0.0, 0.0, 0.0)})))
    check(particles, monkeypatch, is_untouched=False)


def test_a_copy_with_other_particles_does_not_take_the_digest():
    """Scipion makes subsets with copyInfo: the digest is of one set's particles."""
    write_particles(n=N)
    particles = read()
    copy = SetOfStaParticles.create('.', prefix='copy')
    copy.copyInfo(particles)
    assert particles.getDigest() and not copy.getDigest()


def test_ids_in_another_order(monkeypatch):
    """The order of a set is that of its ids, which particles keep from job to job."""
    table = write_particles(n=N)
    names = table['rlnTomoParticleName'].tolist()
    particles = read(ids={name: number for number, name in enumerate(reversed(names), start=1)})
    check(particles, monkeypatch, is_untouched=False)
    assert read_star('next.star')['particles']['rlnTomoParticleName'].tolist() == names[::-1]


def test_some_particles_of_a_file(monkeypatch):
    """A set of some of the file's particles has their rows alone."""
    names = write_particles(n=N)['rlnTomoParticleName'].tolist()
    particles = read(names=set(names[::2]))
    check(particles, monkeypatch, is_untouched=False)
    assert read_star('next.star')['particles']['rlnTomoParticleName'].tolist() == names[::2]
