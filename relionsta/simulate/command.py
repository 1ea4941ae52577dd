"""The command line: python -m relionsta simulate FOLDER."""
import argparse
import dataclasses
from pathlib import Path
from typing import Any, Dict

from ..runtime.build import find_build
from .parameters import SceneParameters

DESCRIPTION = """Make a simulated data set with a known answer: tilt series as AreTomo3 leaves them (FOLDER/aretomo3),
picks as pytom-match-pick leaves them (FOLDER/picks), and the truth beside them (FOLDER/truth). RELION itself projects
the images. Made once: the same command again finds it there; an interrupted one goes on."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments to a parser: one option per scene parameter, --decoys 20 for `decoys`."""
    parser.description = DESCRIPTION
    parser.add_argument('folder', type=Path, metavar='FOLDER', help='folder of the data set, made by this command')
    parser.add_argument('--relion-bin', type=Path, metavar='DIR',
                        help="folder with RELION's programs (default: bin of $RELION_HOME, else the private RELION)")
    parser.add_argument('--threads', type=int, default=1, metavar='N',
                        help='threads of each RELION program (default: 1)')
    parser.add_argument('--overwrite', action='store_true', help='replace a data set of other parameters in FOLDER')
    group = parser.add_argument_group('the scene')
    for item in dataclasses.fields(SceneParameters):
        options: Dict[str, Any] = {'type': type(item.default), 'metavar': 'X', 'default': argparse.SUPPRESS}
        default = str(item.default)
        if isinstance(item.default, tuple):
            default = ' '.join(str(number) for number in item.default)
            options.update(type=type(item.default[0]), nargs=2 if item.name == 'image_size' else '+')
        options['help'] = f'{item.metadata["help"]} (default: {default})'
        group.add_argument('--' + item.name.replace('_', '-'), **options)


def run(args: argparse.Namespace) -> int:
    """Make the data set that the arguments describe; returns the exit code.

    Raises SimulationError, or RelionNotFound where no RELION is given or found.
    """
    from .dataset import make_dataset  # numpy and pandas, which other commands should not wait for

    names = {item.name for item in dataclasses.fields(SceneParameters)}
    parameters = SceneParameters(**{name: value for name, value in vars(args).items() if name in names})
    programs = args.relion_bin or find_build().home / 'bin'
    make_dataset(parameters, args.folder, programs, args.threads, args.overwrite, lambda line: print(line, flush=True))
    return 0
