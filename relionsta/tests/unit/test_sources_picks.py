"""Picks of pytom-match-pick and RELION: what the numbers mean, and whose they are."""
import time

import numpy as np
import pandas as pd
import pytest
import starfile

from relionsta.sources import CENTERED, UNBINNED, VOXEL, SourceError, match_tomogram, read_picks


def pytom(name='TS_01_Vol', n=5, seed=1, **changed):
    """A table as pytom_extract_candidates.py writes it."""
    random = np.random.default_rng(seed)
    table = {'rlnCoordinate' + axis: random.integers(10, 200, n) for axis in 'XYZ'}
    table.update({'rlnAngle' + end: random.uniform(-180, 180, n).round(4) for end in ('Rot', 'Tilt', 'Psi')})
    table.update(rlnLCCmax=random.uniform(.1, .4, n).round(5), rlnCutOff=.09, rlnSearchStd=.01)
    table.update(rlnDetectorPixelSize=13.8, rlnMicrographName=name)
    table.update(changed)
    return pd.DataFrame(table)


def compat(table):
    """The same with --relion5-compat: centred Angstrom, and the voxel size under a wrong name."""
    out = table.rename(columns={'rlnMicrographName': 'rlnTomoName',
                                'rlnDetectorPixelSize': 'rlnTomoTiltSeriesPixelSize',
                                **{'rlnCoordinate' + a: 'rlnCenteredCoordinate%sAngst' % a for a in 'XYZ'}})
    for axis in 'XYZ':
        out['rlnCenteredCoordinate%sAngst' % axis] = (table['rlnCoordinate' + axis] - 100.) * 13.8
    return out


def write(path, blocks):
    path.parent.mkdir(parents=True, exist_ok=True)
    starfile.write(blocks, path, overwrite=True)
    return path


def test_pytom(tmp_path):
    """Voxel indexes with their voxel size, RELION angles as they are, and the score."""
    table = pytom()
    picks = read_picks(write(tmp_path / 'TS_01_Vol_particles.star', table))
    assert picks.coordinates == VOXEL and picks.oriented and picks.tomo_names == ['TS_01_Vol']
    got = picks.table
    assert np.array_equal(got[['x', 'y', 'z']], table[['rlnCoordinate' + axis for axis in 'XYZ']])
    assert np.allclose(got[['rot', 'tilt', 'psi']], table[['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi']], atol=1e-6)
    assert (got[['sub_rot', 'sub_tilt', 'sub_psi']] == 0).all(axis=None) and (got['voxel_size'] == 13.8).all()
    assert np.allclose(got['score'], table['rlnLCCmax']) and (got['rlnCutOff'] == .09).all() and picks.warnings == []
    assert 'rlnMicrographName' not in got and 'rlnCoordinateX' not in got


def test_pytom_relion5_compat(tmp_path):
    """Its rlnTomoTiltSeriesPixelSize is the voxel size: left in place RELION would read it as that of the images."""
    picks = read_picks(write(tmp_path / 'a.star', {'particles': compat(pytom('TS_01'))}))
    assert picks.coordinates == CENTERED and (picks.table['voxel_size'] == 13.8).all()
    assert 'rlnTomoTiltSeriesPixelSize' not in picks.table
    assert np.allclose(picks.table['x'], (pytom()['rlnCoordinateX'] - 100.) * 13.8)


def test_folder_and_pattern_of_pytom_files(tmp_path):
    """One file per tomogram; a file without picks and files of other kinds do no harm, and are named."""
    for i in (1, 2):
        write(tmp_path / ('TS_0%d_particles.star' % i), pytom('TS_0%d' % i, seed=i))
    write(tmp_path / 'TS_03_particles.star', pytom('TS_03', n=0))
    write(tmp_path / 'other.star', {'': pd.DataFrame({'rlnVoltage': [200., 300.]})})
    picks = read_picks(tmp_path)
    assert picks.tomo_names == ['TS_01', 'TS_02'] and len(picks.table) == 10 and len(picks.files) == 3
    assert picks.table.index.tolist() == list(range(10)) and picks.table['x'].dtype == float
    assert picks.warnings == ['left out, because there are no picks in them: other.star.',
                              'no picks in TS_03_particles.star.']
    assert len(read_picks(str(tmp_path / 'TS_*.star')).table) == 10
    write(tmp_path / 'merged.star', {'particles': pd.concat([pytom('TS_01', seed=1), pytom('TS_02', seed=2)])})
    with pytest.raises(SourceError, match='the same picks are in .*TS_01_particles.star and .*merged.star|'
                                          'the same picks are in .*merged.star and .*TS_01_particles.star'):
        read_picks(tmp_path)


def test_list_star(tmp_path):
    """A file may be listed for several tomograms; paths start at the project, above the list."""
    write(tmp_path / 'tm' / 'both.star', compat(pd.concat([pytom('TS_01', seed=1), pytom('rec_TS_02', seed=2)])))
    write(tmp_path / 'tm' / 'nameless.star', compat(pytom(seed=3)).drop(columns='rlnTomoName'))
    table = pd.DataFrame({'rlnTomoName': ['TS_01', 'TS_02', 'TS_03'],
                          'rlnTomoImportParticleFile': ['tm/both.star', 'tm/both.star', 'tm/nameless.star']})
    path = write(tmp_path / 'import' / 'list.star', {'particles': table})
    picks = read_picks(path)
    assert picks.table['tomo_name'].value_counts().to_dict() == {'TS_01': 5, 'TS_02': 5, 'TS_03': 5}
    assert len(picks.files) == 2 and picks.coordinates == CENTERED
    write(path, {'particles': table.replace('tm/nameless.star', 'tm/gone.star')})
    with pytest.raises(SourceError, match="list.star: rlnTomoImportParticleFile names 'tm/gone.star', which is"):
        read_picks(path)
    write(path, {'particles': table.replace('TS_01', 'TS_07')})
    with pytest.raises(SourceError, match="both.star: listed in .* for tomogram 'TS_07', but its picks are of TS_01"):
        read_picks(path)


def test_older_coordinates_of_relion(tmp_path):
    """Pixels of the unbinned tomogram: the pixel size is in the optics, or must come from the tilt series."""
    table = pd.DataFrame({'rlnTomoName': ['7', '007', 'TS_1'], 'rlnCoordinateX': [1., 2., 3.], 'rlnCoordinateY': 4.,
                          'rlnCoordinateZ': 5., 'rlnOpticsGroup': [2, 1, 2], 'rlnAutopickFigureOfMerit': [.1, .2, .3],
                          'rlnTomoParticleName': ['7/1', '007/1', 'TS_1/1']})
    optics = pd.DataFrame({'rlnOpticsGroup': [1, 2], 'rlnTomoTiltSeriesPixelSize': [1.5, 2.5]})
    picks = read_picks(write(tmp_path / 'p.star', {'optics': optics, 'particles': table}))
    assert picks.coordinates == UNBINNED and picks.table['voxel_size'].tolist() == [2.5, 1.5, 2.5]
    assert picks.tomo_names == ['7', '007', 'TS_1'] and picks.table['score'].tolist() == [.1, .2, .3]
    assert picks.table['rlnTomoParticleName'].tolist() == ['7/1', '007/1', 'TS_1/1'] and not picks.oriented
    alone = read_picks(write(tmp_path / 'q.star', {'particles': table}))
    assert alone.table['voxel_size'].isna().all()
    assert 'does not tell the pixel size of the tilt series' in alone.warnings[0]
    assert read_picks(tmp_path / 'q.star', coordinates=VOXEL).coordinates == VOXEL


def test_two_part_orientation_stays_in_two_parts(tmp_path):
    """Adding the angles would be wrong: the matrices multiply."""
    table = compat(pytom('TS_01')).assign(rlnTomoSubtomogramRot=10., rlnTomoSubtomogramTilt=20.,
                                          rlnTomoSubtomogramPsi=30., rlnOriginXAngst=4.)
    got = read_picks(write(tmp_path / 'p.star', {'particles': table})).table
    assert got[['sub_rot', 'sub_tilt', 'sub_psi']].iloc[0].tolist() == [10., 20., 30.]
    assert np.allclose(got['rot'], table['rlnAngleRot']) and (got['rlnOriginXAngst'] == 4.).all()


def test_iterations_of_one_refinement_are_refused(tmp_path):
    """Their poses differ, so only the names show that these are the same particles."""
    for i in (1, 2):
        table = compat(pytom('TS_01', seed=i)).assign(rlnTomoParticleName=['TS_01/%d' % k for k in range(5)])
        write(tmp_path / ('run_it00%d_data.star' % i), {'particles': table})
    with pytest.raises(SourceError, match='the same particle names are in .*it001_data.star and .*it002_data.star'):
        read_picks(str(tmp_path / 'run_it*_data.star'))


def test_picks_that_come_twice_in_a_file_are_told(tmp_path):
    """Two copies of a particle in both half sets make the resolution look better than it is."""
    table = pytom()
    picks = read_picks(write(tmp_path / 'p.star', pd.concat([table, table.iloc[:2]])))
    assert len(picks.table) == 7 and picks.warnings == ['2 picks are there more than once; all were kept.']


@pytest.mark.parametrize('change, message', [
    ({'rlnMicrographName': None}, r'p.star, block data_: no column rlnTomoName \(or rlnMicrographName\)'),
    ({'rlnCoordinateZ': None}, 'column rlnCoordinateZ is missing: all three'),
    ({'rlnAngleTilt': None}, 'rlnAngleRot, rlnAnglePsi without rlnAngleTilt'),
    ({'rlnCoordinateY': [1., 2., np.inf, 4., 5.]}, "row 3: rlnCoordinateY is 'inf', a number is expected"),
    ({'rlnAngleRot': [1., np.nan, 2., 4., 5.]}, "row 2: rlnAngleRot is '<NA>'"),
    ({'rlnDetectorPixelSize': 0.}, 'rlnDetectorPixelSize is 0: a size in Angstrom above 0'),
    ({'rlnMagnification': 10000.}, 'STAR file of RELION 3 or older'),
])
def test_unusable_tables(tmp_path, change, message):
    """A picked position that is not a number ends RELION minutes later without a word about the file."""
    table = pytom().assign(**{key: value for key, value in change.items() if value is not None})
    table = table.drop(columns=[key for key, value in change.items() if value is None])
    with pytest.raises(SourceError, match=message):
        read_picks(write(tmp_path / 'p.star', table))


def test_files_that_hold_no_picks(tmp_path):
    """Every wrong choice in the file dialog gives its own sentence."""
    with pytest.raises(SourceError, match='no STAR file found'):
        read_picks(tmp_path / 'gone.star')
    with pytest.raises(SourceError, match='no STAR file found'):
        read_picks(tmp_path)
    tomograms = pd.DataFrame({'rlnTomoName': ['a', 'b'], 'rlnVoltage': 300.})
    other = write(tmp_path / 'tomograms.star', {'global': tomograms})
    with pytest.raises(SourceError, match='no block has coordinates .* Found data_global: rlnTomoName, rlnVoltage'):
        read_picks(other)
    with pytest.raises(SourceError, match='none of 1 STAR files holds picks .*: tomograms.star'):
        read_picks(tmp_path)
    with pytest.raises(SourceError, match='there is no pick in it'):
        read_picks(write(tmp_path / 'e.star', pytom(n=0)))
    (tmp_path / 'text.star').write_text('hello\n')
    with pytest.raises(SourceError, match='text.star'):
        read_picks(tmp_path / 'text.star')
    with pytest.raises(SourceError, match="coordinates is 'px': give voxel or unbinned"):
        read_picks(other, coordinates='px')


def test_mixed_coordinates_are_refused(tmp_path):
    """Voxels and Angstrom in one set cannot be told apart afterwards."""
    write(tmp_path / 'a.star', pytom('TS_01'))
    write(tmp_path / 'b.star', compat(pytom('TS_02')))
    with pytest.raises(SourceError, match='different coordinates, voxel in .*a.star and centered in .*b.star'):
        read_picks(tmp_path)


def test_cut_file(tmp_path):
    """A table that was cut at any byte must not give fewer picks, or a shortened number, in silence."""
    path = write(tmp_path / 'p.star', {'particles': pytom(n=2)})
    whole = read_picks(path).table
    data = path.read_bytes().rstrip() + b'\n'
    for place in range(0, len(data) - 1):
        path.write_bytes(data[:place])
        try:
            got = read_picks(path).table
        except SourceError as error:
            assert 'p.star' in str(error)
            continue
        assert data[place - 1:place] == b'\n' and got.equals(whole.iloc[:len(got)]), data[:place]


@pytest.mark.parametrize('name, found', [
    ('TS_01', 'TS_01'), ('rec_TS_01', 'TS_01'), ('TS_01_Vol', 'TS_01'), ('TS_01_Vol.mrc', 'TS_01'),
    ('TS_01.mrc', 'TS_01'), ('a/b/rec_TS_01.mrc', 'TS_01'), ('TS_01_EVN_Vol', 'TS_01'), ('TS_01_2ND_Vol.mrc', 'TS_01'),
    ('TS_01_10.00Apx', 'TS_01'), ('TS_01.tomostar', 'TS_01'), ('TS_01_rec.mrc', 'TS_01'), ('TS_01_bin4.mrc', 'TS_01'),
    ('24jul-16a_Pos.1', 'TS_24jul_16a_Pos1'), ('rec_x', 'rec_x'), ('lamella_Vol', 'lamella_Vol'), ('S7_rec', 'S7.mrc'),
    ('TS_1', None), ('TS_010', None), ('', None), ('TS', None), ('XTS_01', None),
])
def test_match_tomogram(name, found):
    """Pickers decorate the name; a match that is too generous puts picks into the wrong tomogram."""
    known = ['TS_01', 'TS_02', 'TS_24jul_16a_Pos1', 'rec_x', 'lamella_Vol', 'S7.mrc']
    assert match_tomogram(name, known) == found


def test_match_tomogram_refuses_two_answers():
    """A guess between two tomograms is wrong half of the time."""
    with pytest.raises(SourceError, match="'a_Vol' may be any of a.mrc, a_EVN"):
        match_tomogram('a_Vol', ['a_EVN', 'a.mrc'])


def test_many_picks(tmp_path):
    """Reading is columns at once, not row by row."""
    path = write(tmp_path / 'p.star', {'particles': pytom(n=30000)})
    start = time.process_time()
    assert len(read_picks(path).table) == 30000
    assert time.process_time() - start < 3
