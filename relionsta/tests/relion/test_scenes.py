"""Scenes that RELION projects, brought in through Scipion, extracted and averaged by RELION: the reference comes back."""
import os
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from relionsta.simulate.particle import sample, two_lobes
from relionsta.tests.scenes.average import compare, solve
from relionsta.tests.scenes.etomo import make_etomo_series
from relionsta.tests.scenes.limits import ANGLE, CORRELATION, SHIFT
from relionsta.tests.scenes.scene import BOX, DIAMETER, SCENES, Scene
from relionsta.tests.scenes.truth import Truth, make_truth, project

Projected = Callable[[Truth], Path]


@pytest.fixture(scope='module')
def projected(tmp_path_factory: pytest.TempPathFactory) -> Projected:
    """Scenes with the same tilt images are projected once."""
    folders: Dict[Scene, Path] = {}

    def folder_of(truth: Truth) -> Path:
        seen = truth.scene.as_seen()
        if seen not in folders:
            folder = tmp_path_factory.mktemp('scene')
            project(make_truth(seen), folder)
            folders[seen] = folder
        return folders[seen]

    return folder_of


@pytest.mark.parametrize('scene', SCENES, ids=lambda scene: scene.name)
def test_the_reference_comes_back(scene: Scene, projected: Projected, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents every sign, axis, centre, order, scale and matching error between Scipion and RELION that moves, turns,
    mirrors or blurs a map. Where the tilt images are special, both of RELION's ways to an average are taken."""
    monkeypatch.chdir(tmp_path)
    truth = make_truth(scene)
    special = replace(scene, name='') == scene.as_seen()
    for match in solve(truth, projected(truth), from_tilt_images=special).values():
        assert match.cc >= CORRELATION and match.shift <= SHIFT and match.angle <= ANGLE, match


@pytest.mark.parametrize('name', ['tilt axis 85°', 'tilt axis −95°', 'two views excluded, and a CTF', 'two dark images'])
def test_alignment_of_etomo(name: str, projected: Projected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a wrong sign, order or view between the files of eTomo's folder and RELION."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('relionsta.tests.scenes.average.make_tilt_series', make_etomo_series)
    truth = make_truth(named(name))
    for match in solve(truth, projected(truth), from_tilt_images=False).values():
        assert match.cc >= CORRELATION and match.shift <= SHIFT and match.angle <= ANGLE, match


def named(name: str) -> Scene:
    return next(scene for scene in SCENES if scene.name == name)


@pytest.mark.parametrize('name, change', [
    ('hand +1, thick specimen, 100 kV, 2 Å/px', 'hand'), ('X-tilt of its own in each image', 'x_tilt'),
    ('phase plate', 'phase'),
    ('poses of subtomograms, with shifts', 'inverted'), ('two views excluded, and a CTF', 'images'),
    ('tomogram shifted in X', 'origin')])
def test_what_is_told_wrong_shows(name: str, change: str, projected: Projected, tmp_path: Path,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents scenes that pass whatever the converters do: a single fact that is lost or wrong must miss the limits."""
    monkeypatch.chdir(tmp_path)
    truth = make_truth(named(name))
    images = projected(truth)
    told = {'x_tilt': truth._replace(scene=replace(truth.scene, x_tilt=0.0, x_tilt_spread=0.0)),
            'inverted': truth._replace(A=truth.A.transpose(0, 2, 1)),
            'images': truth._replace(scene=replace(truth.scene, excluded=(3,))),
            'phase': truth._replace(tilt_series={key: table.assign(rlnPhaseShift=0.0)
                                                 for key, table in truth.tilt_series.items()}),
            'origin': truth._replace(scene=replace(truth.scene, origin=(24.0, 0.0, 0.0)),
                                     positions=truth.positions - np.array([8.0, 0, 0]))}.get(change, truth)
    match = solve(told, images, hand=-1 if change == 'hand' else None, from_tilt_images=False)['extracted stacks']
    assert match.cc < CORRELATION or match.shift > SHIFT or match.angle > ANGLE, match


@pytest.mark.parametrize('pixels, degrees', [(0.0, 0.0), (0.05, 0.0), (0.0, 0.05), (0.2, 0.0), (0.0, 0.5), (0.1, 0.1)])
def test_the_measure(pixels: float, degrees: float) -> None:
    """Prevents limits that mean nothing: known shifts and turns of the particle must be found, and told apart."""
    direction = np.array([2.0, -3.0, 1.0]) / np.sqrt(14)
    particle = two_lobes(4.0 * DIAMETER)
    turn = Rotation.from_rotvec(direction[::-1] * degrees, degrees=True).as_matrix()
    moved = sample(particle, BOX, 4.0, turn, direction * pixels * 4.0)
    match = compare(3 * moved + 1, sample(particle, BOX, 4.0))
    assert match.shift == pytest.approx(pixels, rel=0.1, abs=0.005)
    assert match.angle == pytest.approx(degrees, rel=0.1, abs=0.01)
    assert match.cc > 0.99


def test_the_table_in_the_docs_is_of_these_scenes() -> None:
    """Prevents a table in docs/conventions.md that tells of other scenes than those that are tested."""
    from relionsta.tests.scenes.table import DOCUMENT, rows_in_document
    if not os.path.exists(DOCUMENT):
        pytest.skip('the docs are not here')
    rows = rows_in_document()
    assert list(rows) == [scene.name for scene in SCENES]
    for name, numbers in rows.items():
        cc, shift, angle = np.array(numbers).reshape(2, 3).T
        assert cc.min() >= CORRELATION and shift.max() <= SHIFT and angle.max() <= ANGLE, name
