"""The composite action and the examples of docs/ci.md: valid by the published schemas, and their steps run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, UNRELATED, succeed

from adalint.report import FORMATS

ACTION = CHECKOUT / "action.yml"
PAGE = CHECKOUT / "docs" / "ci.md"
BLOCK = re.compile(r'^```yaml title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
EXAMPLES = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
WORKFLOWS = [name for name in EXAMPLES if name.startswith(".github/")]
action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
STEPS = {step.get("id", step.get("name")): step for step in action["runs"]["steps"]}


def validate(schema: str, *paths: Path) -> None:
    succeed(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths))


def written(folder: Path) -> list[Path]:
    """Write the examples where they say that they stand."""
    for name, text in EXAMPLES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in EXAMPLES]


class TestSchemas:
    def test_the_action_is_one(self) -> None:
        validate("vendor.github-actions", ACTION)

    def test_the_workflows_are_workflows(self, tmp_path: Path) -> None:
        written(tmp_path)
        assert len(WORKFLOWS) == 3
        validate("vendor.github-workflows", *(tmp_path / name for name in WORKFLOWS))

    def test_the_snippet_for_gitlab_is_one(self, tmp_path: Path) -> None:
        written(tmp_path)
        validate("vendor.gitlab-ci", tmp_path / ".gitlab-ci.yml")

    def test_inputs_of_the_examples_exist(self) -> None:
        used = [
            step.get("with", {})
            for name in WORKFLOWS
            for step in yaml.safe_load(EXAMPLES[name])["jobs"]["adalint"]["steps"]
            if step.get("uses", "").startswith("OWNER/")
        ]
        assert len(used) == 2
        assert {name for one in used for name in one} <= set(action["inputs"])

    def test_the_page_lists_every_input_with_its_default(self) -> None:
        rows = re.findall(r"^\| `([\w-]+)` \| (.*?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        assert [name for name, _ in rows] == list(action["inputs"])
        told = {name: default.strip("`") for name, default in rows if name not in {"version", "args"}}
        assert told == {name: action["inputs"][name]["default"] for name in told}

    def test_the_default_format_exists(self) -> None:
        assert action["inputs"]["output-format"]["default"] in FORMATS


def test_no_expression_stands_in_a_script() -> None:
    scripts = [step["run"] for step in STEPS.values() if "run" in step]
    assert len(scripts) == 2
    assert [script for script in scripts if "${{" in script] == []


def test_actions_are_pinned_by_major_tags() -> None:
    used = [step["uses"] for step in STEPS.values() if "uses" in step]
    assert len(used) == 2
    assert all(re.fullmatch(r"(actions|github)/[\w/-]+@v\d+", one) for one in used)


def step(name: str, folder: Path, **given: str) -> tuple[int, str, dict[str, str]]:
    """Run a step as the runner does; give its exit code, what it printed, and its outputs."""
    script, outputs = folder.parent / f"{name}.sh", folder.parent / f"{name}.out"
    script.write_text(STEPS[name]["run"], encoding="utf-8")
    outputs.write_text("")
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    environment = {**os.environ, "GITHUB_OUTPUT": str(outputs), **given}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    told = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, done.stdout + done.stderr, told


def check(folder: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    defaults = {name: one["default"] for name, one in action["inputs"].items()}
    values = defaults | {name.replace("_", "-"): value for name, value in inputs.items()}
    given = {
        variable: values[found[1]]
        for variable, text in STEPS["check"]["env"].items()
        if (found := re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", text))
    }
    return step("check", folder, ADALINT_BIN=str(Path(sys.executable).parent), **given)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "a folder").mkdir(parents=True)
    (folder / "good.py").write_text(CLEAN)
    (folder / "other.py").write_text(UNRELATED)
    (folder / "a folder" / "bad.py").write_text(REVERSED)
    (folder / "$(touch gone); 'x\".py").write_text(IGNORED_RANK)
    return folder


class TestSteps:
    def test_findings_are_annotations_and_fail_the_job(self, project: Path) -> None:
        code, output, outputs = check(project)
        assert (code, outputs) == (1, {"exit-code": "1"})
        assert re.search(r"^::error .*file=a folder/bad\.py,.*line=3,", output, re.MULTILINE), output

    def test_nothing_to_report_is_green(self, project: Path) -> None:
        assert check(project, paths="good.py\nother.py\n")[::2] == (0, {"exit-code": "0"})

    def test_a_line_is_one_path_whatever_it_holds(self, project: Path) -> None:
        code, output, _ = check(project, paths="$(touch gone); 'x\".py\r\n\r\na folder\r\n", output_format="concise")
        assert code == 1
        assert "ADA101" in output
        assert "ADA102" in output
        assert not (project / "gone").exists()

    def test_a_line_is_one_argument_whatever_it_holds(self, project: Path) -> None:
        code, output, _ = check(project, args="--ignore=ADA101\n--ignore=$(touch gone)")
        assert (code, (project / "gone").exists()) == (2, False), output

    def test_arguments_are_heard(self, project: Path) -> None:
        code, output, _ = check(project, args="--ignore=ADA102\n--ignore=ADA101", output_format="concise")
        assert code == 0, output

    def test_a_path_that_starts_with_a_dash_is_no_option(self, project: Path) -> None:
        (project / "--exit-zero").write_text("")
        assert check(project, paths="--exit-zero\na folder")[0] == 1

    def test_a_path_that_is_not_there_is_the_runs_failure(self, project: Path) -> None:
        assert check(project, paths="gone.py")[::2] == (2, {"exit-code": "2"})

    def test_no_path_at_all_is_the_folder(self, project: Path) -> None:
        assert check(project, paths="\n  \n")[0] == 1

    def test_sarif_is_written_beside_the_annotations(self, project: Path) -> None:
        code, output, _ = check(project, sarif="true")
        document = json.loads((project / "adalint.sarif").read_text(encoding="utf-8"))
        found = {result["ruleId"] for result in document["runs"][0]["results"]}
        assert (code, document["version"]) == (1, "2.1.0")
        assert {"ADA101", "ADA102"} <= found
        assert "::error " in output

    def test_sarif_is_left_out_unless_it_is_asked_for(self, project: Path) -> None:
        check(project)
        assert not (project / "adalint.sarif").exists()

    @pytest.mark.parametrize(
        "version", ["main; touch gone", "$(touch gone)", "-r x", "1.0\ntouch gone", "git+https://x"]
    )
    def test_what_is_no_version_is_not_installed(self, project: Path, version: str) -> None:
        code, output, outputs = step(
            "install", project, ADALINT_VERSION=version, ADALINT_VENV=str(project / "venv"), ADALINT_ACTION="."
        )
        assert (code, outputs) == (2, {})
        assert output.startswith("::error title=adalint::")
        assert not (project / "gone").exists()
        assert not (project / "venv").exists()


class TestExamples:
    def script(self, name: str) -> list[str]:
        steps = yaml.safe_load(EXAMPLES[name])["jobs"]["adalint"]["steps"]
        return [one["run"] for one in steps if one.get("run", "").startswith("adalint ")]

    def run(self, script: str, folder: Path) -> tuple[int, str]:
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
        }
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    def test_the_steps_do_what_the_page_says(self, project: Path) -> None:
        before = {path: path.read_bytes() for path in project.rglob("*.py")}
        checking, fixing, summing = self.script(".github/workflows/adalint-steps.yml")
        assert self.run(checking, project)[0] == 1
        code, difference = self.run(fixing, project)
        assert code == 1
        assert "+config = AdaLoraConfig(init_r=12" in difference
        assert self.run(summing, project)[0] == 0
        assert "ADA102" in (project.parent / "summary.md").read_text(encoding="utf-8")
        assert {path: path.read_bytes() for path in project.rglob("*.py")} == before

    def test_gitlab_finds_the_report_where_it_looks(self, project: Path) -> None:
        job = yaml.safe_load(EXAMPLES[".gitlab-ci.yml"])["adalint"]
        assert self.run(job["script"][1], project)[0] == 1
        report = json.loads((project / job["artifacts"]["reports"]["codequality"]).read_text(encoding="utf-8"))
        assert {"ADA101", "ADA102"} <= {one["check_name"] for one in report}


@pytest.mark.slow
class TestTools:
    def test_zizmor_finds_nothing(self, tmp_path: Path) -> None:
        written(tmp_path)
        workflows = [str(tmp_path / name) for name in WORKFLOWS]
        # Tags of major versions are wanted here: a composite action cannot be kept up by its users.
        (tmp_path / "zizmor.yml").write_text('rules: {unpinned-uses: {config: {policies: {"*": ref-pin}}}}')
        program = Path(sys.executable).parent / "zizmor"
        succeed(program, "--offline", "--config", tmp_path / "zizmor.yml", ACTION, *workflows)

    def test_the_installing_step_installs_this_release(self, checkout: Path, project: Path) -> None:
        import adalint

        code, output, outputs = step(
            "install",
            project,
            ADALINT_VERSION="",
            ADALINT_ACTION=str(checkout),
            ADALINT_VENV=str(project.parent / "a venv"),
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        )
        assert code == 0, output
        assert succeed(Path(outputs["bin"]) / "adalint", "--version").strip() == f"adalint {adalint.__version__}"
