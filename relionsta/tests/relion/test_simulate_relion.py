"""The simulated data set, made by real RELION and solved at the true poses."""
import dataclasses
import subprocess
import time

import mrcfile
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from relionsta.geometry import voxel_from_centered
from relionsta.simulate.dataset import make_dataset
from relionsta.simulate.maps import match_maps
from relionsta.simulate.parameters import SceneParameters
from relionsta.simulate.relion_run import SimulationError
from relionsta.simulate.scene import ANGLES, COORDINATES, DECOY, EMPTY, PARTICLE
from relionsta.simulate.truth import compare_maps, compare_poses, read_truth
from relionsta.sources.aretomo3 import find_series, read_series
from relionsta.star import read_star, write_star
from relionsta.tests.find import relion_home

TINY = SceneParameters(particles=8, tilts=9, tilt_step=11.0, image_size=(320, 288), thickness=144, snr=2.0, decoys=2,
                       empty_picks=2, tilt_shift_error=1.0, defocus_error=(500.0, -500.0))


@pytest.fixture(scope='module')
def dataset(tmp_path_factory):
    start = time.time()
    lines = []
    folder = make_dataset(TINY, tmp_path_factory.mktemp('simulate') / 'scene', relion_home() / 'bin', say=lines.append)
    assert any('TS_02 (2 of 2)' in line for line in lines)
    assert time.time() - start < 40
    return folder


@pytest.fixture(scope='module')
def average(dataset, tmp_path_factory):
    """The true poses, extracted and averaged by RELION with the true geometry at binning 2."""
    out = tmp_path_factory.mktemp('average')
    blocks = read_star(dataset / 'truth' / 'particles.star')
    blocks['particles'] = blocks['particles'][blocks['particles']['rlnClassNumber'] == PARTICLE]
    write_star(out / 'particles.star', blocks)
    _relion(dataset, 'relion_tomo_subtomo', '--p', out / 'particles.star', '--t', 'truth/tomograms.star', '--o',
            f'{out}/extract/', '--box_size_A', 224, '--binned_size_pix', 32, '--stack2d', '--j', 1)
    _relion(dataset, 'relion_tomo_reconstruct_particle', '--i', out / 'extract' / 'optimisation_set.star', '--o',
            f'{out}/average/', '--b', 32, '--bin', 2, '--j', 1, '--j_out', 1, '--j_in', 1)
    assert len(read_star(out / 'extract' / 'particles.star')['particles']) == 16
    return out / 'average' / 'merged.mrc'


def _relion(folder, program, *arguments):
    command = [str(relion_home() / 'bin' / program)] + [str(argument) for argument in arguments]
    done = subprocess.run(command, cwd=str(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_true_poses_give_the_true_map(dataset, average):
    """RELION's own extraction and averaging must give the particle back: pose, hand and contrast of the scene."""
    truth = read_truth(dataset)
    match = compare_maps(average, truth, 20.0)
    assert match.cc >= 0.9
    assert match.rotation_deg < 1.5 and match.shift_A < 1.5
    with mrcfile.open(str(average)) as mrc:
        volume = np.array(mrc.data)
    mirrored = match_maps(volume[:, :, ::-1].copy(), truth.map(32, 7.0), 7.0, 20.0, global_search=60)
    assert mirrored.cc < match.cc - 0.15


def test_folder_reads_as_aretomo3s(dataset):
    """An importer of real AreTomo3 folders must find the stated alignment, every column of it."""
    truth = read_star(dataset / 'truth' / 'tilt_series' / 'TS_02.star')['TS_02']
    locations = find_series(str(dataset / 'aretomo3'))
    assert [location.ts_id for location in locations] == ['TS_01', 'TS_02']
    record = read_series(locations[1])
    images = record.images[record.images['aligned']].reset_index(drop=True)
    assert (record.pixel_size, record.n_raw, len(images), record.hand) == (3.5, 9, 8, -1)
    assert tuple(record.image_size) == (320, 288) and record.voxel_size == pytest.approx(14.0)
    assert np.allclose(images['tilt'], truth['rlnTomoYTilt']) and np.allclose(images['rot'], truth['rlnTomoZRot'])
    assert np.allclose(images['pre_exposure'], truth['rlnMicrographPreExposure'])
    assert np.allclose(images['defocus_u'], truth['rlnDefocusU'] - 500)
    moved = images['x_shift_px'] * 3.5 - truth['rlnTomoXShiftAngst']
    assert 0.1 < moved.abs().mean() < 3.0
    assert [int(name.split('@')[0]) for name in truth['rlnMicrographName']] == images['section'].tolist()


def test_stack_and_tomogram(dataset):
    """Protein is dark, the dark image is dark, and the volume has the voxel and the axes that its picks count in."""
    truth = read_truth(dataset)
    with mrcfile.open(str(dataset / 'aretomo3' / 'TS_01.mrc')) as mrc:
        assert mrc.data.shape == (9, 288, 320) and mrc.data.dtype == np.float32
        assert float(mrc.voxel_size.x) == pytest.approx(3.5)
        levels = mrc.data.mean(axis=(1, 2))
    assert np.sum(levels < 0.1 * np.median(levels)) == 1
    with mrcfile.open(str(dataset / 'aretomo3' / 'TS_01_Vol.mrc')) as mrc:
        volume = gaussian_filter(np.array(mrc.data, dtype=np.float64), 3)
        assert mrc.data.shape == (36, 80, 72) and float(mrc.voxel_size.x) == pytest.approx(14.0)

    def density(kind):
        rows = truth.particles['rlnTomoName'].eq('TS_01') & truth.particles['rlnClassNumber'].eq(kind)
        index = np.rint(voxel_from_centered(truth.particles.loc[rows, COORDINATES], (72, 80, 36), 14.0)).astype(int)
        return volume[index[:, 2], index[:, 1], index[:, 0]]

    assert max(density(PARTICLE).max(), density(DECOY).max()) < np.median(volume) - volume.std()
    assert density(EMPTY).min() > density(PARTICLE).max()


def test_picks_are_near_the_truth(dataset):
    """The picks are the pipeline's only knowledge of the particles."""
    truth = read_truth(dataset)
    picks = read_star(dataset / 'picks' / 'all_particles.star')['']
    assert len(picks) == 24 and set(picks['rlnMicrographName']) == {'TS_01_Vol', 'TS_02_Vol'}
    one = read_star(dataset / 'picks' / 'TS_02_Vol_particles.star')['']
    assert one.equals(picks[picks['rlnMicrographName'] == 'TS_02_Vol'].reset_index(drop=True))
    table = picks[ANGLES].copy()
    table['rlnTomoName'] = picks['rlnMicrographName'].str.replace('_Vol', '', regex=False)
    voxels = picks[['rlnCoordinateX', 'rlnCoordinateY', 'rlnCoordinateZ']].to_numpy()
    table[COORDINATES] = (voxels - [36, 40, 18]) * 14.0
    errors = compare_poses(truth.particles, table)
    assert (errors.n_matched, errors.n_false, errors.n_missed) == (16, 8, 0)
    assert 2 < errors.median_angle_error_deg < 12 and 3 < errors.median_shift_error_A < 14


def test_finished_and_interrupted_data_sets(dataset, tmp_path):
    """Made once: the same request does nothing, another one destroys nothing, an interrupted one goes on."""
    lines = []
    assert make_dataset(TINY, dataset, relion_home() / 'bin', say=lines.append) == dataset
    assert lines == [f'{dataset} is there already']
    other = dataclasses.replace(TINY, seed=8)
    with pytest.raises(SimulationError, match='other parameters'):
        make_dataset(other, dataset, relion_home() / 'bin', say=lines.append)

    def interrupt(line):
        if line.startswith('TS_02 ('):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_dataset(TINY, tmp_path / 'again', relion_home() / 'bin', say=interrupt)
    assert not (tmp_path / 'again').exists()
    lines.clear()
    again = make_dataset(TINY, tmp_path / 'again', relion_home() / 'bin', say=lines.append)
    assert lines[0] == 'TS_01 (1 of 2): finished before'
    for name in ('aretomo3/TS_01.mrc', 'aretomo3/TS_02.mrc', 'picks/all_particles.star', 'truth/particles.star'):
        assert (again / name).read_bytes()[1024:] == (dataset / name).read_bytes()[1024:], name


def test_missing_program_is_named(tmp_path):
    """A wrong RELION folder must not look like a broken scene."""
    with pytest.raises(SimulationError, match='relion_tomo_predict_tilt_series does not exist'):
        make_dataset(TINY, tmp_path / 'scene', tmp_path, say=lambda line: None)
