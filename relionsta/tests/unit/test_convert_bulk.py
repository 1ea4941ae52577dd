"""Sets written in bulk are what Scipion itself would have written."""
import sqlite3
import time

import numpy as np
import pytest
from pwem.objects import Transform
from tomo.objects import Coordinate3D, SetOfCoordinates3D

from relionsta.convert.bulk import first_values, read_columns, write_items
from relionsta.convert.errors import ConvertError
from relionsta.objects import STACKS_2D, SetOfStaParticles, StaParticle

from .convert_scene import random_rotations

N = 5


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def new_particles(name):
    particles = SetOfStaParticles(filename=name)
    particles.setSamplingRate(6.0)
    particles.setBoxSize(32)
    particles.setKind(STACKS_2D)
    particles.setTomogramsStar('Runs/1/tomograms.star')
    return particles


def new_particle():
    particle = StaParticle()
    particle.setTransform(Transform())
    particle.setCoordinate3D(Coordinate3D())
    return particle


def some_columns(n=N):
    matrices = np.tile(np.eye(4), (n, 1, 1))
    matrices[:, :3, :3] = random_rotations(n)
    matrices[:, :3, 3] = np.arange(3 * n).reshape(n, 3) / 7
    names = np.array(['007', 'None', "it's", 'TS_01/0010', 'ü x'] * (n // 5 + 1), dtype=object)[:n]
    return {'_particleName': names, '_classId': np.arange(n, dtype=np.int32), '_randomSubset': np.arange(n) % 2 + 1,
            '_coordinate._x': np.linspace(-1, 1, n) / 3, '_coordinate._score': np.float32(0.1) * np.arange(n),
            '_coordinate._tomoId': ['TS_01'] * n, '_transform._matrix': matrices,
            '_filename': [None if row == 1 else 'img%d.mrcs' % row for row in range(n)]}


def append_one_by_one(particles, columns, enabled):
    for row in range(N):
        particle = new_particle()
        particle.setParticleName(columns['_particleName'][row])
        particle.setClassId(columns['_classId'][row])
        particle.setRandomSubset(columns['_randomSubset'][row])
        particle.getCoordinate3D()._x.set(columns['_coordinate._x'][row])
        particle.getCoordinate3D().setScore(columns['_coordinate._score'][row])
        particle.getCoordinate3D().setTomoId(columns['_coordinate._tomoId'][row])
        particle.getTransform().setMatrix(columns['_transform._matrix'][row])
        particle.setFileName(columns['_filename'][row])
        particle.setEnabled(enabled[row])
        particles.append(particle)


def content(path):
    with sqlite3.connect(path) as database:
        tables = [row[0] for row in database.execute('SELECT name FROM sqlite_master ORDER BY name')]
        schema = database.execute('SELECT name, sql FROM sqlite_master ORDER BY name').fetchall()
        rows = {table: database.execute('SELECT * FROM ' + table).fetchall() for table in ('Classes', 'Properties')}
        rows['Properties'] = [row for row in rows['Properties'] if row[0] != '_mapperPath']
        names = [column[1] for column in database.execute('PRAGMA table_info(Objects)') if column[1] != 'creation']
        rows['Objects'] = database.execute('SELECT %s FROM Objects' % ', '.join(names)).fetchall()
        kinds = database.execute('SELECT %s FROM Objects' % ', '.join('typeof(%s)' % name for name in names)).fetchall()
        stamps = database.execute('SELECT creation FROM Objects WHERE creation IS NULL').fetchall()
    return tables, schema, rows, kinds, stamps


def test_bulk_equals_append():
    """A set that differs from Scipion's own in any table, column, type or property would break in some viewer."""
    columns, enabled = some_columns(), [True, True, False, True, True]
    one = new_particles('one.sqlite')
    append_one_by_one(one, columns, enabled)
    bulk = new_particles('bulk.sqlite')
    write_items(bulk, new_particle(), columns, enabled=enabled)
    for particles in (one, bulk):
        particles.write()
    assert bulk.getSize() == one.getSize() == N
    assert content('bulk.sqlite') == content('one.sqlite')
    assert content('bulk.sqlite')[4] == []


def test_append_goes_on_after_bulk():
    """Ids of later items must not collide with those written in bulk, in one session and after reopening."""
    particles = new_particles('set.sqlite')
    write_items(particles, new_particle(), some_columns(), ids=[3, 4, 10, 11, 12])
    particles.append(new_particle())
    write_items(particles, new_particle(), some_columns(2))
    particles.write()
    particles.close()
    again = SetOfStaParticles(filename='set.sqlite')
    again.loadAllProperties()
    write_items(again, new_particle(), some_columns(2))
    again.write()
    assert list(read_columns(again, [])['id']) == [3, 4, 10, 11, 12, 13, 14, 15, 16, 17]
    assert again.getSize() == 10 and again.getBoxSize() == 32 and again.is2D()


def test_read_gives_what_was_written():
    """Values must survive bit by bit: poses are compared to find out what the user changed."""
    columns = some_columns()
    particles = new_particles('set.sqlite')
    write_items(particles, new_particle(), columns, enabled=[True, False, True, True, True])
    particles.write()
    particles.close()
    particles = SetOfStaParticles(filename='set.sqlite')
    read = read_columns(particles, list(columns), optional=['_classId', '_notThere'])
    for path, values in columns.items():
        np.testing.assert_array_equal(read[path], values)
    assert list(read['enabled']) == [True, False, True, True, True]
    assert '_notThere' not in read
    assert list(read_columns(particles, ['_filename'], enabled_only=True)['_filename']) == [
        'img0.mrcs', 'img2.mrcs', 'img3.mrcs', 'img4.mrcs']
    items = [item.clone() for item in particles]
    assert [item.getParticleName() for item in items] == list(columns['_particleName'])
    np.testing.assert_array_equal(items[3].getTransform().getMatrix(), columns['_transform._matrix'][3])


def test_missing_values_and_empty_sets():
    """A class that was never set is not class 0, and an empty set has no columns to fall over."""
    particles = new_particles('set.sqlite')
    assert len(read_columns(particles, ['_particleName'])['_particleName']) == 0
    write_items(particles, new_particle(), {'_particleName': []})
    assert particles.getSize() == 0
    write_items(particles, new_particle(), {'_particleName': ['a', 'b']})
    read = read_columns(particles, ['_classId', '_filename'])
    assert np.isnan(read['_classId']).all() and list(read['_filename']) == [None, None]


def test_mistakes_are_named():
    """A misspelt attribute must not be dropped in silence."""
    particles = new_particles('set.sqlite')
    with pytest.raises(ConvertError, match='_coordinat._x'):
        write_items(particles, new_particle(), {'_coordinat._x': [1.0]})
    with pytest.raises(ConvertError, match='_classId 2, _particleName 1'):
        write_items(particles, new_particle(), {'_particleName': ['a'], '_classId': [1, 2]})
    write_items(particles, new_particle(), {'_particleName': ['a']})
    with pytest.raises(ConvertError, match='_nothing'):
        read_columns(particles, ['_nothing'])


def test_any_set():
    """Picks use the same path: coordinates have no image, no sampling rate of their own and no alignment."""
    coordinates = SetOfCoordinates3D(filename='set.sqlite')
    coordinates.setSamplingRate(10.0)
    write_items(coordinates, Coordinate3D(), {'_x': [1.5, 2.5], '_tomoId': ['TS_01', 'TS_02']})
    coordinates.write()
    assert [(item._x.get(), item.getTomoId()) for item in coordinates.iterItems()] == [(1.5, 'TS_01'), (2.5, 'TS_02')]


def test_many_items_are_quick():
    """10^5 particles must not cost minutes; half as many here, and a loose bound for slow machines."""
    n = 50000
    start = time.process_time()
    particles = new_particles('set.sqlite')
    write_items(particles, new_particle(), some_columns(n))
    particles.write()
    written = time.process_time() - start
    read_columns(particles, ['_particleName', '_transform._matrix', '_coordinate._x'])
    assert particles.getSize() == n
    assert written < 8 and time.process_time() - start < 12


def test_items_that_differ_are_found():
    """A particle of another file that is taken for one of the first file gets another particle's columns."""
    particles = new_particles('set.sqlite')
    columns = some_columns()
    stars = np.array(['one.star'] * (N - 1) + [None], dtype=object)
    write_items(particles, new_particle(), {**columns, '_particlesStar': stars})
    particles.write()
    expected = dict(zip(['_particlesStar', '_notThere'], first_values(particles, ['_particlesStar', '_notThere'])))
    assert expected == {'_particlesStar': 'one.star', '_notThere': None}
    assert read_columns(particles, [], expected=expected)['differs'].tolist() == [False] * (N - 1) + [True]
    assert not read_columns(particles, [], expected={'_notThere': None})['differs'].any()
    assert 'differs' not in read_columns(particles, [])
