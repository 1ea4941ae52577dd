"""Copies of STAR files that name files elsewhere."""
from pathlib import Path
from typing import List

from relionsta.star.labels import TEXT_LABELS
from relionsta.star.paths import PATH_LABELS, copy_star

_TEXT = '''
# version 50001 ; made of Runs/1/p.mrcs

data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnMtfFileName #3
1 Runs/1/p.mrcs None

data_particles

loop_
_rlnTomoParticleName #1
_rlnImageName #2
_rlnMicrographName #3
_rlnAngleRot #4
 TS_01/1   Runs/1/p.mrcs     12@Runs/1/t.mrc:mrcs   -31.82600
 TS_01/2   Runs/1/q.mrcs     13@Runs/1/t.mrc:mrcs    1.50e-05

'''


def test_only_names_of_files_change(tmp_path: Path) -> None:
    """A value that is spelled anew, or a group that happens to be called like a file, must not change on the way."""
    source, target = tmp_path / 'a.star', tmp_path / 'b.star'
    source.write_text(_TEXT)
    asked: List[str] = []

    def new_name(path: str) -> str:
        asked.append(path)
        return path.replace('Runs/1', 'Extract/job003') if path != 'Runs/1/q.mrcs' else path

    copy_star(source, target, new_name)
    assert sorted(asked) == ['Runs/1/p.mrcs', 'Runs/1/q.mrcs', 'Runs/1/t.mrc']
    wanted = _TEXT.replace('Runs/1/t.mrc:', 'Extract/job003/t.mrc:').replace('   Runs/1/p.mrcs', '   Extract/job003/p.mrcs')
    assert target.read_text().splitlines()[12:] == wanted.splitlines()[12:]
    assert '-31.82600' in target.read_text() and '1.50e-05' in target.read_text()


def test_trajectories_are_copied_as_they_are(tmp_path: Path) -> None:
    """A million blocks of trajectories would take minutes to read, and name no file."""
    text = '\ndata_general\n\n_rlnParticleNumber 1\n\ndata_TS_01/1\n\nloop_\n_rlnOriginXAngst #1\n0.5\n\n'
    (tmp_path / 'motion.star').write_text(text)

    def never(path: str) -> str:
        raise AssertionError(path)

    copy_star(tmp_path / 'motion.star', tmp_path / 'copy.star', never)
    assert (tmp_path / 'copy.star').read_text() == text


def test_labels_are_those_of_relion() -> None:
    """A misspelled label leaves the names in its column as they were."""
    assert not {label for label in PATH_LABELS if label not in TEXT_LABELS}
