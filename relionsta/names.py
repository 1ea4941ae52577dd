"""Which names Scipion and RELION can work with, and why they cannot with others.

All of it was found by trying RELION 5.1: it makes folders and some files through a shell without quoting ($, `, ; and the
like run as commands, quotes and blanks fall apart), takes what follows %, # or : in the name of an image for its format
(so that all particles of a tomogram go into one file, without a word), and writes STAR files without quotes.
"""
import re
from typing import Optional, Sequence

#: Bytes of a name: RELION and Scipion put more behind it (_half1.mrc, .star), and file systems end at 255.
LONGEST = 200

_BLANK = re.compile(r'\s')
_CONTROL = re.compile(r'[\x00-\x1f\x7f]')
_SHELL = re.compile(r'["\'`$\\;&|<>()]')
_WILD = re.compile(r'[*?{}~\[\]]')
_FORMAT = re.compile(r'[%#:]')
_COUNTED = re.compile(r'\d+@')
#: What RELION and Scipion put behind the name of an image.
_KIND = re.compile(r':mrcs?\Z')
#: Scipion keeps each tilt series in a table of this name, which it does not quote; - and . it replaces.
_TABLE = re.compile(r'[\w.-]+\Z')
#: Found in every list of names, joined by _JOINT, of which one is refused, but for one that is too long.
_JOINT = '\x01'
_ANY = re.compile(r'[\s\x00\x02-\x1f\x7f"\'`$\\;&|<>()*?{}~\[\]%#:,]|\x01[-_/]|\x01\d+@|[\x01/]\.{0,2}[\x01/]')


def path_trouble(path: str) -> str:
    """Why RELION cannot use the file or folder of this name, after "and"; '' where it can, or for no name.

    path: perhaps with the kind of image behind it (series.mrc:mrcs), not with the number of an image before it.
    """
    plain = _KIND.sub('', path)
    if plain.startswith('-'):
        return 'RELION would read it as an option: write ./ before the name'
    if _COUNTED.match(plain):
        return 'RELION would read the number before @ as that of an image: rename it'
    if any(len(part.encode('utf-8', 'surrogateescape')) > 255 for part in plain.split('/')):
        return 'no file system takes a name of more than 255 bytes: shorten it'
    return _character_trouble(plain) or (
        'Scipion keeps lists of files with commas between them: rename it' if ',' in plain else '')


def series_trouble(name: str) -> str:
    """Why a tilt series cannot have this name in RELION (rlnTomoName), after "and"; '' where it can."""
    if not name or name in ('.', '..', 'None'):
        return 'RELION makes a folder of this name for its particles: rename it'
    if '/' in name:
        return 'RELION makes a folder of this name for its particles, which a / would put elsewhere: rename it'
    if name.startswith('_'):
        return 'RELION would read it as the label of a column: rename it'
    if len(name.encode('utf-8', 'surrogateescape')) > LONGEST:
        return 'files get longer names from it than file systems take: shorten it to %d letters' % LONGEST
    return _character_trouble(name, folder=True) or ('' if _TABLE.match(name) else (
        "Scipion's databases take letters, digits, _, - and . only: rename it"))


def particle_trouble(name: str) -> str:
    """Why a particle cannot have this name in RELION (rlnTomoParticleName, TS_01/7), after "and"; '' where it can."""
    parts = name.split('/')
    if name.startswith('_'):
        return 'RELION would read it as the label of a column: rename it'
    if any(part in ('', '.', '..') for part in parts):
        return 'RELION makes folders of it, which would be elsewhere: rename it'
    if any(len(part.encode('utf-8', 'surrogateescape')) > LONGEST for part in parts):
        return 'files get longer names from it than file systems take: shorten it to %d letters' % LONGEST
    return _character_trouble(name, folder=True)


def suspects(names: Sequence[str]) -> bool:
    """False where none of the names can be refused; quick for a million of them."""
    joined = _JOINT + _JOINT.join(names) + _JOINT
    return (joined.count(_JOINT) != len(names) + 1 or max(map(len, names), default=0) > LONGEST // 4
            or _ANY.search(joined) is not None)


def _character_trouble(name: str, folder: bool = False) -> str:
    """folder: RELION makes one of this name, through a shell."""
    found: Optional['re.Match[str]'] = _CONTROL.search(name)
    if found:
        return 'it holds %s, which ends a value in RELION\'s files: rename it' % (
            'a line break' if found.group() in '\n\r' else 'the character %r' % found.group())
    if _BLANK.search(name):
        return "RELION's STAR files cannot hold a name with a blank in it: rename it, or use a link to it without blanks"
    found = _SHELL.search(name) or (_WILD.search(name) if folder else None)
    if found and found.group() == '$':
        return ('RELION hands names to a shell, and variables are not filled in here: give the name of the file or '
                'folder itself')
    if found:
        return 'RELION hands names to a shell, which takes %s for its own: rename it' % found.group()
    found = _FORMAT.search(name)
    if found:
        return 'RELION takes what follows %s for the format of an image: rename it' % found.group()
    return ''
