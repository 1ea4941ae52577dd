"""Numbers as they were typed: Scipion's form takes what is no number for an empty field, without a word."""
import math

from pyworkflow import object as pwobj
from pyworkflow.protocol import params

#: A whole number beyond it is another one in RELION's programs.
LARGEST = 2 ** 31 - 1


class _Typed:
    """Before a number of Scipion: it keeps the text that was typed and is none, also in the project's database."""

    _typed = None
    _refused = False

    def set(self, value):
        """As Scipion's own. Raises ValueError for a text that is no number for RELION; the form sets None then."""
        try:
            super().set(value)
        except ValueError:
            self._refused = bool(value.strip()) if isinstance(value, str) else False
            self.keepTyped(value if self._refused else None)
            raise
        if value is not None or not self._refused:
            self.keepTyped(None)
        self._refused = False

    def _convertValue(self, value):
        number = super()._convertValue(value)
        if isinstance(value, str) and not isUsable(number):
            raise ValueError('%s is no number for RELION' % value)
        return number

    def keepTyped(self, text):
        """Keep a text that is no number; None: there is none."""
        if text is not None:
            self._typed = pwobj.String(text)
        else:
            vars(self).pop('_typed', None)


# With the names of Scipion's own classes, which are what its databases hold
class Integer(_Typed, pwobj.Integer):
    """A whole number of a form."""


class Float(_Typed, pwobj.Float):
    """A number of a form."""


def isUsable(value):
    """True for a number that RELION's programs can hold. Scipion's database takes nan for nothing."""
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)


_OWN = {pwobj.Integer: Integer, pwobj.Float: Float}


def typedText(number):
    """The text that stands in the field of a number and is none; None for a number, or an empty field."""
    typed = getattr(number, '_typed', None)
    return None if typed is None else typed.get()


class TypedMixin:
    """Before the base class of a protocol: what was typed for a number and is none is refused, and never taken for an empty
    field; a form that is opened shows what counts."""

    def _createVarsFromDefinition(self, **kwargs):
        super()._createVarsFromDefinition(**kwargs)
        for name, _ in self._numbers():
            number = getattr(self, name)
            setattr(self, name, _OWN[type(number)](value=number.get()))

    def copyDefinitionAttributes(self, other):
        """Take over the values of a form, with what was typed for numbers and is none."""
        super().copyDefinitionAttributes(other)
        for name, _ in self._numbers():
            getattr(self, name).keepTyped(typedText(getattr(other, name, None)))

    def _numbers(self):
        return [(name, param) for name, param in self.getDefinition().iterParams()
                if isinstance(param, (params.IntParam, params.FloatParam)) and not isinstance(param, params.EnumParam)]

    def legacyCheck(self):
        """Scipion calls this before it shows the form, where an empty field shows the default: so it has the default."""
        super().legacyCheck()
        for name, param in self._numbers():
            number = getattr(self, name)
            if number.get() is None:
                number.set(param.default.get())

    def validate(self):
        """Messages first on fields whose text is no number that RELION can hold."""
        return self._notNumbers() or super().validate()

    def _notNumbers(self):
        messages = []
        for name, param in self._numbers():
            number, label = getattr(self, name), param.label.get()
            text, value = typedText(number), number.get()
            if text is None and value is not None and not isUsable(value):
                text = str(value)
            if text is not None and self.evalParamCondition(name):
                kind = 'whole number' if isinstance(number, pwobj.Integer) else 'number'
                messages.append('*%s*: %s was typed, which is no %s that RELION could use. Correct it%s.' % (
                    label, text, kind, ', with a point for decimals' if ',' in text else ''))
        return messages
