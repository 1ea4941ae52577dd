"""The road of the tutorial: its graph is whole, and what its data set states is wrong where it should be."""
import json

from pyworkflow.protocol import params

from relionsta.demo.road import make_road
from relionsta.demo.run import SUMMARY, TUTORIAL, finish_plan
from relionsta.demo.tutorial import goals
from relionsta.demo.tutorial_road import make_tutorial
from relionsta.jobs.option import Kind
from relionsta.results.ladder import Rung
from relionsta.simulate.ideal import true_parameters_resolution
from relionsta.simulate.presets import TUTORIAL_SCENE, TUTORIAL_SETTINGS
from relionsta.simulate.scene import make_scene
from relionsta.simulate.series_errors import SeriesErrors, series_errors
from relionsta.simulate.truth import read_truth
from relionsta.star import read_star
from relionsta.tests.find import relion_home
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scene_folder, scratch
from relionsta.tests.protocols.series_scene import BOX, WRONG, SeriesCase

#: The demo's part of the road is run by test_road.
_BEGINNING = 10


class TestTutorialRoad(StaCase):
    """Every step made, none run: its inputs are outputs of steps before it, of the class that its form asks for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.steps = make_tutorial('scene')
        cls.made = {step.job: cls.new(step.protocol) for step in cls.steps[:_BEGINNING]}
        for step in cls.steps[_BEGINNING:]:
            cls.made[step.job] = cls.new(step.protocol, **step.parameters(cls.made, TUTORIAL_SETTINGS))

    def _inputs(self):
        """Job, name of the parameter, and pointer, of every input of the steps after the demo's."""
        for step in self.steps[_BEGINNING:]:
            for name, pointer in self.made[step.job].iterInputAttributes():
                yield step.job, name, pointer

    def test_road_begins_as_the_demo_and_goes_on(self):
        """A step that is twice in it, or has no label of its own, would be taken for finished on a second start."""
        jobs, labels = [step.job for step in self.steps], [step.label for step in self.steps]
        self.assertEqual(jobs[:_BEGINNING], [step.job for step in make_road('scene')])
        self.assertEqual((len(set(jobs)), len(set(labels))), (len(jobs), len(jobs)))
        wanted = ['CtfRefine', 'Polish', 'CtfRefine', 'Polish']
        self.assertEqual([step.protocol[len('ProtSta'):] for step in self.steps if step.protocol[7:] in wanted], wanted)

    def test_inputs_are_outputs_of_steps_before(self):
        """An output whose name was changed in its protocol would stop the tutorial after a quarter of an hour."""
        jobs = {id(protocol): job for job, protocol in self.made.items()}
        order = [step.job for step in self.steps]
        for job, name, pointer in self._inputs():
            with self.part(job=job, input=name):
                source = pointer.getObjValue()
                self.assertLess(order.index(jobs[id(source)]), order.index(job))
                outputs = source._possibleOutputs
                if pointer.getExtended():
                    names = outputs if isinstance(outputs, dict) else {one.name: one.value for one in outputs}
                    given = names[pointer.getExtended().split('.')[0]]
                else:
                    given = type(source)
                asked = {one.strip() for one in self.made[job].getParam(name).pointerClass.get().split(',')}
                self.assertTrue(asked & {one.__name__ for one in given.__mro__}, '%s is no %s' % (given, asked))

    def test_no_input_is_left_empty(self):
        """The same for an input that a step forgot. The cycle needs those, too, that the form leaves free."""
        looked = 0
        for step in self.steps[_BEGINNING:]:
            protocol, cycle = self.made[step.job], step.protocol in ('ProtStaCtfRefine', 'ProtStaPolish')
            for name, value in protocol.iterDefinitionAttributes():
                asked = protocol.getParam(name)
                if isinstance(asked, params.PointerParam) and (cycle or not asked.allowsNull.get()):
                    looked += 1
                    with self.part(job=step.job, input=name):
                        self.assertTrue(value.hasValue() or not protocol.evalParamCondition(name))
        self.assertGreater(looked, len(self.steps) - _BEGINNING)

    def test_settings_are_accepted_by_their_jobs(self):
        """A number outside of what RELION takes is refused by the form, in the middle of the road."""
        for step in self.steps[_BEGINNING:]:
            protocol = self.made[step.job]
            values = protocol._job.defaults()
            for option in protocol._job.options:
                if option.name == 'nr_mpi':
                    values[option.name] = protocol.numberOfMpi.get()
                elif option.name in protocol._filledIn:  # inputs; any file will do
                    if option.kind is Kind.PATH and option.name != 'fn_cont':
                        values[option.name] = 'half1.mrc'
                elif getattr(protocol, option.name, None) is not None:
                    param, value = protocol.getParam(option.name), getattr(protocol, option.name).get()
                    if value is not None:
                        values[option.name] = param.choices[value] if isinstance(param, params.EnumParam) else value
            with self.part(job=step.job):
                self.assertEqual([one for one in protocol._job.problems(values) if one.fatal], [])

    def test_boxes_are_as_wide_everywhere(self):
        """Fourier shells of two rungs are the same only where the boxes are; the refinements' reference must fit too."""
        one = TUTORIAL_SETTINGS
        self.assertAlmostEqual(one.reference_box * TUTORIAL_SCENE.pixel, one.box_angst)
        self.assertEqual(one.box_angst / one.fine_box, one.pixel / 2)
        self.assertGreater(one.box_angst, one.diameter)

    def test_scene_has_every_error(self):
        """The tutorial shows the repair of these; a scene without one of them would show it done."""
        scene = TUTORIAL.scene
        self.assertGreaterEqual(min(abs(error) for error in scene.defocus_error), 1500)
        self.assertGreaterEqual(scene.tilt_shift_error, 5)
        for name in ('motion', 'pick_angle_error', 'pick_shift_error', 'decoys', 'empty_picks'):
            self.assertGreater(getattr(scene, name), 0, name)

    def test_goals_on_known_numbers(self):
        """The verdict of the summary: exactly what was asked for must pass, anything less must not."""
        def rungs(*resolutions):
            return [Rung(str(number), one, 3.0, 64) for number, one in enumerate(resolutions)]

        before, after = SeriesErrors(1500.0, 6.0), SeriesErrors(499.0, 1.99)
        good = goals(rungs(16.0, 17.45, 12.0, 9.6, 8.35), 0.45, 8.0, before, after)
        self.assertEqual([goal.value for goal in good][:3], [1, 0.45, 1])
        self.assertTrue(all(goal.reached for goal in good))
        bad = goals(rungs(16.0, 19.2, 12.0, 9.6, 8.73), 0.24, 8.0, before, SeriesErrors(510.0, 2.1))
        self.assertEqual([goal.reached for goal in bad], [False] * 5)
        self.assertEqual(bad[2].value, 2)
        better = goals(rungs(16.0, 8.0), 0.5, 8.35, before, after)
        self.assertTrue(better[2].reached)
        json.dumps([goal._asdict() for goal in good])

    def test_missed_goal_is_named_and_fails_the_command(self):
        """A tutorial that no longer shows what it is for would pass unseen wherever only the exit code is looked at."""
        rungs = [Rung('first', 16.0, 3.0, 64), Rung('last', 8.73, 3.0, 64)]
        folder, before = scratch() / 'verdict', SeriesErrors(1500.0, 6.0)
        for best, code, named in ((8.35, 0, 0), (8.0, 1, 1)):
            found = goals(rungs, 0.45, best, before, SeriesErrors(100.0, 1.0))
            summary = {'goals': [dict(goal._asdict(), reached=goal.reached) for goal in found]}
            plan, said = TUTORIAL._replace(finish=lambda *_, told=summary: told), []
            with self.part(best=best):
                folder.mkdir(exist_ok=True)
                self.assertEqual(finish_plan(plan, folder, {}, [], said.append), code)
                self.assertEqual(json.loads((folder / SUMMARY).read_text()), summary)
                missed = [line for line in said if line.startswith('Not reached')]
                self.assertEqual(len(missed), named)
                self.assertTrue(all('true parameters give is 2' in line for line in missed), missed)
        self.assertEqual(finish_plan(plan._replace(finish=lambda *_: {}), folder, {}, [], said.append), 0)


class TestFirstReference(StaCase):
    """Where the demo's road ends and the cycle begins."""

    _until = 'refine3d'

    def test_first_reference_is_accepted(self):
        """With real inputs the form itself must say yes."""
        step = make_tutorial('scene')[_BEGINNING]
        parameters = dict(step.parameters(self.done, TUTORIAL_SETTINGS), box_size=48)
        self.assertEqual(self.new(step.protocol, **parameters).validate(), [])


class TestInjectedErrors(SeriesCase):
    """Errors are in what the data set states, and not in its images."""

    def test_import_states_the_errors(self):
        """Errors that do not reach Scipion's sets would make the cycle look as if it had nothing to do."""
        errors = series_errors(make_scene(WRONG), self.extracted.outputParticles.getTomogramsStar())
        self.assertTrue(1200 <= errors.median_defocus_error_A <= 1500, errors)
        self.assertAlmostEqual(errors.rms_tilt_shift_error_A, WRONG.tilt_shift_error, delta=1.2)

    def test_images_are_made_with_the_true_parameters(self):
        """The same particles, mask and half sets: true parameters must be much better than what is stated."""
        average = self.output(self.average, 'average')
        mask = self.run_new('ProtStaMask', inputVolume=average, lowpass_filter=20.0, extend_inimask=2, width_mask_edge=4)
        stated = self.run_new('ProtStaPostProcess', inputVolume=average, do_auto_bfac=False,
                              solventMask=self.output(mask, 'solventMask')).getResult().resolution
        halved = read_star(self.average._getExtraPath('job000', 'particles.star'), ['particles'])['particles']
        best = true_parameters_resolution(read_truth(scene_folder(WRONG)), halved, mask.solventMask.getFileName(), BOX,
                                          scratch() / 'true_parameters', relion_home() / 'bin')
        self.assertLess(best, 0.75 * stated)
