"""Particles of several files for one job: each row with its own values, optics, tomogram and trajectory."""
import os

import numpy as np
import pandas as pd
import pytest

from relionsta.convert.errors import ConvertError
from relionsta.convert.job_inputs import check_job_inputs, job_inputs, write_job_inputs
from relionsta.convert.poses import COORDINATES
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star, write_star
from relionsta.star.trajectories import read_trajectories, still_trajectory, write_trajectories

from .convert_particle_files import read, write_particles
from .convert_scene import make_coordinates, make_tomograms
from .convert_tomogram_files import change_block, write_tomograms

NAMES_2 = ['TS_0%d/%d' % (row % 2 + 3, row) for row in range(8)]
TOMOGRAMS_2 = ['TS_0%d' % (row % 2 + 3) for row in range(8)]


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir('job000')


def session(path, number, coordinates=None, tomograms_star=None, trajectories_star=None, **columns):
    """A set of 8 particles in TS_01 and TS_02 (session 1) or TS_03 and TS_04 (session 2)."""
    if number == 2:
        columns = {'names': NAMES_2, 'rlnTomoName': TOMOGRAMS_2, 'seed': 11, **columns}
    write_particles(path, **columns)
    name = tomograms_star or write_tomograms('tomograms%d.star' % number, ['TS_01', 'TS_02'] if number == 1 else
                                             ['TS_03', 'TS_04'], folder='session%d' % number)
    return read(path, coordinates, tomograms_star=name, trajectories_star=trajectories_star,
                prefix=os.path.splitext(path)[0])


def united(*sets, file='united'):
    """The particles of several sets in turn, one of each at a time, as any plugin could mix them."""
    result = SetOfStaParticles.create('.', prefix=file)
    result.copyInfo(sets[0])
    for items in zip(*([item.clone() for item in one.iterItems()] for one in sets)):
        for item in items:
            item.setObjId(None)
            result.append(item)
    result.write()
    return result


def test_rows_of_two_files_in_the_order_of_the_set():
    """A row in another's place, or without its own columns, is a wrong pose or a lost one."""
    both = united(session('a.star', 1), session('b.star', 2))
    files = write_job_inputs(both, 'job000')
    assert files == job_inputs(both, 'job000') == ('job000/particles.star', 'job000/tomograms.star', '')
    one, two = (read_star(path)['particles'] for path in ('a.star', 'b.star'))
    expected = pd.concat([one, two], ignore_index=True).iloc[[row + 8 * file for row in range(8) for file in (0, 1)]]
    pd.testing.assert_frame_equal(read_star(files.particles)['particles'], expected.reset_index(drop=True))
    table = read_star(files.tomograms)['global']
    assert list(table['rlnTomoName']) == ['TS_01', 'TS_02', 'TS_03', 'TS_04']
    assert list(table['rlnTomoTiltSeriesStarFile']) == ['session1/TS_01.star', 'session1/TS_02.star',
                                                        'session2/TS_03.star', 'session2/TS_04.star']
    first = [open(path, 'rb').read() for path in files[:2]]
    write_job_inputs(both, 'job000')
    assert [open(path, 'rb').read() for path in files[:2]] == first


def test_a_set_of_one_file_names_its_own_tomograms():
    """Nothing is written twice for a set that was not joined, nor for the part of a joined set from one file."""
    one, two = session('a.star', 1), session('b.star', 2)
    assert write_job_inputs(one, 'job000') == ('job000/particles.star', 'tomograms1.star', '')
    assert os.listdir('job000') == ['particles.star']
    both, part = united(one, two), SetOfStaParticles.create('.', prefix='part')
    part.copyInfo(both)
    for item in both.iterItems():
        if item.getParticleName() in NAMES_2:
            part.append(item)
    part.write()
    assert write_job_inputs(part, 'job000') == ('job000/particles.star', 'tomograms2.star', '')


def test_optics_groups_are_one_only_where_they_are_equal():
    """A particle in a group of another voltage or aberration gets a wrong CTF."""
    one, two = session('a.star', 1), session('b.star', 2)
    optics = read_star(write_merged(one, two))['optics']
    assert list(optics['rlnOpticsGroupName']) == ['007'] and list(optics['rlnOpticsGroup']) == [1]
    change_block('b.star', 'optics', rlnVoltage=200.0, rlnOpticsGroup=5)
    change_block('b.star', 'particles', rlnOpticsGroup=5)
    blocks = read_star(write_merged(one, two))
    assert list(blocks['optics']['rlnOpticsGroupName']) == ['007', '007_2']
    assert list(blocks['optics']['rlnOpticsGroup']) == [1, 2] and list(blocks['optics']['rlnVoltage']) == [300.0, 200.0]
    groups = blocks['particles'].groupby('rlnTomoName')['rlnOpticsGroup'].unique()
    assert {name: list(numbers) for name, numbers in groups.items()} == {'TS_01': [1], 'TS_02': [1], 'TS_03': [2],
                                                                         'TS_04': [2]}
    change_block('b.star', 'optics', rlnVoltage=300.0000001, rlnOddZernike='[0.5,1.5,2]')
    optics = read_star(write_merged(one, two))['optics']
    assert list(optics['rlnOddZernike']) == ['[0,0,0]', '[0.5,1.5,2]'] and len(optics) == 2


def write_merged(*sets):
    return write_job_inputs(united(*sets, file='merged%d' % len(os.listdir('.'))), 'job000').particles


def test_columns_that_one_file_has():
    """RELION fills a missing value with 0, also where 0 is a wrong scale or prior; nothing may be lost in silence."""
    one, two = session('a.star', 1), session('b.star', 2)
    rows = read_star('b.star')['particles']
    rows = rows.drop(columns=['rlnNormCorrection', 'rlnTomoSubtomogramRot', 'rlnTomoSubtomogramTilt',
                              'rlnTomoSubtomogramPsi', 'rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst'])
    change_block('b.star', 'particles', rows)
    change_block('a.star', 'particles', rlnAngleTiltPrior=45.0, rlnMaxValueProbDistribution=0.5, rlnGroupNumber=1)
    two = read('b.star', tomograms_star='tomograms2.star', prefix='again')
    table = read_star(write_merged(one, two))['particles'].set_index('rlnTomoParticleName').loc[NAMES_2]
    assert (table['rlnNormCorrection'] == 1).all() and (table['rlnMaxValueProbDistribution'] == 0).all()
    assert (table[['rlnOriginXAngst', 'rlnTomoSubtomogramTilt']] == 0).all(axis=None)
    np.testing.assert_array_equal(table['rlnAngleTiltPrior'], rows['rlnAngleTilt'])
    assert list(table['rlnGroupNumber'].unique()) == [2, 4]
    change_block('b.star', 'particles', rlnHelicalTubeID=1)
    with pytest.raises(ConvertError, match=r'column rlnHelicalTubeID \(block data_particles; b.star has it\).*Join part'):
        write_merged(one, two)


def test_kinds_that_do_not_go_together():
    """2D stacks read as 3D, or one file's body tables for both, end in wrong images."""
    one, two = session('a.star', 1), session('b.star', 2)
    for block, values, message in (
            ('general', dict(rlnTomoSubTomosAre2DStacks=0), 'rlnTomoSubTomosAre2DStacks is 1 in a.star and 0 in b.star'),
            ('images_body_1', pd.DataFrame({'rlnAngleRot': np.zeros(8)}), 'b.star has a block data_images_body_1 and')):
        saved = open('b.star').read()
        if isinstance(values, dict):
            change_block('b.star', block, **values)
        else:
            change_block('b.star', block, values)
        with pytest.raises(ConvertError, match=message):
            write_merged(one, two)
        assert not os.listdir('job000')
        with open('b.star', 'w') as file:
            file.write(saved)


def test_one_tomogram_in_two_files():
    """Two extractions of one tilt series are no clash; another alignment under the same name is."""
    one = session('a.star', 1)
    write_tomograms('tomograms2.star', ['TS_01', 'TS_02'], folder='copy')
    two = session('b.star', 2, names=['TS_01/%d' % row for row in range(10, 18)], rlnTomoName='TS_01',
                  tomograms_star='tomograms2.star')
    files = write_job_inputs(united(one, two), 'job000')
    assert list(read_star(files.tomograms)['global']['rlnTomoTiltSeriesStarFile']) == ['session1/TS_01.star',
                                                                                     'session1/TS_02.star']
    change_block('copy/TS_01.star', 'TS_01', rlnTomoYTilt=np.arange(3.0))
    with pytest.raises(ConvertError, match='1 tilt series has the same name.*TS_01 is in tomograms1.star and in tomograms2'):
        check_job_inputs(united(one, two, file='clash'))
    change_block('copy/TS_01.star', 'TS_01', rlnTomoYTilt=np.zeros(3))
    change_block('tomograms2.star', 'global', rlnTomoHand=1.0)
    with pytest.raises(ConvertError, match='TS_01'):
        check_job_inputs(united(one, two, file='hand'))


def test_tomograms_of_other_microscopes():
    """RELION ties tomograms to an optics group by its name."""
    one, two = session('a.star', 1), session('b.star', 2)
    change_block('tomograms2.star', 'global', rlnVoltage=200.0, rlnTomoDefocusSlope=0.5)
    change_block('b.star', 'optics', rlnVoltage=200.0)
    table = read_star(write_job_inputs(united(one, two), 'job000').tomograms)['global']
    assert list(table['rlnOpticsGroupName']) == ['007', '007', '007_2', '007_2']
    assert list(table['rlnTomoDefocusSlope']) == [1, 1, 0.5, 0.5]
    change_block('tomograms2.star', 'global', rlnTomoTiltSeriesName='whole.mrc')
    with pytest.raises(ConvertError, match='the column rlnTomoTiltSeriesName'):
        check_job_inputs(united(one, two, file='again'))


def test_trajectories_of_some():
    """RELION stops at a particle without a trajectory, and takes one of another name for none."""
    write_particles('a.star')
    moves = {name: still_trajectory(3).replace('0.0', str(row + 1.5), 1)
             for row, name in enumerate(read_star('a.star')['particles']['rlnTomoParticleName'])}
    write_trajectories('motion.star', moves)
    both = united(session('a.star', 1, trajectories_star='motion.star'), session('b.star', 2))
    files = write_job_inputs(both, 'job000')
    assert files.trajectories == 'job000/motion.star'
    found = read_star(files.trajectories)
    assert found.pop('general')['rlnParticleNumber'].iloc[0] == 16 and len(found) == 16
    assert found['TS_02/1'].to_numpy().tolist() == [[2.5, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found['TS_04/1'].to_numpy().tolist() == np.zeros((3, 3)).tolist()
    assert list(read_trajectories('motion.star')) == list(moves)
    moves.pop('TS_02/1')
    write_trajectories('motion.star', moves)
    with pytest.raises(ConvertError, match='motion.star lacks the trajectories of 1 particles, the first of them TS_02/1'):
        write_job_inputs(both, 'job000')


def test_one_name_twice():
    """RELION would read two particles as one; the message must say where they come from."""
    one = session('a.star', 1)
    with pytest.raises(ConvertError, match='TS_01/0 is in the set twice .from a.star and b.star., as are 7 others; join'):
        write_merged(one, session('b.star', 1))
    with pytest.raises(ConvertError, match='TS_01/0 is in the set twice, as are 7 others; join'):
        write_merged(one, one)


def test_positions_in_tomograms_that_the_set_does_not_know():
    """Scipion's join keeps the coordinates of the first set: those of the others still are where they were."""
    first, second = make_tomograms(['TS_01', 'TS_02']), make_tomograms(['TS_03', 'TS_04'])
    one = session('a.star', 1, make_coordinates(first))
    two = session('b.star', 2, make_coordinates(second))
    files = write_job_inputs(united(one, two), 'job000')
    rows = read_star(files.particles)['particles'].set_index('rlnTomoParticleName')
    before = read_star('b.star')['particles'].set_index('rlnTomoParticleName')
    pd.testing.assert_frame_equal(rows.loc[NAMES_2, COORDINATES], before[COORDINATES])
    # What RELION makes of them is read back to the same places, tomogram or none.
    again = read(files.particles, one.getCoordinates3D(), tomograms_star=files.tomograms, prefix='again')
    write_job_inputs(again, 'job000')
    pd.testing.assert_frame_equal(read_star(files.particles)['particles'].set_index('rlnTomoParticleName'), rows)
    assert [item.getVolId() is None for item in again.iterItems()] == [False, True] * 8
    corner = make_tomograms(['TS_03', 'TS_04'], origins={'TS_03': (0, 0, 0), 'TS_04': (0, 0, 0)}, size=(200, 200, 100))
    two = session('b.star', 2, make_coordinates(corner))
    with pytest.raises(ConvertError, match='does not know the tomogram of particle TS_03/0.*Join particles'):
        write_job_inputs(united(one, two, file='far'), 'job000')


def test_disabled_particles_and_none_at_all():
    """What a user has switched off must not count, and a set of nothing else must be told."""
    both = united(session('a.star', 1), session('b.star', 2))
    for item in [item.clone() for item in both.iterItems()]:
        item.setEnabled(item.getObjId() == 4)
        both.update(item)
    both.write()
    files = write_job_inputs(both, 'job000')
    assert list(read_star(files.particles)['particles']['rlnTomoParticleName']) == ['TS_04/1']
    assert list(read_star(files.tomograms)['global']['rlnTomoName']) == ['TS_04']
    item = both[4].clone()
    item.setEnabled(False)
    both.update(item)
    both.write()
    with pytest.raises(ConvertError, match='no enabled particles'):
        check_job_inputs(both)


def test_trajectories_as_relion_writes_them():
    """RELION's own spacing and version lines, and a file cut short."""
    write_star('relion.star', {'general': {'rlnParticleNumber': 2}, **{
        name: pd.DataFrame({'rlnOriginXAngst': [1.0, 2.0], 'rlnOriginYAngst': 0.0, 'rlnOriginZAngst': 0.0})
        for name in ('TS_01/1', 'TS_01/2')}})
    texts = read_trajectories('relion.star')
    write_trajectories('copy.star', {'S2_' + name: text for name, text in texts.items()})
    copy = read_star('copy.star')
    assert list(copy) == ['general', 'S2_TS_01/1', 'S2_TS_01/2']
    assert copy['S2_TS_01/2']['rlnOriginXAngst'].tolist() == [1.0, 2.0]
    for text, message in ((None, 'cannot be read'), ('data_general\n\n_rlnParticleNumber 1\n\n', 'holds no trajectory')):
        if text:
            with open('bad.star', 'w') as file:
                file.write(text)
        with pytest.raises(ValueError, match=message):
            read_trajectories('bad.star')
