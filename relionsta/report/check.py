"""The command: python -m relionsta check PROJECT. What the forms would say before their runs start, without a window."""
import argparse
import sys
from pathlib import Path
from typing import Any, List, Tuple

from .opened import NoProject, one_run, opened_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument('project', type=Path, help='folder of a Scipion project')
    parser.add_argument('--run', dest='number', type=int, default=None, metavar='NUMBER',
                        help='number of a run (default: all runs of this plugin that are not at work and have not finished)')
    parser.add_argument('--all', action='store_true',
                        help='those that are at work or have finished too, as if they were started again')


def run(args: argparse.Namespace) -> int:
    """Print errors and warnings of each run; 1 where there are errors."""
    try:
        with opened_project(args.project) as project:
            chosen = one_run(project, args.number)
            runs = [chosen] if chosen is not None else [one for one in project.getRuns() if is_ours(one) and (
                args.all or waits(one))]
            if not runs:
                print('There are no runs to check; --all checks those that are at work or have finished.')
            wrong = False
            for one in runs:
                errors, warnings = messages(one)
                wrong = wrong or bool(errors)
                print('%d %s: %s' % (one.getObjId(), one.getRunName(), 'can start' if not errors else 'cannot start'))
                for mark, texts in (('!!', errors), (' !', warnings)):
                    for text in texts:
                        print('  %s %s' % (mark, text))
            return 1 if wrong else 0
    except NoProject as error:
        print(error, file=sys.stderr)
        return 1


def is_ours(protocol: Any) -> bool:
    """True for a run of this plugin."""
    return type(protocol).__module__.startswith('relionsta.')


def waits(protocol: Any) -> bool:
    """True for a run that is not at work and has not finished: what keeps it from starting is of interest."""
    return not protocol.isFinished() and not protocol.isActive()


def messages(protocol: Any) -> Tuple[List[str], List[str]]:
    """Errors of a run as its form tells them, and its warnings where there are none."""
    try:
        errors = protocol.validate()
        return errors, [] if errors else protocol.warnings()
    except Exception as error:  # one run that is damaged must not hide what is to be said of the others
        return ['It cannot be checked (%s: %s). Are its inputs and files still there? Open its form and choose the inputs '
                'again.' % (type(error).__name__, ' '.join(str(error).split()))], []
