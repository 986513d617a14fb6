"""Neovim driven for real, with the recipe of docs/editors.md as it stands there."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, run
from neovim_editor import Neovim, recipes

from adalint.schema import FIELDS

pytestmark = pytest.mark.slow

TWO_MISTAKES = (
    "from peft import AdaLoraConfig\n\n"
    "first = AdaLoraConfig(init_r=8, target_r=16, total_step=100)\n"
    "名前, second = '🎉', AdaLoraConfig(init_r=12, target_r=8, tinit=5, tfinal=7, total_step=10)  # 結果\n"
)
YAML = "peft:\n  peft_type: ADALORA\n  init_r: 8\n  target_r: 16 # wide\n  total_step: 100\n"
JSON = '{\n    "peft_type": "ADALORA",\n    "init_r": 8,\n    "target_r": 16,\n    "total_step": 100\n}\n'
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# 量 🎉\n"]},
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": [],
            "source": [*REVERSED.splitlines(keepends=True)],
        },
    ],
    "metadata": {"language_info": {"name": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
TEXTS = {
    "train.py": REVERSED,
    "several.py": TWO_MISTAKES,
    "exp %23.yaml": YAML,
    "adapter_config.json": JSON,
    "a b 量.md": f"# Notes\n\n```python\n{REVERSED}```\n",
}
SPARE = {
    "train.py": "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(r=16, init_r=12, target_r=8, total_step=10_000)\n",
    "today.py": IGNORED_RANK,
    "exp %23.yaml": "peft:\n  peft_type: ADALORA\n  r: 16  # 秩\n  init_r: 12\n  total_step: 10000\n",
    "adapter_config.json": '{\n  "peft_type": "ADALORA",\n  "init_r": 12,\n  "r": 16,\n  "total_step": 10000\n}\n',
}
SPARE["a b 量.md"] = f"# Notes\n\n```python\n{SPARE['train.py']}```\n"
"""Texts in which `r` has no effect, which can be mended without a change of training."""

PREFERRED = "vim.lsp.buf.code_action({ filter = function(one) return one.isPreferred end, apply = true })"


@pytest.fixture(scope="module")
def neovim(tmp_path_factory):
    started = Neovim(tmp_path_factory.mktemp("home"))
    yield started
    started.quit()


@pytest.fixture
def project(tmp_path):
    (tmp_path / "adalint.toml").write_text("")
    return tmp_path


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def told_by_the_command_line(path, *options):
    return json.loads(run("check", "--output-format", "json", *options, str(path)).stdout)


def mended_by_the_command_line(path, *options):
    return run("fix", "--stdin-filename", str(path), *options, "-", stdin=path.read_bytes()).stdout


def has_ended(process):
    """Tell whether a process is gone, or waits only for whoever inherited it to notice."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def wait_for_the_end_of(process):
    until = time.monotonic() + 60
    while not has_ended(process):
        assert time.monotonic() < until, "the server is still there"
        time.sleep(0.01)


@pytest.mark.parametrize("name", TEXTS)
def test_neovim_shows_what_the_command_line_says_at_the_same_places(neovim, project, name):
    path = written(project, name, TEXTS[name])
    told = told_by_the_command_line(path)
    assert told
    neovim.edit(path)
    shown = neovim.diagnostics(len(told))
    lines = TEXTS[name].splitlines()
    for diagnostic, finding in zip(shown, told, strict=True):
        start, end = finding["location"], finding["end_location"]
        line = lines[start["row"] - 1]
        assert diagnostic["message"] == finding["message"]
        assert (diagnostic["code"], diagnostic["source"]) == (finding["code"], "adalint")
        # 1 is vim.diagnostic.severity.ERROR, 2 WARN, 3 INFO
        assert diagnostic["severity"] == {"error": 1, "warning": 2, "info": 3}[finding["severity"]]
        assert (diagnostic["lnum"], diagnostic["end_lnum"]) == (start["row"] - 1, end["row"] - 1)
        marked = line.encode()[diagnostic["col"] : diagnostic["end_col"]].decode()
        assert marked == line[start["column"] - 1 : end["column"] - 1]


def test_a_notebook_that_is_open_as_its_json_has_the_findings_too(neovim, project):
    path = written(project, "train.ipynb", json.dumps(NOTEBOOK, indent=1, ensure_ascii=False))
    [finding] = told_by_the_command_line(path)
    neovim.edit(path)
    [shown] = neovim.diagnostics(1)
    assert (shown["code"], shown["message"]) == (finding["code"], finding["message"])
    assert "target_r=16" in path.read_text().splitlines()[shown["lnum"]]


def test_a_mistake_shows_while_it_is_typed_and_goes_when_it_is_mended(neovim, project):
    neovim.edit(written(project, "typed.py", CLEAN))
    assert neovim.diagnostics(0) == []
    neovim.put_cursor("8, total")
    neovim.type("cw16")
    [shown] = neovim.diagnostics(1)
    assert (shown["code"], shown["lnum"]) == ("ADA102", 2)
    neovim.type("<Esc>u")
    assert neovim.diagnostics(0) == []
    assert neovim.text == CLEAN


@pytest.mark.parametrize("name", SPARE)
def test_the_preferred_quick_fix_gives_what_fix_gives(neovim, project, name):
    path = written(project, name, SPARE[name])
    wanted = mended_by_the_command_line(path)
    assert wanted != SPARE[name]
    neovim.edit(path)
    neovim.diagnostics(1)
    neovim.put_cursor("r=16" if path.suffix in {".py", ".md"} else "r: 16" if path.suffix == ".yaml" else '"r": 16')
    neovim.act(PREFERRED)
    assert neovim.text == wanted
    neovim.diagnostics(0)


def test_each_fix_can_be_chosen_by_its_title(neovim, project):
    path = written(project, "train.py", IGNORED_RANK)
    neovim.edit(path)
    neovim.diagnostics(1)
    neovim.put_cursor("r=16")
    neovim.act("""vim.lsp.buf.code_action({ apply = true, filter = function(one)
        return one.title:find("start at this rank", 1, true) ~= nil
    end })""")
    assert neovim.text == mended_by_the_command_line(path, "--unsafe-fixes")
    assert "init_r=16" in neovim.text


def test_a_finding_can_be_silenced_where_it_stands(neovim, project):
    path = written(project, "train.py", REVERSED)
    neovim.edit(path)
    neovim.diagnostics(1)
    neovim.put_cursor("target_r")
    neovim.act("""vim.lsp.buf.code_action({ apply = true, filter = function(one)
        return one.title:find("^silence ") ~= nil
    end })""")
    neovim.diagnostics(0)
    neovim.command("write")
    assert "adalint: ignore[" in path.read_text()
    assert told_by_the_command_line(path) == []


def test_the_line_of_the_page_that_fixes_all_does_what_fix_does(neovim, project):
    text = SPARE["train.py"] + IGNORED_RANK + TWO_MISTAKES
    path = written(project, "several.py", text)
    wanted = mended_by_the_command_line(path)
    assert wanted not in {text, ""}
    neovim.edit(path)
    neovim.diagnostics(len(told_by_the_command_line(path)))
    neovim.act(recipes()[1])
    assert neovim.text == wanted
    neovim.command("write")
    assert path.read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("name", ["train.py", "exp %23.yaml", "adapter_config.json"])
def test_a_field_explains_itself(neovim, project, name):
    neovim.edit(written(project, name, TEXTS[name]))
    neovim.diagnostics(1)
    neovim.put_cursor("target_r")
    neovim.lua("vim.lsp.buf.hover()")
    floating = "vim.tbl_filter(function(one) return vim.api.nvim_win_get_config(one).relative ~= '' end, {})"
    floating = floating.replace("{}", "vim.api.nvim_list_wins()")
    neovim.until(f"#{floating} == 1")
    shown = neovim.lua(
        f"local window = {floating}[1]; local lines = vim.api.nvim_buf_get_lines("
        "vim.api.nvim_win_get_buf(window), 0, -1, true); vim.api.nvim_win_close(window, true); return lines"
    )
    assert " ".join(FIELDS["target_r"].facts.doc.split()) in " ".join(" ".join(shown).split())
    assert "16" in " ".join(shown)


@pytest.mark.parametrize(
    ("name", "last", "typed", "wanted"),
    [
        ("train.py", "total_step=100", ", beta", "beta1="),
        ("exp %23.yaml", "total_step: 100", "\n  beta", "beta1:"),
        ("adapter_config.json", '"total_step": 100', ',\n    "beta', '"beta1":'),
    ],
)
def test_names_of_fields_are_offered(neovim, project, name, last, typed, wanted):
    before, _, after = TEXTS[name].partition(last)
    neovim.edit(written(project, name, before + last + typed + after))
    neovim.put_cursor("beta")
    neovim.type("ea<C-x><C-o>")
    neovim.until("vim.fn.pumvisible() == 1")
    offered = neovim.lua("return vim.fn.complete_info({ 'items' }).items")
    assert [one["abbr"] for one in offered] == ["beta1", "beta2"]
    neovim.type("<C-y><Esc>")
    neovim.until("vim.fn.mode() == 'n'")
    assert wanted in neovim.text


def test_settings_that_are_saved_in_neovim_hold_at_once(neovim, project):
    path = written(project, "train.py", REVERSED)
    neovim.edit(path)
    neovim.diagnostics(1)
    neovim.lua("vim.cmd.edit(...)", str(project / "adalint.toml"))
    neovim.call("buf_set_lines", 0, 0, -1, True, ['ignore = ["ADA102"]'])
    neovim.command("write")
    neovim.command("buffer #")
    assert neovim.diagnostics(0) == []


def test_each_project_has_its_own_settings(neovim, tmp_path):
    for name, settings in (("strict", ""), ("lenient", 'ignore = ["ADA102"]\n')):
        (tmp_path / name).mkdir()
        written(tmp_path / name, "adalint.toml", settings)
        written(tmp_path / name, "train.py", IGNORED_RANK + REVERSED)
    neovim.edit(tmp_path / "strict" / "train.py")
    assert [one["code"] for one in neovim.diagnostics(2)] == ["ADA101", "ADA102"]
    neovim.edit(tmp_path / "lenient" / "train.py")
    assert [one["code"] for one in neovim.diagnostics(1)] == ["ADA101"]


def test_what_init_lua_sets_for_adalint_counts(tmp_path):
    more = 'vim.lsp.config("adalint", { settings = { adalint = { ignore = { "ADA102" }, lang = "zh" } } })\n'
    neovim = Neovim(tmp_path / "home", more)
    path = written(tmp_path, "train.py", IGNORED_RANK + REVERSED)
    [wanted] = told_by_the_command_line(path, "--ignore", "ADA102", "--lang", "zh")
    neovim.edit(path)
    [shown] = neovim.diagnostics(1)
    neovim.quit()
    assert shown["message"] == wanted["message"]


@pytest.mark.parametrize("end", [Neovim.quit, Neovim.kill])
def test_no_server_is_left_when_neovim_is(tmp_path, end):
    neovim = Neovim(tmp_path / "home")
    neovim.edit(written(tmp_path, "train.py", REVERSED))
    neovim.diagnostics(1)
    [server] = neovim.servers()
    assert b"adalint" in Path(f"/proc/{server}/cmdline").read_bytes()
    os.kill(server, 0)
    end(neovim)
    wait_for_the_end_of(server)
