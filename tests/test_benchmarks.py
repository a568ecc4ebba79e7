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
        (ours, *words), (bare, *_) = (words for _, words in measures.values())
        results = []
        for loop in (ours, bare):
            make_words, *options = words
            *settings, _ = make_words(0, *options)
            results.append(loop(*settings, 30))
        assert results[0] == results[1] and len(results[0]) == 30


METHODS = [
    (bench.lesson, (0.05, 32)),
    (bench.lesson, (0.05,)),
    (bench.sgd_regressor, (0.01, "invscaling", 300)),
    (bench.pytorch, (0.05, 32)),
]


@pytest.mark.parametrize("method, settings", METHODS)
def test_every_method_reaches_the_goal_and_keeps_its_path(method, settings):
    problem = bench.make_problem(2000)
    best, best_loss, curvature = problem[-1]
    path = method(0, problem, 600, *settings)
    losses = exercice1.full_losses(path, best, best_loss, curvature)
    assert min(losses) <= exercice1.goal(best_loss) < losses[0]
    # Rejouer moins de pas redonne le début du même chemin : on ne chronomètre que ceux qu'il fallait.
    np.testing.assert_array_equal(
        exercice1.stack(method(0, problem, 5, *settings)), exercice1.stack(path[: 5 + extra(path)])
    )
    assert 0 < bench.time_to_goal(0, method, problem, 600, *settings) < np.inf


def extra(path):
    """`train` met le départ en tête de son chemin ; les autres commencent après le premier pas."""
    return int(len(path) == 601)


def test_never_is_infinite():
    problem = bench.make_problem(2000)
    assert bench.time_to_goal(0, bench.lesson, problem, 5, 0.01) == np.inf, "trop peu de pas"
    assert bench.time_to_goal(0, bench.lesson, problem, 50, 1.0) == np.inf, "explosion"
    grid = [(1.0, 32), (0.05, 32), (0.0001, 32)]
    assert bench.tuned(bench.lesson, problem, 300, grid)[1][-2:] == (0.05, 32)


def test_compare_takes_turns_and_stops_what_is_long():
    calls = []

    def measure(repeat, name, duration):
        calls.append((repeat, name))
        return duration

    found = bench.compare({"court": (measure, ("court", 1)), "long": (measure, ("long", 6))}, 3)
    assert calls == [(0, "court"), (0, "long"), (1, "court"), (1, "long"), (2, "court")]
    assert found["court"].tolist() == [1, 1, 1] and found["long"].tolist() == [6, 6]


def test_tables_tell_what_is_missed():
    assert [bench.french(value) for value in (0.12345, 2.0, 1234567, 61.25)] == [
        "0,123",
        "2",
        "1\u00a0230\u00a0000",
        "61,2",
    ]
    ones = np.ones(3)
    goals = {
        10**4: {"le TP": ones, "SGDRegressor": ones, "gradient complet, taux de l'énoncé": 2 * ones},
        10**6: {"le TP": 2 * ones, "SGDRegressor": ones},
    }
    text = bench.goal_table(goals)
    assert "| SGDRegressor | 1 (1 à 1) | 0,5 (0,5 à 0,5), **manqué** | au moins 0,9 fois |" in text
    assert "| gradient complet, taux de l'énoncé | 2 (2 à 2) | non mesuré | au moins 300 fois |" in text
    assert "De la première à la dernière : 2 (2 à 2), **manqué**" in text
    pairs = {"exercice1": {"le TP": 1.2 * ones, "boucle nue": ones}}
    text = bench.pair_table("boucle", pairs, 1e3, "ms", {"exercice1": 1.1})
    assert "| exercice1 | 1\u00a0200 ms | 1\u00a0000 ms | 1,2 (1,2 à 1,2), **manqué** | au plus 1,1 |" in text


def test_imports_are_measured_with_as_many_empty_figures(tmp_path):
    (tmp_path / "relu_plot-3.1-relu.png").touch()
    assert bench.time_of_imports(0, "relu_plot", tmp_path) > 0
    assert {path.name for path in tmp_path.iterdir()} == {"relu_plot-3.1-relu.png", "0.png"}


def test_the_whole_table_is_printed(monkeypatch, capsys):
    """`main` de bout en bout, sur des durées toutes prêtes."""

    def measures(*words):
        return {"le TP": (lambda repeat: 2, ()), "autre": (lambda repeat: 4, ())}

    monkeypatch.setattr(bench, "goal_measures", measures)
    monkeypatch.setattr(bench, "script_measures", measures)
    monkeypatch.setattr(bench, "LOOPS", {"boucle": measures()})
    bench.main()
    output = capsys.readouterr().out
    assert output.startswith("Mesuré sur ") and output.count("0,5 (0,5 à 0,5)") == 6
    assert all(f"| {script} | 2 s | 4 s |" in output for script in bench.SCRIPTS)
