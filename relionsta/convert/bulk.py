"""Many items of a Scipion set at once: the only code that speaks to a set's SQLite file.

Scipion keeps a set as a table of its items (one column per attribute path, such as `_coordinate._x`) and a table that
says which column holds which path. Both are made here by Scipion's own code, so that a set written in bulk equals one
written item by item with append.
"""
from itertools import chain
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import pandas as pd
from pyworkflow.object import Object, Scalar, Set

from .errors import ConvertError
from .stored import decode, encode

_BASIC = ('id', 'enabled', 'label', 'comment')
_DIFFERS = 'differs'
# Rows on their way in or out at one time: few, so that a million particles need no memory for it.
_PIECE = 2048
# Rows of one INSERT, and values that any SQLite takes with it.
_AT_ONCE = 32
_MOST_BOUND = 900
# Bytes of a page in the files of sets with at least so many items: a few long rows fill SQLite's own 4096.
_PAGE, _MANY = 16384, 1000
# Whole numbers below have one spelling as a float.
_EXACT = 1e15


def write_items(items: Set, template: Object, columns: Mapping[str, Any], ids: Optional[Sequence[int]] = None,
                enabled: Optional[Sequence[bool]] = None,
                watch: Optional[Callable[[Mapping[str, List[Any]]], None]] = None) -> None:
    """Append n items to a set. The caller writes the set (items.write()) afterwards, as after append.

    template: an item with every sub-object that the items shall have; it is changed. columns: attribute path ->
    n values, (n,) numbers, bools or texts (None = no value), or (n, r, c) for a matrix; an attribute without a column
    has the template's value in every item. ids: new object ids (default: they go on from the set's last).
    enabled: (n,) bools (default: all). watch: is called with what is stored of the columns, piece by piece in their order.
    Raises ConvertError for an unknown path or columns of different length.
    """
    columns = {path: np.asarray(values) if isinstance(values, pd.Series) else values for path, values in columns.items()}
    n = _common_length(columns)
    if n == 0:
        return
    attributes = template.getMappedDict()
    unknown = sorted(set(columns) - set(attributes))
    if unknown:
        raise ConvertError('items of %s have no attribute %s; give the template that sub-object'
                           % (items.getClassName(), ', '.join(unknown)))
    one = _encoded(attributes, columns, 0, 1)
    for path, values in one.items():
        attributes[path].set(values[0])
    if watch is not None:
        watch(one)
    new_ids = range(items._idCount + 1, items._idCount + n + 1) if ids is None else np.asarray(ids, np.int64).tolist()
    flags = [True] * n if enabled is None else [bool(flag) for flag in enabled]
    if len(new_ids) != n or len(flags) != n:
        raise ConvertError('%d ids and %d enabled flags for %d items' % (len(new_ids), len(flags), n))

    # The first item goes the usual way: the set makes its tables and takes what it takes from a first item.
    template.setObjId(new_ids[0])
    template.setEnabled(flags[0])
    mapper = items._getMapper()
    if mapper.doCreateTables and n >= _MANY:
        # Of no effect where the file has tables already.
        mapper.db.connection.execute('PRAGMA page_size = %d' % _PAGE)
    if items.getSize() and mapper.db.INSERT_OBJECT is None:
        items.enableAppend()
    items.append(template)
    database = mapper.db
    # The time is asked for once: SQLite would else work it out for every row.
    now = database.connection.cursor().execute("SELECT datetime('now')").fetchone()[0]
    same = [('label', template.getObjLabel()), ('comment', template.getObjComment()), ('creation', now)]
    stored = [(path, value, None if path in columns else _literal(value))
              for path, value in same + list(template.getObjDict().items())]
    for first in range(1, n, _PIECE):
        last = min(first + _PIECE, n)
        varying = _encoded(attributes, columns, first, last)
        if watch is not None:
            watch(varying)
        _insert(database, [new_ids[first:last], flags[first:last],
                           *(literal or varying.get(path) or [value] * (last - first) for path, value, literal in stored)])
    items._size.set(items.getSize() + n - 1)
    items._idCount = max(items._idCount, max(new_ids))


def read_columns(items: Set, paths: Iterable[str], optional: Iterable[str] = (), enabled_only: bool = False,
                 expected: Optional[Mapping[str, Any]] = None) -> Dict[str, np.ndarray]:
    """Attributes of all items of a set, in the order of their ids.

    paths: attribute paths that must be there; optional: left out of the result where no item has them. expected: path ->
    value (None: no value); the result then has 'differs' (bool), True for items with another one, which SQLite finds
    out by the way. The result always has 'id' (int64) and 'enabled' (bool). Integers come as int64 (as float64 with NaN
    where a value is missing), floats as float64 (NaN = no value), Booleans as bool (no value = False), matrices as
    (n, r, c) float64, texts as objects (None = no value). Raises ConvertError naming a path that the set lacks.
    """
    mapper = items._getMapper()
    wanted = list(paths)
    if mapper.doCreateTables:
        return {path: np.empty(0, object) for path in wanted + ['id', 'enabled'] + [_DIFFERS] * (expected is not None)}
    known = {row['label_property']: (row['column_name'], row['class_name']) for row in mapper.db.getClassRows()}
    missing = [path for path in wanted if path not in known and path not in _BASIC]
    if missing:
        raise ConvertError('%s: its items have no %s' % (items, ', '.join(missing)))
    wanted += [path for path in optional if path in known or path in _BASIC]
    attributes = list(dict.fromkeys(path for path in wanted if path not in _BASIC))
    basic = list(dict.fromkeys(['id', 'enabled'] + [path for path in wanted if path in _BASIC]))
    if enabled_only:
        basic.remove('enabled')
    cursor = mapper.db.connection.cursor()
    cursor.row_factory = None
    compared = {path: value for path, value in (expected or {}).items() if path in known}
    differs = [' OR '.join('%s IS NOT ?' % known[path][0] for path in compared) or '0'] if expected is not None else []
    cursor.execute('SELECT %s FROM %sObjects %s ORDER BY id'
                   % (', '.join(basic + [known[path][0] for path in attributes] + differs), mapper.db.tablePrefix,
                      'WHERE enabled = 1' if enabled_only else ''), tuple(compared.values()))
    classes = {'id': 'Integer', 'enabled': 'Boolean', _DIFFERS: 'Boolean'}
    attributes += [_DIFFERS] * len(differs)
    kinds = [classes.get(path) or known.get(path, ('', 'String'))[1] for path in basic + attributes]
    shared: Dict[str, str] = {}
    pieces: List[List[np.ndarray]] = [[decode(kind, (), shared)] for kind in kinds]
    for rows in iter(lambda: cursor.fetchmany(_PIECE), []):
        for found, kind, values in zip(pieces, kinds, zip(*rows)):
            found.append(decode(kind, values, shared))
    columns = {}
    for path, found in zip(basic + attributes, pieces):
        columns[path] = np.concatenate(found[1:] or found)
        found.clear()
    return {**columns, 'enabled': columns.get('enabled', np.ones(len(columns['id']), dtype=bool))}


def stored_values(items: Set, paths: Sequence[str], expected: Mapping[str, Any]) -> Iterator[List[Tuple[Any, ...]]]:
    """Attributes of the enabled items as they are stored, in the order of their ids: piece by piece, a tuple for each path,
    and one that has 1 for items whose `expected` attributes (path -> value) have another value.

    An attribute that the set lacks has no value (None) in any item.
    """
    mapper = items._getMapper()
    if mapper.doCreateTables:
        return
    known = {row['label_property']: row['column_name'] for row in mapper.db.getClassRows()}
    cursor = mapper.db.connection.cursor()
    cursor.row_factory = None
    columns = [known.get(path, 'NULL') for path in paths]
    differs = ' OR '.join('%s IS NOT ?' % known.get(path, 'NULL') for path in expected) or '0'
    cursor.execute('SELECT %s FROM %sObjects WHERE enabled = 1 ORDER BY id'
                   % (', '.join(columns + [differs]), mapper.db.tablePrefix), tuple(expected.values()))
    for rows in iter(lambda: cursor.fetchmany(_PIECE), []):
        yield list(zip(*rows))


def number_of_items(items: Set, enabled_only: bool = False) -> int:
    """How many items the set's file holds."""
    mapper = items._getMapper()
    if mapper.doCreateTables:
        return 0
    return int(mapper.db.connection.cursor().execute('SELECT count(*) FROM %sObjects %s' % (
        mapper.db.tablePrefix, 'WHERE enabled = 1' if enabled_only else '')).fetchone()[0])


def first_values(items: Set, paths: Sequence[str], enabled_only: bool = False) -> Tuple[Any, ...]:
    """What the first item has in these attributes; None in those that the set lacks, or for a set without items."""
    mapper = items._getMapper()
    if mapper.doCreateTables:
        return (None,) * len(paths)
    known = {row['label_property']: row['column_name'] for row in mapper.db.getClassRows()}
    cursor = mapper.db.connection.cursor()
    cursor.row_factory = None
    return cursor.execute('SELECT %s FROM %sObjects %s ORDER BY id LIMIT 1' % (
        ', '.join(known.get(path, 'NULL') for path in paths), mapper.db.tablePrefix,
        'WHERE enabled = 1' if enabled_only else '')).fetchone() or (None,) * len(paths)


def ids_of_values(items: Set, path: str) -> Dict[Any, int]:
    """Value of an attribute -> object id, of all items of a set, in the order of ids (of equal values, the last)."""
    mapper = items._getMapper()
    if mapper.doCreateTables:
        return {}
    column = next(row['column_name'] for row in mapper.db.getClassRows() if row['label_property'] == path)
    cursor = mapper.db.connection.cursor()
    cursor.row_factory = None
    return dict(cursor.execute('SELECT %s, id FROM %sObjects ORDER BY id' % (column, mapper.db.tablePrefix)))


def ids_if_same(items: Set, path: str, values: Sequence[str]) -> Optional[np.ndarray]:
    """The object ids (n,) of all items of a set, where they have no gap and the attribute has exactly these texts (n,) in
    their order; else None. Far quicker than ids_of_values, since SQLite hands over one text.
    """
    mapper = items._getMapper()
    if mapper.doCreateTables:
        return None
    column = next(row['column_name'] for row in mapper.db.getClassRows() if row['label_property'] == path)
    cursor = mapper.db.connection.cursor()
    cursor.row_factory = None
    # Without an index, rows come in the order of their ids.
    first, last, text = cursor.execute('SELECT min(id), max(id), group_concat(%s, char(10)) FROM %sObjects NOT INDEXED'
                                       % (column, mapper.db.tablePrefix)).fetchone()
    # A missing text is left out, and one with a line break could be two.
    if not text or len(values) != last - first + 1 or text.count('\n') != len(values) - 1 or text != '\n'.join(values):
        return None
    return np.arange(first, last + 1)


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


def _encoded(attributes: Mapping[str, Object], columns: Mapping[str, Any], first: int, last: int
             ) -> Dict[str, List[Any]]:
    """What Scipion stores of some rows of the columns. The transform and the coordinate of a particle often are one
    array, which is then one list."""
    by_array: Dict[Tuple[int, type], List[Any]] = {}
    encoded = {}
    for path, values in columns.items():
        key = id(values), type(attributes[path])
        if key not in by_array:
            by_array[key] = encode(attributes[path], values[first:last])
        encoded[path] = by_array[key]
    return encoded


def _insert(database: Any, columns: Sequence[Union[str, List[Any]]]) -> None:
    """Insert rows; columns as Scipion's own INSERT has them: id, enabled, label, comment, creation and attributes. A text is
    the SQL of a column that is the same in all rows.

    What is the same in all rows stands in the statement, and a list that is there twice is handed over once.
    """
    bound: Dict[int, int] = {}
    lists: List[Sequence[Any]] = []
    values: List[Union[str, int]] = []
    for number, column in enumerate(columns):
        if isinstance(column, str):
            values.append(column)
            continue
        # Ids are always bound, so that there is something to bind.
        is_same = column[0] == column[-1] and column.count(column[0]) == len(column)
        literal = _literal(column[0]) if number and is_same else None
        if literal is None and id(column) not in bound:
            bound[id(column)] = len(lists)
            lists.append(column)
        values.append(bound[id(column)] if literal is None else literal)
    # Many rows in one statement: SQLite starts it less often.
    at_once = max(1, min(_AT_ONCE, _MOST_BOUND // len(lists)))
    n = len(columns[0])
    whole = n - n % at_once
    cells = list(chain.from_iterable(zip(*lists)))
    for first, last, rows in ((0, whole, at_once), (whole, n, 1)):
        if first < last:
            statement = '%s VALUES %s' % (database.INSERT_OBJECT.split(' VALUES ')[0], ', '.join(
                _row(values, row * len(lists)) for row in range(rows)))
            size = rows * len(lists)
            database.connection.executemany(statement, (
                cells[start:start + size] for start in range(first * len(lists), last * len(lists), size)))


def _row(values: Iterable[Union[str, int]], before: int) -> str:
    """A row of a statement. values: SQL, or the number of a list; before: values bound for the rows before."""
    return '(%s)' % ', '.join(value if isinstance(value, str) else '?%d' % (before + value + 1) for value in values)


def _literal(value: Any) -> Optional[str]:
    """A value as SQL; None where it has to be bound."""
    if value is None:
        return 'NULL'
    if isinstance(value, int):
        return '%d' % value
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return '%.1f' % value
    if isinstance(value, str) and '\0' not in value:
        return "'%s'" % value.replace("'", "''")
    return None
