"""A window with the slices of maps that one can move through, and their surface."""
from pyworkflow.viewer import View

from ..figures.map_view import map_view, surface_figure
from ..results.maps import pixel_size, read_map
from ..results.shading import surface_threshold
from .figure_view import FigureView, fitToScreen

NO_MASK = 'no mask'
SURFACE = 'Surface ...'


class MapWindow(View):
    """Maps of one size one after the other, at the same place.

    maps: label -> path, the first is shown first. masks: label -> path of masks of the same box. threshold: grey
    value of the surface, None for one that shows the shape.
    """

    def __init__(self, title, maps, masks=None, threshold=None, parent=None):
        View.__init__(self)
        self.title, self._maps, self._masks = title, dict(maps), dict(masks or {})
        self._threshold, self._parent = threshold, parent
        self.view, self.root = None, None

    def show(self):
        self.makeWindow()

    def makeWindow(self):
        """The window (tkinter.Toplevel). Raises ValueError and OSError for maps that cannot be read."""
        # Not at the top: whoever imports the viewers (a test, a job on a node) may have no Tk
        import tkinter as tk
        from tkinter import ttk

        from matplotlib.backends.backend_tkagg import FigureCanvasTkAgg

        first = next(iter(self._maps))
        self.view = map_view(pixel_size(self._maps[first]))
        volume = read_map(self._maps[first])
        self.root = tk.Toplevel(self._parent)
        self.root.title(self.title)
        top = ttk.Frame(self.root, padding=6)
        top.pack(side=tk.TOP, fill=tk.X)
        self.shown, self.mask = tk.StringVar(self.root, first), tk.StringVar(self.root, next(iter(self._masks), NO_MASK))
        for label, variable, names in (('Map', self.shown, list(self._maps)),
                                       ('Mask', self.mask, [NO_MASK] + list(self._masks))):
            ttk.Label(top, text=label).pack(side=tk.LEFT, padx=(6, 3))
            box = ttk.Combobox(top, textvariable=variable, values=names, state='readonly', width=max(map(len, names)))
            box.pack(side=tk.LEFT)
            box.bind('<<ComboboxSelected>>', lambda _event: self.change())
        ttk.Button(top, text=SURFACE, command=self.showSurface).pack(side=tk.RIGHT)
        below = ttk.Frame(self.root, padding=6)
        below.pack(side=tk.BOTTOM, fill=tk.X)
        self.sliders = []
        for axis, size in zip('xyz', volume.shape[::-1]):
            ttk.Label(below, text=axis).pack(side=tk.LEFT)
            slider = tk.Scale(below, from_=0, to=size - 1, orient=tk.HORIZONTAL, command=lambda _value: self._moved())
            slider.pack(side=tk.LEFT, fill=tk.X, expand=True)
            self.sliders.append(slider)
        fitToScreen(self.view.figure, self.root)
        self.canvas = FigureCanvasTkAgg(self.view.figure, master=self.root)
        self.canvas.get_tk_widget().pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        self.canvas.mpl_connect('button_press_event', self._clicked)
        self.canvas.mpl_connect('scroll_event', self._scrolled)
        self.change()
        return self.root

    def change(self):
        """Show what is chosen, at the place where the window is."""
        volume = read_map(self._maps[self.shown.get()])
        mask = None if self.mask.get() == NO_MASK else read_map(self._masks[self.mask.get()])
        self.view.show(volume, '%s: %s' % (self.title, self.shown.get()), mask)
        self._follow()

    def showSurface(self):
        """The surface of the map that is shown, in a window of its own; returns its View."""
        volume = read_map(self._maps[self.shown.get()])
        threshold = surface_threshold(volume) if self._threshold is None else self._threshold
        view = FigureView(surface_figure(volume, self.view.pixel, threshold, self.shown.get()), self.title, self.root)
        view.show()
        return view

    def _clicked(self, event):
        if event.inaxes is not None:
            self.view.clicked(event.inaxes, event.xdata, event.ydata)
            self._follow()

    def _scrolled(self, event):
        """The wheel goes through the slices of the view that it is over."""
        for slider, axes in zip(self.sliders[::-1], self.view.figure.axes):  # xy moves z, xz moves y, yz moves x
            if event.inaxes is axes:
                slider.set(slider.get() + int(event.step))

    def _moved(self):
        place = tuple(slider.get() for slider in self.sliders)
        if place != self.view.place:
            self.view.move(place)
            self.canvas.draw_idle()

    def _follow(self):
        for slider, place in zip(self.sliders, self.view.place):
            slider.set(place)
        self.canvas.draw_idle()
