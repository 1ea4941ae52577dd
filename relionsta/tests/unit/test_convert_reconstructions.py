"""Where RELION puts the specimen in a tomogram, and what becomes of half tomograms."""
import mrcfile
import numpy as np
import pytest
from tomo.objects import SetOfTomograms

from relionsta.convert.errors import ConvertError
from relionsta.convert.positions import tomogram_table
from relionsta.convert.reconstructions import append_reconstruction, average_halves, centre_voxel
from relionsta.tests.unit.convert_scene import new_file

FOURIER_VOXEL = 7.291139125823975
#: asked for (unbinned pixels of 3 Å), voxel, made, and the centre that particles at known places showed
MEASURED = [((288, 320, 96), 12.0, (72, 80, 24), False, (36.0, 40.0, 12.0)),
            ((288, 320, 96), 10.0, (86, 96, 28), False, (43.2, 48.0, 14.4)),
            ((290, 320, 104), 10.0, (86, 96, 31), False, (43.0, 48.0, 15.6)),
            ((340, 300, 130), 12.0, (84, 75, 32), False, (42.0, 37.5, 16.25)),
            ((289, 321, 97), 9.0, (96, 107, 32), False, (48.0, 53.33, 16.0)),
            ((291, 323, 99), 9.0, (96, 108, 33), False, (47.83, 53.67, 16.33)),
            ((288, 320, 96), FOURIER_VOXEL, (118, 131, 39), True, (59.0, 65.0, 19.0)),
            ((290, 330, 100), FOURIER_VOXEL, (119, 135, 41), True, (59.0, 67.0, 20.0))]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_map(path, values, voxel):
    with mrcfile.new(path, values.astype(np.float32)) as file:
        file.voxel_size = voxel
    return path


@pytest.mark.parametrize('unbinned, voxel, size, fourier, centre', MEASURED)
def test_centre_is_where_it_was_measured(unbinned, voxel, size, fourier, centre):
    """Half a voxel is 5 Å in a usual tomogram: enough to spoil a start from its picks."""
    np.testing.assert_allclose(centre_voxel(unbinned, 3.0, size, voxel, fourier), centre, atol=0.01)


def test_origin_marks_the_centre_for_every_converter():
    """Scipion counts coordinates from the origin; positions.py must come to the same point."""
    tomograms = SetOfTomograms(filename=new_file('tomograms'))
    path = write_map('rec.mrc', np.zeros((28, 96, 86)), 10.0)
    append_reconstruction(tomograms, 'TS_01', path, (288, 320, 96), 3.0, fourier=False)
    row = tomogram_table(tomograms).loc['TS_01']
    np.testing.assert_allclose(row[['shift_x', 'shift_y', 'shift_z']].astype(float), [-2.0, 0.0, -4.0], atol=1e-3)
    np.testing.assert_allclose(row[['offset_x', 'offset_y', 'offset_z']].astype(float), 0.0)
    assert row['voxel'] == 10.0 and tomograms.getSamplingRate() == 10.0


def test_cut_tomogram_is_no_output():
    """RELION writes the header first: a run that was stopped leaves such files."""
    path = write_map('rec.mrc', np.zeros((4, 4, 4)), 10.0)
    with open(path, 'r+b') as handle:
        handle.truncate(1100)
    with pytest.raises(ConvertError, match='rec.mrc is not there, or it is cut'):
        append_reconstruction(SetOfTomograms(filename=new_file('tomograms')), 'TS_01', path, (8, 8, 8), 5.0, False)


def test_average_of_half_tomograms():
    """Scipion shows a tomogram, RELION writes two halves."""
    random = np.random.default_rng(1)
    halves = [random.normal(size=(5, 6, 8)).astype(np.float32) for _ in range(2)]
    paths = [write_map('half%d.mrc' % number, half, 7.5) for number, half in enumerate(halves)]
    with mrcfile.open(average_halves(paths, 'mean.mrc')) as file:
        np.testing.assert_allclose(file.data, (halves[0] + halves[1]) / 2, atol=1e-6)
        assert float(file.voxel_size.x) == 7.5
