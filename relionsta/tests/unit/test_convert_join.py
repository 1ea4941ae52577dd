"""Sets of several sessions in one: who keeps a name, who gets another, and where their files are found."""
import os

import numpy as np
import pandas as pd
import pytest

from relionsta.convert import join
from relionsta.convert.errors import ConvertError
from relionsta.convert.job_inputs import merge_trajectories
from relionsta.convert.merge import merge_particles
from relionsta.convert.merge_tomograms import merge_tomograms, write_tomograms
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star
from relionsta.star.trajectories import still_trajectory, write_trajectories

from .convert_particle_files import read, write_particles
from .convert_tomogram_files import TILTS, change_block
from .convert_tomogram_files import write_tomograms as write_tomograms_file

RENAME = join.JoinRules(tomograms=join.RENAME)


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def session(number, series=('TS_01', 'TS_02'), folder=None, motion=None, **columns):
    path = 'session%d.star' % number
    write_particles(path, seed=number, **columns)
    tomograms = write_tomograms_file('tomograms%d.star' % number, list(series), folder or 'series%d' % number)
    return read(path, tomograms_star=tomograms, trajectories_star=motion, prefix=new_name('session'))


def new_name(name):
    return '%s%d' % (name, len(os.listdir('.')))


def other_images(number):
    """Another session: the images of its tilt series are others."""
    for name in ('TS_01', 'TS_02'):
        change_block('series%d/%s.star' % (number, name), name,
                     rlnMicrographName=['%d@other/%s.mrc:mrcs' % (row + 1, name) for row in range(TILTS)])


def test_other_tilt_series_of_the_same_name_are_renamed():
    """Particles, tomograms, tilt series and trajectories get the new name alike; images keep theirs."""
    write_particles('session2.star', seed=2)
    names = read_star('session2.star')['particles']['rlnTomoParticleName']
    write_trajectories('motion2.star', {name: still_trajectory(TILTS).replace('0.0', '%d.5' % row, 1)
                                        for row, name in enumerate(names)})
    sets = [session(1), session(2, motion='motion2.star')]
    other_images(2)
    with pytest.raises(ConvertError, match=r'2 tilt series of input 2 \(TS_01, TS_02\) are called like others'):
        join.join_sets(sets, join.JoinRules())
    joined = join.join_sets(sets, RENAME)
    assert joined.tomograms == [{}, {'S2_TS_01': 'TS_01', 'S2_TS_02': 'TS_02'}]
    assert (joined.taken, joined.left_out, joined.renamed) == ([8, 8], [0, 0], [0, 0])
    table = merge_particles(joined.parts)['particles']
    one, two = (read_star('session%d.star' % number)['particles'] for number in (1, 2))
    two['rlnTomoName'] = 'S2_' + two['rlnTomoName']
    two['rlnTomoParticleName'] = 'S2_' + two['rlnTomoParticleName']
    pd.testing.assert_frame_equal(table, pd.concat([one, two], ignore_index=True))
    tomograms = merge_tomograms(joined.parts)
    os.mkdir('job000')
    write_tomograms(tomograms, 'job000/tomograms.star', joined.tomograms[1])
    written = read_star('job000/tomograms.star')['global'].set_index('rlnTomoName')['rlnTomoTiltSeriesStarFile']
    assert dict(written) == {'TS_01': 'series1/TS_01.star', 'TS_02': 'series1/TS_02.star',
                             'S2_TS_01': 'job000/tilt_series/S2_TS_01.star',
                             'S2_TS_02': 'job000/tilt_series/S2_TS_02.star'}
    pd.testing.assert_frame_equal(read_star(written['S2_TS_02'])['S2_TS_02'], read_star('series2/TS_02.star')['TS_02'])
    trajectories = merge_trajectories(joined.parts, read_star('job000/tomograms.star')['global'])
    assert set(trajectories) == set(table['rlnTomoParticleName'])
    assert '\n3.5 0.0' in trajectories['S2_TS_02/3'] and '3.5' not in trajectories['TS_02/3']


def test_the_same_tilt_series_are_not_renamed():
    """Two picks of one data set: the tilt series stay one, and the particles of the second get other names."""
    sets = [session(1, folder='same'), session(2, folder='same')]
    with pytest.raises(ConvertError, match=r'8 particles of input 2 .*first of them TS_01/0; they are [\d.]+ Å apart in'):
        join.join_sets(sets, RENAME)
    joined = join.join_sets(sets, join.JoinRules(particles=join.RENAME))
    assert joined.renamed == [0, 8] and not any(joined.tomograms)
    table = merge_particles(joined.parts)['particles']
    assert list(table['rlnTomoParticleName'][8:10]) == ['TS_01/S2_0', 'TS_02/S2_1']
    assert list(table['rlnTomoName'][8:10]) == ['TS_01', 'TS_02']
    assert list(table['rlnImageName'][8:10]) == ['job/0_stack2d.mrcs', 'job/1_stack2d.mrcs']
    assert len(joined.object_ids()) == 8, 'ids that are taken are not given again'
    three = join.join_sets([*sets, sets[1]], join.JoinRules(particles=join.RENAME))
    assert merge_particles(three.parts)['particles']['rlnTomoParticleName'].is_unique


def test_the_first_of_the_same_particles_stays():
    """The pose of a particle is that of the first input that has it."""
    sets = [session(1, folder='same'), session(2, folder='same')]
    joined = join.join_sets(sets, join.JoinRules(particles=join.FIRST))
    assert (joined.taken, joined.left_out) == ([8, 0], [0, 8])
    pd.testing.assert_frame_equal(merge_particles(joined.parts)['particles'], read_star('session1.star')['particles'])
    sets[1] = session(2, folder='same', names=['TS_0%d/%d' % (row % 2 + 1, row + 5) for row in range(8)])
    names = list(read_star('session2.star')['particles']['rlnTomoParticleName'])
    joined = join.join_sets(sets, join.JoinRules(particles=join.FIRST))
    table = merge_particles(joined.parts)['particles']
    left = [name for name in names if name not in set(read_star('session1.star')['particles']['rlnTomoParticleName'])]
    assert list(table['rlnTomoParticleName'][8:]) == left and joined.taken == [8, len(left)]


def test_optics_groups_and_half_sets():
    """Sessions may keep a group each, of which the noise is measured apart; half sets are for all or none."""
    sets = [session(1), session(2, ('TS_03', 'TS_04'), names=['TS_0%d/%d' % (row % 2 + 3, row) for row in range(8)],
                                rlnTomoName=['TS_0%d' % (row % 2 + 3) for row in range(8)])]
    joined = join.join_sets(sets, join.JoinRules())
    blocks = merge_particles(joined.parts, keep_optics_apart=True)
    assert list(blocks['optics']['rlnOpticsGroupName']) == ['007', '007_2']
    assert list(blocks['particles']['rlnOpticsGroup']) == [1] * 8 + [2] * 8
    unsplit = SetOfStaParticles.create('.', prefix=new_name('unsplit'))
    unsplit.copyInfo(sets[1])
    for item in sets[1].iterItems():
        item.setRandomSubset(0)
        unsplit.append(item)
    unsplit.write()
    sets[1] = unsplit
    with pytest.raises(ConvertError, match='some inputs have half sets'):
        join.join_sets(sets, join.JoinRules())
    forgotten = merge_particles(join.join_sets(sets, join.JoinRules(forget_halves=True)).parts)
    assert 'rlnRandomSubset' not in forgotten['particles']


def test_a_column_that_only_some_have_can_be_left_out():
    """A foreign column must not keep two sessions apart for ever."""
    sets = [session(1), session(2, ('TS_03', 'TS_04'), names=['TS_0%d/%d' % (row % 2 + 3, row) for row in range(8)],
                                rlnTomoName=['TS_0%d' % (row % 2 + 3) for row in range(8)], rlnHelicalTubeID=1)]
    parts = join.join_sets(sets, join.JoinRules()).parts
    with pytest.raises(ConvertError, match='rlnHelicalTubeID'):
        merge_particles(parts)
    table = merge_particles(parts, drop_partial=True)['particles']
    assert 'rlnHelicalTubeID' not in table and len(table) == 16 and 'rlnOurOwnColumn' in table


@pytest.mark.parametrize('change, message', [
    (lambda one: one.setBoxSize(48), r'the box \(pixels\) of input 1 is 32 and that of input 2 is 48; extract all'),
    (lambda one: one.setKind('3D pseudo-subtomos'), 'the kind of images of input 1 is 2D stacks and that of input 2 is 3D'),
    (lambda one: one.setTiltSeriesPixelSize(1.52), r'pixel size of the tilt series \(Å\) of input 1 is 1.5 and that of'),
    (lambda one: one.setSamplingRate(3.8), r'the pixel size of the particles \(Å\) of input 1 is 3.75 and that')])
def test_sets_that_cannot_go_together(change, message):
    """RELION averages particles of two pixel sizes without a word, at one of the two."""
    sets = [session(1), session(2)]
    join.check_alike(sets)
    change(sets[1])
    with pytest.raises(ConvertError, match=message):
        join.check_alike(sets)
    sets[1] = session(2)
    sets[1].setSamplingRate(sets[0].getSamplingRate() * (1 + 1e-6))
    join.check_alike(sets)
    assert np.isfinite(sets[1].getSamplingRate())
