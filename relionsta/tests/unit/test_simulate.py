"""The simulated data set, as far as it goes without RELION."""
import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import map_coordinates

from relionsta.geometry import euler_to_matrix
from relionsta.simulate import aretomo3
from relionsta.simulate.maps import low_pass, match_maps, resample
from relionsta.simulate.parameters import SceneParameters
from relionsta.simulate.particle import barrel, sample, two_lobes
from relionsta.simulate.project import alignment_columns, finish_images
from relionsta.simulate.relion_run import SimulationError
from relionsta.simulate.scene import (
    ANGLES,
    COORDINATES,
    DECOY,
    EMPTY,
    PARTICLE,
    dose_symmetric,
    jittered_picks,
    make_scene,
)
from relionsta.tests.find import shared_data
from relionsta.tests.unit.simulate_scene import BOX, PIXEL, RICH


@pytest.fixture(scope='module')
def reference():
    return sample(two_lobes(170.0), BOX, PIXEL).astype(np.float64)


@pytest.fixture(scope='module')
def scene():
    return make_scene(RICH)


def correlation(one, two):
    return np.corrcoef(one.ravel(), two.ravel())[0, 1]


# --- the particle ---

def test_mirror_image_is_clearly_different(reference):
    """A wrong hand anywhere in the road must be seen: the mirror image may not pass for the particle at any pose."""
    mirror = reference[:, :, ::-1].copy()
    assert match_maps(mirror, reference, PIXEL, 20.0, global_search=100).cc < 0.8


def test_posed_map_equals_turned_map(reference):
    """The pose is RELION's x = A x_ref + shift; a transposed A would hide errors of the same kind elsewhere."""
    A = euler_to_matrix([[40.0, 70.0, -25.0]])[0]
    shift = np.array([10.0, -6.0, 14.0])
    posed = sample(two_lobes(170.0), 2 * BOX, PIXEL / 2, A, shift)
    plain = sample(two_lobes(170.0), 2 * BOX, PIXEL / 2)
    points = (np.indices(posed.shape).reshape(3, -1)[::-1].T - BOX) * PIXEL / 2
    back = (points - shift) @ A / (PIXEL / 2) + BOX  # rows times A is A^T times columns
    turned = map_coordinates(plain, back.T[::-1], order=3).reshape(posed.shape)
    assert correlation(posed, turned) > 0.999
    wrong = map_coordinates(plain, ((points - shift) @ A.T / (PIXEL / 2) + BOX).T[::-1], order=3)
    assert correlation(posed, wrong.reshape(posed.shape)) < 0.9


def test_density_does_not_depend_on_the_grid(reference):
    """The truth is compared at other pixel sizes than the images were made with: both must show one particle."""
    blobs = two_lobes(170.0)
    fine = sample(blobs, 2 * BOX, PIXEL / 2)
    assert np.abs(low_pass(resample(fine, BOX), PIXEL, 17) - low_pass(reference, PIXEL, 17)).max() < 1e-6
    assert fine.sum() * (PIXEL / 2) ** 3 == pytest.approx(blobs.masses.sum(), rel=1e-5)


def test_detail_reaches_nyquist():
    """A particle without fine detail would make every resolution look the same."""
    detailed = np.abs(np.fft.rfftn(sample(two_lobes(170.0), 64, 3.5)))
    shell = np.rint(np.sqrt(sum(np.square(k) for k in np.meshgrid(
        np.fft.fftfreq(64, 1 / 64), np.fft.fftfreq(64, 1 / 64), np.fft.rfftfreq(64, 1 / 64), indexing='ij'))))
    assert detailed[shell == 30].mean() > 1e-3 * detailed[shell == 1].mean()


def test_decoy_is_another_species(reference):
    """Classification can only be tested on species that differ."""
    assert match_maps(sample(barrel(145.0), BOX, PIXEL), reference, PIXEL, 30.0, global_search=60).cc < 0.7


@pytest.mark.parametrize('box, words', [(33, 'even'), (16, 'larger box')])
def test_bad_boxes_are_refused(box, words):
    """A box that cuts the particle would make a wrong truth in silence."""
    with pytest.raises(ValueError, match=words):
        sample(two_lobes(170.0), box, PIXEL)


# --- the scene ---

def test_dose_symmetric_order():
    """The dose of every image, and so the dose weighting, follows from this order."""
    assert dose_symmetric(np.arange(-3, 4)).tolist() == [7, 4, 3, 1, 2, 5, 6]
    assert sorted(dose_symmetric(np.arange(-3, 3))) == [1, 2, 3, 4, 5, 6]


def test_particles_keep_their_distance_and_are_uniform(scene):
    """Overlapping or preferred particles would make the answer of a refinement depend on more than the poses."""
    for _, rows in scene.particles.groupby('rlnTomoName'):
        x = rows[COORDINATES].to_numpy()
        distance = np.linalg.norm(x[:, None] - x[None], axis=2)
        np.fill_diagonal(distance, np.inf)
        assert distance.min() >= scene.parameters.spacing - 0.01
    many = make_scene(dataclasses.replace(scene.parameters, particles=60, spacing=60.0))
    axes = euler_to_matrix(many.particles[ANGLES])[:, :, 2]
    assert np.linalg.norm(axes.mean(axis=0)) < 0.25


def test_decoys_change_nothing_else(scene):
    """Runs with and without decoys can be compared only if particles, images and picks are the same."""
    plain = make_scene(dataclasses.replace(scene.parameters, decoys=0, empty_picks=0))
    kept = scene.particles[scene.particles['rlnClassNumber'] == PARTICLE]
    columns = COORDINATES + ANGLES
    assert np.array_equal(kept[columns].to_numpy(), plain.particles[columns].to_numpy())
    assert plain.tilt_series['TS_02'].equals(scene.tilt_series['TS_02'])
    for mine, theirs in zip(jittered_picks(scene, 'TS_01'), jittered_picks(plain, 'TS_01')):
        assert np.array_equal(mine[:25], theirs)
    assert scene.particles['rlnClassNumber'].value_counts().to_dict() == {PARTICLE: 50, DECOY: 10, EMPTY: 8}


def test_series_differ_and_hold_dark_images(scene):
    """Identical series would hide swapped files; a dark image in the middle is what breaks a mapping by row."""
    one, two = scene.tilt_series['TS_01'], scene.tilt_series['TS_02']
    assert abs(one['rlnDefocusU'].mean() - two['rlnDefocusU'].mean()) > 1000
    assert one['rlnDefocusU'].nunique() == len(one)
    for series in (one, two):
        assert series['dark'].sum() == 2 and not series['dark'][series['acquisition'] == 1].any()
        assert series['rlnTomoYTilt'].is_monotonic_increasing
    # the injected errors are in what the data set states, not in the truth
    assert (one['stated_defocus_u'] - one['rlnDefocusU']).round(6).eq(1200).all()
    assert (two['stated_defocus_v'] - two['rlnDefocusV']).round(6).eq(-900).all()
    moved = (one['stated_shift_x_px'] * 3.5 - one['rlnTomoXShiftAngst']).to_numpy()
    assert 1.0 < np.sqrt(np.mean(moved ** 2)) < 6.0


@pytest.mark.parametrize('change, words', [
    ({'particles': 0}, 'particles is 0'), ({'hand': 2}, 'hand is 2'), ({'image_size': (510, 480)}, 'multiple of 8'),
    ({'tilts': 4, 'dark_images': 2}, 'fewer than 3'), ({'tilt_step': 12.0}, 'beyond 80'),
    ({'pick_angle_error': -1.0}, 'negative'), ({'defocus_error': ()}, 'defocus_error is empty')])
def test_impossible_scenes_are_named(change, words):
    """A scene that RELION would project into nonsense must stop before it is made, with the parameter's name."""
    with pytest.raises(SimulationError, match=words):
        SceneParameters(**change)


def test_crowded_scene_is_refused():
    """Fewer particles than asked for must not go unnoticed."""
    with pytest.raises(SimulationError, match=r'only \d+ of 2000 picks fit'):
        make_scene(SceneParameters(particles=2000))


def test_parameters_survive_json(scene):
    """A finished data set is found again by its parameters: JSON's lists must compare equal to tuples."""
    text = json.dumps(scene.parameters.to_dict())
    assert SceneParameters.from_dict(json.loads(text)) == scene.parameters
    with pytest.raises(SimulationError, match='snrr'):
        SceneParameters.from_dict({'snrr': 1})


# --- the images ---

def test_noise_has_the_level_that_the_snr_asks_for():
    """The SNR of a scene decides what RELION can reach: it must be what the parameter says, in every image alike."""
    parameters = SceneParameters(particles=2, snr=0.3, dark_images=1, tilts=5)
    scene = make_scene(parameters)
    disc = np.zeros((480, 512), dtype=np.float32)
    radius = parameters.diameter / parameters.pixel / 2
    y, x = np.indices(disc.shape)
    for centre in (100, 300):
        disc[(y - centre) ** 2 + (x - centre) ** 2 < radius ** 2] = -2.0
    series = scene.tilt_series['TS_01']
    stack = finish_images(scene, 'TS_01', {PARTICLE: np.stack([disc] * 4)})
    dark = series['dark'].to_numpy()
    kept = stack[~dark]
    noise = kept[:, disc == 0].std(axis=1)
    signal = kept[:, disc < 0].mean(axis=1) - kept[:, disc == 0].mean(axis=1)
    assert np.mean(signal ** 2 / noise ** 2) == pytest.approx(0.3, rel=0.08) and np.all(signal < 0)
    assert noise.std() < 0.01 * noise.mean()
    assert stack[dark].mean() < 0.1 * kept.mean()
    assert np.array_equal(stack, finish_images(scene, 'TS_01', {PARTICLE: np.stack([disc] * 4)}))


# --- the files of AreTomo3 and pytom-match-pick ---

def small_series():
    return pd.DataFrame({
        'rlnTomoYTilt': [-1.5, 1.5, 4.51], 'rlnTomoZRot': [84.4445] * 3,
        'rlnTomoNominalStageTiltAngle': [-3.0, 0.0, 3.01],
        'rlnDefocusAngle': [-20.5] * 3, 'rlnPhaseShift': [90.0] * 3, 'acquisition': [3, 1, 2],
        'dark': [False, True, False],
        'stated_shift_x_px': [13.382, 0.0, -4.5], 'stated_shift_y_px': [21.802, 0.0, 103.933],
        'stated_defocus_u': [25951.41, 26000.0, 8000.1], 'stated_defocus_v': [24469.37, 25000.0, 7000.0]})


def test_alignment_file_text():
    """Readers split these columns: a changed header, section number or sign would break an import of real data too."""
    assert aretomo3.aln_text(small_series(), SceneParameters()) == (
        '# AreTomo Alignment / Priims bprmMn\n'
        '# RawSize = 512 480 3\n'
        '# NumPatches = 0\n'
        '# DarkFrame =     1    2     1.50\n'
        '# AlphaOffset =     1.50\n'
        '# BetaOffset =     0.00\n'
        '# Thickness = 160\n'
        '# SEC     ROT         GMAG       TX          TY      SMEAN     SFIT    SCALE     BASE     TILT\n'
        '    1    84.4445    1.00000     13.382     21.802     1.00     1.00     1.00     0.00     -1.50\n'
        '    3    84.4445    1.00000     -4.500    103.933     1.00     1.00     1.00     0.00      4.51\n')


def test_ctf_and_tilt_file_text():
    """The phase shift is in radians and dark images have rows of their own: both are easy to lose."""
    lines = aretomo3.ctf_text(small_series(), SceneParameters()).splitlines()
    assert lines[0].startswith('# Columns: #1 micrograph number;') and lines[0].endswith('#8 - dfHand')
    assert lines[1:] == [
        '   1   25951.41  24469.37    -20.50     1.5708    0.1200   10.5000    1',
        '   2   26000.00  25000.00    -20.50     1.5708    0.0100   70.0000    1',
        '   3    8000.10   7000.00    -20.50     1.5708    0.1200   10.5000    1']
    assert aretomo3.tlt_text(small_series(), SceneParameters()) == (
        '   -3.00    3     3.00\n    0.00    1     3.00\n    3.01    2     3.00\n')


def test_lines_have_the_columns_of_real_files():
    """Files of the real program decide what its format is, not our reading of its source."""
    def points(text, start):
        line = next(line for line in text.splitlines() if re.match(start, line))
        return [match.end() for match in re.finditer(r'\S+', line)]

    ours = aretomo3.aln_text(small_series(), SceneParameters())
    real = shared_data('aretomo3/alnfile/global_no_local.aln').read_text()
    assert points(ours, r'\s+1 ') == points(real, r'\s+1 ')
    assert points(ours, '# SEC') == points(real, '# SEC') and points(ours, '# Alpha') == points(real, '# Alpha')
    real_dark = shared_data('aretomo3/alnfile/global_and_local.aln').read_text()
    assert points(ours, '# Dark') == points(real_dark, '# Dark')
    real_ctf = shared_data('aretomo3/cryoet-alignment/test_8col_CTF.txt').read_text()
    assert points(aretomo3.ctf_text(small_series(), SceneParameters()), r'\s+1 ') == points(real_ctf, r'\s+1 ')


def test_picks_are_voxels_of_the_binned_tomogram(scene):
    """Picks count from 0 at the corner of the binned volume: half a voxel is more than refinement leaves as error."""
    table = aretomo3.picks_table(scene, 'TS_01')
    assert table['rlnLCCmax'].is_monotonic_decreasing and set(table['rlnMicrographName']) == {'TS_01_Vol'}
    assert all(table[f'rlnCoordinate{axis}'].dtype == np.int64 for axis in 'XYZ')
    assert set(table['rlnDetectorPixelSize']) == {14.0}
    # X and Y of the tomogram change places: the tilt axis is near the image's X axis
    assert scene.parameters.tomogram_size == (480, 512, 160)
    true = scene.particles.loc[scene.particles['rlnTomoName'] == 'TS_01', COORDINATES].to_numpy()
    mine = (table[['rlnCoordinateX', 'rlnCoordinateY', 'rlnCoordinateZ']].to_numpy() - [60, 64, 20]) * 14.0
    nearest = np.linalg.norm(mine[:, None] - true[None], axis=2).min(axis=1)
    assert np.median(nearest) < 9.0 and nearest.max() < 25.0


def test_stated_and_true_alignment(scene):
    """The truth must never leak into what the pipeline reads, nor the injected errors into the truth."""
    series = scene.tilt_series['TS_02']
    true, stated = (alignment_columns(series, 'a.mrc', 3.5, stated=flag) for flag in (False, True))
    assert len(true) == 13 and set(true.columns) == set(stated.columns) and 'dark' not in true
    assert true['rlnMicrographName'].iloc[-1] == f'{len(series)}@a.mrc:mrcs' or series['dark'].iloc[-1]
    assert (stated['rlnDefocusU'] - true['rlnDefocusU']).round(3).eq(-900).all()


def test_session_is_json_with_the_keys_that_importers_read():
    """Pixel size and FlipVol come from here: the volume's orientation cannot be told from its header."""
    session = json.loads(aretomo3.session_text(SceneParameters()))
    assert session['parameters']['PixSize'] == 3.5 and session['parameters']['McBin'] == 1
    assert session['parameters']['FlipVol'] == 1 and session['parameters']['AtBin'][0] == 4
