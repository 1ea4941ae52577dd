"""The report of a project: every run, in order, with what it was asked and what came out."""
import base64
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

from relionsta.report.chain import runsInOrder, runsUpTo, sourcesOf
from relionsta.report.figures import figuresOf
from relionsta.report.ladder import comparisons
from relionsta.report.make import makeReport
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS, scratch

CHAIN = ('import', 'picks', 'extract', 'reconstruct', 'class3d')


class TestStaReport(StaCase):
    """What a group keeps of a project when the disks are cleaned."""

    _until = 'class3d'

    def test_runs_come_after_what_they_take(self):
        """A report that starts in the middle cannot be followed."""
        there = {run.getObjId() for run in self.proj.getRuns(refresh=True)}
        for runs in (runsInOrder(self.proj), runsUpTo(self.proj, self.done['class3d'])):
            numbers = [run.getObjId() for run in runs]
            self.assertEqual(len(set(numbers)), len(numbers))
            for place, run in enumerate(runs):
                before = {source.getObjId() for source in sourcesOf(run)} & there  # other tests delete runs
                self.assertTrue(before <= set(numbers[:place]), run.getRunName())
        asked = {self.done[job].getObjId() for job in CHAIN if job in self.done}
        self.assertTrue(asked <= set(numbers), (asked, numbers))
        self.assertEqual(numbers[-1], self.done['class3d'].getObjId())

    def test_report_of_a_chain(self):
        """A figure, command or setting that is left out, or is another run's, tells a wrong story."""
        run = self.done['class3d']
        said = []
        path = Path(makeReport(self.proj, str(Path(str(scratch())) / 'report.html'), run, say=said.append))
        html = path.read_text(encoding='utf-8')
        runs = runsUpTo(self.proj, run)
        sections = re.findall(r'<section id="run-(\d+)">(.*?)</section>', html, re.DOTALL)
        self.assertEqual([int(number) for number, _ in sections], [one.getObjId() for one in runs])
        own = sections[-1][1]
        pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', own)
        self.assertEqual(len(pictures), len(figuresOf(run, self.proj, said.append)))
        self.assertGreater(len(pictures), 1)
        self.assertTrue(all(base64.b64decode(one).startswith(b'\x89PNG') for one in pictures))
        text = unescape(re.sub(r'<[^>]+>', '\n', own))
        self.assertIn('relion_refine', text)
        self.assertIn('--tau2_fudge', text)
        label = run.getParam('particle_diameter').getLabel()
        self.assertIn('%s\n\n%g' % (label, SETTINGS.diameter), re.sub('\n+', '\n\n', text).replace('.0\n', '\n'))
        self.assertNotIn(run.getParam('sym_name').getLabel() + '\n', text)  # as by default
        self.assertIn(str(self.done['extract'].getRunName()), text)
        self.assertIn('https://doi.org/', html)
        self.assertIn('RELION', html)

    def test_command_line(self):
        """The report without a window, of a whole project or of a chain; a wrong number is told with the right ones."""
        target = Path(str(scratch())) / 'from the command line.html'
        command = [sys.executable, '-m', 'relionsta', 'report', self.proj.path, '--output', str(target)]
        number = self.done['extract'].getObjId()
        done = subprocess.run(command + ['--run', str(number)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, check=False)
        self.assertEqual((done.returncode, done.stdout.strip()), (0, str(target)), done.stderr)
        self.assertIn('id="run-%d"' % number, target.read_text(encoding='utf-8'))
        self.assertNotIn('id="run-%d"' % self.done['class3d'].getObjId(), target.read_text(encoding='utf-8'))
        done = subprocess.run(command + ['--run', '999999'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn('%d (%s)' % (number, self.done['extract'].getRunName()), done.stderr)

    def test_runs_of_a_job_side_by_side(self):
        """Two runs that differ in one number must not look alike, and nothing else may look different."""
        first = self.done['class3d']
        second = self.proj.copyProtocol(first)
        second.tau_fudge.set(3.5)
        second.setObjLabel('T of 3.5')
        table = comparisons([first, second])[0]
        self.assertEqual(list(table.header), ['Parameter', first.getRunName(), 'T of 3.5'])
        changed = {row[0]: row[1:] for row in table.rows}
        label = first.getParam('tau_fudge').getLabel()
        self.assertEqual(changed.pop(label), ['%s' % first.tau_fudge.get(), '3.5'])
        self.assertIn('Result', changed)
        self.assertTrue(set(changed) <= {'Result'}, changed)
