"""How a command ends: its exit code, and its error message as a sentence or as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from anna.base.errors import AnnaError


class Exit(IntEnum):
    """The exit code of a command."""

    DONE = 0
    BUG = 1
    BAD_INPUT = 2
    INTERRUPTED = 130  # 128 + SIGINT, as shells count


EXIT_MEANINGS: Mapping[Exit, str] = {
    Exit.DONE: "done",
    Exit.BUG: "a bug in anna: please report it, with `--debug`",
    Exit.BAD_INPUT: "bad input or usage, or a file that cannot be read or written",
    Exit.INTERRUPTED: "interrupted with Ctrl-C",
}

# Codes besides those of AnnaError and its subclasses.
FILE_SYSTEM, OUT_OF_MEMORY, INTERRUPTED, BUG = "file-system", "out-of-memory", "interrupted", "bug"
OTHER_CODES: Mapping[str, str] = {
    FILE_SYSTEM: "The system refuses to read or write a file.",
    OUT_OF_MEMORY: "There is not enough memory.",
    INTERRUPTED: "Ctrl-C, or SIGINT from a script.",
    BUG: "A bug in anna.",
}


@dataclass(frozen=True)
class Failure:
    """What is reported about an error."""

    code: str
    exit: Exit
    message: str

    def text(self, as_json: bool) -> str:
        """One sentence for a person, or one JSON object for a script."""
        if not as_json:
            return f"anna: {self.message}"
        import json  # needed for mistakes only

        return json.dumps({"error": {"code": self.code, "message": self.message, "exit_code": int(self.exit)}})


def failure(error: BaseException) -> Failure:
    """What is reported about an error of any kind."""
    match error:
        case AnnaError():
            return Failure(error.code, Exit.BAD_INPUT, str(error))
        case KeyboardInterrupt():
            return Failure(INTERRUPTED, Exit.INTERRUPTED, "; ".join(["interrupted", *map(str, error.args)]))
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            return Failure(FILE_SYSTEM, Exit.BAD_INPUT, f"{where}{error.strerror or error}")
        case MemoryError():
            return Failure(OUT_OF_MEMORY, Exit.BAD_INPUT, "there is not enough memory for this")
        case _:
            message = f"a bug in anna: {type(error).__name__}: {error} (run again with --debug and report it)"
            return Failure(BUG, Exit.BUG, message)
