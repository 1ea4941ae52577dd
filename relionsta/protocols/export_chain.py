"""The runs that led to a result, as the jobs of a RELION project."""
import os
import re
from pathlib import Path
from typing import NamedTuple

from pwem.objects import Volume

from ..convert.job_inputs import PARTICLES as PARTICLES_STAR
from ..convert.job_inputs import TOMOGRAMS as TOMOGRAMS_STAR
from ..convert.job_inputs import TRAJECTORIES as TRAJECTORIES_STAR
from ..convert.job_inputs import write_job_inputs
from ..jobs import nodes
from ..jobs.job_star import write_job_star
from ..jobs.option import Kind
from ..jobs.pipeline import FAILED, SUCCEEDED, Process, write_project
from ..jobs.registry import JOBS
from ..jobs.shell import quote
from ..objects import SetOfStaParticles
from ..results.iterations import last_complete
from .base import ProtStaBase
from .export_inputs import EXTERNAL_FOLDER, InputFiles, ProjectExport
from .form import relionVersion
from .iterative import IterativeMixin
from .job_star import JOB_STAR
from .runner import MARKS

#: Sums and backups that RELION needs only while it runs.
_LEFT_OUT = ('temp',)
#: Scipion's logs colour some of their lines.
_COLOUR = re.compile(r'\x1b\[[0-9;]*m')


class Exported(NamedTuple):
    """What became of a run. process: its job; particles: the file of its particles, '' for none."""

    process: Process
    particles: str


def runsUpTo(protocol, project):
    """The runs that a run was made of, and itself, each after those that it takes its inputs from."""
    order, seen = [], set()

    def visit(run):
        if run is None or run.getObjId() in seen:
            return
        seen.add(run.getObjId())
        for parent in parentsOf(run, project) + _makersOf(run, project):
            visit(parent)
        order.append(run)

    visit(protocol)
    return order


def parentsOf(run, project):
    """The runs that a run takes its inputs from."""
    return list(filter(None, (runOf(pointer, project) for _, pointer in run.iterInputAttributes())))


def _makersOf(run, project):
    """The runs whose files the outputs of a run are, as those of a run that starts others."""
    if isinstance(run, ProtStaBase):
        return []
    paths = set()
    for _, output in run.iterOutputAttributes():
        if isinstance(output, SetOfStaParticles):
            paths.update(output.getParticlesStars())
        elif isinstance(output, Volume):
            paths.add(output.getFileName())
    folders = {os.path.join('Runs', Path(path).parts[1]) for path in paths if path and Path(path).parts[:1] == ('Runs',)}
    return [other for other in project.getRuns() if other.getWorkingDir() in folders and other.getObjId() != run.getObjId()]


def runOf(pointer, project):
    """The run that made what a pointer points to; None where that is unknown."""
    base = pointer.getObjValue()
    if base is None:
        return None
    if hasattr(base, 'iterInputAttributes'):
        return base
    parent = base.getObjParentId()
    return project.getProtocol(parent) if parent is not None else None


class ChainExport(ProjectExport):
    """Fills an ExportFolder with the jobs of runs, one after the other."""

    def __init__(self, folder, project, work):
        """work: a folder for files that are needed meanwhile."""
        super().__init__(folder)
        self._project, self._work = project, work
        self._of_run = {}

    def add(self, run):
        """A run that is done; one that RELION has not made only lets others know where its inputs come from."""
        if isinstance(run, ProtStaBase) and os.path.isdir(run._getJobPath()):
            self._of_run[run.getObjId()] = [self._add_job(run)]
        else:
            made_by = _makersOf(run, self._project) or parentsOf(run, self._project)
            above = [one for parent in made_by for one in self._of_run.get(parent.getObjId(), [])]
            self._of_run[run.getObjId()] = list(dict.fromkeys(above))

    def addResult(self, run, output):
        """The result itself, where none of the jobs has made it: a subset, a join, a map of another program."""
        if isinstance(output, SetOfStaParticles):
            self._add_inputs(InputFiles(*write_job_inputs(output, self._work)), [run], False, output.getParticlesStars(),
                             self._particles_above([run]))
        elif getattr(output, 'getFileName', None) and self._folder.name_of(output.getFileName()) is None:
            self._add_maps(nodes.EXTERNAL, {'fn_ref': output.getFileName()}, [run])

    def finish(self):
        """Write what makes the folder a project of RELION."""
        write_project(self._folder.root, self.processes, len(self.processes) + 1)

    # ------------------------------------------------------------------- jobs
    def _add_job(self, run):
        job, values = run._job, run.getValues()
        label = job.type if job.type in JOBS else nodes.EXTERNAL
        files = {option.name: str(values[option.name]) for option in job.options
                 if option.kind is Kind.PATH and values.get(option.name)}
        self._bring_inputs(run, files)
        name = self._next(job.folder if label != nodes.EXTERNAL else EXTERNAL_FOLDER)
        source = run._getJobPath()
        self._folder.know_folder(source, name)
        self._folder.know_folder(run._getInputPath(), name + '/inputs')
        self._put_other_inputs(run, name)
        new = dict(values, **{option: self._folder.take(path, name + '/inputs') if os.path.isfile(path) else path
                              for option, path in files.items()})
        marks = tuple(other for other in os.listdir(source) if other.startswith(MARKS))
        top = self._folder.put_folder(source, name, without=_LEFT_OUT + marks + (JOB_STAR,))
        inputs = {option: new[option] for option in files if self._is_inside(new[option])}
        if label == nodes.EXTERNAL:
            inputs = {'in_particles': inputs.get('fn_in', '')}
            self._write_settings(name, label, {'fn_exe': 'scipion3', 'in_part': inputs['in_particles']})
        else:
            write_job_star(self._folder.path('%s/%s' % (name, JOB_STAR)), job, new, relionVersion())
        last = last_complete(source, job.type) if isinstance(run, IterativeMixin) else None
        process = Process(name + '/', nodes.process_label(label, values), nodes.input_nodes(label, inputs),
                          nodes.output_nodes(label, name + '/', top, last), SUCCEEDED if run.isFinished() else FAILED)
        self._write_logs(run, name, job.commands(new, name + '/', relionVersion()))
        self.processes.append(process)
        particles = [node.name for node in process.outputs if node.label.startswith(nodes.PARTICLES)]
        return Exported(process, particles[0] if particles else '')

    def _is_inside(self, path):
        return bool(path) and not os.path.isabs(path) and (self._folder.root / path).exists()

    def _write_logs(self, run, name, commands):
        lines = ['Exported from Scipion: run %d, %s.' % (run.getObjId(), run.getRunName()), '',
                 'With these files it is:'] + [quote(command) for command in commands]
        self._folder.path(name + '/note.txt').write_text('\n'.join(lines) + '\n')
        for log, target in zip(run.getLogPaths()[:2], ('run.out', 'run.err')):
            said = Path(log).read_text(errors='replace') if os.path.exists(log) else ''
            self._folder.path('%s/%s' % (name, target)).write_text(_COLOUR.sub('', said))

    # ----------------------------------------------------------------- inputs
    def _bring_inputs(self, run, files):
        """Give the files that a job reads a place, each in the job that it comes from."""
        particles = files.get('in_particles', '') if run._job.type in JOBS else files.get('fn_in', '')
        stars = InputFiles(*(path if path and os.path.isfile(path) and self._folder.name_of(path) is None else ''
                             for path in (particles, files.get('in_tomograms') or files.get('in_tiltseries', ''),
                                          files.get('in_trajectories', ''))))
        parents = parentsOf(run, self._project)
        if any(stars):
            source, made = None, None
            if stars.particles:
                pointer = run._particlesPointer() if hasattr(run, '_particlesPointer') else run.inputCoordinates
                source, made = pointer.get(), runOf(pointer, self._project)
            again = isinstance(source, SetOfStaParticles)
            makers = [made] if made is not None else parents
            self._add_inputs(stars, makers, not again, source.getParticlesStars() if again else [],
                             self._particles_above(makers) if again else [])
        maps = {option: path for option, path in files.items() if os.path.isfile(path) and not path.endswith('.star')
                and self._folder.name_of(path) is None}
        if maps:
            self._add_maps(run._job.type, maps, parents)

    def _put_other_inputs(self, run, name):
        """What else was written for RELION, such as the table of bodies."""
        folder = run._getInputPath()
        for head, _, files in os.walk(folder):
            for file in files:
                path = os.path.join(head, file)
                if self._folder.name_of(path) == '%s/inputs/%s' % (name, os.path.relpath(path, folder)) and file not in (
                        PARTICLES_STAR, TOMOGRAMS_STAR, TRAJECTORIES_STAR):
                    self._folder.put(path, self._folder.name_of(path), name + '/inputs')

    def _particles_above(self, runs):
        """The particles files of the jobs that runs come from, as the project knows them."""
        exported = [one for run in runs for one in self._of_run.get(run.getObjId(), [])]
        return list(dict.fromkeys(one.particles for one in exported if one.particles))
