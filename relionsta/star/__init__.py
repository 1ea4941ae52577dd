"""STAR text <-> tables. Schemas and optimisation sets are in their own modules."""
from relionsta.star.tables import LIST_BLOCK, StarError, is_complete, read_star, require_columns, star_text, write_star

__all__ = ['LIST_BLOCK', 'StarError', 'is_complete', 'read_star', 'require_columns', 'star_text', 'write_star']
