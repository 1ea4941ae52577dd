"""Every convention of geometry.py against RELION's own projections and maps of a scene that we know."""
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import mrcfile
import numpy as np
import pandas as pd
import pytest

from relionsta import geometry
from relionsta.star import read_star, write_star
from relionsta.tests.find import relion_home

PIXEL = 4.0
IMAGE = (192, 176)
TOMOGRAM = (150, 166, 60)
BOX = 64
TILTS = 9
NAME = 'TS_01'
PLACE = np.array([[46.0, -73.0, 41.5]])


def spots(centres: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    """A map (Z, Y, X) of BOX³ voxels; centres (n, 3) as X, Y, Z in voxels from index BOX/2.

    Each spot has a wider one taken off it, so that its sum is 0: RELION's projections have no grey level of their own.
    """
    axis = np.arange(BOX) - BOX // 2
    volume = np.zeros((BOX, BOX, BOX))
    for centre, weight in zip(centres, weights):
        for width, part in ((sigma, 1.0), (1.6 * sigma, -1.6 ** -3)):
            along = [np.exp(-(axis - at) ** 2 / (2 * width ** 2)) for at in centre[::-1]]
            volume += weight * part * np.einsum('i,j,k', *along)
    return volume.astype(np.float32)


class Scene:
    """One tilt series with every kind of alignment value not zero, in a folder where RELION can work."""

    def __init__(self, folder: Path, image: Tuple[int, int] = IMAGE, hand: float = -1,
                 amplitude_contrast: float = 1.0, defocus: Any = 0.0) -> None:
        self.folder = folder
        folder.mkdir()
        random = np.random.default_rng(7)
        self.tilts = pd.DataFrame({
            'rlnMicrographName': [f'{row + 1}@{NAME}.mrc:mrcs' for row in range(TILTS)],
            'rlnMicrographPreExposure': np.arange(TILTS) * 0.01,
            'rlnTomoXTilt': random.uniform(-4, 4, TILTS),
            'rlnTomoYTilt': np.linspace(-55, 50, TILTS),
            'rlnTomoZRot': 37 + random.uniform(-1, 1, TILTS),
            'rlnTomoXShiftAngst': random.uniform(-30, 30, TILTS),
            'rlnTomoYShiftAngst': random.uniform(-30, 30, TILTS),
            'rlnDefocusU': np.broadcast_to(defocus, TILTS).astype(float),
            'rlnDefocusV': np.broadcast_to(defocus, TILTS).astype(float),
            'rlnDefocusAngle': np.zeros(TILTS),
            'rlnCtfScalefactor': np.ones(TILTS)})
        microscope = {'rlnVoltage': 300.0, 'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': amplitude_contrast,
                      'rlnTomoTiltSeriesPixelSize': PIXEL, 'rlnOpticsGroupName': 'optics1'}
        tomograms = pd.DataFrame([{
            'rlnTomoName': NAME, 'rlnTomoTiltSeriesStarFile': NAME + '.star', 'rlnTomoHand': float(hand), **microscope,
            'rlnTomoSizeX': TOMOGRAM[0], 'rlnTomoSizeY': TOMOGRAM[1], 'rlnTomoSizeZ': TOMOGRAM[2]}])
        self.optics = pd.DataFrame([{'rlnOpticsGroup': 1, **microscope}])
        write_star(folder / f'{NAME}.star', {NAME: self.tilts})
        write_star(folder / 'tomograms.star', {'global': tomograms})
        self.write_stack(np.zeros((TILTS, image[1], image[0])))

    def write_stack(self, images: np.ndarray) -> None:
        with mrcfile.new(self.folder / f'{NAME}.mrc', overwrite=True) as stack:
            stack.set_data(images.astype(np.float32))
            stack.voxel_size = PIXEL

    def write_particles(self, file: str, coords: np.ndarray, **columns: Optional[np.ndarray]) -> None:
        """columns: prefix of a label -> (n, 3) values, for example rlnAngle -> rot, tilt, psi."""
        count = len(coords)
        table: Dict[str, Any] = {'rlnTomoName': [NAME] * count,
                                 'rlnTomoParticleName': [f'{NAME}/{row + 1}' for row in range(count)],
                                 'rlnOpticsGroup': np.ones(count, dtype=int),
                                 'rlnRandomSubset': np.arange(count) % 2 + 1}
        given = {'rlnCenteredCoordinate': coords, **columns}
        for prefix, values in given.items():
            if values is not None:
                names = ('Rot', 'Tilt', 'Psi') if 'Coord' not in prefix and 'Origin' not in prefix else (
                    'XAngst', 'YAngst', 'ZAngst')
                table.update({prefix + name: column for name, column in zip(names, values.T)})
        write_star(self.folder / file, {'optics': self.optics, 'particles': pd.DataFrame(table)})

    def run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([str(relion_home() / 'bin' / program), *arguments], cwd=str(self.folder), timeout=300,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
        assert done.returncode == 0, done.stdout

    def predict(self, particles: str, reference: np.ndarray) -> np.ndarray:
        """RELION's own noise-free tilt images (tilts, Y, X) of the particles."""
        write_map(self.folder / 'reference.mrc', reference)
        self.run('relion_tomo_predict_tilt_series', '--p', particles, '--t', 'tomograms.star', '--tn', NAME,
                 '--ref1', 'reference.mrc', '--ref2', 'reference.mrc', '--b', str(BOX), '--o', 'predicted.mrc',
                 '--j', '1')
        return read_map(self.folder / 'predicted.mrc')

    def reconstruct(self, particles: str, out: str) -> np.ndarray:
        """RELION's average (Z, Y, X) of the particles, from the tilt images."""
        self.run('relion_tomo_reconstruct_particle', '--p', particles, '--t', 'tomograms.star', '--o', out + '/',
                 '--b', str(BOX), '--bin', '1', '--j', '1', '--j_out', '1', '--j_in', '1', '--theme', 'classic')
        return read_map(self.folder / out / 'merged.mrc')

    def reconstruct_tomogram(self, binning: float) -> np.ndarray:
        """RELION's tomogram (Z, Y, X) of the tilt images."""
        self.run('relion_tomo_reconstruct_tomogram', '--t', 'tomograms.star', '--tn', NAME,
                 '--o', f'tomogram{binning}/', '--w', str(TOMOGRAM[0]), '--h', str(TOMOGRAM[1]),
                 '--d', str(TOMOGRAM[2]), '--binned_angpix', str(binning * PIXEL), '--j', '1')
        return read_map(self.folder / f'tomogram{binning}' / 'tomograms' / f'rec_{NAME}.mrc')


def write_map(path: Path, volume: np.ndarray) -> None:
    with mrcfile.new(path, volume.astype(np.float32), overwrite=True) as out:
        out.voxel_size = PIXEL


def read_map(path: Path) -> np.ndarray:
    with mrcfile.open(path, permissive=True) as file:
        return np.array(file.data, dtype=np.float64)


def spot_positions(images: np.ndarray) -> np.ndarray:
    """0-based x, y (tilts, 2) of the one dark, symmetric spot in each image.

    The darkest pixel gives the whole pixels, the phases of a band of frequencies the rest.
    """
    found = []
    for image in images:
        y, x = np.unravel_index(image.argmin(), image.shape)
        spectrum = -np.fft.fft2(np.roll(image, (-y, -x), (0, 1)))
        band = np.arange(8, 28)
        for whole, size, along in ((x, image.shape[1], spectrum[0, band]), (y, image.shape[0], spectrum[band, 0])):
            shifts = -np.angle(along) * size / (2 * np.pi * band)
            found.append(whole + np.average(shifts, weights=np.abs(along)))
    return np.array(found).reshape(-1, 2)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Correlation coefficient of two maps within 16 voxels of the centre, where the particle is."""
    z, y, x = np.indices(first.shape) - BOX // 2
    inside = x ** 2 + y ** 2 + z ** 2 < 16 ** 2
    return float(np.corrcoef(first[inside], second[inside])[0, 1])


def random_poses(count: int, seed: int, spread: float = 100) -> Dict[str, np.ndarray]:
    """Rows of a particles STAR in which all four parts of a pose matter; near enough to be seen in every tilt."""
    random = np.random.default_rng(seed)
    angles = [np.stack([random.uniform(-180, 180, count), random.uniform(10, 170, count),
                        random.uniform(-180, 180, count)], axis=1) for _ in range(2)]
    return {'coords': random.uniform(-1, 1, (count, 3)) * np.array([spread, spread, 60]),
            'origins': random.uniform(-12, 12, (count, 3)), 'sub_angles': angles[0], 'part_angles': angles[1]}


def write_poses(scene: Scene, file: str, poses: Dict[str, np.ndarray]) -> None:
    scene.write_particles(file, poses['coords'], rlnOrigin=poses['origins'], rlnTomoSubtomogram=poses['sub_angles'],
                          rlnAngle=poses['part_angles'])


def test_projection_matrices_within_tomograms_star(tmp_path: Path) -> None:
    """Prevents a RELION 4 alignment that we read otherwise than RELION 5 does: it projects with the matrices as with the
    angles that we take from them, be the tilt series in a file of its own or not."""
    scene = Scene(tmp_path / 'scene')
    reference = spots(np.array([[4.0, -3.0, 2.0]]), np.ones(1), sigma=1.5)
    write_poses(scene, 'particles.star', random_poses(1, 3))
    with_angles = scene.predict('particles.star', reference)
    matrices = geometry.tilt_series_projections(scene.tilts, PIXEL, IMAGE, TOMOGRAM)
    angles = ['rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst']
    ours = np.stack(geometry.tilt_from_projections(matrices, PIXEL, IMAGE, TOMOGRAM), axis=1)
    np.testing.assert_allclose(ours, scene.tilts[angles], atol=1e-9)
    old = scene.tilts.drop(columns=angles)
    for row, axis in enumerate('XYZW'):
        old['rlnTomoProj' + axis] = ['[%s]' % ','.join('%.10g' % value for value in line) for line in matrices[:, row]]
    overview = read_star(scene.folder / 'tomograms.star')['global'].drop(columns='rlnTomoTiltSeriesStarFile')
    write_star(scene.folder / 'tomograms.star', {'global': overview, NAME: old})
    np.testing.assert_allclose(scene.predict('particles.star', reference), with_angles, atol=1e-4 * with_angles.std())


def test_a_point_of_a_particle_is_projected_where_relion_projects_it(tmp_path: Path) -> None:
    """Prevents a wrong sign, axis order, centre or transpose anywhere between a STAR row and a tilt image.

    The reference is one spot away from its centre, so that the angles move it in the images.
    """
    spot = np.array([4.0, -3.0, 2.0])
    reference = spots(spot[None], np.ones(1), sigma=1.5)
    scene = Scene(tmp_path / 'scene')
    matrices = geometry.tilt_series_projections(scene.tilts, PIXEL, IMAGE, TOMOGRAM)
    for seed in (1, 2, 3):
        poses = random_poses(1, seed)
        write_poses(scene, 'particles.star', poses)
        seen = spot_positions(scene.predict('particles.star', reference))
        positions, A = geometry.compose_pose(**poses)
        of_spot = positions + np.einsum('nij,j->ni', A, spot * PIXEL)
        expected = geometry.project(matrices, geometry.voxel_from_centered(of_spot, TOMOGRAM, PIXEL))[:, 0, :2]
        assert np.abs(seen - expected).max() < 0.05
        inverted = positions + np.einsum('nji,j->ni', A, spot * PIXEL)
        wrong = geometry.project(matrices, geometry.voxel_from_centered(inverted, TOMOGRAM, PIXEL))[:, 0, :2]
        assert np.abs(seen - wrong).max() > 1


@pytest.mark.parametrize('hand', [1, -1])
def test_defocus_follows_depth_as_in_relion(tmp_path: Path, hand: int) -> None:
    """Prevents a wrong sign of the defocus gradient: compared with RELION told each image's defocus, and no hand."""
    reference = spots(np.zeros((1, 3)), np.ones(1), sigma=0.8)
    position = np.array([[60.0, -80.0, 90.0]])
    defocus = np.linspace(4000, 6000, TILTS)
    images: List[np.ndarray] = []
    gradient = Scene(tmp_path / 'gradient', hand=hand, amplitude_contrast=0.1, defocus=defocus)
    matrices = geometry.tilt_series_projections(gradient.tilts, PIXEL, IMAGE, TOMOGRAM)
    voxel = geometry.voxel_from_centered(position, TOMOGRAM, PIXEL)
    scenes = [gradient]
    for factor in (hand, -hand):
        told = geometry.defocus_of(defocus, matrices, voxel, factor, PIXEL, TOMOGRAM)[:, 0]
        scenes.append(Scene(tmp_path / f'told{factor}', hand=0, amplitude_contrast=0.1, defocus=told))
    for scene in scenes:
        scene.write_particles('particles.star', position)
        images.append(scene.predict('particles.star', reference))
    scale = np.abs(images[0]).max()
    assert np.abs(images[1] - images[0]).max() < 1e-3 * scale
    assert np.abs(images[2] - images[0]).max() > 2e-2 * scale


def test_composed_poses_give_the_reference_back(tmp_path: Path) -> None:
    """Prevents maps that are blurred, mirrored or turned because a pose was taken apart or put together wrongly."""
    centres = np.array([[0, 0, 0], [6, 1, -2], [-3, 5, 4], [2, -6, 3], [-4, -3, -6]], dtype=float)
    reference = spots(centres, np.array([1.2, 1.0, 0.8, 0.6, 1.0]), sigma=1.8)
    # Forty particles over a wide image: what neighbours add to each other's boxes averages out.
    scene = Scene(tmp_path / 'scene', image=(360, 320), amplitude_contrast=0.1, defocus=15000)
    poses = random_poses(40, 4, spread=420)
    write_poses(scene, 'truth.star', poses)
    scene.write_stack(scene.predict('truth.star', reference))
    positions, A = geometry.compose_pose(**poses)
    scene.write_particles('folded.star', positions, rlnAngle=geometry.matrix_to_euler(A))
    folded = scene.reconstruct('folded.star', 'folded')
    as_reference = correlation(folded, reference)
    scene.write_particles('inverted.star', positions, rlnAngle=geometry.matrix_to_euler(A.transpose(0, 2, 1)))
    scene.write_particles('unshifted.star', poses['coords'], rlnAngle=geometry.matrix_to_euler(A))
    wrong = {'mirrored': correlation(folded, reference[::-1]),
             'inverted': correlation(scene.reconstruct('inverted.star', 'inverted'), reference),
             'unshifted': correlation(scene.reconstruct('unshifted.star', 'unshifted'), reference)}
    assert as_reference > 0.95
    assert max(wrong.values()) < 0.8, wrong


@pytest.fixture(scope='module')
def with_one_particle(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A scene whose tilt images show one particle, at PLACE."""
    scene = Scene(tmp_path_factory.mktemp('tomogram') / 'scene')
    scene.write_particles('particles.star', PLACE)
    scene.write_stack(scene.predict('particles.star', spots(np.zeros((1, 3)), np.ones(1), sigma=1.5)))
    return scene


def peak(volume: np.ndarray) -> np.ndarray:
    """0-based x, y, z (1, 3) of the darkest point of a tomogram (Z, Y, X), by a parabola through its neighbours."""
    at = np.unravel_index(volume.argmin(), volume.shape)
    found = []
    for axis in (2, 1, 0):
        below, here, above = (volume[tuple(at[n] + step * (n == axis) for n in range(3))] for step in (-1, 0, 1))
        found.append(at[axis] + 0.5 * (below - above) / (below - 2 * here + above))
    return np.array([found])


@pytest.mark.parametrize('binning', [1, 1.5, 2])
def test_a_voxel_of_a_tomogram(with_one_particle: Scene, binning: float) -> None:
    """Prevents half-voxel shifts of picks, at any binning: RELION's own tomogram shows the particle where we say."""
    tomogram = with_one_particle.reconstruct_tomogram(binning)
    found = geometry.centered_from_voxel(peak(tomogram), tomogram.shape[::-1], binning * PIXEL)
    # A quarter of a voxel: RELION rounds the size of binned images.
    assert np.abs(found - PLACE).max() < 0.25 * binning * PIXEL


def test_a_position_in_a_tomogram_with_shifted_origin(with_one_particle: Scene) -> None:
    """Prevents particles that are off by the shift of their tomogram: RELION's tomogram, cut to one side.

    The particle is found in the cut volume, put into Scipion's terms there, and must come out where it was put.
    """
    cut = with_one_particle.reconstruct_tomogram(1)[18:, :, 7:]
    origin = (-np.array(TOMOGRAM) / 2 + np.array([7, 0, 18])) * PIXEL
    raw = peak(cut) + origin / PIXEL
    found = geometry.centered_from_scipion(raw, PIXEL, geometry.scipion_zero(cut.shape[::-1], PIXEL, origin))
    assert np.abs(found - PLACE).max() < 0.25 * PIXEL
