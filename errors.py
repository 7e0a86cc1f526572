"""Every exception that kerasdoctor raises on purpose.

KerasDoctorError
├── EntryError          a knowledge entry is not written as it must be
├── IndexMissingError   the search index was not built, or by another release
├── LaboratoryError     a laboratory (an environment that runs entries' code) is unusable
├── SubjectError        a model file or an environment cannot be examined
└── InputError          a file or an option of the command line is not usable

Each message says what was found, what was expected and what to do.
"""

from __future__ import annotations


class KerasDoctorError(Exception):
    """Base of every error whose message is meant for the reader."""


class EntryError(KerasDoctorError):
    """A knowledge entry is not written as it must be."""

    def __init__(self, file: str, field: str, expected: str) -> None:
        super().__init__(f"{file}: {field}: {expected}")
        self.file = file
        self.field = field
        self.expected = expected


class IndexMissingError(KerasDoctorError):
    """The search index was not built, or was built by another release."""


class LaboratoryError(KerasDoctorError):
    """A laboratory could not be started or stopped answering."""


class SubjectError(KerasDoctorError):
    """A model file or an environment cannot be examined, and why."""


class InputError(KerasDoctorError):
    """A file or an option given by the user is not usable, and why."""
