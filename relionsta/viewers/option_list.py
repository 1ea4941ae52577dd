"""A window to choose parameters of a job in."""
from pyworkflow.gui.dialog import ListDialog
from pyworkflow.gui.tree import TreeProvider

COLUMNS = (('Parameter', 260), ('Now', 130), ('What may be tried', 300), ('In the form', 400))
HOW = 'Mark what shall be varied (several: with Ctrl or Shift), then choose Select.'


class OptionRow:
    """A parameter in the list. Scipion's tree keeps a note of its own on each row."""

    def __init__(self, name, texts):
        self.name = name
        self.texts = texts


class OptionRows(TreeProvider):
    """Rows for the list; rows: name -> texts of the columns after the first."""

    def __init__(self, rows):
        super().__init__()
        self._rows = [OptionRow(name, texts) for name, texts in rows.items()]

    def getColumns(self):
        return list(COLUMNS)

    def getObjects(self):
        return self._rows

    def getObjectInfo(self, row):
        return {'key': row.name, 'text': row.name, 'values': row.texts}


def chooseOptions(parent, title, rows):
    """Show the parameters and let the user mark some; returns their names, [] if none was chosen."""
    return [row.name for row in ListDialog(parent, title, OptionRows(rows), HOW).values]
