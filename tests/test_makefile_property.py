"""What adalint reads in the recipes of a Makefile is what the program gets when make runs them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shell_oracle import agrees, arguments_of_make

from adalint.readers.shell_edits import word_edit
from adalint.readers.shell_reader import read_commands
from adalint.source import Kind, Source

SAFE = "abXY019_./+,:@%-"
NAMES = ("RANK", "T", "NAME_2", "ARGS", "x")
INCLUDED = {"more.mk": "RANK = 99\nall: T = 98\n"}

bare = st.text(SAFE, min_size=1, max_size=5)
name = st.sampled_from(NAMES)
reference = st.one_of(
    name.map("$({})".format),
    name.map("${{{}}}".format),
    st.sampled_from(
        (
            *("$x", "$@", "$<", "$(@D)", "$(CURDIR)", "$(NOBODY)"),
            *("$(shell echo 5)", "$(or $(NOBODY),7)", "$(if $(RANK),a,b)", "$(RANK:8=9)", "$($(NAME_2))"),
            *("$(strip  $(T) )", "$(foreach x,a b,$(x)c)", "$(call ARGS,1)", "$(value RANK)", "$(origin T)"),
        )
    ),
)
in_quotes = st.text(SAFE + " '=;&|()", max_size=4).map(lambda text: '"' + text + '"')
single = st.text(SAFE + ' "=;&|()', max_size=4).map(lambda text: "'" + text + "'")
# A dollar sign alone is left to the tests of single lines: two of them are the number of the process.
shell_variable = st.sampled_from(("$$R", "$${R}", '"$$R"', "$$HOME", "'$$R'", "'$$'"))
piece = st.one_of(bare, reference, in_quotes, single, shell_variable, reference.map('"{}"'.format))
argument = st.one_of(st.lists(piece, min_size=1, max_size=3).map("".join), bare, reference)
flag = st.sampled_from(("--init_r", "--init-r", "--x", "-q"))
word = st.one_of(
    st.tuples(flag, argument).map(" ".join),
    st.tuples(flag, argument).map("=".join),
    argument,
    flag,
)
gap = st.sampled_from((" ", "  ", "\t", " \\\n\t", " \\\n\t    ", "\\\n\t "))
prefix = st.sampled_from(("", "", "@", "-", "@-", "- ", "+", "  ", "@ ", "R=8; ", "R=$(T); ", "R=8 ", "true && "))
suffix = st.sampled_from(("", "", " # $(RANK) \\", "; true", " > out", " || true", " # é"))
# What stands behind an operator: where blanks and comments end up is part of it.
value_gap = st.sampled_from((" ", "", "  ", " \\\n  ", "\\\n", " \\\n\t"))
value = st.lists(st.one_of(bare, reference, flag, single, shell_variable), max_size=4).flatmap(
    lambda words: st.lists(value_gap, min_size=len(words), max_size=len(words)).map(
        lambda gaps: "".join(gap + one for gap, one in zip(gaps, words, strict=True))
    )
)
tail = st.sampled_from(("", "", "", " ", "  # why", " \\# no", "#", " \\"))
operator = st.sampled_from(("=", "=", ":=", "::=", "?=", "+=", "!="))
modifier = st.sampled_from(("", "", "", "", "export ", "override ", "private ", "  "))
assignment = st.tuples(modifier, name, st.sampled_from(("", " ")), operator, value, tail).map("".join)
oddity = st.one_of(
    st.sampled_from(
        (
            *("-include more.mk", "include more.mk", "# RANK = 5 \\\nT = 9", "undefine T", "export", "export RANK"),
            *("$(eval RANK = 6)", "$(NAME_2) = 3", "all: T = 9", "dep: RANK := 7", "all dep: private ARGS += 1"),
            *("ifdef RANK\nT = 5\nendif", "ifeq ($(T),8)\nRANK = 1\nelse ifdef T\nRANK = 2\nelse\nRANK = 3\nendif"),
            *("define ARGS\n--x 5\nendef", "define T =\n4\ndefine x\nendef\nRANK = 3\nendef", "unexport T", ""),
            *("override undefine RANK", "all: export NAME_2 = 4", "dep.o: %.o: ; true", "all: $(T:8=9)"),
            *("$(info x)", "vpath %.c src", "MAKEFLAGS += -r", "SHELL := /bin/bash", "SHELL = /bin/sh"),
        )
    ),
    assignment.map("ifneq ($(T),8)\n{}\nendif".format),
    assignment.map("ifndef T\nelse\n{}\nendif".format),
    st.tuples(st.just("all: "), assignment).map("".join),
)


@st.composite
def command(draw):
    words = draw(st.lists(word, max_size=4))
    return "\t" + draw(prefix) + "python3 dump.py" + "".join(draw(gap) + one for one in words) + draw(suffix)


line = st.one_of(command(), command(), command(), st.sampled_from(("\tR=5", "", "\t# $(T) \\", "# x", "\t@true")))
recipe = st.lists(line, min_size=1, max_size=3).map("\n".join)
rule = st.one_of(
    recipe.map("all::\n{}".format),
    recipe.map("all::\n{}".format),
    recipe.map("dep::\n{}".format),
    recipe.map(lambda lines: f"dep:: ; {lines[1:]}"),
    recipe.map("all:: dep other.o\n{}".format),
    recipe.map("%.o:\n{}".format),
    recipe.map("ifdef T\nall::\n{}\nendif".format),
)
FIRST = [
    "all:: dep",
    "dep:: x.o",
    "%.o: ; @true",
    "R = 1",
    "RANK = 8",
    "T := 4",
    "NAME_2 = $(T)",
    "ARGS = --a $(RANK) \\\n  --b 3",
]
statements = st.lists(st.one_of(assignment, oddity, rule, rule), min_size=1, max_size=6)
makefile = st.tuples(st.sampled_from(([], [], [".ONESHELL:"])), statements).map(
    lambda one: "\n".join([*one[0], *FIRST, *one[1]]) + "\n"
)

GIVEN = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def numbered(text):
    pieces = text.split("python3 dump.py")
    return "".join(f"{piece}python3 dump.py {number}" for number, piece in enumerate(pieces[:-1])) + pieces[-1]


def read(text):
    source = Source("Makefile", Kind.SHELL, text.encode())
    commands = [one for one in read_commands(source) if one.words[one.script].value == "dump.py"]
    return source, {one.arguments[0].value: one.arguments for one in commands}


def check(text, folder):
    text = numbered(text)
    real, _ = arguments_of_make(text, folder, INCLUDED)
    _, commands = read(text)
    if not commands:  # some line makes it unknown which shell runs the recipes
        return 0
    assert "!=" in text or all(argv[0] in commands for argv in real)  # what `!=` runs is no recipe
    return sum(agrees(commands[argv[0]], argv) for argv in real if argv[0] in commands)


@settings(max_examples=30, **GIVEN)
@given(text=makefile)
def test_what_is_read_of_a_recipe_is_what_the_program_gets(text, tmp_path_factory):
    check(text, tmp_path_factory.mktemp("run"))


@pytest.mark.slow
@settings(max_examples=1500, **GIVEN)
@given(text=makefile)
def test_what_is_read_of_a_recipe_is_what_the_program_gets_at_length(text, tmp_path_factory):
    check(text, tmp_path_factory.mktemp("run"))


def edits_of(text, new):
    """Give each edit that writes another value, with the number of its command and the index of its argument."""
    source, commands = read(text)
    for number, words in commands.items():
        for index, one in enumerate(words):
            if one.many is not None:
                break  # the place of those behind it is unknown
            edit = word_edit(source, one, new) if index else None
            if edit is not None:
                yield source, number, index, edit


@settings(max_examples=30, **GIVEN)
@given(text=makefile, new=st.one_of(bare, st.text(SAFE + " $#'\\\"\n()", max_size=4)), chosen=st.integers(0, 1000))
def test_an_edit_of_a_recipe_changes_one_argument_and_nothing_else(text, new, chosen, tmp_path_factory):
    check_edit(text, new, chosen, tmp_path_factory.mktemp("run"))


@pytest.mark.slow
@settings(max_examples=1000, **GIVEN)
@given(text=makefile, new=st.one_of(bare, st.text(SAFE + " $#'\\\"\n()", max_size=4)), chosen=st.integers(0, 1000))
def test_an_edit_of_a_recipe_changes_one_argument_and_nothing_else_at_length(text, new, chosen, tmp_path_factory):
    check_edit(text, new, chosen, tmp_path_factory.mktemp("run"))


def check_edit(text, new, chosen, folder):
    text = numbered(text)
    edits = list(edits_of(text, new))
    if not edits:
        return
    source, number, index, edit = edits[chosen % len(edits)]
    before, _ = arguments_of_make(text, folder, INCLUDED)
    after, errors = arguments_of_make(source.apply([edit]).text, folder, INCLUDED)
    wanted = [[*argv[:index], new, *argv[index + 1 :]] if argv[0] == number else argv for argv in before]
    assert after == wanted, (edit, errors)
