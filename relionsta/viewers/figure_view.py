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
        """The window (tkinter.Toplevel)."""
        # Not at the top: whoever imports the viewers (a test, a job on a node) may have no Tk
        import tkinter as tk

        window = tk.Toplevel(self._parent)
        window.title(self.title)
        self._put(window)
        return window

    def _put(self, window):
        """Draw the figure with its tools into the window; returns the frame that holds them."""
        import tkinter as tk

        from matplotlib.backends.backend_tkagg import FigureCanvasTkAgg, NavigationToolbar2Tk

        width, height = self.figure.get_size_inches() * self.figure.dpi
        room = SCREEN_PART * min(window.winfo_screenwidth() / width, window.winfo_screenheight() / height)
        if room < 1:
            self.figure.set_dpi(self.figure.dpi * room)
        frame = tk.Frame(window)
        canvas = FigureCanvasTkAgg(self.figure, master=frame)
        NavigationToolbar2Tk(canvas, frame).update()
        canvas.get_tk_widget().pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        frame.pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        canvas.draw()
        return frame
