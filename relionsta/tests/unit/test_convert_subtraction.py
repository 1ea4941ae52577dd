"""Particles after a subtraction: places, boxes and weights, and the way back to the first images."""
import mrcfile
import numpy as np
import pytest

from relionsta.convert.errors import ConvertError
from relionsta.convert.poses import COORDINATES, ORIGINS, poses_of_rows, subtomogram_matrices
from relionsta.convert.subtraction import centre_of_mass, crop_weights, finish_revert, finish_subtraction
from relionsta.star import read_star, write_star

from .convert_particle_files import PIXEL, write_particles

N, BOX, NEW_BOX = 6, 32, 16
IMAGE_PIXEL = 2.5 * PIXEL
CENTRE = np.array([20.0, -7.5, 31.0])
EXTRACTION = 'Runs/1/extra/job001'


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def transfer(size, width):
    """Weights of a particle whose image is a Gaussian of `width` voxels: value of each Fourier voxel (half transform)."""
    f = np.fft.fftfreq(size)
    squared = f[:, None, None] ** 2 + f[:, None] ** 2 + np.arange(size // 2 + 1) ** 2 / size ** 2
    return np.exp(-2 * (np.pi * width) ** 2 * squared)


def make_extraction(tmp_path):
    """An extraction of pseudo-subtomograms: its STAR file, and weights on disk. Returns the table."""
    folder = tmp_path / EXTRACTION / 'Subtomograms' / 'TS_01'
    folder.mkdir(parents=True)
    for number in range(N):
        both = np.concatenate([transfer(BOX, 1.5), 3 * transfer(BOX, 1.0)]).astype(np.float32)
        with mrcfile.new(str(folder / ('%d_weights.mrc' % number)), both) as mrc:
            mrc.voxel_size = 1
    images = ['%s/Subtomograms/TS_01/%d_data.mrc' % (EXTRACTION, number) for number in range(N)]
    star = tmp_path / EXTRACTION / 'particles.star'
    table = write_particles(star, n=N, with_images=False, rlnImageName=images,
                            rlnCtfImage=[name.replace('_data', '_weights') for name in images])
    blocks = read_star(star)
    blocks['general']['rlnTomoSubTomosAre2DStacks'] = 0
    write_star(star, blocks)
    return table


def subtract_as_relion(source, target, centre=None, box=BOX):
    """What relion_particle_subtract writes: no data_general, another order, images moved by whole pixels while the
    coordinates stay, the old weights."""
    blocks = read_star(source)
    rows = blocks['particles'].iloc[::-1].reset_index(drop=True)
    if centre is not None:
        _, A = poses_of_rows(rows)
        part = subtomogram_matrices(rows).transpose(0, 2, 1) @ A
        shifts = (rows[ORIGINS].to_numpy() - part @ centre) / IMAGE_PIXEL
        rows[ORIGINS] = (shifts - np.round(shifts)) * IMAGE_PIXEL
    rows['rlnImageOriginalName'] = rows['rlnImageName']
    rows['rlnImageName'] = ['Runs/9/extra/job001/Particles/subtracted%08d.mrc' % number for number in range(N)]
    blocks['optics']['rlnImageSize'] = box
    write_star(target, {'optics': blocks['optics'], 'particles': rows})


def positions(path):
    rows = read_star(path)['particles'].set_index('rlnTomoParticleName')
    found, A = poses_of_rows(rows.reset_index())
    return dict(zip(rows.index, found)), dict(zip(rows.index, A))


def test_a_new_centre_is_at_its_place_in_the_tomogram(tmp_path):
    """RELION keeps the old coordinates: the next extraction would cut out the old centre."""
    make_extraction(tmp_path)
    source = EXTRACTION + '/particles.star'
    subtract_as_relion(source, 'made.star', CENTRE)
    assert finish_subtraction('made.star', source, 'done.star', CENTRE, 'weights') == N
    (before, A), (after, same) = positions(source), positions('done.star')
    for name, place in before.items():
        np.testing.assert_allclose(after[name], place + A[name] @ CENTRE, atol=1e-5)
        np.testing.assert_array_equal(same[name], A[name])
    done = read_star('done.star')
    assert list(done) == ['general', 'optics', 'particles'] and not done['general'].iloc[0, 0]
    assert np.abs(done['particles'][ORIGINS].to_numpy()).max() <= IMAGE_PIXEL / 2 + 1e-6


def test_another_centre_than_relion_took_is_refused(tmp_path):
    """A mask that was changed after the run would put every particle elsewhere."""
    make_extraction(tmp_path)
    source = EXTRACTION + '/particles.star'
    subtract_as_relion(source, 'made.star', CENTRE)
    with pytest.raises(ConvertError, match='not moved to the point'):
        finish_subtraction('made.star', source, 'done.star', CENTRE + [0, 0, 2.0], 'weights')


def test_lost_particles_are_told(tmp_path):
    """A subtraction that stopped half-way must not pass for a whole one."""
    make_extraction(tmp_path)
    source = EXTRACTION + '/particles.star'
    subtract_as_relion(source, 'made.star')
    blocks = read_star('made.star')
    write_star('made.star', dict(blocks, particles=blocks['particles'].iloc[1:]))
    with pytest.raises(ConvertError, match='1 of 6 particles'):
        finish_subtraction('made.star', source, 'done.star', None, 'weights')


def test_unchanged_images_keep_their_rows(tmp_path):
    """Without a new centre or box nothing but the image changes."""
    before = make_extraction(tmp_path).set_index('rlnTomoParticleName')
    source = EXTRACTION + '/particles.star'
    subtract_as_relion(source, 'made.star')
    finish_subtraction('made.star', source, 'done.star', None, 'weights')
    after = read_star('done.star')['particles'].set_index('rlnTomoParticleName').loc[before.index]
    changed = [column for column in before if not before[column].equals(after[column])]
    assert changed == ['rlnImageName']
    assert list(after['rlnImageOriginalName']) == list(before['rlnImageName'])


def test_weights_of_a_smaller_box_are_those_of_the_smaller_image():
    """A Gaussian point spread is whole in both boxes: its weights must be the same function of frequency."""
    for width in (1.0, 2.0):
        both = np.concatenate([transfer(BOX, width), 3 * transfer(BOX, 1.0)])
        cropped = crop_weights(both, NEW_BOX)
        assert cropped.shape == (2 * NEW_BOX, NEW_BOX, NEW_BOX // 2 + 1)
        np.testing.assert_allclose(cropped[:NEW_BOX], transfer(NEW_BOX, width), atol=2e-3)
        np.testing.assert_allclose(cropped[NEW_BOX:], 3 * transfer(NEW_BOX, 1.0), atol=6e-3)
        assert cropped.min() >= 0


def test_a_smaller_box_gets_weights_of_its_own(tmp_path):
    """RELION leaves the old ones, whose frequencies are others: maps would be divided by the wrong weights."""
    make_extraction(tmp_path)
    source = EXTRACTION + '/particles.star'
    subtract_as_relion(source, 'made.star', CENTRE, NEW_BOX)
    finish_subtraction('made.star', source, 'done.star', CENTRE, 'weights')
    rows = read_star('done.star')['particles']
    assert rows['rlnCtfImage'].str.startswith('weights/').all() and rows['rlnCtfImage'].str.endswith('_weights.mrc').all()
    assert rows['rlnCtfImage'].nunique() == N
    np.testing.assert_allclose(mrcfile.read(rows['rlnCtfImage'].iloc[0])[:NEW_BOX], transfer(NEW_BOX, 1.5), atol=2e-3)


@pytest.mark.parametrize('box', [BOX, NEW_BOX])
def test_revert_keeps_poses_and_takes_first_images(tmp_path, box):
    """First images with the coordinates, box or weights of the subtracted ones would be misread without an error."""
    first = make_extraction(tmp_path).set_index('rlnTomoParticleName')
    source = EXTRACTION + '/particles.star'
    subtract_as_relion(source, 'made.star', CENTRE, box)
    finish_subtraction('made.star', source, 'done.star', CENTRE, 'weights')
    blocks = read_star('done.star')
    rows = blocks['particles']
    rows['rlnImageName'], rows['rlnImageOriginalName'] = rows['rlnImageOriginalName'], rows['rlnImageName'].copy()
    write_star('original.star', {'optics': blocks['optics'], 'particles': rows})
    assert finish_revert('original.star', 'done.star', 'back.star') == N
    back = read_star('back.star')
    again = back['particles'].set_index('rlnTomoParticleName').loc[first.index]
    np.testing.assert_allclose(again[COORDINATES], first[COORDINATES])
    assert list(again['rlnCtfImage']) == list(first['rlnCtfImage'])
    assert list(back['optics']['rlnImageSize']) == [BOX]
    (before, A), (after, same) = positions('done.star'), positions('back.star')
    for name, place in before.items():
        np.testing.assert_allclose(after[name], place, atol=1e-5)
        np.testing.assert_allclose(same[name], A[name], atol=1e-9)


def test_revert_without_the_extraction(tmp_path):
    """The coordinates of the first images are known from there alone."""
    make_extraction(tmp_path)
    source = EXTRACTION + '/particles.star'
    subtract_as_relion(source, 'made.star')
    blocks = read_star('made.star')
    blocks['particles']['rlnImageName'] = blocks['particles']['rlnImageOriginalName'].str.replace('Runs/1', 'Runs/2')
    write_star('original.star', blocks)
    with pytest.raises(ConvertError, match='Runs/2/extra/job001/particles.star'):
        finish_revert('original.star', source, 'back.star')


def test_centre_of_mass_counts_from_the_middle_voxel():
    """Half a voxel off, images are centred half a voxel off, or the shifts are refused."""
    mask = np.zeros((8, 8, 8))
    mask[4, 4, 4] = 1
    np.testing.assert_array_equal(centre_of_mass(mask), [0, 0, 0])
    mask[6, 5, 1] = 1
    np.testing.assert_allclose(centre_of_mass(mask), [-1.5, 0.5, 1.0])
