"""Multi-body refinement on real RELION: a rigid particle as two bodies, stopped, continued, analysed."""
import os

import mrcfile
import numpy as np
from pwem.objects import VolumeMask
from pyworkflow.protocol.constants import MODE_RESUME

from relionsta.convert.bulk import read_columns
from relionsta.convert.coordinates import coordinates_table
from relionsta.convert.particles import write_star_of_set
from relionsta.results.maps import read_header
from relionsta.results.model import read_sampling
from relionsta.simulate.truth import compare_maps, compare_poses, read_truth
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.pseudo import CLASS3D, EXTRACT, ITERATIONS, REFINE3D, PseudoCase, body_masks
from relionsta.tests.protocols.scene import SCENE, SETTINGS, scene_folder
from relionsta.tests.protocols.shelf import Shelf
from relionsta.viewers import ProtStaMultiBodyViewer
from relionsta.viewers.figure_view import FigureView

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel
NUMBER = SCENE.series * SCENE.particles
#: widths of the priors: degrees, Å
SIGMA_ANGLES, SIGMA_OFFSET = 5.0, 4.0
TABLE = '# against, deg, A\n2 %g %g\n1 %g %g' % (2 * (SIGMA_ANGLES, SIGMA_OFFSET))
OFFSETS = ['rlnOrigin%sAngst' % axis for axis in 'XYZ']


class TestStaMultiBody(PseudoCase):
    """The particle of the scene is rigid: its bodies must stay where the whole is."""

    _pseudoUntil = REFINE3D

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = Shelf(cls.proj, cls.new('ProtStaMask'))
        cls.masks = body_masks(cls.shelf, cls.done['mask'])
        cls.bodies = cls._new(other_args='--auto_iter_max 1', outputIteration=1)
        cls.early = cls._outputs(cls.road.launch(cls.bodies))
        cls.bodies.other_args.set('')
        cls.bodies.outputIteration.set(-1)
        cls.bodies.runMode.set(MODE_RESUME)
        cls.bodies = cls.reloaded(cls.road.launch(cls.bodies))

    @classmethod
    def _new(cls, masks=None, **values):
        return cls.multiBody(cls.masks if masks is None else masks, **{
            'bodyTable': TABLE, 'nr_movies': 2, 'do_select': True, 'eigenval_min': 0.0, **values})

    def _refinement(self, job):
        """A refinement of the particles of a job that was not run."""
        return self.new('ProtStaRefine3D', inputParticles=self.output(job, 'outputParticles'))

    @staticmethod
    def _outputs(protocol):
        """What an output of the moment says, before the next try replaces it."""
        return {'files': [volume.getFileName() for volume in protocol.outputBodies], 'summary': protocol.summary(),
                'names': {name for name, _ in protocol.iterOutputAttributes()}}

    def _data(self, number=None):
        return read_star(self.bodies._getJobPath('run_data.star' if number is None else 'run_it%03d_data.star' % number))

    def test_pseudo_subtomograms_are_refined(self):
        """RELION 5.1 refuses them as it extracts them; poses and map of the refinement must come near to the truth."""
        truth, refined = read_truth(scene_folder()), self.done[REFINE3D]
        start, end = (compare_poses(truth.particles, coordinates_table(self.done[job].outputParticles),
                                    limit_A=SCENE.spacing / 3) for job in (EXTRACT, REFINE3D))
        self.assertEqual(end.n_matched, NUMBER)
        self.assertLess(end.median_shift_error_A, 0.6 * start.median_shift_error_A)
        self.assertLess(end.median_angle_error_deg, start.median_angle_error_deg)
        self.assertGreater(compare_maps(refined.refinedVolume.getFileName(), truth, resolution_A=40).cc, 0.9)
        self.assertEqual(len(refined.refinedVolume.getHalfMaps().split(',')), 2)

    def test_bodies_are_maps_of_their_parts(self):
        """A body map in another frame, of another size or with filtered half maps is no use to the next job."""
        refined = mrcfile.read(self.done[REFINE3D].refinedVolume.getFileName())
        volumes = [volume.clone() for volume in self.bodies.outputBodies]
        self.assertEqual(len(volumes), 2)
        for number, (volume, mask) in enumerate(zip(volumes, self.masks), start=1):
            with self.part(body=number):
                header = read_header(volume.getFileName())
                self.assertEqual(header.size, (BOX,) * 3)
                self.assertAlmostEqual(header.voxel[0], PIXEL, places=4)
                self.assertAlmostEqual(volume.getSamplingRate(), PIXEL, places=4)
                halves = [os.path.basename(half) for half in volume.getHalfMaps().split(',')]
                self.assertEqual(halves, ['run_half%d_body%03d_unfil.mrc' % (half, number) for half in (1, 2)])
                inside = mrcfile.read(mask.getFileName()) > 0.5
                body = mrcfile.read(volume.getFileName())
                self.assertGreater(np.corrcoef(body[inside], refined[inside])[0, 1], 0.8)

    def test_bodies_of_a_rigid_particle_stay(self):
        """On 2D stacks RELION 5.1 lets the bodies run away, by tens of Å at every iteration."""
        data = self._data()
        for number in (1, 2):
            with self.part(body=number):
                table = data['images_body_%d' % number]
                self.assertEqual(len(table), NUMBER)
                shifts = np.sqrt((table[OFFSETS].to_numpy() ** 2).mean(axis=0))
                self.assertLess(shifts.max(), 2 * SIGMA_OFFSET)
                turns = table[['rlnAngleRot', 'rlnAngleTilt', 'rlnAnglePsi']].to_numpy() - [0, 90, 0]
                self.assertLess(np.abs(np.median(turns, axis=0)).max(), 2 * SIGMA_ANGLES)

    def test_offsets_are_searched_in_pixels(self):
        """RELION multiplies range and step with the pixel size twice: 64 Å here, where 8 are asked."""
        sampling = read_sampling(self.bodies._getJobPath('run_it001_sampling.star'))
        self.assertAlmostEqual(sampling.offset_range, PIXEL, places=3)
        self.assertAlmostEqual(sampling.offset_step, 2 * PIXEL, places=3)

    def test_bodies_file_has_table_and_masks(self):
        """What RELION reads must be what the form says."""
        table = read_star(self.bodies._getInputPath('bodies.star'))['']
        self.assertEqual(list(table['rlnBodyMaskName']), [mask.getFileName() for mask in self.masks])
        self.assertEqual(list(table['rlnBodyRotateRelativeTo']), [2, 1])
        self.assertEqual(list(table['rlnBodySigmaAngles']), [SIGMA_ANGLES] * 2)
        self.assertEqual(list(table['rlnBodySigmaOffsetAngst']), [SIGMA_OFFSET] * 2)

    def test_particles_keep_the_poses_of_the_whole(self):
        """The output particles are those of the whole particle; poses of a body would put them elsewhere."""
        before, after = self.done[REFINE3D].outputParticles, self.bodies.outputParticles
        for column in ('id', '_particleName', '_transform._matrix', '_coordinate._x', '_randomSubset'):
            one, other = (read_columns(items, [column])[column] for items in (before, after))
            if one.dtype == float:
                np.testing.assert_allclose(one, other, atol=1e-4, err_msg=column)
            else:
                self.assertEqual(list(one), list(other), column)

    def test_tables_of_the_bodies_follow_a_subset(self):
        """RELION joins them to the particles by row: one row off and every body has the pose of another particle."""
        data = self._data()
        half = self.shelf.changed(self.bodies.outputParticles, 'half', keep=lambda item: item.getObjId() % 2)
        path = self.shelf.path('half.star')
        self.assertEqual(write_star_of_set(half, path), NUMBER // 2)
        chosen = read_star(path)
        rows = data['particles'].set_index('rlnTomoParticleName').index.get_indexer(
            chosen['particles']['rlnTomoParticleName'])
        for number in (1, 2):
            name = 'images_body_%d' % number
            np.testing.assert_allclose(chosen[name].to_numpy(float), data[name].iloc[rows].to_numpy(float))

    def test_fscs_of_both_bodies(self):
        """Each body has a resolution of its own."""
        fscs = {fsc.getObjLabel(): fsc.clone() for fsc in self.bodies.fscs}
        self.assertEqual(list(fscs), ['Body 1', 'Body 2'])
        for fsc in fscs.values():
            frequency, values = (np.array(one, dtype=float) for one in fsc.getData())
            self.assertAlmostEqual(1 / frequency[-1], 2 * PIXEL, places=3)
            self.assertAlmostEqual(values[0], 1, places=3)

    def test_motions_of_some_particles_are_not_told_for_those_of_all(self):
        """A table that a full disk has cut after a line is a table: of fewer particles, with other motions."""
        path = self.bodies._getJobPath('analyse_projections_along_eigenvectors_all_particles.txt')
        with open(path) as handle:
            whole = handle.read()
        try:
            with open(path, 'w') as handle:
                handle.writelines(whole.splitlines(True)[:-2])
            with self.assertRaisesRegex(ValueError, 'has %d of %d particles' % (NUMBER - 2, NUMBER)):
                self.bodies.getProjections()
            self.assertRegex(self.bodies.summary()[0], 'The results cannot be read: .*analyse_projections')
        finally:
            with open(path, 'w') as handle:
                handle.write(whole)

    def test_motions_and_selection(self):
        """Numbers, maps and particles of the analysis must be of one and the same motions."""
        with open(self.bodies.getStdoutLog()) as handle:
            said = handle.read()
        projections = self.bodies.getProjections()
        self.assertEqual(projections.shape, (NUMBER, 12))
        variance = projections.var(axis=0, ddof=0)
        self.assertIn('Component 1 explains %.2f' % (100 * variance.iloc[0] / variance.sum()), said)
        motions = [volume.clone() for volume in self.bodies.outputMotions]
        self.assertEqual([volume.getObjLabel() for volume in motions],
                         ['Motion %d, map %d' % (one, place) for one in (1, 2) for place in range(1, 11)])
        self.assertEqual({read_header(volume.getFileName()).size for volume in motions}, {(BOX,) * 3})
        names = self._data()['particles'].set_index('rlnImageName')['rlnTomoParticleName']
        wanted = set(names[projections.index[projections[1] > 0]])
        selected = read_columns(self.bodies.selectedParticles, ['_particleName'])
        self.assertEqual(set(selected['_particleName']), wanted)
        ids = read_columns(self.bodies.outputParticles, ['_particleName'])
        known = dict(zip(ids['_particleName'], ids['id']))
        self.assertEqual([known[name] for name in selected['_particleName']], list(selected['id']))

    def test_an_iteration_can_be_the_output(self):
        """A refinement that was stopped is worth its last whole iteration; what was made goes on from there."""
        self.assertEqual([os.path.basename(name) for name in self.early['files']],
                         ['run_it001_body%03d_mean.mrc' % number for number in (1, 2)])
        self.assertEqual(self.early['names'], {'outputBodies', 'outputParticles', 'fscs'})
        self.assertIn('Iteration 1, not the final result.', self.early['summary'])
        complete = self.bodies.getCompleteIterations()
        self.assertEqual(complete, list(range(1, complete[-1] + 1)))
        self.assertGreater(complete[-1], 1)
        self.assertFalse([name for name in os.listdir(self.bodies._getJobPath()) if '_ct' in name])
        with open(self.bodies._getExtraPath('run.sh')) as handle:
            self.assertIn('run_it001_optimiser.star', handle.read())

    def test_the_summary_tells_bodies_and_motions(self):
        """People read it before they look at anything else."""
        told = '\n'.join(self.bodies.summary())
        for words in ('Started from iteration %d of' % ITERATIONS, 'Body 1: ', 'Body 2: ', '%d particles.' % NUMBER,
                      'of the variance', 'selected along motion 1'):
            self.assertIn(words, told)
        self.assertNotIn('None', told)

    def test_analyze_results_shows_everything(self):
        """A line of the window that only shows an error is found by the user otherwise."""
        viewer = ProtStaMultiBodyViewer(project=self.proj)
        viewer.setProtocol(self.bodies)
        for iterations in ('', '1'):
            viewer.iterations.set(iterations)
            for line in ('showFsc', 'showSlices', 'showConvergence', 'showFlexibility', 'showMotions'):
                with self.part(line=line, iterations=iterations):
                    views = viewer._getViews(line)
                    self.assertTrue(len(views) == 1 and isinstance(views[0], FigureView), views)

    def test_figures_show_what_relion_wrote(self):
        """The curve of the other body, or the part of another motion, is believed like the right one."""
        viewer = ProtStaMultiBodyViewer(project=self.proj)
        viewer.setProtocol(self.bodies)
        axes = viewer._getViews('showFsc')[0].figure.axes[-1]
        self.assertEqual((axes.get_xlabel(), axes.get_ylabel()), ('Spatial frequency (1/Å)', 'Fourier shell correlation'))
        for number, curve in enumerate(axes.lines[:2], start=1):
            table = read_star(self.bodies._getJobPath('run_model.star'))['model_body_%d' % number]
            self.assertTrue(curve.get_label().startswith('Body %d: ' % number), curve.get_label())
            np.testing.assert_allclose(curve.get_ydata(), table['rlnGoldStandardFsc'].astype(float))
        bars, *histograms = viewer._getViews('showFlexibility')[0].figure.axes
        variance = self.bodies.getProjections().var(axis=0, ddof=0)
        np.testing.assert_allclose([bar.get_height() for bar in bars.patches], 100 * variance / variance.sum())
        self.assertEqual([sum(bar.get_height() for bar in panel.patches) for panel in histograms], [NUMBER] * 3)

    def test_an_empty_table_is_the_wands(self):
        """Two ways to the same default must not differ."""
        empty = self._new(bodyTable='')
        self.assertEqual(empty.validate(), [])
        filled = self._new(bodyTable=empty.describeBodies())
        self.assertEqual(empty.getBodies(), filled.getBodies())
        self.assertEqual(empty.getBodies()[0].sigma_offset, 2 * PIXEL)

    def test_refusals(self):
        """Each of these ends after RELION has worked for a while, or gives bodies that mean nothing."""
        large, small = self.masks
        other = self.shelf.map('box16.mrc', kind=VolumeMask, size=(16,) * 3)
        high = self.shelf.map('two.mrc', kind=VolumeMask, values=(0.0, 2.0))
        cases = {
            '2D stacks': (self._new(inputRun=self._refinement('class3d')), ('2D stacks', 'run away')),
            'iteration': (self._new(runIteration=7), ('*Iteration of it*', '7', '1, 2, 3')),
            'one mask': (self._new([large], bodyTable=''), ('*Masks of the bodies*', '1', 'two at least')),
            'order': (self._new([small, large]), ('*Masks of the bodies*', 'number 2', 'larger than number 1')),
            'twice': (self._new([large, large]), ('*Masks of the bodies*', 'twice')),
            'box': (self._new([large, other]), ('number 2', '16', '24')),
            'values': (self._new([large, high]), ('number 2', '2', '0 to 1')),
            'table': (self._new(bodyTable='2 10 2'), ('*Table of the bodies*', '1 line', '2 masks')),
            'itself': (self._new(bodyTable='1 10 2\n1 10 2'), ('*Table of the bodies*', 'line 1', 'against body 1')),
            'ranks': (self._new(numberOfMpi=4), ('*MPI', '4', '3 or 5')),
            'range': (self._new(eigenval_max=-1.0), ('*Maximum eigenvalue*', '-1')),
            'run without iterations': (self._new(inputRun=self._refinement(CLASS3D)), ('*Iteration of it*', 'none'))}
        for what, (protocol, words) in cases.items():
            with self.part(refused=what):
                errors = '\n'.join(protocol.validate())
                for word in words:
                    self.assertIn(word, errors)


class TestStaMultiBodyOfStacks(StaCase):
    """2D stacks, for those who want RELION's own way in spite of the warning."""

    _until = 'refine3d'

    def test_stacks_are_refined_and_analysed(self):
        """The program of the analysis ends with an error on 2D stacks, after all the work of the refinement."""
        masks = body_masks(Shelf(self.proj, self.new('ProtStaMask')), self.done['mask'])
        protocol = self.new('ProtStaMultiBody', inputRun=self.done['refine3d'], bodyTable=TABLE, sampling='7.5 degrees',
                            offset_range=1.0, offset_step=1.0, nr_movies=1, numberOfMpi=3)
        for mask in masks:
            protocol.bodyMasks.append(mask)
        self.assertEqual(len(protocol.validate()), 1)
        protocol.stacksToo.set(True)
        self.assertEqual(protocol.validate(), [])
        self.assertTrue(any('run away' in text for text in protocol.warnings()))
        self.road.launch(protocol)
        self.assertEqual(protocol.outputParticles.getSize(), NUMBER)
        self.assertEqual(protocol.outputBodies.getSize(), 2)
        self.assertTrue(protocol.outputMotions.getSize())
        self.assertTrue(protocol.outputParticles.is2D(), 'the copy for the analysis must not become the output')
