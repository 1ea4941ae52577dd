"""Scipion's metadata viewer on sets that were written in bulk: its own tables, pages and data access, without a window."""
import numpy as np
import pytest
from metadataviewer.model.object_manager import ObjectManager
from pwem.viewers.mdviewer.sqlite_dao import OBJECT_TABLE, PROPERTIES_TABLE, ScipionSetsDAO

from relionsta.convert.bulk import read_columns, write_items

from .convert_particle_files import read, write_particles
from .test_convert_bulk import N, append_one_by_one, new_particle, new_particles, some_columns

ROWS = 120


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def shown(path, size, table=OBJECT_TABLE):
    """All rows that the viewer shows, page by page: a dict of its columns, with its own row ids under `row id`."""
    viewer = ObjectManager()
    viewer._dao = ScipionSetsDAO(path)
    assert OBJECT_TABLE in viewer.getTables()
    assert viewer.getTableRowCount(table) == size
    names = [column.getName() for column in viewer.getTable(table).getColumns()]
    pages = -(-size // viewer.getPageSize())
    rows = [row for number in range(1, pages + 1)
            for row in viewer.getPage(table, number, viewer.getPageSize()).getRows()]
    ids = viewer.getDAO().getSelectedRangeRowsIds(table, 1, size, 'id') if table == OBJECT_TABLE else []
    viewer.getDAO().close()
    assert ids == [row.getId() for row in rows] or table != OBJECT_TABLE
    found = {name: [row.getValues()[place] for row in rows] for place, name in enumerate(names)}
    return {'row id': [row.getId() for row in rows], **found}


def test_particles_in_the_viewer():
    """A page that stays empty, or a column of another particle, would be marked and become the next subset."""
    table = write_particles(n=ROWS)
    particles = read()
    columns = shown(particles.getFileName(), ROWS)
    assert columns['row id'] == columns['id'] == list(range(1, ROWS + 1))
    assert columns['_particleName'] == table['rlnTomoParticleName'].tolist()
    assert columns['_randomSubset'] == table['rlnRandomSubset'].tolist()
    assert columns['_classId'] == table['rlnClassNumber'].tolist()
    matrices = read_columns(particles, ['_transform._matrix'])['_transform._matrix']
    np.testing.assert_allclose(np.array(columns['_transform._matrix'], dtype=float), matrices, atol=1e-12)
    # The viewer takes RELION's Euler angles from Scipion's matrix.
    cosine = np.cos(np.radians(columns['_transform._tilt']))
    np.testing.assert_allclose(cosine, matrices[:, 2, 2], atol=1e-9)


def test_bulk_looks_like_append():
    """The same columns and values, whoever wrote the set."""
    columns = some_columns()
    one, bulk = new_particles('one.sqlite'), new_particles('bulk.sqlite')
    append_one_by_one(one, columns, [True] * N)
    write_items(bulk, new_particle(), columns)
    for items in (one, bulk):
        items.write()
    for table in (OBJECT_TABLE, PROPERTIES_TABLE):
        sizes = N if table == OBJECT_TABLE else number_of_properties('one.sqlite')
        first, second = shown('one.sqlite', sizes, table), shown('bulk.sqlite', sizes, table)
        assert list(first) == list(second)
        for name in first:
            if name != 'value':
                np.testing.assert_equal(first[name], second[name])


def number_of_properties(path):
    return ScipionSetsDAO(path).getTableRowCount(PROPERTIES_TABLE)
