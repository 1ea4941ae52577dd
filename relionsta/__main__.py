"""The command line: python -m relionsta COMMAND."""
import argparse
import sys
from pathlib import Path
from typing import List, Optional

from . import __version__


def _install_relion(args: argparse.Namespace) -> int:
    from .runtime.build import find_build
    from .runtime.choose import use_or_install

    build = find_build(use_or_install(args.folder))
    print(build.describe())
    return 0


def _install_tk(_args: argparse.Namespace) -> int:
    from .runtime.tk import install_tkinter
    install_tkinter()
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from .runtime.doctor import examine, report
    findings = examine(args.project)
    print(report(findings))
    return 1 if any(finding.fix for finding in findings) else 0


def _simulate(args: argparse.Namespace) -> int:
    from .simulate.command import run
    return run(args)


def _demo(args: argparse.Namespace) -> int:
    from .demo.run import DEMO, run_plan
    return run_plan(DEMO, args.folder)


def _tutorial(args: argparse.Namespace) -> int:
    from .demo.run import TUTORIAL, run_plan
    return run_plan(TUTORIAL, args.folder)


def _gui(args: argparse.Namespace) -> int:
    from .demo.run import open_gui
    return open_gui(args.folder)


def _command(args: argparse.Namespace) -> int:
    from .jobs.command import run
    return run(args)


def _report(args: argparse.Namespace) -> int:
    from .report.command import run
    return run(args)


def _check(args: argparse.Namespace) -> int:
    from .report.check import run
    return run(args)


def _bench(args: argparse.Namespace) -> int:
    from .bench.run import main as run_bench
    return run_bench(args.folder, args.sizes, not args.no_peer)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    from .jobs.command import add_arguments as add_job_star
    from .report.check import add_arguments as add_check
    from .report.command import add_arguments as add_report
    from .simulate.command import add_arguments

    parser = argparse.ArgumentParser(prog='python -m relionsta', description='RELION-5 subtomogram averaging in Scipion')
    parser.add_argument('--version', action='version', version=__version__)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND')
    one = commands.add_parser('doctor', help='what is there, what is missing and what to do')
    one.add_argument('--project', type=Path, default=None, help='folder of a Scipion project, to look at its disk as well')
    one.set_defaults(run=_doctor)
    one = commands.add_parser('install-relion', help='install a private RELION 5.1 (CPU, MPI) unless RELION_HOME is set')
    one.add_argument('--folder', type=Path, default=None, help='where to (default: in your data folder)')
    one.set_defaults(run=_install_relion)
    one = commands.add_parser('install-tk', help='give this virtual environment Tk if it has none')
    one.set_defaults(run=_install_tk)
    one = commands.add_parser('command', help="print the commands that would be run for a job.star of RELION's")
    add_job_star(one)
    one.set_defaults(run=_command)
    one = commands.add_parser('simulate', help='make a simulated data set with a known answer')
    add_arguments(one)
    one.set_defaults(run=_simulate)
    for name, run, text, where in (
            ('demo', _demo, 'run the main job on simulated data in a Scipion project', 'demo'),
            ('tutorial', _tutorial, 'the same with the refinement cycle, on data with wrong CTFs and alignment', 'tutorial'),
            ('gui', _gui, 'open the project of the demo or the tutorial in the Scipion GUI', 'demo')):
        one = commands.add_parser(name, help=text)
        one.add_argument('--folder', type=Path, default=Path(where), help='where to (default: ./%s)' % where)
        one.set_defaults(run=run)
    one = commands.add_parser('report', help='one HTML file on a Scipion project, or on a run and what it comes from')
    add_report(one)
    one.set_defaults(run=_report)
    one = commands.add_parser('check', help='what the forms of the runs in a project would say before they start')
    add_check(one)
    one.set_defaults(run=_check)
    one = commands.add_parser('bench', help='time the converters, beside those of scipion-em-reliontomo')
    one.add_argument('--folder', type=Path, default=Path('bench'), help='where to (default: ./bench)')
    one.add_argument('--sizes', type=int, nargs='+', default=[10 ** 4, 10 ** 5, 10 ** 6], help='numbers of particles')
    one.add_argument('--no-peer', action='store_true', help='only our own')
    one.set_defaults(run=_bench)
    return parser


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command; returns the exit code. What a user can mend is one sentence, not a traceback."""
    from .runtime.build import RelionNotFound
    from .runtime.fetch import RuntimeInstallError
    from .simulate.relion_run import SimulationError

    parser = make_parser()
    args = parser.parse_args(arguments)
    if args.command is None:
        parser.print_help()
        return 2
    try:
        return args.run(args)
    except (RelionNotFound, RuntimeInstallError, SimulationError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('Interrupted; run the same again and it goes on where it was.', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
