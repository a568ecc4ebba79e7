"""exercice2 face à d'autres autorités : scikit-learn, la théorie des comptes, et ce que fait Ctrl+C."""

import math
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.neural_network._stochastic_optimizers import BaseOptimizer

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import exercice2 as lesson  # noqa: E402  (le script est à côté du dossier des tests)

SETTINGS = {
    "hidden": (10,),
    "activation": "tanh",
    "solver": "sgd",
    "learning_rate": 0.1,
    "momentum": 0.9,
    "batch_size": 20,
}


def test_split_is_stratified_and_scaled_on_the_training_part_only():
    inputs, targets, test_inputs, test_targets, scaler = lesson.split(3)
    assert np.bincount(targets).tolist() == [40] * 3 and np.bincount(test_targets).tolist() == [10] * 3
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(inputs.std(axis=0), 1, rtol=1e-13)
    assert np.abs(test_inputs.mean(axis=0)).max() > 1e-3  # trente fleurs ont rarement la même moyenne


@pytest.mark.parametrize("activation", lesson.ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(10,), (7, 4)])
def test_forward_by_hand_is_predict_proba(activation, hidden):
    inputs, targets, test_inputs, _, _ = lesson.split(0)
    classifier = lesson.make_classifier(0, **{**SETTINGS, "activation": activation, "hidden": hidden})
    assert lesson.train(classifier, inputs, targets, 3) == 3
    # Quelques dizaines d'opérations : quelques dizaines d'arrondis.
    expected = classifier.predict_proba(test_inputs)
    np.testing.assert_allclose(lesson.forward(classifier, test_inputs), expected, rtol=1e-12, atol=1e-14)
    sizes = [4, *hidden, 3]
    theory = sum((n_in + 1) * n_out for n_in, n_out in zip(sizes, sizes[1:]))
    assert lesson.count_parameters(classifier) == theory


def test_the_loop_does_what_fit_does():
    """`fit` mélange autrement à partir de la deuxième époque : même première perte, mêmes pertes finales à la
    dispersion des graines près (trois erreurs-types de la différence)."""
    finals = []
    for seed in range(8):
        inputs, targets, _, _, _ = lesson.split(seed)
        looped, fitted = (lesson.make_classifier(seed, **SETTINGS) for _ in range(2))
        lesson.train(looped, inputs, targets, 30)
        fitted.set_params(max_iter=30, n_iter_no_change=30)
        assert lesson.learn(fitted, lambda fitted=fitted, given=(inputs, targets): fitted.fit(*given))
        assert looped.loss_curve_[0] == fitted.loss_curve_[0] and len(fitted.loss_curve_) == 30
        finals.append(looped.loss_curve_[-1] - fitted.loss_curve_[-1])
    assert abs(np.mean(finals)) < 3 * np.std(finals) / np.sqrt(len(finals))


def test_measure_is_the_cross_entropy_and_the_accuracy():
    inputs, targets, _, _, _ = lesson.split(2)
    classifier = lesson.make_classifier(2, **SETTINGS)
    lesson.train(classifier, inputs, targets, 5)
    loss, score = lesson.measure(classifier, inputs, targets)
    own = classifier.predict_proba(inputs)[np.arange(120), targets]
    assert loss == pytest.approx(-np.mean(np.log(own))) and score == accuracy_score(targets, classifier.predict(inputs))


@pytest.mark.parametrize("batch_size, per_epoch", [(20, 6), (50, 3), (120, 1), (1, 120)])
def test_updates_per_epoch(batch_size, per_epoch, monkeypatch):
    count = []
    update = BaseOptimizer.update_params
    monkeypatch.setattr(BaseOptimizer, "update_params", lambda *given: (count.append(1), update(*given)))
    inputs, targets, _, _, _ = lesson.split(0)
    classifier = lesson.make_classifier(0, **{**SETTINGS, "batch_size": batch_size})
    lesson.train(classifier, inputs, targets, 4)
    assert len(count) == 4 * per_epoch and classifier.t_ == 480


def test_untrained_network_answers_at_random():
    """Poids de départ petits : la perte est proche de ln 3 (de 0.9 à 1.5 sur vingt graines)."""
    losses = []
    for seed in range(20):
        inputs, targets, _, _, _ = lesson.split(seed)
        twin = lesson.make_classifier(seed, **{**SETTINGS, "learning_rate": 1e-12})
        lesson.train(twin, inputs, targets, 1)
        losses.append(lesson.measure(twin, inputs, targets)[0])
    spread = np.std(losses) / math.sqrt(20)
    assert abs(np.mean(losses) - math.log(3)) < 0.1 + 3 * spread


def test_explosion_is_told_not_raised(recwarn):
    inputs, targets, _, _, _ = lesson.split(0)
    for rate, activation in ((1e300, "tanh"), (1e5, "relu"), (1e5, "identity")):
        classifier = lesson.make_classifier(0, **{**SETTINGS, "learning_rate": rate, "activation": activation})
        assert lesson.train(classifier, inputs, targets, 5) < 5
        losses, _, _ = lesson.cross_validate(0, 3, 1, **{**SETTINGS, "learning_rate": rate, "activation": activation})
        assert losses.shape == (5, 3) and np.isnan(losses[:, -1]).all()
    assert not recwarn


def test_epochs_to_goal_and_clearly_better():
    losses = np.array([[0.5, 0.1, 0.05], [0.5, 0.4, 0.3], [0.1, 0.2, 0.05]])
    assert lesson.epochs_to_goal(losses).tolist() == [2, math.inf, 1]
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.03, size=10)
    assert lesson.clearly_better(0.97 + noise, 0.8 + noise + rng.normal(0, 0.02, size=10))
    assert not lesson.clearly_better(0.97 + noise, 0.968 + rng.normal(0, 0.03, size=10))
    # Aucune différence : deux erreurs-types ne sont dépassées que rarement (2 % en théorie, un seul côté).
    draws = [lesson.clearly_better(*rng.normal(0.95, 0.03, size=(2, 10))) for _ in range(1000)]
    assert np.mean(draws) < 0.05


def test_linear_network_has_straight_borders():
    inputs, targets, _, _, scaler = lesson.split(0)
    bends = {}
    for activation in ("identity", "relu"):
        classifier = lesson.make_classifier(0, **{**SETTINGS, "activation": activation})
        lesson.train(classifier, inputs, targets, 60)
        bends[activation] = lesson.bend(lesson.petal_regions(classifier, scaler))
    assert bends["identity"] < 1e-6 < 0.02 < bends["relu"]


def test_options_reach_the_classifier(monkeypatch, tmp_path):
    words = "--hidden 7,4 --activation relu --learning-rate 0.3 --momentum 0.2 --batch-size 15 --epochs 9"
    monkeypatch.setattr(sys, "argv", ["exercice2.py", *words.split(), "--figures", str(tmp_path)])
    args = lesson.read_options()
    classifier = lesson.make_classifier(0, **lesson.settings_of(args))
    expected = {"hidden_layer_sizes": (7, 4), "activation": "relu", "solver": "sgd", "learning_rate_init": 0.3}
    expected |= {"momentum": 0.2, "batch_size": 15}
    assert {name: getattr(classifier, name) for name in expected} == expected and args.epochs == 9


def test_momentum_with_adam_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["exercice2.py", "--solver", "adam", "--momentum", "0.5"])
    with pytest.raises(SystemExit) as end:
        lesson.main()
    assert end.value.code == 2 and "--momentum" in capsys.readouterr().err


def test_ctrl_c_in_the_middle_of_a_training(tmp_path):
    """scikit-learn avale l'interruption ; le script, non : état 130, à n'importe quel moment d'un long essai."""
    for delay in (0.3, 0.9):
        command = [sys.executable, ROOT / "exercice2.py", "--section", "3.2-epoch", "--epochs", "10000"]
        process = subprocess.Popen(
            [*command, "--figures", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        while not process.stdout.readline().startswith("     0 "):
            assert process.poll() is None
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors.strip()) == (130, "Interrompu.")
        assert time.monotonic() - started < 10  # tout de suite, et non à la fin des dix mille époques (30 s)


def test_closing_the_live_window_stops_the_drawing_not_the_training(monkeypatch, capsys):
    """Fermer la fenêtre à la deuxième image : plus aucune image, aucune fenêtre rouverte, toutes les époques."""
    pauses, shown = [], []

    def pause(interval):
        pauses.append(interval)
        if len(pauses) == 2:
            plt.close("all")

    monkeypatch.setattr(plt, "pause", pause)
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.get_fignums()))
    args = SimpleNamespace(seed=0, epochs=30, window=True, **{**SETTINGS, "momentum": None})
    answer = lesson.section_epoch(args)
    assert len(pauses) == 2 and not shown and not plt.get_fignums()
    assert "180 mises à jour" in answer and "Mises à jour des poids : 180" in capsys.readouterr().out
