"""The example of docs/leaderboard.md runs, without torch, and prints the demo's FIDs."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_example_of_the_docs_runs_without_torch():
    text = (ROOT / "docs" / "leaderboard.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    script = f"{example}\nimport sys\nassert 'torch' not in sys.modules"
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = ended.stdout.splitlines()
    assert lines[0].split() == ["backbone", "efficientnet_lite0", "resnet18_random"]
    assert [len(word) for word in lines[1].split()] == [len("comparison_key"), 64, 64]
    assert {line.split()[0] for line in lines[3:]} == {
        *("dcgan_digits", "dcgan_digits_conditional", "dcgan_digits_early")
    }


def test_every_record_that_the_docs_name_is_there():
    texts = [path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))]
    named = {name for text in texts for name in re.findall(r"results/runs/[\w/.-]+\.json", text)}
    assert named and not [name for name in named if not (ROOT / name).is_file()]
