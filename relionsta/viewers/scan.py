"""Analyze Results of a parameter scan."""
import os

import pandas as pd
from pyworkflow.protocol import params

from ..figures.scan import ranking_figure
from ..protocols.scan import RANKING, ProtStaScan
from ..protocols.scan_runs import mapOf
from ..results.ranking import read_ranking, settings_of
from .base import ProtStaViewer


class ProtStaScanViewer(ProtStaViewer):
    """Which values were best, and what the maps of all runs look like."""

    _label = 'viewer parameter scan'
    _targets = [ProtStaScan]
    _overview = 'showRanking'

    def _defineParams(self, form):
        form.addSection(label='Results')
        form.addParam('showRanking', params.LabelParam, important=True, label='Ranking',
                      help='Bars of what the runs are ranked by, and of what else is known of them.')
        form.addParam('showTable', params.LabelParam, label='Ranking as text',
                      help='The same with the numbers of the runs and the reasons of those that failed. It is in %s too, in '
                           'the extra folder of the run.' % RANKING)
        form.addParam('showMaps', params.LabelParam, label='Maps of all runs: central slices',
                      help='In the order of the ranking; of several classes, the largest.')
        self._addVolumesParam(form)

    def _getShows(self):
        return {'showRanking': self._showRanking, 'showTable': self._showTable, 'showMaps': self._showMaps,
                'showVolumes': self._showVolumes}

    def _showRanking(self):
        return [self._figure(ranking_figure(self._getTable(), self.protocol.getCriterion(), self.protocol.getRunName()),
                             'ranking')]

    def _showTable(self):
        self._getTable()
        return [self.infoMessage('\n'.join(self.protocol.summary()), 'Ranking')]

    def _showMaps(self):
        return [self._slices(self._getMaps(), 'Maps of the runs')]

    def _showVolumes(self):
        return self._volumes(self._getMaps())

    def _getMaps(self):
        """Label -> path of the map of each run that has one and is still there."""
        table, maps = self._getTable(), {}
        for _, row in table[table['run'].notna()].iterrows():
            path = mapOf(self.protocol.loadRun(int(row['run'])))
            if path is not None and os.path.exists(path):
                name = ', '.join('%s = %s' % (key, row[key]) for key in settings_of(table))
                maps['%s%s' % ('' if pd.isna(row['rank']) else '%d. ' % row['rank'], name)] = path
        if not maps:
            raise self._nothing('None of the runs has a map.')
        return maps

    def _getTable(self):
        path = self.protocol._getExtraPath(RANKING)
        if not os.path.exists(path):
            raise self._nothing('There is no ranking yet.')
        return read_ranking(path)
