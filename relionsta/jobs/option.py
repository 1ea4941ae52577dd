"""One option of a RELION job: what it is called, what it may be and when it counts."""
import ast
import enum
import math
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple, Union

from .tokens import TypedFloat, TypedInt, number

Value = Union[bool, int, float, str]
Version = Tuple[int, int]
Range = Tuple[Optional[float], Optional[float]]
ANY: Range = (None, None)


class Kind(enum.Enum):
    """What a value is: in Python, and in RELION's job.star (where a BOOL is Yes or No and the rest is text)."""

    BOOL = 'bool'
    INT = 'int'
    FLOAT = 'float'
    TEXT = 'text'
    CHOICE = 'choice'
    PATH = 'path'


@dataclass(frozen=True)
class Option:
    """One joboption of RELION. Name, label, default and tab are RELION's own.

    unit: as RELION spells it (A, deg, pix, ...), '' for none. hard: outside of it (ends included) a value is an error;
    sensible: outside of it, a warning; either end may be None. choices: the texts of a CHOICE. condition: a Python
    expression over names of options of the same job; where it is false the value has no effect. since, until: the
    first and last RELION version that has the option. advanced: of interest to few. extra: RELION's program has it and its
    GUI has not, so that a job.star never holds it; it adds tokens only where it is switched on.
    """

    name: str
    kind: Kind
    default: Value
    label: str
    help: str
    tab: str
    unit: str = ''
    hard: Range = ANY
    sensible: Range = ANY
    choices: Tuple[str, ...] = ()
    condition: str = ''
    since: Version = (5, 0)
    until: Optional[Version] = None
    advanced: bool = False
    extra: bool = False

    def __post_init__(self) -> None:
        self.check_type(self.default)

    def exists_in(self, version: Version) -> bool:
        """True where RELION `version` (major, minor) has this option."""
        return self.since <= version and (self.until is None or version <= self.until)

    def is_active(self, values: Mapping[str, Value]) -> bool:
        """True where the option has an effect beside `values` (all options of its job)."""
        return not self.condition or bool(_evaluate(ast.parse(self.condition, mode='eval').body, values))

    def show(self, value: Value) -> str:
        """The value as people read it in a message."""
        if isinstance(value, bool):
            return 'Yes' if value else 'No'
        if isinstance(value, (int, float)):
            return number(value)
        return value if value else '(empty)'

    def check_type(self, value: Any) -> Value:
        """The value, if it is of the option's kind (whole floats are INTs, INTs are FLOATs); else ValueError."""
        right = _AS[self.kind](value)
        if right is None or (self.kind is Kind.CHOICE and right not in self.choices):
            raise ValueError('%s ("%s"): %r is not %s' % (self.name, self.label, value, self._expected()))
        return right

    def _expected(self) -> str:
        if self.kind is Kind.CHOICE:
            return 'one of: ' + ', '.join(self.choices)
        return {Kind.BOOL: 'True or False', Kind.INT: 'a whole number', Kind.FLOAT: 'a number'}.get(self.kind, 'text')


def _as_bool(value: Any) -> Optional[bool]:
    return value if isinstance(value, bool) else None


def _as_int(value: Any) -> Optional[int]:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) == math.inf:
        return None
    if isinstance(value, TypedInt):
        return value
    return int(value) if value == int(value) else None


def _as_float(value: Any) -> Optional[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value if isinstance(value, TypedFloat) else float(value)


def _as_text(value: Any) -> Optional[str]:
    return value if isinstance(value, str) else None


_AS = {Kind.BOOL: _as_bool, Kind.INT: _as_int, Kind.FLOAT: _as_float, Kind.TEXT: _as_text, Kind.CHOICE: _as_text,
       Kind.PATH: _as_text}


def _evaluate(node: ast.AST, values: Mapping[str, Value]) -> Any:
    """The value of a condition: names of options, constants, and, or, not, == and !=; nothing else is allowed."""
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _evaluate(node.operand, values)
    if isinstance(node, ast.BoolOp):
        results = (bool(_evaluate(part, values)) for part in node.values)
        return all(results) if isinstance(node.op, ast.And) else any(results)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
        same = _evaluate(node.left, values) == _evaluate(node.comparators[0], values)
        return same if isinstance(node.ops[0], ast.Eq) else not same
    raise ValueError('a condition of options may not hold %s' % type(node).__name__)
