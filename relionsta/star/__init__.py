"""STAR text <-> tables. Schemas and optimisation sets are in their own modules."""
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relionsta.star.tables import (
        LIST_BLOCK,
        StarError,
        is_complete,
        may_be_cut,
        read_star,
        require_columns,
        star_text,
        write_star,
    )

__all__ = ['LIST_BLOCK', 'StarError', 'is_complete', 'may_be_cut', 'read_star', 'require_columns', 'star_text', 'write_star']


def __getattr__(name: str) -> Any:
    """Tables are loaded when they are asked for: with pandas, which a quick command should not wait for."""
    if name not in __all__:
        raise AttributeError('module %r has no attribute %r' % (__name__, name))
    from relionsta.star import tables
    return getattr(tables, name)
