# SPDX-License-Identifier: GPL-2.0-or-later
"""Nonces: ours, for a time, each count once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

from amiproxy.threads.web.nonces import Nonces


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_nonce_is_fresh_for_its_time() -> None:
    """Then its client gets another one."""
    clock = Clock()
    nonces = Nonces(clock=clock, life=300)
    nonce = nonces.make()

    assert nonces.is_fresh(nonce)
    clock.now += 299
    assert nonces.is_fresh(nonce)
    clock.now += 1
    assert not nonces.is_fresh(nonce)


def test_only_ours_are_fresh() -> None:
    """Neither those of another process nor changed ones, nor noise."""
    nonces = Nonces()
    nonce = nonces.make()

    assert nonces.make() != nonce
    assert not nonces.is_fresh(Nonces().make())
    for at in range(len(nonce)):
        changed = "0" if nonce[at] != "0" else "1"
        assert not nonces.is_fresh(nonce[:at] + changed + nonce[at + 1 :])
    for noise in (
        "",
        "x",
        nonce[:-1],
        nonce + "0",
        nonce.upper(),
        "\xff" * 64,
        nonce[:32] + "\xe4" * 32,
    ):
        assert noise == nonce or not nonces.is_fresh(noise)


def test_each_count_is_good_once() -> None:
    """In whatever order they come, but not too late: a request that was heard is of no use."""
    nonces = Nonces()
    nonce = nonces.make()
    counts = list(range(1, 60))
    random.Random(3).shuffle(counts)

    assert all(nonces.use(nonce, count) for count in counts)
    assert not any(nonces.use(nonce, count) for count in range(60))
    assert nonces.use(nonce, 1000)
    assert not nonces.use(nonce, 900)
    assert nonces.use(nonce, 0xFFFFFFFF)
    assert not nonces.use(nonce, 0)
    assert nonces.use(nonces.make(), 1)


def test_of_many_at_once_one_is_let_in() -> None:
    """By however many threads."""
    nonces = Nonces()
    nonce = nonces.make()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: nonces.use(nonce, 1), range(100))) == 1


def test_what_was_forgotten_is_over() -> None:
    """The table is bounded; who is forgotten, and all that are older, need a new nonce."""
    clock = Clock()
    nonces = Nonces(clock=clock, most=3)
    old = nonces.make()
    made = []
    for _ in range(4):
        clock.now += 1
        made.append(nonces.make())
        assert nonces.use(made[-1], 1)
    clock.now += 1

    assert not nonces.is_fresh(made[0])
    assert not nonces.use(made[0], 1)
    assert not nonces.is_fresh(old)
    assert all(map(nonces.is_fresh, made[1:]))
    assert nonces.use(made[1], 2)
    assert nonces.is_fresh(nonces.make())


def test_a_nonce_does_not_tell_how_long_the_machine_runs() -> None:
    """Its time begins with the proxy."""
    clock = Clock()

    assert Nonces(clock=clock).make().startswith("0" * 16)
