"""Are the particles that RELION gives back those that it got?"""
import pandas as pd
import pytest

from relionsta.convert.given import check_given
from relionsta.star import StarError, write_star

NAMES = ['TS_01/1', 'TS_01/2', 'TS_02/1', 'TS_02/2', 'TS_02/3']


def _particles(path, names, named=True, **blocks):
    """A particles STAR of these names; named: with them, else with their tomograms alone."""
    table = pd.DataFrame({'rlnTomoName': [name.split('/')[0] for name in names], 'rlnAngleRot': 0.0})
    if named:
        table['rlnTomoParticleName'] = list(names)
    write_star(path, dict({'particles': table}, **blocks))
    return str(path)


@pytest.fixture
def given(tmp_path):
    return _particles(tmp_path / 'given.star', NAMES)


def test_the_same_particles_in_any_order(tmp_path, given):
    """RELION sorts by micrograph: another order is no other set."""
    check_given(_particles(tmp_path / 'made.star', NAMES[::-1]), given)


def test_particles_that_it_never_got(tmp_path, given):
    """A data.star of another run, copied in, would become the output under this run's name."""
    made = _particles(tmp_path / 'made.star', NAMES[:3] + ['TS_09/%d' % number for number in range(5)])
    for every in (True, False):
        with pytest.raises(StarError) as caught:
            check_given(made, given, every)
        told = str(caught.value)
        assert made in told and '5 of 8 particles are not those' in told
        assert 'TS_09/0, TS_09/1, TS_09/2, ..., in %s' % given in told and 'TS_09/3' not in told


def test_particles_that_are_lost(tmp_path, given):
    """Fewer particles in each step, and nobody told: after an extraction only that is as it should be."""
    made = _particles(tmp_path / 'made.star', NAMES[1:])
    check_given(made, given, every=False)
    with pytest.raises(StarError, match=r'1 of 5 particles that RELION got are not in it \(TS_01/1, in'):
        check_given(made, given)


@pytest.mark.parametrize('made, more', [(NAMES, ''), (NAMES[1:], ''), (NAMES + ['TS_02/4'], 'TS_02'),
                                        (NAMES[:2] + ['TS_03/1'], 'TS_03'), (NAMES[1:] + ['TS_02/9'], 'TS_02')])
def test_picks_without_names_are_counted_by_tomogram(tmp_path, made, more):
    """RELION names coordinates when it extracts them; fewer are right (outside of the tomogram), more cannot be of them."""
    given, made = _particles(tmp_path / 'given.star', NAMES, named=False), _particles(tmp_path / 'made.star', made)
    if not more:
        check_given(made, given, every=False)
        return
    with pytest.raises(StarError, match='has more particles of %s than RELION got' % more):
        check_given(made, given, every=False)


def test_columns_that_are_missing_are_named(tmp_path, given):
    """Without the name particles would be joined by their place, which is another after sorting."""
    made = _particles(tmp_path / 'made.star', NAMES, named=False)
    with pytest.raises(StarError, match=r'rlnTomoParticleName is missing'):
        check_given(made, given)
    write_star(tmp_path / 'plain.star', {'particles': pd.DataFrame({'rlnTomoParticleName': NAMES})})
    with pytest.raises(StarError, match=r'plain\.star.*rlnTomoName is missing'):
        check_given(str(tmp_path / 'plain.star'), given)


def test_an_empty_table_is_a_loss(tmp_path, given):
    """A job that ends with no particle must not look like one with nothing to complain of."""
    nothing = pd.DataFrame({'rlnTomoParticleName': [], 'rlnTomoName': []}, dtype=str)
    write_star(tmp_path / 'empty.star', {'particles': nothing})
    with pytest.raises(StarError, match='5 of 5 particles that RELION got are not in it'):
        check_given(str(tmp_path / 'empty.star'), given)


def test_bodies_have_a_row_for_each_particle(tmp_path, given):
    """Tables of bodies are matched by their place: one row less, and all after it are another particle's."""
    made = _particles(tmp_path / 'made.star', NAMES, images_body_1=pd.DataFrame({'rlnAngleRot': [0.0] * 5}),
                      images_body_2=pd.DataFrame({'rlnAngleRot': [0.0] * 4}))
    with pytest.raises(StarError, match=r'images_body_2.*has 4 rows, and there are 5 particles'):
        check_given(made, given)


def test_a_file_that_was_cut_is_refused(tmp_path, given):
    """The rows that are left would be taken for all."""
    made = _particles(tmp_path / 'made.star', NAMES)
    with open(made) as file:
        lines = file.read().rstrip().splitlines()
    with open(made, 'w') as file:
        file.write('\n'.join(lines[:-2]) + '\n')  # whole rows alone
    with pytest.raises(StarError, match='cut|closed|whole|end'):
        check_given(made, given, every=False)
