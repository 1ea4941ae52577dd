"""Runs whose folders were deleted by hand, and projects that are none: what checks and reports say of them."""
import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pyworkflow.protocol.constants import (
    STATUS_ABORTED,
    STATUS_FAILED,
    STATUS_FINISHED,
    STATUS_LAUNCHED,
    STATUS_RUNNING,
    STATUS_SAVED,
)

from relionsta.report.check import messages, waits
from relionsta.report.make import makeReport
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import scratch


class TestStaGone(StaCase):
    """Disks are cleaned by hand, and disks of others are not connected: Scipion then answers with SQLite's words."""

    _until = 'reconstruct'

    @contextlib.contextmanager
    def _away(self, run):
        """Within: the folder of a run is not there; sets that have read it once are read afresh, as when Scipion starts."""
        os.rename(run._getPath(), run._getPath() + '.away')
        try:
            yield
        finally:
            shutil.rmtree(run._getPath(), ignore_errors=True)  # SQLite makes files where it looks for them
            os.rename(run._getPath() + '.away', run._getPath())

    def _told(self, run):
        """The errors of a run, read afresh."""
        errors, _ = messages(self.reloaded(run))
        return '\n'.join(errors)

    def test_inputs_that_are_gone_are_named(self):
        """"SqliteFlatMapperException" and a traceback say nothing of which input it is, nor what to do."""
        extract = self.done['extract']
        class3d = self.new('ProtStaClass3D', inputParticles=self.output('extract', 'outputParticles'))
        self.proj.saveProtocol(class3d)
        items = self.done['extract'].outputParticles.getFileName()
        for run in (self.done['reconstruct'], class3d):
            self.assertNotIn('is not there', self._told(run))
        with self._away(extract):
            for run in (self.done['reconstruct'], class3d):
                with self.part(run=run.getRunName()):
                    told = self._told(run)
                    for words in ('*Particles*', items, 'choose another input'):
                        self.assertIn(words, told)
                    self.assertNotIn('Traceback', told)
            os.makedirs(os.path.dirname(items))
            open(items, 'w').close()  # as SQLite leaves it
            self.assertIn('*Particles*', self._told(class3d))
        self.assertNotIn('is not there', self._told(class3d))
        self.proj.deleteProtocol(class3d)

    def test_an_item_of_a_set_that_is_gone(self):
        """A pointer to an item makes Scipion open the set before anything is checked: all of the check was lost."""
        extract = self.done['extract']
        item = self.output('extract', 'outputParticles.1')
        mask = self.new('ProtStaMask', inputVolume=item)
        self.proj.saveProtocol(mask)
        with self._away(extract):
            self.assertIn(extract.outputParticles.getFileName(), self._told(mask))
        self.proj.deleteProtocol(mask)

    def test_the_report_of_the_others_is_made(self):
        """One folder that is gone must not cost the report of a project of months."""
        said, path = [], str(Path(str(scratch())) / 'gone.html')
        project = self.reloaded(self.done['reconstruct']).getProject()
        with self._away(self.done['extract']):
            makeReport(project, path, project.getProtocol(self.done['reconstruct'].getObjId()), say=said.append)
        text = Path(path).read_text(encoding='utf-8')
        for job in ('extract', 'reconstruct'):
            self.assertIn('id="run-%d"' % self.done[job].getObjId(), text)
        items = self.done['extract'].outputParticles.getFileName()
        self.assertTrue(any(items in line and line.startswith(self.done['extract'].getRunName()) for line in said), said)

    def test_what_is_no_project(self):
        """A wrong folder, a cut database or a report that cannot be written is a sentence, and nothing is made there."""
        place = Path(str(scratch())) / 'no projects'
        for name, content in (('cut', b''), ('overwritten', b'junk' * 1000), ('empty', None)):
            (place / name).mkdir(parents=True, exist_ok=True)
            if content is not None:
                (place / name / 'project.sqlite').write_bytes(content)
        (place / 'folder' / 'project.sqlite').mkdir(parents=True, exist_ok=True)
        for name, words in (('cut', 'is no database'), ('overwritten', 'is no database'), ('empty', 'no Scipion project'),
                            ('folder', 'cannot be read'), ('not there', 'no Scipion project')):
            for command in ('check', 'report'):
                with self.part(project=name, command=command):
                    self._check_command([command, str(place / name)], words)
        self.assertEqual((place / 'cut' / 'project.sqlite').read_bytes(), b'')
        self._check_command(['report', self.proj.path, '--run', self.done['extract'].strId(), '--output',
                             str(place / 'none' / 'r.html')], '--output')

    def _check_command(self, arguments, words):
        done = subprocess.run([sys.executable, '-m', 'relionsta', *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(words, done.stderr)
        self.assertNotIn('Traceback', done.stderr)

    def test_runs_at_work_are_not_checked(self):
        """A run that works is not "about to start"; what keeps it from that is no news."""
        run = self.new('ProtStaMask')
        self.proj.saveProtocol(run)
        for status, waiting in ((STATUS_SAVED, True), (STATUS_FAILED, True), (STATUS_ABORTED, True), (STATUS_RUNNING, False),
                                (STATUS_LAUNCHED, False), (STATUS_FINISHED, False)):
            with self.part(status=status):
                run.setStatus(status)
                self.assertEqual(waits(run), waiting)
        self.proj.deleteProtocol(run)
