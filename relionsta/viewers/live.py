"""A figure of a run that works: drawn anew when another iteration is complete."""
from .figure_view import FigureView

#: Milliseconds between two looks at the job folder.
EVERY_MS = 2000


class LiveView(FigureView):
    """follower: results.follow.Follower of the run. draw: makes the figure from it. isActive: () -> is the run at work.

    Below the figure stands what RELION is doing. The looking ends with the window.
    """

    def __init__(self, follower, draw, isActive, title='', parent=None):
        follower.changed()
        FigureView.__init__(self, draw(follower), title, parent)
        self._follower, self._draw, self._isActive = follower, draw, isActive
        self._frame = self._next = self._status = None

    def show(self):
        import tkinter as tk

        window = FigureView.show(self)
        self._status = tk.StringVar(window, self._says())
        tk.Label(window, textvariable=self._status, anchor='w').pack(side=tk.BOTTOM, fill=tk.X, padx=8, pady=3)
        window.bind('<Destroy>', lambda event: self._stop(window) if event.widget is window else None)
        self._next = window.after(EVERY_MS, self._look, window)
        return window

    def _put(self, window):
        self._frame = FigureView._put(self, window)
        return self._frame

    def _look(self, window):
        """Once: what is new is drawn, and the next look is set."""
        try:
            if self._follower.changed():
                before = self._frame
                self.figure = self._draw(self._follower)
                self._put(window)
                before.destroy()
            self._status.set(self._says())
        except (OSError, ValueError) as reason:
            # A disk that is away for a while must not end the looking
            self._status.set('The run cannot be read now: %s' % reason)
        self._next = window.after(EVERY_MS, self._look, window)

    def _stop(self, window):
        if self._next is not None:
            window.after_cancel(self._next)
            self._next = None

    def _says(self):
        return self._follower.status() if self._isActive() else ''
