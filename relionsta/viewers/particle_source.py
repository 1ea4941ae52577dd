"""The particles that a viewer shows, with the files that belong to them."""
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pyworkflow.object import Pointer

from ..convert.poses import poses_of_rows
from ..convert.positions import XYZ, tomogram_table
from ..objects import SetOfStaParticles
from ..results.motion import read_motion
from ..results.orientations import beams_of_series
from ..results.series_changes import tilt_series_tables
from ..results.symmetry import rotations
from ..results.tomogram_slab import voxel_places
from ..star import read_star, require_columns

CLASS, HALF, TOMOGRAM = 'rlnClassNumber', 'rlnRandomSubset', 'rlnTomoName'
ANGLES = ('rlnTomoYTilt', 'rlnTomoZRot')
PMAX, SCORE, VISIBLE = 'rlnMaxValueProbDistribution', 'rlnAutopickFigureOfMerit', 'rlnTomoVisibleFrames'


class ParticleSource:
    """Rows of a particles STAR with their poses, tilt series and tomograms; files are read when they are asked for.

    star, tomograms, trajectories: paths of files that RELION or this plugin wrote ('' for no trajectories); symmetry:
    RELION's name of the group; pointer: to the Scipion set of these particles, or of those that they come from.
    """

    def __init__(self, star, tomograms, trajectories='', symmetry='C1', pointer=None):
        self.star, self.symmetry, self.pointer = star, symmetry, pointer
        self._tomograms, self._trajectories = tomograms, trajectories
        self.table = read_star(star, ['particles'], complete=True)['particles']
        self.positions, self.A = poses_of_rows(self.table, star)

    def tiltSeries(self):
        """Tomogram name -> its tilt-series table."""
        return tilt_series_tables(self._tomograms)

    def beams(self):
        """Tomogram name -> direction of the beam in each of its images, in the tomogram.

        Raises StarError for tilt series that have projection matrices instead of angles.
        """
        series = self.tiltSeries()
        for name, table in series.items():
            require_columns(table, ANGLES, self._tomograms, name)
        return {name: beams_of_series(table) for name, table in series.items()}

    def operators(self):
        """Rotations of the symmetry."""
        return rotations(self.symmetry)

    def visible(self):
        """Which images each particle has; None where the file does not say."""
        return self.table[VISIBLE].to_numpy() if VISIBLE in self.table else None

    def defocus(self):
        """Tomogram name -> defocus in Å, the median of its images."""
        return {name: float(table[['rlnDefocusU', 'rlnDefocusV']].mean(axis=1).median())
                for name, table in self.tiltSeries().items() if {'rlnDefocusU', 'rlnDefocusV'} <= set(table)}

    def motion(self):
        """The trajectories (results.motion.Motion), or None."""
        return read_motion(self._trajectories) if self._trajectories else None

    def labels(self, column, prefix):
        """A label such as "class 3" for each particle; None where the file lacks the column."""
        if column not in self.table:
            return None
        return np.array(['%s%s' % (prefix, value) for value in self.table[column]], dtype=object)

    def largest(self):
        """The name of the tomogram with most particles."""
        return str(self.table[TOMOGRAM].astype(str).value_counts().index[0])

    def inTomogram(self, name):
        """The particles of a tomogram (ParticlesInTomogram). Raises ValueError where its map is not known."""
        rows = np.flatnonzero(self.table[TOMOGRAM].astype(str) == name)
        if not len(rows):
            raise ValueError('*Tomogram*: no particle is in %s; there are: %s.'
                             % (name, ', '.join(sorted(set(self.table[TOMOGRAM].astype(str)))[:10])))
        tomograms = self._scipionTomograms()
        if name not in tomograms.index:
            raise ValueError('The particles\' set of tomograms has no %s; there are: %s.'
                             % (name, ', '.join(map(str, tomograms.index[:10]))))
        one = tomograms.loc[name]
        size = tuple(int(one[axis]) if one[axis] == one[axis] else 0 for axis in XYZ)
        if not all(size):
            raise ValueError('The tomogram %s is not there.' % one['file'])
        shift = one[['shift_x', 'shift_y', 'shift_z']].to_numpy(dtype=np.float64)
        places = voxel_places(self.positions[rows], size, float(one['voxel']), shift)
        return ParticlesInTomogram(one['file'], float(one['voxel']), places, self.A[rows], self.table.iloc[rows])

    def _scipionTomograms(self):
        particles = self.pointer.get() if self.pointer is not None else None
        coordinates = particles.getCoordinates3D() if particles is not None else None
        tomograms = coordinates.getPrecedents() if coordinates is not None else None
        if tomograms is None:
            raise ValueError('The tomograms of these particles are not known to Scipion.')
        return tomogram_table(tomograms)


@dataclass(frozen=True)
class ParticlesInTomogram:
    """file: the tomogram; voxel: Å; places (n, 3): 0-based voxel indices; A (n, 3, 3): poses; table: their rows."""

    file: str
    voxel: float
    places: np.ndarray
    A: np.ndarray
    table: pd.DataFrame


def particlesPointer(protocol) -> Any:
    """A pointer to the particles that a run has made, else to those that it took."""
    for name, output in protocol.iterOutputAttributes():
        if isinstance(output, SetOfStaParticles) and not name.startswith('rejected'):
            return Pointer(protocol, extended=name)
    return protocol._particlesPointer()
