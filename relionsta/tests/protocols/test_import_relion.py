"""Import RELION results: other people's projects, of which only the STAR files are there."""
import os

import numpy as np
import pandas as pd
import starfile

from relionsta.convert.particles import write_star_of_set
from relionsta.convert.relion_import import PATHS
from relionsta.convert.tilt_series import tomogram_tables
from relionsta.star import read_star
from relionsta.tests.find import shared_data
from relionsta.tests.protocols.case import StaCase

HIV, SMALL = 'relion5-hiv-project', 'relion5-small/cylindra'
PARTICLES, SERIES, TOMOGRAMS, COORDINATES = {'outputParticles'}, {'tiltSeries', 'ctfs'}, {'tomograms'}, {'outputCoordinates'}
#: job: its outputs, particles or coordinates, and what the summary must tell
IMPORTED = {
    (HIV, 'Refine3D/job034'): (PARTICLES | SERIES | {'fscs'}, 9053, [
        'RELION 5.0-beta-2', '9053 particles of 5 tilt series, 2D stacks, box 192 pixels of 1.35 Å.', 'resolution 3.87 Å',
        'run_class001.mrc (map) is not there', '9053 of 9053 images of particles are not there',
        '203 of 203 tilt images are not there', 'Polish/job030/motion.star (trajectories']),
    (HIV, 'Extract/job031'): (PARTICLES | SERIES, 9053, ['9053 particles of 5 tilt series']),
    # The images are of Extract/job020: they were cut out before.
    (HIV, 'Polish/job030'): (PARTICLES | SERIES, 9053, ['cut out before the Bayesian polishing', 'mask_align.mrc (mask']),
    (HIV, 'CtfRefine/job027'): (SERIES, None, [
        'Select/remove-dups2/particles.star (particles, named in CtfRefine/job027/optimisation_set.star) is not there']),
    (HIV, 'Tomograms/job006'): (SERIES, None, ['5 tilt series, 1.35 Å/pixel, with CTFs.']),
    (HIV, 'AlignTiltSeries/job005/aligned_tilt_series.star'): (SERIES, None, ['5 tilt series']),
    (HIV, 'Select/job024/particles.star'): (PARTICLES, 9053, ['No tomograms.star is known for the particles']),
    (HIV, 'PostProcess/job026'): ({'fscs'}, None, ['resolution 3.99 Å', 'mask_fsc.mrc (mask']),
    (SMALL, 'Class3D/job_class3d'): (PARTICLES, 10, ['run_it025_class001.mrc (class averages) is not there',
                                                    'the block data_TS_01 is missing (there: data_13pf_MT)']),
    (SMALL, 'Refine3D/job_refine'): (PARTICLES, 5, ['3D pseudo-subtomos, box 64 pixels of 12.42 Å']),
    (SMALL, 'Picks/job_picks'): (TOMOGRAMS | COORDINATES, 5, ['5 coordinates in 2 tomograms.',
                                                             '2 tomograms are only names for the coordinates to lie in'])}
#: and the reason
REFUSED = {
    (HIV, 'Class3D/job017'): [
        'Class3D/job017/run_it025_data.star (particles, named in Class3D/job017/run_it025_optimisation_set.star) is not '
        'there', 'Denoise/job008/tomograms.star', 'run_it025_class001.mrc (class averages) is not there'],
    (HIV, 'Picks/job019'): ['Denoise/job008/tomograms.star (tomograms, named in Picks/job019/optimisation_set.star) is not '
                            'there', 'Give a tomograms.star'],
    (HIV, 'Import/job001'): ['Import/job001/tilt_series.star, block data_global: the column rlnTomoTiltSeriesPixelSize is '
                             'missing', 'not aligned yet'],
    (HIV, 'Reconstruct/job028'): ['Reconstruct/job028/merged.mrc (map) is not there'],
    (HIV, 'Refine3D/job034/run_model.star'): ['run_model.star: holds neither particles nor tomograms'],
    (SMALL, 'Tomograms/job_tomo'): ['13pf_MT.star: the block data_TS_01 is missing (there: data_13pf_MT)'],
    ('aretomo3/cryoet-alignment/relion', 'matching_tomograms.star'): [
        '3.tomostar were left out', 'matching_tomograms.star, block data_24jul16a_Position_27_1.tomostar: the projection '
        'matrices (rlnTomoProjX, Y, Z, W) turn the tilt images and hold no shifts']}


DEFOCUS = ['rlnDefocusU', 'rlnDefocusV', 'rlnDefocusAngle']


def astigmatic(table):
    """The defocus (n, 3) in Å: its mean and the two components of the astigmatism, which do not depend on which of two
    axes is called U."""
    u, v, angle = table[DEFOCUS].to_numpy(dtype=float).T
    angle = 2 * np.radians(angle)
    return np.stack([(u + v) / 2, (u - v) * np.cos(angle), (u - v) * np.sin(angle)], axis=1)


class TestStaImportRelion(StaCase):
    """Import RELION results of other people."""

    def made(self, project, path, **values):
        """A protocol with its outputs made, in this process; project: of the real data."""
        protocol = self.new('ProtStaImportRelion', filesPath=str(shared_data(project) / path), **values)
        self.assertEqual(protocol.validate(), [])
        self.proj.saveProtocol(protocol)
        protocol.makePathsAndClean()
        protocol.lines = protocol._makeOutputs()
        return protocol

    def test_a_refinement_keeps_every_column(self):
        """9053 particles that lose a column, a digit or their order on the way are not the refinement any more."""
        source = shared_data(HIV) / 'Refine3D/job034/run_data.star'
        done = self.run_new('ProtStaImportRelion', filesPath=str(source.parent))
        path = done._getExtraPath('again.star')
        self.assertEqual(write_star_of_set(done.outputParticles, path), 9053)
        wanted, got = starfile.read(source, always_dict=True), starfile.read(path, always_dict=True)
        self.assertEqual(list(got), list(wanted))
        for block in wanted:
            self.same(block, got[block], wanted[block], done)
        self.assertEqual(done.outputParticles.getTSIds(), ['TS_01', 'TS_03', 'TS_43', 'TS_45', 'TS_54'])
        self.assertEqual(set(done.outputParticles.getUniqueValues('_randomSubset')), {1, 2})
        self.assertIsNone(done.outputParticles.getOutdatedBy())
        self.assertAlmostEqual(done.fscs.getFirstItem().getData()[1][-1], 0.5, delta=0.5)
        summary = '\n'.join(self.reloaded(done).summary())
        for text in IMPORTED[HIV, 'Refine3D/job034'][2]:
            self.assertIn(text, summary)
        errors = self.new('ProtStaReconstruct', inputParticles=done.outputParticles).validate()
        self.assertTrue(errors, 'particles without images or tilt images were taken')

    def same(self, block, got, wanted, done):
        """Two tables, but for the folder that paths begin with."""
        if isinstance(wanted, dict):  # a list block
            self.assertEqual(got, wanted)
            return
        got = got.copy()
        for label in PATHS & set(got):
            got[label] = got[label].str.replace(done._getExtraPath('relion') + '/', '', regex=False)
        pd.testing.assert_frame_equal(got, wanted, check_exact=False, rtol=1e-9, atol=1e-9, obj=block)

    def test_tilt_series_keep_every_column(self):
        """The next job must see the tilt series as polishing has left them: in RELION's files, and from Scipion's sets."""
        top = shared_data(HIV)
        done = self.made(HIV, 'Polish/job030/tomograms.star')
        wanted = starfile.read(top / 'Polish/job030/tomograms.star')
        folder = done._getExtraPath('job000')
        got = starfile.read(os.path.join(folder, 'tomograms.star'))
        files = got.pop('rlnTomoTiltSeriesStarFile')
        self.same('global', got, wanted.drop(columns='rlnTomoTiltSeriesStarFile'), done)
        tables = tomogram_tables(done.tiltSeries, done.ctfs)
        for name, file in zip(wanted['rlnTomoName'], files):
            original = starfile.read(top / 'Polish/job030/tilt_series' / (name + '.star'))
            self.same(name, starfile.read(file), original, done)
            again = tables.tilt_series[name]
            self.assertEqual(set(original) - set(again), set())
            np.testing.assert_allclose(astigmatic(again), astigmatic(original), atol=1e-6)
            for label in set(original.select_dtypes('number')) - set(DEFOCUS):
                np.testing.assert_allclose(again[label], original[label], atol=1e-6, err_msg=label)
        np.testing.assert_allclose(tables.tomograms[['rlnTomoSizeX', 'rlnTomoHand']],
                                   wanted[['rlnTomoSizeX', 'rlnTomoHand']])

    def test_what_comes_of_each_job(self):
        """A job of which something is lost without a word, or told to be missing when it is there."""
        for (project, path), (outputs, count, told) in IMPORTED.items():
            with self.part(job=path):
                done = self.made(project, path)
                self.assertEqual({name for name, _ in done.iterOutputAttributes()}, outputs)
                for text in told:
                    self.assertIn(text, '\n'.join(done.lines))
                for name in {'outputParticles', 'outputCoordinates'} & outputs:
                    self.assertEqual(getattr(done, name).getSize(), count)
                if SERIES <= outputs:
                    self.checkSetGeneralProps(done.tiltSeries, 5, 1.35)
                    self.assertEqual(done.ctfs.getSize(), 5)

    def test_what_is_refused(self):
        """A job of which nothing is left must be refused before the run, with the file that is gone."""
        for (project, path), told in REFUSED.items():
            with self.part(job=path):
                errors = self.new('ProtStaImportRelion', filesPath=str(shared_data(project) / path)).validate()
                self.assertEqual(len(errors), 1, errors)
                for text in told:
                    self.assertIn(text, errors[0])

    def test_images_from_before_polishing(self):
        """Old images with new tilt series give a worse map, without a word."""
        done = self.made(HIV, 'Polish/job030')
        self.assertEqual(done.outputParticles.getOutdatedBy(), 'Bayesian polishing')

    def test_picks_with_the_tomograms_of_another_job(self):
        """Picks are worth having although the denoised tomograms are gone: placed as the file says."""
        table = read_star(shared_data(HIV) / 'Picks/job019/particles.star')['particles']
        tomograms = str(shared_data(HIV) / 'Tomograms/job006/tomograms.star')
        for values in (dict(tomogramsFile=tomograms), dict(tomogramPixel=10.0, tomogramSize='540 540 270')):
            with self.part(values=values):
                done = self.made(HIV, 'Picks/job019', **values)
                self.assertEqual(done.outputCoordinates.getSize(), len(table))
                self.assertAlmostEqual(done.outputCoordinates.getSamplingRate(), 10.0, places=4)
                for row in (0, 5000, len(table) - 1):
                    item = done.outputCoordinates[row + 1]
                    np.testing.assert_allclose(np.array([item._x.get(), item._y.get(), item._z.get()]) * 10.0,
                                               table.iloc[row, 1:4].astype(float), atol=1e-3)
                    self.assertEqual(item.getTomoId(), table['rlnTomoName'][row])

    def test_mistakes_in_the_form(self):
        """A path or number that is wrong must be told by the name of its parameter."""
        good = str(shared_data(HIV) / 'Refine3D/job034')
        for values, told in ((dict(filesPath=good + '5'), 'there is no such file'),
                             (dict(filesPath=str(shared_data(HIV))), 'is no job of RELION'),
                             (dict(filesPath=good, projectFolder='/nowhere'), '/nowhere: there is no such folder'),
                             (dict(filesPath=good, pixelSize=-1.0), '*Pixel size (Å)*: -1'),
                             (dict(filesPath=good, tomogramSize='100 200'), '"100 200", and three numbers'),
                             (dict(filesPath=good, importParticles=False, importSeries=False, importMaps=False),
                              'nothing in ')):
            with self.part(values=values):
                errors = self.new('ProtStaImportRelion', **values).validate()
                self.assertTrue(len(errors) == 1 and told in errors[0], errors)
