r"""Text and numbers as LaTeX prints them, with nothing in them that it would act on.

For pdfLaTeX with the old font encoding and its fonts alone, as for the newer engines: letters of
Latin-1 stay, other characters that a plain document cannot print are spelt out: [U+4E2D].
"""

SIGNS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textquoteleft{}",
    '"': r"\textquotedblright{}",
    "-": "-{}",  # two of them are no dash
    "[": "{[}",  # not an option of the line break before it
    "*": "{*}",
    "·": r"$\cdot$",
    "±": r"$\pm$",
    "×": r"$\times$",  # noqa: RUF001
    "−": "$-$",  # noqa: RUF001
    "–": "--",  # noqa: RUF001
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "†": r"$\dagger$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
} | {sign: f"\\{sign}" for sign in "{}#$%&_"}
NOT_IN_OLD_FONTS = "ÐðÞþ÷"


def escaped(text: str) -> str:
    """The text on one line, as LaTeX source."""
    return "".join(map(_sign, " ".join(text.split())))


def comment(text: str) -> str:
    """One line of the source that is not printed."""
    return f"% {' '.join(text.split())}"


def _sign(sign: str) -> str:
    if sign in SIGNS:
        return SIGNS[sign]
    if " " <= sign <= "\x7e" or ("À" <= sign <= "ÿ" and sign not in NOT_IN_OLD_FONTS):
        return sign
    return f"{{[}}U+{ord(sign):04X}]"
