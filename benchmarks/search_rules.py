"""Compares rules that decide which point of a sweep gets the next chips: all alike, only open ones, or optuna's samplers.

    anna sweep examples/front.toml -o front && python benchmarks/search_rules.py front        # needs optuna

A finished sweep is replayed: a rule asks for blocks of chips of its points, in an order of chips that is drawn anew each time,
and is judged by all chips of the sweep. Loss: of the points that it takes for the front, at each size, the error beyond that of
the true front. Width: of the 95 % intervals of those points' errors.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from sim.base.contest import Label, Runs, standings
from sim.base.statistics import error_of_chips
from sim.sweep.costs import costs_named
from sim.sweep.front import candidates
from sim.sweep.store import Store

BLOCK = 4  # chips
Rule = Callable[[np.ndarray, list[tuple[float, ...]], list[dict[str, int]], int], Iterator[int]]


def runs_of(wrong_pcn: np.ndarray, given: np.ndarray) -> list[Runs]:
    return [Runs(dict(enumerate(wrong[: max(BLOCK, count)]))) for wrong, count in zip(wrong_pcn, given, strict=True)]


def alike(wrong_pcn: np.ndarray, costs: list[tuple[float, ...]], values: list[dict[str, int]], seed: int) -> Iterator[int]:
    while True:
        yield from range(len(costs))


def only_open(wrong_pcn: np.ndarray, costs: list[tuple[float, ...]], values: list[dict[str, int]], seed: int) -> Iterator[int]:
    """When nothing is open it goes on with all."""
    given = np.zeros(len(costs), int)
    while True:
        labels = [one.label for one in standings(runs_of(wrong_pcn, given), costs, looks=6)] if given.all() else []
        mine = [k for k, label in enumerate(labels) if label is Label.OPEN] or range(len(costs))
        for k in mine:
            given[k] += BLOCK
            yield k


def nearest_half(
    wrong_pcn: np.ndarray, costs: list[tuple[float, ...]], values: list[dict[str, int]], seed: int
) -> Iterator[int]:
    """The rule of `sim.sweep.search`: of the open ones, the half that a cheaper point beats by the fewest standard errors."""
    given = np.zeros(len(costs), int)
    while True:
        mine = list(range(len(costs)))
        if given.all():
            found = standings(runs_of(wrong_pcn, given), costs, looks=6)
            opened = sorted((k for k in mine if found[k].label is Label.OPEN), key=lambda k: found[k].behind)
            mine = sorted(opened[: -(-len(opened) // 2)]) or mine
        for k in mine:
            given[k] += BLOCK
            yield k


def by_optuna(name: str) -> Rule:
    def rule(wrong_pcn: np.ndarray, costs: list[tuple[float, ...]], values: list[dict[str, int]], seed: int) -> Iterator[int]:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = {"NSGA-II": lambda: optuna.samplers.NSGAIISampler(population_size=12, seed=seed),
                   "TPE": lambda: optuna.samplers.TPESampler(seed=seed)}[name]()  # fmt: skip
        study = optuna.create_study(directions=["minimize"] * (1 + len(costs[0])), sampler=sampler)
        choices = {axis: sorted({one[axis] for one in values}) for axis in values[0]}
        given = np.zeros(len(costs), int)
        while True:
            trial = study.ask()
            k = values.index({axis: trial.suggest_categorical(axis, known) for axis, known in choices.items()})
            at = min(given[k], wrong_pcn.shape[1] - BLOCK)
            study.tell(trial, [float(wrong_pcn[k, at : at + BLOCK].mean()), *costs[k]])
            given[k] += BLOCK
            yield k

    return rule


RULES: dict[str, Rule] = {"all alike": alike, "only open ones": only_open, "nearest half": nearest_half,
                          "optuna, NSGA-II": by_optuna("NSGA-II"),
                          "optuna, TPE": by_optuna("TPE")}  # fmt: skip


def judged(wrong_pcn: np.ndarray, given: np.ndarray, costs: list[tuple[float, ...]]) -> tuple[float, float]:
    """Loss and width, in points of error, of the front that the chips given so far tell."""
    true = wrong_pcn.mean(axis=(1, 2))
    seen = np.array([wrong[:count].mean() if count else np.inf for wrong, count in zip(wrong_pcn, given, strict=True)])
    loss, width = [], []
    for size in sorted({cost[0] for cost in costs}):
        mine = [k for k, cost in enumerate(costs) if cost[0] <= size]
        taken = min(mine, key=lambda k: seen[k])
        loss.append(100 * ((true[taken] if np.isfinite(seen[taken]) else 1.0) - min(true[k] for k in mine)))
        if given[taken]:
            interval = error_of_chips(wrong_pcn[taken, : given[taken]])
            width.append(100 * (interval.high - interval.low))
    return float(np.mean(loss)), float(np.mean(width))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--noise", type=float, default=1)
    parser.add_argument("--repetitions", type=int, default=20)
    given = parser.parse_args()
    with Store(given.folder) as store:
        found = [one for one in candidates(store, costs_named(("size", "time"))) if one.values["scaled.noise"] == given.noise]
    costs = [one.costs for one in found]
    values = [{axis: value for axis, value in one.values.items() if axis != "scaled.noise"} for one in found]
    wrong = np.stack([one.runs.wrong_cn for one in found])
    budgets = [len(found) * BLOCK * k for k in (1, 2, 3, 4)]
    print(f"{len(found)} points, {wrong.shape[1]} chips, {wrong.shape[2]} images; runs, and loss and width in points of error")
    for name, rule in RULES.items():
        results = np.zeros((given.repetitions, len(budgets), 2))
        for repetition in range(given.repetitions):
            order = np.random.default_rng(repetition).permutation(wrong.shape[1])
            shuffled, counts, spent = wrong[:, order], np.zeros(len(found), int), 0
            asks = rule(shuffled, costs, values, repetition)
            for place, budget in enumerate(budgets):
                while spent < budget:
                    k = next(asks)
                    counts[k], spent = min(counts[k] + BLOCK, wrong.shape[1]), spent + BLOCK
                results[repetition, place] = judged(shuffled, counts, costs)
        cells = [
            f"{runs:4d}: {loss:5.2f} {width:5.2f}" for runs, (loss, width) in zip(budgets, results.mean(axis=0), strict=True)
        ]
        print(f"{name:18s} {'   '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
