"""What must hold of the repository itself, whoever adds what to it."""

import ast
import hashlib
import os
import re
import shutil
import string
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from process.logs import FIELDS
from process.settings import load_yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("schemas", "process", "transport", "connectors", "exchange", "approval")
CATALOGUES = sorted(ROOT.glob("*/messages.yaml"))


def _files() -> list[Path]:
    """Every file that is in the repository or about to be."""
    # Whoever owns the folder, its files are only listed.
    listing = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)
    return [file for name in listed.stdout.split("\0")[:-1] if (file := ROOT / name).is_file()]


def _name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _requirement(line: str) -> str:
    return re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower().replace("_", "-")


def test_the_lock_says_nothing_of_where_packages_come_from() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    assert [line for line in lock.splitlines() if "://" in line or line.startswith("-") or " @ " in line] == []


def test_the_lock_pins_everything_by_version_and_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text().replace("\\\n", "")
    pinned = [line for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    assert pinned != []
    assert [line for line in pinned if not re.match(r"[a-z0-9.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_the_lock_has_all_that_running_testing_and_building_ask_for() -> None:
    project = PROJECT["project"]
    asked = project["dependencies"] + PROJECT["build-system"]["requires"]
    asked += [each for extra in project["optional-dependencies"].values() for each in extra]
    lock = (ROOT / "requirements.lock").read_text()

    assert {_requirement(each) for each in asked} <= set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))


def test_what_is_imported_is_asked_for_by_name() -> None:
    project = PROJECT["project"]
    asked = {_requirement(each) for each in project["dependencies"]}
    asked |= {_requirement(each) for extra in project["optional-dependencies"].values() for each in extra}
    brought_by = packages_distributions()
    imported = {name for file in _files() if file.suffix == ".py" for name in _imported(file)}
    foreign = imported - sys.stdlib_module_names - {file.relative_to(ROOT).parts[0] for file in _files()}

    assert {name for name in foreign if not asked & {_requirement(each) for each in brought_by.get(name, [])}} == set()


# Written apart, so that this file does not mention them either.
@pytest.mark.parametrize(
    "parts",
    [
        ("..", "/shared"),
        ("/wo", "rk/"),
        ("/ro", "ot/"),
        ("/tm", "p/build"),
        ("/opt/", "wheels"),
        ("DESIGN", ".md"),
        ("STYLE", ".md"),
        ("pypi", ".org"),
        ("python", "hosted"),
        ("repo.maven", ".apache"),
        ("repo1", ".maven"),
    ],
    ids="".join,
)
def test_nothing_leans_on_one_machine_or_on_what_is_not_here(parts: tuple[str, str]) -> None:
    unwanted = "".join(parts).encode()

    assert [_name_of(file) for file in _files() if unwanted in file.read_bytes()] == []


def test_no_password_or_key_lies_about() -> None:
    unwanted = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[0-9A-Za-z]{36}")

    assert [_name_of(file) for file in _files() if unwanted.search(file.read_bytes())] == []


def test_every_package_and_module_says_what_it_is() -> None:
    modules = [file for name in PACKAGES for file in (ROOT / name).rglob("*.py")]

    assert [_name_of(file) for file in modules if not ast.get_docstring(ast.parse(file.read_text("utf-8")))] == []
    assert [name for name in PACKAGES if not (ROOT / name / "__init__.py").is_file()] == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}

    assert [_name_of(file) for file in _files() if file.suffix == ".py" and file.stem in drawers] == []


def test_every_text_is_there_in_both_languages_with_the_same_fields() -> None:
    texts = [(code, text) for file in CATALOGUES for code, text in _texts(file)]

    assert [code for code, text in texts if set(text) != {"en", "zh"}] == []
    assert [code for code, text in texts if _placeholders(text["en"]) != _placeholders(text["zh"])] == []
    assert [code for code, text in texts if not re.search(r"[\u4e00-\u9fff]", text["zh"])] == []
    assert [code for code, text in texts if re.search(r"[\u4e00-\u9fff]", text["en"])] == []


def test_a_text_stands_in_one_catalogue_where_it_is_looked_for() -> None:
    codes = [(code, file.parent.name) for file in CATALOGUES for code, _ in _texts(file)]

    assert [code for code, package in codes if package not in ("process", code.split(".")[0])] == []
    assert len({code for code, _ in codes}) == len(codes)


def test_whoever_says_a_text_gives_it_exactly_its_fields() -> None:
    known = {code: _placeholders(text["en"]) for file in CATALOGUES for code, text in _texts(file)}
    said = [each for each in _calls("process.messages", "say") if each.literal is not None]

    assert [each.place for each in said if each.literal not in known] == []
    assert [each.place for each in said if each.complete and each.fields != known[str(each.literal)]] == []


def test_whoever_writes_a_log_line_uses_fields_that_may_be_written() -> None:
    written = [call for name in ("log", "warn", "error") for call in _calls("process.logs", name)]

    assert [each.place for each in written if not each.fields <= FIELDS] == []
    assert [each.place for each in written if each.literal is None] == []


def test_a_process_goes_by_what_is_installed_and_not_by_what_is_shipped() -> None:
    """A site's own departments are known wherever `schemas.installed.Installed` was handed down, and only there."""
    asked = [*_calls("schemas.codec", "contract"), *_calls("schemas.catalogue", "catalogues")]
    places = {each.place.partition(":")[0] for each in asked}

    assert {place for place in places if not place.startswith("schemas/")} == {"process/site.py"}


def test_the_licence_is_apache_2_unchanged() -> None:
    words = (ROOT / "LICENSE").read_text().split()

    assert hashlib.sha256(" ".join(words).encode()).hexdigest() == (
        "0ffddef9e48f8a09aed5caf2d44f7ba1c1be2d9b8e0a6f693b1635b2d5566645"
    )
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_the_scripts_can_be_started() -> None:
    scripts = [ROOT / ".ci" / "run", *(ROOT / "scripts").iterdir()]

    assert [_name_of(file) for file in scripts if not os.access(file, os.X_OK)] == []


def test_the_walls_between_packages_stand() -> None:
    ended = _lint_imports(ROOT)

    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("exchange", "import connectors"),
        ("transport", "import exchange"),
        ("schemas", "import process"),
        ("connectors", "import kafka"),
        ("transport", "import fastavro"),
        ("approval", "import lmdb"),
    ],
)
def test_a_hole_in_a_wall_is_found(tmp_path: Path, module: str, line: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
    whole = _lint_imports(tmp_path)
    (tmp_path / module / "hole.py").write_text(f"{line}\n")
    holed = _lint_imports(tmp_path)

    assert (whole.returncode, holed.returncode) == (0, 1)
    assert f"{module}.hole -> {line.removeprefix('import ')}" in holed.stdout


def test_what_is_installed_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    ours = [file for file in _files() if file.relative_to(ROOT).parts[0] in PACKAGES]
    for file in [*ours, *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))]:
        copy = tmp_path / "source" / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    making = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*making, "--wheel-dir", tmp_path, tmp_path / "source"], check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())

    assert [_name_of(file) for file in ours if _name_of(file) not in held] == []


class _Call:
    """One place where a text is said or a log line is written."""

    def __init__(self, file: Path, node: ast.Call) -> None:
        first = node.args[0] if node.args else None
        self.place = f"{_name_of(file)}:{node.lineno}"
        self.literal = first.value if isinstance(first, ast.Constant) else None
        self.fields = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
        self.complete = len(self.fields) == len(node.keywords)


def _calls(module: str, name: str) -> Iterator[_Call]:
    package, _, door = module.rpartition(".")
    for file in [file for each in PACKAGES for file in (ROOT / each).rglob("*.py")]:
        tree = ast.parse(file.read_text("utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        names = {(node.module, alias.name): alias.asname or alias.name for node in imports for alias in node.names}
        called = {names.get((module, name)), f"{names.get((package, door))}.{name}", f"{module}.{name}"}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in called:
                yield _Call(file, node)


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def _texts(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    yield from load_yaml(file)[0].items()


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    command: list[str | Path] = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
