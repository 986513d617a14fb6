"""Ten thousand random edits: nothing raised, nothing stale, no memory lost."""

import asyncio
import random
import subprocess
from collections import Counter

import pytest
from commands import CHECKOUT
from lsprotocol import types
from server_client import connected, edited, edits_for, position_in
from test_server import plain, told_by_the_command_line

import adalint

EDITS = 10_000
PAUSE = 200
"""Edits between two looks at what is told."""

MEMORY = 1.1
"""What the server may hold at the end, by what it held half way."""

PIECES = (
    *("\n", "    ", "(", ")", ",", '"', "'", "#", "16", "8", "0", "-1", "None", "=", ": ", "{", "}", "[", "]", "\r\n"),
    *("init_r=8, ", "target_r=16, ", "total_step=100, ", "r=4, ", "tinit=200, ", "deltaT=0, ", "lora_alpha=32, "),
    *("from peft import AdaLoraConfig\n", "config = AdaLoraConfig(init_r=8, target_r=16, total_step=100)\n"),
    *("# adalint: ignore[ADA102]\n", "# adalint: ignore\n", "𝒳", "名", "é", "\f", "\u2028", "def f():\n", "x = 1\n"),
    *("peft_type: ADALORA\n", "  init_r: 8\n", "  target_r: 16\n", '"init_r": 8, ', "adalora:\n", "&a ", "*a"),
)

TEXTS = {
    "train.py": CHECKOUT / "tests/loops/ok_main_epochs.py",
    "config.yaml": next(iter(sorted((CHECKOUT / "fixtures").rglob("*.yaml")))),
    "adapter_config.json": next(iter(sorted((CHECKOUT / "fixtures").rglob("*.json")))),
}
LANGUAGE = {"train.py": "python", "config.yaml": "yaml", "adapter_config.json": "json"}


def memory_of(process):
    """Give the resident memory of a process in KiB."""
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=True)
    return int(told.stdout)


def next_edit(generator, text, origin):
    """Choose a part of a text and what is to take its place; a text that has gone astray begins anew."""
    if len(text) > 2 * len(origin) + 200 or generator.random() < 0.01:
        return 0, len(text), origin
    start = generator.randrange(len(text) + 1)
    if generator.random() < 0.5:
        start = position_of_line(generator, text)
    stop = min(len(text), start + (0 if generator.random() < 0.6 else generator.randrange(1, 30)))
    # An editor does not put its cursor between the two characters of one newline.
    start -= text[start - 1 : start + 1] == "\r\n"
    stop += text[stop - 1 : stop + 1] == "\r\n"
    new = generator.choice(PIECES) if generator.random() < 0.9 or start == stop else ""
    # Nor does an edit make one newline of two.
    if (text[:start].endswith("\r") and (new or text[stop:]).startswith("\n")) or (
        new.endswith("\r") and text[stop:].startswith("\n")
    ):
        return start, start, ""
    return start, stop, new


def position_of_line(generator, text):
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: generator.randrange(len(lines))])


class Typist:
    """Somebody who changes several texts, and knows what they are."""

    def __init__(self, client, folder, generator):
        self.client = client
        self.folder = folder
        self.generator = generator
        self.origins = {name: path.read_text() for name, path in TEXTS.items()}
        self.texts = dict(self.origins)
        self.versions = dict.fromkeys(self.texts, 1)
        for name, text in self.texts.items():
            client.open(self.uri(name), text, LANGUAGE[name])

    def uri(self, name):
        return (self.folder / name).as_uri()

    def change(self, name, start, stop, new):
        text = self.texts[name]
        ends = (position_in(text, start), position_in(text, stop))
        self.versions[name] += 1
        places = ((ends[0].line, ends[0].character), (ends[1].line, ends[1].character), new)
        self.client.change(self.uri(name), self.versions[name], places)
        self.texts[name] = text[:start] + new + text[stop:]

    def mend(self, name):
        """Make it a text that can be read: what was there at first, with other digits."""
        self.texts[name] = self.origins[name]
        self.versions[name] += 1
        self.client.change(self.uri(name), self.versions[name], self.texts[name])
        for _ in range(5):
            at = self.generator.choice([at for at, one in enumerate(self.texts[name]) if one in "123456789"])
            self.change(name, at, at + 1, self.generator.choice("123456789"))

    async def compare(self, name):
        """Compare what is told of a text with the command line; tell whether the text is broken."""
        shown = plain(await self.client.diagnostics(self.uri(name), self.versions[name]))
        told = told_by_the_command_line(self.folder / name, self.texts[name].encode(), self.folder)
        await self.ask(name)
        if "ADA901" not in [finding["code"] for finding in told]:
            assert shown == told
            await self.fix(name)
            return False
        assert [finding for finding in shown if finding in told] == told
        return True

    async def ask(self, name):
        """Ask everything at some place: whatever is answered, nothing may go wrong."""
        text = self.texts[name]
        at = self.generator.randrange(len(text) + 1)
        at -= text[at - 1 : at + 1] == "\r\n"
        document, place = types.TextDocumentIdentifier(uri=self.uri(name)), position_in(text, at)
        await self.client.text_document_hover_async(types.HoverParams(text_document=document, position=place))
        await self.client.text_document_completion_async(types.CompletionParams(text_document=document, position=place))
        for action in await self.actions(name, types.Range(types.Position(0, 0), position_in(text, len(text)))):
            if action.data and self.generator.random() < 0.3:
                await self.applied(name, action)

    async def fix(self, name):
        """Apply all safe fixes, which gives what the command line makes of it."""
        start = types.Range(types.Position(0, 0), types.Position(0, 0))
        after = self.texts[name]
        for action in await self.actions(name, start, only=["source.fixAll.adalint"]):
            after = await self.applied(name, action)
        fixed = adalint.fix_text(self.texts[name], filename=str(self.folder / name))
        assert after == fixed.after.encode().decode()

    async def actions(self, name, place, only=None):
        document = types.TextDocumentIdentifier(uri=self.uri(name))
        context = types.CodeActionContext(diagnostics=[], only=only)
        wanted = types.CodeActionParams(text_document=document, range=place, context=context)
        return await self.client.text_document_code_action_async(wanted) or ()

    async def applied(self, name, action):
        action = await self.client.code_action_resolve_async(action)
        if action.edit is None:
            return self.texts[name]
        return edited(self.texts[name], edits_for(action, self.uri(name), self.versions[name]))


@pytest.mark.slow
def test_ten_thousand_random_edits_leave_nothing_stale_and_no_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generator = random.Random(20240607)
    found = Counter()
    memory = {}

    async def talk():
        async with connected(tmp_path, options={"debounce": 5}) as client:
            typist = Typist(client, tmp_path, generator)
            for number in range(1, EDITS + 1):
                name = generator.choice(list(TEXTS))
                typist.change(name, *next_edit(generator, typist.texts[name], typist.origins[name]))
                if generator.random() < 0.2:
                    await asyncio.sleep(0.001 * generator.randrange(30))
                if number % PAUSE == 0:
                    for one in TEXTS:
                        found[await typist.compare(one)] += 1
                        typist.mend(one)
                        found[await typist.compare(one)] += 1
                if number in {EDITS // 2, EDITS}:
                    memory[number] = memory_of(client._server.pid)
            # An action that cannot be done says so; nothing else is to be told.
            assert [one for one in client.messages if "internal error" in one] == []
            for name in TEXTS:
                versions = [one.version for one in client.history if one.uri == typist.uri(name)]
                assert versions == sorted(versions)

    asyncio.run(talk())
    print(f"compared broken and whole: {dict(found)}; KiB by number of edits: {memory}")
    assert min(found[True], found[False]) > len(TEXTS) * EDITS // PAUSE / 2
    assert memory[EDITS] <= memory[EDITS // 2] * MEMORY
