"""The whole campaign, some groups of it, or one in this process."""
import argparse
import os
import sys
from pathlib import Path

from .groups import GROUPS, group


def main() -> int:
    """0 where every case survived or is open with its reason."""
    parser = argparse.ArgumentParser(prog='python -m relionsta.tests.faults', description=__doc__)
    parser.add_argument('--folder', type=Path, default=Path('faults'), help='where to work (default: ./faults)')
    parser.add_argument('--seed', type=int, default=1, help='another seed draws other cases')
    parser.add_argument('--only', nargs='+', default=[one.name for one in GROUPS], metavar='GROUP',
                        help='only these: %s' % ', '.join(one.name for one in GROUPS))
    parser.add_argument('--at-once', type=int, default=2, help='groups that run at the same time')
    parser.add_argument('--readme', type=Path, help='put the table into this file')
    parser.add_argument('--one', help=argparse.SUPPRESS)
    parser.add_argument('--quick', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args()
    folder = args.folder.absolute()
    if args.one:
        return _one(args.one, folder, args.seed, args.quick)
    from .campaign import run_all
    from .table import write_into_readme
    summary = run_all([group(name) for name in args.only], folder, args.seed, args.at_once)
    if args.readme:
        write_into_readme(summary, args.readme)
    failures = [failure for promise in summary['promises'].values() for failure in promise['failures']]
    for failure in failures:
        print('FAILED %s' % failure)
    return 1 if failures else 0


def _one(name: str, folder: Path, seed: int, quick: bool) -> int:
    """One group, in a Scipion of its own, made before anything of Scipion is imported."""
    from relionsta.demo.scipion_home import prepare_scipion
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    os.environ['MPLBACKEND'] = 'Agg'
    os.environ.setdefault('RELIONSTA_LATE_SECONDS', '1')
    prepare_scipion(place / 'scipion')
    from .ledger import Ledger
    ledger = Ledger(name, place, seed, quick)
    group(name).run(ledger)
    ledger.save(place / 'result.json')
    return 1 if ledger.failures else 0


if __name__ == '__main__':
    sys.exit(main())
