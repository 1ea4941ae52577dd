"""The files that we write ourselves, each on a disk without a free byte and under a limit of file size."""
import functools
import os
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple

import mrcfile
import numpy as np
import pandas as pd

from ...convert.reconstructions import average_halves
from ...convert.subtraction import crop_all_weights
from ...demo.times import write_json
from ...figures.ladder import ladder_figure
from ...figures.style import save_figure
from ...jobs.asked import Asked, write_asked
from ...jobs.job_star import write_job_star
from ...jobs.registry import JOBS
from ...report.page import render, write_page
from ...results.full_disk import is_disk_error
from ...results.ladder import Rung, write_ladder, write_ladder_csv
from ...results.maps import write_mean
from ...results.ranking import write_ranking
from ...results.scene_files import write_scene
from ...simulate.truth import write_json as write_truth
from ...sources.turn import write_in_relion_axes
from ...star.trajectories import still_trajectory, write_trajectories
from ...star.writer import write_star
from .injectors.disk import SmallDisk, file_size_limit

#: Bytes that are enough for the beginning of a map: what is written through memory fails only then.
PAGES = 12 << 10
#: A file may not grow beyond it where its size is limited: less than any of these files has.
LIMIT = 64
ROWS = 400
#: Of an MRC file: the texts of its header, with the time in them.
LABELS = slice(224, 1024)


class Writer(NamedTuple):
    """Something that writes files. write(folder, number): makes them, others for another number."""

    name: str
    write: Callable[[Path, int], Any]


def prove_writer(writer: Writer, disk: SmallDisk, plain: Path) -> None:
    """On a full disk, or under a limit of file size, an error names the file or the reason and what was there stays; with
    space the files are made.

    plain: a folder on an ordinary disk, where the same is written for comparison. AssertionError otherwise.
    """
    for folder in (disk.folder, plain):
        shutil.rmtree(str(folder / 'files'), ignore_errors=True)
        (folder / 'files').mkdir(parents=True)
    place = disk.folder / 'files'
    writer.write(place, 1)
    before = _bytes(place)
    assert before, 'it writes nothing'
    for free in disk.bounded * ([0] + [PAGES] * (max(map(len, before.values())) > 2 * PAGES)):
        disk.leave(free)
        _must_fail(writer, place, 'a full disk')
        disk.empty()
    assert _bytes(place) == before, 'a full disk changed what was there'
    with file_size_limit(LIMIT):
        _must_fail(writer, place, 'a limit of file size')
    assert _bytes(place) == before, 'a limit of file size changed what was there'
    writer.write(place, 2)
    writer.write(plain / 'files', 2)
    assert _bytes(place) == _bytes(plain / 'files'), 'after space was made it writes other files'
    shutil.rmtree(str(place))


def _must_fail(writer: Writer, place: Path, why: str) -> None:
    try:
        writer.write(place, 2)
    except Exception as error:  # of whatever kind, it must be known as that of a disk
        assert is_disk_error(error), '%s: %s: %s' % (why, type(error).__name__, error)
        return
    raise AssertionError('%s went unnoticed' % why)


def _bytes(folder: Path) -> Dict[str, bytes]:
    """All files in a folder by name, the hidden ones too, without the name of the folder and the time in them."""
    found = {}
    for place, _, names in os.walk(str(folder)):
        for name in names:
            content = Path(place, name).read_bytes()
            if name.endswith('.mrc'):
                content = content[:LABELS.start] + content[LABELS.stop:]
            found[os.path.relpath(os.path.join(place, name), str(folder))] = content.replace(str(folder).encode(), b'')
    return found


def _table(number: int) -> pd.DataFrame:
    return pd.DataFrame({'rlnTomoName': ['TS_%d' % number] * ROWS, 'rlnCoordinateX': np.arange(ROWS) * 1.5 + number})


def _rungs(number: int) -> list:
    return [Rung('step %d' % step, 20.0 / (step + number), 2.0, 64, True, '') for step in range(1, 4)]


@functools.lru_cache(maxsize=4)
def _source(folder: Path, number: int) -> Path:
    """A map beside the folder that is written to, on the ordinary disk."""
    path = folder / ('source %d.mrc' % number)
    with mrcfile.new(str(path), np.random.default_rng(number).normal(size=(16, 24, 24)).astype(np.float32),
                     overwrite=True) as mrc:
        mrc.voxel_size = 4.0
    return path


def _from_maps(write: Callable[[Path, Path, Path], Any]) -> Callable[[Path, int], Any]:
    """write(target, one map, another map); the maps lie on an ordinary disk."""
    def made(folder: Path, number: int) -> Any:
        aside = folder.parent.parent / 'sources'
        aside.mkdir(exist_ok=True)
        return write(folder / 'made.mrc', _source(aside, number), _source(aside, number + 1))
    return made


def _in_maps_folder(target: Path, one: Path, _other: Path) -> Any:
    return crop_all_weights([str(one)], [str(target)], 16, target.parent)


WRITERS = (
    Writer('a STAR file', lambda folder, number: write_star(folder / 'particles.star', {'particles': _table(number)})),
    Writer('trajectories', lambda folder, number: write_trajectories(
        folder / 'motion.star', {'TS_01/%d' % one: still_trajectory(5 + number) for one in range(40)})),
    Writer('what a run was asked', lambda folder, number: write_asked(
        folder / 'asked.json', Asked('relion.class3d', {'nr_iter': number}, {'fn_img': 'ab' * 200}))),
    Writer('job.star', lambda folder, number: write_job_star(
        folder / 'job.star', JOBS['relion.class3d'], {'nr_iter': number})),
    Writer('times of a demo', lambda folder, number: write_json(folder / 'times.json', {'extract': [number] * 200})),
    Writer('truth of a simulation', lambda folder, number: write_truth(folder / 'truth.json', {'noise': [number] * 200})),
    Writer('a ladder', lambda folder, number: (write_ladder(folder / 'ladder.json', _rungs(number)),
                                               write_ladder_csv(folder / 'ladder.csv', _rungs(number)))),
    Writer('a ranking', lambda folder, number: write_ranking(_table(number), folder / 'ranking.csv')),
    Writer('a report', lambda folder, number: write_page(
        folder / 'report.html', render('Runs', [], [], 'Made %d times.' % number))),
    Writer('a figure', lambda folder, number: save_figure(ladder_figure(_rungs(number)), folder / 'ladder.png')),
    Writer('files for ChimeraX', lambda folder, number: write_scene(
        folder, 'TS_01', np.arange(60.0).reshape(20, 3) + number, np.tile(np.eye(3), (20, 1, 1)), 10.0, [1] * 20,
        ['#0072B2'])),
    Writer('a mean of maps', _from_maps(lambda target, one, other: write_mean(target, [one, other]))),
    Writer('a tomogram of two halves', _from_maps(
        lambda target, one, other: average_halves([str(one), str(other)], str(target)))),
    Writer("a tomogram in RELION's axes", _from_maps(lambda target, one, other: write_in_relion_axes(one, 0, target))),
    Writer('weights of a smaller box', _from_maps(_in_maps_folder)),
)
