"""What `verify` says of a fix, and how sure it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from commands import CLEAN, IGNORED_RANK, REVERSED, run
from examples import bad_of, section

from adalint.engine import check_source
from adalint.findings import Effect, Fix, Safety
from adalint.settings import Settings
from adalint.source import Edit, Kind, Source, Span
from adalint.values import Literal
from adalint.verify import CLAIMS, Proof, Verdict, prove, reference_bench, verify_source

HEAD = "from peft import AdaLoraConfig\n"
ALLOCATES = """
from peft import get_peft_model
model = get_peft_model(base, config)
for step, batch in enumerate(loader):
    model(**batch).loss.backward()
    optimizer.step()
    model.base_model.update_and_allocate(step)
    optimizer.zero_grad()
"""


def proofs(text: str, settings: Settings | None = None) -> list[Proof]:
    return verify_source(Source.decode("a.py", Kind.PYTHON, (HEAD + text).encode()), settings or Settings())


def test_a_preserving_fix_is_identical_and_proven_without_assumptions():
    [proof] = proofs("AdaLoraConfig(r=16, total_step=rounds())")
    assert (proof.verdict, proof.certainty, proof.assumptions) == (Verdict.IDENTICAL, "proven", ())


def test_a_swap_in_a_script_that_allocates_crashes_at_a_step_and_finishes_now():
    [proof] = proofs("config = AdaLoraConfig(init_r=8, target_r=16, tinit=10, total_step=50)" + ALLOCATES)
    assert proof.verdict is Verdict.FINISHES
    assert proof.story == "crashes at step 11 (RuntimeError), finishes now; the steps before it differ"
    assert proof.assumptions == ("4 modules are adapted",)


def test_a_lower_target_leaves_the_steps_before_the_crash_as_they_are():
    [proof] = proofs(
        "AdaLoraConfig(init_r=8, tinit=10, total_step=50)", Settings(intent={"reversed-ranks": "lower-target"})
    )
    assert proof.story == "crashes at step 11 (RuntimeError), finishes now; the steps before it are the same"
    assert proof.certainty == "holds for all tried"


def test_a_misspelt_keyword_raises_before_and_runs_now():
    [proof] = proofs("AdaLoraConfig(total_steps=50)")
    assert (proof.verdict, proof.story) == (Verdict.RUNS, "raises TypeError at construction, runs now")


def test_another_reading_of_r_differs_and_says_in_what():
    [proof] = proofs("AdaLoraConfig(r=16, total_step=50)", Settings(intent={"r": "init_r"}))
    assert (proof.verdict, proof.contradicts) == (Verdict.DIFFERS, False)
    assert proof.story == "differs: init_r is not what PEFT reads today"


def test_a_symbolic_length_is_tried_with_several_and_says_with_which():
    [proof] = proofs("AdaLoraConfig(deltaT=0, total_step=T)", Settings(extend_safe_fixes=("ADA204",)))
    assert (proof.verdict, proof.certainty) == (Verdict.FINISHES, "holds for all tried")
    assert "T is one of 100, 3000, 50000" in proof.assumptions


def test_where_the_verdict_depends_on_an_unknown_it_cannot_say():
    [proof] = proofs(
        "AdaLoraConfig(init_r=8, tinit=200, total_step=T)", Settings(intent={"reversed-ranks": "lower-target"})
    )
    assert (proof.verdict, proof.certainty, proof.contradicts) == (Verdict.CANNOT_SAY, "cannot say", False)


def test_a_fix_that_is_not_what_it_claims_is_found_out():
    [finding] = check_source(
        Source.decode("a.py", Kind.PYTHON, IGNORED_RANK.encode()), Settings(intent={"r": "init_r"})
    ).findings
    lying = replace(finding.fixes[0], effect=Effect.PRESERVES, safety=Safety.SAFE)
    proof = prove(finding, lying)
    assert (proof.contradicts, proof.breaks_a_promise) == (True, True)
    assert not replace(proof, fix=replace(lying, safety=Safety.UNSAFE)).breaks_a_promise


def test_a_fix_that_breaks_a_run_is_found_out():
    [finding] = check_source(Source.decode("a.py", Kind.PYTHON, REVERSED.encode()), Settings()).findings
    fix = finding.fixes[0]
    assert prove(finding, replace(fix, before=fix.after, after=fix.before)).verdict is Verdict.BREAKS


@pytest.mark.parametrize("bench", [None, reference_bench()], ids=["traced", "on the reference adapter"])
@pytest.mark.parametrize("example", section("Fixed"), ids=str)
def test_every_fix_on_a_rule_page_is_what_it_claims(example, bench):
    bad = bad_of(example)
    [finding] = check_source(bad.source, Settings()).findings
    fix = finding.fixes[int(example.words["fix"]) - 1]
    proof = prove(finding, fix, bench=bench)
    assert proof.disagreement is None
    assert proof.verdict in CLAIMS[fix.effect] or proof.verdict is Verdict.CANNOT_SAY
    if fix.safety is Safety.SAFE:
        assert proof.verdict in CLAIMS[fix.effect]


class TestCommand:
    @pytest.fixture(autouse=True)
    def _in_a_folder_of_its_own(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        self.folder = tmp_path

    def test_it_tells_the_verdict_the_claim_and_the_certainty(self):
        (self.folder / "x.py").write_text(IGNORED_RANK)
        result = run("verify", "--output-format", "full")
        assert result.exit_code == 0
        assert "x.py:3:24: ADA101 say what PEFT does today" in result.stdout
        assert (
            "    identical: PEFT reads the same configuration\n    proven; the fix claims: preserves (safe)"
            in result.stdout
        )
        assert result.stderr == "1 fix checked on the reference adapter.\n"

    def test_concise_has_one_line_for_each_fix(self):
        (self.folder / "x.py").write_text(IGNORED_RANK)
        (self.folder / "y.py").write_text(REVERSED)
        first, second = run("verify", "--output-format", "concise").stdout.splitlines()
        assert first.startswith("x.py:3:24: ADA101 ")
        assert first.endswith("identical: PEFT reads the same configuration (proven; claims preserves, safe)")
        assert second.startswith("y.py:3:34: ADA102 ")

    def test_without_a_fix_it_says_so(self):
        (self.folder / "x.py").write_text(CLEAN)
        result = run("verify")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No fix to verify.\n")

    def test_a_promise_that_is_broken_exits_with_1(self, monkeypatch):
        (self.folder / "x.py").write_text(IGNORED_RANK)
        monkeypatch.setitem(CLAIMS, Effect.PRESERVES, frozenset())
        result = run("verify")
        assert result.exit_code == 1
        assert "this is not what the fix claims" in result.stdout
        assert result.stderr == "0 fixes checked on the reference adapter.\n1 not as claimed.\n"

    def test_json_holds_the_same(self):
        import json

        (self.folder / "x.py").write_text(REVERSED)
        [entry] = json.loads(run("verify", "--output-format", "json").stdout)
        assert (entry["code"], entry["verdict"], entry["as_claimed"]) == ("ADA102", "finishes now", True)
        assert entry["location"] == {"row": 3, "column": 34}

    def test_a_format_that_it_does_not_have_is_an_error(self):
        result = run("verify", "--output-format", "lsp")
        assert result.exit_code == 2


def test_a_mistake_that_another_one_hides_is_no_broken_claim():
    both = proofs("AdaLoraConfig(init_r=8, deltaT=0, total_step=50)", Settings(extend_safe_fixes=("ALL",)))
    assert [(proof.finding.code, proof.verdict, proof.breaks_a_promise) for proof in both] == [
        ("ADA102", Verdict.CANNOT_SAY, False),
        ("ADA204", Verdict.CANNOT_SAY, False),
    ]
    assert "for another mistake in the same configuration" in both[0].story


def test_a_fix_that_leaves_the_crash_as_it_was_is_found_out():
    [finding] = check_source(Source.decode("a.py", Kind.PYTHON, REVERSED.encode()), Settings()).findings
    useless = replace(
        finding.fixes[1], effect=Effect.COMPLETES, after=replace(finding.fixes[1].before, strangers=("x",))
    )
    assert prove(finding, useless).contradicts


def test_a_run_that_ends_before_the_crash_is_not_rewritten_as_if_it_crashed():
    short = ALLOCATES.replace("enumerate(loader)", "enumerate([1] * 9)")
    text = "config = AdaLoraConfig(init_r=8, target_r=16, tinit=10, total_step=50)" + short
    [proof] = proofs(text)
    assert (proof.fix.effect, proof.fix.safety) == (Effect.CHANGES, Safety.UNSAFE)


def test_a_mistake_that_was_hidden_by_the_one_that_is_mended_is_no_broken_claim():
    text = "AdaLoraConfig(use_dora=True, orth_reg_weight=-1, total_step=50)"
    for proof in proofs(text, Settings(extend_safe_fixes=("ALL",))):
        assert (proof.verdict, proof.breaks_a_promise) == (Verdict.CANNOT_SAY, False)


def test_a_mistake_that_the_fix_brings_itself_is_a_broken_claim():
    [finding] = check_source(
        Source.decode("a.py", Kind.PYTHON, f"{HEAD}AdaLoraConfig(use_dora=True, total_step=50)".encode()),
        Settings(pedantic=True),
    ).findings[:1]
    before = finding.fixes[0].before
    after = replace(before, values={**before.values, "use_dora": Literal(False), "orth_reg_weight": Literal(-1)})
    given = {**before.given, "orth_reg_weight": True}
    lying = Fix(
        "x", Effect.REPAIRS, Safety.SAFE, (Edit(Span(0, 0), ""),), before=before, after=replace(after, given=given)
    )
    proof = prove(finding, lying)
    assert (proof.verdict, proof.breaks_a_promise) == (Verdict.STILL_FAILS, True)


def test_a_fix_that_mends_nothing_is_found_out():
    [finding] = check_source(
        Source.decode("a.py", Kind.PYTHON, f"{HEAD}AdaLoraConfig(use_dora=True, total_step=50)".encode()), Settings()
    ).findings[:1]
    before = finding.fixes[0].before
    after = replace(before, values={**before.values, "lora_alpha": Literal(4)})
    lying = Fix("x", Effect.REPAIRS, Safety.SAFE, (Edit(Span(0, 0), ""),), before=before, after=after)
    assert prove(finding, lying).breaks_a_promise
