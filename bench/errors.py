"""Errors that end a job, each with its exit code and a one-line message."""


class SalonError(Exception):
    """Base of all: the message says what was found, what was expected and what to type."""

    code = 1


class ConfigError(SalonError):
    """A wrong name, type or combination in the config."""

    code = 2


class IncompatibleError(ConfigError):
    """A generator that was trained on another dataset; a sweep leaves such cells out."""


class DatasetError(SalonError):
    """Images or features that cannot be read, or are not what the config says."""

    code = 3


class CheckpointError(SalonError):
    """A checkpoint or weight file that is absent, damaged, foreign or not the pinned one."""

    code = 4


class UndefinedError(SalonError):
    """A metric that is not defined on these inputs, or inputs that are not finite."""

    code = 5


class StoreError(SalonError):
    """The cache, the records or the disk cannot be used."""

    code = 6


class DamagedRecordError(StoreError):
    """A file in the place of a record that is none; it may be set aside."""


class LauncherError(SalonError):
    """A job could not be started, or ended without saying how."""

    code = 7


class HangUpError(SalonError):
    """The terminal went away; no trouble with a launcher, which is waited out."""

    code = 7


class CellsFailedError(SalonError):
    """A sweep that ended with failed cells, drift, or a failed reproduction."""

    code = 8
