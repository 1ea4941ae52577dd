"""A few blocks of a large STAR file: the same as from the whole file, and every fault found all the same."""
import logging

import pandas as pd
import pytest

from relionsta.star.few import read_few
from relionsta.star.plain import LARGE
from relionsta.star.plain_cells import NotPlain
from relionsta.star.tables import StarError, read_star

from .relion_job_folder import model_star


@pytest.fixture(name='model')
def large_model(tmp_path):
    """A model.star with tables of orientations as a fine search leaves them."""
    path = tmp_path / 'run_it001_model.star'
    text = model_star(['a.mrc', 'b.mrc'])
    row = '%12s \n' % ('%.6f' % (1 / 12))
    assert row * 12 in text
    path.write_text(text.replace(row * 12, row * 25000))
    assert path.stat().st_size > LARGE
    return path


def test_the_same_as_from_the_whole(model, caplog):
    """A shortcut must give what the long way gives, and not warn of an end that is none."""
    names = ['model_class_2', 'model_general', 'model_classes']
    with caplog.at_level(logging.WARNING):
        few, whole = read_star(model, names), read_star(model)
    assert caplog.records == []
    assert list(few) == [name for name in whole if name in names]
    for name, table in few.items():
        pd.testing.assert_frame_equal(table, whole[name])
        assert table.attrs == whole[name].attrs
    assert list(read_few(model, names, False)) == list(few)


def test_what_it_is_not_for(model, tmp_path):
    """Small files, large tables and files of another form go the long way."""
    small = tmp_path / 'small.star'
    small.write_text(model_star(['a.mrc']))
    for path, names in ((small, ['model_general']), (model, ['model_pdf_orient_class_1']), (model, ['nothing']),
                        (tmp_path / 'none.star', ['model_general'])):
        with pytest.raises(NotPlain):
            read_few(path, names, False)
    assert len(read_star(model, ['model_pdf_orient_class_1'])['model_pdf_orient_class_1']) == 25000


@pytest.mark.parametrize('damage, message', [
    (lambda text: text.replace('data_model_classes', 'data_model_other'), 'data_model_classes is missing'),
    (lambda text: text.replace('data_model_groups', 'data_model_general'), 'there twice'),
    (lambda text: text.replace('a.mrc', ''), 'values for'),
    (lambda text: text[:-200] + '\0' * 200, 'zero bytes'),
])
def test_faults_are_found(model, damage, message):
    """A file that the careful reader refuses must not be half-read here."""
    model.write_text(damage(model.read_text()))
    with pytest.raises(StarError, match=message):
        read_star(model, ['model_general', 'model_classes'])


def test_a_cut_file(model):
    """What stands before the cut is whole; a table that the cut goes through is not."""
    text = model.read_text()
    model.write_text(text[:-3])
    assert read_star(model, ['model_general'])['model_general']['rlnNrClasses'].iloc[0] == 2
    model.write_text('\n' * LARGE + text[:text.index('b.mrc') + 3])
    with pytest.raises(StarError, match='cut'):
        read_star(model, ['model_classes'])
