"""Outputs of a run in Scipion's database: all of a step or none, and none whose files have gone."""
import mrcfile
import numpy as np
import pytest
import pyworkflow as pw
from pwem.objects import FSC, SetOfFSCs, Volume
from pyworkflow.project import Project

from relionsta.protocols import ProtStaMask
from relionsta.protocols.all_or_none import allOrNone, dropForgotten, forgetOutputs


@pytest.fixture
def database(tmp_path, monkeypatch):
    """Opens a database with a saved run in it, each time as a process of its own would."""
    monkeypatch.chdir(tmp_path)
    project, number = Project(pw.Config.getDomain(), str(tmp_path)), []

    def opened():
        mapper = project.createMapper(str(tmp_path / 'run.db'))
        run = mapper.selectById(number[0]) if number else ProtStaMask()
        run.setMapper(mapper)
        run._store()
        number.append(run.getObjId())
        return run
    return opened


def _volume(path='a.mrc'):
    with mrcfile.new(path, np.ones((4, 4, 4), np.float32), overwrite=True):
        pass
    volume = Volume()
    volume.setFileName(path)
    volume.setSamplingRate(2.0)
    return volume


def _outputs(run):
    return {name: getattr(run, name).getFileName() for name, _ in run.iterOutputAttributes()}


def _rows(run):
    """All that the database says of outputs."""
    return run.mapper.db.connection.execute(
        "SELECT name FROM Objects WHERE classname IN ('Volume', 'SetOfFSCs')").fetchall()


def test_outputs_are_in_the_database_when_the_step_is_over(database):
    """Scipion notes the step as finished next: after a kill in between, Continue would find all done and no outputs."""
    run = database()
    with allOrNone(run):
        run._defineOutputs(one=_volume())
    assert _outputs(database()) == {'one': 'a.mrc'}


@pytest.mark.parametrize('before', [(), ('first',), ('first', 'second')])
def test_half_a_result_goes_again(database, before):
    """A run that failed at its second output shows the first, and it looks like all."""
    run = database()
    run._defineOutputs(**{name: _volume('old.mrc') for name in before})
    run._store()
    with pytest.raises(ValueError, match='the disk is full'):
        with allOrNone(run):
            run._defineOutputs(second=_volume('new.mrc'))
            raise ValueError('the disk is full')
    run._store()  # as Scipion does at the end of a run that has failed
    left = {name: 'old.mrc' for name in before if name != 'second'}
    assert _outputs(run) == _outputs(database()) == left
    assert not hasattr(run, 'second'), 'the report would not say that it is gone'
    assert len(_rows(run)) == len(left)


def test_outputs_of_an_earlier_try_are_forgotten(database, tmp_path):
    """Their files go when a run starts afresh: stopped or failed then, it would hand on what is not there."""
    run, fscs = database(), SetOfFSCs(filename=str(tmp_path / 'fscs.sqlite'))
    fsc = FSC()
    fsc.setData([0.1, 0.2], [1.0, 0.5])
    fscs.append(fsc)
    fscs.write()
    source = _volume('input.mrc')
    run.mapper.store(source)
    run._defineOutputs(one=_volume(), two=_volume('b.mrc'), three=fscs)
    run._defineSourceRelation(source, run.one)
    run._store()
    assert len(_outputs(database())) == 3 and len(run.getRelations()) == 1
    forgetOutputs(run)
    again = database()
    assert _outputs(run) == _outputs(again) == {} and not list(again._outputs)
    assert not run.getRelations() and [name for name, in _rows(run)] == [source.getName()]
    assert (tmp_path / 'fscs.sqlite').exists()
    run._defineOutputs(two=_volume('new.mrc'))
    run._store()
    assert _outputs(database()) == {'two': 'new.mrc'}


def test_a_first_try_has_nothing_to_forget(database):
    """Writing to the database for nothing makes runs wait for each other."""
    run = database()
    before = run.mapper.db.connection.total_changes
    forgetOutputs(run)
    assert run.mapper.db.connection.total_changes == before


def test_the_window_forgets_what_the_run_has_forgotten(database):
    """Scipion brings its own record up to date by adding alone: outputs that are gone would stay there for good."""
    window, run = ProtStaMask(), database()
    for one in (window, run):
        one._defineOutputs(**{name: _volume('%s.mrc' % name) for name in ('kept', 'gone', 'also')})
    for name in ('gone', 'also'):
        delattr(run, name)
    dropForgotten(window, run)
    assert _outputs(window) == {'kept': 'kept.mrc'} and list(window._outputs) == ['kept']
    assert not hasattr(window, 'gone') and not hasattr(window, 'also')
