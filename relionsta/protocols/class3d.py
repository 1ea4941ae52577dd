"""3D classification."""
from ..jobs.class3d import CLASS3D
from .class_outputs import CLASS_OUTPUTS, ClassOutputsMixin
from .refine_base import ProtStaReferenceBase


class ProtStaClass3D(ClassOutputsMixin, ProtStaReferenceBase):
    """ Sort particles into classes, align them, or both.

    With one class and local searches it is the quick first alignment of template-matching picks; without alignment
    and with several classes it finds false positives and different states. Follow resolution and changes over the
    iterations (Analyze Results) and choose the iteration to go on with: for another one, change only "Iteration to use"
    and run again with Continue; RELION is not run again. A run that was stopped, or that shall have more iterations,
    goes on from its last complete iteration with Continue.
    """

    _label = '3D classification'
    _possibleOutputs = CLASS_OUTPUTS
    _job = CLASS3D
    _emptyMeans = dict(ProtStaReferenceBase._emptyMeans, highres_limit='Nyquist of the particles')
    _prefilled = ('highres_limit',)
    _defaultThreads = 2
    _referenceHelp = 'A first average, low-pass filtered below; every class starts from it.'
    _iterationHelp = 'The iteration whose classes and particles become the output; -1 is the last one.'

    # --------------------------------------------------------------- reports
    def _summaryLines(self):
        model, values = self.getModel(), self.getValues()
        lines = ['Iteration %d of %d, %d particles, %s.' % (
            self.getIteration(), values['nr_iter'], self.outputParticles.getSize(),
            'aligned' if values['dont_skip_align'] else 'not aligned')]
        return lines + self._continuedLines() + self._classLines(model) + self._workedOutLines()

    def _methodsLines(self):
        values = self.getValues()
        return ['%d particles were classified in RELION into %d class%s (%d iterations, T = %g, %s).'
                % (self.outputParticles.getSize(), values['nr_classes'], 'es' if values['nr_classes'] > 1 else '',
                   self.getIteration(), values['tau_fudge'],
                   'with alignment' if values['dont_skip_align'] else 'without alignment')]
