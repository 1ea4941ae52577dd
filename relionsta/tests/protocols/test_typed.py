"""What is typed for a number and is none: refused by its text, and never an empty field."""
from relionsta.tests.protocols.case import StaCase


def type_in(number, text):
    """What Scipion's form does with a text."""
    try:
        number.set(text)
    except ValueError:
        number.set(None)


class TestStaTyped(StaCase):
    """Fields of numbers that may be empty, of which Scipion's form makes nothing of what it cannot read."""

    def _saved(self, **texts):
        protocol = self.new('ProtStaClass3D')
        for name, text in texts.items():
            type_in(getattr(protocol, name), text)
        self.proj.saveProtocol(protocol)
        self.proj.mapper.commit()
        return protocol

    def test_the_text_is_told_also_by_the_saved_run(self):
        """A mask diameter of 1,5 would be worked out instead, and the run go on for days with it."""
        for text in ('1,5', '12 Å', 'nan', 'inf', '1e400'):
            with self.part(text=text):
                protocol = self._saved(particle_diameter=text)
                for run in (protocol, self.reloaded(protocol), self.proj.copyProtocol(protocol)):
                    told = run.validate()
                    self.assertEqual(len(told), 1, told)
                    self.assertTrue(told[0].startswith('*Mask diameter (A)') and text in told[0], told)

    def test_whole_numbers_that_relion_cannot_hold(self):
        """RELION makes another number of them, Scipion's database an error that names no field."""
        for text in ('2147483648', '1' + 20 * '0', '1' + 400 * '0', '64.0', '1e3'):
            with self.part(text=text[:30]):
                told = self._saved(nr_iter=text).validate()
                self.assertEqual(len(told), 1, told)
                self.assertTrue(told[0].startswith('*Number of iterations*: %s' % text), told)
        self.assertNotIn('was typed', str(self._saved(nr_iter='2147483647').validate()))

    def test_what_is_corrected_or_emptied_counts(self):
        """A message that stays when its reason is gone stops everything."""
        for text, value in (('15', 15.0), ('', None), ('  ', None)):
            with self.part(text=text):
                protocol = self._saved(particle_diameter='1,5')
                type_in(protocol.particle_diameter, text)
                self.proj.saveProtocol(protocol)
                for run in (protocol, self.reloaded(protocol)):
                    self.assertEqual(run.particle_diameter.get(), value)
                    self.assertNotIn('was typed', str(run.validate()))

    def test_a_form_shows_what_counts(self):
        """Scipion's form shows the default in an empty field: so the run has it from then on."""
        protocol = self._saved(nr_iter='', particle_diameter='1,5', highres_limit='')
        protocol.legacyCheck()
        self.assertEqual(protocol.nr_iter.get(), 25)
        self.assertIsNone(protocol.particle_diameter.get())
        self.assertIsNone(protocol.highres_limit.get())
        self.assertIsNone(protocol.getParam('highres_limit').default.get())
        self.assertNotIn('was typed', str(protocol.validate()))
        self.assertEqual(self.new('ProtStaClass3D').highres_limit.get(), -1)
