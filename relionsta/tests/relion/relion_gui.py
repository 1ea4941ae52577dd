"""What RELION's own GUI would run: asked of relion_pipeliner, which makes commands with the GUI's code."""
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Sequence

from relionsta.tests.find import relion_home

SCRIPT = 'template.sh'
#: Ends before the command is run: RELION fills the command in, we only read it.
_TEMPLATE = '#!/bin/sh\ntouch XXXnameXXXRELION_JOB_EXIT_SUCCESS\nexit 0\nXXXcommandXXX\n'
_PIPELINE = '''data_pipeline_general

_rlnPipeLineJobCounter %d

data_pipeline_processes

loop_
_rlnPipeLineProcessName #1
_rlnPipeLineProcessAlias #2
_rlnPipeLineProcessTypeLabel #3
_rlnPipeLineProcessStatusLabel #4
%s None %s Scheduled

'''
#: What RELION's shell does besides running programs: the mark of success of the first of two programs is taken away.
_MARKS = re.compile(r'(rm -f|touch) \S+RELION_JOB_EXIT_SUCCESS')
#: Options of every job that make RELION write the command into a script, for a queue whose command is harmless.
QUEUE = {'do_queue': 'Yes', 'qsub': 'sh', 'qsubscript': SCRIPT}


class Answer(NamedTuple):
    """RELION's commands for a job.star, or (then there are none) why it makes none."""

    commands: List[List[str]]
    refused: str


class Refused(Exception):
    """RELION's GUI makes no command of what it was given, and says why."""


class RelionGui:
    """A RELION project to ask in; each question has a job folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._asked = folder, 0
        self._program = str(relion_home() / 'bin' / 'relion_pipeliner')
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith('RELION_')}
        self._environ['RELION_ERROR_LOCAL_MPI'] = '1000'  # else RELION takes no job of more than 32 without a queue
        (folder / SCRIPT).write_text(_TEMPLATE)

    def touch(self, names: Sequence[str]) -> None:
        """Empty files of these names, which RELION wants to see."""
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def next_out(self, job_folder: str) -> str:
        """The name of a fresh job folder (made), with a slash at its end."""
        self._asked += 1
        out = '%s/job%03d/' % (job_folder, self._asked)
        (self.folder / out).mkdir(parents=True)
        return out

    def add(self, path: Path, options: str = '') -> Optional[Path]:
        """Let RELION read a job.star and write its own; the path of that, or None where it takes no such options.

        options: `name or label of the form == value`. Raises Refused where it has them and makes no command of them.
        """
        self._asked += 1
        (self.folder / 'default_pipeline.star').write_text(_PIPELINE.split('data_pipeline_processes')[0] % self._asked)
        before = set(self.folder.glob('*/job*/job.star'))
        done = self._run('--addJobFromStar', str(path), *(['--addJobOptions', options] if options else []))
        if 'does not contain label' in done.stdout:
            return None
        if done.returncode:
            raise Refused(done.stdout)
        return (set(self.folder.glob('*/job*/job.star')) - before).pop()

    def _run(self, *arguments: str) -> 'subprocess.CompletedProcess[str]':
        return subprocess.run([self._program, *arguments], cwd=str(self.folder), timeout=60, env=self._environ,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)

    def ask(self, label: str, out: str, text: str) -> Answer:
        """What RELION would run for a job.star of this text (with the options QUEUE) as the job `out`."""
        (self.folder / out / 'job.star').write_text(text)
        (self.folder / 'default_pipeline.star').write_text(_PIPELINE % (self._asked + 1, out, label))
        done = self._run('--RunJobs', out, '--sec_wait_after', '0')
        shutil.rmtree(str(self.folder / '.relion_lock'), ignore_errors=True)  # left where RELION refuses late
        if done.returncode:
            assert 'ERROR' in done.stdout, done.stdout
            return Answer([], done.stdout.rsplit('ERROR:', 1)[1].strip() or 'no reason given')
        lines = (self.folder / out / 'run_submit.script').read_text().split('exit 0\n', 1)[1].splitlines()
        return Answer([_parse(line, out) for line in lines if line.strip() and not _MARKS.match(line)], '')


def star_text(label: str, rows: Dict[str, str], goes_on: bool = False, is_tomo: bool = True) -> str:
    """A job.star, as RELION writes it."""
    head = 'data_job\n\n_rlnJobTypeLabel %s\n_rlnJobIsContinue %d\n_rlnJobIsTomo %d\n\n' % (label, goes_on, is_tomo)
    table = 'data_joboptions_values\n\nloop_\n_rlnJobOptionVariable #1\n_rlnJobOptionValue #2\n'
    return head + table + ''.join('%s %s\n' % (name, _quoted(text)) for name, text in rows.items()) + '\n'


def _quoted(text: str) -> str:
    return '"%s"' % text if ' ' in text or not text else text


def _parse(line: str, out: str) -> List[str]:
    """Tokens of a command line of RELION's GUI, without what the runner adds."""
    tokens = shlex.split(re.sub(r'`which (\S+)`', r'\1', line))
    assert tokens[-2:] == ['--pipeline_control', out], line
    return tokens[:-2]
