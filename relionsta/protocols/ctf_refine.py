"""CTF refinement."""
import numpy as np

from ..jobs.ctf_refine import CTF_REFINE
from ..results.unfinished import DEFOCUS, SCALE, aberrations
from ..star import read_star
from .refine_series import ProtStaSeriesRefineBase

#: A change of the defocus beyond this part of the search range is no minimum.
AT_LIMIT = 0.98


class ProtStaCtfRefine(ProtStaSeriesRefineBase):
    """ Refine the CTF of each tilt image from the particles in it.

    The defocus (with astigmatism) and the strength of the signal of every tilt image are fitted to a reference; also
    aberrations of the microscope, for each optics group. Worth it when the map reaches about 10 Å or better, and again
    after each improvement. The result is a set of CTFs for Scipion and the particles with their refined tilt series.
    Extract the particles again before you go on: Analyze Results opens that form, filled in.
    """

    _label = 'CTF refinement'
    _job = CTF_REFINE

    def _wantedFiles(self):
        wanted = [files for files, chosen in ((DEFOCUS, self.do_defocus), (SCALE, self.do_scale)) if chosen.get()]
        if self.do_even_aberr.get() or self.do_odd_aberr.get():
            wanted.append(aberrations(len(read_star(self._inputFiles().particles, ['optics'])['optics'])))
        return wanted

    # --------------------------------------------------------------- reports
    def _describe(self, known, made):
        lines = ['%d particles in %d tilt series.' % (self._particlesIn(), len(self.inputParticles.get().getTSIds()))]
        if made.tomograms == known.tomograms:
            return lines
        changes = self.getChanges()
        if self.do_defocus.get():
            by = changes['defocus_after'] - changes['defocus_before']
            lines.append('Defocus changed by %.0f Å in the median (%.0f to %+.0f Å)%s.'
                         % (np.abs(by).median(), by.min(), by.max(), self._atLimit(by)))
        if self.do_scale.get():
            scale = changes['scale_after']
            lines.append('Contrast scale from %.2f to %.2f.' % (scale.min(), scale.max()))
        return lines

    def _atLimit(self, by):
        """A hint where the search range was too small for some images."""
        stuck = (np.abs(by) > AT_LIMIT * self.focus_range.get()).sum()
        return '; %d images are at the end of the search range, try a larger one' % stuck if stuck else ''

    def _summaryLines(self):
        lines = super()._summaryLines()
        if self.do_even_aberr.get() or self.do_odd_aberr.get():
            lines.insert(1, 'Aberrations were fitted for each optics group; they are with the particles.')
        return lines

    def _methodsLines(self):
        what = [text for name, text in (('do_defocus', 'defocus'), ('do_scale', 'contrast scale'),
                                        ('do_even_aberr', 'even aberrations'), ('do_odd_aberr', 'odd aberrations'))
                if getattr(self, name).get()]
        return ['The %s of the tilt images were refined in RELION with %d particles.'
                % (' and '.join(what), self.outputParticles.getSize())]
