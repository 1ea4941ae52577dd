"""RELION's particles as another plugin sees them in Scipion: the same average, cut from RELION's own tomogram."""
from pathlib import Path
from typing import Any, List, Tuple

import mrcfile
import numpy as np
import pytest
from pwem.convert.transformations import euler_from_matrix
from pwem.objects import Transform
from scipy.ndimage import map_coordinates
from tomo.constants import BOTTOM_LEFT_CORNER, CENTER_GRAVITY, TR_RELION
from tomo.objects import SetOfCoordinates3D, SetOfTomograms, Tomogram

from relionsta import geometry
from relionsta.convert.particles import read_particles
from relionsta.convert.reconstructions import append_reconstruction
from relionsta.objects import SetOfStaParticles
from relionsta.simulate.particle import sample, two_lobes
from relionsta.star import write_star
from relionsta.tests.scenes.average import average, bring_in, compare
from relionsta.tests.scenes.scene import BOTH, DIAMETER, PARTICLES, Scene
from relionsta.tests.scenes.truth import Truth, make_truth, particles_blocks, project, read_map, relion

SCENE = Scene('', image=(264, 360), rows=7, plain_contrast=True, dose=0.01, pose=BOTH, route=PARTICLES, binning=1.5)
VOXEL = SCENE.binning * SCENE.pixel
SIZE = (360, 264, 150)
UNEVEN = (362, 266, 152)  # no multiples of the binning: RELION makes 240 x 177 x 101 voxels
BOX = 32
REFINED = 'stacks/run_it001_data.star'


@pytest.fixture(scope='module')
def solved(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Path, Truth]:
    """A folder with the particles.star of the truth, the one that relion_refine made of it, and RELION's tomogram."""
    folder, truth = tmp_path_factory.mktemp('reverse'), make_truth(SCENE)
    project(truth, folder)
    write_star(folder / 'particles_of_truth.star', particles_blocks(truth))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        bring_in(truth)
    average(folder, truth, from_tilt_images=False)
    for out, size in (('tomogram/', SIZE), ('uneven/', UNEVEN)):
        relion(folder, 'relion_tomo_reconstruct_tomogram', '--t', 'job000/tomograms.star', '--tn', 'TS_01', '--o', out,
               '--w', size[0], '--h', size[1], '--d', size[2], '--bin', SCENE.binning, '--j', 1)
    return folder, truth


def tomogram_set(volume: np.ndarray, cut: Tuple[int, int, int]) -> SetOfTomograms:
    """RELION's tomogram without its first planes in X, Y and Z, the origin of which says so."""
    with mrcfile.new('cut.mrc', volume[cut[2]:, cut[1]:, cut[0]:].astype(np.float32), overwrite=True) as file:
        file.voxel_size = VOXEL
    tomograms = SetOfTomograms(filename='seen_tomograms.sqlite')
    tomograms.setSamplingRate(VOXEL)
    tomogram = Tomogram(tsId='TS_01')
    tomogram.setFileName('cut.mrc')
    tomogram.setSamplingRate(VOXEL)
    origin = Transform()
    origin.setShifts(*((np.array(cut) - np.array(volume.shape[::-1]) / 2) * VOXEL))
    tomogram.setOrigin(origin)
    tomograms.append(tomogram)
    tomograms.write()
    return tomograms


def scipions_view(star: str, tomograms: SetOfTomograms) -> Tuple[List[Any], Tomogram]:
    """The particles of a STAR file as subtomograms, tied to their tomogram as Scipion's iterators do it."""
    coordinates = SetOfCoordinates3D(filename='seen_coordinates.sqlite')
    coordinates.setSamplingRate(VOXEL)
    coordinates.setPrecedents(tomograms)
    coordinates.write()
    particles = SetOfStaParticles(filename='seen_particles.sqlite')
    read_particles(star, particles, coordinates)
    particles.write()
    tomogram = tomograms.getFirstItem().clone()
    items = [item.clone() for item in particles.iterItems()]
    for item in items:
        item.getCoordinate3D().setVolume(tomogram)
    return items, tomogram


def scipions_average(volume: np.ndarray, items: List[Any]) -> np.ndarray:
    """Scipion defines f'(r) = f(M r), f' the particle and f the reference: reference(s) = mean of f'(M^-1 s)."""
    axis = np.arange(BOX) - BOX // 2
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing='ij'))[::-1].reshape(3, -1)
    total = np.zeros(BOX ** 3)
    for item in items:
        matrix = item.getTransform().getMatrix()
        rotation, shift = matrix[:3, :3], matrix[:3, 3]
        place = np.array(item.getCoordinate3D().getPosition(BOTTOM_LEFT_CORNER))
        at = np.linalg.inv(rotation) @ (grid - shift[:, None]) + place[:, None]
        total += map_coordinates(volume, at[::-1], order=1, mode='nearest')
    return total.reshape((BOX,) * 3)


def as_strong(volume: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The map, each shell of its transform as strong as the reference's: a tomogram has no even spectrum."""
    frequency = np.fft.fftfreq(BOX) * BOX
    shells = np.rint(np.sqrt(frequency[:, None, None] ** 2 + frequency[:, None] ** 2 + frequency ** 2)).astype(int)
    spectra = [np.fft.fftn(part) for part in (volume, reference)]
    powers = [np.bincount(shells.ravel(), np.abs(spectrum).ravel() ** 2) for spectrum in spectra]
    return np.fft.ifftn(spectra[0] * np.sqrt(powers[1] / np.maximum(powers[0], 1e-12))[shells]).real


@pytest.mark.parametrize('star', ['particles_of_truth.star', REFINED])
@pytest.mark.parametrize('cut', [(0, 0, 0), (9, 14, 6)])
def test_the_average_from_scipions_side(solved: Tuple[Path, Truth], star: str, cut: Tuple[int, int, int],
                                        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prevents poses that only our own converters understand: turned, inverted, mirrored or shifted for other plugins."""
    folder, truth = solved
    (tmp_path / 'particles_of_truth.star').symlink_to(folder / 'particles_of_truth.star')
    (tmp_path / 'stacks').symlink_to(folder / 'stacks')
    monkeypatch.chdir(tmp_path)
    volume = -read_map(folder / 'tomogram' / 'tomograms' / 'rec_TS_01.mrc')
    assert volume.shape == (100, 176, 240)
    tomograms = tomogram_set(volume, cut)
    items, tomogram = scipions_view(star, tomograms)
    reference = sample(two_lobes(DIAMETER * SCENE.pixel), BOX, VOXEL)
    found = scipions_average(volume[cut[2]:, cut[1]:, cut[0]:], items)
    match = compare(as_strong(found, reference), reference)
    assert match.cc > 0.97 and match.shift < 0.02 and match.angle < 0.3, match
    assert compare(as_strong(found[:, :, ::-1], reference), reference).cc < match.cc - 0.1
    for item in items:
        transform = item.getTransform()
        transform.setMatrix(np.linalg.inv(transform.getMatrix()))
    assert compare(as_strong(scipions_average(volume[cut[2]:, cut[1]:, cut[0]:], items), reference),
                   reference).cc < match.cc - 0.1


def test_a_tomogram_of_uneven_size(solved: Tuple[Path, Truth], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prevents a quarter of a voxel between picks and particles where RELION's tomogram is no multiple of the binning."""
    folder, truth = solved
    (tmp_path / 'particles_of_truth.star').symlink_to(folder / 'particles_of_truth.star')
    monkeypatch.chdir(tmp_path)
    path = folder / 'uneven' / 'tomograms' / 'rec_TS_01.mrc'
    tomograms = SetOfTomograms(filename='seen_tomograms.sqlite')
    append_reconstruction(tomograms, 'TS_01', str(path), UNEVEN, SCENE.pixel, fourier=False)
    tomograms.write()
    volume = -read_map(path)
    assert volume.shape == (101, 177, 240)
    items, _ = scipions_view('particles_of_truth.star', tomograms)
    reference = sample(two_lobes(DIAMETER * SCENE.pixel), BOX, VOXEL)

    def likeness() -> float:
        return compare(as_strong(scipions_average(volume, items), reference), reference).cc

    here = likeness()
    for axis in 'XYZ':
        beside = []
        for step in (-0.5, 1.0):
            for item in items:
                getattr(item.getCoordinate3D(), 'shift' + axis)(step)
            beside.append(likeness())
        for item in items:
            getattr(item.getCoordinate3D(), 'shift' + axis)(-0.5)
        # The top of the parabola through three averages, half a voxel apart.
        best = 0.25 * (beside[1] - beside[0]) / (2 * here - beside[0] - beside[1])
        assert here > 0.97 and abs(best) < 0.1, (axis, here, beside, best)


@pytest.mark.parametrize('cut', [(0, 0, 0), (9, 14, 6)])
def test_scipions_accessors(solved: Tuple[Path, Truth], cut: Tuple[int, int, int], monkeypatch: pytest.MonkeyPatch,
                            tmp_path: Path) -> None:
    """Prevents numbers that other plugins read differently: voxels, the middle, matrices and RELION's own angles."""
    folder, truth = solved
    (tmp_path / 'particles_of_truth.star').symlink_to(folder / 'particles_of_truth.star')
    monkeypatch.chdir(tmp_path)
    items, tomogram = scipions_view('particles_of_truth.star', tomogram_set(np.zeros((100, 176, 240)), cut))
    coordinates = [item.getCoordinate3D() for item in items]
    voxels = truth.positions / VOXEL + np.array([240, 176, 100]) / 2 - np.array(cut)
    np.testing.assert_allclose([one.getPosition(BOTTOM_LEFT_CORNER) for one in coordinates], voxels, atol=1e-6)
    middle = np.array(tomogram.getDim()) / 2
    np.testing.assert_allclose([one.getPosition(CENTER_GRAVITY) for one in coordinates], voxels - middle, atol=1e-6)
    for item, one, A in zip(items, coordinates, truth.A):
        np.testing.assert_allclose(item.getTransform().getMatrix(), one.getMatrix(), atol=1e-9)
        relion_matrix = one.getMatrix(convention=TR_RELION)
        # As scipion-em-reliontomo reads it.
        angles = -np.degrees(euler_from_matrix(np.linalg.inv(relion_matrix), 'szyz'))
        np.testing.assert_allclose(geometry.euler_to_matrix(angles[None])[0], A, atol=1e-6)
        np.testing.assert_allclose(relion_matrix[:3, 3], 0, atol=1e-9)
        assert item.getVolName() == one.getTomoId() == 'TS_01'
