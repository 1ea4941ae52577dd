"""What a job folder or a STAR file of RELION 5 (also of WarpTools and M) holds: which files, of which job and project.

Paths in RELION's files are relative to the project, the folder that RELION is started in.
"""
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Set, Tuple, Union

from ..jobs import files
from ..star import StarError, is_complete, read_star
from ..star.optimisation_set import OptimisationSet, read_optimisation_set
from ..star.trajectories import read_trajectories
from .relion_folder import CTF_REFINE, POLISH, job_type, last_iteration, later_iterations, map_files, options_of, version_of
from .relion_project import JOB_NUMBER, JOB_STAR, find_project, job_of
from .text import SourceError, short_list

_TOMOGRAMS = ('tomograms.star', 'aligned_tilt_series.star', 'selected_tilt_series.star', 'tilt_series_ctf.star',
              'corrected_tilt_series.star', 'tilt_series.star')
#: Of a file that was cut.
FURTHER_DOWN = 'files that it named further down are not found'
_PARTICLES = ('particles.star', 'run_data.star', 'particles_subtracted.star')


class Missing(NamedTuple):
    """A file that a job has, or names, and that is not there. what: particles, tomograms, ...; where: the file that names
    it, '' where it is the job's own; then: it is there, but not whole, and this comes of it."""

    what: str
    name: str
    where: str = ''
    then: str = ''

    def text(self) -> str:
        """For people."""
        if self.then:
            return '%s (%s) is not whole: it was cut, or is still being written; %s' % (self.name, self.what, self.then)
        return '%s (%s%s) is not there' % (self.name, self.what, ', named in ' + self.where if self.where else '')


@dataclass(frozen=True)
class RelionJob:
    """What there is to import.

    path: what was chosen; project: the folder that names count from. type: RELION's, '' where it is not known. version:
    of RELION, '' where no file tells. particles, tomograms, trajectories: as RELION names them, '' for none. maps: role
    (map, half1, half2, mask, postprocess, model) -> path; classes: the maps of the classes, class 1 first. Only files
    that are there are named; the others are in `missing`.
    """

    path: Path
    project: Path
    type: str = ''
    version: str = ''
    particles: str = ''
    tomograms: str = ''
    trajectories: str = ''
    maps: Dict[str, Path] = field(default_factory=dict)
    classes: Tuple[Path, ...] = ()
    missing: Tuple[Missing, ...] = ()

    def at(self, name: str) -> Path:
        """Where a file is that RELION names so."""
        return self.project / name


def read_relion_job(path: Union[str, Path], project: Union[str, Path, None] = None,
                    tomograms: Union[str, Path, None] = None) -> RelionJob:
    """Look into a job folder, or at a particles, tomograms or optimisation-set STAR.

    project: RELION's project folder (default: see find_project). tomograms: the tomograms.star to take in place of the one
    that is named. Raises SourceError where there is nothing to look at, StarError for a file that cannot be read.
    """
    top = Path(os.path.abspath(os.path.expanduser(str(path))))
    if not top.exists():
        raise SourceError('%s: there is no such file or folder; choose a STAR file or a job folder of RELION.' % path)
    top = top.parent if top.name == JOB_STAR else top
    root = find_project(top, project)
    folder = top if top.is_dir() else top.parent
    kind = job_type(folder)
    finder = _Finder(root)
    settings = folder / JOB_STAR
    if settings.is_file() and not is_complete(settings):
        finder.missing.append(Missing('settings', str(settings), '', FURTHER_DOWN))
    if top.is_dir():
        named = finder.of_folder(top, set())
        if kind == '' and named == OptimisationSet():
            raise SourceError('%s: this folder is no job of RELION (no job.star, and no particles or tomograms STAR). '
                              'Choose the folder of a job, such as Refine3D/job012, or a STAR file.' % top)
        maps, classes = finder.maps(top, kind)
    else:
        named, maps, classes = finder.of_file(top), {}, ()
    if tomograms:
        named = named._replace(tomograms=str(Path(str(tomograms)).expanduser().absolute()))
        finder.missing = [one for one in finder.missing if one.what != 'tomograms']
    there = {what: name if name and (root / name).is_file() else '' for what, name in named._asdict().items()}
    return RelionJob(top, root, kind, version_of(folder), there['particles'], there['tomograms'], there['trajectories'],
                     maps, classes, tuple(dict.fromkeys(finder.missing)))


def changed_since(job: RelionJob, image: str) -> str:
    """The type of the job that has changed the tilt series after this image of a particle was cut out; '' for none.

    The extraction's own optimisation set says which tilt series it took; where that is gone, jobs are numbered as they
    were run.
    """
    refined = job.at(job.tomograms).parent
    kind = job_type(refined)
    if not job.tomograms or kind not in (CTF_REFINE, POLISH):
        return ''
    extraction = job_of(job.at(image))
    if extraction is None:
        return kind
    try:
        taken = read_optimisation_set(extraction / files.EXTRACT_FILES['optimisation_set']).tomograms
    except StarError:
        taken = None
    if taken is not None:
        return '' if os.path.realpath(str(job.at(taken))) == os.path.realpath(str(job.at(job.tomograms))) else kind
    numbers = [int(match.group(1)) if match else 0
               for match in (JOB_NUMBER.search(one.name) for one in (refined, extraction))]
    return kind if numbers[0] > numbers[1] else ''


class _Finder:
    """Finds the files of a job in a project, and remembers those that are named and not there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.missing: List[Missing] = []

    def of_file(self, path: Path) -> OptimisationSet:
        """What a STAR file is, or names."""
        blocks = read_star(path, only={'particles': ()})
        columns = {label for table in blocks.values() for label in table}
        if {'rlnTomoParticlesFile', 'rlnTomoTomogramsFile'} & columns:
            return self._of_set(path)
        if 'global' in blocks:
            return OptimisationSet(tomograms=self._name(path))
        if 'particles' in blocks or 'rlnTomoName' in columns:
            others = self.of_folder(path.parent, set()) if (path.parent / JOB_STAR).exists() else OptimisationSet()
            self.missing = [one for one in self.missing if one.what != 'particles']
            return others._replace(particles=self._name(path))
        raise SourceError('%s: holds neither particles nor tomograms (its blocks are %s). Choose a particles.star, '
                          'tomograms.star or optimisation_set.star, or the folder of a job.'
                          % (path, short_list(['data_' + name for name in blocks])))

    def of_folder(self, folder: Path, seen: Set[Path]) -> OptimisationSet:
        """The particles, tomograms and trajectories of a job: those of its optimisation set, else its own, else those
        that it was given."""
        seen.add(folder)
        number = last_iteration(folder)
        stems = ['', 'run_'] + ([files.iteration_root('run', number) + '_'] if number is not None else [])
        sets = [folder / (stem + 'optimisation_set.star') for stem in stems]
        found = next((self._of_set(path) for path in sets if path.is_file()), OptimisationSet())
        own = [folder / name for name in _PARTICLES]
        if number is not None and len(seen) == 1 and not any(path.is_file() for path in own):
            self.missing += [Missing('particles', self._name(path), '', 'iteration %d is imported instead' % number)
                             for path in later_iterations(folder, number)]
        own += [folder / (files.iteration_root('run', number) + '_data.star')] if number is not None else []
        if found.particles is None:
            found = found._replace(particles=self._first(own))
        if found.tomograms is None:
            found = found._replace(tomograms=self._first([folder / name for name in _TOMOGRAMS]))
        return found if found.tomograms and found.trajectories else self._with_inputs(found, folder, seen)

    def _with_inputs(self, found: OptimisationSet, folder: Path, seen: Set[Path]) -> OptimisationSet:
        """With tomograms and trajectories that the job was given, where it has particles and no set of its own."""
        asked = options_of(folder)
        if found.particles is None or found.tomograms:
            return found
        if asked.get('use_direct_entries') == 'Yes':
            return found._replace(tomograms=asked.get('in_tomograms') or None,
                                  trajectories=asked.get('in_trajectories') or None)
        for option in ('in_optimisation', 'fn_opt', 'fn_data'):
            given = self.root / asked.get(option, '')
            if not asked.get(option) or given.parent in seen:
                continue
            before = self._of_set(given) if option == 'in_optimisation' and given.is_file() else (
                self.of_folder(given.parent, seen) if given.parent.is_dir() else OptimisationSet())
            return found._replace(tomograms=before.tomograms, trajectories=before.trajectories)
        return found

    def _of_set(self, path: Path) -> OptimisationSet:
        found = read_optimisation_set(path)
        for what, name in (('particles', found.particles), ('tomograms', found.tomograms),
                           ('trajectories', found.trajectories)):
            if name and not (self.root / name).is_file():
                self.missing.append(Missing(what, name, self._name(path)))
        # Other programs leave out the empty line at the end that RELION writes
        if job_type(path.parent) and not is_complete(path):
            self.missing.append(Missing('optimisation set', self._name(path), '', FURTHER_DOWN))
        return found._replace(trajectories=self._whole_trajectories(found.trajectories))

    def _whole_trajectories(self, name: Optional[str]) -> Optional[str]:
        """The name of a file of trajectories; None for one that is damaged: RELION would take what is left of it."""
        if name and (self.root / name).is_file():
            try:
                read_trajectories(self.root / name)
            except StarError:
                self.missing.append(Missing('trajectories', name, '', 'it is left out'))
                return None
        return name

    def maps(self, folder: Path, kind: str) -> Tuple[Dict[str, Path], Tuple[Path, ...]]:
        """Role -> map or STAR file of a job, and the maps of its classes."""
        number = last_iteration(folder)
        roles = map_files(kind, number)
        classes: List[Path] = []
        found: Dict[str, Path] = {}
        for role, names in roles.items():
            there = next((folder / name for name in names if (folder / name).is_file()), None)
            if there is not None:
                found[role] = there
            elif names and role in ('map', 'mask', 'model'):
                self.missing.append(Missing(role, self._name(folder / names[0])))
        mask = next(filter(None, (options_of(folder).get(name) for name in ('fn_mask', 'in_refmask'))), '')
        if 'postprocess' in found:
            told = read_star(found['postprocess'], ['general'])['general'].iloc[0]
            mask = str(told.get('rlnMaskName', mask))
            for half in ('half1', 'half2'):
                name = str(told.get('rlnUnfilteredMapHalf' + half[-1], ''))
                if name and (self.root / name).is_file():
                    found[half] = self.root / name
        if mask and mask != 'None' and 'mask' not in roles:
            if (self.root / mask).is_file():
                found['mask'] = self.root / mask
            else:
                self.missing.append(Missing('mask', mask, self._name(folder)))
        if kind == files.CLASS3D and number is not None:
            start = files.iteration_root(files.RUN, number)
            classes = sorted(folder.glob(start + '_class[0-9][0-9][0-9].mrc'))
            if not classes:
                self.missing.append(Missing('class averages', self._name(folder / (start + '_class001.mrc'))))
        return found, tuple(classes)

    def _first(self, paths: List[Path]) -> Optional[str]:
        return next((self._name(path) for path in paths if path.is_file()), None)

    def _name(self, path: Path) -> str:
        """As RELION would name it."""
        return str(path.relative_to(self.root)) if self.root in path.parents else str(path)
