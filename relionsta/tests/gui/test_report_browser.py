"""The report in a real browser: nothing fails, nothing is asked of anybody, and it fits a phone."""
import html
import json
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib.figure import Figure

from relionsta.report.page import Code, Link, Links, Picture, Section, Table, Text, render, write_page

BROWSER = next((name for name in ('chromium', 'chromium-browser', 'google-chrome') if shutil.which(name)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason='no Chromium is installed')
LONG = 'Runs/000616_ProtStaClass3D/extra/job001/run_it025_class001.mrc' * 3
PHONE = 360
_MEASURE = '''<!DOCTYPE html><html><body><iframe id="page" width="%d" height="640" srcdoc="%s"></iframe><script>
document.getElementById("page").addEventListener("load", event => {
  const root = event.target.contentDocument.documentElement;
  document.body.setAttribute("data-widths", root.scrollWidth + " " + root.clientWidth);
});</script></body></html>'''


def browse(*options):
    """Run the browser without network; returns (stdout, stderr)."""
    done = subprocess.run([BROWSER, '--headless=new', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr',
                           '--host-resolver-rules=MAP * ~NOTFOUND', '--virtual-time-budget=5000', *options],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture
def page(tmp_path):
    """A report with wide figures, long names and wide tables."""
    figure = Figure(figsize=(11, 4))
    figure.add_subplot().plot(np.arange(9))
    parts = [Text([LONG]), Table(LONG, ('Parameter', 'Value', 'Default'), [('a', LONG, '–')] * 3),
             Picture('FSC', figure), Code('Commands', 'relion_refine --i %s' % LONG)]
    text = render('A report', [Links('References', [Link('a paper', 'https://doi.org/10.1/x')])],
                  [Section('run-%d' % number, 'Run %d' % number, [LONG], parts) for number in (1, 2)], 'end')
    path = tmp_path / 'report.html'
    write_page(path, text)
    return path


def test_opens_without_an_error_and_without_a_request(page, tmp_path):
    """A report that asks a server for its looks breaks with the server, and tells it who reads."""
    log = tmp_path / 'net.json'
    found, errors = browse('--dump-dom', '--log-net-log=%s' % log, page.as_uri())
    assert '<section id="run-2">' in found
    assert 'CONSOLE' not in errors, errors
    asked = [event['params']['url'] for event in json.loads(log.read_text())['events']
             if isinstance(event.get('params'), dict) and 'url' in event['params']]
    assert not [url for url in asked if 'doi.org' in url]


def test_fits_a_phone(page, tmp_path):
    """Text that runs out of a small screen is not read."""
    frame = tmp_path / 'frame.html'
    frame.write_text(_MEASURE % (PHONE, html.escape(page.read_text(encoding='utf-8'))), encoding='utf-8')
    found, _ = browse('--dump-dom', frame.as_uri())
    needed, there = map(int, found.split('data-widths="')[1].split('"')[0].split())
    assert needed <= there <= PHONE


def test_prints(page, tmp_path):
    """A printed report is what many groups keep."""
    target = tmp_path / 'report.pdf'
    browse('--print-to-pdf=%s' % target, page.as_uri())
    assert target.read_bytes().startswith(b'%PDF') and target.stat().st_size > 10000
