"""The command: python -m relionsta report PROJECT."""
import argparse
import sys
from pathlib import Path

from .opened import NoProject, one_run, opened_project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument('project', type=Path, help='folder of a Scipion project')
    parser.add_argument('--run', dest='number', type=int, default=None,
                        help='number of a run: it and all that its data come from (default: all runs of this plugin)')
    parser.add_argument('--output', type=Path, default=None, help='HTML file (default: in the project)')


def run(args: argparse.Namespace) -> int:
    """Write the report and say where; 1 where it cannot be made."""
    output = None if args.output is None else str(args.output.absolute())
    try:
        with opened_project(args.project) as project:
            from .make import makeReport
            print(makeReport(project, output, one_run(project, args.number), say=lambda text: print(text, file=sys.stderr)))
    except (NoProject, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print('The report cannot be written: %s. Give another file with --output.' % error, file=sys.stderr)
        return 1
    return 0
