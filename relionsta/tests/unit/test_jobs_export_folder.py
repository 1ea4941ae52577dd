"""The folder that files are exported to."""
import os
from pathlib import Path

import pytest

from relionsta.jobs.export_folder import ExportError, ExportFolder


def _sources(place: Path) -> Path:
    for run in ('1', '2'):
        (place / 'Runs' / run / 'job001' / 'Sub').mkdir(parents=True)
        (place / 'Runs' / run / 'job001' / 'Sub' / '1.mrcs').write_text(run)
    (place / 'Runs' / '1' / 'job001' / 'run.out').write_text('said')
    return place / 'Runs'


def test_it_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """A folder that is half there is taken for the whole."""
    folder = ExportFolder(tmp_path / 'out', copies=True)
    folder.path('a/b.txt').write_text('x')
    assert not (tmp_path / 'out').exists()
    folder.give_up()
    assert os.listdir(str(tmp_path)) == []
    (tmp_path / 'out').mkdir()
    folder = ExportFolder(tmp_path / 'out', copies=True)
    folder.path('a/b.txt').write_text('x')
    folder.finish()
    assert os.listdir(str(tmp_path)) == ['out'] and (tmp_path / 'out/a/b.txt').read_text() == 'x'


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """What others have put there, before or meanwhile, is theirs."""
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'x').write_text('mine')
    with pytest.raises(ExportError, match='not empty'):
        ExportFolder(tmp_path / 'full', copies=False)
    folder = ExportFolder(tmp_path / 'out', copies=False)
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'x').write_text('mine')
    with pytest.raises(OSError):
        folder.finish()
    assert (tmp_path / 'out' / 'x').read_text() == 'mine'


def test_files_of_one_name_stay_two(tmp_path: Path) -> None:
    """Images of two runs have the same names below their job folders: one would stand for both."""
    runs = _sources(tmp_path)
    folder = ExportFolder(tmp_path / 'out', copies=False)
    names = [folder.take(str(runs / run / 'job001' / 'Sub' / '1.mrcs'), 'images') for run in '121']
    assert names == ['images/Sub/1.mrcs', 'images/Sub/1_2.mrcs', 'images/Sub/1.mrcs']
    folder.finish()
    for name, run in zip(names, '12'):
        link = tmp_path / 'out' / name
        assert link.is_symlink() and link.read_text() == run


def test_only_images_and_maps_are_links(tmp_path: Path) -> None:
    """RELION adds to run.out and writes STAR files anew: through a link it would change the source."""
    runs = _sources(tmp_path)
    folder = ExportFolder(tmp_path / 'out', copies=False)
    folder.know_folder(runs / '1' / 'job001', 'Extract/job002')
    assert folder.put_folder(runs / '1' / 'job001', 'Extract/job002') == ['run.out']
    assert folder.name_of(runs / '1' / 'job001' / 'Sub' / 'gone.mrcs') == 'Extract/job002/Sub/gone.mrcs'
    assert folder.take(str(runs / 'gone.mrc'), 'images') == str(runs / 'gone.mrc')
    assert folder.missing == [str(runs / 'gone.mrc')]
    folder.finish()
    assert (tmp_path / 'out/Extract/job002/Sub/1.mrcs').is_symlink()
    assert not (tmp_path / 'out/Extract/job002/run.out').is_symlink()
