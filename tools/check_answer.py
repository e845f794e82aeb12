"""Check the JSON answer to "when will Blinken arrive?": the proof is quoted, to the character."""

import json
import sys
from pathlib import Path

ARTICLES = Path(__file__).resolve().parent.parent / "articles"


def main() -> None:
    """Exit with a message when something does not hold."""
    answer = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if not answer["citations"]:
        sys.exit(f"nothing is cited; the answer is: {answer['text']}")
    citation = answer["citations"][0]
    text = (ARTICLES / "blinken-korea-selatan.txt").read_bytes().decode("utf-8")
    if "Rabu depan" not in citation["quote"]:
        sys.exit(f"citations[0].quote does not hold 'Rabu depan': {citation['quote']}")
    if text[citation["start"] : citation["end"]] != citation["quote"]:
        sys.exit(f"characters {citation['start']} to {citation['end']} of the article are not the quotation")
    print(f"{answer['short']} [{citation['number']}] {citation['quote']}")


if __name__ == "__main__":
    main()
