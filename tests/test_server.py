"""The language server and what it finds, through a real client on its standard streams."""

import asyncio
import json

import pytest
from commands import CHECKOUT, CLEAN, IGNORED_RANK, REVERSED, UNRELATED, run
from lsprotocol import converters, types
from server_client import connected, edited, place, position_in

FOLDERS = ("fixtures", "tests/snippets", "tests/programs", "tests/documents", "tests/loops")
LANGUAGES = {".py": "python", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".md": "markdown", ".ipynb": "json"}


def session(coroutine):
    return asyncio.run(coroutine())


def plain(diagnostics):
    return [converters.get_converter().unstructure(one) for one in diagnostics]


def told_by_the_command_line(path, text, cwd):
    done = run("check", "--output-format", "lsp", "--stdin-filename", str(path), "-", stdin=text)
    [entry] = json.loads(done.stdout) or [{"diagnostics": []}]
    return entry["diagnostics"]


def test_opening_a_text_publishes_its_findings_with_its_version(editor, tmp_path):
    async def talk(client):
        uri = (tmp_path / "train.py").as_uri()
        client.open(uri, REVERSED, version=7)
        [finding] = await client.diagnostics(uri)
        assert (finding.code, client.published[uri].version) == ("ADA102", 7)

    editor(talk)


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_fixtures_have_the_findings_of_the_command_line_to_the_byte(editor, monkeypatch, every):
    monkeypatch.chdir(CHECKOUT)
    files = [
        path
        for folder in FOLDERS
        for path in sorted((CHECKOUT / folder).rglob("*"))
        if path.suffix in LANGUAGES and path.is_file()
    ][::every]
    assert len(files) > 200 // every

    async def talk(client):
        found = 0
        for path in files:
            text = path.read_bytes().decode()
            client.open(path.as_uri(), text, LANGUAGES[path.suffix])
            shown = plain(await client.diagnostics(path.as_uri(), 1))
            assert shown == told_by_the_command_line(path, text.encode(), CHECKOUT), path
            found += len(shown)
        return found

    assert editor(talk) > 100 // every


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_positions_count_in_what_was_agreed_on(tmp_path, encoding):
    text = CLEAN.replace("config = ", "名前, 𝒳, config = '𝒳🎉', 1, ").replace("target_r=8", "target_r=16")

    async def talk():
        async with connected(tmp_path, encodings=[encoding]) as client:
            assert client.answer.capabilities.position_encoding == encoding
            uri = (tmp_path / "a b 🎉.py").as_uri()
            client.open(uri, text)
            [finding] = await client.diagnostics(uri)
            assert finding.range.start == place(text, "target_r=16", encoding)
            # An edit in front, in the same units: what is on the line stays whole.
            at = place(text, "𝒳🎉", encoding)
            behind = place(text, "𝒳🎉", encoding, behind=True)
            client.change(uri, 2, ((at.line, at.character), (behind.line, behind.character), "é"))
            [finding] = await client.diagnostics(uri, 2)
            assert finding.range.start == place(text.replace("𝒳🎉", "é"), "target_r=16", encoding)

    session(talk)


@pytest.mark.slow
def test_utf_8_is_chosen_where_the_editor_can_count_in_it(tmp_path):
    async def talk():
        async with connected(tmp_path, encodings=["utf-16", "utf-32", "utf-8"]) as client:
            return client.answer.capabilities.position_encoding

    assert session(talk) == "utf-8"


def test_an_editor_that_says_nothing_of_encodings_counts_in_utf_16(tmp_path):
    async def talk():
        async with connected(tmp_path, encodings=None) as client:
            return client.answer.capabilities.position_encoding

    assert session(talk) == "utf-16"


def test_lines_end_where_the_protocol_ends_them(editor, tmp_path):
    """A form feed, a line separator and the like end a line for Python's strings, not for an editor."""
    text = "x = 1\f\ny = '\u2028\x85\v'\r\n" + IGNORED_RANK.replace("\n", "\r")

    async def talk(client):
        uri = (tmp_path / "train.py").as_uri()
        client.open(uri, text)
        await client.diagnostics(uri, 1)
        at = place(text, "r=16")
        client.change(uri, 2, ((at.line, at.character), (at.line, at.character + 4), "init_r=16, target_r=16"))
        [finding] = await client.diagnostics(uri, 2)
        after = text.replace("r=16", "init_r=16, target_r=16")
        assert (finding.code, finding.range.start) == ("ADA102", place(after, "target_r=16"))

    editor(talk)


def test_what_is_open_counts_and_not_what_is_on_the_disk(editor, tmp_path):
    path = tmp_path / "train.py"
    path.write_text(CLEAN)

    async def talk(client):
        client.open(path.as_uri(), REVERSED)
        assert len(await client.diagnostics(path.as_uri(), 1)) == 1
        path.unlink()
        client.change(path.as_uri(), 2, REVERSED.replace("16", "17"))
        [finding] = await client.diagnostics(path.as_uri(), 2)
        assert "17" in finding.message

    editor(talk)


def test_a_text_that_is_closed_has_no_findings(editor, tmp_path):
    async def talk(client):
        uri = (tmp_path / "train.py").as_uri()
        client.open(uri, REVERSED)
        await client.diagnostics(uri, 1)
        identifier = types.TextDocumentIdentifier(uri=uri)
        client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=identifier))
        await client.until(lambda one: one.published[uri].diagnostics == ())

    editor(talk)


def test_only_the_last_of_200_quick_edits_is_told(tmp_path):
    """With a pause that no burst survives: nothing in between is worth a check."""

    async def talk():
        async with connected(tmp_path, options={"debounce": 300}) as client:
            uri = (tmp_path / "train.py").as_uri()
            client.open(uri, UNRELATED)
            await client.diagnostics(uri, 1)
            client.change(uri, 2, REVERSED)
            at = place(REVERSED, "16")
            for number in range(3, 202):
                old = str(number - 1 if number > 3 else 16)
                client.change(uri, number, ((at.line, at.character), (at.line, at.character + len(old)), str(number)))
            [finding] = await client.diagnostics(uri, 201)
            assert "target_r=201" in finding.message
            return [one.version for one in client.history if one.uri == uri]

    assert session(talk)[-1] == 201


def test_no_version_is_told_after_a_later_one_however_quick_the_edits(tmp_path):
    async def talk():
        async with connected(tmp_path, options={"debounce": 0}) as client:
            uri = (tmp_path / "train.py").as_uri()
            client.open(uri, REVERSED)
            for number in range(2, 202):
                client.change(uri, number, REVERSED.replace("16", str(number + 8)))
                if number % 20 == 0:
                    await asyncio.sleep(0)
            await client.diagnostics(uri, 201)
            return [
                (one.version, *(finding.message for finding in one.diagnostics))
                for one in client.history
                if one.uri == uri
            ]

    told = session(talk)
    assert [version for version, *_ in told] == sorted({version for version, *_ in told})
    for version, message in told:
        assert f"target_r={version + 8 if version > 1 else 16} " in message


BROKEN = """\
from peft import AdaLoraConfig


def first():
    return AdaLoraConfig(init_r=8, target_r=16, total_step=100)


def second():
    return AdaLoraConfig(init_r=4, target_r=9, total_step=100)
"""


def test_on_broken_syntax_the_findings_outside_the_statement_stay_where_they_are_now(editor, tmp_path):
    async def talk(client):
        uri = (tmp_path / "train.py").as_uri()
        client.open(uri, BROKEN)
        one, two = await client.diagnostics(uri, 1)
        at = place(BROKEN, "target_r=16", behind=True)
        client.change(uri, 2, ((at.line, at.character), (at.line, at.character), ", (\n#\n"))
        text = BROKEN.replace("target_r=16", "target_r=16, (\n#\n")
        found = await client.diagnostics(uri, 2)
        assert [finding.code for finding in found].count("ADA901") == 1
        [kept] = [finding for finding in found if finding.code != "ADA901"]
        assert (kept.code, kept.message) == (two.code, two.message)
        assert kept.range.start == place(text, "target_r=9")
        client.change(uri, 3, BROKEN)
        assert plain(await client.diagnostics(uri, 3)) == plain([one, two])

    editor(talk)


def test_broken_yaml_keeps_the_findings_of_other_lines(editor, tmp_path):
    text = "one:\n  peft_type: ADALORA\n  init_r: 8\n  target_r: 16\n  total_step: 9\nother: 1\n"

    async def talk(client):
        uri = (tmp_path / "a.yaml").as_uri()
        client.open(uri, text, "yaml")
        before = [one.code for one in await client.diagnostics(uri, 1)]
        assert before
        client.change(uri, 2, ((0, 0), (0, 0), "# remark\n"), ((6, 7), (6, 8), "{"))
        after = await client.diagnostics(uri, 2)
        kept = [one for one in after if one.code != "ADA901"]
        assert [one.code for one in kept] == before
        assert kept[0].range.start == position_in("# remark\n" + text, ("# remark\n" + text).index("target_r"))

    editor(talk)


def test_a_broken_block_of_markdown_costs_no_finding_of_the_others(editor, tmp_path):
    block = "```python\nfrom peft import AdaLoraConfig\n\nconfig = AdaLoraConfig({})\n```\n\n"
    first, broken, last = (
        "init_r=8, target_r=16, total_step=9",
        "r=16, total_step=",
        "init_r=4, target_r=9, total_step=9",
    )
    text = "".join(map(block.format, (first, "r=16, total_step=9", last)))

    async def talk(client):
        uri = (tmp_path / "a.md").as_uri()
        client.open(uri, text, "markdown")
        assert [one.code for one in await client.diagnostics(uri, 1)] == ["ADA102", "ADA101", "ADA102"]
        now = "".join(map(block.format, (first, broken + "(", last)))
        client.change(uri, 2, now)
        found = [one for one in await client.diagnostics(uri, 2) if one.code == "ADA102"]
        assert [one.range.start for one in found] == [place(now, "target_r=16"), place(now, "target_r=9")]
        client.change(uri, 3, text)
        assert [one.code for one in await client.diagnostics(uri, 3)] == ["ADA102", "ADA101", "ADA102"]

    editor(talk)


def test_each_folder_has_its_own_settings(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, settings in ((one, 'lang = "zh"\n'), (other, 'ignore = ["ADA102"]\n')):
        folder.mkdir()
        (folder / "adalint.toml").write_text(settings)

    async def talk():
        async with connected(one, other) as client:
            for folder in (one, other):
                client.open((folder / "train.py").as_uri(), REVERSED)
            [finding] = await client.diagnostics((one / "train.py").as_uri())
            assert await client.diagnostics((other / "train.py").as_uri()) == ()
            return finding.message

    assert not session(talk).isascii()


def test_the_editor_may_say_something_else_for_each_folder(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    said = {one.as_uri(): {"ignore": ["ADA102"]}, other.as_uri(): {"lang": "zh", "ignore": None}}

    async def talk():
        async with connected(one, other, configuration=said, abilities={"configuration": True}) as client:
            for folder in (one, other):
                client.open((folder / "train.py").as_uri(), REVERSED)
            await client.until(
                lambda c: (
                    [
                        len(c.published[(folder / "train.py").as_uri()].diagnostics)
                        for folder in (one, other)
                        if (folder / "train.py").as_uri() in c.published
                    ]
                    == [0, 1]
                )
            )
            await client.until(
                lambda c: not c.published[(other / "train.py").as_uri()].diagnostics[0].message.isascii()
            )

    session(talk)


def test_changed_settings_are_followed(tmp_path):
    path = tmp_path / "adalint.toml"
    path.write_text("")

    async def talk():
        async with connected(
            tmp_path,
            abilities={
                "did_change_watched_files": types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
            },
        ) as client:
            uri = (tmp_path / "train.py").as_uri()
            client.open(uri, REVERSED)
            assert len(await client.diagnostics(uri)) == 1
            path.write_text('ignore = ["ADA102"]\n')
            event = types.FileEvent(uri=path.as_uri(), type=types.FileChangeType.Changed)
            client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=[event]))
            await client.until(lambda one: one.published[uri].diagnostics == ())
            [registration] = client.registered
            return [one["globPattern"] for one in registration.register_options["watchers"]]

    assert "**/adalint.toml" in session(talk)


@pytest.mark.slow
def test_changed_settings_are_followed_where_nobody_watches_files(editor, tmp_path):
    async def talk(client):
        uri = (tmp_path / "train.py").as_uri()
        client.open(uri, REVERSED)
        assert len(await client.diagnostics(uri)) == 1
        (tmp_path / "pyproject.toml").write_text('[tool.adalint]\nignore = ["ADA102"]\n')
        await client.until(lambda one: one.published[uri].diagnostics == ())

    editor(talk)


def test_settings_that_cannot_be_used_are_told_once_and_mended_live(editor, tmp_path):
    path = tmp_path / "adalint.toml"
    path.write_text('ignore = ["ADA1O2"]\n')

    async def talk(client):
        uri = (tmp_path / "train.py").as_uri()
        client.open(uri, REVERSED)
        await client.until(lambda one: one.messages)
        [message] = client.messages
        assert "adalint.toml:1" in message
        path.write_text("")
        await client.until(lambda one: one.published.get(uri) and one.published[uri].diagnostics)

    editor(talk)


def test_options_that_make_no_sense_are_told(tmp_path):
    async def talk():
        async with connected(tmp_path, options={"select": 5, "ignore": ["no-such-rule-at-all"]}) as client:
            client.open((tmp_path / "train.py").as_uri(), REVERSED)
            await client.until(lambda one: len(one.messages) == 2)
            return client.messages

    select, ignore = session(talk)
    assert "select: a list of strings is wanted, not 5" in select
    assert "no-such-rule-at-all" in ignore


def test_what_the_settings_leave_out_is_not_checked(editor, tmp_path):
    (tmp_path / "adalint.toml").write_text('extend-exclude = ["generated"]\n')

    async def talk(client):
        for name in ("generated/a.py", ".venv/b.py"):
            client.open((tmp_path / name).as_uri(), REVERSED)
            assert await client.diagnostics((tmp_path / name).as_uri()) == ()
        client.open((tmp_path / "c.py").as_uri(), REVERSED)
        assert len(await client.diagnostics((tmp_path / "c.py").as_uri())) == 1

    editor(talk)


LAUNCH = "swift sft --tuner_type adalora --adalora_init_r 8 --adalora_target_r 16\n"


def test_a_text_without_a_file_is_read_by_its_language(editor, tmp_path):
    async def talk(client):
        client.open("untitled:Untitled-1", REVERSED)
        assert len(await client.diagnostics("untitled:Untitled-1")) == 1
        client.open("git:/a/train.py?ref", REVERSED)
        client.open("untitled:Untitled-2", REVERSED, "lua")
        client.open("untitled:Untitled-3", REVERSED)
        await client.diagnostics("untitled:Untitled-3")
        client.open("untitled:Untitled-4", LAUNCH, "shellscript")
        assert [one.code for one in await client.diagnostics("untitled:Untitled-4")] == ["ADA102"]
        return set(client.published)

    assert {one for one in editor(talk) if one.startswith(("untitled:", "git:"))} == {
        "untitled:Untitled-1",
        "untitled:Untitled-3",
        "untitled:Untitled-4",
    }


ODD = {
    "a mark": "\ufeff" + REVERSED,
    "no text": "",
    "Windows": REVERSED.replace("\n", "\r\n"),
    "a coding line": "# -*- coding: latin-1 -*-\n# é\n" + REVERSED,
    "an unknown coding": "# -*- coding: nonsense -*-\n" + REVERSED,
    "a coding that cannot write it": "# -*- coding: ascii -*-\n# 名\n" + REVERSED,
    "a NUL": REVERSED + "\0",
    "many": "from peft import AdaLoraConfig\n" + "AdaLoraConfig(r=8, init_r=8, target_r=16)\n" * 40,
}


def test_odd_texts_have_the_findings_of_the_command_line(editor, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    async def talk(client):
        for number, text in enumerate(ODD.values()):
            path = tmp_path / f"{number} %41,名.py"
            client.open(path.as_uri(), text)
            shown = plain(await client.diagnostics(path.as_uri()))
            raw = text.encode("latin-1") if "latin-1" in text else text.encode()
            told = told_by_the_command_line(path, raw, tmp_path)
            if text.startswith("\ufeff"):  # the mark is a character of the first line, which has no finding
                assert shown[0]["range"]["start"]["line"] == 2
            assert shown == told, list(ODD)[number]

    editor(talk)


def notebook(client, uri, *cells, version=1):
    """Open a notebook; cells are texts of Python, or (text, language) for others."""
    items, listed = [], []
    for number, cell in enumerate(cells):
        text, language = cell if isinstance(cell, tuple) else (cell, "python")
        name = f"vscode-notebook-cell:{uri}#{number}"
        kind = types.NotebookCellKind.Markup if language == "markdown" else types.NotebookCellKind.Code
        listed.append(types.NotebookCell(kind=kind, document=name))
        items.append(types.TextDocumentItem(uri=name, language_id=language, version=1, text=text))
    client.notebook_document_did_open(
        types.DidOpenNotebookDocumentParams(
            notebook_document=types.NotebookDocument(
                uri=uri, notebook_type="jupyter-notebook", version=version, cells=listed
            ),
            cell_text_documents=items,
        )
    )
    return [one.document for one in listed]


def change_notebook(client, uri, version, **cells):
    client.notebook_document_did_change(
        types.DidChangeNotebookDocumentParams(
            notebook_document=types.VersionedNotebookDocumentIdentifier(uri=uri, version=version),
            change=types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(**cells)),
        )
    )


def in_cell(uri, version, *changes):
    events = [
        types.TextDocumentContentChangePartial(
            range=types.Range(types.Position(*start), types.Position(*end)), text=text
        )
        for start, end, text in changes
    ]
    return types.NotebookDocumentCellContentChanges(
        document=types.VersionedTextDocumentIdentifier(uri=uri, version=version), changes=events
    )


def test_cells_of_a_notebook_have_their_own_findings(editor, tmp_path):
    uri = (tmp_path / "a.ipynb").as_uri()
    text = "x = '𝒳'; config = AdaLoraConfig(init_r=8, target_r=rank, total_step=9)\nprint(config)\n"

    async def talk(client):
        cells = notebook(
            client,
            uri,
            ("# 𝒳", "markdown"),
            "%pip install peft==0.21.2\nfrom peft import AdaLoraConfig\nrank = 16",
            text,
            "print(1)",
        )
        [finding] = await client.diagnostics(cells[2])
        assert (finding.code, finding.range.start) == ("ADA102", place(text, "target_r"))
        await client.until(lambda one: {cells[1], cells[3]} <= set(one.published))
        assert client.published[cells[1]].diagnostics == client.published[cells[3]].diagnostics == ()
        assert cells[0] not in client.published
        # A cell decides what is wrong in another one.
        change_notebook(client, uri, 2, text_content=[in_cell(cells[1], 2, ((2, 7), (2, 9), "4"))])
        await client.until(lambda one: one.published[cells[2]].diagnostics == ())
        change_notebook(client, uri, 3, text_content=[in_cell(cells[1], 3, ((2, 7), (2, 8), "99"))])
        await client.until(lambda one: one.published[cells[2]].diagnostics)
        # Cells come and go; a broken one keeps what was found in it before, outside the statement.
        change_notebook(client, uri, 4, text_content=[in_cell(cells[2], 2, ((1, 0), (1, 0), "\nother = ("))])
        await client.until(lambda one: one.published[cells[2]].version == 2)
        found = client.published[cells[2]].diagnostics
        assert sorted(one.code for one in found) == ["ADA102", "ADA901"]
        array = types.NotebookCellArrayChange(start=2, delete_count=1, cells=[])
        gone = types.TextDocumentIdentifier(uri=cells[2])
        structure = types.NotebookDocumentCellChangeStructure(array=array, did_close=[gone])
        change_notebook(client, uri, 5, structure=structure)
        await client.until(lambda one: one.published[cells[2]].diagnostics == ())

    editor(talk)


def test_the_editor_is_asked_for_the_cells_of_notebooks(editor):
    async def talk(client):
        [selector] = client.answer.capabilities.notebook_document_sync.notebook_selector
        return selector.notebook.notebook_type, [cell.language for cell in selector.cells]

    assert editor(talk) == ("jupyter-notebook", ["python"])


def test_a_notebook_has_the_findings_of_the_command_line(editor, tmp_path, monkeypatch):
    monkeypatch.chdir(CHECKOUT)
    paths = sorted((CHECKOUT / "fixtures").rglob("*.ipynb"))

    async def talk(client):
        shown = {}
        for path in paths:
            book = json.loads(path.read_text())
            texts = [
                ("".join(cell["source"]), "markdown" if cell["cell_type"] == "markdown" else "python")
                for cell in book["cells"]
            ]
            cells = notebook(client, path.as_uri(), *texts)
            code = [uri for uri, (_, language) in zip(cells, texts, strict=True) if language == "python"]
            await client.until(lambda one, code=code: set(code) <= set(one.published))
            shown[path] = [
                (one.code, one.message, number, one.range.start.line + 1)
                for number, uri in enumerate(cells, start=1)
                if uri in code
                for one in client.published[uri].diagnostics
            ]
        return shown

    shown = editor(talk)
    assert paths
    for path in paths:
        told = json.loads(run("check", "--output-format", "json", str(path)).stdout)
        assert shown[path] == [(one["code"], one["message"], one["cell"], one["location"]["row"]) for one in told]


def test_a_fix_that_is_applied_leaves_no_finding(editor, tmp_path):
    async def talk(client):
        uri = (tmp_path / "train.py").as_uri()
        client.open(uri, IGNORED_RANK)
        [finding] = await client.diagnostics(uri)
        actions = await client.text_document_code_action_async(
            types.CodeActionParams(
                text_document=types.TextDocumentIdentifier(uri=uri),
                range=finding.range,
                context=types.CodeActionContext(diagnostics=[finding]),
            )
        )
        [best] = [one for one in actions if one.is_preferred]
        [change] = (await client.code_action_resolve_async(best)).edit.document_changes
        assert change.text_document.version == 1
        client.change(uri, 2, edited(IGNORED_RANK, change.edits))
        assert await client.diagnostics(uri, 2) == ()

    editor(talk)
