"""From tables to STAR text."""
import os
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pandas as pd
import pytest
import starfile

from relionsta.star.tables import StarError, read_star, write_star


def test_text_that_needs_quotes(tmp_path: Path) -> None:
    """Prevents paths with blanks, empty values and odd first letters from shifting the columns of a row."""
    values = ['', 'a b', "it's", 'say "x"', '"', "'", '#1', '_x', 'data_x', 'loop_', 'a#b', 'é Å', 'tab\there', '007']
    table = pd.DataFrame({'rlnTomoName': values, 'number': range(len(values)), 'rlnImageName': values[::-1]})
    row = {'rlnTomoTrajectoriesFile': '', 'rlnTomoName': 'a b', 'real': 1.0, 'whole': 3, 'flag': True, 'none': None}
    path = tmp_path / 'q.star'
    write_star(path, {'': row, 'x': table})
    again = read_star(path)
    assert list(again) == ['', 'x']
    assert again['x']['rlnTomoName'].tolist() == values
    assert again['x']['rlnImageName'].tolist() == values[::-1]
    assert again['x']['number'].tolist() == list(range(len(values)))
    assert again[''].iloc[0].tolist() == ['', 'a b', 1.0, 3, 1, 'None']


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """Prevents jobs from running again because a date in a file changed, and lists that grow with each write."""
    blocks: Dict[str, Any] = {
        'general': {'rlnTomoSubTomosAre2DStacks': 1},
        'particles': pd.DataFrame({'rlnTomoName': ['007', 'TS_01'], 'rlnAngleRot': [12.5, -1e-5]})}
    texts = set()
    for name in ('a.star', 'b.star', 'a.star'):
        write_star(tmp_path / name, blocks)
        texts.add((tmp_path / name).read_bytes())
    assert len(texts) == 1
    assert sorted(os.listdir(tmp_path)) == ['a.star', 'b.star']


def test_every_number_comes_back_equal(tmp_path: Path) -> None:
    """Prevents positions that lose digits each time they are written; 1.35 must also stay 1.35 for readers."""
    random = np.random.default_rng(3)
    table = pd.DataFrame({'rlnAngleRot': random.normal(0, 1, 500) * 10.0 ** random.integers(-12, 12, 500),
                          'rlnOpticsGroup': random.integers(0, 9, 500), 'flag': random.integers(0, 2, 500) == 1,
                          'single': np.full(500, 1.35, dtype=np.float32)})
    path = tmp_path / 'n.star'
    write_star(path, {'particles': table})
    again = read_star(path)['particles']
    pd.testing.assert_frame_equal(again, table.assign(flag=table['flag'].astype(np.int64), single=1.35))


@pytest.mark.parametrize('blocks, message', [
    ({'x': pd.DataFrame({'rlnTomoName': ['a', np.nan]})}, 'data_x: row 2 has no usable value in column rlnTomoName'),
    ({'x': pd.DataFrame({'rlnTomoName': ['a\nb']})}, 'line break'),
    ({'x': {'rlnTomoName': '"\' '}}, 'both kinds of quotes'),
    ({'x': {}}, 'no columns'), ({'a b': {'c': 1}}, 'holds a blank'),
    ({'x': {'a b': 1}}, "'a b' cannot be a column name"),
    ({'x': pd.DataFrame([[1, 2]], columns=['a', 'a'])}, 'the column a is there twice')])
def test_what_star_cannot_hold_is_refused(tmp_path: Path, blocks: dict, message: str) -> None:
    """Prevents files that RELION reads with shifted columns; and leaves the old file and no temporary one."""
    path = tmp_path / 'old.star'
    path.write_text('old')
    with pytest.raises(StarError, match=message):
        write_star(path, blocks)
    assert path.read_text() == 'old' and os.listdir(tmp_path) == ['old.star']


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Prevents a bare traceback for a wrong output path."""
    with pytest.raises(StarError, match='cannot be written .*check that the folder exists'):
        write_star(tmp_path / 'gone' / 'x.star', {'x': {'a': 1}})


def test_empty_tables_keep_their_columns(tmp_path: Path) -> None:
    """Prevents an extraction that left no particle over from looking like a broken file."""
    path = tmp_path / 'none.star'
    write_star(path, {'particles': pd.DataFrame({'rlnTomoName': [], 'rlnAngleRot': []})})
    table = read_star(path)['particles']
    assert list(table.columns) == ['rlnTomoName', 'rlnAngleRot'] and len(table) == 0


def test_pandas_string_columns_are_written(tmp_path: Path) -> None:
    """Prevents trouble with the text type of newer pandas, and with its nullable integers."""
    table = pd.DataFrame({'rlnTomoName': pd.Series(['a b', '007'], dtype='string'),
                          'rlnOpticsGroup': pd.Series([1, 2], dtype='Int64'),
                          'rlnGroupName': pd.Categorical(['x', 'y'])})
    path = tmp_path / 's.star'
    write_star(path, {'x': table})
    again = read_star(path)['x']
    assert again['rlnTomoName'].tolist() == ['a b', '007']
    assert again['rlnOpticsGroup'].tolist() == [1, 2] and again['rlnGroupName'].tolist() == ['x', 'y']


def test_the_starfile_package_agrees(tmp_path: Path) -> None:
    """Prevents files that only we can read: other programs read and write STAR with this package."""
    table = pd.DataFrame({'rlnTomoName': ['TS_01', 'TS 02'], 'rlnAngleRot': [1.5, -20.25], 'rlnOpticsGroup': [1, 2]})
    write_star(tmp_path / 'ours.star', {'general': {'rlnTomoSubTomosAre2DStacks': 1}, 'particles': table})
    theirs = starfile.read(tmp_path / 'ours.star', always_dict=True)
    assert theirs['general'] == {'rlnTomoSubTomosAre2DStacks': 1}
    assert theirs['particles'].to_numpy().tolist() == table.to_numpy().tolist()
    starfile.write(theirs, tmp_path / 'theirs.star')
    pd.testing.assert_frame_equal(read_star(tmp_path / 'theirs.star')['particles'].astype(object), table.astype(object),
                                  check_column_type=False)
