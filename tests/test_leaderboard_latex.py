"""The LaTeX tables: they compile, nothing in a name acts on them, and they say what is sure."""

import re
import shutil
import subprocess

import pytest
from made_records import published, record, score, store

from bench.leaderboard.composite import Composite
from bench.leaderboard.latex_text import escaped
from bench.leaderboard.leaderboard import Options
from bench.leaderboard.published import Publication
from bench.leaderboard.write import write_all

NASTY = (
    r"\input{/etc/passwd}",
    "100% & $x^2_1$ #~",
    "<script>alert(1)</script>",
    "../../etc",
    "[0pt] two\nlines",
    "*best|`'\"",
    "élan 中文 þ",
    r"\end{tabular}}",
)
COMMANDS = {
    *("begin", "end", "centering", "caption", "label", "resizebox", "ifdim", "width", "linewidth"),
    *("else", "fi", "toprule", "midrule", "bottomrule", "textbf", "underline", "textsubscript"),
    *("textsuperscript", "dagger", "cdot", "downarrow", "uparrow", "pm", "par", "smallskip"),
    *("footnotesize", "textbackslash", "textasciitilde", "textasciicircum", "textless"),
    *(
        "textgreater",
        "textbar",
        "textquoteleft",
        "textquotedblright",
        "raggedright",
        "medskip",
        "addlinespace",
    ),
}
DOCUMENT = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\begin{document}
\input{demo.tex}
\end{document}
"""


def tables(tmp_path, *records, options=None):
    store(tmp_path, *records)
    write_all(tmp_path, tmp_path / "out", "demo", False, options)
    return (tmp_path / "out" / "demo.tex").read_text()


def nasty(tmp_path):
    kid = score(-0.5, standard_error=0.1, interval=[-0.7, -0.3])
    value = published("gap", metric="kid", model="50%_{GAN}", source=r"a \table & $more#")
    publication = Publication({("gap", "kid", "kid"): [value]}, {})
    undefined = score(None, undefined="50% of $x_1$ are NaN \\ {")
    return tables(
        tmp_path,
        *(record(name, "kid", {"kid": kid}) for name in NASTY),
        record("gap", "kid", {"kid": undefined}),
        record("control_&", "kid", {"kid": kid}, config={"control": True}),
        options=Options(Composite(borda=True, normalise="zscore"), publication),
    )


def syntax_errors(text):
    """Unbalanced braces and environments, foreign commands, columns that do not match the head."""
    text = re.sub(r"(?m)(?<!\\)%.*$", "", text)
    bare = text.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    found = {f"\\{name}" for name in re.findall(r"\\([a-zA-Z]+)", bare)} - {
        f"\\{name}" for name in COMMANDS
    }
    depth = 0
    for sign in bare:
        depth += (sign == "{") - (sign == "}")
        if depth < 0:
            return found | {"a brace too many"}
    if depth or open_environments(bare):
        found.add("something is open")
    parts = re.sub(r"\\[$%&#_]|\\label{[^}]*}", "", bare).split(
        "$"
    )  # every second one is in mathematics
    if len(parts) % 2 == 0:
        found.add("mathematics is open")
    found |= {f"a bare {sign}" for part in parts[::2] for sign in "#^_~" if sign in part}
    for tabular in re.findall(r"\\begin{tabular}{(l?r*)}(.*?)\\end{tabular}", text, re.DOTALL):
        rows = [line for line in tabular[1].splitlines() if line.endswith(r" \\")]
        if len(tabular[0]) > 7:
            found.add("too wide to read")
        if {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} != {len(tabular[0])}:
            found.add("columns")
    return found


def open_environments(text):
    """What is begun and not ended, or ended out of turn."""
    stack = []
    for word, name in re.findall(r"\\(begin|end){([a-z]+)}", text):
        if word == "begin":
            stack.append(name)
        elif not stack or stack.pop() != name:
            return [name]
    return stack


def test_no_name_acts_on_the_tables(tmp_path):
    text = nasty(tmp_path)
    assert syntax_errors(text) == set()
    assert "U+4E2D" in text and "U+00FE" in text and "élan" in text
    assert text.count("\n") == len(text.splitlines())


def test_the_check_itself_finds_what_is_wrong(tmp_path):
    text = nasty(tmp_path)
    faults = (
        *((r"\_", "_"), (r"\#", "#"), (r"\%", "%"), (r"\$", "$"), (r"\textbf{", r"\input{")),
        *((" & ", r" \& "), (" & ", " & & "), (r"\end{tabular}", r"\end{table}"), ("}\n", "\n")),
    )
    for good, bad in faults:
        assert good in text and syntax_errors(text.replace(good, bad, 1)), (good, bad)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_the_tables_compile(tmp_path):
    nasty(tmp_path)
    compiled(tmp_path)


def compiled(tmp_path):
    (tmp_path / "out" / "paper.tex").write_text(DOCUMENT)
    command = ["pdflatex", "-draftmode", "-interaction=nonstopmode", "-halt-on-error", "paper"]
    ended = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-2000:]


def test_best_second_errors_and_ranks(tmp_path):
    values = {"a": 1.0, "b": 1.1, "c": 5.0}
    kid = {name: score(value, standard_error=0.1) for name, value in values.items()}
    text = tables(tmp_path, *(record(name, "kid", {"kid": one}) for name, one in kid.items()))
    assert r"a & 1.33\textsuperscript" not in text
    assert r"\textbf{1.000} $\pm$ 0.10\textsuperscript{1--2}" in text
    assert r"\underline{1.100} $\pm$ 0.10\textsuperscript{$\dagger$ 1--2}" in text
    assert r"5.000 $\pm$ 0.10\textsuperscript{3}" in text


def wide(tmp_path):
    scores = {f"score_{at:02}": score(at + 1.0) for at in range(14)}
    return tables(tmp_path, record("a", "many", scores), record("b", "many", scores))


def test_a_wide_table_is_stacked_and_every_column_is_in_it_once(tmp_path):
    text = wide(tmp_path)
    assert syntax_errors(text) == set()
    assert text.count(r"\begin{tabular}{l") == 3  # the mean rank and 14 scores, six at a time
    assert text.count("Generator & ") == 3 and text.count("Mean rank") == 1
    for at in range(14):
        assert text.count(rf"many.score\_{at:02} ") == 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_a_wide_table_compiles(tmp_path):
    wide(tmp_path)
    compiled(tmp_path)


def test_an_interval_is_a_subscript_and_a_minus_is_no_hyphen(tmp_path):
    one = score(-0.5, interval=[-0.75, -0.25])
    text = tables(tmp_path, record("a", "kid", {"kid": one}))
    assert r"\textbf{$-$0.5000}\textsubscript{[$-$0.7500, $-$0.2500]}" in text


def test_the_caption_says_where_the_numbers_are_from(tmp_path):
    text = tables(tmp_path, record())
    (caption,) = re.findall(r"\\caption{(.*)}", text)
    for part in ("dataset digits ffffffff", "N real 90", "1 records", "cccccccc", "torch 2.14.1"):
        assert part in caption


@pytest.mark.parametrize(
    ("name", "source"),
    [("a_b", r"a\_b"), ("50%", r"50\%"), ("a\nb", "a b"), ("--", "-{}-{}"), ("[x]", "{[}x]")],
)
def test_names_are_escaped(name, source):
    assert escaped(name) == source
