"""Particles between RELION's STAR files and Scipion's sets: nothing lost, nothing swapped, nothing moved."""
import numpy as np
import pandas as pd
import pytest
from pwem.objects import Transform
from tomo.constants import BOTTOM_LEFT_CORNER

from relionsta import geometry
from relionsta.convert.coordinates import coordinates_table, write_particles_star
from relionsta.convert.errors import ConvertError
from relionsta.convert.halves import split_halves
from relionsta.convert.particles import ids_by_name, read_particles, write_star_of_set
from relionsta.convert.poses import ANGLES, COORDINATES, ORIGINS, SUBTOMOGRAM_ANGLES, poses_of_rows
from relionsta.objects import NO_IMAGES, PSEUDO_SUBTOMOS, REAL_SUBTOMOS, STACKS_2D, SetOfStaParticles
from relionsta.star import StarError, read_star, write_star
from relionsta.tests.find import shared_data

from .convert_scene import SIZE, VOXEL, make_coordinates, make_tomograms, random_rotations

PIXEL = 1.5


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_particles(path='run_data.star', n=8, names=None, with_images=True, seed=3, **columns):
    """A particles STAR as Refine3D leaves it, with an unknown column."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({'rlnTomoName': ['TS_0%d' % (row % 2 + 1) for row in range(n)]})
    table['rlnTomoParticleName'] = names or ['TS_0%d/%d' % (row % 2 + 1, row) for row in range(n)]
    table[COORDINATES] = rng.uniform(-80, 80, (n, 3))
    table[ORIGINS] = rng.uniform(-5, 5, (n, 3))
    table[ANGLES] = geometry.matrix_to_euler(random_rotations(n, seed))
    table[SUBTOMOGRAM_ANGLES] = geometry.matrix_to_euler(random_rotations(n, seed + 1))
    table['rlnOpticsGroup'] = 1
    table['rlnRandomSubset'] = np.arange(n) % 2 + 1
    table['rlnClassNumber'] = np.arange(n) % 3 + 1
    table['rlnNormCorrection'] = rng.uniform(0.9, 1.1, n)
    table['rlnOurOwnColumn'] = ['x%d' % row for row in range(n)]
    if with_images:
        table['rlnImageName'] = ['job/%d_stack2d.mrcs' % row for row in range(n)]
        table['rlnTomoVisibleFrames'] = ['[1,0,1]'] * n
    for name, values in columns.items():
        table[name] = values
    optics = {'rlnOpticsGroup': 1, 'rlnOpticsGroupName': '007', 'rlnVoltage': 300.0, 'rlnSphericalAberration': 2.7,
              'rlnAmplitudeContrast': 0.1, 'rlnTomoTiltSeriesPixelSize': PIXEL, 'rlnImagePixelSize': 2.5 * PIXEL,
              'rlnImageSize': 32, 'rlnTomoSubtomogramBinning': 2.5, 'rlnImageDimensionality': 2}
    write_star(path, {'general': {'rlnTomoSubTomosAre2DStacks': 1}, 'optics': pd.DataFrame([optics]),
                      'particles': table})
    return read_star(path)['particles']


def read(path='run_data.star', coordinates=None, **arguments):
    particles = SetOfStaParticles.create('.', prefix=arguments.pop('prefix', 'particles'))
    read_particles(path, particles, coordinates, **arguments)
    particles.write()
    return particles


def written(particles, path='next.star'):
    write_star_of_set(particles, path)
    return read_star(path)['particles']


def test_the_set_knows_what_the_file_says():
    """Boxes, pixel sizes and file paths are what later jobs are checked against."""
    write_particles()
    particles = read(tomograms_star='tomograms.star', trajectories_star='motion.star')
    assert str(particles).replace('\u212b', 'Å') == 'StaParticles (8 items, box 32 px, 3.75 Å/px, bin 2.5, 2D stacks)'
    assert particles.getParticlesStars() == ['run_data.star']
    assert particles.getTomogramsStar() == 'tomograms.star' and particles.getTrajectoriesStar() == 'motion.star'
    assert particles.getTiltSeriesPixelSize() == PIXEL and particles.getParticleBinning() == 2.5
    assert particles.getDim() == (32, 32, 1) and particles.is2D() and particles.hasAlignment3D()
    assert particles.getTSIds() == ['TS_01', 'TS_02']
    item = particles.getFirstItem()
    assert (item.getFileName(), item.getClassId(), item.getRandomSubset()) == ('job/0_stack2d.mrcs', 1, 1)


@pytest.mark.parametrize('flag, ctf, kind', [(1, None, STACKS_2D), (0, 'a/1_weights.mrc', PSEUDO_SUBTOMOS),
                                             (0, 'a/1_ctf.mrc', REAL_SUBTOMOS)])
def test_kinds_of_particle(flag, ctf, kind):
    """Real subtomograms taken for pseudo-subtomograms would be divided by weights that they do not have."""
    write_particles(**({'rlnCtfImage': ctf} if ctf else {}))
    blocks = read_star('run_data.star')
    blocks['general']['rlnTomoSubTomosAre2DStacks'] = flag
    write_star('run_data.star', blocks)
    assert read().getKind() == kind


def test_ten_thousand_poses_from_star_and_back():
    """A wrong sign or order of rotations shows in some of 10,000 random poses; text of unchanged rows must stay."""
    n = 10000
    table = write_particles(n=n, names=['TS_%d' % row for row in range(n)])
    tomograms = make_tomograms()
    coordinates = make_coordinates(tomograms)
    particles = read(coordinates=coordinates)
    pd.testing.assert_frame_equal(written(particles), table)

    positions, A = poses_of_rows(table)
    for row, particle in enumerate(particles.iterSubtomos()):
        if row == 50:
            break
        coordinate = particle.getCoordinate3D()
        # Scipion's own arithmetic gives the voxel, RELION's definition the place of that voxel.
        voxel = [coordinate.getX(BOTTOM_LEFT_CORNER), coordinate.getY(BOTTOM_LEFT_CORNER),
                 coordinate.getZ(BOTTOM_LEFT_CORNER)]
        expected = geometry.voxel_from_centered(positions[[row]], SIZE, VOXEL)[0]
        np.testing.assert_allclose(voxel, expected, atol=1e-9)
        np.testing.assert_allclose(particle.getTransform().getMatrix()[:3, :3], A[row].T, atol=1e-12)
        assert coordinate.getVolume().getTsId() == table['rlnTomoName'][row]


def test_changed_poses_reach_relion_and_others_stay():
    """What another protocol aligned must arrive as moved origin and angles; images stay where they were cut out."""
    table = write_particles()
    particles = read()
    edited = SetOfStaParticles.create('.', prefix='edited')
    edited.copyInfo(particles)
    turned = np.eye(4)
    turned[:3, :3] = random_rotations(1, 77)[0]
    for particle in particles.iterItems():
        if particle.getObjId() == 3:
            particle.setTransform(Transform(turned))
            particle.getCoordinate3D()._x.sum(2.0)
        edited.append(particle)
    edited.write()
    result = written(edited)
    same = table.index != 2
    pd.testing.assert_frame_equal(result[same], table[same])
    positions, A = poses_of_rows(result)
    old_positions, _ = poses_of_rows(table)
    np.testing.assert_allclose(A[2], turned[:3, :3].T, atol=1e-10)
    np.testing.assert_allclose(positions[2] - old_positions[2], [2 * PIXEL, 0, 0], atol=1e-9)
    np.testing.assert_array_equal(result[COORDINATES], table[COORDINATES])
    np.testing.assert_array_equal(result[SUBTOMOGRAM_ANGLES], table[SUBTOMOGRAM_ANGLES])


def test_a_shift_left_in_the_transform_counts():
    """Other plugins put shifts into the transform; RELION must see the particle where they saw it."""
    table = write_particles(with_images=False)
    particles = read()
    edited = SetOfStaParticles.create('.', prefix='edited')
    edited.copyInfo(particles)
    _, A = poses_of_rows(table)
    for particle in particles.iterItems():
        matrix = geometry.scipion_from_pose(A[[particle.getObjId() - 1]], [1.0, 2.0, -3.0])[0]
        particle.setTransform(Transform(matrix))
        edited.append(particle)
    edited.write()
    result = written(edited)
    moved = poses_of_rows(result)[0] - poses_of_rows(table)[0]
    np.testing.assert_allclose(moved, np.tile([-1, -2, 3], (8, 1)) * 2.5 * PIXEL, atol=1e-9)
    # Nothing was cut out yet: the coordinate itself moves.
    np.testing.assert_array_equal(result[ORIGINS], 0)


def test_particles_are_joined_by_name():
    """RELION and users reorder and drop rows: position in a file means nothing."""
    table = write_particles()
    particles = read()
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    blocks = read_star('run_data.star')
    blocks['particles'] = shuffled
    write_star('run_data.star', blocks)
    pd.testing.assert_frame_equal(written(particles), table[shuffled.columns])


def test_disabled_and_dropped_particles_stay_out():
    """A particle that the user switched off must not come back."""
    table = write_particles()
    particles = read()
    subset = SetOfStaParticles.create('.', prefix='subset')
    subset.copyInfo(particles)
    for particle in particles.iterItems():
        particle.setEnabled(particle.getObjId() != 2)
        if particle.getObjId() != 5:
            subset.append(particle)
    subset.write()
    pd.testing.assert_frame_equal(written(subset), table.drop(index=[1, 4]).reset_index(drop=True))


def test_class_and_half_of_the_set_win():
    """A classification or split made in Scipion must reach RELION."""
    write_particles()
    particles = read()
    edited = SetOfStaParticles.create('.', prefix='edited')
    edited.copyInfo(particles)
    for particle in particles.iterItems():
        particle.setClassId(9)
        particle.setRandomSubset(3 - particle.getRandomSubset())
        edited.append(particle)
    edited.write()
    result = written(edited)
    assert (result['rlnClassNumber'] == 9).all()
    assert list(result['rlnRandomSubset']) == [2, 1] * 4


def test_half_sets():
    """Half a split breaks gold standard; no split at all is no column, since RELION dies of half set 0."""
    write_particles(rlnRandomSubset=[1, 2, 0, 0, 1, 2, 1, 2])
    particles = read()
    with pytest.raises(ConvertError, match='6 of 8 particles have a half set'):
        write_star_of_set(particles, 'next.star')
    write_particles(rlnRandomSubset=0)
    assert 'rlnRandomSubset' not in written(read())


def halves_of(path):
    return read_star(path)['particles'].set_index('rlnTomoParticleName')['rlnRandomSubset'].sort_index()


def test_splitting_into_halves():
    """The same particles must get the same halves in every order, and refined halves must never be mixed."""
    write_particles()
    assert not split_halves('run_data.star')
    table = read_star('run_data.star')
    table['particles'] = table['particles'].drop(columns='rlnRandomSubset')
    write_star('one.star', table)
    table['particles'] = table['particles'].iloc[::-1].reset_index(drop=True)
    write_star('two.star', table)
    assert split_halves('one.star') and split_halves('two.star')
    assert sorted(halves_of('one.star')) == [1] * 4 + [2] * 4
    pd.testing.assert_series_equal(halves_of('one.star'), halves_of('two.star'))


def test_names_that_look_like_something_else():
    """`007` is not 7 and `None` is a name; tomograms that Scipion cannot spell keep their name for RELION."""
    names = ['007', 'None', '1e5', 'nan', '0x1', 'TS/1', "a'b", '-1']
    table = write_particles(names=names)
    table['rlnTomoName'] = np.array(['007', 'a-b'] * 4, dtype=object)
    blocks = read_star('run_data.star')
    blocks['particles'] = table
    write_star('run_data.star', blocks)
    table = read_star('run_data.star')['particles']
    particles = read()
    assert [particle.getParticleName() for particle in particles.iterItems()] == names
    assert particles.getTSIds() == ['TS_007', 'a_b']
    pd.testing.assert_frame_equal(written(particles), table)


def test_object_ids_go_with_the_names():
    """Scipion's subset protocol compares object ids: a particle must keep its own through a refinement."""
    table = write_particles()
    first = read()
    blocks = read_star('run_data.star')
    blocks['particles'] = pd.concat([table.iloc[[6, 1, 4]], table.iloc[[0]].assign(rlnTomoParticleName='new')])
    write_star('later.star', blocks)
    later = read('later.star', prefix='later', ids=ids_by_name(first))
    assert ids_by_name(later) == {'TS_01/6': 7, 'TS_02/1': 2, 'TS_01/4': 5, 'new': 9}


def test_writing_twice_gives_the_same_bytes(tmp_path):
    """A list that grows with each call has once broken every third run."""
    write_particles()
    particles = read()
    for name in ('one.star', 'two.star', 'three.star'):
        write_star_of_set(particles, name)
    assert (tmp_path / 'one.star').read_bytes() == (tmp_path / 'two.star').read_bytes() \
        == (tmp_path / 'three.star').read_bytes()


def test_micrograph_name_never_goes_out():
    """With rlnMicrographName RELION gives poses to the wrong particles, without a word."""
    write_particles(rlnMicrographName='mic')
    assert 'rlnMicrographName' not in written(read())


def test_other_blocks_follow_the_rows():
    """Multi-body tables go row by row beside the particles."""
    write_particles()
    blocks = read_star('run_data.star')
    blocks['images_body_1'] = pd.DataFrame({'rlnAngleRot': np.arange(8.0)})
    write_star('run_data.star', blocks)
    particles = read()
    subset = SetOfStaParticles.create('.', prefix='subset')
    subset.copyInfo(particles)
    for particle in particles.iterItems(where='id>4'):
        subset.append(particle)
    subset.write()
    write_star_of_set(subset, 'next.star')
    assert list(read_star('next.star')['images_body_1']['rlnAngleRot']) == [4, 5, 6, 7]


def test_files_that_do_not_fit_are_refused():
    """Each of these would give RELION other particles than the user chose."""
    write_particles(names=['a', 'b', 'c', 'a', 'd', 'e', 'f', 'g'])
    with pytest.raises(StarError, match='a is there twice'):
        read()
    table = write_particles()
    particles = read()
    blocks = read_star('run_data.star')
    blocks['particles'] = table.drop(index=3)
    write_star('run_data.star', blocks)
    with pytest.raises(ConvertError, match='1 of 8 particles are not in run_data.star, the first of them TS_02/3'):
        write_star_of_set(particles, 'next.star')
    blocks.pop('optics')
    write_star('run_data.star', blocks)
    with pytest.raises(StarError, match='data_optics is missing'):
        read(prefix='other')


def test_an_empty_extraction_is_an_empty_set():
    """RELION ends well with no particle at all; the protocol must be able to count them."""
    write_particles(n=0)
    assert read().getSize() == 0


def test_real_refinement_round_trip():
    """9053 particles of RELION's own Refine3D: every column must come back."""
    source = shared_data('relion5-hiv-project/Refine3D/job034/run_data.star')
    particles = read(str(source))
    assert particles.getSize() == 9053
    write_star_of_set(particles, 'next.star')
    before, after = read_star(source), read_star('next.star')
    assert list(before) == list(after)
    for name in before:
        pd.testing.assert_frame_equal(after[name], before[name])


def test_coordinates_to_star_and_to_a_set():
    """10,000 picks: Scipion's place and orientation -> RELION's -> Scipion's."""
    tomograms = make_tomograms()
    coordinates = make_coordinates(tomograms, n=300)
    table = coordinates_table(coordinates)
    write_tomograms_overview()
    write_particles_star('particles.star', table, 'tomograms.star')
    particles = read('particles.star', coordinates, ids=dict(zip(table['rlnTomoParticleName'], table.index)))
    assert particles.getKind() == NO_IMAGES and particles.getBoxSize() is None
    for coordinate, particle in zip([c.clone() for c in coordinates.iterItems()], particles.iterItems()):
        assert coordinate.getObjId() == particle.getObjId()
        mine = particle.getCoordinate3D()
        assert (mine.getTomoId(), mine.getVolId()) == (coordinate.getTomoId(), coordinate.getVolId())
        assert mine.getScore() == pytest.approx(coordinate.getScore(), abs=1e-12)
        for axis in ('_x', '_y', '_z'):
            assert getattr(mine, axis).get() == pytest.approx(getattr(coordinate, axis).get(), abs=1e-9)
        np.testing.assert_allclose(mine.getMatrix(), coordinate.getMatrix(), atol=1e-9)


def write_tomograms_overview():
    rows = [{'rlnTomoName': name, 'rlnVoltage': 300.0, 'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': 0.1,
             'rlnTomoTiltSeriesPixelSize': PIXEL, 'rlnOpticsGroupName': group}
            for name, group in (('TS_01', 'opticsGroup1'), ('TS_02', 'opticsGroup2'), ('TS_03', 'opticsGroup1'))]
    write_star('tomograms.star', {'global': pd.DataFrame(rows)})


def test_optics_groups_of_extraction_input():
    """A particle in the wrong optics group has another pixel size or voltage."""
    coordinates = make_coordinates(make_tomograms(['TS_01', 'TS_02', 'TS_03']), n=6)
    write_tomograms_overview()
    write_particles_star('particles.star', coordinates_table(coordinates), 'tomograms.star')
    blocks = read_star('particles.star')
    assert list(blocks['optics']['rlnOpticsGroupName']) == ['opticsGroup1', 'opticsGroup2']
    groups = blocks['particles'].set_index('rlnTomoName')['rlnOpticsGroup'].to_dict()
    assert groups == {'TS_01': 1, 'TS_02': 2, 'TS_03': 1}
    names = list(blocks['particles']['rlnTomoParticleName'])
    assert names == ['TS_01/1', 'TS_02/2', 'TS_03/3', 'TS_01/4', 'TS_02/5', 'TS_03/6']
    table = coordinates_table(coordinates).assign(rlnTomoName='TS_09')
    with pytest.raises(StarError, match='particles in TS_09'):
        write_particles_star('particles.star', table, 'tomograms.star')
