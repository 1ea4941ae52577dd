"""Maps: whole or not, voxel size, statistics, slices."""
import mrcfile
import numpy as np
import pytest

from relionsta.results.maps import (
    MapError,
    central_slices,
    check_values,
    is_whole_mrc,
    map_statistics,
    pixel_size,
    read_header,
    read_map,
)
from relionsta.results.plain_header import plain_header
from relionsta.tests.find import shared_data


def write(path, data, voxel=4.):
    with mrcfile.new(path, data=data, overwrite=True) as mrc:
        mrc.voxel_size = voxel
    return path


@pytest.fixture
def ramp(tmp_path):
    """A map whose value tells the place: 10000 z + 100 y + x; three different sizes."""
    z, y, x = np.indices((8, 10, 12))
    return write(tmp_path / 'ramp.mrc', (10000 * z + 100 * y + x).astype(np.float32))


@pytest.mark.parametrize('dtype', [np.float32, np.float16, np.int16, np.int8])
def test_whole_in_every_mode_that_relion_writes(tmp_path, dtype):
    """A size computed for 4 bytes per voxel would call every float16 map torn."""
    path = write(tmp_path / 'map.mrc', np.ones((6, 6, 6), dtype=dtype))
    assert is_whole_mrc(path)
    assert read_header(path).size == (6, 6, 6)


@pytest.mark.parametrize('kind', ['<c8', '>f4', '>i2'])
def test_whole_in_other_kinds_and_orders(tmp_path, kind):
    """The quick look at RELION's own headers must leave those of others to the careful one."""
    path = write(tmp_path / 'map.mrc', np.ones((4, 6, 8), dtype=np.dtype(kind)))
    assert plain_header(path) is None and is_whole_mrc(path)
    path.write_bytes(path.read_bytes()[:-1])
    assert not is_whole_mrc(path)


def test_the_quick_look_reads_the_same_header(tmp_path):
    """Two readers that disagree would call a file whole in one place and torn in another."""
    path = write(tmp_path / 'map.mrc', np.ones((4, 6, 8), dtype=np.float32))
    with mrcfile.open(path, mode='r+') as mrc:
        mrc.set_extended_header(np.zeros(80, dtype='V1'))
    quick, careful = plain_header(path), read_header(path)
    assert (quick.size, quick.needed) == (careful.size, careful.file_bytes) and quick.there == path.stat().st_size


def test_what_is_no_number_is_found_in_any_section(ramp):
    """The smallest of a few sections hides a nan in one of them from Python's own min."""
    for place in (0, 5, 7):
        for bad in (np.nan, np.inf, -np.inf):
            data = read_map(ramp)
            data[place, 2, 3] = bad
            with pytest.raises(MapError, match='no numbers'):
                check_values(write(ramp.with_name('bad.mrc'), data))


def test_cut_maps_are_not_whole(ramp):
    """A map cut anywhere, in its header too, must not be used."""
    content = ramp.read_bytes()
    for size in (0, 1, 500, 1023, 1024, 1025, len(content) // 2, len(content) - 1):
        ramp.write_bytes(content[:size])
        assert not is_whole_mrc(ramp), size
    ramp.write_bytes(content + b'x')
    assert not is_whole_mrc(ramp)
    ramp.write_bytes(content)
    assert is_whole_mrc(ramp)


def test_slices_go_through_voxel_n_over_2(ramp):
    """RELION's centre is voxel N/2; axes swapped or a slice off by one would show another cut of the particle."""
    found = central_slices(ramp)
    z, y, x = np.arange(8), np.arange(10), np.arange(12)
    assert found.size == (12, 10, 8) and found.pixel_size == 4.
    assert np.array_equal(found.xy, 40000 + 100 * y[:, None] + x[None, :])
    assert np.array_equal(found.xz, 10000 * z[:, None] + 500 + x[None, :])
    assert np.array_equal(found.yz, 10000 * z[:, None] + 100 * y[None, :] + 6)
    assert central_slices(ramp, voxel=2.5).pixel_size == 2.5


def test_statistics_come_from_the_voxels(ramp):
    """RELION compares thresholds with the voxels; the minimum and maximum in a header may be of another map."""
    with mrcfile.open(ramp, mode='r+') as mrc:
        mrc.header.dmin, mrc.header.dmax = -1, 1
    data = read_map(ramp)
    found = map_statistics(ramp)
    assert (found.minimum, found.maximum) == (0, 70911)
    assert found.mean == pytest.approx(data.astype(float).mean())
    assert found.deviation == pytest.approx(data.astype(float).std())


def test_voxel_size_that_is_none_is_an_error(tmp_path, ramp):
    """A header without voxel size read as 0 or 1 would put a wrong scale on everything."""
    assert pixel_size(ramp) == 4.
    blank = write(tmp_path / 'blank.mrc', np.ones((4, 4, 4), dtype=np.float32), voxel=0.)
    with pytest.raises(MapError, match=r'blank\.mrc.*no voxel size'):
        pixel_size(blank)
    oblong = write(tmp_path / 'oblong.mrc', np.ones((4, 4, 4), dtype=np.float32), voxel=(4., 4., 5.))
    with pytest.raises(MapError, match=r'oblong\.mrc.*not cubes'):
        pixel_size(oblong)
    assert central_slices(blank, voxel=3.).pixel_size == 3.


def test_messages_name_the_file(tmp_path, ramp):
    """Missing, cut, of another kind: the user must see which file and what is wrong with it."""
    with pytest.raises(MapError, match=r'none\.mrc.*no such map'):
        map_statistics(tmp_path / 'none.mrc')
    ramp.write_bytes(ramp.read_bytes()[:-10])
    with pytest.raises(MapError, match=r'ramp\.mrc.*bytes'):
        central_slices(ramp)
    text = tmp_path / 'text.mrc'
    text.write_text('data_particles\n' * 200)
    with pytest.raises(MapError, match=r'text\.mrc.*MRC'):
        read_map(text)
    image = write(tmp_path / 'image.mrc', np.ones((4, 4), dtype=np.float32))
    with pytest.raises(MapError, match=r'image\.mrc.*not one volume'):
        read_map(image)


def test_real_maps():
    """Maps of other programs, with their own headers."""
    path = shared_data('maps/4v7r_yeast80S_10A.mrc')
    assert is_whole_mrc(path)
    assert pixel_size(path) == pytest.approx(10., rel=1e-3)
    assert central_slices(path).xy.shape == (48, 48)
