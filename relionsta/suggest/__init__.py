"""Values for the forms, worked out from the data itself, each with the reason in words. Reads no Scipion object."""
from .suggestion import Suggested as Suggested
