"""Optimisation sets."""
from pathlib import Path

import pytest

from relionsta.star.optimisation_set import OptimisationSet, read_optimisation_set, write_optimisation_set
from relionsta.star.tables import StarError, write_star
from relionsta.tests.find import shared_data


def test_sets_come_back(tmp_path: Path) -> None:
    """Prevents a lost trajectories file, and the text None as a file name."""
    path = tmp_path / 'optimisation_set.star'
    for files in (OptimisationSet('p.star', 't.star', 'm.star'), OptimisationSet('a b/p.star', 't.star'),
                  OptimisationSet(tomograms='t.star')):
        write_optimisation_set(path, files)
        assert read_optimisation_set(path) == files
    assert 'None' not in path.read_text() and 'data_\n' in path.read_text()


def test_relions_sets() -> None:
    """Prevents trajectories called "" from being looked for: RELION writes so where there are none."""
    project = shared_data('relion5-hiv-project')
    assert read_optimisation_set(project / 'Refine3D/job034/run_optimisation_set.star') == OptimisationSet(
        'Refine3D/job034/run_data.star', 'Polish/job030/tomograms.star', 'Polish/job030/motion.star')
    assert read_optimisation_set(project / 'Class3D/job017/run_it025_optimisation_set.star').trajectories is None
    # Written by the picker: a loop in a named block.
    assert read_optimisation_set(project / 'Picks/job019/optimisation_set.star').particles == (
        'Picks/job019/particles.star')


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Prevents a particles file chosen as a set from being taken for an empty one."""
    path = tmp_path / 'x.star'
    write_star(path, {'particles': {'rlnTomoName': 'TS_01'}})
    with pytest.raises(StarError, match='x.star: is no optimisation set'):
        read_optimisation_set(path)
    with pytest.raises(StarError, match='at least a particles or a tomograms file'):
        write_optimisation_set(path, OptimisationSet())
