"""The ladder of resolutions: shells, what fell back, files."""
import csv
import json

import pytest

from relionsta.results.ladder import (
    LadderError,
    Rung,
    fall_back,
    gain,
    ladder_lines,
    read_ladder,
    shell_of,
    shells_gained,
    shells_text,
    write_ladder,
    write_ladder_csv,
)

PIXEL, BOX = 3.0, 64  # shells lie 1 / 192 Å apart


def rung(step, shell, **more):
    """A rung at this Fourier shell of the box."""
    return Rung(step, PIXEL * BOX / shell, PIXEL, BOX, **more)


def test_shell_is_that_of_relion():
    """One shell off, and a step that lost resolution would count as equal. RELION writes 12.000000 for shell 16 here."""
    assert shell_of(12.0, 192) == 16
    assert [rung('a', shell).shell for shell in range(1, 33)] == list(range(1, 33))
    assert Rung('rounded', 7.68, PIXEL, BOX).shell == 25  # as post-processing prints it
    assert Rung('unknown box', 7.68).shell is None
    assert rung('fine', 31).at_nyquist and not rung('coarse', 29).at_nyquist


def test_shells_between_boxes_of_different_width_are_the_wider_ones():
    """After another extraction the box may be wider: its narrow shells would count a rounding as a step back."""
    coarse = Rung('bin 4', 24.0, 12.0, 16)
    assert shells_gained(coarse, rung('bin 1', 24)) == 16
    narrow, wide = Rung('64 px', 12.0, 3.0, 64), Rung('128 px', 12.1, 3.0, 128)
    assert shells_gained(narrow, wide) == shells_gained(wide, narrow) == 0
    assert shells_gained(narrow, Rung('no box', 10.0)) is None


def test_gain_and_words():
    """The numbers that people read in the summary."""
    assert gain(Rung('a', 16.0), Rung('b', 12.0)) == pytest.approx(0.25)
    assert [shells_text(n) for n in (None, 0, 1, -1, 3)] == [
        '', 'the same shell', 'better by 1 shell', 'fell back by 1 shell', 'better by 3 shells']


def test_fall_back_is_measured_from_the_best_kept_rung():
    """Two small steps back make a large one; steps that were not kept are none."""
    rungs = [rung('start', 12), rung('ctf', 16), rung('polish', 15), rung('refine', 14), rung('ctf 2', 20)]
    assert fall_back(rungs) == 2
    assert fall_back(rungs[:2]) == 0
    assert fall_back([rung('start', 12), rung('ctf', 16), rung('bad', 10, kept=False), rung('polish', 17)]) == 0
    assert fall_back([rung('start', 12), Rung('elsewhere', 99.0), rung('ctf', 11)]) == 1


def test_lines_compare_with_the_rung_that_a_step_went_on_from():
    """A step after one that was not kept must not look like a gain over the bad one."""
    lines = ladder_lines([rung('start', 12), rung('ctf', 8, kept=False, note='why'), rung('polish', 13)])
    assert lines[0].split() == ['start', '16.00', 'Å']
    assert 'fell back by 4 shells; not kept; why' in lines[1]
    assert 'better by 1 shell' in lines[2] and '5' not in lines[2]
    assert 'none' in ladder_lines([Rung('start', 999.0)])[0]


def test_json_keeps_every_rung(tmp_path):
    """A cycle goes on from this file: what it loses is done again, or wrongly kept."""
    rungs = [rung('start', 12), rung('Bayesian polishing 1', 17, kept=False, note='fell back'), Rung('no box', 7.7)]
    write_ladder(tmp_path / 'ladder.json', rungs)
    back = read_ladder(tmp_path / 'ladder.json')
    assert [(one.step, one.kept, one.note, one.pixel, one.box, one.shell) for one in back] == [
        (one.step, one.kept, one.note, one.pixel, one.box, one.shell) for one in rungs]
    (tmp_path / 'summary.json').write_text(json.dumps(
        {'ladder': [{'step': 'start', 'resolution_A': 16}, {'step': 'end', 'resolution_A': 8.0}]}))
    assert [one.resolution for one in read_ladder(tmp_path / 'summary.json')] == [16.0, 8.0]


@pytest.mark.parametrize('text, said', [
    ('{', 'no JSON'), ('{}', 'not a list'), ('[{"step": "a"}]', 'rung 1: it needs'),
    ('[{"step": "a", "resolution_A": 8}, {"step": "b", "resolution_A": "8 Å"}]', "rung 2: .* is '8 Å'"),
    ('[{"step": "a", "resolution_A": 0}]', 'above 0')])
def test_files_that_are_no_ladder_are_refused(tmp_path, text, said):
    """A wrong entry that is read would make a wrong step look better."""
    (tmp_path / 'ladder.json').write_text(text)
    with pytest.raises(LadderError, match='ladder.json.*' + said):
        read_ladder(tmp_path / 'ladder.json')


def test_table_for_spreadsheets(tmp_path):
    """A comma in a note must not shift the columns."""
    write_ladder_csv(tmp_path / 'ladder.csv', [rung('start', 12), rung('ctf', 16, kept=False, note='one, "two"')])
    with open(str(tmp_path / 'ladder.csv'), newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['resolution_A'] for row in rows] == ['16.0', '12.0']
    assert rows[1]['note'] == 'one, "two"' and rows[1]['kept'] == 'False'
