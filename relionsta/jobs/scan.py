"""Which values of which options a parameter scan tries."""
import csv
import difflib
import itertools
from typing import Dict, Iterable, List, Sequence

from .option import Kind, Option, Value
from .tokens import TypedFloat, TypedInt, number

Settings = Dict[str, Value]
_YES, _NO = ('yes', 'true', '1'), ('no', 'false', '0')


class ScanError(ValueError):
    """A line that cannot be tried; the message names it, what is wrong and what to do."""


def parse_scan(text: str, options: Sequence[Option]) -> Dict[str, List[Value]]:
    """Option name -> values to try, of a text with a line per option: `tau_fudge = 0.5, 1, 2, 4`.

    The option is named as RELION's joboption, or by its label. A text with a comma stands in double quotes. Raises
    ScanError: no line, an option that is not among `options`, or a value that is not of its kind, choices or range.
    """
    scan: Dict[str, List[Value]] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, sign, values = line.partition('=')
        if not sign:
            raise ScanError('"%s" has no =. Write for example: tau_fudge = 0.5, 1, 2, 4' % line)
        option = _find(name.strip(), options)
        if option.name in scan:
            raise ScanError('%s has two lines. Write all its values in one.' % option.name)
        scan[option.name] = _values(values, option)
    if not scan:
        raise ScanError('nothing to try. Write a parameter and its values, for example: tau_fudge = 0.5, 1, 2, 4')
    return scan


def combinations(scan: Dict[str, List[Value]]) -> List[Settings]:
    """Every combination of the values, the last option changing fastest."""
    return [dict(zip(scan, values)) for values in itertools.product(*scan.values())]


def describe(settings: Settings) -> str:
    """A combination as a person would write it: `tau_fudge = 0.5, do_helix = Yes`."""
    return ', '.join('%s = %s' % (name, show(value)) for name, value in settings.items())


def show(value: Value) -> str:
    """A value as it is written in a scan."""
    if isinstance(value, bool):
        return 'Yes' if value else 'No'
    return value if isinstance(value, str) else number(value)


def describe_range(option: Option) -> str:
    """What values an option can have, in a few words."""
    if option.kind is Kind.BOOL:
        return 'Yes, No'
    if option.kind is Kind.CHOICE:
        return '; '.join(option.choices)
    low, high = option.sensible if option.sensible != (None, None) else option.hard
    words = {Kind.INT: 'whole numbers', Kind.FLOAT: 'numbers'}.get(option.kind, 'text')
    if low is None and high is None:
        return words
    return '%s, usually %s to %s' % (words, 'any' if low is None else number(low), 'any' if high is None else number(high))


def _find(name: str, options: Sequence[Option]) -> Option:
    for option in options:
        if name == option.name or name.lower() == option.label.lower():
            return option
    near = difflib.get_close_matches(name, [option.name for option in options], n=3, cutoff=0.5)
    raise ScanError('"%s" is no parameter of this job that can be varied. %s' % (
        name, 'Did you mean %s?' % ' or '.join(near) if near else 'The wand lists them.'))


def _values(text: str, option: Option) -> List[Value]:
    texts = [one.strip() for one in _split(text, option) if one.strip()]
    if not texts:
        raise ScanError('%s has no value. Write for example: %s = %s' % (option.name, option.name, show(option.default)))
    values = [_value(one, option) for one in texts]
    doubled = [texts[index] for index, value in enumerate(values) if value in values[:index]]
    if doubled:
        raise ScanError('%s has %s twice. Leave one of them out.' % (option.name, doubled[0]))
    return values


def _split(text: str, option: Option) -> Iterable[str]:
    try:
        return next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error:
        raise ScanError('%s: a quote in "%s" is not closed, or something follows it.'
                        % (option.name, text.strip())) from None


def _value(text: str, option: Option) -> Value:
    """The value that a text stands for; ScanError where the option cannot have it."""
    value = _READ[option.kind](text, option)
    low, high = option.hard
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if (low is not None and value < low) or (high is not None and value > high):
            raise ScanError('%s = %s is outside of its range, %s to %s.' % (
                option.name, text, 'any' if low is None else number(low), 'any' if high is None else number(high)))
    return value


def _bool(text: str, option: Option) -> Value:
    if text.lower() not in _YES + _NO:
        raise ScanError('%s = %s: write Yes or No.' % (option.name, text))
    return text.lower() in _YES


def _int(text: str, option: Option) -> Value:
    try:
        return int(TypedInt(text))
    except ValueError:
        raise ScanError('%s = %s: write a whole number.' % (option.name, text)) from None


def _float(text: str, option: Option) -> Value:
    try:
        return float(TypedFloat(text))
    except ValueError:
        raise ScanError('%s = %s: write a number.' % (option.name, text)) from None


def _choice(text: str, option: Option) -> Value:
    for choice in option.choices:
        if choice.lower() == text.lower():
            return choice
    raise ScanError('%s = %s: choose from %s.' % (option.name, text, '; '.join(option.choices)))


def _text(text: str, option: Option) -> Value:
    return text


_READ = {Kind.BOOL: _bool, Kind.INT: _int, Kind.FLOAT: _float, Kind.CHOICE: _choice, Kind.TEXT: _text, Kind.PATH: _text}
