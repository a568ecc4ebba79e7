"""exercice2 face à d'autres autorités : scikit-learn, la théorie des comptes, et ce que fait Ctrl+C."""

import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

import exercice2 as lesson

SETTINGS = {"hidden": (10,), "activation": "tanh", "solver": "sgd", "learning_rate": 0.1, "momentum": 0.9}
ARGS = SimpleNamespace(**SETTINGS, batch_size=20, seed=0, epochs=5)


def trained(epochs=5, seed=0, **changes):
    """Un réseau entraîné par la boucle du script, et ce qu'elle rend."""
    inputs, targets, test_inputs, test_targets, _ = lesson.split(seed)
    classifier = MLPClassifier(**lesson.settings_of(ARGS, **changes), random_state=np.random.RandomState(seed))
    calls = []

    def on_epoch(epoch, history):
        calls.append((epoch, len(history)))

    history = lesson.train(classifier, inputs, targets, test_inputs, test_targets, epochs, on_epoch)
    assert calls == [(k, k + 1) for k in range(len(history))]
    return classifier, history


def test_split_is_stratified_and_scaled_on_the_training_part_only():
    inputs, targets, test_inputs, test_targets, _ = lesson.split(3)
    assert np.bincount(targets).tolist() == [40] * 3 and np.bincount(test_targets).tolist() == [10] * 3
    np.testing.assert_allclose(inputs.mean(axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(inputs.std(axis=0), 1, rtol=1e-13)
    assert np.abs(test_inputs.mean(axis=0)).max() > 1e-3  # trente fleurs ont rarement la même moyenne


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("hidden", [(10,), (7, 4)])
def test_forward_by_hand_is_predict_proba(activation, hidden):
    classifier, _ = trained(3, activation=activation, hidden_layer_sizes=hidden)
    test_inputs = lesson.split(0)[2]
    # Quelques dizaines d'opérations : quelques dizaines d'arrondis.
    expected = classifier.predict_proba(test_inputs)
    np.testing.assert_allclose(lesson.forward(classifier, test_inputs), expected, rtol=1e-12, atol=1e-14)


def test_the_loop_does_what_fit_does():
    """La première époque est celle de `fit` ; ensuite les deux mélangent autrement, et descendent autant."""
    for seed in range(3):
        looped, _ = trained(20, seed)
        inputs, targets, *_ = lesson.split(seed)
        fitted = MLPClassifier(**lesson.settings_of(ARGS), max_iter=20, n_iter_no_change=20)
        fitted.set_params(random_state=np.random.RandomState(seed))
        with lesson.safe_training():
            fitted.fit(inputs, targets)
        assert looped.loss_curve_[0] == fitted.loss_curve_[0] and len(fitted.loss_curve_) == 20
        assert 0.5 < looped.loss_curve_[-1] / fitted.loss_curve_[-1] < 2  # de 0.9 à 1.1 sur dix graines


def test_history_is_the_cross_entropy_and_the_accuracy_on_both_parts():
    classifier, history = trained(4)
    inputs, targets, test_inputs, test_targets, _ = lesson.split(0)
    for (x, y), (loss, score) in zip([(inputs, targets), (test_inputs, test_targets)], history[-1].reshape(2, 2)):
        own = classifier.predict_proba(x)[np.arange(len(y)), y]
        assert loss == pytest.approx(-np.mean(np.log(own))) and score == accuracy_score(y, classifier.predict(x))
    assert history.shape == (4, 4)


@pytest.mark.parametrize("batch_size", [1, 20, 50, 120])
def test_updates_per_epoch(batch_size):
    """Autant de mises à jour par époque que de groupes : Adam, qui les compte, en fait foi."""
    classifier, _ = trained(4, batch_size=batch_size, solver="adam", learning_rate_init=0.001)
    assert classifier._optimizer.t == 4 * math.ceil(120 / batch_size) and classifier.t_ == 480


@pytest.mark.parametrize("rate, activation", [(1e100, "tanh"), (1e5, "relu"), (1e5, "identity")])
def test_explosion_is_told_not_raised(rate, activation, recwarn):
    changes = {"learning_rate_init": rate, "activation": activation}
    _, history = trained(5, **changes)
    assert len(history) < 5
    result = lesson.cross_validated(0, lesson.settings_of(ARGS, **changes), 3)
    assert result is None and lesson.describe(result) == "explose" and lesson.epochs_to_goal(result) is None
    assert not recwarn


def test_cross_validation_repeats_and_compares_from_the_same_start():
    settings = lesson.settings_of(ARGS)
    losses, scores = lesson.cross_validated(3, settings, 4)
    again, _ = lesson.cross_validated(3, settings, 4)
    slower, _ = lesson.cross_validated(3, settings | {"learning_rate_init": 1e-9}, 4)
    assert losses.shape == (4,) and scores.shape == (5,) and np.array_equal(losses, again)
    assert slower[0] > losses[0] and slower.min() == pytest.approx(slower[0], rel=0.01), "sans pas, rien ne bouge"


def test_a_mistyped_setting_is_not_taken_for_an_explosion():
    with pytest.raises(ValueError, match="activation"):
        lesson.cross_validated(0, lesson.settings_of(ARGS, activation="tang"), 3)


def test_words_about_the_results():
    scores = np.full(10, 0.9)
    results = {"a": (np.array([0.5, 0.1]), scores), "b": (np.array([0.5, 0.4]), scores), "c": None}
    results["d"] = (np.array([0.5, 5.0]), scores)
    assert [lesson.epochs_to_goal(result) for result in results.values()] == [2, None, None, None]
    said = [lesson.describe(result) for result in results.values()]
    assert said == ["est à 0.1 en 2 époques", "n'est pas à 0.1 en 2 époques", "explose", "diverge, pire qu'au hasard"]
    spread = np.array([0.8, 1.0])
    near, far = (np.array([1.0]), 0.05 * spread + 0.9), (np.array([1.0]), 0.05 * spread + 0.5)
    assert "pas de vraie différence" in lesson.accuracy_sentence({"a": near, "b": near})
    assert "une vraie différence" in lesson.accuracy_sentence({"a": near, "b": far})
    assert lesson.accuracy_sentence({"a": near, "b": None}) == ""


def test_linear_network_has_straight_borders():
    """Avec identity, le rapport de deux probabilités est l'exponentielle d'une fonction affine ; pas avec tanh."""
    bends = {}
    for activation in ("identity", "tanh"):
        inputs, targets, _, _, scaler = lesson.split(0)
        classifier = MLPClassifier(**lesson.settings_of(ARGS, activation=activation), max_iter=60, random_state=0)
        with lesson.safe_training():
            classifier.fit(inputs, targets)
        regions = lesson.petal_regions(classifier, scaler)
        logs = np.log(regions[..., 2]) - np.log(regions[..., 1])  # (200, 200)
        bends[activation] = np.abs(np.diff(logs, 2, axis=1)).max()
    assert bends["identity"] < 1e-9 < 1e-4 < bends["tanh"]


def test_petal_regions_are_the_probabilities_of_flowers_with_mean_sepals():
    inputs, targets, _, _, scaler = lesson.split(0)
    classifier, _ = trained(3)
    regions = lesson.petal_regions(classifier, scaler)
    flower = StandardScaler.transform(scaler, [[*scaler.mean_[:2], 7.5, 0]])
    np.testing.assert_allclose(regions[0, -1], classifier.predict_proba(flower)[0], rtol=1e-12)
    np.testing.assert_allclose(regions.sum(axis=2), 1)


def options(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["exercice2.py", *words])
    return lesson.read_options()


@pytest.mark.parametrize("text", ["7,4", "(7, 4)", "(7,4,)"])
@pytest.mark.parametrize("activation", ["sigmoïde", "sigmoide", "logistic"])
def test_options_reach_the_classifier(text, activation, monkeypatch):
    words = "--learning-rate 0.3 --momentum 0.2 --batch-size 15 --epochs 9"
    args = options(monkeypatch, "--hidden", text, "--activation", activation, *words.split())
    expected = {"hidden_layer_sizes": (7, 4), "activation": "logistic", "solver": "sgd", "learning_rate_init": 0.3}
    assert lesson.settings_of(args) == expected | {"momentum": 0.2, "batch_size": 15} and args.epochs == 9


@pytest.mark.parametrize(
    "name, value, option",
    [
        ("SOLVER", "lbfgs", "--solver"),
        ("ACTIVATION", "softmax", "--activation"),
        ("HIDDEN_LAYER_SIZES", (), "--hidden"),
        ("MOMENTUM", 1, "--momentum"),
        ("BATCH_SIZE", 121, "--batch-size"),
        ("EPOCHS", 0, "--epochs"),
    ],
)
def test_a_constant_is_refused_as_its_option_is(name, value, option, monkeypatch, capsys):
    monkeypatch.setattr(lesson, name, value)
    monkeypatch.setattr(sys, "argv", ["exercice2.py"])
    assert lesson.main() == 2
    by_constant = capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setattr(sys, "argv", ["exercice2.py", f"{option}={value}"])
    assert lesson.main() == 2
    assert capsys.readouterr().err == by_constant and option in by_constant


def test_an_interruption_inside_scikit_learn_is_not_swallowed(monkeypatch):
    """Scikit-learn avale Ctrl+C pendant `partial_fit` et `fit`, et avertit ; le script en refait une interruption."""

    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(MLPClassifier, "_backprop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(5)
    with pytest.raises(KeyboardInterrupt):
        lesson.cross_validated(0, lesson.settings_of(ARGS), 3)
