"""A matplotlib figure in a window of Scipion."""
from pyworkflow.viewer import View

#: part of the screen that a window may take
SCREEN_PART = 0.85
#: height of a screen, in pixels, on which figures have their own size; on higher ones they grow
USUAL_HEIGHT = 1080


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

        fitToScreen(self.figure, window)
        frame = tk.Frame(window)
        canvas = FigureCanvasTkAgg(self.figure, master=frame)
        NavigationToolbar2Tk(canvas, frame).update()
        canvas.get_tk_widget().pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        frame.pack(side=tk.TOP, fill=tk.BOTH, expand=True)
        canvas.draw_idle()  # once, when the window has its size
        return frame


def screenScale(widget):
    """How much larger things are drawn than on a usual screen: 2 at 4K, never less than 1."""
    return max(1.0, widget.winfo_screenheight() / USUAL_HEIGHT)


def fitToScreen(figure, widget):
    """Give a figure its size in pixels: grown with the screen of a widget, but within SCREEN_PART of it."""
    width, height = figure.get_size_inches() * figure.dpi
    room = SCREEN_PART * min(widget.winfo_screenwidth() / width, widget.winfo_screenheight() / height)
    figure.set_dpi(figure.dpi * min(room, screenScale(widget)))
