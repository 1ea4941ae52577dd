"""A matplotlib figure in a window of Scipion."""
from pyworkflow.viewer import View

#: part of the screen that a window may take
SCREEN_PART = 0.85


class FigureView(View):
    """Shows one figure, with matplotlib's tools to zoom and save it. Needs a display only when it is shown."""

    def __init__(self, figure, title='', parent=None):
        View.__init__(self)
        self.figure = figure
        self.title = title
        self._parent = parent

    def show(self):
        # Not at the top: whoever imports the viewers (a test, a job on a node) may have no Tk
        import tkinter as tk

        from matplotlib.backends.backend_tkagg import FigureCanvasTkAgg, NavigationToolbar2Tk

        window = tk.Toplevel(self._parent)
        window.title(self.title)
        width, height = self.figure.get_size_inches() * self.figure.dpi
        room = SCREEN_PART * min(window.winfo_screenwidth() / width, window.winfo_screenheight() / height)
        if room < 1:
            self.figure.set_dpi(self.figure.dpi * room)
        canvas = FigureCanvasTkAgg(self.figure, master=window)
        NavigationToolbar2Tk(canvas, window).update()
        canvas.get_tk_widget().pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        canvas.draw()
        return window
