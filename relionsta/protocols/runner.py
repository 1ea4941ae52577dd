"""The one place that starts RELION."""
import json
import os
import subprocess
import time

from ..jobs.shell import run_script, shell_arguments
from ..plugin import Plugin
from ..results.log import explain

RUN_SCRIPT = 'run.sh'
TIMES = 'relion_times.json'


class RelionFailed(Exception):
    """RELION ended with an error; the message says the cause and what to do."""


def runRelion(protocol, commands, folder):
    """Run RELION's commands one after the other for `protocol`; RELION reports to `folder` (with a slash).

    Leaves run.sh, which runs the same again from the project's folder, and relion_times.json. Raises
    RelionFailed with the cause and the next step.
    """
    controlled = [tokens + ['--pipeline_control', folder] if tokens[0].startswith('relion_') else tokens
                  for tokens in commands]
    mpi = protocol.numberOfMpi.get() if protocol.hasAttribute('numberOfMpi') else 1
    environ = Plugin.getEnviron()
    script = protocol._getExtraPath(RUN_SCRIPT)
    _write(script, run_script(controlled, mpi=mpi, relion_home=str(Plugin.getBuild().home)))
    os.chmod(script, 0o755)
    times = []
    for tokens in controlled:
        ranks = mpi if tokens[0].endswith('_mpi') else 1
        seen = _logSize(protocol)
        start = time.time()
        try:
            protocol.runJob(tokens[0], shell_arguments(tokens[1:]), env=environ, numberOfMpi=ranks,
                            numberOfThreads=1)
        except subprocess.CalledProcessError as error:
            raise RelionFailed(_reason(protocol, tokens[0], error.returncode, seen)) from error
        finally:
            times.append({'program': tokens[0], 'seconds': round(time.time() - start, 3)})
            _write(protocol._getExtraPath(TIMES), json.dumps(times, indent=1) + '\n')


def spentSeconds(protocol):
    """Seconds that a run has spent inside RELION's programs; 0 if none were started."""
    path = protocol._getExtraPath(TIMES)
    if not os.path.exists(path):
        return 0.0
    with open(path) as handle:
        return float(sum(entry['seconds'] for entry in json.load(handle)))


def _logSize(protocol):
    return [os.path.getsize(path) if os.path.exists(path) else 0 for path in protocol.getLogPaths()[:2]]


def _reason(protocol, program, returncode, seen):
    """What RELION said since `seen`, explained."""
    said = []
    for path, size in zip(protocol.getLogPaths()[:2], seen):
        if os.path.exists(path):
            with open(path, errors='replace') as handle:
                handle.seek(size)
                said.append(handle.read())
    text = '\n'.join(said)
    failure = explain(text, returncode)
    if failure is not None:
        return '%s failed: %s %s' % (program, failure.cause, failure.remedy)
    tail = '\n'.join([line for line in text.splitlines() if line.strip()][-20:])
    return ('%s ended with code %d. The last lines of its log (%s) are:\n%s'
            % (program, returncode, protocol.getLogPaths()[0], tail))


def _write(path, text):
    partial = path + '.part'
    with open(partial, 'w') as handle:
        handle.write(text)
    os.replace(partial, path)
