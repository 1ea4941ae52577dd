"""A table of tomograms to sort, and to keep or drop those that are marked."""
from pyworkflow.viewer import View

from ..protocols.select_again import newTomogramSelection
from ..results.per_tomogram import notable, shown
from .form_view import FormView

HOW = ('Click a heading to sort. Mark tomograms (several: with Ctrl or Shift), then keep or drop them: the form of Select '
       'particles opens, filled in.')
_ROWS = 22
#: letters that a column has room for at least, and the name of a tomogram
_LETTERS, _NAME_LETTERS = 11, 18
_STYLE = 'StaTomograms.Treeview'


class TomogramListView(View):
    """Shows a table of results.per_tomogram; window: the project's window, or None."""

    def __init__(self, table, title, project, pointer, window=None, parent=None):
        View.__init__(self)
        self.table, self.title = table, title
        self._project, self._pointer, self._window, self._parent = project, pointer, window, parent
        self._shown = shown(table)
        self._descending = {}

    def show(self):
        # Not at the top: whoever imports the viewers (a test, a job on a node) may have no Tk
        import tkinter as tk
        from tkinter import ttk
        from tkinter.font import nametofont

        window = tk.Toplevel(self._parent)
        window.title(self.title)
        # Letters have as many pixels as the screen asks for, and Tk's rows and columns do not follow them
        font = nametofont('TkDefaultFont', root=window)
        self._letter = font.measure('0')
        ttk.Style(window).configure(_STYLE, rowheight=int(1.35 * font.metrics('linespace')))
        ttk.Label(window, text=HOW + self._remark(), wraplength=110 * self._letter,
                  justify='left').pack(fill='x', padx=8, pady=6)
        buttons = ttk.Frame(window)
        buttons.pack(side='bottom', fill='x', padx=8, pady=6)
        self.list = self._makeList(ttk, window)
        self.buttons = {}
        for name, keep in (('Keep marked', True), ('Drop marked', False)):
            self.buttons[name] = ttk.Button(buttons, text=name, command=lambda keep=keep: self._select(keep))
            self.buttons[name].pack(side='left', padx=4)
        ttk.Button(buttons, text='Close', command=window.destroy).pack(side='right', padx=4)
        return window

    def _remark(self):
        names = notable(self.table)
        return '' if not names else '\nOut of line with the others: %s.' % ', '.join(names)

    def _makeList(self, ttk, window):
        frame = ttk.Frame(window)
        frame.pack(fill='both', expand=True, padx=8)
        headings = [str(name) for name in self._shown]
        tree = ttk.Treeview(frame, columns=headings, selectmode='extended', height=min(_ROWS, max(4, len(self._shown))),
                            style=_STYLE)
        tree.heading('#0', text='Tomogram', command=lambda: self.sort(None))
        tree.column('#0', width=_NAME_LETTERS * self._letter, stretch=True)
        for heading in headings:
            tree.heading(heading, text=heading, command=lambda heading=heading: self.sort(heading))
            tree.column(heading, width=max(_LETTERS, len(heading) + 3) * self._letter, anchor='e', stretch=True)
        for name, row in self._shown.iterrows():
            tree.insert('', 'end', iid=str(name), text=str(name), values=[number_text(value) for value in row])
        bars = (('vertical', tree.yview, 'yscrollcommand', 'right', 'y'),
                ('horizontal', tree.xview, 'xscrollcommand', 'bottom', 'x'))
        for orient, command, option, side, fill in bars:
            bar = ttk.Scrollbar(frame, orient=orient, command=command)
            tree.configure(**{option: bar.set})
            bar.pack(side=side, fill=fill)
        tree.pack(fill='both', expand=True)
        return tree

    def sort(self, heading):
        """Sort the rows by a column (None: by name), the other way round each time; unknown values come last."""
        descending = self._descending[heading] = not self._descending.get(heading, heading is None)
        values = self._shown.index.to_series() if heading is None else self._shown[heading]
        for place, name in enumerate(values.sort_values(ascending=not descending, kind='stable').index):
            self.list.move(str(name), '', place)

    def newSelection(self, keep):
        """The protocol that keeps or drops what is marked; ValueError where nothing is."""
        return newTomogramSelection(self._project, self._pointer, self.list.selection(), keep)

    def _select(self, keep):
        from tkinter import messagebox

        try:
            FormView(self.newSelection(keep), self._project, self._window).show()
        except ValueError as error:
            messagebox.showinfo(self.title, str(error), parent=self.list)


def number_text(value):
    """A number of the table as text: whole, or with as many digits as help; empty where it is not known."""
    if value != value:
        return ''
    return '%d' % value if float(value).is_integer() and abs(value) < 1e9 else '%.3g' % value
