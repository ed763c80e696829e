"""Write the data dictionary into datasets/README.md and datasets/schema.json.

Run it after changing a table, a column or the name of a coded value:

    python scripts/data_dictionary.py
"""

from __future__ import annotations

from pathlib import Path

from playbook.book.dictionary import filled, schema_json

DATASETS = Path(__file__).resolve().parents[1] / "datasets"


def main() -> None:
    """Rewrite both files; nothing else in them changes."""
    page = DATASETS / "README.md"
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    (DATASETS / "schema.json").write_text(schema_json(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
