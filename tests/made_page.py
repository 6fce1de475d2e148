"""A made-up page with something of everything that a page can show."""

from made_records import ARTIFACTS, TABLES, beside, published, record, score, store

from bench.leaderboard.composite import Composite
from bench.leaderboard.leaderboard import Options
from bench.leaderboard.published import Publication
from bench.leaderboard.write import write_all

NASTY = "<img src=x onerror=alert(1)>"
GENERATORS = {"beta": 10.5, "alpha": 9.5, "gamma": 100.0, NASTY: 50.0}
SOURCE = "a table of 2024"


def made_page(folder):
    """Gives the page's path.

    Two backbones with a control, composite columns and a reported row; truncations on a third.
    """
    for backbone in ("trained", "untrained"):
        for name, fid in GENERATORS.items():
            store(folder, *_records(name, fid, backbone))
        store(folder, *_records("blur", 80.0, backbone, config={"control": True}))
    for psi in (0.5, 0.7, 1.0):
        store(folder, *_records("delta", 30.0 / psi, "wide", config={"psi": psi}))
    for path in (folder / "runs").rglob("*.json"):
        beside(path.parent, **TABLES)
    options = Options(Composite(borda=True, normalise="minmax"), _publication())
    write_all(folder, folder / "leaderboards", "demo", True, options)
    return folder / "leaderboards" / "demo.html"


def _records(name, fid, backbone, **changes):
    shift = 1.3 if backbone == "untrained" else 1.0
    both = {"precision": 1 - fid / 200 / shift, "recall": 5 / fid * shift}
    shares = {
        key: score(value, "higher", interval=[value * 0.95, value * 1.05])
        for key, value in both.items()
    }
    bar = score(fid * shift, interval=[fid * shift - 1, fid * shift + 1], standard_error=0.5)
    beside = {"artifacts": ARTIFACTS}
    return (
        record(name, "fid", {"fid": bar}, backbone=backbone, **beside, **changes),
        record(name, "precision_recall", shares, backbone=backbone, **changes),
    )


def _publication():
    value = published("alpha", backbone="trained", model="AlphaGAN", printed="9.90", source=SOURCE)
    return Publication({("alpha", "fid", "fid"): [value]}, {})
