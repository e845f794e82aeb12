"""Indexes on a cluster, in a process of its own; the order is a JSON argument, what happens is JSON lines."""

import json
import os
import sys

import ray_encoders
from fakes import WordEncoder

from index import ray_indexing
from index.config import IndexSettings
from index.errors import KabarError
from index.ray_session import Installation, connect
from index.update import sync


def main() -> None:
    order = json.loads(sys.argv[1])
    ray_indexing._FILES = 2  # lots enough for few articles
    if order.get("pretend"):
        ray_indexing.installation = lambda: Installation(order["pretend"], "0" * 12)
    settings = IndexSettings.model_validate(order["settings"])
    if order.get("workers_path"):
        import ray

        os.chdir("/")  # Ray lets workers look in the folder where their driver is
        ray.init(order["address"], runtime_env={"env_vars": {"PYTHONPATH": order["workers_path"]}})
    try:
        with connect(order["address"]):
            ahead = ray_indexing.ahead_on_ray(settings, open_encoder=getattr(ray_encoders, order["encoder"]))
            report = sync(config=settings, encoder=WordEncoder(), ahead=ahead, progress=show)
    except KabarError as error:
        tell({"error": type(error).__name__, "line": str(error)})
    else:
        tell({"report": report.model_dump(mode="json")})


def show(progress) -> None:
    tell({"files": progress.files})


def tell(said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
