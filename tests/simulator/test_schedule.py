# SPDX-License-Identifier: GPL-2.0-or-later
"""Schedule: functions run at their time, in one thread."""

from __future__ import annotations

import threading

from simulator.schedule import Schedule


def test_functions_run_in_the_order_of_their_times() -> None:
    """Whatever the order in which they were planned."""
    schedule, ran, done = Schedule(), [], threading.Event()
    schedule.plan(0.1, lambda: ran.append("late"))
    schedule.plan(0.0, lambda: ran.append("early"))
    schedule.plan(0.1, done.set)  # after "late", however long it took to get here

    assert done.wait(10)
    schedule.stop()

    assert ran == ["early", "late"]


def test_a_function_may_plan_another() -> None:
    """From the schedule's own thread."""
    schedule, done = Schedule(), threading.Event()
    schedule.plan(0.0, lambda: schedule.plan(0.0, done.set))

    assert done.wait(10)
    schedule.stop()


def test_nothing_runs_between_stop_and_start() -> None:
    """``stop`` drops what is not yet due and what is planned after it."""
    schedule, ran, done = Schedule(), [], threading.Event()
    schedule.plan(60.0, lambda: ran.append("dropped"))
    schedule.stop()
    schedule.plan(0.0, lambda: ran.append("ignored"))
    schedule.start()
    schedule.plan(0.0, done.set)

    assert done.wait(10)
    schedule.stop()

    assert ran == []
