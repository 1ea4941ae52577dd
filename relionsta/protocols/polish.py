"""Bayesian polishing."""
import numpy as np

from ..convert.parts import NAME
from ..convert.poses import poses_of_rows
from ..jobs.polish import POLISH
from ..results.unfinished import ALIGNMENT, DEFORMATIONS, MOTION
from ..star import read_star
from .refine_series import ProtStaSeriesRefineBase


class ProtStaPolish(ProtStaSeriesRefineBase):
    """ Align the tilt images by the particles in them, and follow how each particle moves.

    Fits the shift and angles of every tilt image and the position of every particle to a reference; if wanted also the
    motion of each particle during the exposure, or deformations of the images. "Align by shift only" repairs badly
    aligned series first. The result is a set of aligned tilt series for Scipion and the particles with it, at refined
    positions. Extract the particles again before you go on: Analyze Results opens that form, filled in.
    """

    _label = 'Bayesian polishing'
    _job = POLISH
    _refinesAlignment = True

    def _wantedFiles(self):
        more = ((MOTION, self.do_motion), (DEFORMATIONS, self.do_deform))
        return [ALIGNMENT] + [files for files, chosen in more if chosen.get()]

    # --------------------------------------------------------------- reports
    def _describe(self, known, made):
        changes = self.getChanges()
        shift = np.hypot(changes['shift_x'], changes['shift_y'])
        lines = ['%d particles in %d tilt series.' % (self._particlesIn(), changes['name'].nunique()),
                 'Tilt images moved by %.2f Å in the median (at most %.1f) and turned by up to %.2f°.'
                 % (shift.median(), shift.max(), changes['turn'].max())]
        if made.particles != known.particles:
            lines.append('Particles moved by %.2f Å in the median.' % np.median(_moves(known.particles, made.particles)))
        if self.do_motion.get():
            lines.append('With a trajectory for each particle.')
        return lines

    def _methodsLines(self):
        more = ' and the motion of each particle' if self.do_motion.get() else ''
        return ['The alignment of the tilt series%s was refined in RELION with %d particles (Bayesian polishing).'
                % (more, self.outputParticles.getSize())]


def _moves(before, after):
    """How far each particle has moved, Å (n,), by two particles STAR files."""
    tables = [read_star(path, ['particles'])['particles'].set_index(NAME, drop=False) for path in (before, after)]
    one, other = (poses_of_rows(table.loc[tables[0].index])[0] for table in tables)
    return np.linalg.norm(other - one, axis=1)
