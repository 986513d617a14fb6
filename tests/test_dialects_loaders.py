"""Which texts are numbers to Hydra and jsonargparse: adalint says nothing of those, and names what stays text."""

from __future__ import annotations

import pytest
from commands import CHECKOUT
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from jsonargparse import ArgumentError, ArgumentParser
from omegaconf import OmegaConf
from peft import AdaLoraConfig

from adalint.engine import check_source
from adalint.readers import read_sites
from adalint.settings import Settings
from adalint.source import Kind, Source

# jsonargparse fills in a `loftq_config` of its own making, of which PEFT then warns.
pytestmark = pytest.mark.filterwarnings("ignore:`loftq_config` specified")

FRACTIONS = ["1e-1", "1E-1", "1.0e-1", ".5", '"0.5"', "'1e-1'", "5_0.0e-2"]
WHOLE = ["24", '"24"', "2_4", "0x18", "024", "0o30"]
CASES = [("orth_reg_weight", text) for text in FRACTIONS] + [("init_r", text) for text in WHOLE]


def hydra_text(field, text):
    return f"_target_: peft.AdaLoraConfig\ntask_type: CAUSAL_LM\ntotal_step: 1000\n{field}: {text}\n"


def jsonargparse_text(field, text):
    lines = (
        f"class_path: peft.AdaLoraConfig\ninit_args:\n  task_type: CAUSAL_LM\n  total_step: 1000\n  {field}: {text}\n"
    )
    return "peft:\n" + "".join(f"  {line}\n" for line in lines.splitlines())


def from_jsonargparse(text):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--peft", type=AdaLoraConfig)
    return parser.instantiate(parser.parse_string(text)).peft


def codes(text):
    return [one.code for one in check_source(Source("config.yaml", Kind.YAML, text.encode()), Settings()).findings]


@pytest.mark.parametrize(("field", "text"), CASES)
def test_what_stays_text_in_hydra_is_found_and_what_becomes_a_number_is_not(field, text):
    written = hydra_text(field, text)
    node = OmegaConf.create(written)
    found = codes(written)
    assert bool(set(found) & {"ADA307", "ADA308"}) == isinstance(node[field], str)
    if not isinstance(node[field], str):
        assert getattr(instantiate(node), field) == node[field]


@pytest.mark.parametrize(("field", "text"), CASES)
def test_what_jsonargparse_makes_a_number_is_no_finding(field, text):
    written = jsonargparse_text(field, text)
    try:
        real = getattr(from_jsonargparse(written), field)
    except ArgumentError:
        return  # it says so itself
    assert not isinstance(real, str)
    assert codes(written) == []


def test_a_key_that_hydra_refuses_is_found():
    written = hydra_text("prune_every", "10")
    with pytest.raises(InstantiationException):
        instantiate(OmegaConf.create(written))
    assert codes(written) == ["ADA301"]


def test_a_key_that_jsonargparse_refuses_is_found():
    written = jsonargparse_text("prune_every", "10")
    with pytest.raises(ArgumentError):
        from_jsonargparse(written)
    assert codes(written) == ["ADA301"]


def test_a_missing_length_is_refused_by_both_and_found():
    for written in (hydra_text("init_r", "12"), jsonargparse_text("init_r", "12")):
        without = "".join(line for line in written.splitlines(keepends=True) if "total_step" not in line)
        with pytest.raises((InstantiationException, ValueError)):
            from_jsonargparse(without) if "class_path" in without else instantiate(OmegaConf.create(without))
        assert codes(without) == ["ADA201"]


FIXTURES = CHECKOUT / "fixtures" / "dialects"


@pytest.mark.parametrize("loader", ["hydra", "jsonargparse"])
def test_a_fixture_in_force_is_built_as_adalint_reads_it(loader):
    text = (FIXTURES / loader / "positive.yaml").read_text(encoding="utf-8")
    [site] = read_sites(Source("config.yaml", Kind.YAML, text.encode()))
    built = built_by(loader, text)
    for name in ("target_r", "tinit", "tfinal", "total_step"):
        assert getattr(built, name) == site.values[name].expr.value
    # jsonargparse makes a number of the text, and of the list PEFT makes a set.
    assert built.init_r == int(site.values["init_r"].expr.value)
    assert codes(text) == []


@pytest.mark.parametrize("loader", ["hydra", "jsonargparse"])
def test_a_broken_fixture_is_refused_by_the_real_loader(loader):
    text = (FIXTURES / loader / "broken.yaml").read_text(encoding="utf-8")
    with pytest.raises((InstantiationException, ArgumentError, ValueError)):
        built_by(loader, text)


@pytest.mark.parametrize("loader", ["hydra", "jsonargparse"])
def test_a_fixture_of_another_method_is_nobodys(loader):
    text = (FIXTURES / loader / "inactive.yaml").read_text(encoding="utf-8")
    assert "AdaLoraConfig" in text
    assert read_sites(Source("config.yaml", Kind.YAML, text.encode())) == []


def built_by(loader, text):
    return instantiate(OmegaConf.create(text).peft) if loader == "hydra" else from_jsonargparse(text)
