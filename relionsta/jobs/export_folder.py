"""A folder that files of another project are exported to: which file goes where, links or copies, names mapped.

Sources are only read. The folder is made under another name and takes its own when all is in it.
"""
import os
import re
import shutil
from pathlib import Path
from typing import Callable, Collection, Dict, List, Optional, Set, Union

from ..star.error import StarError
from ..star.paths import copy_star

PathLike = Union[str, Path]
#: Files that are linked where links are asked for; all others are small, and RELION adds to some of them.
_LINKED = frozenset(('.mrc', '.mrcs', '.st', '.ali', '.rec', '.map', '.tif', '.tiff', '.eer'))
_JOB_FOLDER = re.compile(r'^.*job\d+/')


class ExportError(ValueError):
    """Something that cannot be exported; says what and what to do."""


class ExportFolder:
    """The folder while it is being filled. All new names are relative to it, or absolute where asked for."""

    def __init__(self, target: PathLike, copies: bool) -> None:
        """target: the folder, which must not be there, or be empty. copies: instead of links.

        Raises ExportError where it holds something or cannot be made.
        """
        self.target = Path(os.path.abspath(str(target)))
        problem = why_not(self.target)
        if problem:
            raise ExportError(problem)
        self.root = self.target.with_name('.%s.%d.part' % (self.target.name, os.getpid()))
        self._copies = copies
        self._folders: Dict[str, str] = {}
        self._files: Dict[str, str] = {}
        self._taken: Set[str] = set()
        self._found: Dict[str, str] = {}
        #: Names of files that are gone, as the STAR files have them.
        self.missing: List[str] = []
        try:
            self.root.mkdir(parents=True)
        except OSError as error:
            raise ExportError('%s cannot be made (%s); give another folder' % (self.target, error.strerror)) from error

    def finish(self) -> None:
        """Give the folder its name."""
        if self.target.exists():
            self.target.rmdir()  # empty, or this fails and nothing is lost
        os.replace(str(self.root), str(self.target))

    def give_up(self) -> None:
        """Remove what was made."""
        shutil.rmtree(str(self.root), ignore_errors=True)

    def path(self, name: str) -> Path:
        """Where a file of this name lies for now; its folder is made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    # ------------------------------------------------------------------ names
    def know_folder(self, source: PathLike, name: str) -> None:
        """Files of a source folder are called by what they are in folder `name` (without slash)."""
        self._folders[os.path.abspath(str(source))] = name

    def know(self, source: PathLike, name: str) -> None:
        """A file is called `name` from now on."""
        self._files[os.path.abspath(str(source))] = name
        self._taken.add(name)

    def name_of(self, source: PathLike) -> Optional[str]:
        """The new name of a file; None for one that has none."""
        asked = str(source)
        if asked not in self._found:
            found = self._find(os.path.abspath(asked))
            if found is None:
                return None
            self._found[asked] = found
        return self._found[asked]

    def _find(self, source: str) -> Optional[str]:
        if source in self._files:
            return self._files[source]
        head = source
        while os.path.dirname(head) != head:
            if head in self._folders:
                return self._folders[head] + source[len(head):]
            head = os.path.dirname(head)
        return None

    # ------------------------------------------------------------------ files
    def take(self, source: str, folder: str) -> str:
        """The new name of a file; one that has none is put into `folder`. Names of files that are gone stay."""
        known = self.name_of(source)
        if known is not None:
            return known
        if not os.path.isfile(source):
            if source not in self.missing:
                self.missing.append(source)
            return source
        # Below a job's folder the same names are there again and again: TS_01/1_stack2d.mrcs.
        name = self.free_name(folder, _JOB_FOLDER.sub('', os.path.normpath(source))
                              if _JOB_FOLDER.match(source) else os.path.basename(source))
        self.know(source, name)
        self.put(source, name, folder)
        return name

    def free_name(self, folder: str, name: str) -> str:
        """A name in a folder that no other file has."""
        stem, suffix = os.path.splitext(os.path.join(folder, name.replace(' ', '_')))
        free, number = stem + suffix, 2
        while free in self._taken:
            free, number = '%s_%d%s' % (stem, number, suffix), number + 1
        return free

    def put(self, source: PathLike, name: str, folder: str) -> None:
        """Bring a file in under `name`. folder: for files that a STAR file names and that are nowhere yet."""
        target, source = self.path(name), str(source)
        suffix = os.path.splitext(source)[1].lower()
        if suffix == '.star':
            self.star(source, name, lambda other: self.take(other, folder))
        elif suffix in _LINKED and not self._copies:
            os.symlink(os.path.realpath(source), str(target))
        else:
            shutil.copyfile(source, str(target))

    def star(self, source: PathLike, name: str, new_name: Callable[[str], str]) -> None:
        """Copy a STAR file with new names of files; as it stands where it is no whole STAR file."""
        try:
            copy_star(source, self.path(name), new_name)
        except StarError:
            shutil.copyfile(str(source), str(self.path(name)))

    def put_folder(self, source: PathLike, name: str, without: Collection[str] = ()) -> List[str]:
        """Bring a whole folder in as `name`; returns the names of the files in its top. without: of those to leave out."""
        top = []
        for head, folders, files in os.walk(str(source), followlinks=True):
            inside = os.path.relpath(head, str(source))
            if inside == os.curdir:
                folders[:] = [folder for folder in folders if folder not in without]
                files = [file for file in files if file not in without]
                top = files
            for file in files:
                self.put(os.path.join(head, file), os.path.normpath(os.path.join(name, inside, file)), name + '/inputs')
        return top


def why_not(target: PathLike) -> str:
    """Why nothing can be exported to this folder; '' if it can."""
    path = Path(os.path.abspath(str(target)))
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        return '%s is there and is no folder. Give another one' % path
    try:
        if path.exists() and any(path.iterdir()):
            return '%s is not empty, and nothing is ever overwritten. Give a new folder, or empty this one' % path
    except OSError as error:
        return '%s cannot be read (%s). Give another folder' % (path, error.strerror)
    above = path
    while not above.exists():
        above = above.parent
    if not above.is_dir() or not os.access(str(above), os.W_OK):
        return '%s cannot be made in %s. Give a folder that you may write to' % (path, above)
    return ''
