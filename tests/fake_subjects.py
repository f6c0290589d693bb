"""Subjects of the benchmark that take a known time, for its tests."""

import time


def quick(case):
    return lambda: time.sleep(0.004) or 0.0


def slow(case):
    return lambda: time.sleep(0.012) or 0.0


def picky(case):
    raise ValueError("takes nothing")


def broken(case):
    import os

    os._exit(3)
