"""Jobs of an exported project for files that no job of RELION made: STAR files of Scipion's sets, maps of others."""
import hashlib
import os
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..convert.job_inputs import TOMOGRAMS
from ..convert.merge_tomograms import FOLDER
from ..jobs import nodes
from ..jobs.files import other_half
from ..jobs.pipeline import Node, Process
from ..jobs.tokens import number
from ..star import read_star, write_star
from .job_star import JOB_STAR

_JOB_NAME = '%s/job%03d'
#: What our step is called in RELION's project where RELION has no job for it.
EXTERNAL_FOLDER, _IMPORT_FOLDER, _SELECT_FOLDER = 'External', 'Import', 'Select'
_IMPORT_OPTIONS = {'do_coords': 'No', 'movie_files': '', 'mdoc_files': '', 'in_coords': ''}
#: What RELION's form of an import says of the microscope -> its label in tomograms.star.
_MICROSCOPE = {'kV': 'rlnVoltage', 'Cs': 'rlnSphericalAberration', 'Q0': 'rlnAmplitudeContrast',
               'angpix': 'rlnTomoTiltSeriesPixelSize', 'optics_group_name': 'rlnOpticsGroupName',
               'dose_rate': 'rlnTomoImportFractionalDose'}


class InputFiles(NamedTuple):
    """STAR files that a job takes, '' for none."""

    particles: str = ''
    tomograms: str = ''
    trajectories: str = ''


class ProjectExport:
    """An ExportFolder that becomes a RELION project, and its jobs so far."""

    def __init__(self, folder):
        self._folder = folder
        self.processes = []
        self._known_particles = {}

    def _next(self, folder):
        return _JOB_NAME % (folder, len(self.processes) + 1)

    def _write_settings(self, name, label, options):
        write_star(self._folder.path('%s/%s' % (name, JOB_STAR)), {
            'job': {'rlnJobTypeLabel': label, 'rlnJobIsContinue': 0, 'rlnJobIsTomo': 1},
            'joboptions_values': pd.DataFrame(sorted(options.items()),
                                              columns=['rlnJobOptionVariable', 'rlnJobOptionValue'])})

    def _add_inputs(self, files, runs, picked, sources, above):
        """Jobs for STAR files that Scipion wrote for a job; none where an earlier job has the same.

        picked: they are the first files of these particles; else sources: the STAR files that they come from, above: those
        of the jobs before, as the project knows them.
        """
        if files.tomograms and self._folder.name_of(files.tomograms) is None:
            name = self._next(_IMPORT_FOLDER)
            self._folder.know(files.tomograms, name + '/' + TOMOGRAMS)
            series = os.path.join(os.path.dirname(files.tomograms), FOLDER)
            self._folder.know_folder(series, '%s/%s' % (name, FOLDER))
            if os.path.isdir(series):
                for file in sorted(os.listdir(series)):
                    self._folder.put(os.path.join(series, file), '%s/%s/%s' % (name, FOLDER, file), name + '/images')
            self._finish_inputs(name, nodes.IMPORT, runs, {files.tomograms: nodes.TOMOGRAMS + nodes.IMPORTED},
                                _importOptions(files.tomograms), name + '/images')
        known = self._known_file(sources, files) if files.particles else None
        if known:
            self._folder.know(files.particles, known)
        wanted = {path: label for path, label in ((files.particles if not known else '', nodes.PARTICLES),
                                                  (files.trajectories, nodes.TRAJECTORIES))
                  if path and self._folder.name_of(path) is None}
        if not wanted:
            return
        if picked:
            label, folder, options = nodes.IMPORT, _IMPORT_FOLDER, dict(_IMPORT_OPTIONS, do_coords='Yes')
            wanted = {path: kind + nodes.IMPORTED if kind == nodes.PARTICLES else kind for path, kind in wanted.items()}
        elif len(above) == 1 and _is_selection(files.particles, sources):
            label, folder, options = nodes.SELECT, _SELECT_FOLDER, {'fn_data': above[0], 'fn_model': '', 'fn_mic': ''}
        else:
            label, folder, options = nodes.EXTERNAL, EXTERNAL_FOLDER, {'fn_exe': 'scipion3',
                                                                        'in_part': above[0] if above else ''}
        name = self._next(folder)
        for path in wanted:
            self._folder.know(path, '%s/%s' % (name, os.path.basename(path)))
        self._finish_inputs(name, label, runs, wanted, options, name + '/images', above)
        if files.particles in wanted:
            self._known_particles[_digest(files.particles)] = self._folder.name_of(files.particles)

    def _add_maps(self, label, maps, runs):
        """A job for maps that RELION did not make in this project. label: type of the job that takes them."""
        name, kinds = self._next(EXTERNAL_FOLDER), {}
        for node in nodes.input_nodes(label, maps):
            for path in filter(None, (node.name, other_half(node.name))):
                if os.path.isfile(path) and self._folder.name_of(path) is None:
                    self._folder.know(path, self._folder.free_name(name, os.path.basename(path)))
                    kinds[path] = node.label
        if kinds:
            self._finish_inputs(name, nodes.EXTERNAL, runs, kinds, {'fn_exe': 'scipion3'}, name)

    def _finish_inputs(self, name, label, runs, kinds, options, images, above=()):
        outputs = []
        for path, kind in kinds.items():
            self._folder.put(path, self._folder.name_of(path), images)
            outputs.append(Node(self._folder.name_of(path), kind))
        self._write_settings(name, label, options)
        said = ', '.join('%d, %s' % (run.getObjId(), run.getRunName()) for run in runs)
        self._folder.path(name + '/note.txt').write_text('Exported from Scipion: run %s.\nNo program of RELION made these '
                                                         'files, so this job cannot be run again here.\n' % said)
        for log in ('run.out', 'run.err'):
            self._folder.path('%s/%s' % (name, log)).touch()
        self.processes.append(Process(name + '/', label, tuple(Node(path, nodes.PARTICLES) for path in above),
                                      tuple(outputs)))

    def _known_file(self, sources, files):
        """The name of a file of an earlier job with the same particles and values; None if there is none."""
        digest = _digest(files.particles)
        if digest in self._known_particles:
            return self._known_particles[digest]
        if len(sources) != 1 or self._folder.name_of(sources[0]) is None:
            return None
        return self._folder.name_of(sources[0]) if _same(files.particles, sources[0]) else None


def _importOptions(path):
    """What RELION's form shows of an import of these tilt series."""
    first = read_star(path, ['global'])['global'].iloc[0]
    known = {option: first[label] for option, label in _MICROSCOPE.items() if label in first}
    return dict(_IMPORT_OPTIONS, flip_tiltseries_hand='No' if first.get('rlnTomoHand', -1) > 0 else 'Yes',
                **{option: value if isinstance(value, str) else number(float(value)) for option, value in known.items()})


def _same(one, other):
    """True where two particles STAR files say the same of the same particles, in whatever order."""
    first, second = (read_star(path) for path in (one, other))
    if set(first) != set(second) or not all(first[name].equals(second[name]) for name in first if name != 'particles'):
        return False
    tables = [blocks['particles'].sort_values('rlnTomoParticleName').reset_index(drop=True) for blocks in (first, second)]
    return len(tables[0]) == len(tables[1]) and set(tables[0]) == set(tables[1]) and all(
        np.array_equal(tables[0][label].to_numpy(), tables[1][label].to_numpy()) for label in tables[0])


def _is_selection(path, sources):
    """True where a file has some of the particles that are in the one that they come from."""
    if len(sources) != 1:
        return False
    names = [set(read_star(file, only={'particles': ('rlnTomoParticleName',)})['particles']['rlnTomoParticleName'])
             for file in (path, sources[0])]
    return names[0] < names[1]


def _digest(path):
    with open(path, 'rb') as handle:
        return hashlib.sha1(handle.read()).hexdigest()
