"""The command: python -m relionsta report PROJECT."""
import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Optional


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument('project', type=Path, help='folder of a Scipion project')
    parser.add_argument('--run', dest='number', type=int, default=None,
                        help='number of a run: it and all that its data come from (default: all runs of this plugin)')
    parser.add_argument('--output', type=Path, default=None, help='HTML file (default: in the project)')


def run(args: argparse.Namespace) -> int:
    """Write the report and say where; 1 where it cannot be made."""
    folder = args.project.absolute()
    output = None if args.output is None else str(args.output.absolute())
    if not (folder / 'project.sqlite').exists():
        print('%s is no Scipion project: it has no project.sqlite.' % folder, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        if 'SCIPION_HOME' not in os.environ:
            from ..demo.scipion_home import prepare_scipion
            prepare_scipion(Path(scratch))
        before = os.getcwd()
        try:
            return _make(folder, args.number, output)
        finally:
            os.chdir(before)


def _make(folder: Path, number: Optional[int], output: Optional[str]) -> int:
    import pyworkflow
    from pyworkflow.project import Project

    from .make import makeReport
    project = Project(pyworkflow.Config.getDomain(), str(folder))
    project.load()
    protocol: Any = None
    if number is not None:
        protocol = next((one for one in project.getRuns() if one.getObjId() == number), None)
        if protocol is None:
            print('The project has no run %d; it has %s.' % (number, ', '.join(
                '%d (%s)' % (one.getObjId(), one.getRunName()) for one in project.getRuns())), file=sys.stderr)
            return 1
    try:
        print(makeReport(project, output, protocol, say=lambda text: print(text, file=sys.stderr)))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
