"""What can be asked for."""

from jsonschema import Draft202012Validator


async def test_models_are_listed_with_what_they_take(api):
    listed = (await api.get("/v1/models")).json["data"]
    assert [model["id"] for model in listed] == ["art/easel", "art/print"]
    easel, prints = listed
    schema = easel.pop("input_schema")
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["width"]["maximum"] == 2048
    assert easel == {
        "id": "art/easel",
        "provider": "art",
        "name": "easel",
        "title": "Easel",
        "description": "Draws",
        "kinds": ["text-to-image"],
        "priced": False,
        "shape": "local",
        "capabilities": {
            "cancel": True,
            "resume": False,
            "find": False,
            "repeatable": True,
            "progress": True,
        },
    }
    assert (prints["shape"], prints["capabilities"]["repeatable"]) == ("immediate", False)


async def test_one_model(api):
    listed = (await api.get("/v1/models")).json["data"]
    assert (await api.get("/v1/models/art/easel")).json == listed[0]
    assert (await api.get("/v1/models/art%2Feasel")).json == listed[0]


async def test_an_unknown_model_is_not_found_and_near_ones_are_named(api):
    problem = (await api.get("/v1/models/art/easle")).problem(404, "unknown_model")
    assert "art/easel" in problem["detail"]
    (await api.get("/v1/models/art")).problem(404, "unknown_model")


async def test_providers(api):
    assert (await api.get("/v1/providers")).json == {
        "data": [
            {
                "name": "art",
                "title": "art",
                "paid": False,
                "allowed": True,
                "kinds": ["text-to-image", "text-to-video"],
                "models": ["art/easel", "art/print"],
            }
        ]
    }
