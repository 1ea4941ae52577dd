"""The command line's `command`: what would be run for a job.star of RELION's."""
import argparse
import sys
from typing import List, NamedTuple

from .job import NEWEST
from .job_star import JobStar, JobStarError, PathLike, read_job_star
from .option import Version
from .shell import quote, with_launcher

#: Stands for the folder of the job.
OUT = 'OUT/'
VERSIONS = {'5.0': (5, 0), '5.1': (5, 1)}


class Answer(NamedTuple):
    """The commands, each as tokens with the program's bare name first; remarks are sentences on what is unusual."""

    commands: List[List[str]]
    remarks: List[str]
    mpi: int


def commands_of(path: PathLike, version: Version = NEWEST, out: str = OUT) -> Answer:
    """What would be run for a job.star in RELION `version`; `out` is the job's folder, with a slash at its end.

    Raises StarError and JobStarError as `read_job_star` does, and JobStarError for what RELION's GUI makes no command of.
    """
    asked = read_job_star(path, version)
    problems = asked.job.problems(asked.values, version, asked.resume)
    refused = [problem.text() for problem in problems if problem.gui]
    if refused:
        raise JobStarError('%s: %s' % (path, '\n'.join(refused)))
    try:
        commands = asked.job.commands(asked.values, out, version, asked.resume)
    except ValueError as error:
        raise JobStarError('%s: %s' % (path, error)) from error
    remarks = ['%s: %s' % (path, problem.text()) for problem in problems]
    return Answer(commands, _unknown(path, asked, version) + remarks, int(asked.values.get('nr_mpi', 1)))


def _unknown(path: PathLike, asked: JobStar, version: Version) -> List[str]:
    if not asked.unknown:
        return []
    elsewhere = [text for text, other in VERSIONS.items() if other != version and any(
        option.name in asked.unknown and option.exists_in(other) for option in asked.job.options)]
    return ['%s: %s of RELION %d.%d has no such options, and they are passed over: %s%s'
            % ((path, asked.job.type) + version
               + (', '.join(asked.unknown), '; for those of RELION %s say --relion-version %s' % (elsewhere[0], elsewhere[0])
                  if elsewhere else ''))]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `command`."""
    parser.add_argument('--job-star', metavar='FILE', required=True, help='job.star, as RELION leaves it in a job folder')
    parser.add_argument('--relion-version', choices=sorted(VERSIONS), default='%d.%d' % NEWEST,
                        help='whose commands (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Print the commands, one to a line, quoted for a shell; remarks go to stderr. 2: there is no command."""
    try:
        answer = commands_of(args.job_star, VERSIONS[args.relion_version])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for remark in answer.remarks:
        print('Warning: %s' % remark, file=sys.stderr)
    for tokens in answer.commands:
        print(quote(with_launcher(tokens, answer.mpi)))
    return 0
