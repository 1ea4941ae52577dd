"""The wand that lists the classes in the form of Subset selection, and the form itself."""

from relionsta.demo.project import new_protocol
from relionsta.tests.gui.screen import settle
from relionsta.tests.gui.window_case import ProjectWindowMixin, below
from relionsta.tests.protocols.case import StaCase

CLASSES = 'outputClasses'


class TestStaClassList(ProjectWindowMixin, StaCase):
    """The classes of the road's classification without alignment, two of them."""

    _until = 'classify'

    def setUp(self):
        super().setUp()
        from pyworkflow.gui.form import FormWindow
        self.protocol = new_protocol(self.window.project, 'ProtStaSelectClasses', 'Wand', dict(
            inputClasses=self.output('classify', CLASSES), classNumbers='1'))
        self.form = FormWindow('Wand', self.protocol, lambda *_a, **_k: None, self.window)
        self.form.root.deiconify()
        settle(self.form.root, 0.5)

    def _pick(self, answer):
        """Show the wand's list, call `answer` with it, and return what the form has then."""
        from pyworkflow.gui.dialog import ListDialog

        from relionsta.wizards import StaClassesWizard
        found = []

        def look():
            for dialog in [widget for widget in below(self.form.root) if isinstance(widget, ListDialog)]:
                settle(dialog, 0.5)
                self.keepPicture('class_list')
                found.append({row: dialog.tree.item(row) for row in dialog.tree.get_children()})
                found.append(dialog.tree.selection())
                answer(dialog)

        self.form.root.after(1500, look)
        StaClassesWizard().show(self.form)
        self.assertEqual(len(found), 2, 'no list was shown')
        return found + [self.protocol.classNumbers.get()]

    def test_marked_classes_come_into_the_form(self):
        """A list that shows one class and takes another keeps the junk."""
        from pyworkflow.gui.dialog import RESULT_YES

        def answer(dialog):
            dialog.tree.selection_set('2')
            dialog._handleResult(RESULT_YES)

        rows, marked, numbers = self._pick(answer)
        sizes = {one.getObjId(): one.getSize() for one in self.done['classify'].outputClasses}
        self.assertEqual({int(key): int(row['values'][0]) for key, row in rows.items()}, sizes)
        self.assertEqual([row['text'] for row in rows.values()], ['Class 1', 'Class 2'])
        self.assertTrue(all(row['values'][1].endswith('%') for row in rows.values()))
        self.assertEqual([str(key) for key in marked], ['1'])  # the class that the form had
        self.assertEqual(numbers, '2')

    def test_cancel_changes_nothing(self):
        """Looking must not choose."""
        _rows, _marked, numbers = self._pick(lambda dialog: dialog.destroy())
        self.assertEqual(numbers, '1')

    def test_the_form_shows_what_the_choice_needs(self):
        """A field that stays hidden cannot be filled in."""
        shown = {choice: [name for name in ('classNumbers', 'maxResolution', 'minShare', 'maxRotations')
                          if self._shown(choice, name)] for choice in range(3)}
        self.assertEqual(shown, {0: ['classNumbers'], 1: ['maxResolution', 'minShare', 'maxRotations'], 2: []})
        self.assertGreater(self.form.root.winfo_height(), 300)

    def _shown(self, choice, name):
        self.protocol.selectBy.set(choice)
        return self.protocol.evalParamCondition(name)
