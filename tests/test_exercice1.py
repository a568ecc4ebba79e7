"""La leçon d'exercice1 face à d'autres autorités : moindres carrés, différences finies, théorie de la descente."""

import numpy as np
import pytest

import exercice1 as lesson

EPSILON = np.finfo(float).eps


def problem(seed=0, n_observations=1000, true_weights=(3, -4)):
    rng = np.random.default_rng(seed)
    inputs, targets = lesson.make_data(rng, n_observations, true_weights, 5)
    weights, bias = lesson.make_parameters(rng, len(true_weights))
    return rng, inputs, targets, weights, bias


def extended(inputs):
    return np.column_stack([inputs, np.ones(len(inputs))])


def loss_at(parameters, inputs, targets):
    return np.mean((extended(inputs) @ parameters - targets[:, 0]) ** 2) / 2


def test_data_follow_the_handout():
    _, inputs, targets, weights, bias = problem()
    noise = targets - 3 * inputs[:, :1] + 4 * inputs[:, 1:] - 5
    assert inputs.shape == (1000, 2) and targets.shape == (1000, 1) and weights.shape == (2, 1) and bias.shape == (1,)
    assert np.abs(inputs).max() <= 10 and np.abs(inputs).max() > 9.9
    assert np.abs(noise).max() <= 0.1 and np.abs(noise).max() > 0.099
    assert max(np.abs(weights).max(), np.abs(bias).max()) <= 0.2
    settings = lesson.TRUE_WEIGHTS, lesson.TRUE_BIAS, lesson.NOISE, lesson.LEARNING_RATE, lesson.N_ITERATIONS
    assert settings == ([3, -4], 5, 0.1, 0.01, 100)


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_one_step_against_finite_differences(n_inputs):
    """Un pas au taux 1 retire exactement le gradient, qu'on mesure par différences centrées sur la perte."""
    _, inputs, targets, weights, bias = problem(1, 50, np.ones(n_inputs))
    loss_history, path = lesson.train(inputs, targets, weights, bias, 1.0, 1)
    start, after = lesson.stack(path)
    assert loss_history == [pytest.approx(loss_at(start, inputs, targets))]
    step = 1e-3
    for j in range(n_inputs + 1):
        move = step * np.eye(n_inputs + 1)[j]
        slope = (loss_at(start + move, inputs, targets) - loss_at(start - move, inputs, targets)) / (2 * step)
        # La perte est du second degré : la différence centrée est exacte, à l'arrondi eps·perte/pas près.
        assert start[j] - after[j] == pytest.approx(slope, abs=100 * EPSILON * loss_history[0] / step)


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_least_squares_and_losses_along_the_path(n_inputs):
    _, inputs, targets, weights, bias = problem(2, 500, np.arange(1.0, n_inputs + 1))
    best, best_loss, curvature = lesson.least_squares(inputs, targets)
    X = extended(inputs)
    # Équations normales : erreur relative de l'ordre de eps × conditionnement (une trentaine) × n au pire.
    np.testing.assert_allclose(best, np.linalg.solve(X.T @ X, X.T @ targets)[:, 0], rtol=1e-11)
    np.testing.assert_allclose(curvature, X.T @ X / 500)
    assert best_loss == pytest.approx(loss_at(best, inputs, targets))
    loss_history, path = lesson.train(inputs, targets, weights, bias, 0.01, 300)
    losses = lesson.full_losses(path, best, best_loss, curvature)
    np.testing.assert_allclose(losses[:-1], loss_history, rtol=1e-9)
    np.testing.assert_allclose(losses[-1], loss_at(lesson.stack(path)[-1], inputs, targets), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_training_follows_the_theory(seed):
    """Sur chaque axe propre de X'X/n, un pas multiplie l'écart par 1 - taux × valeur propre, exactement."""
    _, inputs, targets, weights, bias = problem(seed)
    best, best_loss, curvature = lesson.least_squares(inputs, targets)
    loss_history, path = lesson.train(inputs, targets, weights, bias, 0.01, 900)
    values, axes = np.linalg.eigh(curvature)
    gaps = lesson.stack(path) - best  # (901, 3)
    factors = (1 - 0.01 * values) ** np.arange(901)[:, None]
    np.testing.assert_allclose(gaps @ axes, (gaps[0] @ axes) * factors, atol=1e-11)  # l'arrondi : 1e-13 vu
    reached = lesson.first_under(loss_history, 1.05 * best_loss)
    assert 540 < reached < 640  # 0.99^(2k)·12.5 = 0.05·0.00167 donne 577, à 5 % de dispersion des données près
    # Biais après 100 pas : il garde 0.99^100 = 37 % de son écart, parti de -0.2 à 0.2.
    assert 5 - 5.2 * 0.39 < path[100][1][0] < 5 - 4.8 * 0.34
    assert best_loss == pytest.approx(0.2**2 / 12 / 2, rel=5 * 0.9 / np.sqrt(1000))  # variance d'une uniforme : 0.9/√n


def test_largest_stable_rate():
    """2 / la plus grande valeur propre de X'X/n : 1 % au-dessous la descente arrive, 1 % au-dessus elle explose."""
    _, inputs, targets, weights, bias = problem()
    _, best_loss, curvature = lesson.least_squares(inputs, targets)
    limit = 2 * 1000 / np.linalg.norm(extended(inputs), 2) ** 2
    calm, _ = lesson.train(inputs, targets, weights, bias, 0.99 * limit, 2000)
    wild, path = lesson.train(inputs, targets, weights, bias, 1.01 * limit, 2000)
    assert len(calm) == 2000 and calm[-1] < 1.05 * best_loss
    assert len(wild) < 2000 and len(path) == len(wild) and np.isfinite(lesson.stack(path)).all()
    assert f"{limit:.4f}" in lesson.limit_answer(curvature)
    assert "explose" in lesson.divergence_sentence(1.01 * limit, wild, 2000)
    assert lesson.divergence_sentence(0.99 * limit, calm, 2000) == ""
    slowly, _ = lesson.train(inputs, targets, weights, bias, 1.001 * limit, 100)
    assert "monte" in lesson.divergence_sentence(1.001 * limit, slowly, 100)


@pytest.mark.parametrize("rate", [1.0, 1e50, 1e100])
def test_explosion_stops_the_loop_without_a_warning(rate, recwarn):
    _, inputs, targets, weights, bias = problem()
    loss_history, path = lesson.train(inputs, targets, weights, bias, rate, 1000)
    assert 0 < len(loss_history) < 20 and len(path) == len(loss_history) and np.isfinite(loss_history).all()
    assert not recwarn


class Spy:
    """Un tableau qui retient les groupes qu'on lui demande."""

    def __init__(self, array):
        self.array, self.groups = array, []

    def __getitem__(self, group):
        self.groups.append(group)
        return self.array[group]

    def __len__(self):
        return len(self.array)


def test_each_step_takes_the_mean_gradient_of_a_random_group():
    rng, inputs, targets, weights, bias = problem(n_observations=40)
    spy = Spy(inputs)
    loss_history, path = lesson.train(spy, targets, weights, bias, 0.001, 400, 5, rng)
    assert {len(group) for group in spy.groups} == {5}
    # Chaque observation sort en moyenne 400·5/40 = 50 fois, écart-type √50 : cinq écarts-types.
    assert abs(np.bincount(np.ravel(spy.groups), minlength=40) - 50).max() < 5 * np.sqrt(50)
    for k in (0, 7, 399):  # chaque pas est celui que ferait le gradient complet sur le groupe seul
        group = spy.groups[k]
        again, one = lesson.train(inputs[group], targets[group], *path[k], 0.001, 1)
        assert again == [pytest.approx(loss_history[k])]
        np.testing.assert_allclose(lesson.stack(one)[1], lesson.stack(path)[k + 1], rtol=1e-12)


def test_trembling_of_a_mini_batch_against_theory():
    """Excès moyen de la perte en régime permanent : moments exacts d'un tirage avec remise.

    D'un pas à l'autre la covariance C des écarts au fond devient C - η(HC + CH) + η²(T(C) + bruit), où les moments du
    groupe sont ceux d'une observation divisés par sa taille.
    """
    rng, inputs, targets, _, _ = problem(4)
    best, best_loss, H = lesson.least_squares(inputs, targets)
    rate, size, X = 0.01, 10, extended(inputs)
    squares = (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)  # (n, 9)
    residuals = X @ best - targets[:, 0]
    fourth = squares.T @ squares / len(X) / size + (1 - 1 / size) * np.kron(H, H)
    eye = np.eye(3)
    transition = np.eye(9) - rate * (np.kron(H, eye) + np.kron(eye, H)) + rate**2 * fourth
    injected = rate**2 / size * np.mean(residuals[:, None] ** 2 * squares, axis=0)
    covariance = np.linalg.solve(np.eye(9) - transition, injected).reshape(3, 3)
    theory = np.trace(H @ covariance) / 2
    _, path = lesson.train(inputs, targets, best[:-1, None], best[-1:], rate, 20_000, size, rng)
    excess = lesson.full_losses(path, best, best_loss, H)[500:] - best_loss
    # Mémoire de 1/(2·0.01·33) = 1.5 pas : 6500 tirages indépendants au moins, soit 1.2 % sur la moyenne ; cinq fois.
    assert excess.mean() == pytest.approx(theory, rel=0.06)


def test_counts_that_do_not_fit_in_memory_are_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["exercice1.py", "--n-iterations", "100000", "--batch-size", "100000"])
    assert lesson.main() == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "mémoire" in said.err
