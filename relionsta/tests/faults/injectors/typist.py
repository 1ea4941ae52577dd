"""Hands on the form of a protocol: they type into the widgets of a real window and press its buttons."""
import contextlib
import tkinter
from tkinter import ttk
from typing import Any, Dict, List

from pyworkflow.protocol import params

from relionsta.tests.gui.window_case import below

_HEADER = {params.USE_GPU: 'useGpuVar', params.GPU_LIST: 'gpuListVar'}


class Typist:
    """form: Scipion's FormWindow. A field is meant by the name of its parameter."""

    def __init__(self, form: Any) -> None:
        self._form = form
        self._widgets: Dict[str, List[Any]] = {}
        for widget in below(form.root):
            for option in ('textvariable', 'variable'):
                with contextlib.suppress(tkinter.TclError):
                    self._widgets.setdefault(str(widget.cget(option)), []).append(widget)

    def has(self, field: str) -> bool:
        """True where something can be typed or chosen."""
        return getattr(self._variable(field), 'text', None) is not None or bool(self._of(field))

    def type(self, field: str, text: str) -> None:
        """Replace what stands in a field of text or of a number."""
        variable = self._variable(field)
        if hasattr(variable, 'text'):  # of several lines, which Scipion reads when a key goes up
            variable.text.delete('1.0', tkinter.END)
            variable.text.insert('1.0', text)
            variable._onTextChanged()  # not by a key, which goes where the focus is
            return
        entry = self._of(field)[0]
        entry.delete(0, tkinter.END)
        entry.insert(0, text)

    def paste(self, field: str, text: str) -> None:
        """Put a text with the mouse into a field of several lines."""
        target = self._variable(field).text
        self._form.root.deiconify()
        self._form.root.update()
        target.clipboard_clear()
        target.clipboard_append(text)
        target.event_generate('<<Paste>>')

    def choose(self, field: str, value: Any) -> None:
        """Choose one of several: yes or no as True or False, or the text of a choice."""
        for widget in self._of(field):
            if isinstance(widget, ttk.Combobox):
                widget.set(value)
            elif str(widget.cget('value')) == str(int(value) if isinstance(value, bool) else value):
                widget.invoke()

    def shown(self, field: str) -> Any:
        """What the window shows there: text, True or False, the index of a choice."""
        variable = self._variable(field)
        if hasattr(variable, 'text'):
            return variable.text.getText()
        return bool(variable.get()) if field == params.USE_GPU else variable.get()

    def save(self) -> None:
        """Press Save, which closes the window."""
        self._form.save()

    def close(self) -> None:
        """Close it; nothing is saved."""
        self._form.close()

    def _variable(self, field: str) -> Any:
        if field in _HEADER:
            return getattr(self._form, _HEADER[field], None)
        widget = self._form.widgetDict.get(field)
        return getattr(widget, 'var', widget)

    def _of(self, field: str) -> List[Any]:
        variable = self._variable(field)
        return self._widgets.get(str(getattr(variable, 'tkVar', variable)), []) if variable else []
