"""Picks of other programs lie in Scipion where those programs saw them."""
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import SetOfCoordinates3D

from relionsta import geometry
from relionsta.convert.coordinates import coordinates_table
from relionsta.convert.errors import ConvertError
from relionsta.convert.picks import append_picks, count_outside
from relionsta.convert.poses import ANGLES, COORDINATES
from relionsta.sources.picks import UNBINNED, read_picks
from relionsta.star import write_star
from relionsta.tests.find import shared_data

from .convert_scene import SIZE, VOXEL, make_tomograms, new_file, random_rotations


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_pytom(n=6, voxel=VOXEL, name='picks.star', tomograms=('TS_01', 'TS_02')):
    """A default STAR of pytom-match-pick: voxel indices from 0."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.uniform(1, 10, (n, 3)) * VOXEL / voxel,
                         columns=['rlnCoordinateX', 'rlnCoordinateY', 'rlnCoordinateZ'])
    table[ANGLES] = geometry.matrix_to_euler(random_rotations(n, 6))
    table['rlnLCCmax'] = rng.uniform(size=n)
    table['rlnDetectorPixelSize'] = voxel
    table['rlnMicrographName'] = [tomograms[row % len(tomograms)] for row in range(n)]
    write_star(name, {'particles': table})
    return table


def append(picks, tomograms, **arguments):
    coordinates = SetOfCoordinates3D(filename=new_file('picks'))
    report = append_picks(picks, tomograms, coordinates, **arguments)
    coordinates.setBoxSize(10)
    coordinates.write()
    return coordinates, report


def test_voxels_of_pytom():
    """Scipion's own getPosition must give the voxel that pytom wrote, with its score and orientation."""
    table = write_pytom()
    coordinates, report = append(read_picks('picks.star'), make_tomograms())
    assert report.written == {'TS_01': 3, 'TS_02': 3} and report.unmatched == {} and report.outside == {}
    assert coordinates.getSamplingRate() == VOXEL and coordinates.getSize() == 6
    for row, item in enumerate(coordinates.iterCoordinates()):
        np.testing.assert_allclose(item.getPosition(BOTTOM_LEFT_CORNER), table.iloc[row, :3].astype(float), atol=1e-9)
        assert item.getTomoId() == table['rlnMicrographName'][row] == item.getVolume().getTsId()
        assert item.getScore() == pytest.approx(table['rlnLCCmax'][row])
    np.testing.assert_allclose(coordinates_table(coordinates)[ANGLES], table[ANGLES], atol=1e-6)


def test_pytoms_two_forms_of_one_run():
    """The file of --relion5-compat and the default one must lie in the same place, though its pixel size is a lie."""
    table = write_pytom()
    corner = ['rlnCoordinateX', 'rlnCoordinateY', 'rlnCoordinateZ']
    other = table.rename(columns={'rlnDetectorPixelSize': 'rlnTomoTiltSeriesPixelSize', 'rlnMicrographName': 'rlnTomoName'})
    other[COORDINATES] = (table[corner].to_numpy() - np.array(SIZE) / 2) * VOXEL
    write_star('compat.star', {'particles': other.drop(columns=corner)})
    first, second = (coordinates_table(append(read_picks(file), make_tomograms())[0]) for file in (
        'picks.star', 'compat.star'))
    pd.testing.assert_frame_equal(first, second, atol=1e-9)


def test_a_tomogram_searched_at_another_binning():
    """The voxel size in the file is that of the tomogram that was searched, not of ours."""
    write_pytom()
    same, _ = append(read_picks('picks.star'), make_tomograms())
    write_pytom(voxel=VOXEL / 2)
    half, _ = append(read_picks('picks.star'), make_tomograms())
    np.testing.assert_allclose(coordinates_table(half)[COORDINATES], coordinates_table(same)[COORDINATES], atol=1e-9)


def test_voxels_in_a_shifted_tomogram():
    """A voxel index is a place in the file; RELION's coordinate counts from the specimen's centre."""
    table = write_pytom()
    shift = np.array([40.0, -30.0, 20.0])
    origin = tuple(shift - np.array(SIZE) / 2 * VOXEL)
    coordinates, _ = append(read_picks('picks.star'), make_tomograms(origins={'TS_01': origin, 'TS_02': origin}))
    expected = geometry.centered_from_voxel(table.iloc[:, :3].astype(float), SIZE, VOXEL) + shift
    np.testing.assert_allclose(coordinates_table(coordinates)[COORDINATES], expected, atol=1e-9)


def test_centred_picks_with_origins_and_two_orientations():
    """RELION: place = coordinate - A_sub origin, orientation = A_sub A_part; dropping either moves every particle."""
    rng = np.random.default_rng(8)
    n = 5
    coords, origins = rng.uniform(-50, 50, (n, 3)), rng.uniform(-8, 8, (n, 3))
    sub, part = (geometry.matrix_to_euler(random_rotations(n, seed)) for seed in (21, 22))
    table = pd.DataFrame({'rlnTomoName': ['rec_TS_01.mrc'] * n})
    table[COORDINATES] = coords
    table[['rlnOriginXAngst', 'rlnOriginYAngst', 'rlnOriginZAngst']] = origins
    table[['rlnTomoSubtomogramRot', 'rlnTomoSubtomogramTilt', 'rlnTomoSubtomogramPsi']] = sub
    table[ANGLES] = part
    write_star('picks.star', {'particles': table})
    coordinates, report = append(read_picks('picks.star'), make_tomograms())
    assert report.written == {'TS_01': n}
    found = coordinates_table(coordinates)
    A_sub, A_part = geometry.euler_to_matrix(sub), geometry.euler_to_matrix(part)
    np.testing.assert_allclose(found[COORDINATES], coords - np.einsum('nij,nj->ni', A_sub, origins), atol=1e-9)
    np.testing.assert_allclose(geometry.euler_to_matrix(found[ANGLES]), A_sub @ A_part, atol=1e-9)


def test_unbinned_pixels_need_their_size():
    """RELION's older coordinates say nothing of their pixel size: ask, do not guess."""
    table = pd.DataFrame({'rlnTomoName': ['TS_01'], 'rlnCoordinateX': [40.0], 'rlnCoordinateY': [48.0],
                          'rlnCoordinateZ': [28.0]})
    write_star('picks.star', {'particles': table})
    picks = read_picks('picks.star')
    assert picks.coordinates == UNBINNED
    with pytest.raises(ConvertError, match='give the pixel size of the tilt series'):
        append(picks, make_tomograms())
    coordinates, _ = append(picks, make_tomograms(), tilt_pixel=2.5)
    np.testing.assert_allclose(coordinates_table(coordinates)[COORDINATES], [[0, 0, 10]], atol=1e-9)


def test_picks_without_a_tomogram_are_reported():
    """Picks must not end in another tomogram, nor vanish without a word."""
    write_pytom(n=7, tomograms=('TS_01', 'TS_02', 'TS_77'))
    coordinates, report = append(read_picks('picks.star'), make_tomograms())
    assert report.unmatched == {'TS_77': 2} and coordinates.getSize() == 5
    with pytest.raises(ConvertError, match='none of its tomograms'):
        append(read_picks('picks.star'), make_tomograms(['Other']))


def test_picks_outside_are_counted():
    """The first sign of a wrong pixel size."""
    write_pytom()
    picks = read_picks('picks.star')
    assert count_outside(picks, make_tomograms()) == (0, 6)
    far = picks.table.assign(voxel_size=20 * VOXEL)
    wrong = replace(picks, table=far)
    outside, total = count_outside(wrong, make_tomograms())
    assert total == 6 and outside >= 5
    _, report = append(wrong, make_tomograms())
    assert sum(report.outside.values()) == outside


def test_real_picks_of_relion():
    """9442 picks of RELION's own picker, in five tomograms of 4000 x 4000 x 2000 pixels of 1.35 Å."""
    source = shared_data('relion5-hiv-project/Picks/job019/particles.star')
    names = ['TS_01', 'TS_03', 'TS_43', 'TS_45', 'TS_54']
    coordinates, report = append(read_picks(source), make_tomograms(names, size=(4, 4, 2), voxel=1350.0))
    assert sum(report.written.values()) == 9442 == coordinates.getSize() and set(report.written) == set(names)
    first = coordinates_table(coordinates).iloc[0]
    assert first['rlnTomoName'] == 'TS_54'
    np.testing.assert_allclose(first[COORDINATES].astype(float), [-485.896912, 1974.646743, 588.853933], atol=1e-9)
