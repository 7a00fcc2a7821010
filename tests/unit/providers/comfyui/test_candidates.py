"""The values of a workflow that may become inputs."""

from genpulse.providers.comfyui.candidates import candidates
from tests.unit.providers.comfyui.workflows import PICTURE, changed


def proposed(graph):
    return {one.name: (one.place, one.kind) for one in candidates(graph) if one.is_proposed}


def test_words_seeds_sizes_and_steps_are_proposed_by_what_they_are_for():
    assert proposed(PICTURE) == {
        "prompt": ("6.text", "string"),
        "negative_prompt": ("7.text", "string"),
        "seed": ("3.seed", "seed"),
        "steps": ("3.steps", "integer"),
        "width": ("5.width", "integer"),
        "height": ("5.height", "integer"),
    }


def test_everything_else_is_listed_and_what_nodes_make_is_not():
    places = {one.place: one.kind for one in candidates(PICTURE)}
    assert (places["3.cfg"], places["3.denoise"], places["10.guidance"]) == ("number", "number", "number")
    assert (places["4.ckpt_name"], places["9.filename_prefix"]) == ("string", "string")
    assert "3.model" not in places


def test_names_that_collide_are_told_apart_by_their_nodes():
    second = {"class_type": "KSampler", "inputs": {"seed": 2, "steps": 4, "positive": ["6", 0]}}
    load = {"class_type": "LoadImage", "inputs": {"image": "a.png", "upload": "image"}}
    found = proposed(changed(n11=second, **{"12:5": load, "13": load}))
    assert (found["seed"], found["seed_11"]) == (("3.seed", "seed"), ("11.seed", "seed"))
    assert (found["image"], found["image_13"]) == (("12:5.image", "image"), ("13.image", "image"))
    names = [one.name for one in candidates(changed(n11=second))]
    assert len(names) == len(set(names))


def test_a_primitive_is_named_by_its_title():
    node = {"class_type": "PrimitiveInt", "inputs": {"value": 3}, "_meta": {"title": "Frames per second"}}
    assert proposed(changed(n11=node))["frames_per_second"] == ("11.value", "integer")


def test_a_field_that_every_model_has_gets_another_name():
    node = {"class_type": "Odd", "inputs": {"json": "x", "model_config": 1}}
    assert {"odd_json", "odd_model_config"} <= {one.name for one in candidates(changed(n11=node))}


def test_texts_are_looked_for_up_the_links_and_a_circle_ends():
    circle = {
        "a": {"class_type": "A", "inputs": {"x": ["b", 0]}},
        "b": {"class_type": "B", "inputs": {"x": ["a", 0]}},
        "k": {"class_type": "K", "inputs": {"positive": ["a", 0], "negative": ["gone", 0], "seed": 1}},
    }
    assert set(proposed(circle)) == {"seed"}
