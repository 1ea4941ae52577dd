"""What is true of a scene, and the tilt series that RELION makes of it, free of noise."""
import subprocess
from pathlib import Path
from typing import Any, Dict, NamedTuple

import mrcfile
import numpy as np
import pandas as pd
from scipy.spatial.transform import Rotation

from relionsta import geometry
from relionsta.simulate.particle import sample, two_lobes
from relionsta.star import write_star
from relionsta.tests.find import relion_home

from .scene import BOTH, BOX, DIAMETER, PARTICLE, SUBTOMOGRAM, THICKNESS, TILTS, Scene

_XYZ = [label + 'Angst' for label in ('rlnCenteredCoordinateX', 'rlnCenteredCoordinateY', 'rlnCenteredCoordinateZ')]
_ORIGINS = ['rlnOrigin%sAngst' % axis for axis in 'XYZ']
# Columns and rows of particles, pixels apart across and along the tilt axis: none hides another in any image.
_COLUMNS, _ACROSS, _ALONG = 3, 105.0, 30.5


class Truth(NamedTuple):
    """tilt_series: name -> all images in tilt order, RELION's columns and `kept`; particles: name -> rows of a
    particles.star; positions (n, 3; Å) and A (n, 3, 3) of these particles, all tilt series after each other."""
    scene: Scene
    reference: np.ndarray
    tilt_series: Dict[str, pd.DataFrame]
    particles: pd.DataFrame
    positions: np.ndarray
    A: np.ndarray


def make_truth(scene: Scene) -> Truth:
    """Always the same for the same scene: particles on a loose grid with random orientations."""
    random = np.random.default_rng(20)
    series = {name: _images(scene, random) for name in scene.series_names}
    count = _COLUMNS * scene.rows * len(series)
    names = np.repeat(list(series), _COLUMNS * scene.rows)
    positions = np.concatenate([_places(scene, random) for _ in series])
    A = Rotation.random(count, random_state=random.integers(1000)).as_matrix()
    particles = _particle_rows(scene, names, positions, A, random)
    return Truth(scene, sample(two_lobes(DIAMETER * scene.pixel), BOX, scene.pixel), series, particles, positions, A)


def _images(scene: Scene, random: np.random.Generator) -> pd.DataFrame:
    tilts = np.linspace(-55, 55, TILTS) + random.uniform(-1, 1, TILTS)
    order = np.abs(tilts).argsort().argsort()
    # In proportion to the area of a pixel, so that the CTF spreads a point over as many pixels.
    defocus = (7000 + random.uniform(-2000, 2000, TILTS)) * (scene.pixel / 4) ** 2 * (not scene.plain_contrast)
    axis = scene.axis + random.uniform(-1, 1, TILTS) * scene.axis_spread
    return pd.DataFrame({
        'rlnMicrographPreExposure': order * scene.dose, 'rlnTomoNominalStageTiltAngle': tilts,
        'rlnTomoXTilt': scene.x_tilt + random.uniform(-1, 1, TILTS) * scene.x_tilt_spread, 'rlnTomoYTilt': tilts,
        'rlnTomoZRot': axis - 360 * (axis > 180),
        'rlnTomoXShiftAngst': random.uniform(-1, 1, TILTS) * scene.shift * scene.pixel,
        'rlnTomoYShiftAngst': random.uniform(-1, 1, TILTS) * scene.shift * scene.pixel, 'rlnDefocusU': defocus,
        'rlnDefocusV': defocus * random.uniform(0.8, 0.95, TILTS), 'rlnDefocusAngle': random.uniform(-90, 90, TILTS),
        'rlnPhaseShift': scene.phase_shift, 'rlnCtfScalefactor': np.cos(np.radians(tilts)),
        'kept': ~np.isin(np.arange(TILTS), scene.left_out)})


def _places(scene: Scene, random: np.random.Generator) -> np.ndarray:
    """Centred positions (n, 3) in Å. The columns lie across the tilt axis (Y of the aligned images)."""
    across = (np.arange(_COLUMNS) - (_COLUMNS - 1) / 2) * _ACROSS
    along = (np.arange(scene.rows) - (scene.rows - 1) / 2) * _ALONG
    # All of a row are at one depth: seen from a side they stay side by side.
    depths = random.permutation(np.linspace(-1, 1, scene.rows)) * scene.depth
    grid = np.array([(x, y, z) for x in across for y, z in zip(along, depths)])
    return np.asarray(grid + random.uniform(-1, 1, grid.shape) * [4, 2, 15]) * scene.pixel


def _particle_rows(scene: Scene, names: np.ndarray, positions: np.ndarray, A: np.ndarray,
                   random: np.random.Generator) -> pd.DataFrame:
    """Rows as RELION has them after a refinement: coordinate - A_sub origin is the position, A_sub A_part is A."""
    count = len(names)
    some = Rotation.random(count, random_state=random.integers(1000)).as_matrix()
    sub = {PARTICLE: np.tile(np.eye(3), (count, 1, 1)), SUBTOMOGRAM: A, BOTH: some}[scene.pose]
    part = sub.transpose(0, 2, 1) @ A
    origins = random.uniform(-2.5, 2.5, (count, 3)) * scene.pixel
    rows = pd.DataFrame({'rlnTomoName': names, 'rlnOpticsGroup': 1 + pd.factorize(names)[0],
                         'rlnTomoParticleName': ['%s/%d' % pair for pair in zip(names, range(1, count + 1))],
                         'rlnRandomSubset': np.arange(count) % 2 + 1})
    rows[_XYZ] = positions + np.einsum('nij,nj->ni', sub, origins)
    rows[_ORIGINS] = origins
    for prefix, matrices in (('rlnAngle', part), ('rlnTomoSubtomogram', sub)):
        if prefix == 'rlnAngle' or scene.pose != PARTICLE:
            rows[[prefix + name for name in ('Rot', 'Tilt', 'Psi')]] = geometry.matrix_to_euler(matrices)
    return rows


def microscope(scene: Scene, voltage: float) -> Dict[str, float]:
    return {'rlnVoltage': voltage, 'rlnSphericalAberration': 2.7, 'rlnAmplitudeContrast': scene.amplitude_contrast,
            'rlnTomoTiltSeriesPixelSize': scene.pixel}


def particles_blocks(truth: Truth) -> Dict[str, pd.DataFrame]:
    """The particles.star of the truth."""
    optics = pd.DataFrame([{'rlnOpticsGroup': group, 'rlnOpticsGroupName': 'optics%d' % group,
                            **microscope(truth.scene, voltage)}
                           for group, voltage in enumerate(truth.scene.voltages, 1)])
    return {'optics': optics, 'particles': truth.particles}


def project(truth: Truth, folder: Path) -> None:
    """Make <folder>/<name>.mrc, all images of each tilt series: RELION's projections, noise in those left out."""
    scene = truth.scene
    write_map(folder / 'reference.mrc', truth.reference, scene.pixel)
    write_star(folder / 'true_particles.star', particles_blocks(truth))
    rows = []
    for name, voltage in zip(truth.tilt_series, scene.voltages):
        images = truth.tilt_series[name]
        known = images[images['kept']].drop(columns='kept')
        known.insert(0, 'rlnMicrographName', ['%d@%s.mrc:mrcs' % (row + 1, name) for row in known.index])
        write_star(folder / ('true_%s.star' % name), {name: known})
        write_stack(folder / (name + '.mrc'), np.zeros((TILTS, *scene.image[::-1])), scene.pixel)
        rows.append({'rlnTomoName': name, 'rlnTomoTiltSeriesStarFile': 'true_%s.star' % name, **microscope(scene, voltage),
                     'rlnTomoHand': float(scene.hand), 'rlnTomoSizeX': 2 * (scene.image[0] // 2),
                     'rlnTomoSizeY': 2 * (scene.image[1] // 2), 'rlnTomoSizeZ': THICKNESS})
    write_star(folder / 'true_tomograms.star', {'global': pd.DataFrame(rows)})
    for number, (name, images) in enumerate(truth.tilt_series.items()):
        relion(folder, 'relion_tomo_predict_tilt_series', '--p', 'true_particles.star', '--t', 'true_tomograms.star',
               '--tn', name, '--ref1', 'reference.mrc', '--ref2', 'reference.mrc', '--b', BOX, '--o', 'seen.mrc',
               '--j', 1)
        seen = read_map(folder / 'seen.mrc')
        kept, (width, height) = images['kept'].to_numpy(), scene.image
        # RELION leaves out the last row and column of odd images.
        assert seen.shape == (kept.sum(), 2 * (height // 2), 2 * (width // 2))
        stack = np.random.default_rng(number).normal(scale=20 * seen.std(), size=(TILTS, height, width))
        stack[kept] = np.pad(seen, ((0, 0), (0, height % 2), (0, width % 2)))
        write_stack(folder / (name + '.mrc'), stack, scene.pixel)


def relion(folder: Path, program: str, *arguments: Any) -> None:
    """Run a program of RELION in the folder; the assertion shows its words where it fails."""
    done = subprocess.run([str(relion_home() / 'bin' / program), *map(str, arguments)], cwd=str(folder), timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    assert done.returncode == 0, done.stdout[-3000:]


def write_map(path: Path, volume: np.ndarray, pixel: float) -> None:
    with mrcfile.new(str(path), np.asarray(volume, dtype=np.float32), overwrite=True) as out:
        out.voxel_size = pixel


def write_stack(path: Path, images: np.ndarray, pixel: float) -> None:
    with mrcfile.new(str(path), np.asarray(images, dtype=np.float32), overwrite=True) as out:
        out.set_image_stack()
        out.voxel_size = pixel


def read_map(path: Path) -> np.ndarray:
    with mrcfile.open(str(path), permissive=True) as file:
        return np.array(file.data, dtype=np.float64)
