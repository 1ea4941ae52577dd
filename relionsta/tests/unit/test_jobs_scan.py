"""The text of a parameter scan: what it means, and what is refused with which words."""
import pytest

from relionsta.jobs.class3d import CLASS3D
from relionsta.jobs.scan import ScanError, combinations, describe, describe_range, parse_scan

OPTIONS = CLASS3D.options


def test_values_have_the_kind_of_their_option():
    """A number that stays text, or a switch that is the text "No", would reach RELION as something else."""
    scan = parse_scan('tau_fudge = 0.5, 1, 2, 4\n\n nr_classes=1,3.0\ndo_local_ang_searches = yes, No\n'
                      'sampling = 7.5 Degrees\n', OPTIONS)
    assert scan == {'tau_fudge': [0.5, 1., 2., 4.], 'nr_classes': [1, 3], 'do_local_ang_searches': [True, False],
                    'sampling': ['7.5 degrees']}
    assert [type(value) for value in scan['nr_classes'] + scan['tau_fudge'][:1]] == [int, int, float]


def test_all_combinations_and_their_names():
    """Runs are told apart, and found again on Continue, by these names: none may be lost or doubled."""
    settings = combinations(parse_scan('tau_fudge = 1, 4\nnr_classes = 1, 2, 3', OPTIONS))
    names = [describe(one) for one in settings]
    assert len(set(names)) == 6
    assert names[:2] == ['tau_fudge = 1, nr_classes = 1', 'tau_fudge = 1, nr_classes = 2']


def test_an_option_may_be_named_by_its_label():
    """The form shows labels only."""
    assert parse_scan('%s = 1, 2' % CLASS3D.option('tau_fudge').label, OPTIONS) == {'tau_fudge': [1., 2.]}


def test_text_with_a_comma_stands_in_quotes():
    """Additional arguments have commas in them."""
    assert parse_scan('other_args = "--a 1,2", --b', OPTIONS) == {'other_args': ['--a 1,2', '--b']}


@pytest.mark.parametrize('text, said', [
    ('', 'nothing to try'),
    ('tau_fudge 1, 2', 'has no ='),
    ('tau_fudg = 1', 'Did you mean tau_fudge'),
    ('zzz = 1', 'The wand lists them'),
    ('tau_fudge = ', 'has no value'),
    ('tau_fudge = 1, one', 'tau_fudge = one: write a number'),
    ('tau_fudge = nan', 'write a number'),
    ('nr_classes = 1.5', 'nr_classes = 1.5: write a whole number'),
    ('nr_classes = 0', 'outside of its range, 1 to'),
    ('dont_skip_align = maybe', 'write Yes or No'),
    ('sampling = 8 degrees', 'choose from 30 degrees; 15 degrees'),
    ('tau_fudge = 1, 1.0', 'has 1.0 twice'),
    ('tau_fudge = 1\ntau_fudge = 2', 'has two lines'),
    ('other_args = "--a', 'a quote'),
])
def test_what_cannot_be_tried_is_refused_in_words(text, said):
    """A wrong value that is found when the job runs has cost a place in the queue, or goes through in silence."""
    with pytest.raises(ScanError, match=said):
        parse_scan(text, OPTIONS)


def test_ranges_in_words():
    """The wand's list says what may be tried."""
    assert describe_range(CLASS3D.option('dont_skip_align')) == 'Yes, No'
    assert '7.5 degrees; 3.7 degrees' in describe_range(CLASS3D.option('sampling'))
    assert describe_range(CLASS3D.option('nr_classes')).startswith('whole numbers')
