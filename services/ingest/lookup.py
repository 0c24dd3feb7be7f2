"""What a call names (a template, a mockup, a canvas, a size), looked up in the catalog of whoever calls."""

from dataclasses import dataclass

from services.ingest.api.resources import Resources
from services.ingest.api.sessions import Catalog, DesignData, ProductData
from services.ingest.catalog.choices import listing_choice, print_choice
from services.ingest.catalog.mockups import Mockups
from services.ingest.catalog.templates import Templates
from services.ingest.catalog.users import User
from services.ingest.sessions.lifecycle.records import Choice, Wanted
from shared.contracts import Destination


@dataclass(frozen=True)
class Lookup:
    """The catalog, as the upload calls ask it."""

    resources: Resources

    def catalog(self) -> Catalog:
        return Catalog(self.choose, self.group)

    def choose(self, user: User, data: DesignData) -> Choice:
        """The user's own template, mockups, canvas and size, as one choice."""
        digital = bool(data.is_digital)
        with self.resources.transaction() as connection:
            spec = print_choice(
                connection, user.id, data.product_template_id, data.canvas_config_id, data.size_config_id, digital
            )
            template = Templates(connection, user.id).get(data.product_template_id)
            Mockups(connection, user, self.resources.settings.nas_base_path).get(data.mockup_id)
        return Choice(
            template_id=data.product_template_id,
            mockup_id=data.mockup_id,
            canvas_config_id=data.canvas_config_id,
            size_config_id=data.size_config_id,
            print_spec=spec,
            destination=Destination(
                shop=user.shop_folder, template=template.name, starting_number=data.starting_name, digital=digital
            ),
            description=data.description,
            duplicates=data.duplicates,
        )

    def group(self, user: User, data: ProductData) -> Wanted:
        """What listings of this template with this mockup group are made of, and where they go."""
        with self.resources.transaction() as connection:
            template, backgrounds = listing_choice(connection, user.id, data.product_template_id, data.mockup_id)
        target = self.resources.shop.target_of(user)
        return Wanted(user.shop_folder, template, data.mockup_id, backgrounds, target)
