"""Every protocol refuses what RELION would fail on, or worse, accept: before it starts, and in words that help."""
import os
import re
from typing import Any, Callable, Dict, NamedTuple, Tuple

from pwem.objects import VolumeMask

from relionsta import protocols
from relionsta.protocols.select_particles import SPLIT
from relionsta.tests.protocols.case import StaCase
from relionsta.tests.protocols.scene import SETTINGS
from relionsta.tests.protocols.shelf import Shelf

BOX, PIXEL = SETTINGS.box, SETTINGS.pixel
#: How a message tells what to do.
FIX = re.compile(r'\b(Choose|[Gg]ive|Run|[Ii]mport|Bring|Make|[Cc]orrect|Join|Restore|[Ll]eave|take)\b')
#: What only programmers understand, outside of paths.
FOREIGN = re.compile(r"Traceback|NoneType|object at 0x|<class|\w+Error\b|Prot[A-Z]\w+|SetOf\w+")
PATH = re.compile(r'\S+/\S*')
#: Their inputs take long to make: Scipion asks their checks in the tests that run them.
TRIED_WHERE_THEY_RUN = ('ProtStaCtfRefine', 'ProtStaPolish', 'ProtStaJoin', 'ProtStaLocalResolution', 'ProtStaMultiBody',
                        'ProtStaSubtract', 'ProtStaImportImod', 'ProtStaImportRelion', 'ProtStaRefinementCycle',
                        'ProtStaScan')
#: The road's own choices that a user should think about.
EXPECTED_WARNINGS = {'ProtStaSelectClasses': 'reject'}


class Refusal(NamedTuple):
    """A wrong input. values: of the form, made by a function of the test; words: label and value that must be told."""

    protocol: str
    what: str
    words: Tuple[str, ...]
    values: Callable[['RefusalCase'], Dict[str, Any]]


class RefusalCase(StaCase):
    """Good inputs by name, and a shelf for wrong ones."""

    _until = 'mask'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shelf = Shelf(cls.proj, cls.new('ProtStaMask'))
        imported = cls.done['import_aretomo3']
        cls.series, cls.ctfs, cls.tomograms = imported.tiltSeries, imported.ctfs, imported.tomograms
        cls.coordinates = cls.done['import_picks'].outputCoordinates
        cls.particles = cls.done['extract'].outputParticles
        cls.average, cls.mask = cls.done['reconstruct'].average, cls.done['mask'].solventMask

    def good(self, name):
        """Values of the form with which the protocol is accepted."""
        refine = dict(inputParticles=self.particles, referenceVolume=self.average, particle_diameter=SETTINGS.diameter)
        return {
            'ProtStaImportPicks': dict(inputTomograms=self.tomograms,
                                       filesPath=self.done['import_picks'].filesPath.get()),
            'ProtStaImportAreTomo3': dict(filesPath=self.done['import_aretomo3'].filesPath.get()),
            'ProtStaExtract': dict(inputCoordinates=self.coordinates, inputTiltSeries=self.series, inputCtfs=self.ctfs,
                                   box_size_angst=SETTINGS.box_angst, binned_size_pix=BOX),
            'ProtStaReconstruct': dict(inputParticles=self.particles),
            'ProtStaClass3D': dict(refine, **SETTINGS.class3d),
            'ProtStaMask': dict(inputVolume=self.average, **SETTINGS.mask),
            'ProtStaRefine3D': dict(refine, solventMask=self.mask, numberOfMpi=3, **SETTINGS.refine3d),
            'ProtStaPostProcess': dict(inputVolume=self.average, solventMask=self.mask, **SETTINGS.postprocess),
            'ProtStaInitialModel': dict(inputParticles=self.particles, particle_diameter=SETTINGS.diameter),
            'ProtStaSelectClasses': dict(inputClasses=self.done['classify'].outputClasses, **SETTINGS.select),
            'ProtStaSelectParticles': dict(inputParticles=self.particles, operation=SPLIT),
            'ProtStaSymmetryExpand': dict(inputParticles=self.particles, sym_name='C2'),
            'ProtStaExportRelion': dict(inputResult=self.particles, kind='coordinates at refined positions'),
            'ProtStaReconstructTomograms': dict(inputTiltSeries=self.series, inputCtfs=self.ctfs, do_fourier=False),
        }[name]

    def check(self, refusals):
        """Each must be refused with its words and a fix, in plain language, and nothing may have been started."""
        for refusal in refusals:
            with self.part(protocol=refusal.protocol, what=refusal.what):
                protocol = self.new(refusal.protocol, **dict(self.good(refusal.protocol), **refusal.values(self)))
                errors = protocol.validate()
                self.assertTrue(errors, 'accepted')
                told = [message for message in errors if all(word in message for word in refusal.words)]
                self.assertTrue(told, errors)
                for message in errors:
                    self.assertIsNone(FOREIGN.search(PATH.sub('', message)), message)
                    self.assertTrue(message.startswith('*'), message)
                    self.assertTrue(FIX.search(message), 'no fix: %s' % message)
                self.assertFalse(protocol.hasObjId())
                protocol.warnings()


class TestStaGoodInputs(RefusalCase):
    """The refusals below prove nothing unless the good values are accepted."""

    def test_good_values_are_accepted_without_a_warning(self):
        """A check that is too eager stops people with good data."""
        for name in sorted(set(protocols.__all__) - set(TRIED_WHERE_THEY_RUN)):
            with self.part(protocol=name):
                protocol = self.new(name, **self.good(name))
                self.assertEqual(protocol.validate(), [])
                expected = EXPECTED_WARNINGS.get(name)
                for warning in protocol.warnings():
                    self.assertTrue(expected and expected in warning, warning)

    def test_a_refused_run_does_not_start(self):
        """Scipion's command line launches without asking: the run itself must ask, before RELION."""
        protocol = self.new('ProtStaMask', **dict(self.good('ProtStaMask'), inimask_threshold=99.0))
        self.proj.launchProtocol(protocol, wait=True)
        self.assertTrue(protocol.isFailed())
        self.assertIn('Initial binarisation threshold', protocol.getErrorMessage())
        self.assertFalse(os.path.exists(protocol._getExtraPath('run.sh')))
        self.assertEqual(list(protocol.iterOutputAttributes()), [])

    def test_unusual_values_only_warn(self):
        """What is legal may be meant: the user is asked, not stopped."""
        unusual = [('ProtStaClass3D', dict(nr_iter=150), ('Number of iterations', '150')),
                   ('ProtStaMask', dict(width_mask_edge=1), ('soft-edge', '1')),
                   ('ProtStaClass3D', dict(referenceVolume=self.shelf.map('small.mrc', size=(20, 20, 20))),
                    ('Reference map', '20', 'resize'))]
        for name, values, words in unusual:
            with self.part(protocol=name, values=values):
                protocol = self.new(name, **dict(self.good(name), **values))
                self.assertEqual(protocol.validate(), [])
                self.assertTrue([text for text in protocol.warnings() if all(word in text for word in words)],
                                protocol.warnings())


def _map(name, **made):
    return lambda test: dict(inputVolume=test.shelf.map(name, **made))


def _gone(key, name, **made):
    return lambda test: {key: test.shelf.gone(test.shelf.map(name, **made))}


class TestStaMapRefusals(RefusalCase):
    """Maps and masks."""

    def test_maps(self):
        """A map of another size, or one whose header lies, gives a wrong result without an error."""
        odd, fine = dict(size=(25, 25, 25)), dict(scipion=2 * PIXEL)
        refusals = []
        for protocol, key, label in (('ProtStaMask', 'inputVolume', 'Input map'),
                                     ('ProtStaClass3D', 'referenceVolume', 'Reference map'),
                                     ('ProtStaRefine3D', 'referenceVolume', 'Reference map'),
                                     ('ProtStaPostProcess', 'inputVolume', 'Map with half maps')):
            def value(made, name, key=key):
                return lambda test: {key: test.shelf.map(name, **made)}
            refusals += [
                Refusal(protocol, 'map deleted', ('*%s*' % label, 'gone.mrc', 'does not exist'), _gone(key, 'gone.mrc')),
                Refusal(protocol, 'odd box', ('*%s*' % label, '25', 'even box (26)'), value(odd, 'odd.mrc')),
                Refusal(protocol, 'no cube', ('*%s*' % label, '24 x 24 x 20'), value(dict(size=(24, 24, 20)), 'flat.mrc')),
                Refusal(protocol, 'header and Scipion differ', ('*%s*' % label, '%g' % PIXEL, '%g' % (2 * PIXEL)),
                        value(fine, 'lies.mrc')),
                Refusal(protocol, 'header without pixel size', ('*%s*' % label, 'no pixel size'),
                        value(dict(pixel=0, scipion=PIXEL), 'mute.mrc'))]
        self.check(refusals)

    def test_references_that_may_not_be_resized(self):
        """With "Resize reference if needed?" No, RELION ends with an error after reading all particles."""
        other = dict(trust_ref_size=False)
        self.check([Refusal(protocol, what, words, lambda test, made=made: dict(
            other, referenceVolume=test.shelf.map('other.mrc', **made)))
            for protocol in ('ProtStaClass3D', 'ProtStaRefine3D')
            for what, made, words in (
                ('box', dict(size=(20, 20, 20)), ('*Reference map*', '20', str(BOX))),
                ('pixel', dict(pixel=PIXEL / 2), ('*Reference map*', '%g' % (PIXEL / 2), '%g' % PIXEL)))])

    def test_masks(self):
        """relion_refine scales and cuts a mask that does not fit without asking; relion_postprocess fails late."""
        refusals = []
        for protocol, label in (('ProtStaClass3D', 'Reference mask'), ('ProtStaRefine3D', 'Reference mask'),
                                ('ProtStaPostProcess', 'Solvent mask')):
            for what, made, words in (
                    ('box', dict(size=(32, 32, 32)), ('32', str(BOX))),
                    ('pixel', dict(pixel=1.5 * PIXEL), ('%g' % (1.5 * PIXEL), '%g' % PIXEL)),
                    ('values', dict(values=(0.0, 7.0)), ('from 0 to 7',)),
                    ('empty', dict(values=(0.0, 0.0)), ('is empty',))):
                refusals.append(Refusal(protocol, 'mask: ' + what, ('*%s*' % label,) + words, lambda test, made=made: dict(
                    solventMask=test.shelf.map('mask.mrc', kind=VolumeMask, **made))))
            refusals.append(Refusal(protocol, 'mask deleted', ('*%s*' % label, 'gone.mrc', 'does not exist'),
                                    _gone('solventMask', 'gone.mrc', kind=VolumeMask)))
        self.check(refusals)

    def test_half_maps(self):
        """Without two half maps there is no resolution."""
        self.check([
            Refusal('ProtStaPostProcess', 'none', ('*Map with half maps*', 'no half maps', 'whole.mrc'), _map('whole.mrc')),
            Refusal('ProtStaPostProcess', 'one gone', ('half map 2', 'half2.mrc', 'does not exist'),
                    lambda test: dict(inputVolume=test.shelf.map('w.mrc', halves=(
                        test.shelf.file('half1.mrc'), test.shelf.path('half2.mrc'))))),
            Refusal('ProtStaPostProcess', 'other box', ('half map 2', '32', str(BOX)),
                    lambda test: dict(inputVolume=test.shelf.map('w.mrc', halves=(
                        test.shelf.file('a_half1.mrc'), test.shelf.file('a_half2.mrc', size=(32, 32, 32))))))])

    def test_numbers_of_masks_and_sharpening(self):
        """A threshold beyond the map makes an empty mask, a wrong pixel size a wrong resolution."""
        self.check([
            Refusal('ProtStaMask', 'threshold', ('*Initial binarisation threshold*', '99', 'empty'),
                    lambda test: dict(inimask_threshold=99.0)),
            Refusal('ProtStaMask', 'pixel size', ('*Pixel size (A)*', '1', '%g' % PIXEL), lambda test: dict(angpix=1.0)),
            Refusal('ProtStaMask', 'empty number', ('*Extend binary map this many pixels*', 'empty'),
                    lambda test: dict(extend_inimask=None)),
            Refusal('ProtStaPostProcess', 'pixel size', ('*Calibrated pixel size (A)*', '1', '%g' % PIXEL),
                    lambda test: dict(angpix=1.0)),
            Refusal('ProtStaPostProcess', 'two B-factors', ('*Use your own B-factor?*', 'Yes'),
                    lambda test: dict(do_auto_bfac=True)),
            Refusal('ProtStaPostProcess', 'MTF', ('*MTF of the detector (STAR file)*', 'no.star', 'does not exist'),
                    lambda test: dict(fn_mtf='no.star'))])
