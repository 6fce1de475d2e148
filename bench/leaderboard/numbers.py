"""The one rule by which the tables write numbers."""

VALUE_DIGITS = 4
ERROR_DIGITS = 2
RANK_DIGITS = 3


def number(value: float, digits: int = VALUE_DIGITS) -> str:
    """The value rounded to this many significant digits.

    Written out between 1e-4 and 1e7, in powers of ten beyond; the same under every locale.
    """
    text = f"{value:.{digits - 1}e}"
    exponent = int(text.partition("e")[2])
    if value == 0:
        return "0"
    if not -4 <= exponent < 7:
        return text
    return f"{float(text):.{max(0, digits - 1 - exponent)}f}"
