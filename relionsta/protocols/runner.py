"""The one place that starts RELION."""
import contextlib
import json
import os
import re
import subprocess
import time

from ..jobs.shell import program_word, run_script, shell_arguments
from ..plugin import Plugin
from ..results.log import SEARCHED, explain, failure_message, read_progress, what_it_said
from ..star import StarError
from ..whole import whole
from .full_disk import checkWritten
from .job_star import JOB_STAR, hasJobStar, saveJobStar
from .stopping import keptEnviron, workingHere

RUN_SCRIPT = 'run.sh'
TIMES = 'relion_times.json'
#: RELION's marks in a job folder: how the last program ended, or that it shall stop.
MARKS = 'RELION_JOB_'
#: Enough of a log's end to hold the present step of any job.
TAIL_BYTES = 20000
#: Scipion's own lines in a log, before those of the program.
_COMMAND = re.compile(r'^.*\*\* Running command: \*\*\s*\n.*\n', re.MULTILINE)


class RelionFailed(Exception):
    """RELION ended with an error; the message says the cause and what to do."""


def runRelion(protocol, commands, folder, more=False, before=()):
    """Run RELION's commands one after the other for `protocol`; RELION reports to `folder` (with a slash).

    Leaves run.sh, which runs the same again from the project's folder, relion_times.json and, in the job folder, a
    job.star with the settings. more: an earlier run
    goes on, so its times are kept. before: commands that were run just before and belong to these in run.sh. Raises
    RelionFailed with the cause and the next step.
    """
    earlier, controlled = ([tokens + ['--pipeline_control', folder] if tokens[0].startswith('relion_') else tokens
                            for tokens in part] for part in (before, commands))
    if hasJobStar(protocol):
        _saveSettings(protocol, os.path.join(folder, JOB_STAR))
    mpi = protocol.numberOfMpi.get()
    script = protocol._getExtraPath(RUN_SCRIPT)
    _write(script, run_script(earlier + controlled, mpi=mpi, relion_home=str(Plugin.getBuild().home)))
    os.chmod(script, 0o755)
    times = _times(protocol) or [] if more else []
    for tokens in controlled:
        _removeMarks(folder)
        ranks = mpi if tokens[0].endswith('_mpi') else 1
        seen = [_size(path) for path in _logs(protocol)]
        start = time.time()
        try:
            with workingHere(protocol):
                protocol.runJob(program_word(tokens[0], str(Plugin.getBuild().home / 'bin'), ranks),
                                shell_arguments(tokens[1:]), numberOfMpi=ranks, numberOfThreads=1,
                                env=keptEnviron(protocol, Plugin.getEnviron(), folder, ranks))
            checkWritten(protocol, tokens[0], folder)
        except subprocess.CalledProcessError as error:
            raise RelionFailed('%s: %s' % (tokens[0], failure_message(_said(protocol, seen), error.returncode,
                                                                      _logs(protocol)))) from error
        finally:
            times.append({'program': tokens[0], 'seconds': round(time.time() - start, 3)})
            with contextlib.suppress(OSError):  # what is wrong with RELION counts, not that this cannot be written
                _write(protocol._getExtraPath(TIMES), json.dumps(times, indent=1) + '\n')


def _saveSettings(protocol, path):
    """A record for RELION's GUI; a run does not fail for want of it."""
    try:
        saveJobStar(protocol, path)
    except StarError as error:
        protocol.warning('The settings are not saved as a job.star. %s' % error)


def spentSeconds(protocol):
    """Seconds that a run has spent inside RELION's programs; 0 if none were started."""
    return float(sum(entry['seconds'] for entry in _times(protocol) or ()))


def spentText(protocol):
    """The line of a summary that tells the time inside RELION; [] if none was started."""
    if _times(protocol) is None:
        return ['How long RELION ran is not known: %s cannot be read.' % protocol._getExtraPath(TIMES)]
    seconds = spentSeconds(protocol)
    return ['RELION ran for %s.' % duration(seconds)] if seconds else []


@contextlib.contextmanager
def toldEmptyHanded(protocol):
    """Within: results of RELION are read. Where they cannot be, RelionFailed says what RELION printed."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        said = _said(protocol)
        failure = explain(said)
        raise RelionFailed('RELION ended without an error, but what it made cannot be used: %s%s %s' % (
            _full_stop(error), '' if failure is None else ' %s %s' % (failure.cause, failure.remedy),
            what_it_said(said, _logs(protocol)))) from error


def _full_stop(error):
    said = str(error) if not isinstance(error, KeyError) else 'there is no %s' % error
    return said if said.endswith('.') else said + '.'


def _said(protocol, seen=(0, 0)):
    """What was printed on both streams after the first bytes (`seen` of each); of long logs only the ends."""
    return '\n'.join(_COMMAND.sub('', _read(path, max(start, _size(path) - SEARCHED)))
                     for path, start in zip(_logs(protocol), seen))


def hasSaid(protocol, words):
    """True where RELION has printed these words, near the end of what it has printed."""
    return words in _said(protocol)


def progress(protocol):
    """What RELION is doing now, as it prints it; '' if nothing is known."""
    log = _logs(protocol)[0]
    text = _read(log, max(0, _size(log) - TAIL_BYTES))
    return read_progress(text).text if text else ''


def progressText(protocol):
    """What RELION is doing now, for the summary."""
    text = progress(protocol)
    return 'Running: %s.' % text if text else ''


def duration(seconds):
    """Seconds as people say them."""
    seconds = max(1, int(round(seconds)))
    if seconds < 60:
        return '%d s' % seconds
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return '%d h %02d min' % (hours, minutes) if hours else '%d min %02d s' % (minutes, seconds)


def _times(protocol):
    """Program and seconds of every program that the run has started; None where that record is damaged."""
    path = protocol._getExtraPath(TIMES)
    if not os.path.exists(path):
        return []
    try:
        with open(path) as handle:
            return [{'program': str(entry['program']), 'seconds': float(entry['seconds'])} for entry in json.load(handle)]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _removeMarks(folder):
    """A mark of an earlier program would make the next one look finished, or stop it."""
    for name in os.listdir(folder):
        if name.startswith(MARKS):
            os.remove(os.path.join(folder, name))


def _logs(protocol):
    """Standard output and standard error of the run."""
    return protocol.getLogPaths()[:2]


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def _read(path, start):
    if not os.path.exists(path):
        return ''
    with open(path, 'rb') as handle:
        handle.seek(start)
        return handle.read().decode(errors='replace')


def _write(path, text):
    with whole(path) as partial:
        partial.write_text(text)
