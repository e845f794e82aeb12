"""What is counted while kabar serves."""

import pytest
from scripted import scripted_answer

from ui.errors import LimitError
from ui.fair_queue import FairQueue, Waiting
from ui.metrics import Metrics


def test_metrics_count_what_is_asked(doors):
    def figures() -> dict[str, float]:
        lines = doors.client.get("/metrics").text.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}

    before = figures()
    doors.client.post("/api/ask", json={"question": "when will Blinken arrive?"})
    doors.client.post("/api/ask", json={"question": "Who won the World Cup?"})
    doors.client.post("/api/ask", json={"question": "broken"})
    after = figures()

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    for outcome in ("answered", "refused", "failed"):
        assert grown(f'kabar_questions_total{{door="api",outcome="{outcome}"}}') == 1
    assert grown('kabar_answer_seconds_count{door="api"}') == 2
    assert grown("kabar_queue_seconds_count") == 2
    assert grown('kabar_http_requests_total{part="api",status="200"}') == 2
    assert after["kabar_index_articles"] == 3
    assert after["kabar_index_bytes"] > 1000
    assert after["kabar_index_age_seconds"] >= 0
    assert after["kabar_queue_waiting"] == after["kabar_queue_served"] == 0


def told(metrics: Metrics) -> dict[str, float]:
    lines = metrics.text().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def events(*given, error=None):
    yield from given
    if error:
        raise error


def test_steps_and_waits_are_timed():
    metrics = Metrics()
    answer = scripted_answer("when?", timings={"retrieve": 0.02, "read": 0.3})
    assert list(metrics.watch(events(Waiting(1), answer), "page")) == [Waiting(1), answer]
    found = told(metrics)
    assert found['kabar_step_seconds_bucket{le="0.025",step="retrieve"}'] == 1
    assert found['kabar_step_seconds_sum{step="read"}'] == 0.3
    assert found["kabar_queue_seconds_count"] == 1


@pytest.mark.parametrize(
    ("error", "outcome"), [(LimitError("later", 5), "limited"), (ValueError("secret"), "failed"), (None, "left")]
)
def test_what_comes_of_a_question(error, outcome):
    metrics = Metrics()
    watched = metrics.watch(events(Waiting(1), error=error), "mcp")
    next(watched)
    if error:
        with pytest.raises(type(error)):
            next(watched)
    else:
        watched.close()
    assert told(metrics)[f'kabar_questions_total{{door="mcp",outcome="{outcome}"}}'] == 1


def test_without_an_index_there_is_nothing_to_tell_of_it(tmp_path):
    metrics = Metrics()
    metrics.observe(FairQueue(), tmp_path / "nothing")
    assert not any(name.startswith("kabar_index") for name in told(metrics))
