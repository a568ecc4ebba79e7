"""Les mesures, sans aucun seuil de durée : ce qu'on chronomètre fait bien le même travail que le TP."""

import numpy as np
import pytest

import exercice1
from benchmarks import __main__ as bench


def test_bare_loops_give_the_losses_of_the_lessons():
    """Les mêmes opérations, dans le même ordre à un regroupement près : seul l'arrondi peut différer."""
    ours, bare = exercice1.train(*bench.numpy_words(0))[0], bench.bare_numpy(*bench.numpy_words(0))
    np.testing.assert_allclose(ours, bare, rtol=1e-9)
    for measures in list(bench.LOOPS.values())[1:]:
        (_, (ours, make_words, *options)), (_, (bare, *_)) = measures.values()
        results = []
        for loop in (ours, bare):
            *settings, _ = make_words(0, *options)  # un modèle neuf, et moins d'époques
            results.append(loop(*settings, 30))
        assert results[0] == results[1] and len(results[0]) == 30


METHODS = [
    (bench.lesson, (0.05, 32)),
    (bench.lesson, (0.05,)),
    (bench.sgd_regressor, (0.01, 1000)),
    (bench.pytorch, (0.05, 32)),
    (bench.lstsq, ()),
]


def stacked(method, problem, n_steps, settings):
    """Les paramètres après chaque pas, (n_steps, d+1)."""
    return np.array([np.append(*parameters) for parameters in method(0, problem, n_steps, *settings)])


@pytest.mark.parametrize("method, settings", METHODS)
def test_every_method_reaches_the_goal(method, settings):
    problem = bench.make_problem(2000)
    best, best_loss, curvature = problem[-1]
    path = stacked(method, problem, 300, settings)
    losses = exercice1.full_losses(path, best, best_loss, curvature)
    count = exercice1.first_under(losses, exercice1.goal_of(best_loss)[0]) + 1
    # Rejouer moins de pas redonne le début du même chemin : on ne chronomètre que ceux qu'il fallait.
    again = stacked(method, problem, count, settings)
    assert len(again) == count
    np.testing.assert_array_equal(again, path[:count])
    assert 0 < bench.time_to_goal(0, method, problem, 300, *settings) < np.inf


def test_only_the_needed_steps_are_timed():
    problem, asked = bench.make_problem(2000), []

    def method(seed, problem, n_steps):
        asked.append(n_steps)
        far, best = np.zeros(3), problem[-1][0]
        for parameters in [far, far, best, far][:n_steps]:
            yield parameters[:-1], parameters[-1:]

    assert 0 < bench.time_to_goal(0, method, problem, 4) < np.inf and asked == [4, 3]
    assert bench.time_to_goal(0, method, problem, 2) == np.inf, "jamais"
    assert bench.time_to_goal(0, bench.lesson, problem, 50, 1.0) == np.inf, "explosion"


def test_compare_takes_turns_and_stops_what_is_long():
    calls = []

    def measure(repeat, name, duration):
        calls.append((repeat, name))
        return duration

    found = bench.compare({"court": (measure, ("court", 0.5)), "long": (measure, ("long", 6))}, 4)
    assert calls == [(repeat, name) for repeat in range(4) for name in ("court", "long")][:-1]
    assert found["court"].tolist() == [0.5] * 4 and found["long"].tolist() == [6] * 3


def test_tables_tell_what_is_missed():
    assert [bench.french(value) for value in (0.12345, 2.0, 1234567, 61.25)] == [
        "0,123",
        "2",
        "1\u00a0230\u00a0000",
        "61,2",
    ]
    ones = np.ones(3)
    goals = {
        ("le TP", 10**4): ones,
        ("SGDRegressor", 10**4): ones,
        ("gradient complet, taux de l'énoncé", 10**4): 2 * ones,
        ("le TP", 10**6): 2 * ones,
        ("SGDRegressor", 10**6): ones,
    }
    text = bench.goal_table(goals)
    assert "| SGDRegressor | 1 (1 à 1) | 0,5 (0,5 à 0,5), **manqué** | au moins 0,9 |" in text
    assert "| gradient complet, taux de l'énoncé | 2 (2 à 2) | non mesuré | au moins 300 |" in text
    assert "1\u00a0000 ms, 2\u00a0000 ms ; multipliée par 2 (2 à 2), **manqué**" in text
    pairs = {"exercice1": {"le TP": 1.2 * ones, "boucle nue": ones}}
    text = bench.pair_table("boucle", pairs, 1e3, "ms", {"exercice1": 1.1})
    assert "| exercice1 | 1\u00a0200 ms | 1\u00a0000 ms | 1,2 (1,2 à 1,2), **manqué** | au plus 1,1 |" in text


def test_imports_are_measured_with_as_many_empty_figures(tmp_path):
    (tmp_path / "relu_plot-3.1-relu.png").touch()
    measure, words = bench.script_measures("relu_plot", tmp_path)["imports et figures vides"]
    assert measure(0, *words) > 0
    assert {path.name for path in tmp_path.iterdir()} == {"relu_plot-3.1-relu.png", "0.png"}


def test_the_whole_table_is_printed(monkeypatch, capsys):
    """`main` de bout en bout, sur des durées toutes prêtes."""

    def measures(*words):
        return {"le TP": (lambda repeat: 2, ()), "autre": (lambda repeat: 4, ())}

    monkeypatch.setattr(bench, "SIZES", [10, 20])
    monkeypatch.setattr(
        bench, "goal_measures", lambda sizes: {(n, size): m for size in sizes for n, m in measures().items()}
    )
    monkeypatch.setattr(bench, "script_measures", measures)
    monkeypatch.setattr(bench, "LOOPS", {"boucle": measures()})
    bench.main()
    output = capsys.readouterr().out
    assert output.startswith("Mesuré sur ") and "| autre | 2 (2 à 2) | 2 (2 à 2) |" in output
    assert all(f"| {script} | 2 s | 4 s | 0,5 (0,5 à 0,5) |" in output for script in bench.SCRIPTS)
