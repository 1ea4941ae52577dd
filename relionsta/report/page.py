"""A page of text, tables and figures as one HTML file that needs nothing from anywhere."""
import base64
import io
from html import escape
from pathlib import Path
from typing import List, NamedTuple, Sequence, Tuple, Union

from matplotlib.figure import Figure

from ..whole import whole
from .look import STYLE

DPI = 110


class Text(NamedTuple):
    """Lines, each a paragraph."""

    lines: Sequence[str]


class Table(NamedTuple):
    """Rows of texts under a header. caption: what they are."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Picture(NamedTuple):
    """A figure with its title, which is also what is read aloud in its place."""

    title: str
    figure: Figure


class Link(NamedTuple):
    """A line that leads elsewhere when it is followed; nothing is loaded from there before."""

    text: str
    address: str


class Links(NamedTuple):
    """A list of links under a caption; an address of '' is text alone."""

    caption: str
    items: Sequence[Link]


class Code(NamedTuple):
    """Text that a reader opens to see, as it stands. title: what it is."""

    title: str
    text: str


Part = Union[Text, Table, Picture, Links, Code]


class Section(NamedTuple):
    """anchor: its name in links. facts: short texts in a line below the title."""

    anchor: str
    title: str
    facts: Sequence[str]
    parts: Sequence[Part]


def render(title: str, intro: Sequence[Part], sections: Sequence[Section], footer: str) -> str:
    """The whole page as HTML text. All text is shown as it stands: no markup in it counts."""
    body = ['<header><h1>%s</h1></header>' % escape(title)]
    body += [_part(part) for part in intro]
    if len(sections) > 1:
        body.append('<nav><ol>%s</ol></nav>' % ''.join(
            '<li><a href="#%s">%s</a></li>' % (escape(one.anchor), escape(one.title)) for one in sections))
    body += [_section(one) for one in sections]
    body.append('<footer>%s</footer>' % escape(footer))
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="data:,"><title>%s</title><style>%s</style></head>\n<body>\n%s\n</body></html>\n'
            % (escape(title), STYLE, '\n'.join(body)))


def write_page(path: Union[str, Path], html: str) -> None:
    """Write the page, to a temporary name first."""
    with whole(path) as partial:
        partial.write_text(html, encoding='utf-8')


def _section(one: Section) -> str:
    facts = ''.join('<li>%s</li>' % escape(fact) for fact in one.facts)
    return '<section id="%s"><h2>%s</h2><ul class="facts">%s</ul>%s</section>' % (
        escape(one.anchor), escape(one.title), facts, ''.join(map(_part, one.parts)))


def _part(part: Part) -> str:
    if isinstance(part, Text):
        return ''.join('<p>%s</p>' % escape(line) for line in part.lines)
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Links):
        return '<div class="links"><h3>%s</h3><ul>%s</ul></div>' % (escape(part.caption), ''.join(
            '<li>%s</li>' % _link(item) for item in part.items))
    if isinstance(part, Picture):
        return ('<figure><img alt="%s" src="data:image/png;base64,%s" loading="lazy"></figure>'
                % (escape(part.title), base64.b64encode(_png(part.figure)).decode('ascii')))
    return '<details><summary>%s</summary><pre>%s</pre></details>' % (escape(part.title), escape(part.text))


def _link(item: Link) -> str:
    text = escape(item.text)
    return '<a href="%s" rel="noreferrer">%s</a>' % (escape(item.address), text) if item.address else text


def _table(table: Table) -> str:
    rows: List[Tuple[str, Sequence[str]]] = [('th', table.header)] + [('td', row) for row in table.rows]
    lines = ['<tr>%s</tr>' % ''.join('<%s>%s</%s>' % (tag, escape(cell), tag) for cell in row) for tag, row in rows]
    return ('<div class="table"><table><caption>%s</caption><thead>%s</thead><tbody>%s</tbody></table></div>'
            % (escape(table.caption), lines[0], ''.join(lines[1:])))


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the time of day: the same figure gives the same bytes.
    figure.savefig(buffer, format='png', dpi=DPI, metadata={'Software': None})
    return buffer.getvalue()
