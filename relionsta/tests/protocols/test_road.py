"""The whole road: AreTomo3's folder in, a post-processed map out, and every step's numbers."""
import json
import os
import subprocess

import mrcfile
import numpy as np

from relionsta.convert.bulk import read_columns
from relionsta.convert.coordinates import coordinates_table
from relionsta.demo.road import make_road
from relionsta.results.maps import read_header
from relionsta.simulate.truth import compare_maps, compare_poses, read_truth
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS, scene_folder

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel
NUMBER = SCENE.series * SCENE.particles
MAPS = [('reconstruct', 'average'), ('class3d', 'outputAverages'), ('mask', 'solventMask'),
        ('refine3d', 'refinedVolume'), ('postprocess', 'sharpenedVolume'), ('postprocess', 'maskedVolume')]
PARTICLES = ('extract', 'class3d', 'refine3d')


class TestStaRoad(StaCase):
    """One project, ten protocols, one after the other."""

    _until = 'postprocess'

    def _map(self, job, name):
        output = getattr(self.done[job], name)
        return output.getFirstItem() if name == 'outputAverages' else output

    def _on_the_road(self):
        """The runs of the road; other tests have put more into the project."""
        return [(step.job, self.done[step.job]) for step in make_road(str(scene_folder()))]

    def _particles(self, job):
        return self.done[job].outputParticles

    def test_every_map_has_the_box_and_pixel_size_of_the_particles(self):
        """Scipion's numbers and those of the file's header must agree: RELION reads the header, all others Scipion."""
        for job, name in MAPS:
            with self.part(job=job, output=name):
                volume = self._map(job, name)
                header = read_header(volume.getFileName())
                self.assertEqual(volume.getDim(), (BOX, BOX, BOX))
                self.assertEqual(header.size, (BOX, BOX, BOX))
                self.assertAlmostEqual(volume.getSamplingRate(), PIXEL, places=4)
                self.assertAlmostEqual(header.voxel[0], PIXEL, places=4)
                self.assertFalse(os.path.isabs(volume.getFileName()))

    def test_every_particle_is_kept_with_its_name_and_id(self):
        """A particle that changes its id or name is another one for Scipion's subsets or for RELION."""
        first = read_columns(self._particles('extract'), ['_particleName', '_volName'])
        self.assertEqual(len(set(first['_particleName'])), NUMBER)
        for job in PARTICLES:
            with self.part(job=job):
                particles = self._particles(job)
                columns = read_columns(particles, ['_particleName', '_volName', '_particlesStar'])
                for column in ('id', '_particleName', '_volName'):
                    self.assertEqual(list(columns[column]), list(first[column]))
                rows = self.rows(columns['_particlesStar'][0])
                self.assertEqual(set(rows.index), set(first['_particleName']))
                self.assertEqual(particles.getBoxSize(), BOX)
                self.assertAlmostEqual(particles.getSamplingRate(), PIXEL)
                self.assertAlmostEqual(particles.getParticleBinning(), PIXEL / SCENE.pixel)
                self.assertEqual(particles.getTSIds(), SCENE.series_names)

    def test_alignment_changes_poses(self):
        """Poses that do not change, or change without reaching Scipion, would show in no other number."""
        matrices = [read_columns(self._particles(job), ['_transform._matrix'])['_transform._matrix']
                    for job in PARTICLES]
        for before, after in zip(matrices, matrices[1:]):
            turned = np.abs(after - before).max(axis=(1, 2)) > 1e-3
            self.assertGreater(turned.mean(), 0.5)
        for matrix in matrices:
            np.testing.assert_allclose(matrix[:, :3, :3] @ matrix[:, :3, :3].transpose(0, 2, 1),
                                       np.tile(np.eye(3), (NUMBER, 1, 1)), atol=1e-6)

    def test_refinement_comes_near_to_the_truth(self):
        """The poses that Scipion has, not only RELION's file, must be those of the particles in the images."""
        truth = read_truth(scene_folder())
        start, end = (compare_poses(truth.particles, coordinates_table(self._particles(job)), limit_A=SCENE.spacing / 3)
                      for job in ('extract', 'refine3d'))
        self.assertEqual((start.n_matched, end.n_matched), (NUMBER, NUMBER))
        self.assertLess(end.median_angle_error_deg, 0.8 * start.median_angle_error_deg)
        self.assertLess(end.median_shift_error_A, 0.5 * start.median_shift_error_A)
        match = compare_maps(self._map('refine3d', 'refinedVolume').getFileName(), truth, resolution_A=40)
        self.assertGreater(match.cc, 0.95)

    def test_half_maps_are_the_unfiltered_ones_of_two_half_sets(self):
        """Post-processing of filtered half maps, or of one map twice, gives a resolution that is not there."""
        for job, name in (('reconstruct', 'average'), ('refine3d', 'refinedVolume')):
            with self.part(job=job):
                volume = self._map(job, name)
                halves = volume.getHalfMaps().split(',')
                self.assertEqual(len(halves), 2)
                one, two = (np.fft.rfftn(mrcfile.read(half)) for half in halves)
                self.assertGreater(_correlation(one, two, 1, 4), 0.3)
                self.assertLess(abs(_correlation(one, two, 9, BOX // 2)), 0.7)
        self.assertEqual([os.path.basename(half) for half in halves],
                         ['run_half1_class001_unfil.mrc', 'run_half2_class001_unfil.mrc'])
        whole = np.fft.rfftn(mrcfile.read(volume.getFileName()))
        outer = _shells(whole) >= 9
        self.assertGreater(np.abs(one[outer]).mean(), 3 * np.abs(whole[outer]).mean())
        subsets = read_columns(self._particles('refine3d'), ['_randomSubset'])['_randomSubset']
        self.assertEqual(set(subsets), {1, 2})

    def test_fsc_curves_end_at_nyquist(self):
        """A curve in wrong units puts every resolution read off it wrong."""
        names = {'refine3d': ['Gold-standard FSC'],
                 'postprocess': ['corrected', 'masked', 'unmasked', 'phase-randomised']}
        for job, labels in names.items():
            fscs = {fsc.getObjLabel(): fsc.clone() for fsc in self.done[job].fscs}
            self.assertEqual(list(fscs), labels)
            for label, fsc in fscs.items():
                with self.part(job=job, curve=label):
                    frequency, values = (np.array(one, dtype=float) for one in fsc.getData())
                    self.assertAlmostEqual(1 / frequency[-1], 2 * PIXEL, places=3)
                    np.testing.assert_allclose(frequency, np.arange(BOX // 2 + 1) / (BOX * PIXEL), atol=1e-5)
                    self.assertAlmostEqual(values[0], 1, places=3)
                    self.assertTrue((np.abs(values) <= 1 + 1e-6).all(), values)

    def test_resolution_is_where_the_curve_says(self):
        """The number in the summary and the curve of the same run must not differ."""
        protocol = self.done['postprocess']
        corrected = next(fsc.clone() for fsc in protocol.fscs if fsc.getObjLabel() == 'corrected')
        frequency, values = (np.array(one, dtype=float) for one in corrected.getData())
        last = np.flatnonzero(values < 0.143)[0] - 1
        self.assertAlmostEqual(protocol.getResult().resolution, 1 / frequency[last], delta=0.05 / frequency[last])

    def test_mask_is_between_0_and_1(self):
        """relion_postprocess refuses other masks, relion_refine rescales them without a word."""
        mask = mrcfile.read(self.done['mask'].solventMask.getFileName())
        self.assertGreaterEqual(mask.min(), 0)
        self.assertLessEqual(mask.max(), 1)
        self.assertTrue(0.02 < mask.mean() < 0.6, mask.mean())
        self.assertTrue(((mask > 0.01) & (mask < 0.99)).any(), 'no soft edge')

    def test_the_run_script_does_the_same_again(self):
        """run.sh is what people send to a colleague or a cluster: it must make the same map."""
        protocol = self.done['mask']
        path = protocol.solventMask.getFileName()
        before = mrcfile.read(path)
        os.remove(path)
        subprocess.run(['sh', protocol._getExtraPath('run.sh')], check=True, stdout=subprocess.DEVNULL)
        np.testing.assert_array_equal(mrcfile.read(path), before)

    def test_commands_use_paths_of_the_project_only(self):
        """A path from above the project breaks when the project is moved, and with a blank in it at once."""
        for job in ('extract', 'reconstruct', 'class3d', 'mask', 'refine3d', 'postprocess'):
            with open(self.done[job]._getExtraPath('run.sh')) as handle:
                commands = [line for line in handle if 'relion_' in line and 'home' not in line]
            self.assertTrue(commands)
            self.assertFalse([line for line in commands if self.proj.path in line or ' /' in line], job)

    def test_times_of_the_programs_are_kept(self):
        """Times tell what a run cost; RELION's part cannot exceed that of the whole run."""
        for job, program in (('extract', 'relion_tomo_subtomo'), ('refine3d', 'relion_refine_mpi')):
            with open(self.done[job]._getExtraPath('relion_times.json')) as handle:
                times = json.load(handle)
            self.assertEqual([entry['program'] for entry in times], [program])
            self.assertTrue(0 < times[0]['seconds'] <= self.done[job].getElapsedTime().total_seconds() + 1)

    def test_outputs_are_related_to_their_inputs(self):
        """Scipion's data view, and its search for the CTFs and tomograms of particles, follow these relations."""
        for job, protocol in self._on_the_road():
            if job == 'import_aretomo3':
                continue
            with self.part(job=job):
                relations = [(row['object_parent_id'], row['object_child_id']) for row in protocol.getRelations()]
                inputs = {pointer.getObjValue().getObjId() for _, pointer in protocol.iterInputAttributes()}
                outputs = {output.getObjId() for _, output in protocol.iterOutputAttributes()}
                self.assertEqual(set(relations), {(one, other) for one in inputs for other in outputs})

    def test_every_run_tells_what_it_did(self):
        """People read summary, methods and citations in the GUI; an exception there shows as text among them."""
        for job, protocol in self._on_the_road():
            with self.part(job=job):
                for run in (protocol, self.reloaded(protocol)):
                    summary = run.summary()
                    self.assertTrue(2 <= len(summary) <= 5, summary)
                    told = '\n'.join(summary + run.methods())
                    self.assertNotIn('None', told)
                    self.assertNotIn('rror', told.replace('Nature', ''))
                    self.assertIn('Protocol references', told)
                    self.assertTrue(any(unit in told for unit in ('Å', 'pixels', 'tomograms')), told)


def _shells(transform):
    """The Fourier shell of each value of a half transform."""
    x = np.fft.fftfreq(BOX, 1 / BOX)
    return np.sqrt(x[:, None, None] ** 2 + x[None, :, None] ** 2 + np.arange(transform.shape[2]) ** 2)


def _correlation(one, two, first, last):
    """Correlation of two maps in the Fourier shells from `first` to `last`."""
    shells = _shells(one)
    here = (shells >= first - 0.5) & (shells < last + 0.5)
    power = np.sqrt((np.abs(one[here]) ** 2).sum() * (np.abs(two[here]) ** 2).sum())
    return float((one[here] * two[here].conj()).real.sum() / power)
