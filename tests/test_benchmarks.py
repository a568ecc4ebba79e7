"""Les mesures, sans aucun seuil de durée : ce qu'on chronomètre fait bien le même travail que le TP."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch

import exercice1
import exercice3
from benchmarks import __main__ as bench
from benchmarks import scripts


def test_what_is_timed_does_the_work(monkeypatch):
    """Une boucle ne donne plus les pertes du TP, ou ce qu'on chronomètre (les pas comptés) finit au-dessus du but."""
    (inputs, *start), _ = bench.make_problem(1000, 1)
    runs = [exercice1.train, exercice1.train, bench.bare_numpy]
    for scale, rate in [(1, 0.01), (10, 1.5)]:
        views = [inputs / scale, bench.Divided(inputs, scale), inputs / scale]
        words = [(view, *start, rate, 50, 64, np.random.default_rng(0)) for view in views]
        ours, divided, bare = (run(*each) for run, each in zip(runs, words))
        np.testing.assert_allclose(divided[0], ours[0], rtol=1e-12)
        np.testing.assert_allclose(bare, ours[0], rtol=1e-9)

    losses = []
    for loop in (exercice3.train, bench.bare_pytorch):
        torch.manual_seed(0)
        model, loss_func = exercice3.RegressionModel(), torch.nn.MSELoss()
        x_data, y_data = exercice3.make_points(np.random.default_rng(0), 100, 0.8, "cpu")
        losses.append(loop(model, x_data, y_data, exercice3.make_optimizer(model, 0.05), loss_func, 30))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)

    timed = []

    def follow(call, steps):
        timed.append([np.append(*parameters) for parameters in steps])
        return 1.0

    monkeypatch.setattr(bench, "clock", follow)
    with sklearn.config_context():  # que sgd_regressor change
        for name, stays, _, *row in bench.GOALS:
            assert bench.time_to_goal(0, stays, 5000, *row) == 1, name
            _, best = bench.make_problem(5000, row[0])
            losses = exercice1.full_losses(np.array(timed[-1]), *best)
            assert losses[-1] <= 1.05 * best[1], name
            assert np.all(losses[:-1] > 1.05 * best[1]) or stays, name  # pas un pas de trop
    for stays in (False, True):  # ce qui explose n'a pas de durée
        assert bench.time_to_goal(0, stays, 5000, 10, bench.lesson, 50, 64, 10.0) == np.inf


def test_the_tables_are_printed_whole(monkeypatch, capsys, tmp_path):
    """Un tableau perd une ligne, README.md garde les lignes d'avant, ou un script qui échoue est mesuré quand même."""
    alone = """from benchmarks import scripts; print(*scripts.run_python(".", ["-c", "data = b'x' * 300_000_000"]))"""
    printed = subprocess.check_output([sys.executable, "-c", alone], cwd=scripts.ROOT)  # sans la mémoire de pytest
    seconds, memory = [float(word) for word in printed.split()]
    assert seconds > 0 and 300 < memory < 400  # Python seul : une dizaine de Mo
    with pytest.raises(subprocess.CalledProcessError):
        scripts.run_python(tmp_path, ["-c", "raise SystemExit(3)"])
    scripts.make_returns(tmp_path / "rendus", 2)
    returned = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py"))
    assert returned == sorted(f"rendus/élève {k}/{name}.py" for k in range(2) for name in scripts.SCRIPTS)

    monkeypatch.setattr(bench, "time_to_goal", lambda *words: 2.0)
    monkeypatch.setattr(bench, "time_of_loop", lambda *words: 12.345)
    monkeypatch.setattr(scripts, "run_python", lambda folder, words: (0.5, 180.0))
    bench.main()
    scripts.main()
    output = capsys.readouterr().out
    names = [row[0] for row in bench.GOALS[1:]]
    assert re.findall(r"^\| (.+) \| 2 \| 2 \| 1 \(1 à 1\) \|$", output, re.MULTILINE) == names
    assert "| exercice1 | 12.3 | 12.3 | 1 (1 à 1) |" in output
    rows = re.findall(r"^\| (.+) \| 0.5 \| 0.5 \| 1 \| 180 \| 180 \| 0 \|$", output, re.MULTILINE)
    tools = re.findall(r"^\| ([^|]+) \| 0.5 \| 180 \|$", output, re.MULTILINE)
    assert [rows, tools] == [scripts.SCRIPTS, [row[0] for row in scripts.TOOLS]]

    kept = (Path(bench.__file__).parent / "README.md").read_text(encoding="utf-8")
    first_cells = [re.findall(r"^\| (.+?) \|", text, re.MULTILINE) for text in (output, kept)]
    assert first_cells[0] == first_cells[1]
