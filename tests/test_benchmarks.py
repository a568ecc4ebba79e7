"""Les mesures, sans aucun seuil de durée : ce qu'on chronomètre fait bien le même travail que le TP."""

import re
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch

import exercice1
import exercice3
from benchmarks import __main__ as bench


def test_loops_do_the_work_of_the_lesson():
    """Entrées divisées groupe par groupe, ou boucle nue : les pertes du TP, à l'arrondi près."""
    (inputs, *start), _ = bench.make_problem(1000, 1)
    runs = [exercice1.train, exercice1.train, bench.bare_numpy]
    for scale, rate in [(1, 0.01), (10, 1.5)]:
        views = [inputs / scale, bench.Divided(inputs, scale), inputs / scale]
        words = [(view, *start, rate, 50, 64, np.random.default_rng(0)) for view in views]
        ours, divided, bare = (run(*each) for run, each in zip(runs, words))
        np.testing.assert_allclose(divided[0], ours[0], rtol=1e-12)
        np.testing.assert_allclose(bare, ours[0], rtol=1e-9)

    losses = []
    for bare in (False, True):
        torch.manual_seed(0)
        model, loss_func = exercice3.RegressionModel(), torch.nn.MSELoss()
        x_data, y_data = exercice3.make_points(np.random.default_rng(0), 100, 0.8, "cpu")
        optimizer = exercice3.make_optimizer(model, 0.05)
        loop = bench.bare_pytorch if bare else exercice3.train
        losses.append(loop(model, x_data, y_data, optimizer, loss_func, 30))
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)


@pytest.mark.parametrize("stays, rows", [(False, bench.FIRST), (True, bench.STAYS)])
def test_every_method_reaches_the_goal(monkeypatch, stays, rows):
    """Ce qu'on chronomètre, les pas comptés et eux seuls, finit sous le but ; ce qui explose n'a pas de durée."""
    ends = []

    def follow(call, steps):
        ends.append([np.append(*parameters) for parameters in steps][-1])
        return 1.0

    monkeypatch.setattr(bench, "clock", follow)
    with sklearn.config_context():  # que sgd_regressor change
        for name, _, *row in rows:
            assert bench.time_to_goal(0, stays, 5000, *row) == 1, name
            _, best = bench.make_problem(5000, row[0])
            assert exercice1.full_losses(ends[-1].reshape(1, -1), *best)[0] <= 1.05 * best[1], name
    assert bench.time_to_goal(0, stays, 5000, 10, bench.lesson, 50, 10.0, 64) == np.inf


def test_the_tables_are_printed_whole(monkeypatch, capsys):
    """`main` de bout en bout, sur des mesures toutes prêtes ; README.md garde les mêmes lignes."""
    for name, value in [("time_to_goal", 2.0), ("time_of_loop", 1234.5), ("run_python", [0.5, 180.0])]:
        monkeypatch.setattr(bench, name, lambda *words, value=value: value)
    bench.main()
    output = capsys.readouterr().out
    names = [row[0] for row in [*bench.FIRST[1:], *bench.STAYS[1:]]]
    assert [re.findall(r"^\| (.+) \| 2 \| 2 \| 1 \(1 à 1\) \|$", output, re.MULTILINE)] == [names]
    assert "| exercice1 | 1\u00a0230 | 1\u00a0230 | 1 (1 à 1) |" in output
    scripts = re.findall(r"^\| (.+) \| 0,5 \| 0,5 \| 1 \(1 à 1\) \| 180 \| 180 \| 0 \|$", output, re.MULTILINE)
    tools = re.findall(r"^\| ([^|]+) \| 0,5 \| 180 \|$", output, re.MULTILINE)
    assert [scripts, tools] == [bench.SCRIPTS, [row[0] for row in bench.TOOLS]]

    kept = (Path(bench.__file__).parent / "README.md").read_text(encoding="utf-8")
    first_cells = [re.findall(r"^\| (.+?) \|", text, re.MULTILINE) for text in (output, kept)]
    assert first_cells[0] == first_cells[1]
