"""What the command line refuses before Hydra sees it."""

import pytest

from bench.errors import ConfigError
from bench.overrides import check_words, choices_in, flags_first, user_folders


@pytest.mark.parametrize(
    "word",
    [
        "dataset=../../outside",
        "metrics=[fid,../../../outside/x]",
        "backbone=[/etc/passwd]",
        "dataset@generator.source=../x",
        "experiment=a/b",
        "hydra/launcher=../../x",
    ],
)
def test_a_choice_cannot_climb_out_of_conf(word):
    with pytest.raises(ConfigError, match="plain name"):
        check_words([word])


def test_a_path_value_of_a_key_is_no_choice():
    check_words(["generator.path=../samples", "paths.results=/tmp/x"])


def test_a_list_may_not_name_one_choice_twice():
    with pytest.raises(ConfigError, match="twice"):
        check_words(["backbone=[inception,inception]"])
    check_words(["backbone=[inception],[inception,timm]"])


@pytest.mark.parametrize("word", ["wandb.api_key=1", "+tracking.token=1", "tracking.password=x"])
def test_secrets_are_refused(word):
    with pytest.raises(ConfigError, match="use the environment"):
        check_words([word])


@pytest.mark.parametrize("word", ["--config-name=other", "-cn", "--config-path=/x"])
def test_another_config_is_refused(word):
    with pytest.raises(ConfigError, match="one config"):
        check_words([word])


@pytest.mark.parametrize("value", ["x", "${dataset.name}", "job.num"])
def test_jobs_that_could_share_a_folder_are_refused(value):
    with pytest.raises(ConfigError, match=r"end it with /\$\{hydra.job.num\}"):
        check_words([f"hydra.sweep.subdir={value}"])


def test_a_folder_of_its_own_for_each_job_is_taken():
    check_words(["hydra.sweep.subdir=${dataset.name}/${hydra.job.num}"])
    check_words(["hydra.sweep.subdir=${hydra:job.override_dirname}"])


def test_a_wrong_name_in_a_list_is_met_with_the_right_ones():
    with pytest.raises(ConfigError, match=r"did you mean fid\?.*kid"):
        check_words(["metrics=[fidd,kid]"])


def test_a_users_own_folder_adds_choices(tmp_path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "mine.yaml").write_text("")
    check_words(["dataset=mine", "--config-dir", str(tmp_path)])
    check_words([f"--config-dir={tmp_path}", "dataset=mine"])
    with pytest.raises(ConfigError, match="mine"):
        check_words(["dataset=mine"])


def test_a_users_folder_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match="nowhere"):
        user_folders(["--config-dir=nowhere"])


@pytest.mark.parametrize(
    "words", [["dataset=digits", "dataset=cifar10"], ["generator=holdout,holdout"]]
)
def test_a_choice_made_twice_is_refused(words):
    with pytest.raises(ConfigError, match="twice"):
        check_words(words)


@pytest.mark.parametrize(
    "word",
    [
        "+hydra.callbacks.x._target_=shutil.copy",
        "+hydra.job_logging.handlers.x={class: logging.FileHandler}",
        "hydra.launcher._target_=os.system",
        "dataset=choice('../../evil',digits)",
        "paths.results=",
        "dataset=",
        "+tracking.x={api_key: 1}",
    ],
)
def test_what_could_run_code_leak_or_mislead_is_refused(word):
    with pytest.raises(ConfigError):
        check_words([word])


def test_flags_are_moved_to_the_front_with_their_values():
    words = ["dataset=digits", "-m", "--config-dir", "mine", "generator=a,b"]
    expected = ["-m", "--config-dir", "mine", "dataset=digits", "generator=a,b"]
    assert flags_first(words) == expected


@pytest.mark.parametrize(
    ("value", "choices"),
    [("a", ["a"]), ("a,b", ["a", "b"]), ("[a,b],[c]", ["a", "b", "c"]), ("null", []), ("", [])],
)
def test_choices_are_read_from_every_form(value, choices):
    assert choices_in(value) == choices
