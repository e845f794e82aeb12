"""A Ray cluster of three node processes, for tests: prints its address and its nodes, then obeys standard input.

"kill NODE" kills the processes of a node, as a power cut would; "add" adds one; anything else ends it.
"""

import json
import sys

from ray.cluster_utils import Cluster

NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args=NODE)
    nodes = [cluster.add_node(**NODE) for _ in range(2)]
    try:
        tell({"address": cluster.address, "nodes": [node.node_id for node in nodes]})
        for line in sys.stdin:
            command, _, name = line.strip().partition(" ")
            if command == "kill":
                node = next(node for node in nodes if node.node_id == name)
                cluster.remove_node(node, allow_graceful=False)
            elif command == "add":
                node = cluster.add_node(**NODE)
                nodes.append(node)
            else:
                break
            tell({"node": node.node_id})
    finally:
        cluster.shutdown()


def tell(said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
