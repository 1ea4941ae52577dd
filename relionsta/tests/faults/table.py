"""The results as a table for people, and its place in the README."""
import re
from pathlib import Path
from typing import Any, Dict, List

from .groups import group

BEGIN, END = '<!-- faults: written by make faults -->', '<!-- end of faults -->'


def table(summary: Dict[str, Any]) -> str:
    """A Markdown table: a row for each group of cases."""
    lines = ['| promise | cases | tried | survived | open |', '|---|---|---|---|---|']
    told = ''
    for result in summary['groups']:
        one = group(result['group'])
        promise = summary['promises'][str(one.promise)]['promise']
        lines.append('| %s | %s | %s | %s | %s |' % (
            '' if promise == told else promise, one.title, format(result['tried'], ','), format(result['survived'], ','),
            len(result['open']) or ''))
        told = promise
    return '\n'.join(lines)


def open_lines(summary: Dict[str, Any]) -> List[str]:
    """What cannot survive, why, and what to do: a line for each case."""
    return ['- %s: %s %s' % (case['case'], case['reason'], case['advice'])
            for result in summary['groups'] for case in result['open']]


def write_into_readme(summary: Dict[str, Any], readme: Path) -> None:
    """Put the table between its two marks. Raises ValueError where they are not there."""
    text = readme.read_text()
    found = re.compile(re.escape(BEGIN) + '.*?' + re.escape(END), re.DOTALL)
    if not found.search(text):
        raise ValueError('%s: there is no line %s' % (readme, BEGIN))
    parts = [BEGIN, table(summary)] + (['', 'Open:', ''] + open_lines(summary) if open_lines(summary) else []) + [END]
    readme.write_text(found.sub(lambda _: '\n'.join(parts), text))
