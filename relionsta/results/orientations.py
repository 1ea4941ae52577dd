"""From which sides particles were seen, and which part of Fourier space their tilt images fill.

Directions are unit vectors in the frame of the reference; rot and tilt as RELION has them (tilt from +Z, rot from +X
towards +Y). A (n, 3, 3) is the full pose, A_sub A_part, which takes the reference into the tomogram.
"""
from dataclasses import dataclass
from typing import Any, Mapping, NamedTuple, Optional

import numpy as np
import pandas as pd

from .. import geometry
from .sphere import SphereGrid, sphere_grid, to_angles

#: degrees: cells of the coverage, and half of the width in which a central slice counts for a direction
_STEP, REACH = 2., 2.
#: a direction counts as sampled from this part of the mean on
ENOUGH = 0.2
GOOD, FAIR = 0.95, 0.8  # coverage
#: degrees: cells of the distribution, and the particles that a cell should hold in the mean
FINEST, COARSEST, PER_CELL = 3., 15., 12.
_CHUNK = 1000000  # beams at one time
_ROWS = 512  # directions at one time


class Views(NamedTuple):
    """Distribution of viewing directions. density (cells,): times that of an even distribution. number: particles."""

    grid: SphereGrid
    density: np.ndarray
    number: int


@dataclass(frozen=True)
class Coverage:
    """How evenly tilt images fill a shell of Fourier space.

    sampling (cells of the northern half,): central slices through each direction, times the mean; Friedel's law gives
    the other half. fraction: part of the directions with at least ENOUGH of the mean. evenness: harmonic mean of the
    sampling, 1 where it is even, 0 where a direction has none; the sampling compensation factor of Baldwin and Lyumkis
    (2020) but for its scale. weakest_rot, weakest_tilt: the middle of what lacks, degrees. particles, images: how
    many were counted.
    """

    grid: SphereGrid
    sampling: np.ndarray
    fraction: float
    evenness: float
    weakest_rot: float
    weakest_tilt: float
    symmetry: str
    particles: int
    images: int

    def text(self) -> str:
        """The number in words, with what to do."""
        start = ('%.0f %% of all directions in Fourier space have at least %.0f %% of the mean sampling (%d tilt images of '
                 '%d particles, symmetry %s; evenness %.2f).' % (100 * self.fraction, 100 * ENOUGH, self.images,
                                                                 self.particles, self.symmetry, self.evenness))
        if self.fraction >= GOOD:
            return start + ' The missing wedges fill each other: nothing to do.'
        where = 'about rot %.0f°, tilt %.0f°' % (self.weakest_rot, self.weakest_tilt)
        if self.fraction >= FAIR:
            return start + (' Weakest %s: look there for smeared density before you trust details.' % where)
        return start + (' Too little %s: the map is smeared along that direction. Add particles in other orientations, or '
                        'check that symmetry and first angles are right.' % where)


def views(A: Any, operators: Optional[np.ndarray] = None) -> Views:
    """Distribution of the directions from which the reference is seen in the image at zero tilt.

    A (n, 3, 3). The direction is the Z axis of the tomogram in the frame of the reference, A^T z, which RELION's rot and
    tilt name. operators (m, 3, 3): rotations of the symmetry, with which each particle counts. Cells grow where
    there are few particles. Raises ValueError without a particle.
    """
    found = np.asarray(A, dtype=np.float64)[:, 2, :]
    if not len(found):
        raise ValueError('there are no particles to show the orientations of')
    turns = np.eye(3)[None] if operators is None else operators
    # Seen from all sides, 41253 square degrees
    step = float(np.clip(np.sqrt(41253. * PER_CELL / (len(found) * len(turns))), FINEST, COARSEST))
    grid = sphere_grid(step)
    if len(turns) == 1:
        counts = np.bincount(grid.cells(found), minlength=len(grid.areas)).astype(np.float64)
    else:
        fine = sphere_grid(min(step / 4, 1.5))
        counts = _turned(np.bincount(fine.cells(found), minlength=len(fine.areas)), fine, turns, grid)
    return Views(grid, counts / counts.sum() / grid.areas, len(found))


def views_by(A: Any, labels: Any, operators: Optional[np.ndarray] = None) -> Mapping[str, Views]:
    """views of the particles of each label (n,), the label with most particles first."""
    names = pd.Series(np.asarray(labels, dtype=object)).astype(str)
    matrices = np.asarray(A)
    return {str(name): views(matrices[(names == name).to_numpy()], operators) for name in names.value_counts().index}


def beams_of_series(tilt_series: pd.DataFrame) -> np.ndarray:
    """Direction of the beam in the tomogram (tilts, 3) for each row of a tilt-series table."""
    zeros = np.zeros(len(tilt_series))
    x_tilt = tilt_series['rlnTomoXTilt'] if 'rlnTomoXTilt' in tilt_series else zeros
    matrices = geometry.projection_matrices(x_tilt, tilt_series['rlnTomoYTilt'], tilt_series['rlnTomoZRot'], zeros,
                                            zeros, 1., (0, 0), (0, 0, 0))
    return np.asarray(matrices[:, 2, :3])


def visible_images(texts: Any, tilts: int) -> np.ndarray:
    """(n, tilts) booleans of rlnTomoVisibleFrames, such as [1,1,0]; ValueError for another number of flags."""
    flags = np.frombuffer(''.join(texts).encode(), dtype=np.uint8)
    flags = flags[(flags == ord('0')) | (flags == ord('1'))] == ord('1')
    if len(flags) != len(texts) * tilts:
        raise ValueError('rlnTomoVisibleFrames has %g flags for each particle and the tilt series %d images; take the tilt '
                         'series from which the particles were extracted' % (len(flags) / max(len(texts), 1), tilts))
    return np.asarray(flags.reshape(len(texts), tilts))


def coverage(A: Any, tomograms: Any, beams: Mapping[str, np.ndarray], symmetry: str, operators: np.ndarray,
             visible: Optional[Any] = None) -> Coverage:
    """How evenly the tilt images of particles fill a shell of Fourier space.

    A (n, 3, 3); tomograms (n,): names; beams: name -> beams_of_series; operators: rotations of the symmetry, of
    that name. visible (n,): rlnTomoVisibleFrames, or None for all images.

    By the Fourier slice theorem an image with its beam along b (in the reference, A^T d) fills the plane through the
    origin at right angles to b. A direction n of the shell counts it where n lies within REACH degrees of the plane,
    |n . b| < sin(REACH), which joins the neighbouring images of a usual tilt series; the missing wedge is what no image
    reaches. All images have the same weight. Sampling of directions as in Baldwin and Lyumkis, Prog. Biophys. Mol.
    Biol. 150, 160 (2020), here with the tilts that each particle has. Raises ValueError without an image.
    """
    grid = sphere_grid(_STEP)
    names = np.asarray(tomograms, dtype=object)
    matrices = np.asarray(A, dtype=np.float32)
    counts = np.zeros(len(grid.areas))
    for name, rows in pd.Series(names).groupby(names).indices.items():
        counts += _beam_counts(grid, matrices[rows], np.asarray(beams[str(name)], dtype=np.float32),
                               None if visible is None else visible_images(np.asarray(visible, dtype=object)[rows],
                                                                           len(beams[str(name)])))
    if not counts.any():
        raise ValueError('none of the %d particles has a tilt image' % len(names))
    images = int(counts.sum())
    half = grid.northern
    turned = _turned(counts, grid, operators, grid)
    # Beams along b and -b are one: all of them on the northern half
    folded = turned[:half] + turned[grid.cells(-grid.directions[:half])] if len(operators) > 1 else turned[:half]
    sampling = _through(grid.directions[:half].astype(np.float32), folded)
    areas = grid.areas[:half] / grid.areas[:half].sum()
    sampling = sampling / (sampling * areas).sum()
    rot, tilt = to_angles(_weakest(grid.directions[:half], areas, sampling)[None])
    with np.errstate(divide='ignore'):
        evenness = float(1 / (areas / sampling).sum())
    return Coverage(grid, sampling, float(areas[sampling >= ENOUGH].sum()), evenness, float(rot[0]), float(tilt[0]),
                    symmetry, len(names), images)


def _through(directions: np.ndarray, beams: np.ndarray) -> np.ndarray:
    """For each direction (cells, 3) the beams (cells,) of the cells within REACH of the great circle around it.

    Divided by the number of these cells, of which a narrow band has a few more here and there.
    """
    result = np.empty(len(directions))
    counts = beams.astype(np.float64)
    for first in range(0, len(directions), _ROWS):
        some = slice(first, first + _ROWS)
        near = np.abs(directions[some] @ directions.T) < np.sin(np.radians(REACH))
        result[some] = near.astype(np.float32) @ counts / near.sum(axis=1)
    return result


def _weakest(directions: np.ndarray, areas: np.ndarray, sampling: np.ndarray) -> np.ndarray:
    """The middle (3,) of the directions with too little: their main axis; where all have enough, the one with the least."""
    few = sampling < ENOUGH
    if not few.any():
        return np.asarray(directions[np.argmin(sampling)])
    axis = np.linalg.eigh((directions[few].T * areas[few]) @ directions[few])[1][:, -1]
    return np.asarray(-axis if axis[2] < 0 else axis)


def _beam_counts(grid: SphereGrid, A: np.ndarray, beams: np.ndarray, seen: Optional[np.ndarray]) -> np.ndarray:
    """Beams (tilts, 3) of all particles in the reference, on the northern half, counted in the cells."""
    counts = np.zeros(len(grid.areas))
    part = max(1, _CHUNK // max(1, len(beams)))
    for first in range(0, len(A), part):
        some = slice(first, first + part)
        turned = np.matmul(beams[None], A[some])  # rows d^T A = (A^T d)^T
        flat = turned.reshape(-1, 3) if seen is None else turned[seen[some]]
        flat = np.where(flat[:, 2:] < 0, -flat, flat)
        counts += np.bincount(grid.cells(flat), minlength=len(counts))
    return counts


def _turned(counts: np.ndarray, grid: SphereGrid, operators: np.ndarray, target: SphereGrid) -> np.ndarray:
    """Counts of a grid's cells in the cells of another, turned by each of the rotations and added up."""
    filled = np.flatnonzero(counts)
    if len(operators) == 1 and target is grid:
        return counts
    total = np.zeros(len(target.areas))
    directions, values = grid.directions[filled], counts[filled]
    for turn in operators:
        total += np.bincount(target.cells(directions @ turn.T), weights=values, minlength=len(total))
    return total
