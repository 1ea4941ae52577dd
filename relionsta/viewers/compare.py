"""FSC curves of several runs of one protocol in one figure."""
from pyworkflow.protocol import params

from ..figures.fsc import compare_fsc_figure

#: More curves than this nobody can tell apart in one figure.
MOST = 12


class CompareMixin:
    """For a viewer (before its base class in the list): a line that overlays this run and others of the project.

    A subclass says in `_curveOf(run)` what stands for a run: (figures.fsc.Curve, pixel size in Å), or None.
    """

    def _addCompareParams(self, form):
        form.addParam('others', params.StringParam, default='', label='Runs to compare with',
                      help='Their names, or parts of them, with commas between; empty for all runs of this protocol in '
                           'the project (the last %d).' % MOST)
        form.addParam('showCompare', params.LabelParam, label='FSC beside that of other runs',
                      help='Compare runs under the same mask only.')

    def _showCompare(self):
        found = [one for one in map(self._curveOf, self._runs()) if one is not None]
        if not found:
            raise self._nothing('No run has an FSC.')
        curves, pixels = zip(*found)
        return [self._figure(compare_fsc_figure(curves, min(pixels)), 'FSC of several runs')]

    def _runs(self):
        """This run, and those that the user names."""
        wanted = [text.strip().lower() for text in self.others.get('').split(',') if text.strip()]
        others = [run for run in self.getProject().getRuns() if isinstance(run, type(self.protocol))
                  and run.getObjId() != self.protocol.getObjId()
                  and (not wanted or any(text in run.getRunName().lower() for text in wanted))]
        if wanted and not others:
            raise ValueError('*Runs to compare with*: no run of this protocol is called "%s".' % self.others.get())
        return [self.protocol] + others[-(MOST - 1):]

    def _curveOf(self, run):
        raise NotImplementedError
