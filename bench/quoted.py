"""A value as Hydra's override grammar takes it, whatever characters it holds."""


def quoted(value: object) -> str:
    """In single quotes, with quotes and backslashes escaped."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
