"""Where Scipion says a particle is, RELION must look."""
import os

import numpy as np
import pytest
from pwem.objects import Transform
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import Coordinate3D, SetOfCoordinates3D, SetOfSubTomograms, SubTomogram

from relionsta import geometry
from relionsta.convert.coordinates import SCORE, coordinates_table
from relionsta.convert.errors import ConvertError
from relionsta.convert.poses import ANGLES, COORDINATES
from relionsta.convert.positions import outside_of_tomograms, scipion_from_centered, tomogram_table

from .convert_scene import SIZE, VOXEL, make_coordinates, make_tomograms, new_file, random_rotations


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def one_coordinate(tomograms, voxel_index):
    """A coordinate set with the same voxel (Scipion's own setPosition) in every tomogram."""
    coordinates = SetOfCoordinates3D(filename=new_file('coordinates'))
    coordinates.setSamplingRate(tomograms.getSamplingRate())
    coordinates.setPrecedents(tomograms)
    for tomogram in tomograms.iterItems():
        coordinate = Coordinate3D()
        coordinate.setVolume(tomogram)
        coordinate.setPosition(*voxel_index, BOTTOM_LEFT_CORNER)
        coordinates.append(coordinate)
    coordinates.write()
    return coordinates


def test_plain_tomograms():
    """The centre voxel N/2 is RELION's zero, in Å and not in pixels, without half a voxel."""
    table = coordinates_table(one_coordinate(make_tomograms(), (10, 12, 6)))
    np.testing.assert_allclose(table[COORDINATES], 0, atol=1e-9)
    table = coordinates_table(one_coordinate(make_tomograms(), (0, 13.5, 11)))
    np.testing.assert_allclose(table[COORDINATES], [[-100, 15, 50]] * 2, atol=1e-9)


def test_shifted_origins():
    """A tomogram made with a shift in X, Y or Z once put every particle 216 Å off."""
    half = np.array(SIZE) / 2 * VOXEL
    shifts = {'TS_01': (40, 0, 0), 'TS_02': (0, -70, 0), 'TS_03': (0, 0, 216), 'TS_04': (13, 17, -19)}
    tomograms = make_tomograms(['TS_0%d' % n for n in range(1, 5)],
                               origins={name: tuple(np.array(shift) - half) for name, shift in shifts.items()})
    table = coordinates_table(one_coordinate(tomograms, (10, 12, 6)))
    # The voxel in the middle of a volume that lies `shift` beside the specimen's centre.
    np.testing.assert_allclose(table[COORDINATES], list(shifts.values()), atol=1e-9)


def test_an_origin_of_zero_means_none():
    """Headers of most MRC files say 0, 0, 0: taken at its word, the specimen would be centred on a corner."""
    tomograms = make_tomograms(origins={'TS_01': (0, 0, 0), 'TS_02': (0, 0, 0)})
    table = coordinates_table(one_coordinate(tomograms, (0, 13.5, 11)))
    np.testing.assert_allclose(table[COORDINATES], [[-100, 15, 50]] * 2, atol=1e-9)


def test_other_sampling_rate():
    """Coordinates picked at another binning than that of the tomograms: their own pixel size counts."""
    coarse = coordinates_table(make_coordinates(make_tomograms()))
    fine = coordinates_table(make_coordinates(make_tomograms(), pixel=VOXEL / 4))
    np.testing.assert_allclose(fine[COORDINATES], coarse[COORDINATES] / 4, atol=1e-9)


def test_back_to_scipion():
    """Origins and sampling rates must be undone exactly, or each round would move the particles."""
    tomograms = tomogram_table(make_tomograms(origins={'TS_01': (0, 0, 0), 'TS_02': (-90, -120, -10)}))
    coordinates = make_coordinates(make_tomograms(origins={'TS_01': (0, 0, 0), 'TS_02': (-90, -120, -10)}))
    table = coordinates_table(coordinates)
    xyz = scipion_from_centered(table[COORDINATES], table['rlnTomoName'], VOXEL, tomograms)
    expected = [(item._x.get(), item._y.get(), item._z.get()) for item in coordinates.iterItems()]
    np.testing.assert_allclose(xyz, expected, atol=1e-9)


def test_ten_thousand_orientations():
    """A transposed or wrongly ordered rotation shows in 10,000 random ones; written in bulk, read by name."""
    from relionsta.convert.bulk import write_items
    tomograms = make_tomograms()
    n = 10000
    A = random_rotations(n, 5)
    coordinates = SetOfCoordinates3D(filename='many.sqlite')
    coordinates.setSamplingRate(VOXEL)
    coordinates.setPrecedents(tomograms)
    write_items(coordinates, Coordinate3D(), {
        '_x': np.zeros(n), '_y': np.zeros(n), '_z': np.zeros(n), '_volId': [1] * n, '_tomoId': ['TS_01'] * n,
        '_eulerMatrix._matrix': geometry.scipion_from_pose(A)})
    angles = coordinates_table(coordinates)[ANGLES].to_numpy()
    np.testing.assert_allclose(geometry.euler_to_matrix(angles), A, atol=1e-6)


def test_scipion_convention_of_a_known_orientation():
    """rot, tilt, psi of RELION = the Euler angles of Scipion's matrix Rz(rot) Ry(tilt) Rz(psi)."""
    from pwem.convert.transformations import euler_matrix
    coordinates = one_coordinate(make_tomograms(['TS_01']), (1, 2, 3))
    item = coordinates.getFirstItem().clone()
    item.setMatrix(euler_matrix(*np.radians([20, 30, 40]), 'rzyz'))
    again = SetOfCoordinates3D(filename='again.sqlite')
    again.copyInfo(coordinates)
    again.append(item)
    np.testing.assert_allclose(coordinates_table(again)[ANGLES], [[20, 30, 40]], atol=1e-9)


def test_disabled_items_and_scores():
    """What the user switched off is not extracted; names stay the same in every subset."""
    coordinates = make_coordinates(make_tomograms())
    subset = SetOfCoordinates3D(filename='subset.sqlite')
    subset.copyInfo(coordinates)
    for item in coordinates.iterItems():
        item.setEnabled(item.getObjId() != 2)
        if item.getObjId() != 4:
            subset.append(item)
    subset.write()
    table = coordinates_table(subset)
    assert list(table['rlnTomoParticleName']) == ['TS_01/1', 'TS_01/3', 'TS_01/5', 'TS_02/6']
    assert list(table.index) == [1, 3, 5, 6]
    np.testing.assert_allclose(table[SCORE], coordinates_table(coordinates).loc[table.index, SCORE])


def test_subtomograms_of_another_plugin():
    """Subtomograms aligned elsewhere carry their shift in the transform, in their own pixels."""
    tomograms = make_tomograms()
    coordinates = make_coordinates(tomograms, n=4)
    A, shifts = random_rotations(4, 9), np.array([[1.0, 2, 3], [0, 0, 0], [-4, 5, 0], [0, 0, 7]])
    subtomograms = SetOfSubTomograms(filename='subtomograms.sqlite')
    subtomograms.setSamplingRate(VOXEL / 2)
    subtomograms.setCoordinates3D(coordinates)
    for row, coordinate in enumerate(coordinates.iterItems()):
        item = SubTomogram()
        item.setFileName('none.mrc')
        item.setSamplingRate(VOXEL / 2)
        item.setTransform(Transform(geometry.scipion_from_pose(A[[row]], shifts[[row]])[0]))
        item.setCoordinate3D(coordinate.clone())
        subtomograms.append(item)
    subtomograms.write()
    table = coordinates_table(subtomograms)
    np.testing.assert_allclose(geometry.euler_to_matrix(table[ANGLES]), A, atol=1e-9)
    # RELION: position = coordinate - origin, without a subtomogram orientation.
    expected = coordinates_table(coordinates)[COORDINATES].to_numpy() - shifts * VOXEL / 2
    np.testing.assert_allclose(table[COORDINATES], expected, atol=1e-9)


def test_tomograms_that_are_not_there():
    """A coordinate without its tomogram has no place; say so instead of putting it anywhere."""
    coordinates = make_coordinates(make_tomograms())
    with pytest.raises(ConvertError, match='TS_02; there are: TS_01'):
        coordinates_table(coordinates, make_tomograms(['TS_01']))
    tomograms = make_tomograms(origins={'TS_01': (0, 0, 0)})
    os.remove('TS_01.mrc')
    with pytest.raises(ConvertError, match='TS_01.mrc cannot be found'):
        tomogram_table(tomograms)


def test_outside_of_tomograms():
    """A wrong pixel size shows first as positions beyond the volume."""
    tomograms = tomogram_table(make_tomograms(origins={'TS_02': (-60, -120, -60)}))
    places = [[99, -119, 59], [101, 0, 0], [99, 0, 0], [139, 0, 0], [-59, 0, 0], [-61, 0, 0]]
    names = ['TS_01', 'TS_01', 'TS_02', 'TS_02', 'TS_02', 'TS_02']
    assert list(outside_of_tomograms(places, names, tomograms)) == [False, True, False, False, False, True]
