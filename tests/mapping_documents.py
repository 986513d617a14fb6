"""Generated JSON and YAML texts with one AdaLoRA mapping each, and what operations should make of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import yaml
from hypothesis import strategies as st

from adalint.fixes.operations import Note, Operation, Remove, Rename, Set, Swap
from adalint.source import Kind, Source
from adalint.values import Literal

NUMBER_FIELDS = ["init_r", "target_r", "tinit", "tfinal", "deltaT", "total_step", "lora_alpha"]
TEXT_FIELDS = ["task_type", "target_modules", "bias", "modules_to_save", "revision"]
NEW_FIELDS = ["beta1", "beta2", "orth_reg_weight", "lora_dropout"]
NUMBERS = ["8", "12", "0.85", "-3", "1.0e-4", "0", "1000"]
JSON_TEXTS = ["null", "true", '"a # b"', '"é 😀, {x}"', '["q_proj", "v_proj"]', '{"a": [1]}']
YAML_TEXTS = [*JSON_TEXTS, "~", "yes", "'it''s # no: comment'", "CAUSAL_LM", "q#v", "[q_proj, 'v # w']", "{a: [1]}"]
BLOCK_TEXTS = ["\n@- q_proj\n@- 'v'", "|\n@ text # no comment\n@ more", ">-\n@ folded\n@ é", "plain\n@ goes on"]
"""Values that take several lines; `@` stands for the indentation of the entry's children."""

REMARKS = ["plain", "é 😀 数", 'with "quotes', "with 'one", "and: {yaml, [", "# twice"]


@dataclass
class Written:
    """One entry as it will be written."""

    key: str
    text: str
    above: list[str] = field(default_factory=list)
    behind: str | None = None


@dataclass
class Document:
    """A text with one mapping: `data` is what the mapping loads to, in order; comments are unique."""

    source: Source
    entries: list[Written]
    data: list[tuple[str, object]]
    before: bytes
    after: bytes


def load(document: Source) -> list[object]:
    """Load all documents of a text with the libraries that people use."""
    if document.kind is Kind.JSON:
        return [json.loads(document.content)]
    return list(yaml.safe_load_all(document.content.decode()))


@st.composite
def written_entries(draw: st.DrawFn, texts: list[str], *, comments: bool) -> list[Written]:
    """Draw entries with unique keys, and unique comments when there may be some."""
    keys = draw(st.lists(st.sampled_from(NUMBER_FIELDS + TEXT_FIELDS), min_size=1, max_size=6, unique=True))
    entries = []
    for number, key in enumerate(keys):
        entry = Written(key, draw(st.sampled_from(NUMBERS if key in NUMBER_FIELDS else texts)))
        if comments:
            count = draw(st.sampled_from([0, 0, 1, 2]))
            entry.above = [f"# a{number}.{line} {draw(st.sampled_from(REMARKS))}" for line in range(count)]
            if "\n" not in entry.text and draw(st.booleans()):
                entry.behind = f"# b{number} {draw(st.sampled_from(REMARKS))}"
        entries.append(entry)
    return entries


@st.composite
def json_documents(draw: st.DrawFn) -> Document:
    """Draw an `adapter_config.json` in any layout."""
    entries = [Written("peft_type", '"ADALORA"'), *draw(written_entries(JSON_TEXTS, comments=False))]
    blanks = st.sampled_from(["", " ", "  ", "\n", "\n    ", "\t", "\r\n  "])
    layout = draw(st.sampled_from(["pretty", "line", "compact", "odd"]))
    colon = {"pretty": ": ", "line": ": ", "compact": ":", "odd": None}[layout]
    comma = {"pretty": ",\n  ", "line": ", ", "compact": ",", "odd": None}[layout]
    edges = {"pretty": ("{\n  ", "\n}\n"), "line": ("{", "}"), "compact": ("{", "}"), "odd": ("{ ", "\n }  ")}[layout]
    text = edges[0]
    for number, entry in enumerate(entries):
        if number:
            text += comma or draw(blanks) + "," + draw(blanks)
        text += f'"{entry.key}"' + (colon or draw(blanks) + ":" + draw(blanks)) + entry.text
    source = Source("adapter_config.json", Kind.JSON, (text + edges[1]).encode())
    data = [(entry.key, json.loads(entry.text)) for entry in entries]
    return Document(source, entries, data, b"", b"")


@st.composite
def yaml_documents(draw: st.DrawFn) -> Document:
    """Draw a YAML text with an `adalora` mapping in block or flow style among other things."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    style = draw(st.sampled_from(["block", "block", "flow line", "flow lines"]))
    is_block = style == "block"
    entries = draw(written_entries(YAML_TEXTS + (BLOCK_TEXTS if is_block else []), comments=style != "flow line"))
    if not any(entry.key in NUMBER_FIELDS[:6] for entry in entries):
        entries.append(Written("tinit", "0"))
    outer = draw(st.integers(0, 2))
    step = draw(st.integers(1, 4))
    indent = " " * (outer * 2 + step)
    before = draw(
        st.sampled_from(["", "# head é\n\n", "x: 'a # é'\n---\n", "😀: {y: [1, 2]}  # c\n", "%YAML 1.1\n---\n"])
    )
    before += "".join("  " * level + f"level{level}:\n" for level in range(outer)) + "  " * outer + "adalora:"
    after = draw(st.sampled_from(["", "other: 'é'\n", "# tail é\nz: 1\n", "---\na: b\n"]))
    if outer and not after.startswith("---"):
        after = ""
    if is_block:
        body = "\n" + "".join(_block_lines(entry, indent, draw(st.sampled_from(["", "", "\n"]))) for entry in entries)
    elif style == "flow line":
        body = " {" + ", ".join(f"{entry.key}: {entry.text}" for entry in entries) + "}\n"
    else:
        trailing = draw(st.booleans())
        lines = []
        for entry in entries:
            comma = "," if trailing or entry is not entries[-1] else ""
            lines += [indent + line + "\n" for line in entry.above]
            lines.append(f"{indent}{entry.key}: {entry.text}{comma}{' ' + entry.behind if entry.behind else ''}\n")
        body = " {\n" + "".join(lines) + "  " * outer + " }\n"
    if not after and draw(st.booleans()) and is_block and "\n" not in entries[-1].text:
        body = body[:-1]
    text = (before + body + after).replace("\n", newline)
    data = [(entry.key, _load_value(entry.text)) for entry in entries]
    source = Source("config.yaml", Kind.YAML, text.encode())
    return Document(
        source, entries, data, before.replace("\n", newline).encode(), after.replace("\n", newline).encode()
    )


def _block_lines(entry: Written, indent: str, blank: str) -> str:
    above = "".join(f"{indent}{line}\n" for line in entry.above)
    behind = f"  {entry.behind}" if entry.behind else ""
    return blank + above + f"{indent}{entry.key}: {entry.text.replace('@', indent + ' ')}{behind}\n"


def _load_value(text: str) -> object:
    return yaml.safe_load(f"k: {text.replace('@', ' ')}\n")["k"]


@st.composite
def operations(draw: st.DrawFn, document: Document) -> tuple[list[Operation], list[tuple[str, object]], list[str]]:
    """Draw operations that fit a document, with the entries that they lead to and the keys whose comments go."""
    state = list(document.data)
    texts = {entry.key: entry.text for entry in document.entries}
    fresh = list(NEW_FIELDS)
    drawn: list[Operation] = []
    gone: list[str] = []
    origin = {key: key for key, _ in state}
    for _ in range(draw(st.integers(1, 4))):
        keys = [key for key, _ in state]
        kinds = ["set", "add"] if not keys else ["set", "add", "remove", "rename", "swap", "note"]
        kind = draw(st.sampled_from(kinds))
        simple = [key for key in keys if "\n" not in texts[key]]
        if kind == "set" and keys:
            key, number = draw(st.sampled_from(keys)), draw(st.sampled_from(NUMBERS))
            drawn.append(Set(key, number, Literal(yaml.safe_load(number))))
            state[keys.index(key)] = (key, yaml.safe_load(number))
            texts[key] = number
        elif kind == "add" and fresh:
            key, number = fresh.pop(), draw(st.sampled_from(NUMBERS))
            after = draw(st.sampled_from([None, *keys]))
            drawn.append(Set(key, number, Literal(yaml.safe_load(number)), after))
            state.insert(len(state) if after is None else keys.index(after) + 1, (key, yaml.safe_load(number)))
            texts[key] = number
        elif kind == "remove":
            key = draw(st.sampled_from(keys))
            drawn.append(Remove(key))
            del state[keys.index(key)]
            gone += [origin[key]] if key in origin else []
        elif kind == "rename" and fresh:
            key, to = draw(st.sampled_from(keys)), fresh.pop()
            drawn.append(Rename(key, to))
            state[keys.index(key)] = (to, state[keys.index(key)][1])
            texts[to] = texts[key]
            if key in origin:
                origin[to] = origin[key]
        elif kind == "swap" and len(simple) > 1:
            first, second = draw(st.permutations(simple))[:2]
            drawn.append(Swap(first, second))
            one, other = keys.index(first), keys.index(second)
            state[one], state[other] = (first, state[other][1]), (second, state[one][1])
            texts[first], texts[second] = texts[second], texts[first]
        elif kind == "note" and simple and document.source.kind is Kind.YAML:
            drawn.append(Note(draw(st.sampled_from(simple)), f"note {len(drawn)}"))
    return drawn, state, gone


NUMBER_LIKE = st.from_regex(r"[-+]?[0-9._:]{0,6}([eE][-+]?[0-9]{0,3})?|0[xob][0-9a-f_]{1,4}", fullmatch=True)
TABLE = """
~ null Null NULL none None true True yes Yes on off No y n .inf -.INF .nan .NaN 010 0o17 5_000 1:30 1:30.5 190:20:30
.5 1. 1.e-4 1e-4 1E4 1.0e4 1.0e+4 0x1F 0b11 2001-01-01 2001-99-99 = << ADALORA + - .
"""
WORDS = st.sampled_from(TABLE.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | NUMBER_LIKE | WORDS
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.integers(), inner, max_size=3),
    max_leaves=12,
)


@st.composite
def dumps(draw: st.DrawFn) -> str:
    """Draw one or two documents in a random one of PyYAML's layouts; equal parts become anchors and aliases."""
    documents = draw(st.lists(DATA, min_size=1, max_size=2))
    part = draw(DATA)
    if draw(st.booleans()):
        documents.append({"first": part, "again": [part, part]})
    text: str = yaml.safe_dump_all(
        documents,
        default_flow_style=draw(st.sampled_from([True, False, None])),
        default_style=draw(st.sampled_from([None, None, "'", '"', "|", ">"])),
        indent=draw(st.integers(2, 6)),
        width=draw(st.sampled_from([10, 80])),
        allow_unicode=draw(st.booleans()),
        explicit_start=draw(st.booleans()),
        sort_keys=False,
    )
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return text


def is_storable(text: str) -> bool:
    """Tell whether a text can stand in a file: lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
