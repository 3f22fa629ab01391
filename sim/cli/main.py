"""Parses the command line, runs the command, and turns an error into one sentence and an exit code."""

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from keyword import iskeyword
from types import FrameType
from typing import NoReturn

import anna
from anna.base.errors import UsageError, nearest
from sim.cli.command import Command, write
from sim.cli.endings import Exit, Failure, failure
from sim.cli.options import add, expect_new_names

# In the order of the help text, each with what it does. A command's module is loaded only when the command is named.
COMMANDS = {
    "compare": "what accuracy the chip costs a network, and where",
    "yield": "how many of thousands of drawn chips are good",
    "diagnose": "why one chip is bad, and what mending its parts gives back",
    "sensitivity": "which layer needs its last bits, and which one suffers from noise",
    "published": "every published number, and what the model predicts",
    "application": "what ran on the boards beside the recogniser, on drawn chips and timed",
    "sweep": "run many variants of chip, compiler or network into one database",
    "report": "render a sweep as a page with plots, Markdown, CSV and Parquet",
    "plan": "what a network will take on a machine, from its shapes alone",
    "compile": "compile a trained network to a chip file",
    "fit-host": "fit the host's last layer again, to what a chip's pins give",
    "export": "compile a network and write it as ONNX in integers or for the chip in SystemVerilog, with known answers",
    "check": "compare answers with the known ones of an exported network",
    "info": "describe a machine, or what a program does on it",
    "energy": "count the events that cost energy, by layer, and price them",
    "asm": "assemble a program written by hand",
    "disasm": "show a program file as assembly",
    "run": "run a program on images",
    "trace": "write one image as a timeline (Perfetto) or waveforms (VCD)",
    "watch": "make a page on which one image runs through the chip, to play and to step",
    "train": "train a network (needs PyTorch)",
    "data": "list, verify or fetch the data sets",
    "bench": "time runs beside ONNX Runtime, PyTorch, aihwkit, Brevitas and CrossSim, and commands",
    "examples": "list the examples, or write them to a folder",
    "doctor": "check the installation, the digits and the weights",
    "completion": "print a completion script for bash, zsh or fish",
}


class _Parser(argparse.ArgumentParser):
    """Reports usage errors in the same form as all others."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def _command(name: str) -> Command:
    module = name.replace("-", "_") + "_" * iskeyword(name)
    command = import_module(f"sim.cli.{module}").COMMAND
    assert isinstance(command, Command)
    return command


def _parser(names: Iterable[str], *, filled: bool) -> argparse.ArgumentParser:
    """The parser for these commands; unless `filled`, it only knows what each does."""
    parser = _Parser(
        prog="anna",
        description="Compiles trained networks for AT&T's analog ANNA chip of 1991 and runs them cycle by cycle.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="the version; with --json also the versions of noise and files")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    for name in names:
        sub = subparsers.add_parser(
            name, help=COMMANDS[name], formatter_class=argparse.RawDescriptionHelpFormatter, add_help=filled
        )
        if filled:
            _fill(sub, _command(name))
    return parser


def _fill(parser: argparse.ArgumentParser, command: Command) -> None:
    parser.description = command.description
    parser.epilog = "example:\n" + "\n".join(f"  {line}" for line in command.examples)
    command.arguments(parser)
    add(parser, "--json")
    add(parser, "--debug")


def full_parser() -> argparse.ArgumentParser:
    """The parser for all commands."""
    return _parser(COMMANDS, filled=True)


def _parsed(given: list[str]) -> argparse.Namespace:
    """The parsed arguments, of which the first names the command; a usage error suggests what may have been meant."""
    name = given[0] if given else ""
    if name.startswith("-") and name not in ("-h", "--help"):
        raise UsageError(f"{name} does not name a command, which comes before its options; see anna --help")
    if name and not name.startswith("-") and name not in COMMANDS:
        raise UsageError(f"there is no command {name}{nearest(name, COMMANDS)}; see anna --help")
    expect_new_names(name, given[1:])
    parser = _parser([name], filled=True) if name in COMMANDS else _parser(COMMANDS, filled=False)
    parsed, unknown = parser.parse_known_args(given)
    if unknown:
        word = unknown[0].split("=", 1)[0]
        kind = "option" if word.startswith("-") else "argument"
        known = subparsers(parser).choices[name]._option_string_actions if kind == "option" else ()
        raise UsageError(f"anna {name} has no {kind} {word}{nearest(word, known)}; see anna {name} --help")
    return parsed


def subparsers(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """The part of a parser that holds its commands."""
    return next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug, as_json = "--debug" in given, "--json" in given
    # Long work has its own threads. NumPy's wait by spinning and only get in the way: on a busy machine they made a
    # compilation four times as slow, on an idle one they gained nothing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _make_streams_safe()
    try:
        with _interruptible():
            if given[:1] == ["--version"]:
                _print_version(as_json)
            else:
                parsed = _parsed(given)
                _command(parsed.command).run(parsed)
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has closed it
        _close_stdout()
    except KeyboardInterrupt as error:
        return _complain(failure(error), as_json)
    except Exception as error:
        if debug:
            raise
        return _complain(failure(error), as_json)
    return Exit.DONE


def _print_version(as_json: bool) -> None:
    from sim.cli.versions import versions

    write(versions() if as_json else {}, f"anna {anna.__version__}", as_json)


def _make_streams_safe() -> None:
    """Treats a closed stream like a pipe that nobody reads, and replaces characters that the output cannot encode."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115  (stays open, also for child processes)
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)
    if isinstance(sys.stdout, io.TextIOWrapper):  # standard error already escapes them
        sys.stdout.reconfigure(errors="replace")


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Keeps Ctrl-C an interrupt, even if a library that is being loaded turns it into another error."""
    heard = []

    def hear(number: int, frame: FrameType | None) -> NoReturn:
        heard.append(number)
        signal.default_int_handler(number, frame)

    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not the case in the background of a script
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, hear)
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException:
        if heard:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _complain(found: Failure, as_json: bool) -> Exit:
    with contextlib.suppress(OSError, ValueError):
        print(found.text(as_json), file=sys.stderr)
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _close_stdout()
    return found.exit


def _close_stdout() -> None:
    """Redirects standard output to nowhere, so that Python does not try to flush it at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
