"""The built site, in the folder that ANNA_SITE names: nothing from elsewhere, no dead link, and what is searched is found."""

import inspect
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

import anna
import lenet
import sim
from sim.cli.main import full_parser
from sim.cli.syntax import syntax_of

SITE = Path(os.environ.get("ANNA_SITE", ""))
pytestmark = pytest.mark.skipif("ANNA_SITE" not in os.environ, reason="ANNA_SITE names no site: nox -s docs builds one")
SITE_PAGES = sorted(SITE.rglob("*.html")) if "ANNA_SITE" in os.environ else []


class Links(HTMLParser):
    """What a page loads, what it links to, and the places in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded, self.linked, self.places = set[str](), set[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if "src" in given:
            self.loaded.add(given["src"])
        if "href" in given:
            (self.loaded if tag == "link" else self.linked).add(given["href"])


@pytest.fixture(scope="module")
def links() -> dict[Path, Links]:
    return {page.resolve(): Links(page.read_text(encoding="utf-8")) for page in SITE_PAGES}


def test_pages_load_nothing_from_elsewhere(links: dict[Path, Links]) -> None:
    assert len(links) > 50
    assert {
        target for page in links.values() for target in page.loaded if re.match(r"\w+:|//", target) and target[:5] != "data:"
    } == set()
    for sheet in SITE.rglob("*.css"):
        assert not re.findall(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)|@import", sheet.read_text(encoding="utf-8")), sheet


def test_every_link_within_the_site_leads_to_a_page_and_a_place(links: dict[Path, Links]) -> None:
    dead = []
    for page, found in links.items():
        for target in found.linked | found.loaded:
            path, _, place = unquote(target).partition("#")
            if re.match(r"\w+:|//", target):
                continue
            file = (page.parent / path.partition("?")[0]).resolve() if path else page
            if not file.exists() or (place and file in links and place not in links[file].places):
                dead.append(f"{page.relative_to(SITE.resolve())}: {target}")
    assert dead == []


@pytest.mark.parametrize("package", [anna, anna.lab, lenet, sim], ids=lambda package: package.__name__)
def test_every_public_name_stands_in_the_reference(package: ModuleType, links: dict[Path, Links]) -> None:
    page = links[(SITE / "docs" / "reference" / f"{package.__name__.split('.')[0]}.html").resolve()]
    public = {
        name for name in package.__all__ if not name.startswith("__") and not inspect.ismodule(getattr(package, name, None))
    }
    assert {f"{package.__name__}.{name}" for name in public - {"torch"}} <= page.places


def test_every_option_of_every_command_stands_in_the_manual() -> None:
    text = (SITE / "docs" / "commands.html").read_text(encoding="utf-8")
    parts = dict(re.findall(r'<section id="anna-([\w-]+)">(.*?)</section>', text, re.S))
    for command in syntax_of(full_parser()).commands:
        told = set(re.findall(r'<span class="pre">(-[\w-]+)</span>', parts[command.name]))
        assert told == {name for option in command.options for name in option.names} - {"-h", "--help"}, command.name


def test_drawings_and_figures_take_the_colours_of_the_page() -> None:
    for name, count in (("chip", 2), ("physics", 1), ("sweep", 1)):
        text = (SITE / "docs" / f"{name}.html").read_text(encoding="utf-8")
        drawn = re.findall(r'<div class="drawing"><svg .*?</svg>\s*</div>', text, re.S)
        assert len(drawn) == count and all("var(--ink)" in each for each in drawn) and not re.search(r"<img[^>]*svg", text)


def test_tutorials_have_run() -> None:
    text = (SITE / "docs" / "tutorials" / "one-imperfection.html").read_text(encoding="utf-8")
    assert re.search(r"360 K: [\d.]+ % misread", text) and text.count('class="drawing"') == 2


def dom(address: str, folder: Path) -> str:
    """A page as a browser has it after its scripts have run, without a network."""
    command = [shutil.which("chromium") or "", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
               "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000", "--dump-dom", address]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@pytest.mark.parametrize(("asked", "page"), [("refresh", "docs/chip.html"), ("Ledger.plot", "docs/reference/sim.html")])
def test_the_search_finds_from_a_folder(asked: str, page: str, tmp_path: Path) -> None:
    found = dom(f"{SITE.resolve().as_uri()}/search.html?q={asked}", tmp_path)
    results = found[found.index('id="search-results"') :]
    assert f'href="{page}' in results
    assert "Search finished" in results


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_the_first_page_leads_to_the_index(tmp_path: Path) -> None:
    assert "a chip of 1991, simulated" in dom(f"{SITE.resolve().as_uri()}/index.html", tmp_path)
