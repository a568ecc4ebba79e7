"""Le tableau des mesures, en petit : toutes ses lignes sont là et leurs nombres sont finis. Aucun seuil."""

import json
import math
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_row_is_there_and_finite(tmp_path):
    command = [sys.executable, "-m", "benchmarks", "--rapide", "--json", tmp_path / "m.json", "--figures", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=150)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["rows"]
    expected = {"arriver au but", "un pas complet", "400 époques", "iris, 10 époques"}
    expected |= {"relu_plot --liste"}
    assert expected <= {row["what"] for row in rows}
    for row in rows:
        numbers = [row["ours_s"], row["peer_s"], row["ratio"], *row["spread"]]
        assert all(math.isfinite(number) and number > 0 for number in numbers), row
        assert row["spread"][0] <= row["ratio"] <= row["spread"][1]
    goal = {(row["size"], row["peer"]) for row in rows if row["what"] == "arriver au but"}
    assert len(goal) == 2 * 7, "sept façons d'arriver au but, à deux tailles"
    assert {path.name for path in tmp_path.glob("*.png")} == {"benchmarks-temps.png", "benchmarks-rapports.png"}
