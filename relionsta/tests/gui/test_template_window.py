"""Scipion's own window of a template: what it asks, and the workflow that it makes of the answers."""
import json
import os
import tkinter

from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import ScreenMixin, below
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scene_folder
from relionsta.tests.protocols.test_templates import NAMES, find_template


class TestStaTemplateWindow(ScreenMixin, StaCase):
    """`scipion template`."""

    def test_answers_become_a_workflow(self):
        """A folder that the window does not take, or a field too many, stops people at the first step."""
        from scipion.scripts import kickoff
        template = find_template(NAMES[0])
        template.parseContent()
        window = kickoff.KickoffWindow(template, [], True, True, True, True, True)
        self.addCleanup(window.root.destroy)
        window.root.deiconify()
        settle(window.root, 1)
        labels = [widget.cget('text') for widget in below(window.root) if isinstance(widget, tkinter.Label)]
        for title in template.getParams():
            self.assertTrue(any(label.startswith(title) for label in labels), labels)
        view = window.viewWidget
        for title, value in zip(template.getParams(), (scene_folder() / 'aretomo3', scene_folder() / 'picks', 120)):
            view._setValue(title, str(value))
        if os.environ.get('RELIONSTA_PICTURES'):
            settle(window.root, 0.5)
            self.screen.picture(os.path.join(os.environ['RELIONSTA_PICTURES'], 'template.png'))
        view._onReadDataFromTemplateForm()
        self.assertEqual(window.getAction(), kickoff.ACCEPT_BUTTON)
        with open(kickoff.createTemplateFile(template), encoding='utf-8') as workflow:
            nodes = json.load(workflow)
        self.assertEqual(nodes[0]['filesPath'], str(scene_folder() / 'aretomo3'))
        loaded = self.proj.loadProtocols(jsonStr=json.dumps(nodes))
        self.addCleanup(self.proj.deleteProtocol, *loaded.values())
        self.assertEqual(loaded['3'].particleDiameter.get(), 120)
        self.assertEqual(loaded['1'].validate(), [])
        self.assertIsNone(loaded['5'].particle_diameter.get())
