"""A run that a check is asked about, and whether what it says helps."""
from typing import Any, Tuple

from pyworkflow.object import Pointer

from relionsta.demo.project import new_protocol
from relionsta.tests.protocols.scene import SETTINGS

FIX = ('Choose', 'Build', 'Make room', 'Mount', 'Set RELION_HOME', 'set RELION_HOME', 'Put ')


def class3d(road: Any, **values: Any) -> Any:
    """A classification on the road, not run."""
    done = road.done
    return new_protocol(road.project, 'ProtStaClass3D', 'preflight', dict(
        inputParticles=Pointer(done['extract'], extended='outputParticles'), particle_diameter=SETTINGS.diameter,
        referenceVolume=Pointer(done['reconstruct'], extended='average'), **dict(SETTINGS.class3d, **values)))


def check_told(messages: Any, words: Tuple[str, ...], fix: Tuple[str, ...] = FIX) -> None:
    """One of the messages has all the words, and what to do."""
    told = [text for text in messages if all(word in text for word in words)]
    assert told, 'told was %s, it should have %s' % (messages, words)
    assert any(word in told[0] for word in fix), 'no next step: %s' % told[0]
