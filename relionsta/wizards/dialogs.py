"""How wands speak: each shows the number that it fills in, and why."""


def tell(form, title, text):
    """Show a message over the form."""
    from pyworkflow.gui.dialog import showInfo
    showInfo(title, text, form.root)


def refuse(form, title, text):
    """Say why nothing is filled in."""
    from pyworkflow.gui.dialog import showError
    showError(title, text, form.root)


def fill(form, name, suggested, unit='', more=''):
    """Fill a parameter with a suggestion, and tell its value and reason. more: what to say beside it."""
    form.setVar(name, suggested.value)
    label = form.protocol.getParam(name).label.get().split(' (')[0]
    value = '%g' % suggested.value if isinstance(suggested.value, float) else suggested.value
    tell(form, label, '%s%s: %s.%s' % (value, unit and ' ' + unit, suggested.reason, more and '\n\n' + more))
