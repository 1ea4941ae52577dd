"""A window to mark classes in."""
from pyworkflow.gui.dialog import ListDialog
from pyworkflow.gui.tree import TreeProvider

COLUMNS = (('Class', 90), ('Particles', 90), ('Share', 80), ('Resolution', 100), ('Accuracy of rotations', 170),
           ('of translations', 130))
HOW = 'Mark the classes to keep (several: with Ctrl or Shift), then choose Select.'


class ClassRow:
    """A class in the list. Scipion's tree keeps a note of its own on each row."""

    def __init__(self, number, texts):
        self.number = number
        self.texts = texts


class ClassRows(TreeProvider):
    """Rows for the list; rows: class number -> texts of the columns after the first; marked: numbers."""

    def __init__(self, rows, marked=()):
        super().__init__()
        self._marked = set(marked)
        self._rows = [ClassRow(number, texts) for number, texts in rows.items()]

    def getColumns(self):
        return list(COLUMNS)

    def getObjects(self):
        return self._rows

    def getObjectInfo(self, row):
        return {'key': str(row.number), 'text': 'Class %d' % row.number, 'values': row.texts,
                'selected': row.number in self._marked}


def chooseClasses(parent, title, rows, marked=()):
    """Show the classes and let the user mark some; returns their numbers, [] if none was chosen.

    rows: as for ClassRows; marked: numbers of the classes that are marked at first.
    """
    return [row.number for row in ListDialog(parent, title, ClassRows(rows, marked), HOW).values]
