"""What can go wrong, in one tree.

::

    AtomsightError                  anything that atomsight raises on purpose
    ├── InputError                  the user's input is at fault (exit code 2)
    │   ├── MapFileError            a map file cannot be read as what it says it is
    │   ├── ModelFileError          a model file cannot be read, or holds nothing to score
    │   ├── OverlayError            the model does not lie in the map
    │   ├── ArchiveFileError        a table of entries, or statistics made of one, cannot be used
    │   ├── ManifestError           a list of entries cannot be used, or one of its rows
    │   ├── ResultsError            a folder holds no results, or not all of one run
    │   ├── ParameterError          an option has a value that means nothing
    │   ├── FetchError              an entry of EMDB or the PDB cannot be had
    │   ├── MissingLibraryError     an optional library is not installed
    │   ├── ExternalProgramError    a program that the user named fails, or leaves no model
    │   └── ClusterError            a cluster that the user named cannot be reached
    └── OutputError                 a result cannot be written (exit code 2)

    AtomsightWarning                a result stands, but something deserves a look
"""


class AtomsightError(Exception):
    """Base class of everything that atomsight raises on purpose."""


class InputError(AtomsightError):
    """The input is at fault: the message says what, where and what to do."""


class MapFileError(InputError):
    """A map file is missing, truncated or not what its header promises."""


class ModelFileError(InputError):
    """A model file is missing, unreadable or holds no atoms to score."""


class OverlayError(InputError):
    """The model does not lie in the map."""


class ArchiveFileError(InputError):
    """A table of entries, or a file of statistics made of one, cannot be used."""


class ManifestError(InputError):
    """A list of entries cannot be read, or a row of it means nothing."""


class ResultsError(InputError):
    """A folder does not hold the results of a run, or they do not belong together."""


class ParameterError(InputError):
    """An option has a value that means nothing."""


class FetchError(InputError):
    """An entry of EMDB or the PDB cannot be had: unknown, not released, or no server answers."""


class MissingLibraryError(InputError):
    """Something was asked for that needs an optional library, which is not installed."""


class ExternalProgramError(InputError):
    """A program that the user named is not there, fails, or leaves no model."""


class ClusterError(InputError):
    """A cluster that the user named does not answer, or was lost."""


class OutputError(AtomsightError):
    """A result cannot be written: no permission, no space, no folder."""


class AtomsightWarning(UserWarning):
    """The result stands, but something about the input deserves a look."""
