"""The report's page: one file, whatever the texts are."""
import re
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from relionsta.report.page import Code, Link, Links, Picture, Section, Table, Text, render, write_page

HOSTILE = '<script>alert(1)</script> & "quotes" \' %s $(rm) Å'


class Page(HTMLParser):
    """What a browser finds: tags with their attributes, and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ''
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def html():
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([1, 2])
    sections = [Section('run-%d' % number, HOSTILE, [HOSTILE], [
        Text([HOSTILE]), Table(HOSTILE, ('a', HOSTILE), [(HOSTILE, 'b')]), Picture(HOSTILE, figure),
        Code(HOSTILE, HOSTILE)]) for number in (1, 2)]
    links = [Link(HOSTILE, 'https://doi.org/10.1/x'), Link('none', '')]
    return render(HOSTILE, [Text([HOSTILE]), Links('References', links)], sections, HOSTILE)


def test_texts_are_shown_as_they_stand(html):
    """A label such as <script> must be read and not be run."""
    page = Page(html)
    assert not page.all('script')
    assert page.text.count('alert(1)') >= 10
    assert page.text.count(HOSTILE) >= 10


def test_nothing_is_loaded_from_anywhere(html):
    """A report that is sent to a colleague must be whole, and tell nobody that it is read."""
    page = Page(html)
    loaded = [value for _, attributes in page.tags for name, value in attributes.items()
              if name in ('src', 'srcset', 'data', 'poster', 'action')] + [one['href'] for one in page.all('link')]
    assert len(loaded) == 3 and all(value.startswith('data:') for value in loaded)
    assert not re.search(r'url\(|@import', html)
    assert [one['href'] for one in page.all('a')] == ['https://doi.org/10.1/x', '#run-1', '#run-2']


def test_links_lead_to_their_runs(html):
    """A contents list that leads nowhere is worse than none."""
    page = Page(html)
    anchors = [one['id'] for one in page.all('section')]
    assert anchors == ['run-1', 'run-2']
    assert all(one['alt'] == HOSTILE for one in page.all('img'))
    assert 'width=device-width' in next(one for one in page.all('meta') if one.get('name') == 'viewport')['content']


def test_page_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    """A report that breaks off must not take the place of a whole one."""
    path = tmp_path / 'report.html'
    write_page(path, 'old')
    with pytest.raises(UnicodeEncodeError):
        write_page(path, 'new \ud800')
    assert path.read_text() == 'old'
