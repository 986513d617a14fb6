"""However adalint is installed, it finds its rules, and it brings nothing but itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from commands import CHECKOUT
from commands import succeed as run

PAGES = sorted(path.name for path in (CHECKOUT / "rules").glob("ADA*.md"))


@pytest.fixture(scope="session")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "-o", out, checkout)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "-o", out, checkout)
    return next(out.glob("*.tar.gz"))


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def virtual_environment(folder: Path) -> Path:
    """Make an environment that sees this one's libraries, but not its adalint."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    libraries = folder / "libraries"
    libraries.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "adalint" not in entry.name and entry.suffix != ".pth":
            (libraries / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return python


def install(python: Path, *what: str | Path) -> None:
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-build-isolation", *what)


def test_the_wheel_has_one_top_level_and_every_rule_page(wheel):
    names = names_in(wheel)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"adalint"}
    assert sorted(name.rpartition("/")[2] for name in names if name.startswith("adalint/_rules/")) == PAGES
    assert "adalint/py.typed" in names
    dialects = {path.name for path in (CHECKOUT / "adalint" / "dialects").glob("*.toml")}
    assert {name.rpartition("/")[2] for name in names if name.endswith(".toml")} == dialects
    assert not [name for name in names if "tests" in name or "fixtures" in name]


def test_the_sdist_builds_the_same_wheel(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "-o", tmp_path, unpacked)
    assert names_in(next(tmp_path.glob("*.whl"))) == names_in(wheel)


def test_an_installed_wheel_finds_its_rules(wheel, tmp_path):
    python = virtual_environment(tmp_path / "venv")
    install(python, wheel)
    listed = run(python, "-m", "adalint", "rules", "--output-format", "json", cwd=tmp_path)
    assert [f'"{name[:6]}"' in listed for name in PAGES] == [True] * len(PAGES)
    where = run(python, "-c", "import adalint.rulebook.pages as p; print(p.rules_directory())", cwd=tmp_path)
    assert where.strip().endswith("adalint/_rules")


def test_an_editable_install_reads_the_rules_of_the_checkout(checkout, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(checkout, copy)
    python = virtual_environment(tmp_path / "venv")
    install(python, "-e", copy)
    page = copy / "rules" / "ADA204-delta-t-not-positive.md"
    page.write_text(
        page.read_text(encoding="utf-8").replace("Finds `deltaT=0`.", "Finds it, edited."), encoding="utf-8"
    )
    assert "Finds it, edited." in run(python, "-m", "adalint", "rule", "ADA204", cwd=tmp_path)


@pytest.mark.slow
def test_uvx_runs_the_wheel_without_an_installation(wheel, tmp_path):
    import os

    import adalint

    uvx = Path(sys.executable).parent / "uvx"
    command = [uvx, "--no-config", "--python", sys.executable, "--from", wheel, "adalint", "--version"]
    environment = {**os.environ, "UV_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        list(map(str, command)), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"adalint {adalint.__version__}\n"), done.stderr
