"""Product templates, canvases and sizes: contract 1.5 and 1.7."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.integration.ingest.catalog.world import Caller

TEMPLATE: dict[str, Any] = {
    "name": "UVDTF 16oz",
    "title": "| UVDTF Cup Wrap",
    "description": "Ready to apply",
    "who_made": "i_did",
    "when_made": "made_to_order",
    "taxonomy_id": 1,
    "price": 4.0,
    "materials": ["UV DTF"],
    "shop_section_id": 2,
    "quantity": 100,
    "tags": ["cup", "wrap"],
    "item_weight": 2.5,
    "item_weight_unit": "oz",
    "item_length": 11.0,
    "item_width": 9.5,
    "item_height": 1.0,
    "item_dimensions_unit": "in",
    "is_taxable": True,
    "type": "physical",
    "processing_min": 1,
    "processing_max": 3,
    "return_policy_id": None,
}
CANVAS = {"name": "UVDTF 16oz", "width_inches": 9.5, "height_inches": 4.33, "is_active": True, "is_stretch": True}
SIZE = {"name": "UVDTF 16oz", "width_inches": 9.5, "height_inches": 4.33}

TEMPLATES = "/settings/product-template"
JSON = {"Content-Type": "application/json"}


def made_set(caller: Caller) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A template with a canvas and a size."""
    template = caller.made(TEMPLATES, TEMPLATE)
    canvas = caller.made(f"/settings/{template['id']}/canvas-config", CANVAS)
    size = caller.made(f"/settings/{template['id']}/{canvas['id']}/size-config", SIZE)
    return template, canvas, size


def assert_moment(text: str) -> None:
    """As JSON has moments here: UTC with a Z."""
    assert text.endswith("Z")
    assert datetime.fromisoformat(text).tzinfo


def test_templates_have_the_fields_and_order_that_the_frontend_reads(ana: Caller) -> None:
    made = ana.made(TEMPLATES, TEMPLATE)
    listed = ana("GET", TEMPLATES)
    assert listed.status_code == 200
    assert listed.json() == [made]
    old = [*TEMPLATE, "id", "user_id", "created_at", "updated_at"]
    assert list(made) == [*old, "template_title", "production_partner_ids", "platform"]
    assert {name: made[name] for name in TEMPLATE} == TEMPLATE | {"materials": "UV DTF", "tags": "cup,wrap"}
    assert made["user_id"] == ana.user["id"]
    assert made["updated_at"] is None
    assert_moment(made["created_at"])


@pytest.mark.parametrize("tags", ["cup, wrap ,", ["cup", " wrap", ""]])
def test_tags_come_back_joined_by_commas_however_they_were_sent(ana: Caller, tags: object) -> None:
    made = ana.made(TEMPLATES, {"name": "Cup", "tags": tags, "materials": tags})
    assert (made["tags"], made["materials"]) == ("cup,wrap", "cup,wrap")


def test_a_template_needs_no_more_than_a_name(ana: Caller) -> None:
    made = ana.made(TEMPLATES, {"name": "Cup", "price": "", "quantity": "", "taxonomy_id": ""})
    assert (made["name"], made["price"], made["tags"]) == ("Cup", None, None)


def test_fields_of_later_frontends_are_kept(ana: Caller) -> None:
    later = {"template_title": "Wraps", "production_partner_ids": [12, 13], "platform": "etsy", "unheard_of": 1}
    made = ana.made(TEMPLATES, TEMPLATE | later)
    assert (made["template_title"], made["production_partner_ids"], made["platform"]) == ("Wraps", "12,13", "etsy")
    assert "unheard_of" not in made


def test_a_template_is_read_changed_and_deleted_by_its_id(ana: Caller) -> None:
    made = ana.made(TEMPLATES, TEMPLATE)
    path = f"{TEMPLATES}/{made['id']}"
    assert ana("GET", path).json() == made
    changed = ana("PUT", path, json={"name": "Cup", "price": 5})
    assert changed.status_code == 200
    assert changed.json() == made | {"name": "Cup", "price": 5.0, "updated_at": changed.json()["updated_at"]}
    assert_moment(changed.json()["updated_at"])
    deleted = ana("DELETE", path)
    assert (deleted.status_code, deleted.json()["success"]) == (200, True)
    for again in (ana("GET", path), ana("DELETE", path), ana("PUT", path, json={"name": "Cup"})):
        assert again.status_code == 404
        assert list(again.json()) == ["detail"]


def test_deleting_a_template_takes_its_canvases_and_sizes_along(ana: Caller) -> None:
    template, _, _ = made_set(ana)
    assert ana("DELETE", f"{TEMPLATES}/{template['id']}").status_code == 200
    assert ana("GET", "/settings/canvas-config").json() == []
    assert ana("GET", "/settings/size-config").json() == []


def test_a_template_with_mockups_is_not_deleted(ana: Caller) -> None:
    template = ana.made(TEMPLATES, TEMPLATE)
    group = ana.made("/mockups/group", {"name": "Glass cup", "product_template_id": template["id"]})
    refused = ana("DELETE", f"{TEMPLATES}/{template['id']}")
    assert refused.status_code == 409
    assert "'Glass cup'" in refused.json()["detail"]
    assert ana("GET", f"/mockups/by-id/{group['id']}").status_code == 200


@pytest.mark.parametrize("name", ["taxonomies", "shop-sections"])
def test_shop_lists_are_empty_arrays_and_no_template_ids(ana: Caller, name: str) -> None:
    answer = ana("GET", f"{TEMPLATES}/{name}")
    assert (answer.status_code, answer.json()) == (200, [])


def test_canvases_have_the_fields_and_order_that_the_frontend_reads(ana: Caller) -> None:
    template = ana.made(TEMPLATES, TEMPLATE)
    made = ana.made(f"/settings/{template['id']}/canvas-config", CANVAS)
    assert ana("GET", "/settings/canvas-config").json() == [made]
    expected = {
        "name": "UVDTF 16oz",
        "width_inches": 9.5,
        "height_inches": 4.33,
        "description": None,
        "is_active": True,
        "is_stretch": True,
        "dpi": 300,
        "spacing_width_inches": 0.125,
        "spacing_height_inches": 0.125,
        "id": str(UUID(made["id"])),
        "product_template_id": template["id"],
        "created_at": made["created_at"],
        "updated_at": None,
    }
    assert list(made.items()) == list(expected.items())
    assert_moment(made["created_at"])


def test_sizes_have_the_fields_and_order_that_the_frontend_reads(ana: Caller) -> None:
    template, canvas, made = made_set(ana)
    assert ana("GET", "/settings/size-config").json() == [made]
    expected = {
        "name": "UVDTF 16oz",
        "width_inches": 9.5,
        "height_inches": 4.33,
        "description": None,
        "is_active": True,
        "id": str(UUID(made["id"])),
        "product_template_id": template["id"],
        "canvas_id": canvas["id"],
        "created_at": made["created_at"],
        "updated_at": None,
        "dimensions": "9.5 x 4.33 in",
    }
    assert list(made.items()) == list(expected.items())


def test_a_deleted_canvas_is_gone_and_an_inactive_one_is_listed(ana: Caller) -> None:
    template, canvas, _ = made_set(ana)
    path = f"/settings/{template['id']}/canvas-config/{canvas['id']}"
    changed = ana("PUT", path, json=CANVAS | {"is_active": False})
    assert changed.json()["is_active"] is False
    assert changed.json()["spacing_width_inches"] == 0.125
    assert ana("GET", "/settings/canvas-config").json() == [changed.json()]
    assert ana("GET", path).json() == changed.json()
    assert ana("DELETE", path).json()["success"] is True
    assert ana("GET", "/settings/canvas-config").json() == []
    assert ana("GET", path).status_code == 404
    assert ana("DELETE", path).status_code == 404


def test_a_deleted_size_is_kept_but_not_offered(ana: Caller) -> None:
    template, canvas, size = made_set(ana)
    path = f"/settings/{template['id']}/{canvas['id']}/size-config/{size['id']}"
    changed = ana("PUT", path, json=SIZE | {"width_inches": 8})
    assert (changed.json()["width_inches"], changed.json()["dimensions"]) == (8.0, "8 x 4.33 in")
    assert ana("DELETE", path).json()["success"] is True
    assert ana("GET", "/settings/size-config").json() == []
    assert ana("GET", path).json()["is_active"] is False
    assert ana("DELETE", path).status_code == 404


def test_a_canvas_is_only_found_under_its_own_template(ana: Caller) -> None:
    template, canvas, size = made_set(ana)
    other, other_canvas, _ = made_set(ana)
    assert ana("GET", f"/settings/{other['id']}/canvas-config/{canvas['id']}").status_code == 404
    assert ana("GET", f"/settings/{other['id']}/{canvas['id']}/size-config/{size['id']}").status_code == 404
    assert ana("GET", f"/settings/{template['id']}/{other_canvas['id']}/size-config/{size['id']}").status_code == 404
    wrong = ana("POST", f"/settings/{template['id']}/{other_canvas['id']}/size-config", json=SIZE)
    assert wrong.status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "half \ud800"}, "name"),
        ({"name": "n" * 201}, "name"),
        ({"price": -1}, "price"),
        ({"quantity": 2**31}, "quantity"),
        ({"taxonomy_id": 2**63}, "taxonomy_id"),
        ({"tags": [{"no": "text"}]}, "tags"),
        ({"production_partner_ids": "one"}, "production_partner_ids"),
        ({"production_partner_ids": "1" * 5000}, "production_partner_ids"),
        ({"production_partner_ids": str(2**63)}, "production_partner_ids"),
    ],
)
def test_what_can_not_be_stored_is_refused_by_field(ana: Caller, change: dict[str, Any], field: str) -> None:
    answer = ana("POST", TEMPLATES, content=json.dumps(TEMPLATE | change), headers=JSON)
    assert answer.status_code == 422
    assert {tuple(problem["loc"][:2]) for problem in answer.json()["detail"]} == {("body", field)}
    assert set(answer.json()["detail"][0]) == {"type", "loc", "msg", "input"}
    assert answer.json()["body_info"].startswith("received: a JSON object with the fields: name, ")
    assert ana("GET", TEMPLATES).json() == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "0", "-1", "1e9"])
def test_impossible_lengths_are_refused(ana: Caller, number: str) -> None:
    template = ana.made(TEMPLATES, TEMPLATE)
    body = f'{{"name": "Cup", "width_inches": {number}, "height_inches": 1}}'
    answer = ana("POST", f"/settings/{template['id']}/canvas-config", content=body, headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "width_inches"]


def test_another_shops_settings_do_not_exist(ana: Caller, ben: Caller) -> None:
    template, canvas, size = made_set(ana)
    tpl, cnv, siz = template["id"], canvas["id"], size["id"]
    calls: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", f"{TEMPLATES}/{tpl}", None),
        ("PUT", f"{TEMPLATES}/{tpl}", {"name": "mine now"}),
        ("DELETE", f"{TEMPLATES}/{tpl}", None),
        ("POST", f"/settings/{tpl}/canvas-config", CANVAS),
        ("GET", f"/settings/{tpl}/canvas-config/{cnv}", None),
        ("PUT", f"/settings/{tpl}/canvas-config/{cnv}", CANVAS),
        ("DELETE", f"/settings/{tpl}/canvas-config/{cnv}", None),
        ("POST", f"/settings/{tpl}/{cnv}/size-config", SIZE),
        ("GET", f"/settings/{tpl}/{cnv}/size-config/{siz}", None),
        ("PUT", f"/settings/{tpl}/{cnv}/size-config/{siz}", SIZE),
        ("DELETE", f"/settings/{tpl}/{cnv}/size-config/{siz}", None),
    ]
    for method, path, body in calls:
        answer = ben(method, path, json=body)
        assert (method, path, answer.status_code) == (method, path, 404)
        unknown = path.replace(tpl, str(uuid4())).replace(cnv, str(uuid4())).replace(siz, str(uuid4()))
        assert ben(method, unknown, json=body).status_code == 404
    for path in (TEMPLATES, "/settings/canvas-config", "/settings/size-config"):
        assert ben("GET", path).json() == []
    assert ana("GET", TEMPLATES).json() == [template]
    assert ana("GET", "/settings/canvas-config").json() == [canvas]
    assert ana("GET", "/settings/size-config").json() == [size]
