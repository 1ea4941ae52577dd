"""Names that RELION or Scipion cannot work with, and what is done with those that stand in STAR files."""
import os
from pathlib import Path

import pandas as pd
import pytest

from relionsta.convert.errors import ConvertError
from relionsta.convert.relion_import import bring
from relionsta.convert.series import check_ts_id, scipion_ts_id
from relionsta.names import particle_trouble, path_trouble, series_trouble, suspects
from relionsta.sources.relion_job import read_relion_job
from relionsta.star import StarError, read_star, write_star
from relionsta.star.schemas import check_particle_names
from relionsta.tests.faults.injectors.hostile import NAMES

from .convert_particle_files import write_particles
from .convert_tomogram_files import change_block, write_tomograms

#: What RELION 5.1 was seen to work with, as the name of a tilt series and as part of a path.
GOOD = ('TS_01', '007', '-TS_01', 'a.b', 'Größe_µ', '粒子', 'data_x', 'loop_', 'x' * 200, '1')
#: Each of these made RELION run something, write elsewhere, put all particles into one file, or stop.
BAD = ('TS 01', "TS'01", 'TS"01', '$(>x)', '`>x`', 'a;>x;', 'a&b', 'a|b', 'a<b', 'a(1)', 'a\\b', '$HOME', '100%s', 'a#b',
       'a:mrc', 'a\nb', 'a\tb', 'a\x7fb', 'a\u00a0b')


@pytest.mark.parametrize('name', GOOD)
def test_good_names(name: str) -> None:
    """A rule that is too eager keeps people from their data."""
    assert series_trouble(name) == particle_trouble(name + '/7') == path_trouble('./maps/%s.mrc' % name) == ''
    assert path_trouble('maps/%s.mrc:mrc' % name) == path_trouble(name.lstrip('-') + '.st:mrcs') == ''
    assert not suspects(['%s/%d' % (name, number) for number in range(3)]) or name == 'x' * 200 or name.startswith('-')


@pytest.mark.parametrize('name', BAD)
def test_bad_names(name: str) -> None:
    """Each cost a run, an image or worse."""
    for trouble in (series_trouble(name), particle_trouble(name + '/7'), path_trouble('maps/%s.mrc' % name)):
        assert ': ' in trouble  # a reason and a fix
    assert suspects(['TS_01/1', name + '/7'])


@pytest.mark.parametrize('name', ['..', '.', '', 'a/b', '../x', '/tmp/x', '_rlnX', 'x' * 201, 'é' * 101, 'a*b', 'a+b'])
def test_names_that_make_no_folder(name: str) -> None:
    """RELION makes a folder for each tilt series; it must be one, and inside of the job's."""
    assert series_trouble(name)


@pytest.mark.parametrize('name', ['../x/7', '/tmp/x', 'TS_01/../../x', 'a//b', './a', '_rln/7', 'TS_01/'])
def test_names_of_particles_stay_inside(name: str) -> None:
    """RELION writes the image of a particle at its name."""
    assert particle_trouble(name) and suspects(['TS_01/1', name])
    with pytest.raises(StarError, match='row 2'):
        check_particle_names(pd.DataFrame({'rlnTomoName': 'TS_01', 'rlnTomoParticleName': ['TS_01/1', name]}))


@pytest.mark.parametrize('path', ['-m.mrc', '1@m.mrc', 'a,b.mrc', 'x' * 256])
def test_paths_that_are_read_as_something_else(path: str) -> None:
    """An option, an image of a stack, two files of a list."""
    assert path_trouble(path) and path_trouble('./' + path) in ('', path_trouble(path), path_trouble('a,b.mrc'))


def test_a_million_names_are_looked_at_quickly() -> None:
    """Every validation of particles looks at all of them."""
    assert not suspects(['TS_%02d/%d' % (number % 60, number) for number in range(1000000)])


@pytest.mark.parametrize('name', [one.text for one in NAMES], ids=[one.what for one in NAMES])
def test_scipion_has_a_table_for_the_name_or_a_reason(name: str) -> None:
    """Scipion puts the name into SQL as it is."""
    try:
        check_ts_id(scipion_ts_id(name))
    except ConvertError as error:
        assert repr(name)[1:-1][:60] in str(error) or repr(scipion_ts_id(name))[1:-1][:60] in str(error)


@pytest.mark.parametrize('name', ['../../../outside', 'up/../../outside', '%s/outside'])
def test_import_writes_nothing_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The name of a tomogram in a STAR file became the path of a file, also while the form was only looked at."""
    monkeypatch.chdir(tmp_path)
    name = name.replace('%s', str(tmp_path))
    (tmp_path / 'deep' / 'er').mkdir(parents=True)
    write_particles('particles.star', names=['TS_01/%d' % row for row in range(8)])
    write_tomograms('tomograms.star', ['TS_01', 'TS_02'], 'tilts')
    change_block('tomograms.star', 'global', rlnTomoName=[name, 'TS_02'])
    job = read_relion_job('particles.star', str(tmp_path), 'tomograms.star')
    before = {str(path) for path in tmp_path.rglob('*')}
    with pytest.raises(StarError, match='rlnTomoName'):
        bring(job, str(tmp_path / 'deep' / 'er'), '', {})
    new = {str(path) for path in tmp_path.rglob('*')} - before
    assert all(path.startswith(str(tmp_path / 'deep' / 'er')) for path in new), new


def test_python_text_in_cells_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a cell says, it is read and written back as it is."""
    monkeypatch.chdir(tmp_path)
    cells = ["__import__('os').system('touch\u00a0hurt')", '{0.__class__}', '%(x)s', '$(touch hurt)', '../../x', '/etc/x']
    write_star('cells.star', {'particles': pd.DataFrame({'rlnTomoName': cells})})
    assert read_star('cells.star')['particles']['rlnTomoName'].tolist() == cells
    assert os.listdir('.') == ['cells.star']
