"""Every piece of code of the how-to about servers that speak like OpenAI: copied from there, and run."""

import json

import pytest
import yaml

from tests.acceptance.snippets import Page, catalogue_of, understood

PAGE = Page("how-to/use-openai-compatible-servers.md")
STUDIO = yaml.safe_load(PAGE.block("studio:"))["development"]["providers"]["studio"]


def test_the_key_and_a_model_of_ones_own_are_taken(tmp_path):
    section = yaml.safe_load(PAGE.block("gpt-6"))["production"]
    lines = PAGE.block("API_KEY=").replace("…", "key").splitlines()
    secrets = dict(line.partition(" ")[0].split("=") for line in lines)
    catalogue = catalogue_of(section["providers"], tmp_path, secrets)
    assert catalogue.is_configured("openai")
    assert catalogue.model("openai/gpt-6")


def test_a_server_gets_a_name_and_its_models(tmp_path):
    catalogue = catalogue_of({"studio": STUDIO}, tmp_path)
    assert not catalogue.broken
    ids = {model_id for model_id, _ in catalogue.models()}
    assert {"studio/flux-schnell", "studio/qwen-image", "studio/kokoro", "studio/wan-2.2"} <= ids


@pytest.mark.parametrize("words", ["done_words", "allowed_hosts", "traced"])
def test_its_options_are_known(tmp_path, words):
    options = yaml.safe_load(PAGE.block(words))
    assert not catalogue_of({"studio": {**STUDIO, **options}}, tmp_path).broken


def test_each_block_of_configuration_is_tried_here():
    tried = ("gpt-6", "studio:", "done_words", "allowed_hosts", "traced")
    assert len(PAGE.blocks("yaml")) == len(tried)
    assert all(PAGE.block(words) for words in tried)


def test_what_only_one_server_knows_is_taken(tmp_path):
    line = next(line for line in PAGE.text.splitlines() if line.startswith('    {"prompt"'))
    model = catalogue_of({"studio": STUDIO}, tmp_path).model("studio/flux-schnell")
    assert model.parse(json.loads(line)).extra == {"guidance_scale": 3.5, "seed": 7}


@pytest.mark.parametrize("words", PAGE.commands(), ids=" ".join)
def test_each_command_is_one(words):
    assert understood(words)
