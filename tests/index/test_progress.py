import random

import pytest

from index.progress import Estimate, bar
from index.update import Progress


@pytest.mark.parametrize("seed", range(5))
def test_the_estimate_is_right_within_a_fifth_for_files_of_very_different_lengths(seed: int) -> None:
    """100,000 files, most short and some a hundred times as long; time goes with length, in lots and with noise."""
    chance = random.Random(seed)
    sizes = [int(chance.lognormvariate(8, 1)) + 100 for _ in range(100_000)]
    # The long ones come first: an estimate that counts files would be wrong by far.
    sizes.sort(key=lambda size: size * chance.uniform(0.2, 1), reverse=True)
    estimate, now, done, waiting, total = Estimate(), 3.0, 0, 0, sum(sizes)
    seen: list[tuple[float, float, float]] = []
    for size in sizes:
        waiting += size
        if waiting > 200_000:
            now += waiting / 15_000 * chance.uniform(0.8, 1.2)
            done += waiting
            waiting = 0
            estimate.update(now, done)
            if (left := estimate.seconds_left(total - done)) is not None:
                seen.append((done / total, now, left))
    for share in (0.05, 0.25, 0.5, 0.75):
        _, then, left = next(one for one in seen if one[0] >= share)
        assert left == pytest.approx(now - then, rel=0.2)


def test_what_an_earlier_run_had_done_does_not_mislead_for_long() -> None:
    estimate = Estimate()
    for second in range(10):
        estimate.update(second, second * 1_000_000)
    for second in range(1, 40):
        estimate.update(10 + second, 9_000_000 + second * 1_000)
    assert estimate.seconds_left(100_000) == pytest.approx(100, rel=0.2)


def test_nothing_is_known_at_first() -> None:
    estimate = Estimate()
    assert estimate.seconds_left(10) is None
    estimate.update(1.0, 0)
    assert estimate.seconds_left(10) is None


def test_the_bar_can_be_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with bar() as show:
        show(Progress(0, 2, 0, 0, 100))
        show(Progress(1, 2, 7, 50, 100))
    assert capsys.readouterr().out == ""
