"""Names of files, folders and numbers that no one can work with are told before the run."""
import shutil
from pathlib import Path

from pyworkflow import Config
from pyworkflow.project import Project

from relionsta import protocols
from relionsta.demo.project import new_protocol
from relionsta.tests.faults.injectors.around import in_folder
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scratch


class TestStaNames(StaCase):
    """What Scipion and the plugin check themselves, without inputs."""

    def test_a_folder_that_a_shell_would_run(self):
        """Scipion starts runs with the folder of the project in a shell's command."""
        place = Path(scratch()) / '$(touch hurt)'
        shutil.rmtree(str(place), ignore_errors=True)
        place.mkdir()
        project = Project(Config.getDomain(), str(place / 'project'))
        with in_folder(str(place)):
            project.create()
            for name in protocols.__all__:
                with self.part(protocol=name):
                    errors = new_protocol(project, name, 'Placed', {}).validate()
                    self.assertEqual(len(errors), 1, errors)
                    self.assertIn('$(touch hurt)', errors[0])
        self.assertEqual([path.name for path in place.iterdir()], ['project'])

    def test_numbers_that_are_none(self):
        """nan and inf are numbers for Scipion's forms, and what RELION makes of them nobody knows."""
        for value in ('nan', 'inf', '-inf'):
            with self.part(value=value):
                protocol = self.new('ProtStaImportAreTomo3', filesPath='/nowhere', pixelSize=float(value))
                self.assertIn('no number', protocol.validate()[0])
