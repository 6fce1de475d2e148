"""The configs of a grid of jobs: each choice composed by Hydra once, not each combination.

Hydra merges yamls one after the other, so a choice changes its own part of the config whatever is
chosen elsewhere. Choices of one key are composed beside the first job's other words; a job's config
is the first job's with the parts of its own choices. Keys whose parts overlap (`generator` and
`generator.psi`) are composed together. Words that set a value (`seed=1`) need no composing at all.
Where this cannot be known to hold, Hydra composes each job.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, cast

from omegaconf import DictConfig, ListConfig, OmegaConf

from bench.composed import composed
from bench.config_folder import config_folder
from bench.errors import ConfigError
from bench.overrides import check_words, user_folders
from bench.set_values import sets_a_value, with_values

TIED = re.compile(r"^\s*-.*\$\{|defaults:.*\$\{", re.MULTILINE)
"""A defaults list that chooses by another choice."""

Choice = tuple[str, ...]
Plain = dict[str, Any]
ABSENT = object()


@dataclass
class Grid:
    """Jobs that differ in the values of the same keys.

    Attributes:
        fixed: words that all jobs have.
        jobs: the other words of each job, the same keys in the same order.
    """

    fixed: Sequence[str]
    jobs: Sequence[Sequence[str]]
    made: dict[Choice, Plain | ConfigError] = field(default_factory=dict)
    different: dict[Choice, set[str]] = field(default_factory=dict)
    nodes: dict[tuple[str, str], DictConfig | ListConfig] = field(default_factory=dict)

    def config(self, words: Sequence[str]) -> DictConfig:
        """The config of one of the jobs, equal to Hydra's own.

        It is good until the next one is asked for: they share nodes, whose interpolations are
        resolved in the config that was made last.

        Raises:
            ConfigError: in one line, for whatever is wrong with the words.
        """
        whole = self._assembled(words) if self._factors else None
        if whole is None:
            return composed("score", [*self.fixed, *words])
        return self._as_config(whole)

    def _as_config(self, whole: Plain) -> DictConfig:
        """Made of nodes that are kept: to make them takes longest, and jobs share most of them."""
        config = OmegaConf.create()
        for key, value in whole.items():
            if not isinstance(value, dict | list):
                config[key] = value
                continue
            node = self._node(key, value)
            node._set_parent(config)
            config._content[key] = node  # type: ignore[index]
        OmegaConf.set_struct(config, True)  # as Hydra leaves it
        return config

    def _node(self, key: str, value: Any) -> DictConfig | ListConfig:
        told = (key, repr(value))
        if told not in self.nodes:
            self.nodes[told] = OmegaConf.create(value)
            self.nodes[told]._set_key(key)
        return self.nodes[told]

    def _assembled(self, words: Sequence[str]) -> Plain | None:
        """None where one of the choices fails beside the first job's: Hydra shall say why."""
        whole = dict(self._first)
        for keys in self._groups:
            choice, changed = self._with(keys, dict(enumerate(words))), self._changed_by(keys)
            part = self._made(choice)
            if isinstance(part, ConfigError) or not self._differs(choice) <= changed:
                return None
            _take(whole, part, changed)
        return whole

    @cached_property
    def _factors(self) -> bool:
        """Whether it is worth it, and known to hold: several keys, and no choices that are tied."""
        if len(self._base) < 2 or user_folders(self.fixed) or _choices_are_tied():
            return False
        distinct = sum(len(choices) for choices in self._choices)
        return distinct < len(self.jobs) and isinstance(self._made(self._base), dict)

    @cached_property
    def _base(self) -> Choice:
        return tuple(self.jobs[0]) if self.jobs else ()

    @cached_property
    def _choices(self) -> list[list[str]]:
        """Of every key, the words that give it a value."""
        return [list(dict.fromkeys(words)) for words in zip(*self.jobs, strict=True)]

    @property
    def _first(self) -> Plain:
        made = self._made(self._base)
        assert isinstance(made, dict)  # `_factors` has looked
        return made

    @cached_property
    def _changed(self) -> list[set[str]]:
        """Of every key, the top-level nodes that any of its values changes."""
        return [
            set().union(*(self._differs(self._with([k], {k: w})) for w in words))
            for k, words in enumerate(self._choices)
        ]

    @cached_property
    def _groups(self) -> list[list[int]]:
        """Keys that change a node in common are one group."""
        groups: list[list[int]] = []
        for key, changed in enumerate(self._changed):
            near = [g for g in groups if changed & self._changed_by(g)]
            groups = [g for g in groups if g not in near]
            groups.append(sorted([key, *(k for g in near for k in g)]))
        return groups

    def _changed_by(self, keys: Sequence[int]) -> set[str]:
        return set().union(*(self._changed[key] for key in keys))

    def _with(self, keys: Sequence[int], words: Mapping[int, str]) -> Choice:
        """The first job's words with those of some keys replaced."""
        return tuple(words[k] if k in keys else own for k, own in enumerate(self._base))

    def _made(self, words: Choice) -> Plain | ConfigError:
        if words not in self.made:
            try:
                self.made[words] = self._by_values(words) or self._composed(words)
            except ConfigError as error:
                self.made[words] = error
        return self.made[words]

    def _composed(self, words: Choice) -> Plain:
        return _plain(composed("score", [*self.fixed, *words]))

    def _by_values(self, words: Choice) -> Plain | None:
        """From the config of the same choices with the first job's values, where that is known."""
        near = tuple(
            own if own != word and self._only_sets_a_value(own, word, words) else word
            for own, word in zip(self._base, words, strict=True)
        )
        found = None if near == words else self._made(near)
        if not isinstance(found, dict):
            return None
        check_words(words)
        return with_values(found, [w for w, own in zip(words, near, strict=True) if w != own])

    def _only_sets_a_value(self, own: str, word: str, words: Choice) -> bool:
        """Whether a job's word and the first job's set one value, which no other word touches."""
        others = [*self.fixed, *(other for other in words if other != word)]
        return sets_a_value(own, others) and sets_a_value(word, others)

    def _differs(self, words: Choice) -> set[str]:
        """Top-level nodes that are not as in the first job; nothing where Hydra refuses."""
        if words not in self.different:
            mine, theirs = self._first, self._made(words)
            keys = () if isinstance(theirs, ConfigError) else mine | theirs
            self.different[words] = {k for k in keys if _shown(mine, k) != _shown(theirs, k)}
        return self.different[words]


def _plain(config: DictConfig) -> Plain:
    """Interpolations stay as they are."""
    return cast(Plain, OmegaConf.to_container(config))


def _shown(plain: Any, key: str) -> str:
    """With types and order: 1 is neither 1.0 nor True."""
    return repr(plain.get(key, ABSENT))


def _take(whole: Plain, part: Plain, keys: set[str]) -> None:
    """Top-level nodes, or their absence."""
    for key in keys:
        if key in part:
            whole[key] = part[key]
        else:
            whole.pop(key, None)


@cache
def _choices_are_tied() -> bool:
    """Whether some defaults list names another choice, so that two choices act together."""
    return any(TIED.search(file.read_text()) for file in config_folder().glob("*/*.yaml"))
