"""Launchers, options, edits, limits and suppressions of shell."""

import argparse
import subprocess
import sys

import pytest

from adalint.files import walk
from adalint.fixes.ignore_edits import silencing
from adalint.readers.errors import ReadError
from adalint.readers.shell_edits import word_edit
from adalint.readers.shell_reader import read_commands
from adalint.readers.shell_words import options
from adalint.source import Kind, Source
from adalint.suppress import directives_of
from adalint.values import UNKNOWN


def shell(text, path="run.sh"):
    return Source.decode(path, Kind.SHELL, text.encode())


def only(text):
    [command] = read_commands(shell(text))
    return command


class TestScript:
    @pytest.mark.parametrize(
        ("line", "script"),
        [
            ("python train.py --x", "train.py"),
            ("python3.11 -u train.py --x", "train.py"),
            ("/opt/env/bin/python -W ignore train.py", "train.py"),
            ("python -m pkg.train --x", "pkg.train"),
            ("python -um pkg.train --x", "pkg.train"),
            ("python -m torch.distributed.run --nproc_per_node 2 train.py --x", "train.py"),
            ("python -m torch.distributed.launch --nproc_per_node=2 --use_env train.py", "train.py"),
            ("python -m accelerate.commands.launch --num_processes 2 train.py", "train.py"),
            ("./train.py --x", "./train.py"),
            ("train-model --x", "train-model"),
            ("torchrun train.py --x", "train.py"),
            ("torchrun --nproc_per_node 2 train.py --x", "train.py"),
            ("torchrun --standalone --nproc_per_node=2 train.py --x", "train.py"),
            ("torchrun --nnodes 1 --node_rank 0 --master_addr localhost --master_port 29500 train.py", "train.py"),
            ("torchrun --nproc_per_node 2 -m pkg.train --x", "pkg.train"),
            ("torchrun --nproc_per_node $N train.py --x y.py", "train.py"),
            ("torchrun --standalone train.py --other.py", "train.py"),
            ("accelerate launch train.py --x", "train.py"),
            ("accelerate launch --config_file a.yaml --num_processes 2 train.py --x", "train.py"),
            ("accelerate launch --multi_gpu --mixed_precision fp16 train.py", "train.py"),
            ("accelerate launch -m pkg.train", "pkg.train"),
            ("deepspeed train.py --x", "train.py"),
            ("deepspeed --include localhost:0,1 --master_port 1 train.py --x", "train.py"),
            ("deepspeed --num_gpus=2 train.py --deepspeed ds.json", "train.py"),
            ("uv run train.py", "train.py"),
            ("uv run python train.py", "train.py"),
            ("uv run --with peft --frozen python train.py", "train.py"),
            ("uv run -m pkg.train", "pkg.train"),
            ("poetry run python train.py", "train.py"),
            ("conda run -n env --no-capture-output python train.py", "train.py"),
            ("srun python train.py", "train.py"),
            ("srun --ntasks 2 --label python -u train.py", "train.py"),
            ("srun -n 2 --gres=gpu:1 torchrun --nproc_per_node 1 train.py", "train.py"),
            ("nohup python train.py", "train.py"),
            ("nohup env A=1 B=2 python train.py", "train.py"),
            ("sudo -E python train.py", "train.py"),
            ("time -p python train.py", "train.py"),
            ("exec python train.py", "train.py"),
            ("nice -n 10 python train.py", "train.py"),
            ("timeout 10h python train.py", "train.py"),
            ("taskset -c 0-3 python train.py", "train.py"),
            ("numactl --cpunodebind=0 python train.py", "train.py"),
            ("mpirun -np 2 python train.py", "train.py"),
            ("swift sft --x", "swift"),
            ("llamafactory-cli train a.yaml", "llamafactory-cli"),
            ("CUDA_VISIBLE_DEVICES=0 swift sft --x", "swift"),
            ("python", "python"),
            ("ls", "ls"),
        ],
    )
    def test_the_program_meant_is_found_behind_launchers(self, line, script):
        command = only(line)
        assert command.words[command.script].value == script

    @pytest.mark.parametrize("line", ["python $S --x 1", "torchrun --nproc_per_node 2 $S --x 1", "$PY train.py --x 1"])
    def test_an_unknown_program_keeps_its_arguments(self, line):
        command = only(line)
        assert [word.value for word in command.words][-2:] == ["--x", "1"]

    def test_what_stands_in_front_is_told_apart(self):
        command = only("CUDA_VISIBLE_DEVICES=0,1 A='b c' python train.py")
        assert [(name, word.value) for name, word in command.environment] == [
            ("CUDA_VISIBLE_DEVICES", "0,1"),
            ("A", "b c"),
        ]

    def test_a_command_covers_the_lines_by_which_it_goes_on(self):
        source = shell("echo\npython a.py \\\n  --x 1 > log\n")
        _, command = read_commands(source)
        assert source.slice(command.span) == "python a.py \\\n  --x 1"


class TestOptions:
    def test_names_are_kept_as_written_and_told_alike_beside(self):
        found = options(only("python a.py --init-r 1 --init_r 2 --init_r=3").arguments).found
        assert [(one.name, one.key, one.value.value) for one in found] == [
            ("--init-r", "init_r", "1"),
            ("--init_r", "init_r", "2"),
            ("--init_r", "init_r", "3"),
        ]

    def test_the_last_of_several_counts(self):
        found = options(only("python a.py --init_r 1 --init_r 2").arguments)
        assert found.last("init_r").value.value == "2"
        assert found.last("target_r") is None

    @pytest.mark.parametrize(
        "line",
        [
            "--x 1 --y 2", "--x=1 --y=2", "--x -1 --y=-2", "--x=a=b --y ''", "--x= --y 'a b'", "--y 2 --x 1 --x 3",
            "--x 1.5e-3 --y -.5", "--x '' --y=", "--y '-a b' --x 1", "--flag --x 1 --y 2", "--x 1 --flag --y 2",
            "--x 1 --y 2 -- --x 3",
        ],
    )  # fmt: skip
    def test_argparse_sees_the_same_values(self, line):
        parser = argparse.ArgumentParser(allow_abbrev=False)
        parser.add_argument("--x")
        parser.add_argument("--y")
        parser.add_argument("--flag", action="store_true")
        arguments = only(f"python a.py {line}").arguments
        real, _ = parser.parse_known_args([word.value for word in arguments])
        found = options(arguments)
        assert {key: found.last(key).value.value for key in ("x", "y")} == {"x": real.x, "y": real.y}
        assert (found.last("flag") is not None) == real.flag

    def test_several_values_follow_one_option(self):
        [one, two] = options(only("python a.py --modules q v -1 --x").arguments).found
        assert [word.value for word in one.following] == ["q", "v", "-1"]
        assert two.value is None

    @pytest.mark.parametrize(
        ("line", "loose"),
        [
            ("--x 1", 0), ("--x $R --y 2", 0), ('--x "$R"', 0), ("--x=$R", 0), ('--x 1 "$@"', 1), ("--x 1 $EXTRA", 1),
            ('"${ARGS[@]}" --x 1', 1), ("$EXTRA --x 1", 1), ('--x 1 "$MORE"', 1), ("--flag $EXTRA", 0),
        ],
    )  # fmt: skip
    def test_words_that_may_hold_options_are_loose(self, line, loose):
        assert len(options(only(f"python a.py {line}").arguments).loose) == loose

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("p --x=7", "7"), ('p --x="7"', '"7"'), ('p "--x=7"', "7"), ("p --'x'=7", "7"), ('p --x="a"b', '"a"b'),
            ("p --x=", ""), ('p "--x="', ""), ("p --x=$R", "$R"), ('p --x="$R"', '"$R"'), ("R=7\np --x=$R", "$R"),
            ("O=--x=7\np $O", "$O"), ("p --x=é\\ 7 z", "é\\ 7"), ("p '--x=a=b'", "a=b"),
            ('A=(--x=7)\np "${A[@]}"', "7"), ('F="--x=7 b"\np $F', "7"),
        ],
    )  # fmt: skip
    def test_the_place_of_a_value_behind_an_equals_sign_is_its_own(self, text, place):
        source = shell(text)
        [option] = options(read_commands(source)[0].words[1:]).found
        assert source.slice(option.inline.span) == place

    def test_an_option_of_unknown_value_keeps_its_name(self):
        [option] = options(only("python a.py --x=$R").arguments).found
        assert (option.name, option.value.value) == ("--x", UNKNOWN)


class TestEdits:
    @pytest.mark.parametrize(
        ("text", "old", "new", "after"),
        [
            ("p --x 7", "7", "8", "p --x 8"),
            ("p --x '7'", "7", "8", "p --x '8'"),
            ('p --x "7"', "7", "8", 'p --x "8"'),
            ("p --x $'7'", "7", "8", "p --x $'8'"),
            ("p --x 7", "7", "a b", "p --x 'a b'"),
            ("p --x 7", "7", "it's", "p --x 'it'\\''s'"),
            ("p --x 7", "7", "", "p --x ''"),
            ('p --x "7"', "7", 'a"$b`\\', 'p --x "a\\"\\$b\\`\\\\"'),
            ("p --x '7'", "7", 'a"$b', "p --x 'a\"$b'"),
            ("p --x '7'", "7", "it's", None),
            ('p --x "a 7"', "a 7", "8", 'p --x "8"'),
            ("p --x a'7'b", "a7b", "8", "p --x 8"),
            ("p --x a\\ 7", "a 7", "8", "p --x 8"),
            ("p \\\n --x \\\n 7 \\\n --y", "7", "8", "p \\\n --x \\\n 8 \\\n --y"),
            ("p --x é 7", "7", "8", "p --x é 8"),
            ("R=7\np --x $R", "7", "8", "R=8\np --x $R"),
            ("R=7\np --x ${R}", "7", "8", "R=8\np --x ${R}"),
            ("R=7\np --x $R\nq $R", "7", "8", "R=7\np --x 8\nq $R"),
            ('R=7\np --x "$R"\nq $R', "7", "8", 'R=7\np --x "8"\nq $R'),
            ("R=7\np --x $R\nq $R", "7", "a b", "R=7\np --x 'a b'\nq $R"),
            ("export R=7\np --x $R", "7", "8", "export R=8\np --x $R"),
            ('F="--x 7"\np $F', "7", "8", 'F="--x 8"\np $F'),
            ('F="--x 7"\np $F', "7", "a b", None),
            ('F="--x 7"\np $F\nq $F', "7", "8", None),
            ('A=(--x 7)\np "${A[@]}"', "7", "8", 'A=(--x 8)\np "${A[@]}"'),
            ('A=(--x 7)\np "${A[@]}"', "7", "a b", "A=(--x 'a b')\np \"${A[@]}\""),
            ("A=(--x 7)\np ${A[@]}", "7", "a b", None),
            ('A=(--x 7)\np "${A[@]}"\nq "${A[@]}"', "7", "8", None),
            ('A=(7 8)\np --x="${A[@]}"', "--x=7", "9", None),
            ("bash -c 'p --x 7'", "7", "8", "bash -c 'p --x 8'"),
            ("bash -c 'p --x 7'", "7", "a b", None),
            ("bash -c 'p --x \"7\"'", "7", "a b", "bash -c 'p --x \"a b\"'"),
            ('bash -c "p --x 7"', "7", "$a", None),
            ("R=${R:-7}\np --x 1", "1", "2", "R=${R:-7}\np --x 2"),
            ("R=\np ${R:-7}", "7", "8", "R=\np 8"),
        ],
    )
    def test_a_value_is_written_in_the_quotes_that_are_there(self, text, old, new, after):
        source = shell(text)
        word = next(word for one in read_commands(source) for word in one.words if word.value == old)
        edit = word_edit(source, word, new)
        assert (None if edit is None else source.apply([edit]).text) == after

    @pytest.mark.parametrize(
        ("text", "new", "after"),
        [
            ("p --x=7", "8", "p --x=8"),
            ("p --x='7'", "8", "p --x='8'"),
            ('p "--x=7"', "8", 'p "--x=8"'),
            ('p --x="7"', "a b", 'p --x="a b"'),
            ("p --x=7", "a b", "p --x='a b'"),
            ("R=7\np --x=$R", "8", "R=8\np --x=$R"),
            ("R=7\np --x=$R\nq $R", "8", "R=7\np --x=8\nq $R"),
            ("O=--x=7\np $O", "8", "O=--x=8\np $O"),
            ("O=--x=7\np $O\nq $O", "8", None),
            ("p --x=a'7'", "8", None),
        ],
    )
    def test_behind_an_equals_sign_too(self, text, new, after):
        source = shell(text)
        command = read_commands(source)[0]
        [option] = [one for one in options(command.words[1:]).found if one.key == "x"]
        edit = word_edit(source, option.inline, new)
        assert (None if edit is None else source.apply([edit]).text) == after

    @pytest.mark.parametrize("line", ["p --x $R", 'p --x "$R"', "p --x $(f)", "p {a,b}", "p --x=$R"])
    def test_what_is_unknown_is_not_edited(self, line):
        source = shell(line)
        word = read_commands(source)[0].words[-1]
        assert word.value is UNKNOWN
        assert word_edit(source, word, "8") is None


BOMBS = {
    "substitutions": "$(" * 10_000,
    "closed substitutions": "a $(" * 10_000 + ")" * 10_000,
    "parentheses": "(" * 100_000,
    "arrays": "a=(" * 10_000,
    "braces": "{ " * 20_000,
    "parameters": "${" * 10_000,
    "backticks": "`" * 10_001,
    "conditions": "if a; then " * 4_000,
    "loops": "while a; do " * 5_000,
    "cases": "case a in a) " * 5_000,
    "functions": "".join(f"f{n}() {{ f{n + 1}; f{n + 1}; }}\n" for n in range(60)) + "f0\n",
    "growing and used": "a=(" + "x " * 900 + ")\n" + 'p "${a[@]}"\n' * 3_000,
    "calls of itself": "f() { f; f; }\nf\n",
    "growing": "a=xxxxxxxx\n" + "a=$a$a\n" * 200 + "p $a\n",
    "growing arrays": "a=(x x)\n" + 'a=("${a[@]}" "${a[@]}")\n' * 60 + 'p "${a[@]}"\n',
    "here-documents": "cat <<E\n" * 3_000,
    "quotes": "'" * 100_001,
    "quoted substitutions": '"$(' * 5_000,
    "one long word": "p --adalora " + "x" * 1_000_000,
    "many words": "p " + "x " * 20_000,
    "many expansions": 'p "' + "$a " * 20_000 + '"',
    "many commands": "p --x 1; " * 4_000,
    "backslashes": "\\" * 50_000,
    "continued": "p \\\n" * 10_000,
    "nested shells": "bash -c '" * 500,
    "pipes": "a | " * 4_000 + "b",
    "conjunctions": "a && " * 4_000 + "b",
    "references": "$(" * 50_000,
    "references with a colon": "a: $(x" * 20_000,
    "a long name": "a: " + "x" * 100_000,
    "names and blanks": "a" + " \t" * 50_000,
    "a long value": "A = $$" + "x \\\n" * 20_000,
    "definitions": "define x\n" * 5_000,
    "conditionals": "ifdef x\n" * 5_000,
    "a document again and again": "f() {\nbash <<E\n" + "x\n" * 20_000 + "E\n}\n" + "f\n" * 3_000,
    "documents within documents": "".join(f"bash <<'E{n}'\n" for n in range(200)),
    "expansions in a document": "bash <<E\n" + "$a " * 5_000 + "\nE\n",
    "signs of comments": "a " + "# " * 50_000 + "adalint: '\n",
    "too long": "p x\n" * 600_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_text_of_any_shape_is_read_or_refused(name):
    for path in ("run.sh", "Makefile", "Dockerfile"):
        try:
            read_commands(shell(BOMBS[name], path))
            directives_of(shell(BOMBS[name], path))
        except ReadError as error:
            assert str(error).startswith(("nested too deeply", "longer than"))


@pytest.mark.parametrize(
    "document",
    [
        "bash <<'EOF'\npython train.py --x $R\nEOF",
        "bash <<EOF\npython train.py --x \\$R\nEOF",
        "bash <<EOF\npython train.py --x $UNSET\nEOF",
        "R=9 bash <<EOF\npython train.py --x \\$R\nEOF",
    ],
)
def test_a_document_has_a_shell_of_its_own(document):
    found = read_commands(shell(f"R=8\n{document}\n"))
    assert [word.value for word in found[-1].words][:3] == ["python", "train.py", "--x"]
    assert found[-1].words[3].value is UNKNOWN


@pytest.mark.parametrize("document", ["bash <<EOF\npython train.py `date`\nEOF", "python <<EOF\ntrain --x 1\nEOF"])
def test_a_document_that_is_unclear_or_for_another_program_is_not_read(document):
    assert [one.words[0].value for one in read_commands(shell(document)) if len(one.words) > 1] == []


@pytest.mark.parametrize(
    "text",
    ["python train.py 'open", "if true", "python train.py )", "done", "<<<<", "python a.py &&", "\r\n", "", "#", "\\"],
)
def test_what_is_no_shell_harms_nothing(text):
    read_commands(shell(text))


def test_a_mistake_hides_only_its_own_command():
    found = read_commands(shell("python a.py --x 1\nfoo )\npython b.py --y 2\n"))
    assert "b.py" in [word.value for one in found for word in one.words]


def test_windows_newlines_end_lines():
    source = shell("R=8\r\npython a.py \\\r\n  --x $R \\\r\n  --y 'a b'\r\n")
    [command] = read_commands(source)
    assert [word.value for word in command.words] == ["python", "a.py", "--x", "8", "--y", "a b"]


# Suppressions


SCRIPT = """\
#!/bin/bash
# adalint: ignore[ADA102]
python a.py \\
  --init_r 8

ARGS=(
  --x 1
  # adalint: ignore[ADA103]
  --y 2
)
python b.py  # adalint: ignore[ADA104]
echo '# adalint: ignore[ADA105]'
if true; then
  # adalint: ignore[ADA106]
  # another remark
  python c.py --z
fi
cat <<EOF
# adalint: ignore[ADA107]
EOF
"""


def test_a_comment_covers_its_line_and_one_on_a_line_of_its_own_the_command_below():
    source = shell(SCRIPT)
    covered = {one.words[0].text: source.slice(one.comment.covers).strip() for one in directives_of(source)}
    assert covered == {
        "ADA102": "python a.py \\\n  --init_r 8",
        "ADA103": "--y 2",
        "ADA104": "python b.py  # adalint: ignore[ADA104]",
        "ADA106": "python c.py --z",
    }


@pytest.mark.parametrize(
    ("path", "text", "covered"),
    [
        (
            "Makefile",
            "all:\n\t# adalint: ignore[ADA102]\n\tpython a.py \\\n\t  --x\n\techo\n",
            "python a.py \\\n\t  --x",
        ),
        ("Dockerfile", "FROM x\n# adalint: ignore[ADA102]\nRUN a \\\n  # b\n  c\nRUN d\n", "RUN a \\\n  # b\n  c"),
        ("Makefile", "all:\n\tp '#' --x # adalint: ignore[ADA102]\n\tq\n", "p '#' --x # adalint: ignore[ADA102]"),
        ("Dockerfile", "FROM x\nRUN p --x # adalint: ignore[ADA102]\n", "RUN p --x # adalint: ignore[ADA102]"),
    ],
)
def test_in_other_files_a_comment_covers_the_line_below_and_those_by_which_it_goes_on(path, text, covered):
    source = shell(text, path)
    [directive] = directives_of(source)
    assert source.slice(directive.comment.covers).strip() == covered


@pytest.mark.parametrize(
    ("path", "text", "after"),
    [
        ("run.sh", "a\nCUDA=0 p \\\n  --x 7\n", "a\n# adalint: ignore[x]\nCUDA=0 p \\\n  --x 7\n"),
        ("run.sh", "if a; then\n  p --x 7\nfi\n", "if a; then\n  # adalint: ignore[x]\n  p --x 7\nfi\n"),
        ("run.sh", "cd x && \\\n  p --x 7\n", "# adalint: ignore[x]\ncd x && \\\n  p --x 7\n"),
        ("run.sh", "A=(\n  --x 7\n)\np\n", "A=(\n  # adalint: ignore[x]\n  --x 7\n)\np\n"),
        ("run.sh", "bash -c '\n  p --x 7\n'\n", "# adalint: ignore[x]\nbash -c '\n  p --x 7\n'\n"),
        ("Makefile", "all:\n\tp \\\n\t  --x 7\n", "all:\n\t# adalint: ignore[x]\n\tp \\\n\t  --x 7\n"),
        ("Dockerfile", "FROM x\nRUN p \\\n  --x 7\n", "FROM x\n# adalint: ignore[x]\nRUN p \\\n  --x 7\n"),
    ],
)
def test_a_suppression_is_written_above_the_whole_command(path, text, after):
    from adalint.findings import Finding, Severity
    from adalint.source import Span

    source = shell(text, path)
    at = text.encode().index(b"7")
    finding = Finding("ADA102", "x", Severity.ERROR, "", Span(at, at + 1))
    assert source.apply(silencing(source, [finding])).text == after


# Files


def test_a_walk_finds_what_holds_command_lines(tmp_path):
    names = ["a.sh", "b/Makefile", "b/c.mk", "Dockerfile", "d/Dockerfile.gpu", "e.dockerfile", "f.txt", "g.zsh", "h"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("adalora\n")
    found = {target.path.removeprefix(f"{tmp_path}/") for target in walk([str(tmp_path)])}
    assert found == {"a.sh", "b/Makefile", "b/c.mk", "Dockerfile", "d/Dockerfile.gpu", "e.dockerfile"}


def test_a_run_without_shell_does_not_load_the_grammar(tmp_path):
    (tmp_path / "a.py").write_text("from peft import AdaLoraConfig\nAdaLoraConfig(init_r=4, target_r=8)\n")
    (tmp_path / "b.sh").write_text("echo hello\n")
    code = (
        "import sys\nfrom adalint.__main__ import main\nsys.argv = ['adalint', 'check', '.']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not any(name.startswith(('tree_sitter', 'adalint.readers.shell')) for name in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Error" in done.stderr) == (0, False)
    assert "target_r" in done.stdout
