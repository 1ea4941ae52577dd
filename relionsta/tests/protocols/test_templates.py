"""The workflow templates: found by Scipion, every parameter known, the first one run to its end."""
import json
import os
from pathlib import Path

from pyworkflow.project import Manager
from pyworkflow.template import TemplateList

import relionsta
from relionsta.results.maps import read_header
from relionsta.suggest.sizes import suggest_binning, suggest_box, suggest_estep_limit, suggest_mask_diameter
from relionsta.suggest.start import suggest_low_pass
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SCENE, SEED, scene_folder

FOLDER = Path(relionsta.__file__).parent / 'templates'
NAMES = ('sta_1_first_average', 'sta_2_classification', 'sta_3_refinement', 'sta_4_cycle')
#: what every protocol has in an exported workflow, beside its form
COMMON = {'object.className', 'object.id', 'object.label', 'object.comment', '_prerequisites'}
DIAMETER = 120.0


def find_template(name):
    """The template, as Scipion's template command finds it among those of all plugins."""
    found = TemplateList()
    found.addPluginTemplates('relionsta-' + name)
    assert len(found.templates) == 1, name
    found.templates[0].replaceEnvVariables()
    return found.templates[0]


def resolved(name):
    """The workflow file of a template, made by Scipion's template command from `alias=value` arguments."""
    from scipion.scripts import kickoff
    template = find_template(name)
    given = ['aretomo=%s' % (scene_folder() / 'aretomo3'), 'diameter=%g' % DIAMETER,
             'picks=%s' % (scene_folder() / 'picks' / 'all_particles.star')]
    assert kickoff.assignAllParams(given, template), 'it asks for more than %s' % given
    return kickoff.createTemplateFile(template)


def nodes(name):
    """The protocols of a template, by id."""
    path = resolved(name)
    with open(path, encoding='utf-8') as workflow:
        return {node['object.id']: node for node in json.load(workflow)}


class TestStaTemplates(StaCase):
    """Templates against the protocols' forms."""

    def test_scipion_finds_them(self):
        """A template outside of the package's data is not installed, and nobody sees it."""
        templates = {one.getObjId(): one for one in relionsta.Plugin().getTemplates()}
        self.assertEqual(set(templates), {'relionsta-' + name for name in NAMES})
        for template in templates.values():
            self.assertIn('diameter', template.description)
        setup = Path(relionsta.__file__).parent.parent / 'setup.py'
        self.assertIn('templates/*.json.template', setup.read_text(encoding='utf-8'))

    def test_only_what_cannot_be_known_is_asked(self):
        """A number that follows from the data must not be asked for."""
        for name in NAMES:
            with self.part(template=name):
                template = find_template(name)
                template.parseContent()
                self.assertEqual([param.getAlias() for param in template.getParams().values()],
                                 ['aretomo', 'picks', 'diameter'])
                asked = {param.getAlias(): param for param in template.getParams().values()}
                self.assertIsNotNone(asked['aretomo'].validate())  # empty: it must be given
                self.assertIsNone(asked['diameter'].validate())

    def test_every_parameter_is_in_its_form(self):
        """Scipion drops a parameter that a form lacks without a word, and the default runs instead."""
        for name in NAMES:
            for node in nodes(name).values():
                with self.part(template=name, node=node['object.label']):
                    protocol = self.new(node['object.className'])
                    form = {one for one, _ in protocol.getDefinition().iterAllParams()}
                    self.assertEqual(set(node) - COMMON - form, set())
                    unseen = [one for one in set(node) - COMMON
                              if protocol.getParam(one).condition.get() == 'False']
                    self.assertEqual(unseen, [])

    def test_inputs_are_outputs_of_steps_before(self):
        """A pointer to an output that does not exist leaves a scheduled workflow waiting for ever."""
        for name in NAMES:
            known = nodes(name)
            for place, node in enumerate(known.values()):
                earlier = list(known)[:place]
                for key, value in node.items():
                    param = None if key in COMMON else self.new(node['object.className']).getParam(key)
                    if type(param).__name__ != 'PointerParam':
                        continue
                    with self.part(template=name, node=node['object.label'], input=key):
                        source, output = value.split('.')[:2]
                        self.assertIn(source, earlier)
                        made = self.new(known[source]['object.className'])._possibleOutputs
                        names = {getattr(one, 'name', one) for one in made}
                        self.assertIn(output, names)

    def test_optional_inputs_are_waited_for(self):
        """Scipion starts a step when its required inputs are there: without its mask, if that takes longer."""
        for name in NAMES:
            known, before = nodes(name), {}
            for number, node in known.items():
                given = {key: value.split('.')[0] for key, value in node.items() if key not in COMMON
                         and type(self.new(node['object.className']).getParam(key)).__name__ == 'PointerParam'}
                optional = {key for key in given if self.new(node['object.className']).getParam(key).allowsNull.get()}
                waits = {value for key, value in given.items() if key not in optional}
                waits |= set(filter(None, [node.get('_prerequisites')]))
                before[number] = waits.union(*(before[one] for one in waits))
                with self.part(template=name, node=node['object.label']):
                    self.assertEqual({given[key] for key in optional} - before[number], set())

    def test_common_steps_are_the_same(self):
        """The templates go the same way at first; one that was forgotten in a change would differ."""
        first = nodes(NAMES[0])
        for name in NAMES[1:]:
            others = nodes(name)
            self.assertEqual({key: others[key] for key in first}, first)
        third, fourth = nodes(NAMES[2]), nodes(NAMES[3])
        self.assertEqual({key: fourth[key] for key in third}, third)


class TestStaTemplateRun(StaCase):
    """The first template on simulated data, in a project of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own = Manager().createProject('TestStaTemplate', location=str(Path(cls.proj.path).parent))
        os.chdir(cls.own.path)
        cls.runs = cls.own.loadProtocols(resolved(NAMES[2]))  # begins with the steps of the first one
        cls.runs['5'].other_args.set(SEED)  # quick, and the same each time
        cls.runs['5'].nr_iter.set(2)
        for node in ('1', '2', '3', '4', '5'):
            cls.own.launchProtocol(cls.runs[node], wait=True)

    def setUp(self):
        super().setUp()
        for node in ('1', '2', '3', '4', '5'):
            run = self.runs[node]
            self.assertTrue(run.isFinished(), '%s: %s' % (run.getRunName(), run.getErrorMessage()))

    def test_sizes_are_worked_out(self):
        """What ran must be what the suggestions say: nobody looks at these numbers again."""
        binning = suggest_binning(DIAMETER, SCENE.pixel).value
        pixel = SCENE.pixel * binning
        box = suggest_box(DIAMETER, pixel).value
        particles = self.runs['3'].outputParticles
        self.assertEqual((particles.getBoxSize(), particles.getParticleBinning()), (box, binning))
        self.assertAlmostEqual(particles.getSamplingRate(), pixel, places=4)
        self.assertEqual(particles.getSize(), SCENE.series * SCENE.particles)
        average = self.runs['4'].average
        header = read_header(average.getFileName().split(':')[0])
        self.assertEqual(header.size, (box, box, box))
        self.assertAlmostEqual(header.voxel[0], pixel, places=3)
        told = self._told('5')
        self.assertEqual(float(told['--particle_diameter']), suggest_mask_diameter(box, pixel).value)
        self.assertEqual(float(told['--strict_highres_exp']), suggest_estep_limit(pixel).value)
        self.assertEqual(float(told['--ini_high']), 50)  # nobody has measured the first average

    def _told(self, node):
        """What RELION was told, by option."""
        command = self.runs[node].getCommands()[0]
        return dict(zip(command, command[1:]))

    def test_reasons_are_in_the_summaries(self):
        """A number that nobody typed needs its reason."""
        extract, align = '\n'.join(self.runs['3'].summary()), '\n'.join(self.runs['5'].summary())
        self.assertIn('times the particle (120 Å, 24 pixels)', extract)
        self.assertIn('there are no finer ones', extract)
        self.assertIn('90 % of the box', align)
        self.assertIn('Nyquist of particles', align)
        self.assertIn('Initial low-pass filter (A) 50: the resolution of this map is not known', align)

    def test_steps_that_follow_are_valid(self):
        """A node that is refused in the middle of the night stops the whole workflow."""
        for node in ('8', '9'):
            run = self.runs[node]
            self.assertEqual(run.validate(), [], run.getRunName())
            self.own.launchProtocol(run, wait=True)
            self.assertTrue(run.isFinished(), '%s: %s' % (run.getRunName(), run.getErrorMessage()))
        refine = self.runs['10']
        self.assertEqual(refine.validate(), [])
        self.assertEqual([str(one) for one in refine.getPrerequisites()], [str(self.runs['9'].getObjId())])
        told = self._told('10')
        self.assertEqual(told['--particle_diameter'], self._told('5')['--particle_diameter'])
        resolution = self.runs['5'].getModel().resolution
        pixel = self.runs['3'].outputParticles.getSamplingRate()
        self.assertEqual(float(told['--ini_high']), suggest_low_pass(resolution, pixel).value)
        self.assertLessEqual(self.runs['8'].outputParticles.getSize(), self.runs['5'].outputParticles.getSize())
        mask = self.runs['9']
        self.assertEqual(mask.getFilter(), mask.suggestFilter().value)
        self.assertGreaterEqual(mask.getFilter(), 15)
