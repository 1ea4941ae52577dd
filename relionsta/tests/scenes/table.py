"""The table of scenes and results in docs/conventions.md."""
import re
from pathlib import Path
from typing import Dict, List, Mapping

from relionsta.tests.find import CHECKOUT

from .average import STACKS, TILT_IMAGES, Match

DOCUMENT = CHECKOUT / 'docs' / 'conventions.md'
_BEGIN, _END = '<!-- scenes: written by python -m relionsta.tests.scenes -->', '<!-- end of scenes -->'
_HEAD = ('| scene | stacks: correlation | shift (px) | angle (°) | tilt images: correlation | shift (px) | angle (°) |\n'
         '|---|---|---|---|---|---|---|\n')


def row(name: str, results: Mapping[str, Match]) -> str:
    numbers = ' | '.join('%.4f | %.4f | %.3f' % results[key] for key in (STACKS, TILT_IMAGES))
    return '| %s | %s |\n' % (name, numbers)


def write_into_document(rows: List[str], document: Path = DOCUMENT) -> None:
    """Replace the table between its two marks."""
    text = document.read_text(encoding='utf-8')
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    temporary = document.with_name('.%s.tmp' % document.name)
    temporary.write_text('%s%s\n\n%s%s\n%s%s' % (before, _BEGIN, _HEAD, ''.join(rows), _END, after), encoding='utf-8')
    temporary.replace(document)


def rows_in_document() -> Dict[str, List[float]]:
    """Scene -> its six numbers."""
    table = DOCUMENT.read_text(encoding='utf-8').partition(_BEGIN)[2].partition(_END)[0]
    lines = re.findall(r'^\| (.+?) \|((?: [\d.]+ \|){6})$', table, re.MULTILINE)
    return {name: [float(number) for number in numbers.split('|')[:-1]] for name, numbers in lines}
