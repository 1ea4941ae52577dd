"""A damaged AreTomo3 folder: what is broken is named, and what is whole can be used."""
import errno
import json
import os
import shutil
from unittest import mock

import mrcfile
import numpy as np

from relionsta.constants import DEFOCUS_HAND
from relionsta.star import read_star
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import OTHER_HAND, SCENE, SETTINGS, copy_of_scene, scene_folder

GOOD, BAD = SCENE.series_names


def _remove_aln(folder):
    (folder / (BAD + '.aln')).unlink()


def _cut_ctf(folder):
    path = folder / (BAD + '_CTF.txt')
    path.write_text(path.read_text()[:400])


def _cut_stack(folder):
    path = folder / (BAD + '.mrc')
    path.write_bytes(path.read_bytes()[:100000])


def _other_tlt(folder):
    path = folder / (BAD + '_TLT.txt')
    path.write_text(''.join(path.read_text().splitlines(True)[:-2]))


def _text_for_numbers(folder):
    path = folder / (BAD + '.aln')
    path.write_text(path.read_text().replace('1.00000', 'nonsense'))


def _turn_back(path, flip):
    """A tomogram of -FlipVol 1 as AreTomo3 writes it with 0 (X, Z from the top, Y) or 2 (X, Y, Z from the top)."""
    volume = mrcfile.read(str(path))[::-1]
    with mrcfile.new(str(path), np.ascontiguousarray(volume if flip else volume.transpose(1, 0, 2)),
                     overwrite=True) as mrc:
        mrc.set_volume()
        mrc.voxel_size = SCENE.voxel


#: what was done to the series, and the file that must be named
DAMAGE = {'no .aln': (_remove_aln, BAD + '.aln'), 'cut _CTF.txt': (_cut_ctf, BAD + '_CTF.txt'),
          'cut stack': (_cut_stack, BAD + '.mrc'), 'other _TLT.txt': (_other_tlt, BAD + '_TLT.txt'),
          'text for numbers': (_text_for_numbers, BAD + '.aln')}


class TestStaImportDamage(StaCase):
    """One series of two is damaged, or both, or only the tomograms cannot be used."""

    def _extract(self, imported, scene, picks='all_particles.star'):
        """Picks and particles of an import."""
        picked = self.run_new('ProtStaImportPicks', filesPath=str(scene / 'picks' / picks),
                              inputTomograms=self.output(imported, 'tomograms'))
        extracted = self.run_new(
            'ProtStaExtract', inputCoordinates=self.output(picked, 'outputCoordinates'),
            inputTiltSeries=self.output(imported, 'tiltSeries'), inputCtfs=self.output(imported, 'ctfs'),
            box_size_angst=SETTINGS.box_angst, binned_size_pix=SETTINGS.box)
        return picked, extracted

    def test_one_of_two_is_left_out_with_its_reason(self):
        """A night's import that ends at the first bad series, or goes on without a word, is lost either way."""
        for number, (what, (damage, file)) in enumerate(DAMAGE.items()):
            with self.part(damage=what):
                folder = copy_of_scene('damage %d' % number)
                damage(folder)
                protocol = self.run_new('ProtStaImportAreTomo3', filesPath=str(folder))
                self.assertEqual(protocol.tiltSeries.getTSIds(), [GOOD])
                self.assertEqual(list(protocol.ctfs.getTSIds()), [GOOD])
                self.assertEqual(list(protocol.tomograms.getTSIds()), [GOOD])
                summary = protocol.summary()
                self.assertTrue(summary[0].startswith('1 of 2 tilt series imported'), summary)
                told = [line for line in summary if line.startswith('%s was left out: ' % BAD)]
                self.assertEqual(len(told), 1, summary)
                self.assertIn(file, told[0])
                with open(protocol._getExtraPath('import_report.txt')) as report:
                    self.assertIn(told[0], report.read())

    def test_the_other_series_can_be_used(self):
        """What was imported must go on: picks of the missing series are named and left out."""
        folder = copy_of_scene('use the other')
        _remove_aln(folder)
        imported = self.run_new('ProtStaImportAreTomo3', filesPath=str(folder))
        picked, extracted = self._extract(imported, scene_folder())
        self.assertEqual(picked.outputCoordinates.getSize(), SCENE.particles)
        self.assertTrue([line for line in picked.summary() if 'Left out: %d picks' % SCENE.particles in line
                         and BAD in line], picked.summary())
        self.assertEqual(extracted.outputParticles.getSize(), SCENE.particles)
        self.assertEqual(extracted.outputParticles.getTSIds(), [GOOD])

    def test_both_broken_is_refused_with_the_reason(self):
        """Nothing to import is known in a second; it must not wait in a queue first."""
        folder = copy_of_scene('both broken')
        for name in SCENE.series_names:
            (folder / (name + '.aln')).unlink()
        errors = self.new('ProtStaImportAreTomo3', filesPath=str(folder)).validate()
        self.assertEqual(len(errors), 2)
        for name, message in zip(SCENE.series_names, errors):
            self.assertIn('*Folder or pattern*: %s' % name, message)
            self.assertIn(name + '.aln', message)

    def test_flipped_tomograms_are_turned(self):
        """Picks from a tomogram with exchanged or mirrored axes are mirror images: every average of them is noise."""
        for flip in (0, 2):
            with self.part(flip=flip):
                folder = copy_of_scene('flipped %d' % flip)
                session = folder / 'AreTomo3_Session.json'
                content = json.loads(session.read_text())
                content['parameters']['FlipVol'] = flip
                session.write_text(json.dumps(content))
                expected = {name: mrcfile.read(str(folder / (name + '_Vol.mrc'))) for name in SCENE.series_names}
                for name in SCENE.series_names:
                    _turn_back(folder / (name + '_Vol.mrc'), flip)
                protocol = self.run_new('ProtStaImportAreTomo3', filesPath=str(folder))
                self.assertEqual(protocol.tomograms.getSize(), 2)
                for tomogram in protocol.tomograms.iterItems():
                    with mrcfile.open(tomogram.getFileName()) as mrc:
                        np.testing.assert_array_equal(mrc.data, expected[tomogram.getTsId()])
                        self.assertAlmostEqual(float(mrc.voxel_size.x), SCENE.voxel, places=4)
                with open(protocol._getExtraPath('import_report.txt')) as report:
                    self.assertEqual(report.read().count('FlipVol %d' % flip), 2)

    def test_files_can_be_copied_or_taken_by_a_pattern(self):
        """Data on a disk that will be taken away must be copied; a pattern takes a part of a folder."""
        folder = copy_of_scene('copied')
        protocol = self.run_new('ProtStaImportAreTomo3', filesPath=str(folder / (GOOD + '*.aln')), copyFiles=True)
        self.assertEqual(protocol.tiltSeries.getTSIds(), [GOOD])
        for path in (protocol.tiltSeries.getFirstItem().getFirstItem().getFileName(),
                     protocol.tomograms.getFirstItem().getFileName()):
            self.assertTrue(os.path.isfile(path) and not os.path.islink(path), path)

    def test_a_full_disk_is_no_damaged_series(self):
        """A series that did not fit was told as damaged, and the import was a success with those that did."""
        for part in ('_Vol', '.mrc'):
            with self.part(full_at=part):
                protocol = self.new('ProtStaImportAreTomo3', filesPath=str(scene_folder() / 'aretomo3'), copyFiles=True)
                self.proj.saveProtocol(protocol)
                protocol.makePathsAndClean()
                copy = shutil.copyfile

                def fill(source, target, part=part, copy=copy):
                    if BAD in target and part in target:
                        raise OSError(errno.ENOSPC, 'No space left on device', target)
                    return copy(source, target)
                with mock.patch.object(shutil, 'copyfile', fill), self.assertRaisesRegex(OSError, 'No space left'):
                    protocol.importStep()
                self.proj.deleteProtocol(protocol)


class TestStaDefocusHand(StaCase):
    """rlnTomoHand from the import to RELION's file: no picture shows a wrong one."""

    CHOICES = (('-1', SCENE, -1), ('+1', SCENE, 1), ("as AreTomo3's files suggest", SCENE, -1),
               ("as AreTomo3's files suggest", OTHER_HAND, 1))

    def test_hand_reaches_relion(self):
        """Also after the project was closed and opened again, when an attribute that was only in memory is gone."""
        for choice, parameters, expected in self.CHOICES:
            with self.part(choice=choice, scene=parameters.hand):
                scene = scene_folder(parameters)
                imported = self.run_new('ProtStaImportAreTomo3', filesPath=str(scene / 'aretomo3'), hand=choice)
                self.assertEqual(getattr(self.reloaded(imported).ctfs, DEFOCUS_HAND).get(), expected)
                self.assertEqual(self.reloaded(imported).ctfs.getSetOfTiltSeries().getSize(), SCENE.series)
                picked, extracted = TestStaImportDamage._extract(self, imported, scene)
                table = read_star(extracted._getInputPath('tomograms.star'), ['global'])['global']
                self.assertEqual(list(table['rlnTomoHand']), [expected] * SCENE.series)
                self.assertIn('Handedness of defocus %+d.' % expected, extracted.summary())

    def test_the_form_of_extraction_has_the_last_word(self):
        """CTFs of another plugin know no hand, and what was imported may prove wrong."""
        self.road.until('import_picks')
        imported, picked = self.done['import_aretomo3'], self.done['import_picks']
        values = dict(inputCoordinates=self.output(picked, 'outputCoordinates'),
                      inputTiltSeries=self.output(imported, 'tiltSeries'), inputCtfs=self.output(imported, 'ctfs'))
        self.assertEqual(self.new('ProtStaExtract', hand='+1', **values).getHand(), 1)
        self.assertEqual(self.new('ProtStaExtract', hand='-1', **values).getHand(), -1)
        self.assertEqual(self.new('ProtStaExtract', **values).getHand(), SCENE.hand)
