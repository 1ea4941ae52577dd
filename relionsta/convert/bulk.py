"""Many items of a Scipion set at once: the only code that speaks to a set's SQLite file.

Scipion keeps a set as a table of its items (one column per attribute path, such as `_coordinate._x`) and a table that
says which column holds which path. Both are made here by Scipion's own code, so that a set written in bulk equals one
written item by item with append.
"""
import json
from itertools import repeat
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence

import numpy as np
from pwem.objects import Matrix
from pyworkflow.object import Boolean, CsvList, Float, Integer, Object, Scalar, Set

from .errors import ConvertError

_BASIC = ('id', 'enabled', 'label', 'comment')


def write_items(items: Set, template: Object, columns: Mapping[str, Any], ids: Optional[Sequence[int]] = None,
                enabled: Optional[Sequence[bool]] = None) -> None:
    """Append n items to a set. The caller writes the set (items.write()) afterwards, as after append.

    template: an item with every sub-object that the items shall have; it is changed. columns: attribute path ->
    n values, (n,) numbers, bools or texts (None = no value), or (n, r, c) for a matrix; an attribute without a column
    has the template's value in every item. ids: new object ids (default: they go on from the set's last).
    enabled: (n,) bools (default: all). Raises ConvertError for an unknown path or columns of different length.
    """
    n = _common_length(columns)
    if n == 0:
        return
    attributes = template.getMappedDict()
    unknown = sorted(set(columns) - set(attributes))
    if unknown:
        raise ConvertError('items of %s have no attribute %s; give the template that sub-object'
                           % (items.getClassName(), ', '.join(unknown)))
    encoded: Dict[str, List[Any]] = {}
    by_array: Dict[int, List[Any]] = {}
    for path, values in columns.items():
        if not isinstance(attributes[path], Matrix):
            encoded[path] = _encode(attributes[path], values)
            continue
        # The transform and the coordinate of a particle often are one array: its text is made once.
        if id(values) not in by_array:
            by_array[id(values)] = _encode(attributes[path], values)
        encoded[path] = by_array[id(values)]
    for path, values in encoded.items():
        attributes[path].set(values[0])
    new_ids = list(range(items._idCount + 1, items._idCount + n + 1)) if ids is None else [int(i) for i in ids]
    flags = [True] * n if enabled is None else [bool(flag) for flag in enabled]
    if len(new_ids) != n or len(flags) != n:
        raise ConvertError('%d ids and %d enabled flags for %d items' % (len(new_ids), len(flags), n))

    # The first item goes the usual way: the set makes its tables and takes what it takes from a first item.
    template.setObjId(new_ids[0])
    template.setEnabled(flags[0])
    if items.getSize() and items._getMapper().db.INSERT_OBJECT is None:
        items.enableAppend()
    items.append(template)
    stored = template.getObjDict()
    values_of = [encoded[path][1:] if path in encoded else repeat(value) for path, value in stored.items()]
    rows = zip(new_ids[1:], flags[1:], repeat(template.getObjLabel()), repeat(template.getObjComment()), *values_of)
    database = items._getMapper().db
    database.connection.executemany(database.INSERT_OBJECT, rows)
    items._size.set(items.getSize() + n - 1)
    items._idCount = max(items._idCount, max(new_ids))


def read_columns(items: Set, paths: Iterable[str], optional: Iterable[str] = (),
                 enabled_only: bool = False) -> Dict[str, np.ndarray]:
    """Attributes of all items of a set, in the order of their ids.

    paths: attribute paths that must be there; optional: left out of the result where no item has them. The result
    always has 'id' (int64) and 'enabled' (bool). Integers come as int64 (as float64 with NaN where a value is
    missing), floats as float64 (NaN = no value), Booleans as bool (no value = False), matrices as (n, r, c) float64,
    texts as objects (None = no value). Raises ConvertError naming a path that the set lacks.
    """
    mapper = items._getMapper()
    wanted = list(paths)
    if mapper.doCreateTables:
        return {path: np.empty(0, object) for path in wanted + ['id', 'enabled']}
    known = {row['label_property']: (row['column_name'], row['class_name']) for row in mapper.db.getClassRows()}
    missing = [path for path in wanted if path not in known and path not in _BASIC]
    if missing:
        raise ConvertError('%s: its items have no %s' % (items, ', '.join(missing)))
    wanted += [path for path in optional if path in known or path in _BASIC]
    attributes = list(dict.fromkeys(path for path in wanted if path not in _BASIC))
    basic = list(dict.fromkeys(['id', 'enabled'] + [path for path in wanted if path in _BASIC]))
    cursor = mapper.db.connection.cursor()
    cursor.row_factory = None
    cursor.execute('SELECT %s FROM %sObjects %s ORDER BY id'
                   % (', '.join(basic + [known[path][0] for path in attributes]), mapper.db.tablePrefix,
                      'WHERE enabled = 1' if enabled_only else ''))
    rows = cursor.fetchall()
    values: List[Sequence[Any]] = list(zip(*rows)) if rows else [()] * (len(basic) + len(attributes))
    classes = {'id': 'Integer', 'enabled': 'Boolean'}
    return {path: _decode(classes.get(path) or known.get(path, ('', 'String'))[1], column)
            for path, column in zip(basic + attributes, values)}


def copy_items(source: Set, target: Set, chosen: np.ndarray) -> None:
    """Append the chosen items, (n,) bools in the order of ids, to a set of the same kind of items, with their ids."""
    template = source.getFirstItem().clone()
    leaves = [path for path, attribute in template.getMappedDict().items() if isinstance(attribute, Scalar)]
    columns = read_columns(source, leaves)
    kept = {path: values[chosen] for path, values in columns.items()}
    write_items(target, template, {path: kept[path] for path in leaves}, ids=kept['id'], enabled=kept['enabled'])


def make_tables(items: Set, template: Object) -> None:
    """The tables of a set that gets no items, so that programs which read sets find it empty and not broken.

    template: an item as the set would have it.
    """
    mapper = items._getMapper()
    if mapper.doCreateTables:
        mapper.db.createTables(template.getObjDict(includeClass=True))
        mapper.doCreateTables = False


def _common_length(columns: Mapping[str, Any]) -> int:
    lengths = {path: len(values) for path, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ConvertError('columns of different length: %s'
                           % ', '.join('%s %d' % item for item in sorted(lengths.items())))
    return next(iter(lengths.values()))


def _encode(attribute: Object, values: Any) -> List[Any]:
    """Values as Scipion stores them for this attribute."""
    if isinstance(attribute, Matrix):
        return [json.dumps(matrix) for matrix in np.asarray(values, dtype=np.float64).tolist()]
    if isinstance(attribute, Float):
        return np.asarray(values, dtype=np.float64).tolist()
    if isinstance(attribute, Boolean):
        return [bool(value) for value in values]
    if isinstance(attribute, Integer):
        numbers = np.asarray(values, dtype=np.float64 if None in list(values) else None)
        if numbers.dtype.kind == 'f':
            return [None if np.isnan(number) else int(number) for number in numbers]
        return numbers.astype(np.int64).tolist()
    if isinstance(attribute, CsvList):
        return [value if isinstance(value, str) else ','.join(map(str, value)) for value in values]
    return [None if value is None else str(value) for value in values]


def _decode(class_name: str, values: Sequence[Any]) -> np.ndarray:
    if class_name == 'Matrix':
        return _matrices(values)
    if class_name == 'Float':
        return np.array(values, dtype=np.float64)
    if class_name == 'Boolean':
        return np.array([bool(value) for value in values], dtype=bool)
    if class_name == 'Integer':
        return np.array(values, dtype=np.float64 if None in values else np.int64)
    return np.array(values, dtype=object)


def _matrices(texts: Sequence[Optional[str]]) -> np.ndarray:
    """JSON texts -> (n, r, c); what is missing becomes the identity of the others' size."""
    filled = [text for text in texts if text]
    parsed = np.array(json.loads('[%s]' % ','.join(filled)), dtype=np.float64) if filled else np.empty((0, 4, 4))
    if len(filled) == len(texts):
        return parsed
    matrices = np.tile(np.eye(parsed.shape[-1]), (len(texts), 1, 1))
    matrices[np.array([bool(text) for text in texts])] = parsed
    return matrices
