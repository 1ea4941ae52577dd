"""A scene brought in through Scipion, extracted and averaged by RELION without alignment, and compared with the truth."""
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

import numpy as np
from tomo.objects import SetOfCoordinates3D

from relionsta.convert.coordinates import coordinates_table, write_particles_star
from relionsta.convert.particles import read_particles, write_star_of_set
from relionsta.convert.picks import append_picks
from relionsta.convert.tilt_series import write_tomograms_star
from relionsta.objects import SetOfStaParticles
from relionsta.simulate.maps import low_pass, soft_sphere
from relionsta.sources.picks import read_picks
from relionsta.star import read_star, write_star

from .scene import BOX, COORDINATES, PARTICLES, PICKS, SUBTOMOGRAMS
from .sets import make_coordinates, make_subtomograms, make_tilt_series, make_tomograms
from .truth import Truth, particles_blocks, read_map, relion

STACKS, TILT_IMAGES = 'extracted stacks', 'tilt images'
# Two maps are compared up to a resolution of this many pixels, inside a sphere of 0.9 of the box.
RESOLUTION = 3.0


class Match(NamedTuple):
    """cc: correlation coefficient as the maps lie, nothing fitted; shift in pixels, angle in degrees."""
    cc: float
    shift: float
    angle: float


def solve(truth: Truth, images: Path, hand: Optional[float] = None, from_tilt_images: bool = True) -> Dict[str, Match]:
    """Bring in, extract, average and compare, in the working directory; keys as those of average.

    images: the folder in which the scene was projected. hand: the one to state instead of the true one.
    """
    here = Path.cwd()
    for path in images.iterdir():
        (here / path.name).symlink_to(path)
    write_star(here / 'particles_of_truth.star', particles_blocks(truth))
    bring_in(truth, hand)
    return {name: compare(volume, truth.reference)
            for name, volume in average(here, truth, from_tilt_images).items()}


def bring_in(truth: Truth, hand: Optional[float] = None) -> None:
    """From Scipion's sets to job000/tomograms.star and job000/particles.star, in the working directory."""
    scene = truth.scene
    tilt_series, ctfs = make_tilt_series(truth)
    tomograms = make_tomograms(truth)
    stars = write_tomograms_star('job000', tilt_series, ctfs, tomograms, scene.hand if hand is None else hand)
    path = 'job000/particles.star'
    if scene.route == PARTICLES:
        particles = SetOfStaParticles(filename='particles.sqlite')
        read_particles('particles_of_truth.star', particles, make_coordinates(truth, tomograms), stars)
        particles.write()
        write_star_of_set(particles, path)
        return
    source: Any = None
    if scene.route == COORDINATES:
        source = make_coordinates(truth, tomograms)
    elif scene.route == SUBTOMOGRAMS:
        source = make_subtomograms(truth, tomograms)
    elif scene.route == PICKS:
        source = SetOfCoordinates3D(filename='picked.sqlite')
        report = append_picks(read_picks('particles_of_truth.star'), tomograms, source)
        assert not report.unmatched
        source.write()
    write_particles_star(path, coordinates_table(source), stars)


def average(folder: Path, truth: Truth, from_tilt_images: bool = True) -> Dict[str, np.ndarray]:
    """RELION's averages (Z, Y, X) of what bring_in wrote: STACKS, of the extracted 2D stacks by relion_refine without
    alignment; TILT_IMAGES, at the extracted particles' positions by relion_tomo_reconstruct_particle."""
    tomograms, pixel = 'job000/tomograms.star', truth.scene.pixel
    relion(folder, 'relion_tomo_subtomo', '--p', 'job000/particles.star', '--t', tomograms, '--o', 'extract/',
           '--box_size_A', BOX * pixel, '--binned_size_pix', BOX, '--stack2d', '--j', 1, '--theme', 'classic')
    assert len(read_star(folder / 'extract' / 'particles.star')['particles']) == len(truth.positions)
    (folder / 'stacks').mkdir(exist_ok=True)
    # One class, no search: the reference decides nothing but the grey scale.
    relion(folder, 'relion_refine', '--i', 'extract/particles.star', '--tomograms', tomograms, '--o', 'stacks/run',
           '--ref', 'reference.mrc', '--K', 1, '--iter', 1, '--skip_align', '--ctf', '--pad', 1, '--particle_diameter',
           (BOX - 3) * pixel, '--tau2_fudge', 1000, '--oversampling', 0, '--dont_combine_weights_via_disc', '--j', 1)
    maps = {STACKS: read_map(folder / 'stacks' / 'run_it001_class001.mrc')}
    if from_tilt_images:
        relion(folder, 'relion_tomo_reconstruct_particle', '--p', 'extract/particles.star', '--t', tomograms, '--o',
               'average/', '--b', BOX, '--bin', 1, '--j', 1, '--j_out', 1, '--j_in', 1, '--theme', 'classic')
        maps[TILT_IMAGES] = read_map(folder / 'average' / 'merged.mrc')
    return maps


def compare(volume: np.ndarray, reference: np.ndarray) -> Match:
    """How like the reference a map is, and how far from its place: linear least squares on the reference's slopes.

    For a small shift t and a small turn w, map(x) = c reference(x) - c (t + w × x) · gradient of the reference; c t and
    c w are fitted over all voxels of the sphere. The slopes are exact (by Fourier transform), so 0.05 px and 0.05° are
    found to a few per cent; large errors come out as large numbers, not as exact ones.
    """
    volume, reference = (low_pass(np.asarray(part, dtype=np.float64), 1.0, RESOLUTION) for part in (volume, reference))
    box = len(reference)
    weights = soft_sphere(box)
    inside = weights > 0.01
    root = np.sqrt(weights[inside])
    frequency = 2j * np.pi * np.fft.fftfreq(box)
    spectrum = np.fft.fftn(reference)
    x, y, z = (np.fft.ifftn(spectrum * frequency.reshape(shape)).real[inside]
               for shape in ((1, 1, -1), (1, -1, 1), (-1, 1, 1)))
    at = np.argwhere(inside)[:, ::-1].T - box // 2
    turns = (at[1] * z - at[2] * y, at[2] * x - at[0] * z, at[0] * y - at[1] * x)
    columns = np.stack([reference[inside], np.ones(len(x)), x, y, z, *turns], axis=1)
    fit = np.linalg.lstsq(columns * root[:, None], volume[inside] * root, rcond=None)[0]
    pair = np.stack([volume[inside], reference[inside]])
    pair = (pair - np.average(pair, axis=1, weights=root ** 2)[:, None]) * root
    cc = pair[0] @ pair[1] / np.linalg.norm(pair[0]) / np.linalg.norm(pair[1])
    return Match(float(cc), float(np.linalg.norm(fit[2:5] / fit[0])),
                 float(np.degrees(np.linalg.norm(fit[5:] / fit[0]))))
