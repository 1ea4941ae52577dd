"""The forms: what is asked, in what words, and that it is all that RELION's GUI asks."""
from unittest import mock

from pyworkflow.protocol.params import EnumParam, PointerParam

from relionsta import protocols
from relionsta.protocols.form import RUN_OPTIONS
from relionsta.tests.protocols.case import StaCase

#: places of Scipion's own in every form
SCIPIONS = ('runName', 'runMode', 'hostName', 'numberOfThreads', 'numberOfMpi', 'expertLevel')


class TestStaForms(StaCase):
    """Every protocol's form."""

    def _all(self):
        return [self.new(name) for name in protocols.__all__]

    def _params(self, protocol):
        return {name: param for name, param in protocol.getDefinition().iterParams() if name not in SCIPIONS}

    def test_every_option_of_the_job_is_in_the_form(self):
        """An option that the form lacks cannot be set by anyone."""
        for protocol in self._all():
            if getattr(protocol, '_job', None) is None:
                continue
            with self.part(protocol=protocol.getClassName()):
                names = {option.name for option in protocol._job.options}
                places = set(self._params(protocol)) | set(protocol._filledIn)
                self.assertEqual(names - places - set(RUN_OPTIONS), set())
                for option, place in RUN_OPTIONS.items():
                    there = protocol.getParam(place) is not None or option in protocol._filledIn
                    self.assertTrue(option not in names or there, option)

    def test_labels_and_helps(self):
        """Two fields of one name cannot be told apart in a message; a field without help cannot be filled in."""
        for protocol in self._all():
            params = self._params(protocol)
            labels = [param.label.get() for name, param in params.items() if self._exists(protocol, name)]
            with self.part(protocol=protocol.getClassName()):
                self.assertEqual(sorted(label for label in set(labels) if labels.count(label) > 1), [])
                for name, param in params.items():
                    self.assertTrue(len(param.help.get() or '') > 20, name)
                    # the Run header has labels of its own for GPUs
                    self.assertTrue(param.label.get('') not in ('', name) or name in RUN_OPTIONS.values(), name)
                    if isinstance(param, EnumParam):
                        self.assertGreater(len(param.choices), 1, name)
                self.assertGreater(len(protocol.getHelpText()), 200)
                self.assertTrue(protocol.citations()[0].startswith('*Protocol references'))

    @staticmethod
    def _exists(protocol, name):
        return protocol.getParam(name).condition.get() != 'False'

    def test_inputs_take_what_the_outputs_are(self):
        """A pointer class that no protocol makes leaves the user in front of an empty list."""
        made = {output.value if hasattr(output, 'value') else protocol._possibleOutputs[output]
                for protocol in self._all() for output in protocol._possibleOutputs}
        made |= {type(protocol) for protocol in self._all()}  # a run that goes on points to another run
        for protocol in self._all():
            for name, param in self._params(protocol).items():
                if isinstance(param, PointerParam):
                    wanted = [one.strip() for one in param.pointerClass.get().split(',')]
                    fits = [cls for cls in made for base in cls.__mro__ if base.__name__ in wanted]
                    self.assertTrue(fits, (protocol.getClassName(), name))

    def test_gpu_numbers_as_relion_takes_them(self):
        """Scipion reads the list of GPUs before every run, and stops at RELION's colons."""
        protocol = self.new('ProtStaClass3D', useGpu=True, gpuList='0:1,2')
        self.assertEqual(protocol.getGpuList(), [0, 1, 2])
        self.assertEqual(self.new('ProtStaClass3D').getGpuList(), [])
        self.assertEqual(self.new('ProtStaMask').getGpuList(), [])

    def test_relion_5_0_gets_the_sizes_of_the_form(self):
        """RELION 5.0 is told binning and boxes in pixels; the form must ask for sizes all the same."""
        self.road.until('import_picks')
        imported = self.done['import_aretomo3']
        with mock.patch('relionsta.protocols.form.relionVersion', return_value=(5, 0)), \
                mock.patch('relionsta.protocols.base.relionVersion', return_value=(5, 0)):
            protocol = self.new(
                'ProtStaExtract', inputCoordinates=self.output('import_picks', 'outputCoordinates'),
                inputTiltSeries=imported.tiltSeries, inputCtfs=imported.ctfs, box_size_angst=200.0, binned_size_pix=20,
                precrop_size_angst=240.0)
            for name in ('box_size_angst', 'binned_size_pix', 'precrop_size_angst', 'do_stack2d'):
                self.assertTrue(protocol.evalParamCondition(name), name)
            for name in ('subtomo_format', 'boxBinning'):
                self.assertFalse(protocol.evalParamCondition(name), name)
            self.assertEqual(protocol.validate(), [])
            command = protocol.getCommands()[0]
        told = dict(zip(command, command[1:]))
        self.assertEqual((told['--bin'], told['--b'], told['--crop']), ('2', '24', '20'))
        self.assertNotIn('--box_size_A', command)
