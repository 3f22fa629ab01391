"""The same option has the same name and meaning in every command and in Python; an old name is refused with the new one."""

import argparse
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from command_line import refused

import anna
import lenet
import sim
from sim.cli.main import COMMANDS, full_parser, subparsers
from sim.cli.options import _OPTIONS, OPTIONS, RENAMED, Option
from sim.cli.values import Kind
from sim.sweep.cluster import cluster

PARSERS = subparsers(full_parser()).choices


def options() -> Iterator[tuple[str, argparse.Action, Option]]:
    """Every option of every command, with the table entry it must match."""
    for name, parser in PARSERS.items():
        for action in parser._get_optional_actions():
            if not isinstance(action, argparse._HelpAction):
                (known,) = {option for option in OPTIONS.values() if option.name in action.option_strings}
                yield name, action, known


EVERY = list(options())


@pytest.mark.parametrize(("command", "action", "known"), EVERY, ids=lambda value: getattr(value, "name", None))
def test_an_option_has_one_meaning(command: str, action: argparse.Action, known: Option) -> None:
    """Its spelling, type and meaning are those of the table; a command may have its own default."""
    spelled = [known.short] if known.short else []
    spelled += [known.name, f"--no-{known.name[2:]}"] if known.negative else [known.name]
    assert action.option_strings == spelled
    assert (action.help or "").replace("%%", "%").startswith(known.text())
    if known.kind is None:
        assert action.nargs == 0 and isinstance(action.default, bool)
        return
    assert isinstance(action.type, Kind)
    if known.name == "--output":  # the kind of file depends on the command
        assert action.type.read is known.kind.read and (action.type.suffixes or action.type.folders)
    else:
        assert action.type is known.kind
    many = isinstance(action, argparse._AppendAction)
    one_by_one = action.default if many else [action.default]
    assert all(type(known.kind.read(str(value))) is type(value) for value in one_by_one or [] if value is not None)


def test_every_option_of_the_table_is_used() -> None:
    assert {known.name for _, _, known in EVERY} == set(OPTIONS)


def test_results_go_to_output_in_every_command() -> None:
    for name, action, _ in EVERY:
        assert ("-o" in action.option_strings) == ("--output" in action.option_strings), name


def test_no_seed_is_bare_and_no_word_is_banned() -> None:
    words = {word for name in OPTIONS for word in name.strip("-").split("-")}
    assert not words & {"picture", "pictures", "job", "jobs", "calibrate", "calibrated", "method"} - {"method"}
    assert all(name.count("-") > 2 for name in OPTIONS if name.endswith("seed"))


OLD = [(command, old, new) for command, names in RENAMED.items() for old, new in names.items()]


@pytest.mark.parametrize(("command", "old", "new"), OLD)
def test_an_old_name_is_refused_with_the_new_one(command: str, old: str, new: str) -> None:
    for words in ((old, "3"), (f"{old}=3",), ("x", old)):
        assert refused(command, *words) == f"anna: {old} is now {new}; see anna {command} --help\n"
    assert old not in PARSERS[command]._option_string_actions
    assert set(new.split(" and ")) <= set(PARSERS[command]._option_string_actions)


def test_a_value_that_looks_like_an_old_name_is_a_value() -> None:
    assert (
        refused("asm", "--", "--seed") == "anna: --seed: cannot be read (No such file or directory); expected assembly text\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("compare", "--images", "100"), "100 is neither a data set nor a file; for a number of images use --count 100"),
        (("compare", "--data", "holdout"),
         "argument --data: holdout is not a data set but a source of images: --images holdout"),
        (("compare", "--chips", "many"), "argument --chips: 'many' is not an integer"),
        (("compile", "lenet5", "--range-method", "best"), "argument --range-method: invalid choice: 'best' (choose from "
         "'least-squares', 'percentile', 'max')"),
        (("compile", "lenet5", "--data", "emnist"), "argument --data: invalid choice: 'emnist' (choose from 'mnist', 'usps')"),
        (("compile", "mine.onnx", "--variant", "chip"), "mine.onnx: a file has no variant chip"),
    ],
)  # fmt: skip
def test_a_value_that_means_something_else_today_is_refused(words: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(*words)


# Keyword arguments of public functions that are not options: objects that only Python has, and what commands say differently.
ONLY_PYTHON = {
    "image_ids", "taps", "phase_cycles", "lanes", "engine", "timeline", "resolution", "watch", "executor", "at_once", "command",
    "weights_lsb", "chip_trained", "quantised", "analogs", "labels", "codes", "kernel", "silicon", "image_id", "home", "orders",
    "pairs",
}  # fmt: skip
FUNCTIONS: tuple[Callable[..., Any], ...] = (
    anna.compile, anna.Chip.run, anna.Chip.run_codes, anna.run_chips, anna.measure_trim, anna.trim, anna.engine_reference,
    sim.compare, sim.ledger, sim.run_sweep, lenet.load, lenet.record,
)  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_a_keyword_argument_has_the_name_of_its_option(function: Callable[..., Any]) -> None:
    given = inspect.signature(function).parameters.values()
    keywords = {one.name for one in given if one.kind is one.KEYWORD_ONLY} | {one.name for one in given if "seed" in one.name}
    known = {name[2:].replace("-", "_") for name in OPTIONS}
    assert keywords <= known | ONLY_PYTHON


@pytest.mark.parametrize("function", [anna.Chip.run, anna.run_chips, anna.measure_trim, sim.compare, sim.ledger])
def test_threads_are_all_cores_by_default_in_python_too(function: Callable[..., Any]) -> None:
    assert inspect.signature(function).parameters["threads"].default is None


def test_workers_are_all_cores_by_default() -> None:
    assert inspect.signature(sim.run_sweep).parameters["workers"].default is None
    assert inspect.signature(cluster).parameters["workers"].default is None


def test_the_options_of_compile_are_its_keyword_arguments() -> None:
    python = set(inspect.signature(anna.compile).parameters) - {"network"}
    command = {known.name[2:].replace("-", "_") for name, _, known in EVERY if name == "compile"}
    assert python <= command
    assert command - python == {"output", "data", "weights_seed", "variant", "print_after", "json", "debug"}


def test_every_command_has_json_and_debug() -> None:
    assert set(PARSERS) == set(COMMANDS)
    for parser in PARSERS.values():
        assert {"--json", "--debug"} <= set(parser._option_string_actions)


def test_an_option_is_defined_once() -> None:
    """A second one of the same name would take the place of the first, in commands that know nothing of it."""
    assert len(_OPTIONS) == len(OPTIONS)
