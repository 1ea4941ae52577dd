"""Inputs of real runs under other names: of tilt series, and of the files of maps and tilt images."""
import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, Tuple

import mrcfile
import numpy as np
from pwem.objects import Volume, VolumeMask
from pyworkflow.protocol.executor import StepExecutor

from relionsta.convert.particles import read_particles
from relionsta.objects import SetOfStaParticles
from relionsta.star import read_star, write_star
from relionsta.tests.faults.injectors.around import quiet
from relionsta.tests.faults.injectors.hostile import file_name
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.pseudo import SHORT
from relionsta.tests.protocols.scene import SCENE, SETTINGS, scene_folder
from relionsta.tests.protocols.shelf import Shelf
from relionsta.tests.protocols.test_import_imod import etomo_folder

#: The tilt series that gets the name.
OLD = SCENE.series_names[0]


class Stage:
    """Real inputs, and copies of them that carry a name. To be used in the folder of the road's project."""

    def __init__(self, road: Any) -> None:
        road.until('reconstruct')
        self.project, self.done = road.project, road.done
        self.case = type('NamesMaker', (StaCase,), {'road': road, 'proj': road.project, 'done': road.done})
        self.shelf = Shelf(road.project, self.case.new('ProtStaExtract'))
        self._road, self._refined = road, None
        self._particles: Dict[Tuple[str, str], Any] = {}
        #: folders of runs that were made on the way
        self.runs: List[str] = []
        imported = self.done['import_aretomo3']
        self.series, self.ctfs, self.tomograms = imported.tiltSeries, imported.ctfs, imported.tomograms
        self._extracted = in_process(self.new(
            'ProtStaExtract', inputCoordinates=self.done['import_picks'].outputCoordinates, inputTiltSeries=self.series,
            inputCtfs=self.ctfs, box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box,
            subtomo_format='3D pseudo-subtomos', numberOfThreads=2)).outputParticles

    def new(self, protocol: str, **values: Any) -> Any:
        """A protocol of the project, neither saved nor run."""
        return self.case.new(protocol, **values)

    def folder(self, name: str) -> Path:
        """A new folder of the shelf, of a plain name."""
        path = Path(self.shelf.path('')) / name
        shutil.rmtree(str(path), ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def _kept(self, name: str) -> str:
        """The same with what is in it."""
        (Path(self.shelf.path('')) / name).mkdir(parents=True, exist_ok=True)
        return name

    # --------------------------------------------------------------------------------------------- tilt series
    def star_files(self, text: str, particle: str = '') -> Tuple[str, str]:
        """particles.star, with half sets, and tomograms.star in which a tilt series has this name; its own STAR file keeps a
        plain one. particle: the first particle's name begins with it. Raises StarError where STAR cannot hold it."""
        folder = self.folder('job%03d' % (len(self._particles) + 100))
        old = read_star(self._extracted.getTomogramsStar())['global']
        tomograms = old.copy()
        tomograms['rlnTomoName'] = old['rlnTomoName'].replace(OLD, text)
        tomograms['rlnTomoTiltSeriesStarFile'] = ['%s/series_%d.star' % (folder, row) for row in range(len(old))]
        for before, after in zip(old.itertuples(), tomograms.itertuples()):
            table = read_star(before.rlnTomoTiltSeriesStarFile)[before.rlnTomoName]
            # A block cannot have every name; what reads it must have looked at the name of the tomogram before.
            block = after.rlnTomoName if not any(map(str.isspace, after.rlnTomoName)) else 'renamed'
            write_star(after.rlnTomoTiltSeriesStarFile, {block: table})
        blocks = read_star(self._extracted.getParticlesStars()[0])
        rows = blocks['particles']
        rows['rlnTomoName'] = rows['rlnTomoName'].replace(OLD, text)
        rows['rlnTomoParticleName'] = rows['rlnTomoName'] + '/' + rows['rlnTomoParticleName'].str.split('/').str[-1]
        if particle:
            rows.loc[0, 'rlnTomoParticleName'] = particle + '/1'
        rows['rlnRandomSubset'] = [row % 2 + 1 for row in range(len(rows))]
        blocks['optics']['rlnCtfDataAreCtfPremultiplied'] = 1
        write_star(str(folder / 'tomograms.star'), {'global': tomograms})
        write_star(str(folder / 'particles.star'), blocks)
        return str(folder / 'particles.star'), str(folder / 'tomograms.star')

    def particles(self, text: str, particle: str = '') -> Any:
        """Particles of which a tilt series has this name, and one perhaps a name that begins so. Raises StarError and
        ConvertError where there can be none."""
        key = (text, particle)
        if key not in self._particles:
            star, tomograms = self.star_files(text, particle)
            particles = SetOfStaParticles.create(os.path.dirname(star))
            read_particles(star, particles, None, tomograms)
            particles.write()
            self._particles[key] = self.shelf.put(particles)
        return self._particles[key]

    # --------------------------------------------------------------------------------------------------- files
    def map(self, text: str, kind: Any = Volume) -> Any:
        """A map with half maps, at the pixel size of the tilt series, whose files have this name; or a mask."""
        pixel, box = SCENE.pixel, 2 * SETTINGS.box
        ends = ['.mrc', '_half1.mrc', '_half2.mrc'] if kind is Volume else ['.mrc']
        where = self._kept('maps_%s' % kind.__name__)
        names = [os.path.join(where, file_name(text, end)) for end in ends]
        first, *halves = [self.shelf.file(name, size=(box,) * 3, pixel=pixel) for name in names]
        volume = kind()
        volume.setFileName(first)
        volume.setSamplingRate(pixel)
        for number, half in enumerate(halves, start=1):
            with mrcfile.open(half, 'r+') as mrc:  # two that are equal have no resolution
                mrc.data[:] += np.random.default_rng(number).normal(0, 0.1, mrc.data.shape)
        if halves:
            volume.setHalfMaps(halves)
        return self.shelf.put(volume)

    def reference(self, text: str, kind: Any = Volume) -> Any:
        """As map, with box and pixel size of the particles."""
        name = os.path.join(self._kept('references_%s' % kind.__name__), file_name(text, '.mrc'))
        return self.shelf.map(name, kind=kind)

    def mask(self, text: str) -> Any:
        """A mask with box and pixel size of the particles."""
        return self.reference(text, VolumeMask)

    def tilt_series(self, text: str) -> Any:
        """The tilt series, the images of which are in files of this name."""
        folder = self.folder('stacks')

        def rename(image: Any) -> None:
            before = image.getFileName()
            path = folder / file_name('%s%s' % (text, Path(before).stem[-1]), '.mrc')
            if not path.exists():
                path.symlink_to(os.path.realpath(before))
            image.setFileName(str(path))
        return self.shelf.changed(self.series, 'renamed%d' % len(list(Path(self.shelf.path('')).glob('renamed*'))), rename)

    # --------------------------------------------------------------------------------------------------- runs
    def refinement(self, text: str) -> Any:
        """A 3D auto-refine, iteration 1 of which is complete, whose particles have a tilt series of this name."""
        def new(name: str) -> Any:
            return self.new('ProtStaRefine3D', inputParticles=self.particles(name), referenceVolume=self.reference('map'),
                            particle_diameter=SETTINGS.diameter, numberOfMpi=3, outputIteration=1,
                            **dict(SETTINGS.refine3d, other_args=SHORT, do_solvent_fsc=False))
        if self._refined is None:
            self._refined = new(OLD)
            self.project.saveProtocol(self._refined)
            with quiet():
                in_process(self._refined)
            self.runs.append(self._refined._getPath())
        copy = new(text)
        self.project.saveProtocol(copy)
        shutil.copytree(self._refined._getJobPath(), copy._getJobPath())
        self.runs.append(copy._getPath())
        return copy

    def classes(self) -> Any:
        """The classes of a classification."""
        self._road.until('classify')
        return self.done['classify'].outputClasses

    # ------------------------------------------------------------------------------------------------ imports
    def picks(self, text: str, folder: str) -> Path:
        """A STAR file of picks in a folder, in which a tomogram has this name."""
        path = self.folder('picks') / file_name(folder, '')
        path.mkdir()
        blocks = read_star(scene_folder() / 'picks' / 'all_particles.star')
        for table in blocks.values():
            for column in {'rlnTomoName', 'rlnMicrographName'} & set(table):
                table[column] = table[column].str.replace(OLD, text, regex=False)
        write_star(path / 'particles.star', blocks)
        return path / 'particles.star'

    def etomo(self, text: str) -> Path:
        """eTomo's folder, called so, with a series that is called so."""
        top, folder = etomo_folder('etomo of names'), self.folder('imports')
        target = folder / file_name(text, '')
        shutil.copytree(str(top), str(target), symlinks=True)
        series = target / file_name(text, '')
        (target / OLD).rename(series)
        for file in list(series.iterdir()):
            if file.name.startswith(OLD):
                file.rename(series / file_name(text, file.name[len(OLD):]))
        (series / 'tilt.com').write_text((series / 'tilt.com').read_text().replace(OLD, text))
        return target

    def aretomo(self, text: str) -> Path:
        """AreTomo3's folder, called so, with a series that is called so."""
        folder = self.folder('imports') / file_name(text, '')
        folder.mkdir()
        for file in (scene_folder() / 'aretomo3').iterdir():
            name = file.name
            if name.startswith(OLD) and not name.startswith(OLD + '0'):
                name = file_name(text, name[len(OLD):])
            if file.is_file():
                shutil.copy(str(file), str(folder / name))
        return folder


def in_process(protocol: Any) -> Any:
    """Run a protocol's steps in this process, with real RELION; returns it."""
    project = protocol.getProject()
    project.saveProtocol(protocol)
    protocol.makePathsAndClean()
    protocol.setStepsExecutor(StepExecutor(protocol.getHostConfig()))
    protocol._insertAllSteps()
    for step in protocol._steps:
        step._runFunc()
    return protocol
