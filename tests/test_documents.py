"""JSON and YAML configuration files, written from the rule catalogue alone, and what each of them is told.

The files live in `tests/documents/*.md`: each is a fenced block whose info string carries the file name and the
findings of the blocks 1xx to 3xx, as `code@row`, the row counted from 1 inside the block.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from adalint.engine import check_source
from adalint.settings import Settings
from adalint.source import Source, kind_of

FOLDER = Path(__file__).parent / "documents"
OPENING = re.compile(r'^```(json|yaml) file="([^"]+)" expect="([^"]*)"$')
EXPECTED = re.compile(r"(ADA[123]\d\d)@([1-9]\d*)")


@dataclass(frozen=True)
class Document:
    """One fenced block: where it stands, the file that it is, and the findings that it must have."""

    name: str
    file: str
    text: str
    expected: tuple[tuple[str, int], ...]


def documents() -> list[Document]:
    """Every block of every page, in order; a fence that is not understood is an error, never skipped."""
    found = []
    for page in sorted(FOLDER.glob("*.md")):
        lines = page.read_text(encoding="utf-8").splitlines()
        number = 0
        while number < len(lines):
            opening = number
            number += 1
            if not lines[opening].startswith("```"):
                continue
            head = OPENING.match(lines[opening])
            assert head, f"{page.name}:{opening + 1}: not a document's fence: {lines[opening]}"
            end = lines.index("```", number)
            expected = []
            for word in head[3].split():
                claim = EXPECTED.fullmatch(word)
                assert claim, f"{page.name}:{opening + 1}: not a claim: {word}"
                expected.append((claim[1], int(claim[2])))
            text = "".join(f"{line}\n" for line in lines[number:end])
            found.append(Document(f"{page.stem}:{opening + 1}", head[2], text, tuple(sorted(expected))))
            number = end + 1
    return found


DOCUMENTS = documents()


def test_the_corpus_is_large_and_mostly_innocent() -> None:
    """At least 160 documents, and at least half of them must stay silent."""
    assert len(DOCUMENTS) >= 160
    assert sum(not document.expected for document in DOCUMENTS) * 2 >= len(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_document(document: Document) -> None:
    """The findings of the first three blocks are exactly those that the page claims, each on its row."""
    source = Source.decode(document.file, kind_of(document.file), document.text.encode())
    found = [
        (finding.code, source.row_of(finding.span.start))
        for finding in check_source(source, Settings()).findings
        if finding.code[:4] in {"ADA1", "ADA2", "ADA3"}
    ]
    assert tuple(sorted(found)) == document.expected
