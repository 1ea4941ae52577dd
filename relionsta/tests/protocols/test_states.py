"""Reports and checks of every protocol in every state that a run can be in."""
import os

from pyworkflow.protocol.constants import STATUS_ABORTED, STATUS_FAILED, STATUS_LAUNCHED, STATUS_RUNNING
from pyworkflow.protocol.params import PointerParam

from relionsta import protocols
from relionsta.tests.protocols.case import StaCase


class TestStaStates(StaCase):
    """What the GUI shows of a run must never be an exception."""

    def _reports(self, protocol):
        """All that the GUI asks of a run, in one text."""
        return '\n'.join(protocol.summary() + protocol.methods() + protocol.validate() + protocol.warnings())

    def _check(self, protocol):
        told = self._reports(protocol)
        for word in ('Traceback', 'ERROR generating', 'object has no', 'NoneType', 'Error:'):
            self.assertNotIn(word, told)
        return told

    def test_new_saved_running_failed(self):
        """A form is opened on a new run, and a report on any: most of its inputs and files are not there then."""
        for name in protocols.__all__:
            with self.part(protocol=name):
                protocol = self.new(name)
                self._check(protocol)
                self.proj.saveProtocol(protocol)
                self.assertIn('No output yet.', self._check(protocol))
                for status in (STATUS_LAUNCHED, STATUS_RUNNING):
                    protocol.setStatus(status)
                    self.assertIn('Running', self._check(protocol))
                for status in (STATUS_FAILED, STATUS_ABORTED):
                    protocol.setStatus(status)
                    self._check(protocol)
                self.proj.deleteProtocol(protocol)

    def test_required_inputs_are_named_once(self):
        """An input that is missing must be named by its label, and by nothing that only programmers understand."""
        for name in protocols.__all__:
            with self.part(protocol=name):
                protocol = self.new(name)
                errors = protocol.validate()
                labels = {param.label.get() for key, param in protocol.getDefinition().iterParams()
                          if isinstance(param, PointerParam) and not param.allowsNull
                          and protocol.evalParamCondition(key)}
                if labels:
                    self.assertEqual(sorted(errors), sorted('*%s* cannot be EMPTY.' % label for label in labels))
                else:
                    message = {
                        'ProtStaImportAreTomo3': "*Folder or pattern*: empty. Give AreTomo3's output folder.",
                        'ProtStaImportImod': "*Folder or pattern*: empty. Give IMOD's output folder.",
                        'ProtStaImportRelion': '*STAR file or job folder*: empty. Give the folder of a RELION job, or a '
                                               'STAR file.'}[name]
                    self.assertEqual(errors, [message])

    def test_running_tells_the_progress(self):
        """A refinement takes days: where it is should be seen without reading a log."""
        protocol = self.new('ProtStaClass3D')
        self.proj.saveProtocol(protocol)
        protocol.makePathsAndClean()
        with open(protocol.getStdoutLog(), 'w') as log:
            log.write(' CurrentResolution= 34.3 Angstroms\n Expectation iteration 3 of 25\n')
        protocol.setStatus(STATUS_RUNNING)
        self.assertRegex(protocol.summary()[0], r'Running: iteration 3 of 25.*34\.3 Å')
        self.proj.deleteProtocol(protocol)

    def test_finished_and_then_files_are_gone(self):
        """Disks are cleaned by hand: a run without its files or outputs must say so, in words."""
        self.road.until('mask')
        protocol = self.run_new('ProtStaMask', inputVolume=self.output('reconstruct', 'average'), lowpass_filter=30.0)
        path = protocol.solventMask.getFileName()
        os.rename(path, path + '.away')
        self.assertRegex('\n'.join(protocol.summary()), r'cannot be read: .*mask\.mrc')
        self._check(protocol)
        os.rename(path + '.away', path)
        self.assertNotIn('cannot be read', '\n'.join(protocol.summary()))
        protocol.deleteOutput(protocol.solventMask)
        self.assertIn('The output solventMask was deleted.', protocol.summary())
        self._check(protocol)
