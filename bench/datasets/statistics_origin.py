"""What Salon writes into a statistics file beside the arrays, so that a reader can trust it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import DatasetError
from bench.features import extraction_version
from bench.identity import last_bits

SCHEMA = 1
WITHOUT_EFFECT = {
    "logits_bias": "moves logits, not the features whose moments these are",
}
"""Entries of a backbone's identity that may differ, each with the reason."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How the moments were made.

    Attributes:
        moments: fingerprint of the arrays.
        dataset: {"name": ...} and the content of the reference rows.
        backbone_name: its yaml's name.
        backbone: its identity.
        extraction: version of the road from images to features.
        protocol: name of the protocol under which the rows were drawn.
        count: how many images.
        ddof: the covariances are divided by count - ddof.
    """

    moments: str
    dataset: dict[str, Any]
    backbone_name: str
    backbone: dict[str, Any]
    protocol: str
    count: int
    ddof: int
    extraction: int | str
    schema: int = SCHEMA

    @classmethod
    def read(cls, data: bytes, *, where: Path) -> "Origin":
        """From the bytes in a file.

        Raises:
            DatasetError: if they are no whole entry of this schema.
        """
        try:
            content = json.loads(data)
            known = content["schema"] == SCHEMA
            origin = _sound(cls(**content)) if known else None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DatasetError(
                f"{where}: its entry `salon` is damaged: {error}; write the file again."
            ) from error
        if origin is None:
            raise DatasetError(
                f"{where}: its entry `salon` has schema {content['schema']!r}, this version of "
                f"salon reads {SCHEMA}; write the file again."
            )
        return origin

    def encode(self) -> bytes:
        """As a file holds it: canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":")).encode()

    def entries(self) -> dict[str, Any]:
        """As a record holds it."""
        return asdict(self)

    def check_arrays(self, fingerprint: str, *, where: Path) -> None:
        """Refuse moments that were changed after they were written.

        Raises:
            DatasetError: if the fingerprints differ.
        """
        if fingerprint != self.moments:
            raise DatasetError(
                f"{where}: its moments are not those that salon wrote there; write the file again."
            )

    def check_backbone(self, name: str, identity: Mapping[str, Any], *, where: Path) -> None:
        """Refuse another network, other weights, another resize rule or another extraction.

        Raises:
            DatasetError: naming every setting that differs.
        """
        found = {**identity, "extraction": extraction_version(identity)}
        expected = {**self.backbone, "extraction": self.extraction}
        left_out = {*WITHOUT_EFFECT, *last_bits(identity)}
        different = [
            f"{key} {expected.get(key)} (here {found.get(key)})"
            for key in sorted(found.keys() | expected.keys())
            if key not in left_out and found.get(key) != expected.get(key)
        ]
        if different:
            raise DatasetError(
                f"{where} is of backbone {self.backbone_name} with {', '.join(different)}; make "
                f"backbone {name} the same, or write the statistics again."
            )


def _sound(origin: Origin) -> Origin:
    """Only what is reckoned with; the other fields are compared or shown."""
    if type(origin.count) is not int or not isinstance(origin.backbone, dict):
        raise ValueError(f"count is {origin.count!r}, backbone is {origin.backbone!r}")
    _refuse_unrecordable(origin.entries())
    return origin


def _refuse_unrecordable(entries: dict[str, Any]) -> None:
    """NaN and half characters, which JSON files can hold and records cannot."""
    json.dumps(entries, allow_nan=False, ensure_ascii=False).encode()
