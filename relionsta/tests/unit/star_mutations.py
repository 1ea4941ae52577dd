"""STAR files as hands, editors, other programs and full disks leave them: good ones, changed by a seed's dice.

Text is made here by other code than that of relionsta.star, so that the two can disagree.
"""
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np


@dataclass(frozen=True)
class Block:
    """A block before it is text: cells are texts, as a reader shall find them."""
    name: str
    labels: Tuple[str, ...]
    rows: Tuple[Tuple[str, ...], ...]
    as_list: bool = False

    def column(self, label: str) -> List[str]:
        return [row[self.labels.index(label)] for row in self.rows]


@dataclass(frozen=True)
class Style:
    """How the text is written. quoted, commented: the share of cells and lines."""
    line_end: str = '\n'
    between: str = '  '
    numbered: bool = True
    quoted: float = 0.0
    commented: float = 0.0
    blank_lines: float = 0.0
    mark: str = ''


@dataclass(frozen=True)
class Mutated:
    """A mutated file. blocks: what is true of it; None where the text is broken, so that it must be refused.

    named: what the message must hold beside the file's name, if it is refused. cut: it may be read as a part of
    blocks, with a warning.
    """
    text: str
    blocks: Optional[List[Block]]
    named: Tuple[str, ...] = ()
    harmless: bool = False
    cut: bool = False


def block(name: str, columns: Dict[str, Sequence[object]], as_list: bool = False) -> Block:
    return Block(name, tuple(columns), tuple(zip(*([str(cell) for cell in cells] for cells in columns.values()))), as_list)


def text_of(blocks: Sequence[Block], style: Style, random: np.random.Generator) -> str:
    lines: List[str] = ['']

    def add(*cells: str) -> None:
        line = style.between.join(cells)
        if random.random() < style.commented:
            line += style.between + '# %s' % random.choice(['a note', "don't", 'data_x 1', '"'])
        lines.append(line)
        if random.random() < style.commented:
            lines.append('# ' + random.choice(['loop_', '_rlnTomoName #1', 'by hand']))
        if random.random() < style.blank_lines:
            lines.append(style.between)

    for one in blocks:
        lines += ['# version 50001', '', 'data_' + one.name, '']
        if one.as_list:
            for label, cell in zip(one.labels, one.rows[0]):
                add('_' + label, _written(cell, style, random))
        else:
            lines.append('loop_')
            for number, label in enumerate(one.labels, 1):
                add('_' + label, *(['#%d' % number] if style.numbered else []))
            for row in one.rows:
                add(*(_written(cell, style, random) for cell in row))
        lines.append('')
    return style.mark + style.line_end.join(lines) + style.line_end


def _written(cell: str, style: Style, random: np.random.Generator) -> str:
    if not cell or random.random() < style.quoted:
        mark = random.choice(['"', "'"])
        return mark + cell + mark
    return cell


def _styled(**changes: object) -> Callable:
    def mutate(blocks: List[Block], random: np.random.Generator) -> Mutated:
        return Mutated(text_of(blocks, replace(Style(), **changes), random), blocks, harmless=True)
    return mutate


def _everything(blocks: List[Block], random: np.random.Generator) -> Mutated:
    """All that is harmless at once."""
    blocks = _other_form(blocks, random).blocks or blocks
    style = Style('\r\n', '\t ', False, 0.3, 0.3, 0.2, '\ufeff')
    return Mutated(text_of(_shuffled(blocks, random), style, random), blocks, harmless=True)


def _shuffled(blocks: List[Block], random: np.random.Generator) -> List[Block]:
    found = []
    for one in blocks:
        order = random.permutation(len(one.labels))
        found.append(replace(one, labels=tuple(one.labels[k] for k in order),
                             rows=tuple(tuple(row[k] for k in order) for row in one.rows)))
    return found


def _reordered(blocks: List[Block], random: np.random.Generator) -> Mutated:
    return Mutated(text_of(_shuffled(blocks, random), Style(), random), blocks, harmless=True)


def _other_form(blocks: List[Block], random: np.random.Generator) -> Mutated:
    """Tables of one row as loops where they were lists, and the other way round."""
    changed = [replace(one, as_list=not one.as_list) if len(one.rows) == 1 else one for one in blocks]
    return Mutated(text_of(changed, Style(), random), changed, harmless=True)


def _fewer_rows(keep: int) -> Callable:
    def mutate(blocks: List[Block], random: np.random.Generator) -> Mutated:
        """Only the last block, the one of most rows: the others describe it."""
        last = blocks[-1]
        chosen = sorted(random.permutation(len(last.rows))[:keep])
        changed = blocks[:-1] + [replace(last, rows=tuple(last.rows[k] for k in chosen), as_list=False)]
        return Mutated(text_of(changed, Style(), random), changed, (last.name,), harmless=keep > 0)
    return mutate


def _one_row(blocks: List[Block], random: np.random.Generator) -> Mutated:
    few = _fewer_rows(1)(blocks, random).blocks
    return _other_form(few, random) if random.random() < 0.5 else Mutated(text_of(few, Style(), random), few,
                                                                          harmless=True)


def _some(blocks: List[Block], random: np.random.Generator) -> Tuple[int, int]:
    """A block (the last more often) and a column of it."""
    at = len(blocks) - 1 if random.random() < 0.7 else int(random.integers(len(blocks)))
    return at, int(random.integers(len(blocks[at].labels)))


def _without_column(blocks: List[Block], random: np.random.Generator) -> Mutated:
    at, column = _some(blocks, random)
    one = blocks[at]
    changed = list(blocks)
    changed[at] = replace(one, labels=one.labels[:column] + one.labels[column + 1:],
                          rows=tuple(row[:column] + row[column + 1:] for row in one.rows))
    if not changed[at].labels:
        return Mutated(text_of(changed, Style(), random), None, (one.name,))
    return Mutated(text_of(changed, Style(), random), changed, (one.name, one.labels[column]))


def _column_twice(blocks: List[Block], random: np.random.Generator) -> Mutated:
    at, column = _some(blocks, random)
    one = blocks[at]
    other = int(random.integers(len(one.labels)))
    changed = list(blocks)
    changed[at] = replace(one, labels=one.labels + (one.labels[column],),
                          rows=tuple(row + (row[other],) for row in one.rows))
    return Mutated(text_of(changed, Style(), random), None, (one.name, one.labels[column]))


def _name_only(blocks: List[Block], random: np.random.Generator) -> Mutated:
    """A column name that is gone or too many, with all values still there."""
    one = blocks[-1]
    labels = one.labels[1:] if random.random() < 0.5 else one.labels + ('rlnUnknownColumn',)
    changed = blocks[:-1] + [replace(one, labels=labels, as_list=False)]
    return Mutated(text_of(changed, Style(), random), None, (one.name,))


def _cell(value: str) -> Callable:
    def mutate(blocks: List[Block], random: np.random.Generator) -> Mutated:
        at, column = _some(blocks, random)
        one = blocks[at]
        row = int(random.integers(len(one.rows)))
        rows = [list(cells) for cells in one.rows]
        rows[row][column] = value
        changed = list(blocks)
        changed[at] = replace(one, rows=tuple(map(tuple, rows)))
        return Mutated(text_of(changed, Style(), random), changed, (one.name, one.labels[column]))
    return mutate


def _value_gone(blocks: List[Block], random: np.random.Generator) -> Mutated:
    one = blocks[-1]
    row = int(random.integers(len(one.rows)))
    rows = tuple(cells[:-1] if number == row else cells for number, cells in enumerate(one.rows))
    changed = blocks[:-1] + [replace(one, rows=rows)]
    if one.as_list:
        changed[-1] = replace(one, labels=one.labels, rows=(one.rows[0][:-1] + ('',),))
        text = text_of(changed, Style(), random).replace('""', '').replace("''", '')
        return Mutated(text, None, (one.name,))
    return Mutated(text_of(changed, Style(), random), None, (one.name,))


def _quote_open(blocks: List[Block], random: np.random.Generator) -> Mutated:
    at, column = _some(blocks, random)
    one = blocks[at]
    row = int(random.integers(len(one.rows)))
    rows = [list(cells) for cells in one.rows]
    rows[row][column] = '"' + rows[row][column]
    changed = list(blocks)
    changed[at] = replace(one, rows=tuple(map(tuple, rows)))
    return Mutated(text_of(changed, Style(), random), None, (one.name,))


def _without_optics(blocks: List[Block], random: np.random.Generator) -> Mutated:
    changed = [one for one in blocks if one.name != 'optics']
    return Mutated(text_of(changed, Style(), random), changed, ('optics',) if len(changed) < len(blocks) else ())


def _cut(blocks: List[Block], random: np.random.Generator) -> Mutated:
    """The disk was full, or RELION is still writing."""
    text = text_of(blocks, Style(), random)
    return Mutated(text[:int(random.integers(len(text) - 2))], blocks, cut=True)


MUTATIONS: Dict[str, Callable] = {
    'CRLF': _styled(line_end='\r\n'), 'tabs': _styled(between='\t'), 'quotes': _styled(quoted=0.5),
    'comments': _styled(commented=0.5), 'blank lines and no numbers': _styled(blank_lines=0.5, numbered=False),
    'all of these': _everything, 'columns reordered': _reordered, 'list for loop': _other_form,
    'rows dropped': _fewer_rows(2), 'one row': _one_row, 'no row': _fewer_rows(0), 'column dropped': _without_column,
    'column twice': _column_twice, 'names for other columns': _name_only, 'nan': _cell('nan'), 'None': _cell('None'),
    'value gone': _value_gone, 'quote open': _quote_open, 'no optics': _without_optics, 'cut': _cut, 'cut again': _cut}
