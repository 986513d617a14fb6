"""What adalint reads of a command line is what the program gets when bash runs it."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from shell_oracle import agrees, arguments_of

from adalint.readers.shell_edits import word_edit
from adalint.readers.shell_reader import read_commands
from adalint.readers.shell_words import options
from adalint.source import Kind, Source

SAFE = "abcXYZ019_./+,:@%-"
SPECIAL = " \t'\"\\$`|&;<>()#!=äß中\n"
WILD = "*?[]{}~"
NAMES = ("RANK", "T", "NAME_2")
ARRAYS = ("ARGS", "MORE")

bare_text = st.text(SAFE, min_size=1, max_size=6)
any_text = st.text(SAFE + SPECIAL + WILD, max_size=6)


def single(text):
    return "'" + text.replace("'", "") + "'"


def double(text):
    return '"' + "".join("\\" + one if one in '\\"$`' else one for one in text) + '"'


def ansi(text):
    return "$'" + "".join({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t"}.get(one, one) for one in text) + "'"


def escaped(text):
    return "".join(one if one in SAFE.replace("-", "") else "\\" + one for one in text.replace("\n", ""))


literal = st.one_of(
    bare_text,
    any_text.map(single),
    any_text.map(double),
    any_text.map(ansi),
    st.text(SAFE + SPECIAL + WILD, min_size=1, max_size=4).map(escaped).filter(bool),
)
name = st.sampled_from(NAMES)
expansion = st.one_of(
    name.map("${}".format),
    name.map(lambda one: "${" + one + "}"),
    st.tuples(name, st.sampled_from((":-", "-", ":+", "+")), st.text("ab01_", max_size=3)).map(
        lambda one: "${" + "".join(one) + "}"
    ),
    st.tuples(st.sampled_from(ARRAYS), st.integers(0, 2)).map(lambda one: f"${{{one[0]}[{one[1]}]}}"),
)
in_double = st.lists(st.one_of(expansion, any_text.map(lambda text: double(text)[1:-1])), min_size=1, max_size=3).map(
    lambda parts: '"' + "".join(parts) + '"'
)
lists = st.sampled_from(ARRAYS).flatmap(
    lambda one: st.sampled_from((f'"${{{one}[@]}}"', f"${{{one}[@]}}", f"${{{one}[*]}}"))
)
braced = expansion.filter(lambda one: one.startswith("${"))
argument = st.one_of(
    st.lists(st.one_of(literal, in_double, braced), min_size=1, max_size=3).map("".join),
    literal,
    expansion,
    in_double,
    lists,
)
flag = st.sampled_from(("--init_r", "--init-r", "--x", "-q"))
# Words that mean something to the shell elsewhere.
# `==` and `=~` are left to an example: in a loop of `((…))` the grammar loses the whole command that has one.
odd = st.sampled_from(("=", "!=", "-", "--", "!", "{", "}", "]", "]]", "+", "++", "in", "then", "done"))
option = st.one_of(
    st.tuples(flag, argument).map(lambda one: f"{one[0]} {one[1]}"),
    st.tuples(flag, argument).map(lambda one: f"{one[0]}={one[1]}"),
    argument,
    flag,
    odd,
)
gap = st.sampled_from((" ", "  ", "\t", " \\\n", " \\\n    "))
prefix = st.sampled_from(("", "", "CUDA_VISIBLE_DEVICES=0 ", "nohup ", "RANK=3 ", "env X=1 "))
suffix = st.sampled_from(
    ("", "", " # a comment $RANK", " 2> /dev/null", " > out", " {fd}> out", ";", " && true", " | cat", " || true")
)


@st.composite
def command(draw):
    words = draw(st.lists(option, max_size=5))
    return draw(prefix) + "python3 dump.py" + "".join(draw(gap) + word for word in words) + draw(suffix)


value = st.one_of(literal, in_double, st.lists(st.one_of(literal, braced), min_size=1, max_size=2).map("".join))
assignment = st.one_of(
    st.tuples(name, st.sampled_from(("=", "=", "+=")), value).map("".join),
    st.tuples(st.just("export "), name, st.just("="), value).map("".join),
    st.tuples(st.sampled_from(ARRAYS), st.sampled_from(("=", "+=")), st.lists(argument, max_size=3)).map(
        lambda one: f"{one[0]}{one[1]}({' '.join(one[2])})"
    ),
)
FIRST = [*(f"{one}=4" for one in NAMES), *(f"{one}=(--a 'b c')" for one in ARRAYS)]
# A value that starts with `~` or holds a glob is left to the tests below: what it gives depends on the machine.
script = st.lists(st.one_of(assignment, command()), min_size=1, max_size=5).map(
    lambda lines: "\n".join([*FIRST, *lines])
)

GIVEN = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def read(text):
    source = Source("train.sh", Kind.SHELL, text.encode())
    return source, [one for one in read_commands(source) if one.words[one.script].value == "dump.py"]


def check_script(text, folder):
    got, errors = arguments_of(text, folder)
    assert "unexpected" not in errors
    _, commands = read(text)
    assert len(got) == len(commands)
    return [agrees(one.arguments, real) for one, real in zip(commands, got, strict=True)], got


@settings(max_examples=40, **GIVEN)
@given(text=script)
@example(text="python3 dump.py --init_r - 2> /dev/null")
@example(text="python3 dump.py --init_r \\\n- > out -q")
@example(text="python3 dump.py - <<EOF --x\nEOF")
@example(text="python3 dump.py == > out")
@example(text='RANK=0\npython3 dump.py --init_r "\n $RANK"')
@example(text="python3 dump.py -q == --x =~ | cat")
@example(text="[[ 4 == 4 ]] && python3 dump.py ==")
@example(text="RANK=4\npython3 dump.py {RANK}> out -q $RANK")
@example(text="python3 dump.py a{RANK}> out '{T}>'")
def test_what_is_read_is_what_the_program_gets(text, tmp_path_factory):
    check_script(text, tmp_path_factory.mktemp("run"))


@pytest.mark.slow
@settings(max_examples=3000, **GIVEN)
@given(text=script)
def test_what_is_read_is_what_the_program_gets_at_length(text, tmp_path_factory):
    check_script(text, tmp_path_factory.mktemp("run"))


def edits_of(text):
    source, commands = read(text)
    for number, one in enumerate(commands):
        for index, word in enumerate(one.arguments):
            if word.many is not None:
                break  # the place of those behind it is unknown
            yield source, number, index, word


@settings(max_examples=40, **GIVEN)
@given(text=script, new=st.one_of(bare_text, any_text), chosen=st.integers(0, 1000))
@example(text="RANK='*'\npython3 dump.py --init_r '' --init_r 0 $RANK > out", new="-", chosen=2)
def test_an_edit_changes_one_argument_and_nothing_else(text, new, chosen, tmp_path_factory):
    check_edit(text, new, chosen, tmp_path_factory.mktemp("run"))


@pytest.mark.slow
@settings(max_examples=2000, **GIVEN)
@given(text=script, new=st.one_of(bare_text, any_text), chosen=st.integers(0, 1000))
def test_an_edit_changes_one_argument_and_nothing_else_at_length(text, new, chosen, tmp_path_factory):
    check_edit(text, new, chosen, tmp_path_factory.mktemp("run"))


def check_edit(text, new, chosen, folder):
    words = [one for one in edits_of(text) if word_edit(one[0], one[3], new) is not None]
    if not words:
        return
    source, number, index, word = words[chosen % len(words)]
    edit = word_edit(source, word, new)
    before, _ = arguments_of(text, folder)
    after, errors = arguments_of(source.apply([edit]).text, folder)
    wanted = [list(one) for one in before]
    wanted[number][index] = new
    assert after == wanted, (edit, errors)


@settings(max_examples=40, **GIVEN)
@given(text=script, new=bare_text)
def test_the_value_behind_an_equals_sign_is_edited_alone(text, new, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    source, commands = read(text)
    for number, one in enumerate(commands):
        for option in options(one.arguments).found:
            edit = None if option.inline is None else word_edit(source, option.inline, new)
            if edit is None or any(word.many for word in one.arguments):
                continue
            before, _ = arguments_of(text, folder)
            after, errors = arguments_of(source.apply([edit]).text, folder)
            wanted = [list(argv) for argv in before]
            index = one.arguments.index(option.word)
            wanted[number][index] = f"{option.name}={new}"
            assert after == wanted, (edit, errors)
            return


# Ways through a script: each command has a number, and what bash runs under that number is what was read.


@st.composite
def statement(draw, depth):
    kinds = ["assign", "assign", "command", "command", "call"]
    if depth:
        kinds += ["if", "for", "case", "while", "function", "group", "list", "pipe", "aside", "strange", "document"]
    kind = draw(st.sampled_from(kinds))

    def block():
        return "\n".join(draw(st.lists(statement(depth - 1), min_size=1, max_size=3)))

    condition = draw(
        st.sampled_from(("true", "false", '[ "$T" = 4 ]', "[[ $RANK == 4 ]]", "RANK=7 false", "(( T > 3 ))"))
    )
    match kind:
        case "assign":
            return draw(st.one_of(assignment, st.tuples(name, st.sampled_from("45")).map("=".join)))
        case "command":
            return draw(command())
        case "call":
            return draw(st.sampled_from(("f", "g", "f $RANK", 'g "$T" x', "f a b", "RANK=8 f", "T=9 g a")))
        case "if":
            other = draw(st.sampled_from(("", f"\nelif {condition}; then\n{block()}", f"\nelse\n{block()}")))
            return f"if {condition}; then\n{block()}{other}\nfi"
        case "for":
            head = draw(
                st.sampled_from(
                    (f"for {draw(name)} in 1 $RANK", "for ((k = 0, T = 0; k < 2 && ++rounds < 50; k++, T++))")
                )
            )
            end = draw(st.sampled_from(("", f"\n{condition} && break", f"\n{condition} || continue\nRANK=3")))
            return f"{head}; do\n{block()}{end}\ndone"
        case "while":
            return f"while [ ${{n:=0}} -lt 2 ]; do\nn=$((n + 1))\n{block()}\ndone"
        case "case":
            end = draw(st.sampled_from((";;", ";&", ";;&")))
            return f'case "$T" in\n4)\n{block()}\n{end}\n*)\n{block()}\n;;\nesac'
        case "function":
            local = draw(
                st.sampled_from(
                    (
                        "",
                        "local RANK=$1\n",
                        "local T\n",
                        "RANK=$1\n",
                        "shift\n",
                        f"{condition} && return\n",
                        f"{condition} && local T\n",
                        "(local RANK=1)\n",
                    )
                )
            )
            return f"{draw(st.sampled_from('fg'))}() {{\n((++calls > 9)) && return\n{local}{block()}\n}}"
        case "group":
            return draw(st.sampled_from((f"{{\n{block()}\n}}", f"(\n{block()}\n)", f"{{\n{block()}\n}} > out")))
        case "list":
            sign = draw(st.sampled_from(("&&", "||")))
            return f"{condition} {sign} {draw(st.one_of(assignment, command()))}"
        case "pipe":
            return f"{{\n{block()}\n}} | cat"
        case "document":
            mark = f"EOF{depth}"
            body = block()
            starts = [f"<<'{mark}'", f"<<-'{mark}'"]
            # Filled in before it runs, a condition would hold for ever, and an escape no longer hide a quote.
            if not any(sign in body for sign in ("while [", "\\", "`")):
                starts += [f"<<{mark}", f"<<-{mark}"]
            return f"bash {draw(st.sampled_from(starts))}\n{body}\n{mark}"
        case "aside":
            return f"{{\n{block()}\n}} &\nwait"
    return draw(
        st.sampled_from(
            (
                "unset RANK", "eval RANK=9", "read RANK <<< 9", "printf -v T 9", "((T++))", "let RANK=3", ": ${RANK:=6}",
                "RANK=$((T + 1))", "RANK=$(echo 9)", "export RANK T", "set -- p 'q r'", "shift", "ARGS[0]=z", "T=8 true",
                "RANK=1 T=2", "mapfile ARGS <<< x", "declare -a MORE=(w)", "declare RANK", "unset 'ARGS[0]'", "IFS=,",
                "exec {RANK}> out",
            )
        )
    )  # fmt: skip


ways = st.lists(statement(2), min_size=1, max_size=5).map(lambda lines: "\n".join([*FIRST, *lines]))


def numbered(text):
    pieces = text.split("python3 dump.py")
    return "".join(f"{piece}python3 dump.py {number}" for number, piece in enumerate(pieces[:-1])) + pieces[-1]


def check_ways(text, folder):
    text = numbered("f() { :; }\ng() { :; }\n" + text)
    got, errors = arguments_of(text, folder)
    assert "unexpected" not in errors or "<<EOF" in text or "<<-EOF" in text
    _, commands = read(text)
    by_number = {one.arguments[0].value: one.arguments for one in commands}
    for real in got:
        agrees(by_number[real[0]], real)


@settings(max_examples=40, **GIVEN)
@given(text=ways)
@example(text='RANK=4\nARGS=(0 "$RANK $RANK")\npython3 dump.py ${ARGS[@]} --init_r 0')
@example(text='T=4\ncase "$T" in\n4)\nRANK=4\nRANK=0 &\nwait\npython3 dump.py $RANK\n;;\nesac')
@example(text="if true; then\nRANK=4\nRANK=0 &\nwait\npython3 dump.py $RANK\nfi")
def test_whichever_way_a_script_takes_the_program_gets_what_is_read(text, tmp_path_factory):
    check_ways(text, tmp_path_factory.mktemp("run"))


@pytest.mark.slow
@settings(max_examples=1500, **GIVEN)
@given(text=ways)
def test_whichever_way_a_script_takes_the_program_gets_what_is_read_at_length(text, tmp_path_factory):
    check_ways(text, tmp_path_factory.mktemp("run"))
