"""Text of others for a terminal or a log: what would move the cursor or begin a line is spelt."""


def printable(text: str) -> str:
    r"""The text in one line: control and other unseen characters as escapes, such as \x1b and \n.

    Names and reasons come from records, reports and file names that anybody may have written; raw,
    they could clear the screen or forge a line of ours.
    """
    return text if text.isprintable() else "".join(map(_spelt, text))


def _spelt(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
