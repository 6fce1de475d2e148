"""Names in CSV files, so that a spreadsheet shows them and runs none of them."""

import re
from typing import Any

FORMULA = re.compile(r"'*[=+\-@\t\r]")  # what a spreadsheet would run or swallow, or it shielded


def spreadsheet_safe(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets a leading apostrophe."""
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def as_it_was(text: Any) -> Any:
    """What `spreadsheet_safe` was given."""
    shielded = isinstance(text, str) and text.startswith("'") and FORMULA.match(text)
    return text[1:] if shielded else text
