"""Large loops, read row by row in one pass: the same as what the careful reader makes of them."""
import numpy as np
import pandas as pd
import pytest

from relionsta.star import plain, reader
from relionsta.star.cells import read_cells
from relionsta.star.plain_cells import NotPlain

HEAD = 'data_optics\n\nloop_\n_rlnOpticsGroup #1\n1\n\n\ndata_particles\n\nloop_\n'
LABELS = ('rlnTomoName', 'rlnAngleRot', 'rlnTomoParticleName', 'rlnClassNumber', 'rlnImageName')
TAIL = '\n\ndata_other\n\n_rlnClassNumber 3\n'


def rows_of(n, seed=1, gaps=' '):
    """Rows with texts of all lengths, up to more than the reader's windows."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 41, n)
    return [gaps.join(('TS_%d' % (row // 100), '%.6f' % rng.uniform(-180, 180), ('%06d' % row * 7)[-lengths[row]:],
                       '%d' % (row % 3), 'Extract/job%d/%d.mrcs' % (rng.integers(10 ** rng.integers(1, 15)), row)))
            for row in range(n)]


def write(path, rows, line_end='\n', tail=TAIL):
    path.write_text(HEAD + ''.join('_%s #%d\n' % (label, number) for number, label in enumerate(LABELS, 1))
                    + line_end.join(rows) + line_end + tail)
    return path


def careful(path):
    return {name: reader._table(cells, None) for name, cells in read_cells(path).items()}


@pytest.mark.parametrize('gaps, line_end', [(' ', '\n'), ('    ', ' \n'), ('\t', '\n'), (' \t ', '   \n')])
def test_the_same_as_the_careful_reader(tmp_path, gaps, line_end):
    """A cell that is cut one letter short is another particle."""
    path = write(tmp_path / 'run_data.star', rows_of(12000, gaps=gaps), line_end)
    fast = reader.read_plain(path, {})
    assert fast is not None and list(fast.loops) == ['particles']
    for name, table in careful(path).items():
        pd.testing.assert_frame_equal(fast.tables[name], table)


@pytest.mark.parametrize('empty', ['\n', ' \n'])
def test_rows_end_where_they_end(tmp_path, monkeypatch, empty):
    """Wherever a piece of the file ends, no row may be lost, doubled, or taken from what follows."""
    rows = rows_of(6000)
    path = write(tmp_path / 'run_data.star', rows, tail=empty + TAIL[1:])
    text = path.read_text()
    start = text.index(rows[0])
    places = np.cumsum([start] + [len(row) + 1 for row in rows])
    for piece in (1 << 10, 4093, 1 << 14, len('\n'.join(rows)), len('\n'.join(rows)) + 1, 1 << 20):
        monkeypatch.setattr(plain, '_PIECE', piece)
        fast = reader.read_plain(path, {'particles': ['rlnTomoParticleName']})
        np.testing.assert_array_equal(fast.loops['particles'].rows, places)
        assert list(fast.tables['particles']['rlnTomoParticleName']) == [row.split()[2] for row in rows]


@pytest.mark.parametrize('change', [
    lambda rows: rows[:9000] + [rows[9000] + ' more'] + rows[9001:], lambda rows: rows[:-1] + [rows[-1][:30]],
    lambda rows: rows[:9000] + [rows[9000].replace('TS', "'TS'")] + rows[9001:],
    lambda rows: rows[:9000] + [rows[9000].replace('TS', 'Ä')] + rows[9001:],
    lambda rows: rows[:9000] + ['# a comment'] + rows[9001:],
    lambda rows: rows[:9000] + [rows[9000].replace('TS', '\x0cTS')] + rows[9001:]])
def test_what_is_not_plain_is_left_to_the_careful_reader(tmp_path, change):
    """A cell more or less in one row would move all that follow."""
    path = write(tmp_path / 'run_data.star', change(rows_of(12000)))
    with pytest.raises(NotPlain):
        reader._read_plain(path, None, False, {})


def test_a_file_that_ends_within_a_row(tmp_path):
    """What is cut in the last number would be another number."""
    path = write(tmp_path / 'run_data.star', rows_of(12000), tail='')
    path.write_text(path.read_text()[:-8])
    with pytest.raises(NotPlain):
        reader._read_plain(path, None, False, {})
