"""The table of the bodies of a multi-body refinement."""
import pandas as pd
import pytest

from relionsta.jobs.bodies import Body, bodies_text, default_bodies, parse_bodies, write_bodies
from relionsta.star import read_star

MASKS = ['a.mrc', 'b.mrc', 'c.mrc']


def test_the_first_table_is_read_back():
    """The wand's table must pass the check of the form, and say what an empty table does."""
    bodies = default_bodies(MASKS, pixel=8.0)
    assert [body.relative_to for body in bodies] == [2, 1, 1]
    assert {(body.sigma_angles, body.sigma_offset) for body in bodies} == {(10.0, 16.0)}
    assert parse_bodies(bodies_text(bodies), MASKS) == bodies


def test_remarks_commas_and_empty_lines():
    """People copy tables from papers and other programs."""
    text = '# the core\n2, 5, 3\n\n1 10 2.5  # the arm\n'
    assert parse_bodies(text, MASKS[:2]) == [Body('a.mrc', 2, 5.0, 3.0), Body('b.mrc', 1, 10.0, 2.5)]


@pytest.mark.parametrize('text, words', [
    ('2 10 2', ('1 line', '3 masks')),
    ('2 10 2\n1 10\n1 10 2', ('line 2', '2 columns')),
    ('2 10 2\n1 ten 2\n1 10 2', ('line 2', 'no number')),
    ('2 10 2\n1.5 10 2\n1 10 2', ('line 2', 'no number')),
    ('1 10 2\n1 10 2\n1 10 2', ('line 1', 'against body 1', '2 or 3')),
    ('2 10 2\n1 10 2\n4 10 2', ('line 3', 'against body 4', '1 or 2')),
    ('2 10 2\n1 0 2\n1 10 2', ('line 2', 'angles', 'above 0')),
    ('2 10 2\n1 10 -1\n1 10 2', ('line 2', 'offset', '-1')),
    ('2 10 2\n1 10 nan\n1 10 2', ('line 2', 'offset')),
    ('2 10 2\n1 10 inf\n1 10 2', ('line 2', 'offset'))])
def test_bad_tables_are_told_by_line(text, words):
    """RELION finds such slips after the refinement has been read in, or never."""
    with pytest.raises(ValueError) as error:
        parse_bodies(text, MASKS)
    for word in words:
        assert word in str(error.value)


def test_the_star_file_is_what_relion_reads(tmp_path):
    """RELION takes an offset without unit in its name as pixels."""
    write_bodies(tmp_path / 'bodies.star', [Body('a.mrc', 2, 10.0, 4.0), Body('b.mrc', 1, 7.5, 3.25)])
    (name, table), = read_star(tmp_path / 'bodies.star').items()
    assert name == ''
    pd.testing.assert_frame_equal(table, pd.DataFrame({
        'rlnBodyMaskName': ['a.mrc', 'b.mrc'], 'rlnBodyRotateRelativeTo': [2, 1], 'rlnBodySigmaAngles': [10.0, 7.5],
        'rlnBodySigmaOffsetAngst': [4.0, 3.25]}), check_dtype=False)
