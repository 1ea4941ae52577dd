"""STAR text to tables and back."""
import shlex
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pandas as pd
import pytest

from relionsta.star.labels import INTEGER_LABELS, REAL_LABELS, TEXT_LABELS
from relionsta.star.tables import LIST_BLOCK, StarError, is_complete, read_star, require_columns, write_star
from relionsta.tests.find import shared_data

# As RELION writes it, with a blank at the end of each line.
PARTICLES = '''
# version 50001

data_general

_rlnTomoSubTomosAre2DStacks                       1


# version 50001

data_particles

loop_
_rlnTomoName #1
_rlnOpticsGroup #2
_rlnAngleRot #3
_rlnTomoParticleName #4
007            1    12.500000 007/1
TS_01          2   -1e-05     TS_01/2

'''.replace('\n', ' \n')


def raw_cells(path: Path) -> Dict[str, List[List[str]]]:
    """Block -> labels and rows of a RELION file as plain text, by another way than the reader's."""
    blocks: Dict[str, List[List[str]]] = {}
    for line in path.read_text().splitlines():
        words = shlex.split(line) if '"' in line else line.split()
        if not words or words[0][0] == '#' or words == ['loop_']:
            continue
        if words[0].startswith('data_'):
            rows = blocks.setdefault(words[0][5:], [])
        else:
            rows.append(words)
    return blocks


def same(text: str, value: Any) -> bool:
    """True if the value of a table is that of the text: as text, or as a number to 1e-6."""
    if isinstance(value, str):
        return text == value
    number = float(text)
    return number == value or abs(number - value) <= 1e-6 * abs(number) or (number != number and value != value)


@pytest.mark.parametrize('project', ['relion5-hiv-project', 'relion5-small'])
def test_real_files_come_back_whole(project: str, tmp_path: Path) -> None:
    """Prevents the loss or change of a block, row, column, order or value of files that RELION wrote."""
    files = sorted(shared_data(project).rglob('*.star'))
    assert len(files) > 10
    out = tmp_path / 'again.star'
    for path in files:
        read = read_star(path)
        write_star(out, read)
        again = read_star(out)
        raw = raw_cells(path)
        assert list(read) == list(raw) == list(again), path
        for block, table in read.items():
            pd.testing.assert_frame_equal(table, again[block])
            assert table.attrs == again[block].attrs
            if table.attrs.get(LIST_BLOCK):
                labels, rows = [row[0][1:] for row in raw[block]], [[row[1] for row in raw[block]]]
            else:
                count = len(table.columns)
                labels, rows = [row[0][1:] for row in raw[block][:count]], raw[block][count:]
            assert list(table.columns) == labels, path
            assert len(table) == len(rows), path
            for number in range(len(labels)):
                column = table.iloc[:, number].tolist()
                assert all(same(row[number], value) for row, value in zip(rows, column)), (path, labels[number])


def test_relions_labels_decide_the_kind(tmp_path: Path) -> None:
    """Prevents a tomogram called 007 from becoming 7, and whole angles from becoming integers."""
    path = tmp_path / 'p.star'
    path.write_text(PARTICLES)
    particles = read_star(path)['particles']
    assert particles['rlnTomoName'].tolist() == ['007', 'TS_01']
    assert particles['rlnAngleRot'].tolist() == [12.5, -1e-5]
    assert [particles[label].dtype for label in particles] == [object, np.int64, np.float64, object]
    assert read_star(path)['general'].attrs[LIST_BLOCK]


@pytest.mark.parametrize('cells, expected', [
    (['1', '2'], [1, 2]), (['1', '2.5'], [1.0, 2.5]), (['00255', '1'], ['00255', '1']),
    (['1_2', '3_4'], ['1_2', '3_4']),
    (['None', '3'], ['None', '3']), (['inf', '-inf'], [np.inf, -np.inf]), (['-nan', '1'], [np.nan, 1.0]),
    (['0.5', '-0.25'], [0.5, -0.25]), (['99999999999999999999', '1'], [1e20, 1.0]), (['a#b', "it's"], ['a#b', "it's"])])
def test_columns_that_relion_does_not_know(tmp_path: Path, cells: List[str], expected: List[Any]) -> None:
    """Prevents guesses about unknown columns that lose text."""
    path = tmp_path / 'x.star'
    path.write_text('data_\n\nloop_\n_myColumn #1\n_rlnTomoName #2\n' + ''.join(f'{cell} a\n' for cell in cells))
    column = read_star(path)['']['myColumn']
    np.testing.assert_array_equal(column.to_numpy(), expected)
    assert (column.dtype == object) == isinstance(expected[-1], str)
    write_star(path, read_star(path))
    pd.testing.assert_series_equal(read_star(path)['']['myColumn'], column)


def test_numbers_that_relion_defines_may_hold_anything(tmp_path: Path) -> None:
    """Prevents a failure on model.star rows of empty classes (inf, -nan) or a text where a number should be."""
    path = tmp_path / 'm.star'
    path.write_text('data_model_classes\nloop_\n_rlnEstimatedResolution\n_rlnAccuracyRotations\n_rlnOpticsGroup\n'
                    'inf -nan 1.0\n12.5 999 2\n\n')
    table = read_star(path)['model_classes']
    np.testing.assert_array_equal(table.to_numpy(dtype=float), [[np.inf, np.nan, 1], [12.5, 999, 2]])
    path.write_text('data_\n_rlnAngleRot None\n_rlnOpticsGroup 1_2\n\n')
    assert read_star(path)[''].iloc[0].tolist() == ['None', '1_2']


def test_line_ends_comments_and_blank_lines(tmp_path: Path) -> None:
    """Prevents failures on files that passed through Windows, an editor or a byte-order mark."""
    path = tmp_path / 'w.star'
    text = PARTICLES.replace('loop_ \n', 'loop_ \n# a comment\n').replace('007/1 \n', '007/1 # note\n\n# more\n')
    path.write_bytes(b'\xef\xbb\xbf' + text.replace('\n', '\r\n').encode())
    plain = tmp_path / 'p.star'
    plain.write_text(PARTICLES)
    for block, table in read_star(plain).items():
        pd.testing.assert_frame_equal(read_star(path)[block], table)


def test_one_block_of_many(tmp_path: Path) -> None:
    """Prevents reading 10^5 particles for one flag, and a block name that is not there from going unseen."""
    path = tmp_path / 'p.star'
    path.write_text(PARTICLES)
    assert list(read_star(path, ['general'])) == ['general']
    with pytest.raises(StarError, match=r'p.star: the block data_optics is missing \(there: data_general, data_part'):
        read_star(path, ['general', 'optics'])


def test_a_file_cut_anywhere_is_refused_or_shorter(tmp_path: Path) -> None:
    """Prevents a file that RELION was still writing from being read with a shortened number or a half row.

    Cut after a whole row nothing shows but the empty line at the end, for which is_complete and complete=True look.
    """
    path = tmp_path / 'cut.star'
    path.write_text(PARTICLES)
    assert is_complete(path)
    whole = read_star(path, complete=True)
    text, accepted = PARTICLES.rstrip() + '\n', []
    for end in range(len(text)):
        path.write_text(text[:end])
        assert not is_complete(path) or text[:end].endswith(('\n\n', '\n \n'))
        try:
            found = read_star(path)
        except StarError as error:
            assert 'cut.star' in str(error)
            continue
        accepted.append(end)
        for block, table in found.items():
            pd.testing.assert_frame_equal(table, whole[block].iloc[:len(table)])
    # After general, and (once or twice, for the line's end) after each row.
    assert 1 <= len(accepted) <= 8
    with pytest.raises(StarError, match='line at the end'):
        path.write_text(text)
        read_star(path, complete=True)


@pytest.mark.parametrize('text, message', [
    ('', 'no block'), ('hello\n', 'no block'), ('data_x\n', 'block data_x: the block is empty'),
    ('data_x\nloop_\n', 'names no column'), ('data_x\nloop_\n_a #1\n', 'ends after the column names'),
    ('data_x\nloop_\n_a #1\n_a #2\n1 2\n\n', 'the column a is there twice'),
    ('data_x\n_a 1\n_a 2\n\n', 'the column a is there twice'),
    ('data_x\n_a 1\n\ndata_x\n_a 1\n\n', 'block is there twice'),
    ('data_x\nloop_\n_a #1\n_b #2\n1 2\n3\n\n', r'line 6, block data_x: the row has 1 values for 2 columns'),
    ('data_x\nloop_\n_a #1\n_b #2\n1 2 3\n\n', r'line 5, block data_x: the row has 3 values for 2 columns'),
    ('data_x\n_a\n\n', 'line 2, block data_x: a label and its value are needed'),
    ('data_x\nloop_\n_a #1\n_b #2\n1 "two\n\n', 'a quote is not closed'), ('data_x\n_a 1', 'its last line has no end'),
    ('data_x\n_a \0\n\n', 'zero bytes')])
def test_broken_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    """Prevents a traceback, or worse a table, where the file is at fault."""
    path = tmp_path / 'broken.star'
    path.write_text(text)
    with pytest.raises(StarError, match=message) as caught:
        read_star(path)
    assert str(path) in str(caught.value)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    """Prevents a decoding traceback where someone chooses a map, a folder or a file that is gone."""
    path = tmp_path / 'map.mrc'
    path.write_bytes(bytes(range(256)))
    for wrong, message in ((path, 'is no text'), (tmp_path, 'cannot be read'), (tmp_path / 'gone', 'No such file')):
        with pytest.raises(StarError, match=message):
            read_star(wrong)
        assert not is_complete(wrong)


def test_kinds_of_labels() -> None:
    """Prevents a label from having two kinds, and the loss of those that the plugin depends on."""
    assert len(TEXT_LABELS) + len(INTEGER_LABELS) + len(REAL_LABELS) == 618
    assert len(TEXT_LABELS | INTEGER_LABELS | REAL_LABELS) == 618
    assert {'rlnTomoName', 'rlnTomoParticleName', 'rlnTomoVisibleFrames', 'rlnMicrographName'} <= TEXT_LABELS
    assert {'rlnOpticsGroup', 'rlnRandomSubset', 'rlnTomoSizeX'} <= INTEGER_LABELS
    assert {'rlnTomoHand', 'rlnTomoZRot', 'rlnMicrographPreExposure'} <= REAL_LABELS


def test_missing_columns_are_all_named() -> None:
    """Prevents three runs to find three missing columns."""
    with pytest.raises(StarError, match='p.star, block data_x: the columns b, c are missing'):
        require_columns(pd.DataFrame({'a': [1]}), ['a', 'b', 'c'], 'p.star', 'x')
    require_columns(pd.DataFrame({'a': [1]}), ['a'], None, 'x')
