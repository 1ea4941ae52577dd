"""Particles between RELION's STAR files and Scipion's sets: nothing lost, nothing swapped, nothing moved."""
import numpy as np
import pandas as pd
import pytest
from pwem.objects import Transform
from pyworkflow.object import Pointer
from tomo.constants import BOTTOM_LEFT_CORNER

from relionsta import geometry
from relionsta.convert.errors import ConvertError
from relionsta.convert.halves import split_halves
from relionsta.convert.particles import read_particles, write_star_of_set
from relionsta.convert.poses import COORDINATES, ORIGINS, SUBTOMOGRAM_ANGLES, poses_of_rows
from relionsta.objects import PSEUDO_SUBTOMOS, REAL_SUBTOMOS, STACKS_2D, SetOfStaParticles
from relionsta.star import read_star, write_star

from .convert_particle_files import PIXEL, read, write_particles, written
from .convert_scene import SIZE, VOXEL, make_coordinates, make_tomograms, random_rotations


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


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


def test_particles_whose_coordinates_are_not_known():
    """Imported particles may come without tomograms; the jobs that follow hand on a pointer to nothing."""
    write_particles()
    particles = SetOfStaParticles(filename='alone.sqlite')
    assert read_particles('run_data.star', particles, Pointer()) == 8
    assert particles.getCoordinates3D() is None and particles.getCoordinatesPixelSize() == PIXEL
    particles.write()
    positions, _ = poses_of_rows(read_star('run_data.star')['particles'])
    places = [one.getCoordinate3D() for one in (item.clone() for item in particles.iterItems())]
    np.testing.assert_allclose([[at._x.get(), at._y.get(), at._z.get()] for at in places], positions / PIXEL, atol=1e-6)
