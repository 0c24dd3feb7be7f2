"""Of which product an old design is, in an account that has very many of both."""

import time
from uuid import UUID

from services.legacy.designs import Products

MANY = 3000
CUPS, TEES, SAME = (UUID(int=MANY + n) for n in range(3))


def known() -> Products:
    products = Products()
    for template_id, name in ((CUPS, "UVDTF 16oz"), (TEES, "Café Größe"), (SAME, "uvdtf 16OZ")):
        products.add(template_id, name)
    return products


def test_a_product_is_told_by_its_folder_else_by_the_name_of_the_design() -> None:
    products = known()
    assert products.fitting("UVDTF 16oz", "rose.png", digital=False) == [CUPS, SAME]
    assert products.fitting("Elsewhere", "DTF 100 Café_Größe_100.png", digital=False) == []
    assert products.fitting(None, "DTF 100 Cafe\u0301_GRÖSSE_100.png", digital=False) == [TEES]
    assert products.fitting(None, "DTF 100 Café_Größe_100.png", digital=True) == []
    assert products.fitting(None, "DTF 100 Café_Größe_101.png", digital=False) == []
    assert products.fitting(None, "rose.png", digital=False) == []


def test_telling_it_takes_no_longer_the_more_products_there_are() -> None:
    products = known()
    for number in range(MANY):
        products.add(UUID(int=number), f"Cup {number}oz")
    before = time.process_time()
    for number in range(MANY):  # each beside each would be nine million comparisons
        assert products.fitting(None, f"UV 100 Cup_{number}oz_100.png", digital=False) == [UUID(int=number)]
        assert products.fitting(f"Cup {number}oz", "rose.png", digital=False) == [UUID(int=number)]
    assert time.process_time() - before < 1
