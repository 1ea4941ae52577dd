"""Import RELION results that can be gone on with: real jobs give the same before and after."""
import os
import shutil

import mrcfile
import numpy as np
import pandas as pd

from relionsta.convert.bulk import read_columns
from relionsta.convert.classes import class_sizes
from relionsta.convert.particles import write_star_of_set
from relionsta.convert.tilt_tables import read_overview, tilt_tables
from relionsta.geometry import projection_matrices
from relionsta.star import read_star, write_star
from relionsta.star.optimisation_set import OptimisationSet, write_optimisation_set
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SEED, SETTINGS, scratch

CENTRED = ['rlnCenteredCoordinate%sAngst' % axis for axis in 'XYZ']
SIZES = ['rlnTomoSize' + axis for axis in 'XYZ']
ANGLES = ['rlnTomoXTilt', 'rlnTomoYTilt', 'rlnTomoZRot', 'rlnTomoXShiftAngst', 'rlnTomoYShiftAngst']
ONE_ITERATION = dict(particle_diameter=SETTINGS.diameter, nr_iter=1, dont_skip_align=False, ini_high=40.0,
                     ref_correct_greyscale=True, other_args=SEED)


def volume(path):
    """The grey values of a map."""
    with mrcfile.open(path) as mrc:
        return np.array(mrc.data, dtype=float)


class TestStaImportRelionRoad(StaCase):
    """A project of somebody else: the road's own, seen from another folder."""

    _until = 'classify'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = scratch() / 'their project'
        if not cls.folder.exists():
            cls.folder.mkdir()
            os.symlink(os.path.join(cls.proj.path, 'Runs'), str(cls.folder / 'Runs'))

    def imported(self, path, **values):
        """A finished import of a path in their project."""
        return self.run_new('ProtStaImportRelion', filesPath=str(self.folder / path), **values)

    def test_a_classification(self):
        """The work of months: particles, classes, maps and tilt series, and a next job that gives what it gave there."""
        before = self.done['classify']
        done = self.imported(before._getJobPath(''))
        self.assertEqual({name for name, _ in done.iterOutputAttributes()},
                         {'outputParticles', 'outputClasses', 'outputAverages', 'tiltSeries', 'ctfs', 'tomograms',
                          'outputCoordinates'})
        self.assertEqual(class_sizes(done.outputParticles), class_sizes(before.outputParticles))
        self.assertEqual([one.getSize() for one in done.outputClasses.iterItems()],
                         [one.getSize() for one in before.outputClasses.iterItems()])
        self.assertEqual(done.outputAverages.getSamplingRate(), before.outputAverages.getSamplingRate())
        self._same_places(done.outputParticles, before.outputParticles)
        self.assertEqual(done.outputParticles.getTiltSeries().getTSIds(), list(SCENE.series_names))
        maps = [self.run_new('ProtStaReconstruct', inputParticles=self.output(one, 'outputParticles'), numberOfThreads=2)
                for one in (done, before)]
        np.testing.assert_array_equal(*(volume(one.average.getFileName()) for one in maps))

    def _same_places(self, ours, theirs):
        """Names, poses and positions, of sets whose coordinates may count from elsewhere."""
        names = ['_particleName', '_transform._matrix', '_randomSubset', '_classId']
        here, there = (read_columns(one, names[:2], optional=names[2:]) for one in (ours, theirs))
        for name in names:
            np.testing.assert_array_equal(here[name], there[name], err_msg=name)
        tables = []
        for number, one in enumerate((ours, theirs)):
            path = str(scratch() / ('place %d.star' % number))
            write_star_of_set(one, path)
            tables.append(read_star(path)['particles'])
        for label in tables[1].select_dtypes('number'):
            np.testing.assert_allclose(tables[0][label], tables[1][label], atol=1e-9, err_msg=label)

    def test_damaged_images_are_told(self):
        """A next job of days on images that a power cut has torn: whoever imports them must hear of it."""
        theirs, folder = self._theirs('extract', 'their damaged images')
        image = sorted(folder.rglob('*_stack2d.mrcs'))[3]
        whole = image.read_bytes()
        lost = whole[:2048] + bytes(1024) + whole[3072:]
        for damaged, told in ((whole[:-100], 'is not whole'), (lost, 'a part of it was lost')):
            image.write_bytes(damaged)
            done = self.run_new('ProtStaImportRelion', filesPath=str(folder), projectFolder=str(theirs))
            lines = [line for line in done.summary() if line.startswith('*Damaged images*')]
            self.assertEqual(len(lines), 1, done.summary())
            self.assertIn(image.name, lines[0])
            self.assertIn(told, lines[0])
        image.write_bytes(whole)
        done = self.run_new('ProtStaImportRelion', filesPath=str(folder), projectFolder=str(theirs))
        self.assertNotIn('Damaged', '\n'.join(done.summary()))

    def test_a_tilt_series_that_was_cut_is_left_out(self):
        """RELION would take the images of other tilts for those of the particles, without a word."""
        theirs, folder = self._theirs('extract', 'their cut tilt series')
        cut, other = SCENE.series_names
        path = folder.parent / 'job000' / 'tilt_series' / (cut + '.star')
        lines = path.read_text().splitlines(True)
        path.write_text(''.join(lines[:-4]))
        done = self.run_new('ProtStaImportRelion', filesPath=str(folder), projectFolder=str(theirs))
        self.assertEqual(done.tiltSeries.getTSIds(), [other])
        told = [line for line in done.summary() if str(path) in line]
        self.assertEqual(len(told), 2, done.summary())
        self.assertIn('The empty line that RELION writes last is missing', told[0])
        self.assertRegex(told[1], 'Tilt series %s was left out: .*it has [0-9]+ images, and rlnTomoVisibleFrames of its '
                                  'particles [0-9]+ flags' % cut)

    def test_particles_that_are_half_of_an_older_iteration_are_told(self):
        """Poses of two iterations in one file look whole: a refinement would go on from them."""
        theirs, folder = self._theirs('class3d', 'their torn iteration')
        paths = sorted(folder.glob('run_it*_data.star'))
        before, last = (path.read_text() for path in paths[-2:])
        half = len(last) // 2
        paths[-1].write_text(last[:half] + before[half:])
        done = self.run_new('ProtStaImportRelion', filesPath=str(folder), projectFolder=str(theirs))
        told = [line for line in done.summary() if line.startswith('*Damaged particles*')]
        self.assertEqual(len(told), 1, done.summary())
        self.assertRegex(told[0], '%s.*rows are those of iteration' % paths[-1].name)
        paths[-1].write_text(last)
        done = self.run_new('ProtStaImportRelion', filesPath=str(folder), projectFolder=str(theirs))
        self.assertNotIn('Damaged', '\n'.join(done.summary()))

    def test_particles_of_tomograms_that_are_not_listed_are_left_out(self):
        """RELION ends at the first of them, after the import has promised all particles."""
        theirs, folder = self._theirs('extract', 'their cut tomograms')
        path = folder.parent / 'job000' / 'tomograms.star'
        kept, lost = SCENE.series_names
        overview = read_star(path)['global']
        write_star(path, {'global': overview[overview['rlnTomoName'] == kept]})
        done = self.run_new('ProtStaImportRelion', filesPath=str(folder), projectFolder=str(theirs))
        self.assertFalse(hasattr(done, 'outputParticles') or hasattr(done, 'outputCoordinates'))
        self.assertEqual(done.tiltSeries.getTSIds(), [kept])
        self.assertRegex('\n'.join(done.summary()), 'The particles were left out: .*[0-9]+ of its [0-9]+ particles lie in '
                                                    'tomograms that %s does not have .%s' % (path, lost))

    def _theirs(self, job, name):
        """A project of somebody else, in a folder of this name, and in it the folder of a job with its inputs."""
        run, theirs = self.done[job], scratch() / name
        folder = theirs / run._getJobPath()
        folder.parent.mkdir(parents=True)
        shutil.copytree(run._getExtraPath('job000'), str(folder.parent / 'job000'), symlinks=True)
        shutil.copytree(run._getJobPath(), str(folder), symlinks=True)
        return theirs, folder

    def test_extraction_from_imported_tilt_series(self):
        """Tilt series that lie a pixel off, or a hand that turned, would show in every image."""
        extract = self.done['extract']
        done = self.imported(extract._getJobPath(''))
        again = self.run_new('ProtStaExtract', inputCoordinates=self.output(done, 'outputCoordinates'),
                             inputTiltSeries=self.output(done, 'tiltSeries'), inputCtfs=self.output(done, 'ctfs'),
                             box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box, numberOfThreads=2)
        self.assertEqual(again.outputParticles.getSize(), extract.outputParticles.getSize())
        old, new = (read_columns(one.outputParticles, ['_particleName', '_filename', '_coordinate._x'])
                    for one in (extract, again))
        np.testing.assert_allclose(new['_coordinate._x'], old['_coordinate._x'], atol=1e-6)
        for number in (0, len(old['_filename']) - 1):
            one, other = volume(old['_filename'][number]), volume(new['_filename'][number])
            np.testing.assert_allclose(other, one, atol=2e-3 * one.std())

    def test_in_the_same_project(self):
        """Files of the project itself need no link, and keep their names to the letter."""
        path = self.done['extract']._getJobPath('particles.star')
        done = self.run_new('ProtStaImportRelion', filesPath=path, importTomograms=False)
        again = done._getExtraPath('again.star')
        write_star_of_set(done.outputParticles, again)
        for block, table in read_star(path).items():
            pd.testing.assert_frame_equal(read_star(again)[block], table)
        self.assertFalse(os.path.lexists(done._getExtraPath('relion')))

    def _warp(self, name):
        """Particles of the road as WarpTools exports them with --2d; returns the folder in their project."""
        folder = self.folder / name
        shutil.rmtree(str(folder), ignore_errors=True)
        folder.mkdir()
        extract = self.done['extract']
        source = extract.outputParticles.getTomogramsStar()
        overview = read_overview(source)
        blocks = {'global': overview.drop(columns=[label for label in overview if 'StarFile' in label or
                                                   'Reconstructed' in label]).assign(
                                                       rlnTomoTiltSeriesName=name + '/dummy_tiltseries.mrc')}
        with mrcfile.new(str(folder / 'dummy_tiltseries.mrc'), np.zeros((2, 2, 2), dtype=np.float32)):
            pass
        for row, table, _ in tilt_tables(overview, source):
            blocks[row['rlnTomoName']] = self._with_matrices(table)
        blocks['global'].insert(2, 'rlnTomoFrameCount', [len(blocks[one]) for one in overview['rlnTomoName']])
        write_star(folder / 'warp_tomograms.star', blocks)
        particles = read_star(extract._getJobPath('particles.star'))
        rows = particles['particles']
        sizes = overview.set_index('rlnTomoName').loc[rows['rlnTomoName'], SIZES].to_numpy()
        corner = rows[CENTRED].to_numpy() / SCENE.pixel + sizes / 2
        particles['particles'] = rows.drop(columns=CENTRED).assign(
            **{'rlnCoordinate' + axis: corner[:, number] for number, axis in enumerate('XYZ')})
        write_star(folder / 'warp.star', particles)
        write_optimisation_set(folder / 'warp_optimisation_set.star', OptimisationSet(
            name + '/warp.star', name + '/warp_tomograms.star'))
        return name

    @staticmethod
    def _with_matrices(table):
        """A tilt-series table as Warp has it: the directions of the images as matrices, without shifts or images."""
        turned = projection_matrices(*(table[label] if label in table else np.zeros(len(table)) for label in ANGLES),
                                     SCENE.pixel, SCENE.image_size, (2, 2, 2))[:, :3, :3]
        rows = ['[%s,0]' % ','.join('%.9g' % value for value in row) for row in turned.reshape(-1, 3)]
        texts = {'rlnTomoProj' + axis: rows[number::3] for number, axis in enumerate('XYZ')}
        return table.drop(columns=[label for label in table if label in ANGLES or 'MicrographName' in label]).assign(
            **texts, rlnTomoProjW='[0,0,0,1]')

    def test_particles_of_warp(self):
        """Particles that WarpTools has cut out can be refined, and nothing can be cut out of their tilt series."""
        folder = self._warp('warp')
        done = self.imported(folder + '/warp_optimisation_set.star')
        self.assertEqual({name for name, _ in done.iterOutputAttributes()}, {'outputParticles'})
        self.assertIn('hold no shifts', '\n'.join(done.summary()))
        theirs = self.done['extract'].outputParticles
        rows = [read_star(one.getParticlesStars()[0])['particles'][CENTRED] for one in (done.outputParticles, theirs)]
        np.testing.assert_allclose(*rows, atol=1e-4)
        maps = []
        for particles in (self.output(done, 'outputParticles'), self.output('extract', 'outputParticles')):
            made = self.run_new('ProtStaClass3D', inputParticles=particles, numberOfThreads=2,
                                referenceVolume=self.output('reconstruct', 'average'), **ONE_ITERATION)
            maps.append(volume(made.outputAverages.getFirstItem().getFileName()))
        self.assertGreater(np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1], 0.9999)
        errors = self.new('ProtStaReconstruct', inputParticles=done.outputParticles).validate()
        self.assertTrue(errors and 'hold no shifts' in errors[0], errors)
