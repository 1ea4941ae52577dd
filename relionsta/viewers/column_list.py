"""A window to choose a column of particles in."""
import numpy as np
from pyworkflow.gui.dialog import ListDialog
from pyworkflow.gui.tree import TreeProvider

COLUMNS = (('Column', 330), ('Lowest', 110), ('Median', 110), ('Highest', 110))
HOW = 'Choose the column whose values decide.'


class ColumnRow:
    """A column in the list. Scipion's tree keeps a note of its own on each row."""

    def __init__(self, label, values):
        self.label = label
        known = values[np.isfinite(values)]
        self.texts = tuple('%.5g' % value for value in np.percentile(known, (0, 50, 100))) if known.size else ('', '', '')


class ColumnRows(TreeProvider):
    """Rows for the list; table: a ParticleTable; marked: the label that is marked at first."""

    def __init__(self, table, marked=''):
        super().__init__()
        self._marked = marked
        self._rows = [ColumnRow(label, table.values(label)) for label in table.number_labels()]

    def getColumns(self):
        return list(COLUMNS)

    def getObjects(self):
        return self._rows

    def getObjectInfo(self, row):
        return {'key': row.label, 'text': row.label, 'values': row.texts, 'selected': row.label == self._marked}


def chooseColumn(parent, title, table, marked=''):
    """Show the columns with numbers and their ranges; returns the label that was chosen, '' for none."""
    chosen = ListDialog(parent, title, ColumnRows(table, marked), HOW, selectmode='browse', selectOnDoubleClick=True).values
    return chosen[0].label if chosen else ''
