"""Makes a Python that has this folder in PYTHONPATH one without kabar, wherever kabar is installed."""

import sys


class Hidden:
    """Finds nothing for the packages of kabar, and lets nobody else find anything."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in ("index", "qa", "ui"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hidden)
