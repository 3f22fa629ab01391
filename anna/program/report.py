"""The report of a compiled program, read: today's fields for every version, and as text."""

from collections.abc import Mapping
from typing import Any

from anna.chip import facts


def current(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """A program's report with today's fields; one of version 0.1, when every chip was wide, is brought up to date."""
    if "machine" in report:
        return report
    chip_us, host_us = report["chip_us_per_image"], report["host_us_per_image"]
    if host_us is None and not report["host_multiply_adds"]:
        host_us = 0.0
    multiply_adds = report["chip_multiply_adds"] + report["host_multiply_adds"]
    return {
        **report,
        "machine": "wide",
        "host_us_per_image": host_us,
        "board_us_per_image": None if host_us is None else round(chip_us + host_us, 6),
        "published_us_per_image": published_us(multiply_adds),
        "connections_per_s": round(multiply_adds * report["board_images_per_s"], 3),
    }


def published_us(multiply_adds: int) -> float | None:
    """The published time of a network with this many multiply-adds, last layer included; None if there is none."""
    return 1e3 * facts.RECOGNIZER_MS.value if multiply_adds == facts.RECOGNIZER_MULTIPLY_ADDS.value else None


def listing(report: Mapping[str, Any]) -> str:
    """The report of a compiled program as text."""
    report = current(report)
    head = [
        f"{report['network']} on machine {report['machine']}: {report['cycles_per_image']:,.0f} cycles = "
        f"{report['chip_us_per_image']:,.1f} us per image on the chip (bound {report['bound_cycles']:,.0f})"
        f"{latency_text(report)}{published_text(report)}",
        f"{report['board_images_per_s']:,.0f} images/s = {report['connections_per_s'] / 1e6:,.0f} M connections/s, bound by "
        f"the {report['board_binds']}",
        f"{report['synapses_used']:,} synapses on {report['pages']} page(s), batch {report['batch']}; "
        f"{report['chip_multiply_adds']:,} multiply-adds on the chip, {report['host_multiply_adds']:,} on the host "
        f"({_share(report):.1f} %)",
        "",
        f"{'layer':14s} {'where':5s} {'binds':7s} {'cycles':>10s} {'bound':>10s} {'near':>7s} {'SQNR dB':>8s} "
        f"{'saturated':>9s} {'rows':>5s} {'pages':>5s}",
    ]
    for entry in report["layers"]:
        if entry["where"] == "host":
            time = "" if entry["us"] is None else f"{entry['us']:,.1f} us"
            head.append(f"{entry['name']:14s} {'host':5s} {'host':7s} {time:>10s}")
            continue
        near = entry["bound_cycles"] / entry["cycles"] if entry["cycles"] else 1.0
        head.append(
            f"{entry['name']:14s} {'chip':5s} {entry['binds']:7s} {entry['cycles']:10,.0f} {entry['bound_cycles']:10,.0f} "
            f"{100 * near:6.1f}% {entry['sqnr_db']:8.1f} {100 * entry['saturated_share']:8.1f}% {entry['rows']:5d} "
            f"{entry['pages']:5d}"
        )
    head += _codes(report)
    head += _rounds_text(report)
    head += _charges(report)
    head += ["", report["judged"]] if "judged" in report else []
    head += ["", "where it lies"]
    for place in report["placement"]:
        maps = place["maps"]
        named = f"maps {maps[0]}" if len(maps) == 1 else f"maps {maps[0]} to {maps[-1]} ({len(maps)})"
        head.append(
            f"  page {place['page']:3d} rows {place['first_row']:2d} to {place['first_row'] + place['rows'] - 1:2d}  "
            f"{place['layer']:14s} {named}, {place['positions'][0]}x{place['positions'][1]} positions at once, registers of "
            f"{'+'.join(map(str, place['registers']))} columns and {place['constants']} constants"
        )
    return "\n".join(head) + "\n"


def _codes(report: Mapping[str, Any]) -> list[str]:
    """Which codes of a quantised network are kept, and why others are not."""
    kept, lost = report.get("codes_kept", []), report.get("codes_lost", [])
    return [*([""] if kept or lost else []), *([f"weights keep their codes: {', '.join(kept)}"] if kept else []), *lost]


def latency_text(report: Mapping[str, Any], unit: str = "us") -> str:
    """What an image takes with the host, after what it takes on the chip; empty if that is not known."""
    us = report["board_us_per_image"]
    return "" if us is None else f", {us:,.1f} {unit} with the host"


def _rounds_text(report: Mapping[str, Any]) -> list[str]:
    """What the host does while the chip waits; nothing for a program without rounds."""
    rows = report.get("rounds", ())
    return ["", "rounds of the host, for which the chip waits", *map(round_text, rows)] if rows else []


def round_text(one: Mapping[str, Any]) -> str:
    """A round of the host in a line."""
    time = "time unknown" if one["us"] is None else f"{one['us']:,.1f} us"
    layers = ", ".join(one["layers"]) or "no layers"
    return (
        f"  before segment {one['segment']}: {layers}; {one['states_read']:,} states read, {one['states_written']:,} written, "
        f"{time}"
    )


def _charges(report: Mapping[str, Any]) -> list[str]:
    """How much charge is lost when it is read; nothing for a chip that refreshes by itself."""
    rows = report.get("charges", ())
    if not rows:
        return []
    texts = [f"{100 * row['lost']:.2f} % in slot {row['slot']} ({row['oldest_us']:,.0f} us old)" for row in rows]
    return ["", f"charge lost at most when a weight is read, on a typical chip: {', '.join(texts)}; {_refreshes(report)}"]


def _refreshes(report: Mapping[str, Any]) -> str:
    count, cycles = report["refreshes"], report["refresh_cycles"]
    return "no RFSH in the program" if not count else f"{count:,} RFSH take {cycles:,} cycles"


def published_text(report: Mapping[str, Any], unit: str = "us") -> str:
    """The published time, to stand beside a modelled one; empty if there is none."""
    us = report.get("published_us_per_image")
    return "" if us is None else f"; published: about {us:,.0f} {unit}"


def _share(report: Mapping[str, Any]) -> float:
    total = report["chip_multiply_adds"] + report["host_multiply_adds"]
    return 100.0 * report["host_multiply_adds"] / total if total else 0.0
