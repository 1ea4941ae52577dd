"""Values of an item's attribute <-> what Scipion keeps of them in a set's SQLite file."""
from typing import Any, Dict, List, Sequence

import numpy as np
from pwem.objects import Matrix
from pyworkflow.object import Boolean, CsvList, Float, Integer, Object

from .matrix_text import matrices_of_texts, texts_of_matrices

# More different texts than this in one column are no names that come again.
_MOST_SHARED = 1 << 16
_NO_MORE_THAN_TEXT = frozenset([str, type(None)])


def encode(attribute: Object, values: Any) -> List[Any]:
    """Values (n,), or (n, r, c) for a matrix, as Scipion stores them for this attribute."""
    if isinstance(attribute, Matrix):
        return texts_of_matrices(values)
    if isinstance(attribute, Float):
        return np.asarray(values, dtype=np.float64).tolist()
    if isinstance(attribute, Boolean):
        return [bool(value) for value in values]
    if isinstance(attribute, Integer):
        return _integers(values)
    if isinstance(attribute, CsvList):
        return [value if isinstance(value, str) else ','.join(map(str, value)) for value in values]
    items: List[Any] = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return items if _NO_MORE_THAN_TEXT.issuperset(map(type, items)) else [
        None if value is None else str(value) for value in items]


def _integers(values: Any) -> List[Any]:
    if isinstance(values, np.ndarray) and values.dtype.kind in 'iub':
        numbers = values
    else:
        numbers = np.asarray(values, dtype=np.float64 if None in list(values) else None)
    if numbers.dtype.kind == 'f':
        return [None if np.isnan(number) else int(number) for number in numbers]
    return numbers.astype(np.int64).tolist()


def decode(class_name: str, values: Sequence[Any], shared: Dict[str, str]) -> np.ndarray:
    """Stored values (n,) of an attribute of this class as an array. shared: texts so far, so that each is there once.

    Kinds as in bulk.read_columns.
    """
    if class_name == 'Matrix':
        return matrices_of_texts(values)
    if class_name == 'Float':
        return np.array(values, dtype=np.float64)
    if class_name == 'Boolean':
        return np.array(values, dtype=object).astype(bool)
    if class_name == 'Integer':
        return np.array(values, dtype=np.float64 if None in values else np.int64)
    return np.array(_shared(values, shared), dtype=object)


def _shared(values: Sequence[Any], once: Dict[str, str]) -> Sequence[Any]:
    """The values, with one object for texts that come again and again: paths would fill the memory otherwise."""
    if len(values) and values.count(values[0]) == len(values):
        return [once.setdefault(values[0], values[0])] * len(values)
    different = set(values)
    if 2 * len(different) > len(values) or len(once) > _MOST_SHARED:
        return values
    for value in different:
        once.setdefault(value, value)
    return list(map(once.__getitem__, values))
