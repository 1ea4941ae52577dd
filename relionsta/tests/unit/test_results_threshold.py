"""The suggested threshold on maps whose particle is known, with noise, dust and neighbours."""
import mrcfile
import numpy as np
import pytest

from relionsta.results.maps import pixel_size, read_map
from relionsta.results.mask import kept_density, read_mask
from relionsta.results.threshold import KDA_PER_A3, ThresholdError, low_pass, suggest_threshold, touches_edge
from relionsta.simulate.particle import sample, two_lobes
from relionsta.tests.find import shared_data

BOX, PIXEL, DIAMETER = 48, 5.0, 130.0
LOWPASS = 20.0


@pytest.fixture(scope='module')
def density():
    """The particle without noise, and which voxels are its."""
    volume = sample(two_lobes(DIAMETER), BOX, PIXEL)
    smooth = low_pass(volume, PIXEL, LOWPASS)
    level = np.median(smooth[smooth > 0.5 * smooth.max()])
    return volume / level, smooth > 0.1 * level


def noise(seed=0):
    return np.random.default_rng(seed).normal(size=(BOX,) * 3)


def kept(volume, inside, threshold):
    """The part of the particle's mass above the threshold in the filtered map, and of what is above outside of it."""
    above = low_pass(volume, PIXEL, LOWPASS) > threshold
    return above, np.mean(inside[above])


@pytest.mark.parametrize('sigma', [0.0, 0.15, 0.25])
@pytest.mark.parametrize('scale, offset', [(1.0, 0.0), (0.001, 0.0), (40.0, 7.0), (1.0, 900.0)])
def test_it_holds_the_particle_whatever_the_grey_scale(density, sigma, scale, offset):
    """Averages, references and sharpened maps have grey scales of their own: a fixed number fits none of them."""
    particle, inside = density
    found = suggest_threshold(scale * (particle + sigma * noise()) + offset, PIXEL, LOWPASS)
    above, of_it = kept(scale * (particle + sigma * noise()) + offset, inside, found.threshold)
    mass = np.where(inside, particle, 0)
    assert mass[above].sum() > 0.9 * mass.sum()
    assert of_it > 0.97
    assert found.solvent < found.threshold < found.particle
    assert found.volume == pytest.approx(above.sum() * PIXEL ** 3, rel=0.03)
    assert found.mass == pytest.approx(found.volume * KDA_PER_A3)
    assert 'no dust' in found.reason and not found.touches_edge


@pytest.mark.parametrize('name, mass', [('4v7r_yeast80S_5A', 3300), ('4v7r_yeast80S_10A', 3300),
                                        ('emd3883_human80S_8.66A', 4300)])
def test_real_particles(name, mass):
    """Ribosomes of known mass (kDa): the region holds all of them, and the rim that a filtered map has around it.

    RNA is denser than protein, so the mass as protein is no measure of its own: bounds are what a mask needs.
    """
    path = shared_data('maps/%s.mrc' % name)
    found = suggest_threshold(read_map(path), pixel_size(path), LOWPASS)
    assert mass < found.mass < 1.8 * mass
    assert not found.touches_edge


def test_dust_raises_the_threshold(density):
    """Specks above the threshold become balls in the mask, with noise in them."""
    particle, inside = density
    dusty = particle.copy()
    for z, y, x in np.random.default_rng(2).integers(6, BOX - 6, (60, 3)):
        if not inside[z - 3:z + 4, y - 3:y + 4, x - 3:x + 4].any():
            dusty[z - 1:z + 2, y - 1:y + 2, x - 1:x + 2] += 0.1
    clean, found = suggest_threshold(particle, PIXEL, LOWPASS), suggest_threshold(dusty, PIXEL, LOWPASS)
    assert found.threshold > 1.2 * clean.threshold and 'lowest level that shows no dust' in found.reason
    above, of_it = kept(dusty, inside, found.threshold)
    assert of_it > 0.99


def test_noise_is_refused_with_a_filter_that_helps(density):
    """A threshold in the noise gives a mask of noise: the user must hear of it, and what would work."""
    particle, _ = density
    with pytest.raises(ThresholdError, match=r'does not stand out .*Filter the map to (25|30|40|50|60) Å'):
        suggest_threshold(particle + 1.2 * noise(), PIXEL, 11)
    with pytest.raises(ThresholdError, match='viewer, or a map of more particles'):
        suggest_threshold(noise(), PIXEL, LOWPASS)
    with pytest.raises(ThresholdError, match='dark on a bright background'):
        suggest_threshold(-particle + 0.3 * noise(), PIXEL, LOWPASS)


def test_maps_that_are_none():
    """An empty class and a map that is no cube are said, not divided by."""
    with pytest.raises(ThresholdError, match='same value, 0'):
        suggest_threshold(np.zeros((8, 8, 8)), PIXEL, LOWPASS)
    with pytest.raises(ThresholdError, match='8 x 8 x 6 voxels'):
        suggest_threshold(np.ones((8, 8, 6)), PIXEL, LOWPASS)


def test_a_neighbour_at_the_edge_is_told(density):
    """In crowded tomograms a mask takes the neighbour along."""
    particle, _ = density
    crowded = particle + np.roll(particle, BOX // 2, axis=2)
    found = suggest_threshold(crowded, PIXEL, LOWPASS)
    assert found.touches_edge and 'edge of the box' in found.reason


def test_a_mask_is_cut_half_way_up():
    """Masks that are combined must keep their size."""
    z, y, x = np.mgrid[:BOX, :BOX, :BOX] - BOX // 2
    radius = np.sqrt(x ** 2 + y ** 2 + z ** 2)
    mask = np.clip((14 - radius) / 4, 0, 1)
    found = suggest_threshold(mask, PIXEL, -1)
    assert found.threshold == 0.5
    assert found.volume == pytest.approx(4 / 3 * np.pi * (12 * PIXEL) ** 3, rel=0.02)


def test_low_pass_keeps_what_is_coarser(density):
    """Fourier shells below the edge are untouched, those beyond it gone; a coarser grid shows the same map."""
    volume = density[0] + noise()
    filtered = low_pass(volume, PIXEL, LOWPASS)
    before, after = (np.fft.fftn(one) for one in (volume, filtered))
    x = np.fft.fftfreq(BOX, 1 / BOX)
    shell = np.sqrt(x[:, None, None] ** 2 + x[:, None] ** 2 + x ** 2)
    edge = BOX * PIXEL / LOWPASS
    np.testing.assert_allclose(after[shell <= edge - 1], before[shell <= edge - 1], rtol=1e-3, atol=0.05)
    assert np.abs(after[shell > edge + 1]).max() < 0.05
    np.testing.assert_allclose(low_pass(volume, PIXEL, LOWPASS, size=24 + 12)[::3, ::3, ::3], filtered[::4, ::4, ::4],
                               atol=1e-4)
    assert low_pass(volume, PIXEL, 0.0) is not filtered and np.array_equal(low_pass(volume, PIXEL, -1),
                                                                          volume.astype(np.float32))


def test_what_a_mask_keeps(density, tmp_path):
    """A mask that cuts into the particle costs resolution, and nothing in RELION says so."""
    particle, inside = density
    assert kept_density(inside.astype(float), particle, PIXEL, LOWPASS) == 1
    half = inside & (np.arange(BOX) < BOX // 2)
    assert 0.3 < kept_density(half.astype(float), particle, PIXEL, LOWPASS) < 0.7
    path = tmp_path / 'mask.mrc'
    mrcfile.write(path, np.where(inside, 1, 0).astype(np.float32))
    facts = read_mask(path)
    assert facts.in_range and not facts.empty and not facts.touches_edge and facts.soft == 0
    assert facts.fraction == pytest.approx(inside.mean(), rel=1e-6)


@pytest.mark.parametrize('place', [(0, 5, 5), (9, 5, 5), (5, 0, 5), (5, 9, 5), (5, 5, 0), (5, 5, 9)])
def test_every_face_of_the_box_counts(place):
    """A mask can leave the box on any side."""
    inside = np.zeros((10, 10, 10), dtype=bool)
    inside[1:9, 1:9, 1:9] = True
    assert not touches_edge(inside)
    inside[place] = True
    assert touches_edge(inside)
