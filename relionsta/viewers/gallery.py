"""A window with all classes of an iteration: click on the good ones, and keep their particles."""
from pyworkflow.viewer import View

from ..figures.gallery import class_gallery
from ..results.class_images import VIEWS, count_text, read_class_images
from .figure_view import SCREEN_PART, screenScale
from .selection import launchSelection, marksOf
from .volumes import CHIMERAX, volumeViewers, volumeViews

TITLE = 'Classes: %s'
KEEP, MAPS = 'Keep the marked classes', 'Maps in %s' % CHIMERAX
WIDTH, HEIGHT = 1250, 820
ALL, NONE, INVERT = 'Mark all', 'None', 'Invert'


class GalleryView(View):
    """The classes of a classification or initial reference.

    iterations: complete ones, the last is shown first. runOf: iteration -> results.select_classes.Run. window: the
    project's window, or None; it is told to draw the new node.
    """

    def __init__(self, protocol, project, iterations, runOf, window=None, parent=None):
        View.__init__(self)
        self.protocol, self.marked = protocol, set(marksOf(project, protocol))
        self._project, self._window, self._parent = project, window, parent
        self._iterations, self._runOf = list(iterations), runOf
        self.images, self.gallery, self.root = [], None, None

    def show(self):
        self.makeWindow()

    def makeWindow(self):
        """The window (tkinter.Toplevel)."""
        # Not at the top: whoever imports the viewers (a test, a job on a node) may have no Tk
        import tkinter as tk
        from tkinter import ttk

        self.root = tk.Toplevel(self._parent)
        self.root.title(TITLE % self.protocol.getRunName())
        scale, part = screenScale(self.root), SCREEN_PART
        self.root.geometry('%dx%d' % (min(WIDTH * scale, part * self.root.winfo_screenwidth()),
                                      min(HEIGHT * scale, part * self.root.winfo_screenheight())))
        top, below = ttk.Frame(self.root, padding=6), ttk.Frame(self.root, padding=6)
        top.pack(side=tk.TOP, fill=tk.X)
        below.pack(side=tk.BOTTOM, fill=tk.X)
        self._place = ttk.Frame(self.root)
        self._place.pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        self._iteration = tk.StringVar(self.root, str(self._iterations[-1]))
        self._shown = tk.StringVar(self.root, next(iter(VIEWS)))
        for label, variable, values in (('Iteration', self._iteration, [str(one) for one in self._iterations]),
                                        ('Show', self._shown, list(VIEWS))):
            ttk.Label(top, text=label).pack(side=tk.LEFT, padx=(6, 3))
            box = ttk.Combobox(top, textvariable=variable, values=values, state='readonly', width=max(map(len, values)))
            box.pack(side=tk.LEFT)
            box.bind('<<ComboboxSelected>>', self._changed)
        for label, change in ((ALL, lambda number: True), (NONE, lambda number: False),
                              (INVERT, lambda number: number not in self.marked)):
            ttk.Button(top, text=label, command=lambda change=change: self._markBy(change)).pack(side=tk.LEFT, padx=3)
        self._status = tk.StringVar(self.root)
        ttk.Label(below, textvariable=self._status).pack(side=tk.LEFT, fill=tk.X, expand=True)
        self.keep = ttk.Button(below, text=KEEP, command=self._keep)
        self.keep.pack(side=tk.RIGHT)
        if CHIMERAX in volumeViewers():
            ttk.Button(below, text=MAPS, command=self._showMaps).pack(side=tk.RIGHT, padx=6)
        self._canvas = None
        self._changed()
        return self.root

    # ------------------------------------------------------------------ marking
    def toggle(self, number):
        """What a click on a class does."""
        self.marked ^= {number}
        self._remark()

    def _markBy(self, change):
        self.marked = {one.result.number for one in self.images if change(one.result.number)}
        self._remark()

    def _remark(self):
        self.gallery.mark(self.marked)
        self._canvas.draw_idle()
        self._status.set(count_text(self.images, self.marked))
        self.keep.state(['!disabled' if self.marked else 'disabled'])

    def _clicked(self, event):
        for number, axes in self.gallery.axes.items():
            if event.inaxes is axes:
                self.toggle(number)

    # ------------------------------------------------------------------ drawing
    def _changed(self, _event=None):
        """Another iteration or direction was chosen."""
        import tkinter as tk

        from matplotlib.backends.backend_tkagg import FigureCanvasTkAgg
        iteration = int(self._iteration.get())
        try:
            images = read_class_images(self._runOf(iteration))
        except (ValueError, OSError) as error:
            self._status.set('Iteration %d cannot be shown: %s' % (iteration, error))
            return
        self.images = images
        self.marked &= {one.result.number for one in images}
        self.gallery = class_gallery(images, self._shown.get(), 'Iteration %d, %s' % (iteration, self._shown.get()),
                                     self.marked)
        self.gallery.figure.set_dpi(self.gallery.figure.dpi * screenScale(self.root))
        if self._canvas is not None:
            self._canvas.get_tk_widget().destroy()
        self._canvas = FigureCanvasTkAgg(self.gallery.figure, master=self._place)
        self._canvas.get_tk_widget().pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        self._canvas.mpl_connect('button_press_event', self._clicked)
        self._remark()

    def _showMaps(self):
        paths = [one.path for one in self.images if one.result.number in self.marked or not self.marked]
        for view in volumeViews(CHIMERAX, paths, self._project, self.protocol):
            view.show()

    # ------------------------------------------------------------------ keeping
    def _keep(self):
        try:
            made = launchSelection(self._project, self.protocol, int(self._iteration.get()), sorted(self.marked))
        except ValueError as error:
            self._status.set(str(error))
            return
        self._status.set('"%s" is in the project now, and runs.' % made.getObjLabel())
        if self._window is not None:
            self._window.getViewWidget().updateRunsGraph(True)
