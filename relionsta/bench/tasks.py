"""One conversion of relionsta, timed in a process of its own: python -m relionsta.bench.tasks TASK FOLDER SERIES_FOLDER.

Prints a line of JSON: seconds of the conversion alone, n items, and the largest memory of the process in MB.
"""
import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple

from ..demo.scipion_home import prepare_scipion
from .data import ARETOMO3, PARTICLES, SCENE, TOMOGRAMS

SET = 'particles.sqlite'
READ_AGAIN = 'read_again.sqlite'
WRITTEN = 'particles.star'


class Task(NamedTuple):
    """prepare(folder, series folder) is not timed; work(what it returned) is, and returns the number of items."""

    prepare: Callable[[Path, Path], Any]
    work: Callable[[Any], int]


def _new(set_class: Any, path: Path) -> Any:
    path.unlink(missing_ok=True)
    return set_class(filename=str(path))


def _open(set_class: Any, path: Path) -> Any:
    items = set_class(filename=str(path))
    items.loadAllProperties()
    return items


def _coordinates(folder: Path, series: Path) -> Any:
    """What the particles were picked from: its pixel size and empty tomograms matter, its items do not."""
    from tomo.objects import SetOfCoordinates3D, SetOfTomograms, Tomogram
    path = series / 'tomograms.sqlite'
    if path.exists():
        tomograms = _open(SetOfTomograms, path)
    else:
        tomograms = SetOfTomograms(filename=str(path))
        tomograms.setSamplingRate(SCENE.voxel)
        for name in SCENE.series_names:
            tomogram = Tomogram(tsId=name)
            tomogram.setFileName(str(series / ARETOMO3 / (name + '_Vol.mrc')))
            tomogram.setSamplingRate(SCENE.voxel)
            tomogram.setOrigin()
            tomograms.append(tomogram)
        tomograms.write()
    coordinates = _new(SetOfCoordinates3D, folder / 'coordinates.sqlite')
    coordinates.setSamplingRate(SCENE.voxel)
    coordinates.setPrecedents(tomograms)
    return coordinates


def _read(folder: Path, series: Path, particles: Any, coordinates: Any, ids: Any = None) -> Any:
    from ..convert.particles import read_particles
    read_particles(str(folder / PARTICLES), particles, coordinates, str(series / TOMOGRAMS), None, ids)
    particles.write()
    return particles


def _source(folder: Path, series: Path) -> Any:
    """The set that the jobs before have left."""
    from ..objects import SetOfStaParticles
    if not (folder / SET).exists():
        _read(folder, series, _new(SetOfStaParticles, folder / SET), _coordinates(folder, series)).close()
    return _open(SetOfStaParticles, folder / SET)


def _before_reading(folder: Path, series: Path) -> Any:
    # Modules are loaded and old files removed before the clock starts, as for the peer.
    from ..convert import particles  # noqa: F401
    from ..objects import SetOfStaParticles
    return (folder, series, _new(SetOfStaParticles, folder / READ_AGAIN), _source(folder, series),
            _coordinates(folder, series))


def _star_to_set(before: Any) -> int:
    """As a protocol does after RELION has run: every particle keeps the id that it has in the input set."""
    folder, series, target, source, coordinates = before
    return int(_read(folder, series, target, coordinates, source).getSize())


def _before_writing(folder: Path, series: Path) -> Any:
    from ..convert import particles  # noqa: F401
    (folder / WRITTEN).unlink(missing_ok=True)
    source = _source(folder, series)
    source.setCoordinates3D(_coordinates(folder, series))
    return folder, source


def _set_to_star(before: Any) -> int:
    """As a protocol does before RELION runs."""
    from ..convert.particles import write_star_of_set
    folder, particles = before
    return write_star_of_set(particles, str(folder / WRITTEN))


def _summary(before: Any) -> int:
    """What Scipion shows of a set: opened from its file, in words, with the names of its tilt series and files."""
    from ..objects import SetOfStaParticles
    folder = before[0]
    particles = _open(SetOfStaParticles, folder / SET)
    shown = str(particles), particles.getTSIds(), particles.getParticlesStars()
    return int(particles.getSize()) if all(shown) else 0


def _series_sets(folder: Path) -> Any:
    from tomo.objects import SetOfCTFTomoSeries, SetOfTiltSeries
    sets = _new(SetOfTiltSeries, folder / 'tiltseries.sqlite'), _new(SetOfCTFTomoSeries, folder / 'ctfs.sqlite')
    sets[1].setSetOfTiltSeries(sets[0])
    return sets


def _before_importing(folder: Path, series: Path) -> Any:
    return series, _series_sets(folder)


def _aretomo3_to_sets(before: Any) -> int:
    from ..convert.series import append_record
    from ..sources.aretomo3 import find_series, read_series
    series, (tilt_series, ctfs) = before
    for location in find_series(str(series / ARETOMO3)):
        record = read_series(location)
        append_record(record, tilt_series, ctfs, stack=str(record.stack))
    tilt_series.write()
    ctfs.write()
    return int(tilt_series.getSize())


def _before_writing_series(folder: Path, series: Path) -> Any:
    sets = _series_sets(folder)
    _aretomo3_to_sets((series, sets))
    return folder, sets


def _series_to_star(before: Any) -> int:
    from ..convert.tilt_series import write_tomograms_star
    folder, (tilt_series, ctfs) = before
    write_tomograms_star(str(folder / 'written'), tilt_series, ctfs)
    return int(tilt_series.getSize())


def _before_overview(folder: Path, _series: Path) -> Path:
    from .overview import write_run
    return write_run(folder)


def _overview(job: Path) -> int:
    from .overview import open_board
    return open_board(job)


TASKS: Dict[str, Task] = {
    'star_to_set': Task(_before_reading, _star_to_set),
    'set_to_star': Task(_before_writing, _set_to_star),
    'summary': Task(_before_writing, _summary),
    'aretomo3_to_sets': Task(_before_importing, _aretomo3_to_sets),
    'overview': Task(_before_overview, _overview),
    'series_to_star': Task(_before_writing_series, _series_to_star),
}


def peak_memory() -> float:
    """Largest resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run the task that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('task', choices=sorted(TASKS))
    parser.add_argument('folder', type=Path, help='with the particles STAR; sets and written files go there')
    parser.add_argument('series', type=Path, help='with the tilt series')
    parser.add_argument('--scipion', type=Path, required=True, help='folder for the configuration of Scipion')
    args = parser.parse_args()
    prepare_scipion(args.scipion)
    task = TASKS[args.task]
    before = task.prepare(args.folder, args.series)
    start = time.perf_counter()
    n = task.work(before)
    seconds = time.perf_counter() - start
    print(json.dumps({'seconds': seconds, 'n': n, 'rss_mb': peak_memory()}))


if __name__ == '__main__':
    main()
