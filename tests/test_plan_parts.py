"""What a plan leaves out, lists as absent, and gives to several jobs at once."""

import pytest

from bench.composed import composed
from bench.errors import ConfigError
from bench.estimate import estimate
from bench.place import Place
from bench.plan import plan
from bench.pool import Pool
from bench.settings import resolve_device
from bench.shared_work import with_shared_work
from bench.slurm import Slurm
from bench.sweep_words import split_words

SMALL = [
    *("dataset=digits", "backbone=[efficientnet_lite0]", "metrics=[fid]"),
    *("protocol.num_real=60", "protocol.num_fake=50"),
]


def planned(*words, place=None):
    fixed, swept = split_words(words)
    return plan(composed("sweep", fixed, hydra_node=True), fixed, swept, place)


def test_an_exclude_list_leaves_out_the_jobs_that_match_all_its_keys():
    entry = "exclude=[{generator:[blur,noise],seed:1},{dataset:digits,generator:jpeg}]"
    jobs = planned(*SMALL, "generator=blur,noise,jpeg", "seed=0,1", entry)
    assert [job.words for job in jobs] == [
        ["generator=blur", "seed=0"],
        ["generator=noise", "seed=0"],
    ]


@pytest.mark.parametrize("entry", ["[{generator:blurr}]", "[{generator:blur,dataset:ffhq}]"])
def test_an_entry_that_matches_no_job_is_refused(entry):
    with pytest.raises(ConfigError, match="matches no job"):
        planned(*SMALL, "generator=blur,jpeg", f"exclude={entry}")


@pytest.mark.parametrize("entry", ["blur", "[blur]", "[{}]"])
def test_an_exclude_of_another_form_is_refused(entry):
    with pytest.raises(ConfigError, match="expected a list of mappings"):
        planned(*SMALL, "generator=blur,jpeg", f"exclude={entry}")


def test_real_features_that_two_jobs_need_are_a_job_of_an_earlier_stage():
    jobs = with_shared_work(planned(*SMALL, "generator=blur,jpeg"), 2)
    assert [(job.verb, job.stage) for job in jobs] == [
        *[("extract", 0), ("extract", 0), ("score", 1), ("score", 1)],
    ]
    assert jobs[1].command[-2:] == ["side=real", "shard=1/2"]
    assert len({job.key for job in jobs}) == 4
    assert [job.verb for job in with_shared_work(planned(*SMALL, "generator=blur"), 1)] == ["score"]


def test_held_out_features_that_two_jobs_need_are_made_once_too():
    words = ["metrics=[fid,data_copying]", *(w for w in SMALL if not w.startswith("metrics"))]
    jobs = with_shared_work(planned(*words, "generator=blur,jpeg"), 1)
    assert [job.command[-2] for job in jobs if job.verb == "extract"] == [
        *("side=real", "side=holdout"),
    ]
    told = estimate(planned(*words, "generator=blur,jpeg"))
    assert "1,060 images" in told  # 60 real, 900 held out, twice 50 fakes


def test_a_plan_for_other_nodes_takes_their_device_and_asks_this_machine_nothing():
    words = [*SMALL, "generator=dcgan_digits,holdout"]
    device = {place: planned(*words, place=place)[0].prepared for place in (None, Place("cuda"))}
    here, there = device.values()
    assert (here.device, there.device) == (resolve_device("auto"), "cuda")
    keys = [[m.key for m in job.measurements] for job in (here, there)]
    assert (keys[0] != keys[1]) == (here.device != "cuda")  # a live generator's are the device's


@pytest.mark.parametrize("word", ["device=cuda", "precision=tf32", "precision=fp16"])
def test_what_only_the_nodes_have_is_no_failure_of_the_plan(word):
    (job,) = planned(*SMALL, "generator=blur", word, place=Place("cuda"))
    assert job.missing == 1 and not job.settled


def test_the_nodes_of_a_cluster_have_gpus_where_jobs_ask_for_some():
    assert Slurm().place == Place("cuda") and Slurm(gpus=0).place == Place("cpu")
    assert Pool().place == Place()


def test_an_estimate_counts_shared_images_once_and_says_when_no_rate_is_known():
    told = estimate(planned(*SMALL, "generator=blur,jpeg", "paths.results=none"))
    assert "160 images" in told and "unknown rate" in told  # 60 real ones, twice 50 fakes


def test_a_plan_lists_each_absent_thing_once_and_ends_well(salon):
    done = salon("sweep", "experiment=cifar10_studiogan", "plan=true", SALON_DATA="/nowhere")
    assert done.returncode == 0, done.stderr
    missing = done.stdout.split("missing:\n")[1]
    assert missing.count("CIFAR-10 is not in") == 1 and missing.count("salon fetch backbone=") == 4
    assert missing.count("/nowhere/samples/cifar10/") == 33
