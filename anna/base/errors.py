"""The exceptions of the project: each is one sentence written for the reader, with a code for scripts.

AnnaError                  anything a user should read; the command line prints it and exits with 2
+-- UsageError             the command line cannot be understood
+-- SpecError              a specification, of a chip, a board or analog parts, contradicts itself
+-- GraphError             a network does not fit together: shapes, connection tables, values
+-- DataError              images or labels are not what was expected
+-- AssemblyError          a line of assembly cannot be read
+-- FileError              a file is damaged, foreign, too new or hostile
+-- IllegalProgram         a program breaks a rule of the chip; carries every violation
+-- CompileError           a network cannot become a program; carries every reason
+-- MachineError           a run or a debugger command cannot be carried out
+-- BuildError             the compiled extension is missing or does not match

A sentence may be reworded, a code may not: scripts tell errors apart by it.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar


class AnnaError(Exception):
    """Any other error meant for a user."""

    code: ClassVar[str] = "bad-input"


class UsageError(AnnaError):
    """The command line cannot be understood."""

    code = "bad-usage"


class SpecError(AnnaError):
    """A specification contradicts itself or leaves its range."""

    code = "bad-specification"


class GraphError(AnnaError):
    """A network does not fit together."""

    code = "bad-network"


class DataError(AnnaError):
    """Images, labels or a data set are not what was expected."""

    code = "bad-data"


class AssemblyError(AnnaError):
    """A line of assembly cannot be read."""

    code = "bad-assembly"


class FileError(AnnaError):
    """A file is damaged, foreign, too new or hostile."""

    code = "bad-file"


class _ManyReasonsError(AnnaError):
    """An error that carries every reason, so that a user can fix them all at once."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(self.reasons))


class IllegalProgram(_ManyReasonsError):  # noqa: N818  (the error is the program's, and reads so)
    """A program breaks rules of the chip."""

    code = "illegal-program"


class CompileError(_ManyReasonsError):
    """A network cannot become a program."""

    code = "not-compilable"


class MachineError(AnnaError):
    """A run or a debugger command cannot be carried out."""

    code = "not-runnable"


class BuildError(AnnaError):
    """The compiled extension is missing or does not match."""

    code = "not-built"


def nearest(word: str, known: Iterable[str]) -> str:
    """A suggestion for an unknown word, as the end of the sentence that reports it."""
    from difflib import get_close_matches  # needed for mistakes only

    found = get_close_matches(word, known, n=1, cutoff=0.7)
    return f"; the nearest is {found[0]}" if found else ""
