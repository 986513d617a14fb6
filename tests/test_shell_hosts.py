"""Command lines in Makefiles, Dockerfiles, workflows, notebooks and Markdown."""

import json

import pytest

from adalint.embedded import embedded_in
from adalint.engine import check_source, ignore_source
from adalint.readers.shell_edits import word_edit
from adalint.readers.shell_reader import read_commands
from adalint.settings import Settings
from adalint.source import Kind, Source, kind_of
from adalint.values import UNKNOWN

U = None


def commands(path, text):
    source = Source.decode(path, kind_of(path), text.encode())
    return source, read_commands(source)


def read(path, text):
    _, found = commands(path, text)
    return [[U if word.value is UNKNOWN else word.value for word in one.words] for one in found]


def edited(path, text, old, new):
    """Write another value for the one word that has a value."""
    source, found = commands(path, text)
    [word] = [word for one in found for word in one.words if word.value == old]
    edit = word_edit(source, word, new)
    return None if edit is None else source.apply([edit]).text


@pytest.mark.parametrize(
    "path",
    [
        *("run.sh", "a/run.bash", "job.slurm", "job.sbatch", "Makefile", "GNUmakefile", "x/makefile", "rules.mk"),
        *("Dockerfile", "docker/Dockerfile.gpu", "train.dockerfile", "Containerfile", "RUN.SH"),
    ],
)
def test_such_files_hold_command_lines(path):
    assert kind_of(path) is Kind.SHELL


@pytest.mark.parametrize("path", ["run", "run.zsh", ".env", "Makefile.am", "dockerfiles", "run.sh.j2", "a.fish"])
def test_such_files_are_not_read(path):
    assert kind_of(path) is None


@pytest.mark.parametrize("path", ["dockerfile.py", "Dockerfile.md", "makefile.json"])
def test_a_suffix_counts_before_the_rest_of_a_name(path):
    assert kind_of(path) not in {None, Kind.SHELL}


@pytest.mark.parametrize("line", ["#!/usr/bin/env python3", "#!/bin/zsh", "#!/usr/bin/fish", "#!/usr/bin/perl -w"])
def test_a_script_for_another_interpreter_is_not_read(line):
    assert read("run.sh", f"{line}\npython train.py --adalora\n") == []


@pytest.mark.parametrize("line", ["#!/bin/bash", "#!/bin/sh", "#!/usr/bin/env bash", "#!/bin/dash -e", "# a comment"])
def test_a_script_for_a_shell_is_read(line):
    assert read("run.sh", f"{line}\npython train.py\n") == [["python", "train.py"]]


MAKEFILE = """\
RANK = 16
T := 8
NAME ?= run
EXTRA = --a $(T)
train: data
\t@CUDA_VISIBLE_DEVICES=0 python train.py --init_r $(RANK) \\
\t\t--target_r=${T} \\
\t\t--name "$(NAME)" --home $$HOME --quoted '$(NAME)'
"""


class TestMakefile:
    def test_variables_are_filled_in_and_lines_go_on(self):
        [words] = read("Makefile", MAKEFILE)
        assert words[:6] == ["python", "train.py", "--init_r", "16", "--target_r=8", "--name"]
        assert words[6:] == [U, "--home", U, "--quoted", U]

    @pytest.mark.parametrize(
        ("recipe", "expected"),
        [
            ("python a.py '$$x'", ["python", "a.py", "$x"]),
            ("-python a.py", ["python", "a.py"]),
            ("@-python a.py", ["python", "a.py"]),
            ("python a.py $@ $< --x", ["python", "a.py", U, U, "--x"]),
            ("python a.py $(shell date) --x", ["python", "a.py", U, "--x"]),
            ("python a.py $(call f,(a),b) --x", ["python", "a.py", U, "--x"]),
            ("python a.py $(EXTRA)", ["python", "a.py", "--a", "8"]),
            ("python a.py '$(EXTRA)'", ["python", "a.py", "--a 8"]),
            ("python a.py $(MANY) --x", ["python", "a.py", "--b", "8", "--c", U, "--d", "1", "--x"]),
            ("python a.py $A --x", ["python", "a.py", "1", "--x"]),
            ("python a.py $$'8'", ["python", "a.py", U]),
            ("python a.py $(T:8=9) $(or $(T),9)", ["python", "a.py", U, U]),
            ("python a.py $(UNSET)", ["python", "a.py", U]),
            ("R=8; python a.py $$R", ["python", "a.py", "8"]),
            ("python a.py # $(T)", ["python", "a.py"]),
        ],
    )
    def test_a_recipe_is_what_make_hands_to_the_shell(self, recipe, expected):
        before = "T = 8\nEXTRA = --a $(T)\nMANY = --b $(T) \\\n  --c $(UNSET) \\\n  --d 1  # why\nA = 1\n"
        assert read("Makefile", f"{before}all:\n\t{recipe}\n")[-1] == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("t: data ; python a.py --x 1\n", [["python", "a.py", "--x", "1"]]),
            (
                "R = 3\nt: $(shell ls; x) ;@python a.py $(R)\n\tpython b.py\n",
                [["python", "a.py", "3"], ["python", "b.py"]],
            ),
            ("t: X = a ; python a.py\n", []),
            ("t: # ; python a.py\n", []),
            ("x = a:b ; python a.py\n", []),
        ],
    )
    def test_a_recipe_on_the_line_of_its_target_is_read(self, text, expected):
        assert read("Makefile", text) == expected

    def test_a_dollar_sign_alone_stands_for_itself(self):
        text = ".ONESHELL:\nall:\n\tpython a.py --x $$\n\tpython b.py\n"
        assert read("Makefile", text) == [["python", "a.py", "--x", "$"], ["python", "b.py"]]

    def test_each_line_has_a_shell_of_its_own(self):
        assert read("Makefile", "all:\n\tR=8\n\tpython a.py $$R\n") == [["python", "a.py", U]]

    def test_with_oneshell_a_recipe_is_one_script(self):
        assert read("Makefile", ".ONESHELL:\nall:\n\tR=8\n\tpython a.py $$R\n") == [["python", "a.py", "8"]]

    @pytest.mark.parametrize(
        "before",
        [
            *("ifdef X\nT = 8\nendif", "T ?= 8", "T += 9", "T = 8\ninclude x.mk", "T != date", "T = a\\b"),
            *("T = 8\nundefine T", "T = 8\n$(eval T = 9)", "T = 8\nX = T\n$(X) = 9", "private T = 8", "T = $(T)"),
            *("define T\n8\nendef", "define X\ndefine T\nendef\nT = 8\nendef"),
        ],
    )
    def test_a_variable_that_may_be_something_else_is_unknown(self, before):
        assert read("Makefile", f"{before}\nall:\n\tpython a.py $(T)\n") == [["python", "a.py", U]]

    @pytest.mark.parametrize(
        ("before", "value"),
        [
            *(("T = 8\nT = 9", "9"), ("T = $(X)\nX = 9", "9"), ("X = 8\nT := $(X)\nX = 9", "8")),
            *(("T = 8\nT ?= 9", "8"), ("T = 8  # why", "8"), ("include x.mk\nT = 8", "8"), ("export T = 8", "8")),
            *(("T = $$HOME", U), ("T = \\\n  8", "8"), ("# \\\nT = 9\nT = 8", "8")),
        ],
    )
    def test_what_make_makes_of_a_variable_is_known(self, before, value):
        assert read("Makefile", f"{before}\nall:\n\tpython a.py $(T)\n") == [["python", "a.py", value]]

    def test_what_is_added_is_known(self):
        assert read("Makefile", "T = 8\nT += 9\nall:\n\tpython a.py $(T)\n") == [["python", "a.py", "8", "9"]]

    @pytest.mark.parametrize("line", ["b: T = 9", "all b: private T += 9", "$(X): T = 9", "b: $(X:.c=.o) T := 9"])
    def test_a_variable_of_a_target_is_unknown(self, line):
        assert read("Makefile", f"T = 8\n{line}\nall:\n\tpython a.py $(T)\n") == [["python", "a.py", U]]

    def test_values_that_grow_twofold_are_given_up(self):
        lines = "".join(f"X{one} = $(X{one + 1})$(X{one + 1})\n" for one in range(60))
        assert read("Makefile", f"{lines}X60 =\nall:\n\tpython a.py $(X0)\n") == [["python", "a.py", U]]

    @pytest.mark.parametrize("shell", ["/bin/bash", "/usr/bin/env bash", "$(shell which bash)"])
    def test_with_bash_its_quotes_are_read(self, shell):
        assert read("Makefile", f"SHELL := {shell}\nall:\n\tpython a.py $$'8'\n") == [["python", "a.py", "8"]]

    def test_recipes_in_another_language_are_not_read(self):
        for shell in ("SHELL = python3", "SHELL = $(X)", "ifdef X\nSHELL = cmd\nendif"):
            assert read("Makefile", f"{shell}\nall:\n\tpython a.py\n") == []

    def test_what_is_defined_is_no_recipe(self):
        assert read("Makefile", "define x\n\tpython a.py\nendef\n") == []

    def test_a_word_is_edited(self):
        after = edited("Makefile", "all:\n\tpython a.py --x 7 \\\n\t  --y '$$b'\n", "7", "8")
        assert after == "all:\n\tpython a.py --x 8 \\\n\t  --y '$$b'\n"

    def test_a_variable_of_make_gives_way(self):
        assert edited("Makefile", "T = 7\nall:\n\tpython a.py --x $(T)\n", "7", "8") == (
            "T = 7\nall:\n\tpython a.py --x 8\n"
        )

    def test_an_edit_never_writes_what_make_would_read(self):
        assert edited("Makefile", "all:\n\tpython a.py 'x y'\n", "x y", "$z") is None


class TestDockerfile:
    @pytest.mark.parametrize(
        ("instruction", "expected"),
        [
            ("RUN python a.py --x 1", ["python", "a.py", "--x", "1"]),
            ("run python a.py", ["python", "a.py"]),
            ("CMD python a.py --x 1", ["python", "a.py", "--x", "1"]),
            ("ENTRYPOINT python a.py", ["python", "a.py"]),
            ("ONBUILD RUN python a.py", ["python", "a.py"]),
            ("RUN python a.py \\\n    --x 1 \\\n    --y", ["python", "a.py", "--x", "1", "--y"]),
            ("RUN python a.py \\\n# why\n    --x 1", ["python", "a.py", "--x", "1"]),
            ("RUN python a.py \\\n\n    --x 1", ["python", "a.py", "--x", "1"]),
            ("RUN --mount=type=cache,target=/c --network=none python a.py", ["python", "a.py"]),
            ("RUN R=8 && python a.py $R", ["python", "a.py", "8"]),
            ("ENV R=8\nRUN python a.py $R", ["python", "a.py", "8"]),
            ("ENV R=8 \\\n  T='a b'\nRUN python a.py \"$T\" $R", ["python", "a.py", "a b", "8"]),
            ("ENV R=8\nCMD python a.py $R", ["python", "a.py", U]),
            ("ENV R=8\nONBUILD RUN python a.py $R", ["python", "a.py", U]),
            ("ENV R=8\nENV R=$T\nRUN python a.py $R", ["python", "a.py", U]),
            ("ENV R=8\nFROM other\nRUN python a.py $R", ["python", "a.py", U]),
            ("ARG R=8\nRUN python a.py $R", ["python", "a.py", U]),
            ("RUN <<EOF\npython a.py --x 1\nEOF", ["python", "a.py", "--x", "1"]),
            ('CMD ["python", "a.py", "--x", "1"]', ["python", "a.py", "--x", "1"]),
            ('ENTRYPOINT ["python","a.py","--x=$R","a b"]', ["python", "a.py", "--x=$R", "a b"]),
            ('CMD [ "python", \\\n  "a.py" \\\n]', ["python", "a.py"]),
            ('CMD ["python", "\\u0061\\"b\\\\"]', ["python", 'a"b\\']),
            ('CMD ["bash", "-c", "python a.py --x \'a b\'"]', ["python", "a.py", "--x", "a b"]),
            ('CMD ["bash", "-lc", "python a.py --x \\"a b\\""]', ["python", "a.py", "--x", "a b"]),
        ],
    )
    def test_an_instruction_is_read(self, instruction, expected):
        assert read("Dockerfile", f"FROM python\n{instruction}\n")[-1] == expected

    @pytest.mark.parametrize(
        "text",
        [
            "# escape=`\nFROM x\nRUN python a.py\n",
            'FROM x\nSHELL ["powershell", "-Command"]\nRUN python a.py\n',
            "FROM x\nCOPY python a.py\nLABEL run=python\n# RUN python a.py\n",
            "FROM x\nCMD []\n",
            "FROM x\nCMD ['python', 'a.py']\n",  # no JSON: a shell gets it, which looks for a program `[python,`
        ],
    )
    def test_what_is_no_command_of_a_shell_is_not_read(self, text):
        assert read("Dockerfile", text) == []

    def test_a_string_of_a_list_is_edited(self):
        assert edited("Dockerfile", 'FROM x\nCMD ["python", "a.py", "--x", "7"]\n', "7", "8") == (
            'FROM x\nCMD ["python", "a.py", "--x", "8"]\n'
        )

    def test_a_script_in_a_string_is_edited(self):
        text = 'FROM x\nCMD ["bash", "-c", "python a.py --n \\"q\\" --x 7"]\n'
        assert edited("Dockerfile", text, "7", "8") == text.replace("7", "8")

    def test_an_edit_never_writes_what_json_would_read(self):
        assert edited("Dockerfile", 'FROM x\nCMD ["python", "a.py", "7"]\n', "7", 'a"b') is None


def workflow(run):
    return f"jobs:\n  a:\n    steps:\n      - name: x\n        {run}\n"


class TestWorkflow:
    @pytest.mark.parametrize(
        ("run", "expected"),
        [
            ("run: python a.py --x 1", ["python", "a.py", "--x", "1"]),
            ("run: |\n          python a.py \\\n            --x 1", ["python", "a.py", "--x", "1"]),
            ("run: |\n          R=8\n\n          python a.py $R", ["python", "a.py", "8"]),
            ("run: |-\n          python a.py", ["python", "a.py"]),
            ("run: >\n          python a.py\n          --x 1", ["python", "a.py", "--x", "1"]),
            ("run: >-\n          python a.py\n          --x\n          1", ["python", "a.py", "--x", "1"]),
            ("run: 'python a.py --x ''a b'''", ["python", "a.py", "--x", "a b"]),
            ('run: "python a.py --x \\"a b\\""', ["python", "a.py", "--x", "a b"]),
            ('run: "R=8\\npython a.py $R"', ["python", "a.py", "8"]),
            ("run: python a.py --x ${{ matrix.r }} --y", ["python", "a.py", "--x", U, "--y"]),
            ("run: python a.py --x '${{ matrix.r }}'", ["python", "a.py", "--x", U]),
            ("run: python a.py --x r${{ matrix.r }}b", ["python", "a.py", "--x", U]),
            ("shell: bash\n        run: python a.py", ["python", "a.py"]),
            ("script:\n          - R=8\n          - python a.py $R", ["python", "a.py", "8"]),
            ("script: python a.py", ["python", "a.py"]),
            ("before_script: [python a.py]", ["python", "a.py"]),
            ('command: ["python", "a.py", "--x", "1"]', ["python", "a.py", "--x", "1"]),
            ("command: [python, a.py]\n        args:\n          - --x\n          - 1", ["python", "a.py", "--x", "1"]),
            ("command:\n          - bash\n          - -c\n          - python a.py", ["python", "a.py"]),
            ("command: [python, a.py, --x, $(RANK), --y, 'r${R}']", ["python", "a.py", "--x", U, "--y", U]),
            ("command: [sh, -c]\n        args: ['cd $HOME; python a.py --x 1']", ["python", "a.py", "--x", "1"]),
            ("args: [python, a.py]", ["python", "a.py"]),
            ("run:\n          command: |\n            R=8\n            python a.py $R", ["python", "a.py", "8"]),
            ("command: python a.py --x 1", ["python", "a.py", "--x", "1"]),
            ("cmd: python a.py --x ${train.rank} --y", ["python", "a.py", "--x", U, "--y"]),
            ("run: python a.py --x '{{ rank }}'", ["python", "a.py", "--x", U]),
        ],
    )
    def test_a_step_is_read(self, run, expected):
        assert read("ci.yml", workflow(run))[-1] == expected

    @pytest.mark.parametrize(
        "run",
        [
            "shell: python\n        run: python a.py",
            "shell: pwsh\n        run: python a.py",
            "ran: python a.py",
            "run: {a: b}",
            "run: *x",
            "commands: python",
        ],
    )
    def test_what_is_no_script_is_not_read(self, run):
        assert read("ci.yml", workflow(run)) == []

    @pytest.mark.parametrize(
        "run",
        [
            "run: python a.py --x 7",
            "run: |\n          python a.py \\\n            --x 7\n          # é",
            "run: 'python a.py ''é b'' --x 7'",
            'run: "python a.py \\"é b\\" --x 7"',
            "run: >-\n          python a.py\n          --x 7",
            'command: ["python", "--x", "7"]',
            "command: [python, --x, 7]",
        ],
    )
    def test_a_word_is_edited(self, run):
        assert edited("ci.yml", workflow(run), "7", "8") == workflow(run.replace("7", "8"))

    def test_an_edit_never_writes_what_kubernetes_would_read(self):
        assert edited("job.yaml", workflow("command: [python, a.py, '7']"), "7", "$(X)") is None

    def test_an_edit_never_writes_what_yaml_would_read(self):
        assert edited("ci.yml", workflow("run: python a.py 7"), "7", "a: b #c") is None


def compose(*lines):
    return "services:\n  train:\n    image: x\n" + "".join(f"    {line}\n" for line in lines)


class TestCompose:
    @pytest.mark.parametrize(
        ("lines", "expected"),
        [
            (["command: python a.py --x 'a b'"], ["python", "a.py", "--x", "a b"]),
            (["command: >", "  python a.py", "  --x 1"], ["python", "a.py", "--x", "1"]),
            (["command: [python, a.py, '--x=${R:-8}', $$R]"], ["python", "a.py", U, U]),
            (["command: python a.py --x ${R:-8} '$R' r$$R"], ["python", "a.py", "--x", U, U, U]),
            (["entrypoint: [python, a.py]", "command: --x 1"], ["python", "a.py", "--x", "1"]),
            (["command: [--x, '1']", "entrypoint: python a.py"], ["python", "a.py", "--x", "1"]),
            (['command: bash -c "cd x && python a.py --x 1"'], ["python", "a.py", "--x", "1"]),
            (['command: bash -c "R=8; python a.py $R"'], ["python", "a.py", U]),
            (["command:", "  - bash", "  - -c", "  - |", "    cd x", "    python a.py"], ["python", "a.py"]),
        ],
    )
    def test_the_words_of_a_service_are_read(self, lines, expected):
        assert read("docker-compose.yml", compose(*lines))[-1] == expected

    @pytest.mark.parametrize(
        "command", ["python a.py && python b.py", "python a.py > out", "python a.py {a,b}", "R=8 python a.py"]
    )
    def test_what_a_shell_would_read_otherwise_is_not_read(self, command):
        assert read("compose.yaml", compose(f"command: {command}")) == []

    @pytest.mark.parametrize("line", ["command: python --x 7", "command: [python, '--x', '7']", "entrypoint: python 7"])
    def test_a_word_is_edited(self, line):
        assert edited("compose.yaml", compose(line), "7", "8") == compose(line.replace("7", "8"))

    def test_an_edit_never_writes_what_compose_would_read(self):
        assert edited("compose.yaml", compose("command: python --x '7'"), "7", "$X") is None


REVERSED = "swift sft --tuner_type adalora --model x --adalora_init_r 8 --adalora_target_r 16 --max_steps 90"
NAME = "target-rank-not-below-initial"
IGNORED = "adalint: ignore[ADA102]"


def notebook(*cells):
    code = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": c} for c in cells]
    text = json.dumps({"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)
    return Source.decode("a.ipynb", Kind.NOTEBOOK, text.encode())


def shells(host):
    return [text for text in embedded_in(host) if text.kind is Kind.SHELL]


def in_host(host):
    return [
        [U if word.value is UNKNOWN else word.value for word in one.words]
        for text in shells(host)
        for one in read_commands(text)
    ]


class TestNotebook:
    @pytest.mark.parametrize(
        ("cell", "expected"),
        [
            ("!python a.py --adalora --x 1", ["python", "a.py", "--adalora", "--x", "1"]),
            ("x = 1\nif x:\n    !python a.py --adalora", ["python", "a.py", "--adalora"]),
            ("!python a.py \\\n  --adalora \\\n  --x 1", ["python", "a.py", "--adalora", "--x", "1"]),
            ("!python a.py --adalora --x {rank} --y", ["python", "a.py", "--adalora", "--x", U, "--y"]),
            ("!python a.py --adalora --x '{rank}'", ["python", "a.py", "--adalora", "--x", U]),
            ("!python a.py --adalora --x $rank", ["python", "a.py", "--adalora", "--x", U]),
            ("out = !python a.py --adalora --x 1", ["python", "a.py", "--adalora", "--x", "1"]),
            ("%%bash\npython a.py --adalora --x 1\n", ["python", "a.py", "--adalora", "--x", "1"]),
            ("%%bash\nR=8\npython a.py --adalora --x $R", ["python", "a.py", "--adalora", "--x", "8"]),
            ("%%sh\npython a.py --adalora", ["python", "a.py", "--adalora"]),
            ("%%script bash\npython a.py --adalora", ["python", "a.py", "--adalora"]),
        ],
    )
    def test_what_a_cell_hands_to_a_shell_is_read(self, cell, expected):
        assert in_host(notebook("import peft", cell)) == [expected]

    @pytest.mark.parametrize(
        "cell",
        ["print('!python a.py --adalora')", "%%writefile a.sh\npython a.py --adalora", "%run a.py --adalora", "!ls"],
    )
    def test_what_is_no_shell_is_not_read(self, cell):
        assert in_host(notebook("adalora = 1", cell)) == []

    @pytest.mark.parametrize(
        "cell",
        [
            f"# {IGNORED}\n!{REVERSED}",
            f"!{REVERSED}  # {IGNORED}",
            f"if True:\n    # {IGNORED}\n    !{REVERSED}",
            f"# {IGNORED}\n!swift sft \\\n  --x 1 \\\n  {REVERSED.removeprefix('swift sft')}",
            f"# {IGNORED}\nout = !{REVERSED}",
            f"%%bash\n# {IGNORED}\n{REVERSED}",
            f"%%bash\ncd x\n{REVERSED}  # {IGNORED}",
            f"%%bash\n# {IGNORED}\nswift sft \\\n  {REVERSED.removeprefix('swift sft')}",
        ],
    )
    def test_a_comment_silences_what_a_cell_hands_to_a_shell(self, cell):
        report = check_source(notebook("a = 1", cell), Settings())
        assert ([one.code for one in report.findings], [one.code for one in report.suppressed]) == ([], ["ADA102"])

    @pytest.mark.parametrize(
        "cells",
        [
            [f"# {IGNORED}\n\n!{REVERSED}"],
            [f"# {IGNORED}\n!ls\n!{REVERSED}"],
            [f"# {IGNORED}\nx = 1\n!{REVERSED}"],
            [f"x = 1  # {IGNORED}\n!{REVERSED}"],
            [f"# {IGNORED}", f"!{REVERSED}"],
            [f"# {IGNORED}", f"%%bash\n{REVERSED}"],
            [f"!{REVERSED} \\\n  --x 1  # {IGNORED}"],
        ],
    )
    def test_a_comment_does_not_silence_another_line(self, cells):
        report = check_source(notebook(*cells), Settings())
        assert sorted(one.code for one in report.findings) == ["ADA102", "ADA902"]

    def test_a_comment_for_the_file_in_the_python_is_for_its_command_lines(self):
        comment = IGNORED.replace("ignore", "ignore-file")
        report = check_source(notebook(f"# {comment}", f"!{REVERSED}", f"%%bash\n{REVERSED}"), Settings())
        assert (report.findings, len(report.suppressed)) == ((), 2)

    @pytest.mark.parametrize(
        ("cell", "after"),
        [
            (f"!{REVERSED}", f"# adalint: ignore[{NAME}]\n!{REVERSED}"),
            (f"if True:\n    !{REVERSED}", f"if True:\n    # adalint: ignore[{NAME}]\n    !{REVERSED}"),
            (f"a = 1\nout = !{REVERSED}", f"a = 1\n# adalint: ignore[{NAME}]\nout = !{REVERSED}"),
            (f"# adalint: ignore[ADA401]\n!{REVERSED}", f"# adalint: ignore[ADA401, ADA102]\n!{REVERSED}"),
            (f"%%bash\n{REVERSED}", f"%%bash\n# adalint: ignore[{NAME}]\n{REVERSED}"),
            (f"!{REVERSED} \\\n  --x", f"# adalint: ignore[{NAME}]\n!{REVERSED} \\\n  --x"),
        ],
    )
    def test_the_suppression_that_is_written_silences(self, cell, after):
        done = ignore_source(notebook("b = 2", cell), Settings())
        assert done.after.encode() == notebook("b = 2", after).encode()
        assert [one.code for one in check_source(done.after, Settings()).suppressed] == ["ADA102"]

    def test_lines_do_not_share_variables(self):
        assert in_host(notebook("!R=8\n!python a.py --adalora $R"))[-1] == ["python", "a.py", "--adalora", U]

    @pytest.mark.parametrize(
        "cell", ["!python a.py --adalora \\\n  --x 7 é", "%%bash\n# é\npython a.py --adalora --x 7\n"]
    )
    def test_a_word_is_edited_in_its_cell(self, cell):
        host = notebook("a = 'é'", cell)
        [text] = shells(host)
        [word] = [word for one in read_commands(text) for word in one.words if word.value == "7"]
        after = host.apply(text.edits_out([word_edit(text, word, "8")]))
        assert after.encode() == notebook("a = 'é'", cell.replace("7", "8")).encode()

    def test_a_place_is_in_one_text_only(self):
        host = notebook("a = 1", "!python a.py --adalora --x 7")
        python, shell = embedded_in(host)
        word = read_commands(shell)[0].words[-1]
        place = shell.span_out(word.span)
        assert host.slice(place) == "7"
        assert (python.holds(place), shell.holds(place)) == (False, True)


class TestMarkdown:
    @pytest.mark.parametrize("language", ["bash", "sh", "shell", "{code-block} bash"])
    def test_a_fence_is_read(self, language):
        host = Source("a.md", Kind.MARKDOWN, f"# x\n\n```{language}\npython a.py --adalora\n```\n".encode())
        assert in_host(host) == [["python", "a.py", "--adalora"]]

    def test_a_prompt_is_no_word(self):
        host = Source("a.md", Kind.MARKDOWN, b"```bash\n$ python a.py --adalora \\\n    --x 1\n```\n")
        assert in_host(host) == [["python", "a.py", "--adalora", "--x", "1"]]

    def test_a_word_is_edited_behind_an_indent(self):
        text = "- x\n\n  ```bash\n  python a.py --adalora \\\n    --x 7\n  ```\n"
        host = Source("a.md", Kind.MARKDOWN, text.encode())
        [inner] = shells(host)
        [word] = [word for one in read_commands(inner) for word in one.words if word.value == "7"]
        assert host.apply(inner.edits_out([word_edit(inner, word, "8")])).text == text.replace("7", "8")

    @pytest.mark.parametrize("language", ["console", "text", "zsh", ""])
    def test_a_fence_in_another_language_is_not_read(self, language):
        host = Source("a.md", Kind.MARKDOWN, f"```{language}\npython a.py --adalora\n```\n".encode())
        assert in_host(host) == []


LAUNCH = "my-launcher adalora --init_r 4 --target_r 8"


@pytest.mark.parametrize(
    "host",
    [
        Source("run.sh", Kind.SHELL, f"{LAUNCH}\n".encode()),
        Source("Makefile", Kind.SHELL, f"all:\n\t{LAUNCH}\n".encode()),
        Source("a.md", Kind.MARKDOWN, f"```bash\n{LAUNCH}\n```\n".encode()),
        notebook(f"!{LAUNCH}", f"%%bash\n{LAUNCH}\n"),
    ],
    ids=lambda host: host.path,
)
def test_a_command_line_that_no_framework_reads_has_no_findings(host):
    assert check_source(host, Settings()).findings == ()
