"""What an editor asks the language server: actions, explanations, completions."""

import asyncio

import pytest
from commands import CHECKOUT, IGNORED_RANK, REVERSED, run
from lsprotocol import types
from server_client import connected, edited, edits_for, place, position_in

from adalint.schema import FIELDS

STORY = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig(init_r=12, target_r=8, tinit=10, tfinal=20, deltaT=5, total_step=100)\n"
ENCODING = "utf-16"


def of(uri):
    return types.TextDocumentIdentifier(uri=uri)


async def actions_at(client, uri, start, end=None, only=None):
    diagnostics = client.published[uri].diagnostics if uri in client.published else ()
    found = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document=of(uri),
            range=types.Range(start, end or start),
            context=types.CodeActionContext(diagnostics=diagnostics, only=only),
        )
    )
    return list(found or ())


async def told_at(client, uri, position):
    found = await client.text_document_hover_async(types.HoverParams(text_document=of(uri), position=position))
    return None if found is None else found.contents.value


async def completed_at(client, uri, text, marked="|"):
    """Open a text with a mark where the cursor is; give the offers by name, and the text without the mark."""
    index = text.index(marked)
    text = text.replace(marked, "")
    suffix = uri.rsplit(".", 1)[-1]
    client.open(uri, text, {"py": "python", "yaml": "yaml", "json": "json", "md": "markdown"}[suffix])
    found = await client.text_document_completion_async(
        types.CompletionParams(text_document=of(uri), position=position_in(text, index))
    )
    return {item.label: item for item in found.items} if found else {}, text


def test_each_fix_is_offered_and_the_best_safe_one_is_preferred(editor, tmp_path):
    uri = (tmp_path / "train.py").as_uri()

    async def talk(client):
        client.open(uri, IGNORED_RANK)
        [finding] = await client.diagnostics(uri)
        found = await actions_at(client, uri, finding.range.start, only=[types.CodeActionKind.QuickFix])
        titles = [fix["title"] for fix in finding.data["fixes"]]
        assert [one.title for one in found if "silence" not in one.title] == titles
        safe = [fix["title"] for fix in finding.data["fixes"] if fix["applicability"] == "safe"]
        assert [one.title for one in found if one.is_preferred] == safe[:1] != []
        assert all(one.diagnostics == (finding,) for one in found)
        assert {one.kind for one in found} == {"quickfix"}

    editor(talk)


def test_nothing_is_offered_away_from_a_finding_but_to_fix_all(editor, tmp_path):
    uri = (tmp_path / "train.py").as_uri()

    async def talk(client):
        client.open(uri, IGNORED_RANK)
        await client.diagnostics(uri)
        return [one.kind for one in await actions_at(client, uri, types.Position(0, 0))]

    assert editor(talk) == ["source.fixAll.adalint"]


FIXABLE = [
    *sorted((CHECKOUT / "fixtures").rglob("*.py"))[:12],
    *sorted((CHECKOUT / "fixtures").rglob("*.yaml")),
    *sorted((CHECKOUT / "fixtures").rglob("*.md"))[:1],
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_all_safe_fixes_make_what_adalint_fix_makes(editor, tmp_path, newline):
    async def talk(client):
        changed = 0
        for number, origin in enumerate(FIXABLE):
            path = tmp_path / f"{number} 名{origin.suffix}"
            text = origin.read_text().replace("\n", newline)
            path.write_bytes(text.encode())
            uri = path.as_uri()
            client.open(uri, text, {".py": "python", ".md": "markdown"}.get(origin.suffix, "yaml"))
            await client.diagnostics(uri)
            found = await actions_at(client, uri, types.Position(0, 0), only=["source.fixAll"])
            assert [one.kind for one in found] in ([], ["source.fixAll.adalint"])
            after = text
            if found:
                assert found[0].edit is None
                action = await client.code_action_resolve_async(found[0])
                after = edited(text, edits_for(action, uri, 1)) if action.edit else text
            run("fix", str(path))
            assert after == path.read_bytes().decode(), origin
            changed += after != text
        return changed

    assert editor(talk) > 2


def test_a_finding_is_silenced_by_a_comment_that_does_only_that(editor, tmp_path):
    uri = (tmp_path / "train.py").as_uri()
    text = "if True:\n    # 𝒳\n" + "".join(f"    {line}\n" for line in REVERSED.splitlines())

    async def talk(client):
        client.open(uri, text)
        [finding] = await client.diagnostics(uri)
        [action] = [one for one in await actions_at(client, uri, finding.range.start) if "silence" in one.title]
        assert action.edit is None
        assert not action.is_preferred
        action = await client.code_action_resolve_async(action)
        after = edited(text, edits_for(action, uri, 1))
        assert "    # adalint: ignore[target-rank-not-below-initial]\n    config =" in after
        client.change(uri, 2, after)
        assert await client.diagnostics(uri, 2) == ()
        # Made for a text that is no longer there, an action has no edits.
        return await client.code_action_resolve_async(types.CodeAction(title="x", data=action.data))

    assert editor(talk).edit is None


def test_json_has_no_place_for_a_comment(editor, tmp_path):
    uri = (tmp_path / "adapter_config.json").as_uri()

    async def talk(client):
        client.open(
            uri, '{"peft_type": "ADALORA", "init_r": 8, "target_r": 16, "total_step": 9, "task_type": null}', "json"
        )
        finding, *_ = await client.diagnostics(uri)
        return [one.title for one in await actions_at(client, uri, finding.range.start) if "silence" in one.title]

    assert editor(talk) == []


def test_an_editor_that_cannot_ask_again_gets_all_edits_at_once(tmp_path):
    uri = (tmp_path / "train.py").as_uri()

    async def talk():
        async with connected(tmp_path, resolves=False) as client:
            client.open(uri, IGNORED_RANK)
            [finding] = await client.diagnostics(uri)
            found = await actions_at(client, uri, finding.range.start)
            assert found
            assert all(one.edit or one.disabled for one in found)
            assert {one.kind for one in found} == {"quickfix", "source.fixAll.adalint"}

    asyncio.run(talk())


def test_a_quick_fix_in_a_notebook_changes_its_cell(editor, tmp_path):
    from test_server import notebook

    uri = (tmp_path / "a.ipynb").as_uri()
    text = "# 𝒳\nconfig = AdaLoraConfig(r=16, total_step=100)"

    async def talk(client):
        cells = notebook(client, uri, "from peft import AdaLoraConfig", text)
        [finding] = await client.diagnostics(cells[1])
        found = await actions_at(client, cells[1], finding.range.start)
        [best] = [one for one in found if one.is_preferred]
        best = await client.code_action_resolve_async(best)
        after = edited(text, edits_for(best, cells[1], 1))
        [everything] = [one for one in found if one.kind == "source.fixAll.adalint"]
        everything = await client.code_action_resolve_async(everything)
        assert edited(text, edits_for(everything, cells[1], 1)) == after
        return after

    assert editor(talk) == "# 𝒳\nconfig = AdaLoraConfig(init_r=12, total_step=100)  # r=16 had no effect in AdaLoRA"


def test_actions_on_a_notebook_that_is_open_as_json_keep_the_json(editor, tmp_path):
    [origin, *_] = sorted((CHECKOUT / "fixtures").rglob("*.ipynb"))
    path = tmp_path / "a.ipynb"
    path.write_bytes(origin.read_bytes())
    text = origin.read_text()

    async def talk(client):
        client.open(path.as_uri(), text, "json")
        await client.diagnostics(path.as_uri())
        found = await actions_at(client, path.as_uri(), types.Position(0, 0), only=["source.fixAll"])
        if not found:
            return text
        return edited(text, edits_for(await client.code_action_resolve_async(found[0]), path.as_uri()))

    after = editor(talk)
    run("fix", str(path))
    assert after == path.read_text()


def test_the_field_of_a_call_is_explained_with_its_value_and_its_schedule(editor, tmp_path):
    uri = (tmp_path / "train.py").as_uri()

    async def talk(client):
        client.open(uri, STORY)
        return await told_at(client, uri, place(STORY, "tinit"))

    told = editor(talk)
    assert FIELDS["tinit"].facts.doc in told
    assert "tinit=10 (line 3)" in told
    assert "PEFT 0.21.2 uses it" in told
    # The forced mask comes at total_step - tfinal.
    assert "Step 80: the forced mask" in told


def test_while_a_statement_is_broken_the_others_are_still_explained(editor, tmp_path):
    uri = (tmp_path / "train.py").as_uri()

    async def talk(client):
        client.open(uri, STORY)
        await client.diagnostics(uri, 1)
        client.change(uri, 2, ((0, 0), (0, 0), "# 𝒳\n"), ((4, 0), (4, 0), "x = (\n"))
        text = "# 𝒳\n" + STORY + "x = (\n"
        assert [one.code for one in await client.diagnostics(uri, 2)] == ["ADA901"]
        return await told_at(client, uri, place(text, "tinit")), await told_at(client, uri, place(text, "x = ("))

    told, nothing = editor(talk)
    assert FIELDS["tinit"].facts.doc in told
    assert nothing is None


def test_what_is_explained_is_what_the_target_release_does(editor, tmp_path):
    (tmp_path / "adalint.toml").write_text('target-peft = "0.10.0"\n')
    uri = (tmp_path / "train.py").as_uri()
    text = "from peft import AdaLoraConfig\n\nAdaLoraConfig(r=8, exclude_modules=['a'])\n"

    async def talk(client):
        client.open(uri, text)
        return await told_at(client, uri, place(text, "r=8")), await told_at(client, uri, place(text, "exclude"))

    rank, excluded = editor(talk)
    assert "PEFT 0.10.0 accepts it and never reads it" in rank
    assert f"PEFT 0.10.0 has no such field; it came with {FIELDS['exclude_modules'].facts.since}" in excluded


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "adapter:\n  peft_type: ADALORA\n  init_r: 12\n  target_r: 8  # 𝒳\n  total_step: 100\n"),
        ("adapter_config.json", '{"peft_type": "ADALORA", "target_r": 8, "x": "𝒳", "init_r": 12, "total_step": 100}'),
        (
            "a.md",
            "```python\nfrom peft import AdaLoraConfig\nAdaLoraConfig(init_r=12, target_r=8, total_step=100)\n```\n",
        ),
    ],
)
def test_fields_of_other_texts_are_explained_too(editor, tmp_path, name, text):
    uri = (tmp_path / name).as_uri()

    async def talk(client):
        client.open(uri, text, {"yaml": "yaml", "json": "json", "md": "markdown"}[name.rsplit(".", 1)[-1]])
        return await told_at(client, uri, place(text, "init_r", behind=True))

    told = editor(talk)
    assert FIELDS["init_r"].facts.doc in told
    assert "init_r=12 (line" in told


def test_a_name_that_is_no_field_is_called_that(editor, tmp_path):
    uri = (tmp_path / "train.py").as_uri()
    text = "from peft import AdaLoraConfig\n\nAdaLoraConfig(intial_r=8, init_r=8)\nAdaLoraConfig(target_rr=8)\n"

    async def talk(client):
        client.open(uri, text)
        return await told_at(client, uri, place(text, "target_rr"))

    told = editor(talk)
    assert "is no field of AdaLoraConfig" in told
    assert "`target_r`" in told


@pytest.mark.parametrize("word", ["ADA102", "target-rank-not-below-initial"])
def test_a_rule_in_a_suppression_is_explained_by_its_page(editor, tmp_path, word):
    uri = (tmp_path / "train.py").as_uri()
    text = REVERSED.replace("100)", f"100)  # 𝒳 adalint: ignore[{word}]")
    text = text.replace("# 𝒳 adalint", "# 𝒳  # adalint")

    async def talk(client):
        client.open(uri, text)
        return await told_at(client, uri, place(text, word, behind=True))

    told = editor(talk)
    page = (CHECKOUT / "rules" / "ADA102-target-rank-not-below-initial.md").read_text()
    assert page.split("+++\n")[2].strip() in told


def test_an_explanation_is_in_the_language_of_the_settings(editor, tmp_path):
    (tmp_path / "adalint.toml").write_text('lang = "zh"\n')
    uri = (tmp_path / "train.py").as_uri()

    async def talk(client):
        client.open(uri, STORY)
        return await told_at(client, uri, place(STORY, "tinit"))

    assert FIELDS["tinit"].facts.doc_zh in editor(talk)


CALL = "from peft import AdaLoraConfig\n\nconfig = AdaLoraConfig({})\nprint(config)\n"


@pytest.mark.parametrize(
    ("name", "text", "after"),
    [
        ("train.py", CALL.format("|"), CALL.format("target_r=")),
        ("train.py", CALL.format("tar|"), CALL.format("target_r=")),
        ("train.py", CALL.format("init_r=8, tar|"), CALL.format("init_r=8, target_r=")),
        ("train.py", CALL.format("init_r=8, t|=3"), CALL.format("init_r=8, target_r=3")),
        ("train.py", CALL.format("\n    tar|\n    init_r=8,\n"), CALL.format("\n    target_r=\n    init_r=8,\n")),
        (
            "train.py",
            CALL.format("init_r=8, |").replace(")", "", 1),
            CALL.format("init_r=8, target_r=").replace(")", "", 1),
        ),
        (
            "train.py",
            "from peft import AdaLoraConfig\nconfig = AdaLoraConfig(**{'init_r': 8, 'tar|'})\n",
            "from peft import AdaLoraConfig\nconfig = AdaLoraConfig(**{'init_r': 8, 'target_r'})\n",
        ),
        (
            "a.yaml",
            "a:\n  peft_type: ADALORA\n  init_r: 8\n  tar|\n",
            "a:\n  peft_type: ADALORA\n  init_r: 8\n  target_r: \n",
        ),
        ("a.yaml", "a: {peft_type: ADALORA, tar|}\n", "a: {peft_type: ADALORA, target_r: }\n"),
        (
            "adapter_config.json",
            '{"peft_type": "ADALORA", "tar|"}',
            '{"peft_type": "ADALORA", "target_r"}',
        ),
        (
            "adapter_config.json",
            '{"peft_type": "ADALORA", "tar|\n"init_r": 8}',
            '{"peft_type": "ADALORA", "target_r": \n"init_r": 8}',
        ),
        (
            "a.md",
            "```python\nfrom peft import AdaLoraConfig\nAdaLoraConfig(tar|)\n```\n",
            "```python\nfrom peft import AdaLoraConfig\nAdaLoraConfig(target_r=)\n```\n",
        ),
    ],
)
def test_fields_are_completed_where_they_belong(editor, tmp_path, name, text, after):
    uri = (tmp_path / name).as_uri()

    async def talk(client):
        return await completed_at(client, uri, text)

    offers, plain = editor(talk)
    assert edited(plain, [offers["target_r"].text_edit]) == after
    assert FIELDS["target_r"].facts.doc in offers["target_r"].documentation.value


def test_fields_that_are_given_are_not_offered_again(editor, tmp_path):
    async def talk(client):
        return await completed_at(client, (tmp_path / "train.py").as_uri(), CALL.format("init_r=8, |, total_step=100"))

    offers, _ = editor(talk)
    assert {"target_r", "tinit", "lora_alpha"} <= set(offers)
    assert not {"init_r", "total_step"} & set(offers)
    first, *_ = sorted(offers.values(), key=lambda one: one.sort_text)
    assert first.label == "target_r"
    assert offers["r"].tags


def test_fields_of_later_releases_are_not_offered(editor, tmp_path):
    (tmp_path / "requirements.txt").write_text("peft==0.10.0\n")

    async def talk(client):
        return await completed_at(client, (tmp_path / "train.py").as_uri(), CALL.format("|"))

    offers, _ = editor(talk)
    assert "init_r" in offers
    assert "exclude_modules" not in offers


@pytest.mark.parametrize(
    "text",
    [
        "from peft import AdaLoraConfig\nprint(|)\n",
        "from peft import AdaLoraConfig\n|\n",
        CALL.format("init_r=|"),
        CALL.format("target_modules=['|']"),
        CALL.format("init_r=f(|)"),
        "from peft import AdaLoraConfig, LoraConfig\nLoraConfig(|)\n",
        "from peft import AdaLoraConfig\n# AdaLoraConfig(|)\n",
        "from peft import AdaLoraConfig\nx = 'AdaLoraConfig(|)'\n",
    ],
)
def test_nothing_is_offered_where_no_field_belongs(editor, tmp_path, text):
    async def talk(client):
        return await completed_at(client, (tmp_path / "train.py").as_uri(), text)

    assert editor(talk)[0] == {}


def test_questions_about_what_is_not_open_have_no_answer(editor, tmp_path):
    uri = (tmp_path / "nothing.py").as_uri()

    async def talk(client):
        position = types.Position(0, 0)
        assert await told_at(client, uri, position) is None
        assert await actions_at(client, uri, position) == []
        found = await client.text_document_completion_async(
            types.CompletionParams(text_document=of(uri), position=position)
        )
        assert found is None

    editor(talk)
