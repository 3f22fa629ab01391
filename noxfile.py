"""Everything that must hold, as tasks: `nox -s NAME` runs one, `nox` all, and .ci/run is a clean clone and this file."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import nox

ROOT = Path(__file__).parent
BUILT = ROOT / "dist"  # where `wheel` puts what the other tasks install
LOCK = ROOT / ".ci" / "lock"  # exact versions with hashes, by tools/lock.py
TORCH = "torch==2.13.0"  # in no lock: its build for processors alone comes from elsewhere, with other hashes
SPREAD = ("-n", "auto", "--dist", "worksteal")  # a core that has nothing left takes tests from another
QUICKER = (*SPREAD, "--programs", "200")  # random programs: `tests` runs 2,000
CYTHON_OWN = r"(anna|lenet)\..*\.__(reduce_cython|setstate_cython|test)__"  # in every compiled module, in no stub
ENV = {"PYTHONDONTWRITEBYTECODE": "1"}
BEGUN = float(os.environ.get("CI_BEGUN", time.time()))

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "lint", "sanitized", "docs", "torch"]


def step(what: str) -> None:
    """Say what comes, and after how many seconds."""
    print(f"\n== {time.time() - BEGUN:4.0f}s  {what}", flush=True)


def install_locked(session: nox.Session, *groups: str) -> None:
    """Packages of the lock: a file with another hash is refused."""
    for group in groups:
        session.install("--require-hashes", "-r", str(LOCK / f"{group}.txt"))


def install_wheel(session: nox.Session, *groups: str) -> None:
    """What the lock has for a task, and then the wheel that was built last."""
    install_locked(session, *groups)
    newest = max(BUILT.glob("anna_chip-*.whl"), key=os.path.getmtime)
    session.install("--force-reinstall", "--no-deps", str(newest))  # in an environment that is used again, too
    session.run("pip", "check")


def install_tree(session: nox.Session, *options: str) -> None:
    """What the lock has for tests, and a build of this tree by the lock's own tools."""
    install_locked(session, "test", "build")
    session.install("--no-deps", "--no-build-isolation", ".", *options)


def held(session: nox.Session, *groups: str) -> dict[str, str]:
    """For commands that find packages themselves: pip keeps to the lock's versions, for what it builds with, too."""
    path = Path(session.virtualenv.location) / "constraints.txt"
    pins = [re.findall(r"^[\w.-]+==[\w.+!]+", (LOCK / f"{group}.txt").read_text(), re.M) for group in groups]
    path.write_text("\n".join(sorted({pin for one in pins for pin in one})))
    return {"PIP_CONSTRAINT": str(path), "PIP_BUILD_CONSTRAINT": str(path)}


def pytest(session: nox.Session, *arguments: str) -> None:
    session.run("pytest", "-q", *arguments, *session.posargs, env=ENV)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build once what all tasks install that need no build of their own."""
    step("wheel: one build for the tasks that need no other")
    install_locked(session, "build")
    session.run_install("pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(BUILT), ".")


@nox.session
def tests(session: nox.Session) -> None:
    """The README's second command, word for word: installs the project with what tests need, and runs them.

    The command itself is as free as a user's; here pip is held to the lock's versions.
    """
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^ *(pip install .*pytest.*)$", readme, re.M)
    if found is None:
        session.error("README.md has no command that installs the project and runs its tests")
    step(f"tests: {found[1]}")
    session.run("bash", "-eu", "-o", "pipefail", "-c", found[1], external=True,
                env=ENV | {"PYTEST_ADDOPTS": "--dist worksteal"} | held(session, "test", "build"))  # fmt: skip


@nox.session(requires=["wheel"])
def lint(session: nox.Session) -> None:
    """Style, types, Cython, and whether the stubs of the compiled modules tell the truth."""
    step("lint: ruff, cython-lint, mypy, stubtest")
    install_wheel(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("cython-lint", "anna", "lenet")
    session.run("mypy", "--strict", "anna", "lenet", "sim")
    stubs = [path.relative_to(ROOT).with_suffix("") for name in ("anna", "lenet") for path in (ROOT / name).rglob("*.pyx")]
    session.chdir(session.create_tmp())  # where Python finds the installed package, not the sources
    Path("allowed").write_text(CYTHON_OWN, encoding="utf-8")
    session.run(
        "stubtest",
        "--ignore-disjoint-bases",
        "--allowlist",
        "allowed",
        *(".".join(stub.parts) for stub in sorted(stubs)),
        env=ENV,
    )


def sanitizer(name: str) -> str:
    """Where GCC has the library of a sanitizer."""
    answer = subprocess.run(["gcc", f"-print-file-name=lib{name}.so"], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


@nox.session
def sanitized(session: nox.Session) -> None:
    """The kernels under sanitizers, at every SIMD level of the machine: random workloads and programs, and planted faults.

    The build under the address sanitizer is the checked one, too: bounds and overflow in Cython, assertions in C. Memory is
    that of malloc, so that what lies beside an array is known; leaks are Python's own affair. Left out is what runs no kernel.
    """
    engine = ("tests/test_anna/engine", "tests/test_anna/native", "--ignore=tests/test_anna/native/test_borrowed.py",
              "tests/test_anna/machine/test_evaluators.py", "--deselect=tests/test_anna/machine/test_evaluators.py::"
              "test_text_to_words_to_text_is_the_identity", "-m", "not slow")  # fmt: skip
    threads = ("tests/test_anna/engine/test_sanitized.py", "tests/test_anna/engine/test_engine.py", "-k", "sanitizer or random")
    for kind, checks, libraries, chosen in (
        ("address", "true", ("asan", "ubsan"), engine),
        ("thread", "false", ("tsan",), threads),
    ):
        step(f"sanitized: the kernels under the {kind} sanitizer")
        options = {"optimization": "1", "sanitize": kind, "checked": checks}
        install_tree(session, *(f"-Csetup-args=-D{name}={value}" for name, value in options.items()))
        told = {
            "ANNA_SANITIZED": kind,
            "ASAN_OPTIONS": "detect_leaks=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "PYTHONMALLOC": "malloc",
            "LD_PRELOAD": ":".join(map(sanitizer, libraries)),
        }
        slower = ("--timeout", "1200", "--programs", "60")
        session.run("pytest", "-q", *SPREAD, *slower, *chosen, *session.posargs, env=ENV | told)


@nox.session
def checked(session: nox.Session) -> None:
    """The build with bounds and overflow checks and assertions, and all tests of the chip and its compiler on it."""
    step("checked: the checked build and the chip's tests on it")
    install_tree(session, "-Csetup-args=-Dchecked=true")
    session.run("python", "-I", "-c", "from anna.engine import is_checked; assert is_checked()")
    pytest(session, *SPREAD, "-m", "not slow", *(() if session.posargs else ("tests/test_anna", "tests/test_lenet/classical")))


@nox.session(requires=["wheel"])
def docs(session: nox.Session) -> None:
    """The site, with its tutorials run in an empty folder against the wheel; a warning is an error. It goes to build/site."""
    step("docs: the site, and the tutorials that need no PyTorch")
    install_wheel(session, "docs")
    site = ROOT / "build" / "site"
    strictly = ("-q", "-W", "--keep-going", "-E", "-j", "2", "-c", "docs", "-d", session.create_tmp())
    session.run("sphinx-build", *strictly, ".", str(site), env=ENV)
    session.run("pytest", "-q", "tests/test_site.py", env=ENV | {"ANNA_SITE": str(site)})


@nox.session(requires=["wheel"])
def torch(session: nox.Session) -> None:
    """The tests that train, which are skipped where PyTorch is absent, and those of classifiers that need scikit-learn."""
    step("torch: tests of training")
    install_wheel(session, "test", "classical")
    session.install(TORCH, env=held(session, "test", "classical", "nox"))
    pytest(session, *SPREAD, "-m", "torch or classical")


@nox.session(requires=["wheel"])
def long(session: nox.Session) -> None:
    """Tests that take minutes each: examples and pages of the manual that read thousands of digits or a thousand chips."""
    step("long: tests of minutes")
    install_wheel(session, "test")
    pytest(session, *SPREAD, "--long", "-m", "long")


@nox.session(name="numpy-oldest", requires=["wheel"])
def numpy_oldest(session: nox.Session) -> None:
    """The chip and its tools on the oldest NumPy that pyproject.toml admits; `tests` has the newest."""
    step("numpy-oldest: tests of anna with NumPy 1.26")
    install_wheel(session, "numpy-oldest")
    beside = "--ignore=tests/test_anna/exporters/test_rtl.py"  # of Verilator, not of NumPy
    chosen = ("-m", "not slow and not torch and not data", "tests/test_anna", "tests/test_former_files.py")
    pytest(session, *QUICKER, beside, *chosen)


@nox.session(requires=["wheel"])
def fuzz(session: nox.Session) -> None:
    """A million damaged files through all readers, which takes an hour on a core; `-- --count N --seed S` for others."""
    step("fuzz: damaged and hostile files")
    install_wheel(session, "test")
    session.run("python", "benchmarks/fuzz.py", "all", *(session.posargs or ("--count", "72000")), env=ENV)


@nox.session(requires=["wheel"])
def coverage(session: nox.Session) -> None:
    """Branches of the Python code that tests take in their own process, on the oldest NumPy. The floor stands in
    pyproject.toml.

    Left out are tests that run commands, which are processes of their own, and those that read sources or run Verilator only.
    """
    step("coverage: branches, on the oldest NumPy")
    install_wheel(session, "numpy-oldest")
    left = ("test_sim/cli", "test_words.py", "test_house.py", "test_fuzz.py", "test_anna/exporters/test_rtl.py")
    beside = [f"--ignore=tests/{name}" for name in left]
    pytest(session, *QUICKER, *beside, "-m", "not slow and not torch and not data", "--cov", "--cov-report=term:skip-covered")


@nox.session(requires=["wheel"])
def guided(session: nox.Session) -> None:
    """Damaged files, led by the branches that they take in the readers: a quarter of an hour; findings go to build/guided."""
    step("guided: a search led by branches")
    install_wheel(session, "test")
    told = session.posargs or ("--seconds", "900")
    session.run("python", "benchmarks/fuzz.py", "all", "--guided", "build/guided", *told, env=ENV)


@nox.session(requires=["wheel"])
def arm(session: nox.Session) -> None:
    """The kernels compiled for ARM and run by QEMU; docs/building.md names Debian's packages."""
    step("arm: the same bits on another processor")
    install_wheel(session, "test")
    session.run("python", "tests/arm_kernels.py", env=ENV)


@nox.session(requires=["wheel"])
def pythons(session: nox.Session) -> None:
    """The wheel, and the tests of the chip, under every later Python that is found, with what pip finds for each."""
    found = [path for minor in range(12, 20) if (path := shutil.which(f"python3.{minor}"))]
    if not found:
        session.skip("no python3.12 or later is in PATH")
    wheel = max(BUILT.glob("anna_chip-*.whl"), key=os.path.getmtime)
    for number, python in enumerate(found):
        step(f"pythons: {python}")
        folder = Path(session.create_tmp()) / str(number)
        session.run(python, "-m", "venv", "--clear", str(folder), external=True)
        session.run(str(folder / "bin" / "pip"), "install", "-q", f"{wheel}[test]", external=True)
        own = (str(folder / "bin" / "python"), "-m", "pytest", "-q", *QUICKER, "-m", "not slow and not torch and not data")
        session.run(*own, *(session.posargs or ("tests/test_anna",)), external=True, env=ENV)


@nox.session
def lock(session: nox.Session) -> None:
    """Renew the lock: the newest versions that agree with pyproject.toml, and the hashes of their files."""
    session.install("uv", "packaging")
    session.run("python", "tools/lock.py", *session.posargs)
