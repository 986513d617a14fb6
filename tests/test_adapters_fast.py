"""The glance that tells of a saved adapter that it has no findings says nothing else than the reading with places."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adalint.adapters.quick_look import is_in_order
from adalint.engine import check_closely, check_source
from adalint.settings import Settings
from adalint.source import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
RANK = 3
MODULES = ("layers.0.q", "layers.1.v")
MASKS = {"layers.0.q.lora_E": [True, False, True], "layers.1.v.lora_E": [False, True, False]}
OF_MASKS = frozenset({"ADA501", "ADA503", "ADA504", "ADA505", "ADA506", "ADA508"})
"""The rules of RULES.md that speak of the masks or the weights of a saved adapter."""

USUAL: dict[str, Any] = {
    "peft_type": "ADALORA",
    "inference_mode": True,
    "init_r": RANK,
    "target_r": 2,
    "total_step": 100,
    "target_modules": ["q", "v"],
    "rank_pattern": MASKS,
}

ODD: dict[str, list[Any]] = {
    "peft_type": ["ADALORA", "adalora", "AdaLora", "LORA", None, 1],
    "inference_mode": [True, False, None, "true", 1],
    "peft_version": ["0.9.0", "0.13.2", "0.18.1.dev0@3f1d", "no release", None, 3],
    "init_r": [RANK, 0, -1, "3", 3.0, None, True, [3], "???", "${rank}"],
    "target_r": [1, 2, 0, 50, "2", None, 1.5, math.nan],
    "tinit": [0, 10, 90, -1, "10", None],
    "tfinal": [0, 10, 95, -1, 2.5],
    "deltaT": [1, 0, 1000, None, math.inf],
    "total_step": [100, None, 0, -5, "100", 1e3, "{{ steps }}"],
    "beta1": [0.85, 1.0, -1, "x"],
    "orth_reg_weight": [0.5, 0, -0.5, 1e999, None],
    "lora_alpha": [8, 0, -1, 8.5, "8", None],
    "lora_dropout": [0.0, 1.0, 1.5, -0.1, "0"],
    "r": [8, 16, None, "8"],
    "target_modules": [["q", "v"], "all-linear", [], ["embed_tokens"], None, [1], {"q": 1}],
    "exclude_modules": [None, ["q"], ".*"],
    "modules_to_save": [None, ["head"], "head"],
    "bias": ["none", "all", "lora", None, 1],
    "task_type": ["CAUSAL_LM", "causal_lm", "CLM", None, 1.5, ["CAUSAL_LM"]],
    "init_lora_weights": [True, "loftq", "gaussian", {}, None],
    "use_dora": [False, True, "yes"],
    "use_rslora": [False, True],
    "layers_to_transform": [None, 1, [0, 1], "1"],
    "layers_pattern": [None, "layers", ["h"]],
    "alpha_pattern": [{}, {"q": 4}, None],
    "loftq_config": [{}, {"loftq_bits": 4}, None],
    "lora_bias": [False, True],
    "target_parameters": [None, ["w"], []],
    "alora_invocation_tokens": [None, [1]],
    "auto_mapping": [None, {"base_model_class": "A", "parent_library": "b"}],
    "base_model_name_or_path": ["a/model", "c:\\models\\m", None, "\ud800"],
    "target_rank": [4],
    "delta_t": [1],
    "a_new_field": [{"x": [1, {"y": None}]}],
    "_target_": ["peft.AdaLoraConfig"],
    "\udc00": [1],
}
"""Values of fields, of names that only look like one, and of strangers: as PEFT writes them, and as nobody should."""

PATTERNS: list[Any] = [
    MASKS,
    {f"base_model.model.{key}": mask for key, mask in MASKS.items()},
    {key: [False] * RANK for key in MASKS},
    {key: [True] * RANK for key in MASKS},
    {**MASKS, "layers.0.q.lora_E": [True] * RANK, "layers.1.v.lora_E": [False] * RANK},
    {key: [True, *mask] for key, mask in MASKS.items()},
    {key: [*map(int, mask)] for key, mask in MASKS.items()},
    {**MASKS, "layers.1.v.lora_E": [True, None, False]},
    {**MASKS, "layers.1.v.lora_E": [True, [False], {"a": "${b}"}]},
    {**MASKS, "layers.1.v.lora_E": 2},
    {**MASKS, "layers.2.${n}.lora_E": [True, False, False]},
    {**MASKS, "\ud800": [True, False, False]},
    {**MASKS, "a:b": [True, False, False]},
    {"": []},
    {},
    None,
    [],
    [True],
    0,
    "",
    "{{ masks }}",
    "???",
]


def header(ranks: dict[str, Any], *, more: dict[str, Any] | None = None) -> tuple[dict[str, Any], int]:
    """Describe the three tensors of each module, one after the other, in numbers of two bytes."""
    entries: dict[str, Any] = {}
    offset = 0
    for path, rank in ranks.items():
        for part, shape in (("A", [rank, 2]), ("B", [2, rank]), ("E", [rank, 1])):
            stop = offset + 2 * math.prod(shape)
            name = f"base_model.model.{path}.lora_{part}"
            entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, stop]}
            offset = stop
    return {**entries, **(more or {})}, offset


def weights(entries: Any, size: int) -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)


FITTING = dict(zip(MODULES, (2, 1), strict=True))
SAVED_MODULE = {"base_model.model.head.weight": {"dtype": "F16", "shape": [0], "data_offsets": [18, 18]}}
LONE = {"lora_A": {"dtype": "F16", "shape": [5, 0], "data_offsets": [18, 18]}}
FLAT = {"base_model.model.layers.2.q.lora_E": {"dtype": "F16", "shape": [0], "data_offsets": [18, 18]}}


def spoilt(part: str = "B", **changes: Any) -> bytes:
    """Spoil what the header of fitting weights says of one tensor."""
    entries, size = header(FITTING)
    entries[f"base_model.model.layers.1.v.lora_{part}"] |= changes
    return weights(entries, size)


FILES: dict[str, bytes | None] = {
    "none": None,
    "fitting": weights(*header(FITTING)),
    "fitting, with metadata": weights({"__metadata__": {"format": "pt"}, **header(FITTING)[0]}, header(FITTING)[1]),
    "fitting, and a saved module": weights(*header(FITTING, more=SAVED_MODULE)),
    "fitting, and a tensor without a module": weights(*header(FITTING, more=LONE)),
    "fitting, and a flat tensor": weights(*header(FITTING, more=FLAT)),
    "fitting, and a module without a mask": weights(*header({**FITTING, "layers.2.q": RANK})),
    "fitting, and a module of another rank": weights(*header({**FITTING, "layers.2.q": 1})),
    "of full rank": weights(*header(dict.fromkeys(MODULES, RANK))),
    "the other way round": weights(*header(dict(zip(MODULES, (1, 2), strict=True)))),
    "of a module less": weights(*header({MODULES[0]: 2})),
    "cut short": weights(*header(FITTING))[:-4],
    "cut short, and of full rank": weights(*header(dict.fromkeys(MODULES, RANK)))[:-4],
    "of another shape": spoilt(shape=[1, 2]),
    "of another rank in lora_A": spoilt("A", dtype="U8", shape=[2, 2]),
    "of another rank in lora_B": spoilt("B", dtype="U8", shape=[2, 2]),
    "of another rank in lora_E": spoilt("E", dtype="U8", shape=[2, 1]),
    "without a shape": spoilt(shape=None),
    "with a truth value for a length": spoilt(shape=[2, True]),
    "with a shape that is text": spoilt(shape="21"),
    "with offsets that do not fit": spoilt(data_offsets=[0, 2]),
    "a list": weights([1], 0),
    "empty": weights({}, 0),
    "described by numbers": weights({"a": 1}, 0),
    "no JSON": (5).to_bytes(8, "little") + b"nope!",
    "too large": (10**12).to_bytes(8, "little"),
    "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "no bytes": b"",
}
"""What may lie beside a configuration under the name of the weights."""

PAGE = """+++
code = "TEAM1"
name = "our-rule"
summary = "ours"
severity = "warning"
where = ["A"]
[[case]]
when = "{when}"
at = ["init_r"]
message = "ours"
+++
"""

SETTINGS = st.builds(
    Settings,
    pedantic=st.booleans(),
    select=st.sampled_from([("ALL",), ("ALL",), ("ADA5",), ("ADA3", "ADA1"), ("weights-disagree",)]),
    ignore=st.sampled_from([(), (), ("ADA504",), ("ADA505", "ADA501"), ("ADA3",)]),
    extend_select=st.sampled_from([(), ("not-servable",)]),
    severity=st.sampled_from([{}, {"ADA503": "off"}, {"ADA302": "info"}, {"ADA5": "error"}]),
    target_peft=st.sampled_from([None, None, "0.9.0", "0.14.0", "0.15.2", "0.21.2"]),
    ignored_here=st.sampled_from([(), (("models/**", "ADA503"),)]),
)


def one_entry(name: str) -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.just(name), st.sampled_from(ODD[name]))


ENTRIES = st.sampled_from(sorted(ODD)).flatmap(one_entry)
PATTERN = st.sampled_from(PATTERNS)


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a configuration that is usual but for a few entries, in any order, with or without masks."""
    changes = dict(draw(st.lists(ENTRIES, max_size=4)))
    values = {**USUAL, **changes, "rank_pattern": draw(PATTERN)}
    left_out = draw(st.sampled_from([None, None, None, *USUAL]))
    items = [item for item in values.items() if item[0] != left_out]
    return dict(draw(st.permutations(items)) if draw(st.booleans()) else items)


def written(values: dict[str, Any]) -> bytes:
    return json.dumps(values, indent=2).encode()


@contextmanager
def beside(kind: str) -> Iterator[Path]:
    """Give a folder with such weights, and the place of a configuration in it."""
    with TemporaryDirectory() as folder:
        raw = FILES[kind]
        if raw is not None:
            Path(folder, WEIGHTS).write_bytes(raw)
        yield Path(folder, CONFIG)


def is_said_by_both(place: Path, texts: Sequence[bytes], asked: Settings) -> bool:
    """Tell whether both readings say the same of each text in turn."""
    for text in texts:
        place.write_bytes(text)
        source = Source.decode(str(place), Kind.JSON, text)
        if check_source(source, asked) != check_closely(source, asked):
            return False
    return True


@pytest.mark.parametrize("name", sorted(ODD))
def test_one_odd_value_among_usual_ones_is_seen_by_both(name: str) -> None:
    texts = [written({**USUAL, name: value}) for value in ODD[name]]
    with beside("fitting") as place:
        for asked in (Settings(), Settings(pedantic=True, target_peft="0.9.0")):
            assert is_said_by_both(place, [written(USUAL), *texts], asked)


@pytest.mark.parametrize("kind", sorted(FILES))
def test_masks_of_each_kind_are_seen_by_both_whatever_the_weights_are(kind: str) -> None:
    texts = [written({**USUAL, "rank_pattern": pattern}) for pattern in PATTERNS]
    with beside(kind) as place:
        assert is_said_by_both(place, texts, Settings())


def test_masks_of_each_kind_are_seen_by_both_in_each_release() -> None:
    texts = [written({**USUAL, "rank_pattern": pattern}) for pattern in PATTERNS]
    with beside("none") as place:
        for target in (None, "0.9.0", "0.14.0"):
            assert is_said_by_both(place, texts, Settings(ignore=("ADA504",), target_peft=target))


@given(values=configurations(), kind=st.sampled_from(sorted(FILES)), asked=SETTINGS)
@settings(deadline=None, max_examples=200)
def test_both_readings_find_the_same(values: dict[str, Any], kind: str, asked: Settings) -> None:
    with beside(kind) as place:
        assert is_said_by_both(place, [written(values)], asked)


@given(values=configurations(), change=ENTRIES, pattern=PATTERN, kind=st.sampled_from(sorted(FILES)), asked=SETTINGS)
@settings(deadline=None, max_examples=100)
def test_what_is_known_of_one_adapter_does_not_answer_for_its_neighbour(
    values: dict[str, Any], change: tuple[str, Any], pattern: Any, kind: str, asked: Settings
) -> None:
    name, value = change
    without = {key: one for key, one in values.items() if key != name}
    neighbours = [values, {**values, name: value}, without, {**values, "rank_pattern": pattern}, values]
    with beside(kind) as place:
        assert is_said_by_both(place, [written(one) for one in neighbours], asked)


@given(values=configurations(), asked=st.lists(SETTINGS, min_size=2, max_size=3))
@settings(deadline=None, max_examples=40)
def test_what_is_known_under_some_settings_does_not_answer_for_others(
    values: dict[str, Any], asked: list[Settings]
) -> None:
    with beside("fitting") as place:
        assert all(is_said_by_both(place, [written(values)], one) for one in [*asked, asked[0]])


@given(
    entries=st.lists(ENTRIES, min_size=1, max_size=3),
    twice=st.sampled_from(["", '"layers.0.q.lora_E": [true, true, true],', '"layers.0.q.lora_E": 1, "a:": [true],']),
    spacing=st.sampled_from([": ", " :", ":\n"]),
)
@settings(deadline=None, max_examples=100)
def test_a_key_that_is_written_twice_is_found_wherever_it_stands(
    entries: list[tuple[str, Any]], twice: str, spacing: str
) -> None:
    masks = json.dumps(MASKS).replace("{", f"{{{twice}", 1)
    head = [("peft_type", '"ADALORA"'), ("inference_mode", "true"), ("init_r", "3"), ("total_step", "100")]
    pairs = [*head, *((name, json.dumps(value)) for name, value in entries), ("rank_pattern", masks)]
    text = "{" + ",".join(f"{json.dumps(name)}{spacing}{value}" for name, value in pairs) + "}"
    with beside("fitting") as place:
        assert is_said_by_both(place, [text.encode()], Settings())


@pytest.mark.parametrize("name", sorted({*USUAL, "auto_mapping"}))
@pytest.mark.parametrize("path", ["a/model", "c:\\models\\m"])
def test_a_key_that_is_written_twice_with_one_value_is_found_as_well(name: str, path: str) -> None:
    values = {**USUAL, "auto_mapping": {"base_model_class": "A"}, "base_model_name_or_path": path}
    text = json.dumps(values).replace("{", f"{{{json.dumps(name)}: {json.dumps(values[name])}, ", 1).encode()
    with beside("fitting") as place:
        place.write_bytes(text)
        found = check_source(Source.decode(str(place), Kind.JSON, text), Settings()).findings
    assert [one.code for one in found] == ["ADA316"]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + written(USUAL),
        b"\xef\xbb\xbf\xef\xbb\xbf" + written(USUAL),
        written(USUAL).decode().encode("utf-16"),
        written(USUAL).replace(b"\n", b"\r\n"),
        written(USUAL) + b"{}",
        written(USUAL).replace(b"100", b"1" * 5000),
        written(USUAL).replace(b"100", b"100,"),
        written(USUAL).replace(b"100", b"NaN"),
        written(USUAL).replace(b"100", b"0100"),
        written(USUAL).replace(b'"q"', b'"q\t"'),
        b"[" + written(USUAL) + b"]",
        b"// adalora\n" + written(USUAL),
        b'"ADALORA"',
    ],
    ids=lambda text: repr(text[:12]),
)
def test_both_readings_take_the_same_texts_for_json(text: bytes) -> None:
    with beside("fitting") as place:
        assert is_said_by_both(place, [text], Settings())


def test_lists_in_lists_end_no_run_however_deep_they_are() -> None:
    texts = [
        written({**USUAL, "a": 0}).replace(b'"a": 0', b'"a": ' + b"[" * n + b"]" * n) for n in range(480, 1010, 10)
    ]
    with beside("fitting") as place:
        assert is_said_by_both(place, texts, Settings())


@given(values=configurations(), pattern=PATTERN, asked=SETTINGS)
@settings(deadline=None, max_examples=100)
def test_no_rule_but_those_of_the_masks_looks_at_the_masks(
    values: dict[str, Any], pattern: Any, asked: Settings
) -> None:
    values = {**values, "inference_mode": True, "rank_pattern": 0}
    found = []
    for masks in (MASKS, pattern):
        # Last, so that the other fields stand in the same places whatever the masks are.
        values = {**{name: value for name, value in values.items() if name != "rank_pattern"}, "rank_pattern": masks}
        source = Source.decode(CONFIG, Kind.JSON, written(values))
        judged = check_closely(source, asked).findings
        found.append([(one.code, one.severity, one.message, one.span) for one in judged if one.code not in OF_MASKS])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("when", "masks", "expected"),
    [
        ("rank_pattern is None", None, ["TEAM1"]),
        ("rank_pattern is None", MASKS, []),
        ("given(rank_pattern) and init_r > 2", MASKS, ["TEAM1"]),
        ("init_r > 2 and rank_pattern", MASKS, ["TEAM1"]),
        ("init_r > 3", MASKS, []),
    ],
)
def test_a_rule_of_a_team_may_ask_for_the_masks(
    tmp_path: Path, when: str, masks: dict[str, list[bool]] | None, expected: list[str]
) -> None:
    (tmp_path / "TEAM1-our-rule.md").write_text(PAGE.format(when=when))
    asked = Settings(rule_dirs=(str(tmp_path),), ignore=("ADA501",))
    with beside("none") as place:
        for other in (MASKS, None, masks):
            text = written({**USUAL, "rank_pattern": other})
            assert is_said_by_both(place, [text], asked)
        source = Source.decode(str(place), Kind.JSON, text)
        assert [one.code for one in check_source(source, asked).findings] == expected


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("fitting", {}, True),
        ("fitting, with metadata", {}, True),
        ("fitting, and a saved module", {}, True),
        ("fitting, and a module without a mask", {}, True),
        ("none", {}, True),
        ("fitting", {"inference_mode": False}, False),
        ("of full rank", {}, False),
        ("fitting", {"rank_pattern": None}, False),
        ("fitting", {"target_rank": 4}, False),
        ("fitting", {"lora_alpha": 0}, False),
    ],
)
def test_a_glance_is_enough_for_what_has_no_mistake(kind: str, changes: dict[str, Any], expected: bool) -> None:
    with beside(kind) as place:
        text = written({**USUAL, **changes})
        place.write_bytes(text)
        assert is_in_order(Source.decode(str(place), Kind.JSON, text), Settings()) is expected


@pytest.mark.parametrize("kind", sorted(FILES))
def test_the_weights_of_each_kind_are_told_apart_as_before(kind: str) -> None:
    with beside(kind) as place:
        text = written(USUAL)
        place.write_bytes(text)
        found = [one.code for one in check_source(Source.decode(str(place), Kind.JSON, text), Settings()).findings]
    wrong = {
        "fitting, and a tensor without a module",
        "fitting, and a module of another rank",
        "of full rank",
        "the other way round",
        "of another shape",
        "of another rank in lora_A",
        "of another rank in lora_B",
        "of another rank in lora_E",
    }
    assert found == (["ADA505"] if kind in wrong else [])


def test_a_configuration_that_is_no_file_has_no_weights() -> None:
    source = Source.decode(f"no/such/folder/{CONFIG}", Kind.JSON, written(USUAL))
    assert is_in_order(source, Settings())
