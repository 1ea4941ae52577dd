"""What a run does where the disk is full: it says so, keeps its record whole and can go on."""
import contextlib
import functools
import os

from ..amounts import bytes_text
from ..results.arrived import late_seconds, wait_for
from ..results.full_disk import Spare, bytes_in, free_bytes, full_disk_message, is_disk_error, is_full
from ..results.torn import torn_files
from .checks import someOf
from .needs import roomOf

#: Room that is kept back while a step works, so that Scipion can write down why it failed.
SPARE = 'spare'
#: Files that a message names.
NAMED = 3


class DiskFull(Exception):
    """There is no room for what a step writes, or was none; the message says where, and what to do."""


class FullDiskMixin:
    """Before the base class of a protocol: each of its steps tells a full disk by its name."""

    def _insertFunctionStep(self, func, *args, **options):
        function = getattr(self, func) if isinstance(func, str) else func

        @functools.wraps(function)
        def step(*values):
            with toldFullDisk(self):
                return function(*values)

        return super()._insertFunctionStep(step, *args, **options)


@contextlib.contextmanager
def toldFullDisk(protocol):
    """Within: some room of the disk is kept back; what fails on a full disk raises DiskFull."""
    spare = Spare(protocol._getLogsPath(SPARE))
    try:
        spare.keep()
        yield
    except DiskFull:
        raise
    except Exception as error:
        # Looked at before the room is given back
        if not is_disk_error(error) and not is_full(protocol._getPath()):
            raise
        raise DiskFull('%s (%s)' % (_message(protocol), str(error).partition('\n')[0])) from error
    finally:
        spare.release()


def checkWritten(protocol, program, folder):
    """What a program of RELION has written must be whole: it may end without a word where its files did not fit.

    Raises DiskFull.
    """
    if is_full(protocol._getPath()):
        raise DiskFull('%s: %s' % (program, _message(protocol)))
    torn = wait_for(lambda: _tornIn(folder), late_seconds(), protocol.info)  # a disk of the network may show them later
    if torn:
        raise DiskFull(
            '%s ended without an error, but %s. Most likely the disk was full for a while, or a quota was reached; now %s '
            'are free in %s. Make room there, then choose Continue.'
            % (program, torn, bytes_text(free_bytes(folder)), os.path.abspath(folder)))


def _tornIn(folder):
    torn = torn_files(folder)
    names = someOf([os.path.relpath(path, folder) for path in torn], NAMED)
    return '%d of its files are not whole (%s)' % (len(torn), names) if torn else ''


def _message(protocol):
    return full_disk_message(protocol._getPath(), bytes_in(protocol._getExtraPath()), round(roomOf(protocol).bytes))
