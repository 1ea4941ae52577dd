"""Export to RELION: what RELION itself makes of the folder, and what became of the sources."""
import os
import shutil
import subprocess

import mrcfile
import numpy as np
from pwem.objects import VolumeMask

from relionsta import geometry
from relionsta.convert.bulk import read_columns
from relionsta.convert.coordinates import coordinates_table
from relionsta.convert.poses import ANGLES, COORDINATES
from relionsta.runtime.build import find_build
from relionsta.simulate.truth import compare_poses, read_truth
from relionsta.star import read_star
from relionsta.star.cells import read_cells
from relionsta.star.optimisation_set import read_optimisation_set
from relionsta.star.paths import PATH_LABELS
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SETTINGS, scene_folder, scratch
from relionsta.tests.protocols.shelf import Shelf

NUMBER = SCENE.series * SCENE.particles
JOBS = ['Import', 'Import', 'Extract', 'External', 'Reconstruct', 'Class3D', 'Class3D', 'MaskCreate', 'Refine3D',
        'PostProcess']


def named_files(folder):
    """(STAR file, name) of every file that the STAR files of an exported folder name, as RELION started there sees it."""
    for head, _, files in os.walk(str(folder)):
        for file in files:
            path = os.path.join(head, file)
            if file.endswith('.star') and '.Nodes' not in path and not file.endswith('_pipeline.star'):
                for block in read_cells(path).values():
                    for label in set(block.columns) & (PATH_LABELS - {'rlnOutputRootName'}):
                        for cell in set(block.columns[label]) - {'', 'None'}:
                            yield path, cell.split('@')[-1].split(':')[0]


def state_of(folder):
    """Path -> (size, time) of all files of a folder."""
    return {path: (os.stat(path).st_size, os.stat(path).st_mtime_ns) for path in
            (os.path.join(head, file) for head, _, files in os.walk(folder) for file in files)
            if not path.endswith(('.db', '.sqlite', '.sqlite-journal'))}


class TestStaExportRelion(StaCase):
    """The road's result in a project of RELION, in a folder with a blank in its name."""

    _until = 'postprocess'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.before = state_of('Runs')
        cls.folder = scratch() / 'project of RELION'
        shutil.rmtree(str(cls.folder), ignore_errors=True)
        cls.export = cls.run_new('ProtStaExportRelion', inputResult=cls.output('postprocess', 'sharpenedVolume'),
                                 exportFolder=str(cls.folder))

    def _relion(self, program, *arguments, folder=None):
        home = find_build().home / 'bin'
        done = subprocess.run([str(home / program), *arguments], cwd=str(folder or self.folder), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True, timeout=300,
                              env=dict(os.environ, PATH='%s:%s' % (home, os.environ['PATH'])))
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])
        return done.stdout

    def _stars(self, name, output=('refine3d', 'outputParticles'), **values):
        folder = scratch() / name
        shutil.rmtree(str(folder), ignore_errors=True)
        self.run_new('ProtStaExportRelion', inputResult=self.output(*output), exportFolder=str(folder), **values)
        return folder

    def _pipeline(self, folder=None):
        return read_star((folder or self.folder) / 'default_pipeline.star')

    def test_each_step_is_a_finished_job(self):
        """A step that is missing or unfinished cannot be started again or be the input of the next in RELION."""
        jobs = self._pipeline()['pipeline_processes']
        self.assertEqual([name.split('/')[0] for name in jobs['rlnPipeLineProcessName']], JOBS)
        self.assertEqual(set(jobs['rlnPipeLineProcessStatusLabel']), {'Succeeded'})
        self.assertEqual(self._pipeline()['pipeline_general']['rlnPipeLineJobCounter'].iloc[0], len(JOBS) + 1)
        for name in jobs['rlnPipeLineProcessName']:
            with self.part(job=name):
                there = set(os.listdir(str(self.folder / name)))
                self.assertLessEqual({'job.star', 'job_pipeline.star', 'note.txt', 'run.out', 'run.err',
                                      'RELION_JOB_EXIT_SUCCESS'}, there)
        self.assertNotIn('\x1b', (self.folder / 'Refine3D/job009/run.out').read_text())

    def test_jobs_read_the_files_of_the_jobs_before(self):
        """Edges to the wrong files show a history in RELION's GUI that never was."""
        edges = self._pipeline()['pipeline_input_edges']
        read = edges.groupby('rlnPipeLineEdgeProcess')['rlnPipeLineEdgeFromNode'].apply(set)
        self.assertEqual(read['Extract/job003/'], {'Import/job001/tomograms.star', 'Import/job002/particles.star'})
        self.assertEqual(read['PostProcess/job010/'], {'Refine3D/job009/run_half1_class001_unfil.mrc',
                                                       'MaskCreate/job008/mask.mrc'})
        self.assertIn('Extract/job003/particles.star', read['Class3D/job006/'])
        self.assertIn('Reconstruct/job005/merged.mrc', read['Class3D/job006/'])
        for name in self._pipeline()['pipeline_nodes']['rlnPipeLineNodeName']:
            self.assertTrue((self.folder / name).is_file(), name)

    def test_all_names_lead_to_files_inside(self):
        """A name that counts from Scipion's project is a job in RELION that fails, or reads what it should not."""
        found = list(named_files(self.folder))
        self.assertGreater(len(found), 5 * NUMBER)
        for star, name in found:
            self.assertFalse(os.path.isabs(name) or name.startswith('Runs'), '%s: %s' % (star, name))
            if not name.endswith('it000_sampling.star'):  # RELION names it and does not write it
                self.assertTrue((self.folder / name).is_file(), '%s: %s' % (star, name))

    def test_particles_are_those_of_the_runs(self):
        """Values that change on their way out are another refinement."""
        ours = self.rows(read_columns(self.done['refine3d'].outputParticles, ['_particlesStar'])['_particlesStar'][0])
        theirs = self.rows(self.folder / 'Refine3D/job009/run_data.star')
        self.assertEqual(len(theirs), NUMBER)
        others = [label for label in ours if label not in PATH_LABELS]
        self.assertTrue(ours[others].equals(theirs[others]))

    def test_relion_takes_the_jobs_as_its_own(self):
        """RELION's pipeliner reads the project, makes the same job of each job.star, and gives files the same kinds."""
        asked = scratch() / 'asked project'
        shutil.rmtree(str(asked), ignore_errors=True)
        shutil.copytree(str(self.folder), str(asked), symlinks=True)
        ours = self._pipeline()
        for name, label in zip(*(ours['pipeline_processes'][column] for column in
                                 ('rlnPipeLineProcessName', 'rlnPipeLineProcessTypeLabel'))):
            if name.split('/')[0] in ('Import', 'External'):
                continue
            with self.part(job=name):
                self._relion('relion_pipeliner', '--addJobFromStar', name + 'job.star', folder=asked)
                theirs = self._pipeline(asked)
                new = theirs['pipeline_processes'].iloc[-1]
                self.assertEqual(new['rlnPipeLineProcessTypeLabel'], label)
                self.assertEqual(new['rlnPipeLineProcessStatusLabel'], 'Scheduled')
                self._compare_nodes(ours, name, theirs, new['rlnPipeLineProcessName'])

    def _compare_nodes(self, ours, name, theirs, new):
        kinds = [dict(zip(tables['pipeline_nodes']['rlnPipeLineNodeName'],
                          tables['pipeline_nodes']['rlnPipeLineNodeTypeLabel'])) for tables in (ours, theirs)]
        reads, writes = [], []
        for tables, job in ((ours, name), (theirs, new)):
            edges = tables['pipeline_input_edges']
            reads.append(set(edges['rlnPipeLineEdgeFromNode'][edges['rlnPipeLineEdgeProcess'] == job]))
            edges = tables['pipeline_output_edges']
            writes.append({node[len(job):] for node in
                           edges['rlnPipeLineEdgeToNode'][edges['rlnPipeLineEdgeProcess'] == job]})
        self.assertEqual(reads[0], reads[1])
        both = writes[0] & writes[1]
        self.assertTrue(both)
        self.assertEqual({node: kinds[0][name + node] for node in both}, {node: kinds[1][new + node] for node in both})
        # RELION also notes files that its program does not write.
        self.assertEqual({node for node in writes[1] - both if (self.folder / name / node).exists()}, set())

    def test_jobs_run_in_relion_give_the_same(self):
        """A project that can be looked at and not gone on with is a picture."""
        for name, result in (('PostProcess/job010', 'postprocess.mrc'), ('Reconstruct/job005', 'merged.mrc'),
                             ('Extract/job003', 'Subtomograms/TS_02/%d_stack2d.mrcs' % NUMBER)):
            with self.part(job=name):
                self._relion('relion_pipeliner', '--addJobFromStar', name + '/job.star')
                new = self._pipeline()['pipeline_processes']['rlnPipeLineProcessName'].iloc[-1]
                self._relion('relion_pipeliner', '--RunJobs', new, '--sec_wait_after', '0')
                jobs = self._pipeline()['pipeline_processes'].set_index('rlnPipeLineProcessName')
                self.assertEqual(jobs['rlnPipeLineProcessStatusLabel'][new], 'Succeeded')
                ours, theirs = (mrcfile.read(str(self.folder / job / result)) for job in (name, new))
                self.assertGreater(ours.std(), 0)
                np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-4 * np.abs(ours).max())

    def test_sources_stay_as_they_were(self):
        """An export that writes through a link has changed the results that it was to hand on."""
        after = state_of('Runs')
        self.assertEqual({path: after.get(path) for path in self.before}, self.before)

    def test_copies_stand_alone(self):
        """A copy that still leads to Scipion's project is lost with it."""
        folder = scratch() / 'copied'
        shutil.rmtree(str(folder), ignore_errors=True)
        self.run_new('ProtStaExportRelion', inputResult=self.output('extract', 'outputParticles'), copies=True,
                     exportFolder=str(folder))
        self.assertEqual([path for head, folders, files in os.walk(str(folder)) for path in
                          (os.path.join(head, name) for name in folders + files) if os.path.islink(path)], [])
        self.assertEqual({name.split('/')[0] for name in self._pipeline(folder)['pipeline_processes'][
            'rlnPipeLineProcessName']}, {'Import', 'Extract'})
        for star, name in named_files(folder):
            self.assertTrue((folder / name).is_file(), '%s: %s' % (star, name))

    def test_the_last_step_alone(self):
        """Its inputs must come along, or nothing in the project can be done again."""
        folder = self._stars('alone', output=('refine3d', 'refinedVolume'), steps=1)
        names = list(self._pipeline(folder)['pipeline_processes']['rlnPipeLineProcessName'])
        self.assertEqual([name.split('/')[0] for name in names], ['Import', 'External', 'External', 'Refine3D'])
        kinds = self._pipeline(folder)['pipeline_nodes'].set_index('rlnPipeLineNodeName')['rlnPipeLineNodeTypeLabel']
        self.assertEqual([kind for name, kind in kinds.items() if name.endswith('mask.mrc')], ['Mask3D.mrc'])
        for star, name in named_files(folder):
            if not name.startswith('Class3D'):
                self.assertTrue((folder / name).is_file() or 'Class3D' in star, '%s: %s' % (star, name))

    def test_a_selection_is_a_job_of_its_own(self):
        """Particles that were left out in Scipion would be back in RELION."""
        chosen = self.run_new('ProtStaSelectParticles', inputParticles=self.output('refine3d', 'outputParticles'),
                              operation='by tomogram', tomograms='TS_01')
        folder = self._stars('selected', output=(chosen, 'outputParticles'))
        last = self._pipeline(folder)['pipeline_processes'].iloc[-1]
        self.assertEqual(last['rlnPipeLineProcessTypeLabel'], 'relion.select.interactive')
        rows = self.rows(folder / last['rlnPipeLineProcessName'] / 'particles.star')
        self.assertEqual((len(rows), set(rows['rlnTomoName'])), (SCENE.particles, {'TS_01'}))
        edges = self._pipeline(folder)['pipeline_input_edges']
        self.assertEqual(list(edges['rlnPipeLineEdgeFromNode'][edges['rlnPipeLineEdgeProcess']
                                                               == last['rlnPipeLineProcessName']])[0].split('/')[-1],
                         'run_data.star')

    def test_star_files_serve_relion_where_they_lie(self):
        """Names that count from another folder stop RELION at once, or, worse, later."""
        folder = self._stars('only STAR', kind=1)
        files = read_optimisation_set(folder / 'optimisation_set.star')
        self.assertEqual((files.particles, files.tomograms), ('particles.star', 'tomograms.star'))
        self.assertEqual(len(self.rows(folder / 'particles.star')), NUMBER)
        found = list(named_files(folder))
        self.assertGreater(len(found), NUMBER + 2 * SCENE.series)
        for star, name in found:
            self.assertTrue((folder / name).is_file(), '%s: %s' % (star, name))
        self._relion('relion_tomo_reconstruct_particle', '--i', 'optimisation_set.star', '--o', 'Rec/', '--b',
                     str(SETTINGS.box), '--bin', '%g' % (SETTINGS.pixel / SCENE.pixel), '--j', '1', folder=folder)
        made = mrcfile.read(str(folder / 'Rec' / 'merged.mrc'))
        refined = mrcfile.read(self.done['refine3d'].refinedVolume.getFileName())
        self.assertGreater(np.corrcoef(made.ravel(), refined.ravel())[0, 1], 0.6)

    def test_coordinates_are_the_refined_positions(self):
        """Origins that are not folded in, or folded in twice, put every particle off its place."""
        folder = self._stars('coordinates', kind=2)
        rows = self.rows(folder / 'particles.star')
        self.assertFalse([label for label in rows if 'Origin' in label or 'Subtomogram' in label or 'Image' in label])
        ours = coordinates_table(self.done['refine3d'].outputParticles)
        np.testing.assert_allclose(rows[COORDINATES], ours[COORDINATES], atol=1e-6)
        np.testing.assert_allclose(geometry.euler_to_matrix(rows[ANGLES].to_numpy()),
                                   geometry.euler_to_matrix(ours[ANGLES].to_numpy()), atol=1e-6)
        truth = read_truth(scene_folder()).particles
        here, there = (compare_poses(truth, table, limit_A=SCENE.spacing / 3) for table in (
            rows.reset_index(), coordinates_table(self.done['extract'].outputParticles)))
        self.assertEqual(here.n_matched, NUMBER)
        self.assertLess(here.median_shift_error_A, 0.5 * there.median_shift_error_A)
        self._relion('relion_tomo_subtomo', '--i', 'optimisation_set.star', '--o', 'Again/', '--box_size_A',
                     '%g' % SETTINGS.box_angst, '--binned_size_pix', str(SETTINGS.box), '--stack2d', '--j', '1',
                     folder=folder)
        again = self.rows(folder / 'Again' / 'particles.star')
        np.testing.assert_allclose(again[COORDINATES], rows[COORDINATES], atol=1e-3)

    def test_a_mask_of_another_program_comes_along(self):
        """A mask from elsewhere must be in the project, or its job cannot be run again."""
        shelf = Shelf(self.proj, self.new('ProtStaMask'))
        shelf.map('elsewhere.mrc', kind=VolumeMask)
        made = self.run_new('ProtStaPostProcess', inputVolume=self.output('refine3d', 'refinedVolume'),
                            solventMask=self.output(shelf._protocol, 'item1'), **SETTINGS.postprocess)
        folder = self._stars('a mask', output=(made, 'maskedVolume'))
        tables = self._pipeline(folder)
        kinds = tables['pipeline_nodes'].set_index('rlnPipeLineNodeName')['rlnPipeLineNodeTypeLabel']
        mask = next(name for name in kinds.index if name.endswith('/elsewhere.mrc'))
        self.assertEqual((mask.split('/')[0], kinds[mask]), ('External', 'Mask3D.mrc'))
        edges = tables['pipeline_input_edges']
        self.assertEqual(edges['rlnPipeLineEdgeProcess'][edges['rlnPipeLineEdgeFromNode'] == mask].iloc[0].split('/')[0],
                         'PostProcess')
        self.assertEqual(read_star(next(folder.glob('PostProcess/*/postprocess.star')))['general']['rlnMaskName'].iloc[0],
                         mask)

    def test_refusals(self):
        """Nothing of the user's is ever overwritten, and nothing among the runs is written."""
        full = scratch() / 'full'
        full.mkdir(exist_ok=True)
        (full / 'precious.txt').write_text('mine')
        particles, volume = self.output('refine3d', 'outputParticles'), self.output('postprocess', 'sharpenedVolume')
        cases = [(dict(inputResult=particles, exportFolder=str(full)), 'is not empty'),
                 (dict(inputResult=particles, exportFolder=str(full / 'precious.txt')), 'is no folder'),
                 (dict(inputResult=particles, exportFolder=self.done['extract']._getExtraPath('new')), 'are only read'),
                 (dict(inputResult=volume, kind=1), 'Choose particles'),
                 (dict(inputResult=particles, kind=1, absolute=True), 'with a blank in it')]
        for values, wanted in cases:
            with self.part(wanted=wanted):
                self.assertIn(wanted, '\n'.join(self.new('ProtStaExportRelion', **values).validate()))
        self.assertEqual((full / 'precious.txt').read_text(), 'mine')

    def test_own_folder_where_none_is_given(self):
        """A form that demands a folder, or writes into the working directory, surprises."""
        done = self.run_new('ProtStaExportRelion', inputResult=self.output('extract', 'outputParticles'), kind=2)
        self.assertTrue(os.path.isfile(done._getExtraPath('relion', 'particles.star')))
        self.assertIn('%d particles' % NUMBER, done.summary()[0])
        self.assertIn(os.path.abspath(done._getExtraPath('relion')), done.summary()[0])
