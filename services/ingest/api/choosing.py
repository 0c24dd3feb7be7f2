"""What an upload call names (a template, a mockup, a canvas, a size), looked up in the catalog of whoever calls.

Each function raises the catalog's errors for what is foreign, unknown or unusable.
"""

from typing import Any

from services.ingest.api.resources import Resources
from services.ingest.api.upload_forms import DesignData, ProductData
from services.ingest.catalog.choices import listing_choice, print_choice
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import User
from services.ingest.sessions.lifecycle.records import Choice, Wanted
from shared.contracts import Destination, PrintSpec


def choice_of(using: Resources, user: User, data: DesignData, before: dict[str, Any] | None) -> Choice:
    """The user's own template, mockups, canvas and size, as one choice.

    `before` is what was chosen when the same upload came first. Who sends again after a broken line gets an answer for
    that, though a size, say, was deleted in another tab meanwhile.
    """
    digital = bool(data.is_digital)
    if before is None:
        spec, template = _of_catalog(using, user, data, digital=digital)
    else:
        spec, template = PrintSpec.model_validate(before["print_spec"]), before["destination"]["template"]
    return Choice(
        template_id=data.product_template_id,
        mockup_id=data.mockup_id,
        canvas_config_id=data.canvas_config_id,
        size_config_id=data.size_config_id,
        print_spec=spec,
        destination=Destination(
            shop=user.shop_folder, template=template, starting_number=data.starting_name, digital=digital
        ),
        description=data.description,
        duplicates=data.duplicates,
    )


def _of_catalog(using: Resources, user: User, data: DesignData, *, digital: bool) -> tuple[PrintSpec, str]:
    """How the designs are printed, and the template's name."""
    with using.transaction() as connection:
        spec = print_choice(
            connection, user.id, data.product_template_id, data.canvas_config_id, data.size_config_id, digital=digital
        )
        template = Templates(connection, user.id).get(data.product_template_id)
        Mockups(connection, user, using.settings.nas_base_path).get(data.mockup_id)
    return spec, template.name


def wanted_by(using: Resources, user: User, data: ProductData) -> Wanted:
    """What listings of this template with this mockup group are made of, and where they go."""
    with using.transaction() as connection:
        template, backgrounds = listing_choice(connection, user.id, data.product_template_id, data.mockup_id)
    return Wanted(user.shop_folder, template, data.mockup_id, backgrounds, using.shop.target_of(user))
