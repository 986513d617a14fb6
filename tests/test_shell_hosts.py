"""Command lines in Makefiles, Dockerfiles, workflows, notebooks and Markdown."""

import json
import subprocess

import pytest

from adalint.embedded import embedded_in
from adalint.engine import check_source
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
            ("python a.py $(EXTRA)", ["python", "a.py", U]),
            ("python a.py $(UNSET)", ["python", "a.py", U]),
            ("R=8; python a.py $$R", ["python", "a.py", "8"]),
            ("python a.py # $(T)", ["python", "a.py"]),
        ],
    )
    def test_a_recipe_is_what_make_hands_to_the_shell(self, recipe, expected):
        assert read("Makefile", f"T = 8\nEXTRA = --a $(T)\nall:\n\t{recipe}\n")[-1] == expected

    def test_make_hands_over_the_same_words(self, tmp_path):
        recipes = [
            "python a.py '$$x' --r $(RANK)",
            "@python a.py \\\n\t\t--t=${T} \\\n\t  'a b'",
            "R=8; python $$R",
            "-python a\\\n\tb",
        ]
        text = "RANK = 16\nT := 8\n\nall:\n" + "".join(f"\t{one}\n" for one in recipes)
        told = tmp_path / "told"
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\nprintf '%s\\0' python \"$@\" >> {told}\nprintf '\\n\\0' >> {told}\n")
        python.chmod(0o755)
        (tmp_path / "Makefile").write_text(text)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        subprocess.run(["make", "all"], cwd=tmp_path, env=environment, check=True, capture_output=True)
        real = [record.split("\0") for record in told.read_text().split("\0\n\0")[:-1]]
        assert read("Makefile", text) == real

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

    def test_each_line_has_a_shell_of_its_own(self):
        assert read("Makefile", "all:\n\tR=8\n\tpython a.py $$R\n") == [["python", "a.py", U]]

    def test_with_oneshell_a_recipe_is_one_script(self):
        assert read("Makefile", ".ONESHELL:\nall:\n\tR=8\n\tpython a.py $$R\n") == [["python", "a.py", "8"]]

    @pytest.mark.parametrize(
        "before",
        ["T = 8\nT = 9", "ifdef X\nT = 8\nendif", "T ?= 8", "T = 8\nT += 9", "T = 8\ninclude x.mk", "T != date"],
    )
    def test_a_variable_that_may_be_something_else_is_unknown(self, before):
        assert read("Makefile", f"{before}\nall:\n\tpython a.py $(T)\n") == [["python", "a.py", U]]

    def test_a_variable_of_a_target_is_unknown(self):
        assert read("Makefile", "T = 8\nb: T = 9\nall:\n\tpython a.py $(T)\n") == [["python", "a.py", U]]

    def test_recipes_in_another_language_are_not_read(self):
        assert read("Makefile", "SHELL = python3\nall:\n\tpython a.py\n") == []

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
            "command: python",
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

    def test_an_edit_never_writes_what_yaml_would_read(self):
        assert edited("ci.yml", workflow("run: python a.py 7"), "7", "a: b #c") is None


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
