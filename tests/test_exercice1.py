"""exercice1 : la leçon face à d'autres autorités, les fautes d'élèves, et chaque phrase de réponse des deux côtés."""

import ast
import inspect
import re
import sys

import numpy as np
import pytest

import exercice1 as lesson
from commun import ROOT, answer_to, blocks, call, check_layout, edited, measured, never_taken, play, run, variant

EPSILON = np.finfo(float).eps


def problem(seed=0, n_observations=1000, true_weights=(3, -4)):
    rng = np.random.default_rng(seed)
    inputs, targets = lesson.make_data(rng, n_observations, true_weights, 5, 0.1)
    weights, bias = lesson.make_parameters(rng, len(true_weights))
    return rng, inputs, targets, weights, bias


def extended(inputs):
    return np.column_stack([inputs, np.ones(len(inputs))])


def rows(path):
    """Les paramètres après chaque itération, le biais en dernier : (k, d+1)."""
    return np.array([np.append(weights, bias) for weights, bias in path])


def loss_at(parameters, inputs, targets):
    return np.mean((extended(inputs) @ parameters - targets[:, 0]) ** 2) / 2


def test_data_follow_the_handout():
    """Les nombres ne sont plus ceux de l'énoncé : 1000 observations, 3, -4 et 5, un bruit de 0.1, un taux de 0.01."""
    _, inputs, targets, weights, bias = problem()
    noise = targets - 3 * inputs[:, :1] + 4 * inputs[:, 1:] - 5
    assert inputs.shape == (1000, 2) and targets.shape == (1000, 1) and weights.shape == (2, 1) and bias.shape == (1,)
    assert 9.9 < np.abs(inputs).max() <= 10 and 0.099 < np.abs(noise).max() <= 0.1
    assert max(np.abs(weights).max(), np.abs(bias).max()) <= 0.2
    settings = lesson.N_OBSERVATIONS, lesson.TRUE_WEIGHTS, lesson.TRUE_BIAS, lesson.NOISE, lesson.LEARNING_RATE
    assert settings == (1000, [3, -4], 5, 0.1, 0.01)


def test_the_loop_is_the_handouts_bare():
    """La boucle n'a plus ses sept étapes nommées, dans l'ordre, ou gagne un print, une figure, un troisième `if`."""
    source = inspect.getsource(lesson.train)
    assert re.findall(r"# \((\d)\)", source) == list("1234567")
    assert re.findall(r"^ +(\w+) = ", source.partition("for k in")[2], re.MULTILINE) == [
        *("outputs", "deltas", "loss", "deltas_scaled", "weights", "bias")
    ]
    text = (ROOT / "exercice1.py").read_text(encoding="utf-8")
    tree = ast.parse(text.partition("# --- La leçon")[2].partition("# --- Partagé")[0].partition("\n")[2])
    nodes = list(ast.walk(tree))
    assert sum(isinstance(node, ast.If) for node in nodes) <= 2
    assert not any(isinstance(node, (ast.Lambda, ast.ListComp, ast.IfExp, ast.Try, ast.Break)) for node in nodes)
    assert not {"print", "plt"} & {node.id for node in nodes if isinstance(node, ast.Name)}


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_one_step_against_finite_differences(n_inputs):
    """Un pas au taux 1 ne retire plus exactement le gradient (différences centrées sur la perte)."""
    _, inputs, targets, weights, bias = problem(1, 50, np.ones(n_inputs))
    loss_history, path = lesson.train(inputs, targets, weights, bias, 1.0, 1)
    start, after = rows(path)
    assert loss_history == [pytest.approx(loss_at(start, inputs, targets))]
    step = 1e-3
    for j in range(n_inputs + 1):
        move = step * np.eye(n_inputs + 1)[j]
        slope = (loss_at(start + move, inputs, targets) - loss_at(start - move, inputs, targets)) / (2 * step)
        # La perte est du second degré : la différence centrée est exacte, à l'arrondi eps·perte/pas près.
        assert start[j] - after[j] == pytest.approx(slope, abs=100 * EPSILON * loss_history[0] / step)


@pytest.mark.parametrize("n_inputs", [1, 2, 3])
def test_least_squares_and_losses_along_the_path(n_inputs):
    """La meilleure solution, ou la perte le long du chemin, n'est plus celle des équations normales."""
    _, inputs, targets, weights, bias = problem(2, 500, np.arange(1.0, n_inputs + 1))
    best, best_loss, curvature = lesson.least_squares(inputs, targets)
    X = extended(inputs)
    # Équations normales : erreur relative de l'ordre de eps × conditionnement (une trentaine) × n au pire.
    np.testing.assert_allclose(best, np.linalg.solve(X.T @ X, X.T @ targets)[:, 0], rtol=1e-11)
    np.testing.assert_allclose(curvature, X.T @ X / 500)
    assert best_loss == pytest.approx(loss_at(best, inputs, targets))
    loss_history, path = lesson.train(inputs, targets, weights, bias, 0.01, 300)
    losses = lesson.full_losses(rows(path), best, best_loss, curvature)
    np.testing.assert_allclose(losses[:-1], loss_history, rtol=1e-9)
    np.testing.assert_allclose(losses[-1], loss_at(rows(path)[-1], inputs, targets), rtol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_training_follows_the_theory(seed):
    """Un pas ne multiplie plus l'écart, sur un axe propre de X'X/n, par 1 - taux × valeur propre, exactement."""
    _, inputs, targets, weights, bias = problem(seed)
    best, best_loss, curvature = lesson.least_squares(inputs, targets)
    loss_history, path = lesson.train(inputs, targets, weights, bias, 0.01, 900)
    values, axes = np.linalg.eigh(curvature)
    gaps = rows(path) - best  # (901, 3)
    factors = (1 - 0.01 * values) ** np.arange(901)[:, None]
    np.testing.assert_allclose(gaps @ axes, (gaps[0] @ axes) * factors, atol=1e-11)  # l'arrondi : 1e-13 vu
    reached = lesson.first_under(loss_history, 1.05 * best_loss)
    assert 540 < reached < 640  # 0.99^(2k)·12.5 = 0.05·0.00167 donne 577, à 5 % de dispersion des données près
    # Biais après 100 pas : il garde 0.99^100 = 37 % de son écart, parti de -0.2 à 0.2.
    assert 5 - 5.2 * 0.39 < path[100][1][0] < 5 - 4.8 * 0.34
    assert best_loss == pytest.approx(0.2**2 / 12 / 2, rel=5 * 0.9 / np.sqrt(1000))  # variance d'une uniforme : 0.9/√n


def test_largest_stable_rate():
    """La limite n'est plus 2 / la plus grande valeur propre de X'X/n : 1 % au-dessous, ou au-dessus, la dément."""
    _, inputs, targets, weights, bias = problem()
    _, best_loss, curvature = lesson.least_squares(inputs, targets)
    limit = 2 * 1000 / np.linalg.norm(extended(inputs), 2) ** 2
    start = inputs, targets, weights, bias
    loss_history, _, found = lesson.learn(*start, 0.99 * limit, 2000)
    assert found == "" and loss_history[-1] < 1.05 * best_loss
    _, parameters, found = lesson.learn(*start, 1.01 * limit, 2000)
    assert re.search(
        rf"explose .* le taux {1.01 * limit:.3g} dépasse la limite, {limit:.3g}\.", " ".join(found.split())
    )
    assert np.isfinite(parameters).all()
    assert "La perte monte" in lesson.learn(*start, 1.02 * limit, 60)[2]


def test_the_limit_is_told_apart_from_a_rate_beside_it():
    """Le taux qu'on vient de lire comme limite est dit « au-dessus de lui-même »."""
    _, inputs, targets, weights, bias = problem()
    found = lesson.learn(inputs, targets, weights, bias, 0.05593, 1000)[2]
    rate, limit = [float(number) for number in re.search(r"le taux (\S+) dépasse la\slimite, (\S+)\.", found).groups()]
    assert rate == 0.05593 > limit
    assert lesson.apart(3.1296, 4.999) == ("3.13", "5") and lesson.apart(999.88, 1000) == ("999.9", "1000")


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
    """Les groupes ne sont plus tirés uniformément, ou le pas n'est plus celui du gradient moyen du groupe."""
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
        np.testing.assert_allclose(rows(one)[1], rows(path)[k + 1], rtol=1e-12)


@pytest.mark.parametrize("size", [4, 32])
def test_trembling_of_a_mini_batch_against_theory(size):
    """L'excès moyen de perte n'est plus taux/(2·taille) × (trace de H) × (perte du bruit), au premier ordre."""
    rng, inputs, targets, _, _ = problem(4)
    best, best_loss, H = lesson.least_squares(inputs, targets)
    rate = 0.001  # petit : l'ordre suivant est de l'ordre de taux × trace de H × (1 + d) / taille, 7 % au plus
    _, path = lesson.train(inputs, targets, best[:-1, None], best[-1:], rate, 40_000, size, rng)
    excess = lesson.full_losses(rows(path), best, best_loss, H)[5000:].mean() - best_loss
    theory = rate / 2 / size * np.trace(H) * best_loss
    # Mémoire de 1/(2·0.001·1) = 500 pas pour le biais, sa part est 1/67 ; 15 pour les poids : 2300 tirages, 3 %.
    assert excess == pytest.approx(theory, rel=0.07 + 3 * 0.03)


# --- Les fautes d'élèves ------------------------------------------------------------------------------
STEP6 = "weights = weights - learning_rate * np.dot(x.T, deltas_scaled)"
STEP7 = "bias = bias - learning_rate * deltas_scaled.sum()"
RETURN = "    return loss_history, path\n\n\n# --- Partagé"
UNDER = r"est sous la limite \(0\.0559\) : relisez les étapes \(5\) à \(7\)"
# nom : (ancien texte, nouveau texte, ce que dit 2.2.2-boucle)
MISTAKES = {
    "pas de / n": (
        "deltas_scaled = deltas / len(x)",
        "deltas_scaled = deltas",
        UNDER + ".* 1000 fois le bon pour les poids",
    ),
    "un plus": ("weights = weights - learning_rate", "weights = weights + learning_rate", UNDER + ".* -1 fois le bon"),
    "un plus sur le biais": ("bias = bias - learning_rate", "bias = bias + learning_rate", UNDER + ".* -1 fois pour b"),
    "(7) pas divisée": ("learning_rate * deltas_scaled.sum()", "learning_rate * deltas.sum()", UNDER),
    "poids deux fois": (
        STEP7,
        f"{STEP6}\n        {STEP7}",
        r"Le pas n° 1 .* : 2 fois le bon pour les poids, 1 fois pour b",
    ),
    "écarts à l'envers": ("deltas = outputs - y", "deltas = y - outputs", UNDER + r", et le signe en \(2\)"),
    "perte pas divisée": (".sum() / 2 / len(x)", ".sum() / 2", r"formules de l'énoncé : 4\.96e\+05 au lieu de 496"),
    "perte sans le 2": (".sum() / 2 / len(x)", ".sum() / len(x)", r"formules de l'énoncé : 992 au lieu de 496"),
    "biais oublié": (STEP7, "pass", r"bias est le même tableau .* l'étape \(7\) manque"),
    "biais oublié en (1)": ("np.dot(x, weights) + bias", "np.dot(x, weights)", r"relisez les étapes \(1\) à \(4\)"),
    "transposée ailleurs": (
        "np.dot(x.T, deltas_scaled)",
        "np.dot(deltas_scaled.T, x)",
        r"\(2, 2\), au lieu de \(2, 1\)",
    ),
    "cible plate": ("outputs - y ", "outputs - y[:, 0] ", r"weights devient de forme \(2, 1000\)"),
    "somme sur un axe": (
        "deltas_scaled.sum()",
        "deltas_scaled.sum(axis=1)",
        r"bias devient de forme \(1000,\), au lieu",
    ),
    "sur place": ("weights = weights - learning_rate", "weights -= learning_rate", r"avec « -= »"),
    "perte pas gardée": ("loss_history.append(loss)", "loss", r"loss_history a 0 nombre pour \d+ itérations"),
    "perte pas sommée": ("(deltas**2).sum()", "deltas**2", r"relisez les étapes \(3\) et \(4\)"),
    "divisée deux fois": ("np.dot(x.T, deltas_scaled)", "np.dot(x.T, deltas_scaled / len(x))", r": 0\.001 fois le bon"),
    "return dans la boucle": (RETURN, "    " + RETURN, r"loss_history a 1 nombre pour .* l'indentation du return"),
    "return oublié": (RETURN, RETURN.replace("return loss_history, path", "pass"), "train ne rend pas"),
    "une itération de moins": ("in range(n_iterations)", "in range(1, n_iterations)", "le range"),
    "path oublié": ("path.append((weights, bias))", "pass", "relisez path.append"),
    "départ repris": (
        "        outputs = np.dot(x",
        "        weights, bias = path[0]\n        outputs = np.dot(x",
        "Le pas n° 2",
    ),
}
# Les mêmes, pour un mini-batch : le gradient complet est juste.
GROUP_MISTAKES = {
    "divisé par toutes": (
        "deltas_scaled = deltas / len(x)",
        "deltas_scaled = deltas / len(inputs)",
        "divisez par len(x)",
    ),
    "perte de toutes": (
        ".sum() / 2 / len(x)",
        ".sum() / 2 / len(inputs)",
        "La perte d'un mini-batch n'est pas celle de son",
    ),
    "toujours le même": (
        "inputs[groups[k]], targets[groups[k]]",
        "inputs[groups[0]], targets[groups[0]]",
        "toujours le même",
    ),
    "x et y mêlés": ("targets[groups[k]]", "targets[groups[k - 1]]", "x et y du même groupe"),
    "pas de groupe": (
        "x, y = inputs[groups[k]], targets[groups[k]]",
        "x, y = inputs, targets",
        "Un pas n'est pas la moyenne",
    ),
    "des tranches": (
        "inputs[groups[k]], targets[groups[k]]",
        "inputs[3 * k : 3 * k + 3], targets[3 * k : 3 * k + 3]",
        "vide",
    ),
}
# Ce que Python dit déjà : son erreur reste entière.
ERRORS = {
    "une étoile": ("np.dot(x, weights) + bias", "x * weights + bias", "ValueError"),
    "pas de transposée": ("np.dot(x.T, deltas_scaled)", "np.dot(x, deltas_scaled)", "ValueError"),
    "un nom mal écrit": ("deltas / len(x)", "delta / len(x)", "NameError"),
}


@pytest.fixture(scope="module")
def mistakes(workers, tmp_path_factory):
    """Le script entier, avec chaque faute ; en peu d'itérations là où chacune dure 9 ms."""
    pending = {}
    for name, (old, new, _) in (MISTAKES | GROUP_MISTAKES).items():
        path = tmp_path_factory.mktemp("faute") / "exercice1.py"
        text = (ROOT / "exercice1.py").read_text(encoding="utf-8")
        path.write_text(edited(text, [(old, new)]), encoding="utf-8")
        slow = name in ("cible plate", "somme sur un axe")
        pending[name] = workers.submit(play, path, "--corrige", *(["--n-iterations", "20"] if slow else []))
    return {name: future.result(timeout=600) for name, future in pending.items()}


def check_blame(output):
    """Aucun taux n'est accusé à tort : 0.07, seul, dépasse la limite ; et toutes les sections ont été jouées."""
    check_layout(output)
    parts = {name: " ".join(text.split()) for name, text in blocks(output).items()}
    assert list(parts) == list(lesson.SECTIONS)
    for section, text in parts.items():
        assert all(float(rate) == 0.07 for rate in re.findall(r"le taux (\S+) dépasse", text)), section
        assert "trop grand pour des groupes" not in text, section
    return parts


@pytest.mark.lent
@pytest.mark.parametrize("name", MISTAKES)
def test_a_students_mistake_is_said_and_never_blamed_on_a_setting(name, mistakes):
    """Une faute de l'élève casse chez nous, n'est pas dite, ou est mise sur le compte d'un taux sous la limite."""
    status, output, errors = mistakes[name]
    assert (status, errors) == (0, "")
    parts = check_blame(output)
    assert re.search(MISTAKES[name][2], parts["2.2.2-boucle"]), parts["2.2.2-boucle"]
    for section, text in parts.items():
        if section.startswith("2.2.2"):
            assert "Réponse" not in text or "Réponse : Rien à conclure. " in text, section


@pytest.mark.lent
@pytest.mark.parametrize("name", GROUP_MISTAKES)
def test_a_mistake_in_the_mini_batch_is_said(name, mistakes):
    """Une faute dans les groupes n'est pas dite en 2.2.3, ou fait taire le gradient complet, qui est juste."""
    status, output, errors = mistakes[name]
    assert (status, errors) == (0, "")
    parts = check_blame(output)
    assert "Le biais n'est pas arrivé" in parts["2.2.2-boucle"]
    for section in ("2.2.3-mini-batch", "2.2.3-million"):
        assert GROUP_MISTAKES[name][2] in parts[section] and "Réponse" not in parts[section]


@pytest.mark.parametrize("name", ERRORS)
def test_pythons_own_error_is_never_swallowed(name):
    """Une faute de l'élève dans la boucle n'a plus son erreur Python, ni la ligne où elle est."""
    old, new, error = ERRORS[name]
    module = variant("exercice1", [(old, new)])
    with pytest.raises((ValueError, NameError)) as caught:
        call(module, "2.2.2-boucle")
    assert type(caught.value).__name__ == error and caught.traceback[-1].name in ("train", "dot")


FLAT = {
    "targets (n,)": (
        "return inputs, targets",
        "return inputs, targets[:, 0]",
        r"targets est de forme (1000,), il faut (1000, 1)",
    ),
    "weights (d,)": (
        "return weights, bias\n",
        "return weights[:, 0], bias\n",
        r"weights est de forme (2,), il faut (2, 1)",
    ),
    "inputs (n,)": (
        "return inputs, targets",
        "return inputs[:, 0], targets",
        r"inputs est de forme (1000,), il faut (1000, 1)",
    ),
    "bias (n,)": (
        "bias = rng.uniform(-0.2, 0.2, size=1)",
        "bias = rng.uniform(size=9)",
        r"bias est de forme (9,), il faut (1,)",
    ),
}


@pytest.mark.parametrize("name", FLAT)
def test_a_wrong_shape_is_said_before_the_loop(name):
    """Des cibles (n,) entrent dans la boucle : neuf secondes pour mille itérations, et rien n'est appris."""
    old, new, said = FLAT[name]
    module = variant("exercice1", [(old, new)])
    for section in module.SECTIONS:
        if section != "2.2.2-trois-entrees":
            if section != "2.2.3-mini-batch":  # celle-ci essaie d'abord `train` sur des données à elle
                module.train = None  # l'appeler serait une erreur
            else:
                module.train = lesson.train
            output, answer = call(module, section)
            assert said in output and answer is None, section


STACK = "np.column_stack((x1, x2, x3))"
# (changements, ce qui est dit) ; chaque fois, rien n'est appris
THIRD = [
    ([(STACK, "np.column_stack((x1, x2))")], "inputs est de forme (1000, 2)"),
    ([(STACK, "np.concatenate((x1, x2, x3))")], "inputs est de forme (3000, 1)"),
    ([(STACK, "np.array((x1, x2, x3))")], "inputs est de forme (3, 1000, 1)"),
    ([("- 3 * x3 + 3 + noise", "- 3 * x3 + 3 + noise[:, 0]")], "targets est de forme (1000, 1000), il faut (1000, 1)"),
    (
        [("+ 3 + noise\n", "+ 3 + noise\n    targets = targets[:, 0]\n")],
        "targets est de forme (1000,), il faut (1000, 1)",
    ),
    ([("size=(3, 1)), rng", "size=3), rng")], "weights est de forme (3,), il faut (3, 1)"),
    ([("- 3 * x3 + 3 + noise", "+ 3 * x3 + 3 + noise")], "bien plus que le bruit : relisez targets"),
]


@pytest.mark.parametrize("changes, said", THIRD)
def test_the_third_input_says_what_does_not_fit(changes, said):
    """L'élève écrit les données : le tableau nommé n'est pas celui qui est faux."""
    output, answer = call(variant("exercice1", changes), "2.2.2-trois-entrees")
    assert said in output and answer is None


@pytest.mark.lent
def test_make_data_that_does_not_follow_the_settings_is_said():
    """Le biais ou le bruit oublié n'est pas dit, ou est reproché au code juste."""
    for changes in ([("+ true_bias + noises", "+ noises")], [("+ true_bias + noises", "+ true_bias")]):
        output, answer = call(variant("exercice1", changes), "2.2.1")
        assert "relisez make_data" in output and answer.startswith("Rien à conclure")
    for seed in range(20):
        for settings in ({"N_OBSERVATIONS": 21}, {"N_OBSERVATIONS": 2}, {"NOISE": 0}):
            assert "make_data" not in call(variant("exercice1", SEED=seed, **settings), "2.2.1")[0]


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_each_group_tells_its_own_explosion():
    """La ligne d'un mini-batch répète l'explosion du gradient complet au lieu de la sienne."""
    module = variant("exercice1", LEARNING_RATE=0.06, BATCH_SIZES=[1, 4, 32])
    output, answer = call(module, "2.2.3-mini-batch")
    rng, inputs, targets, weights, bias = module.setup(1000)
    first_loss = module.train(inputs, targets, weights, bias, 0, 1)[0][0]
    for size in (1, 4, 32, None):
        losses, _ = module.train(inputs, targets, weights, bias, 0.06, 1000, size, rng)
        over = next(k for k, loss in enumerate(losses) if not loss <= 1000 * first_loss)
        assert f"  groupes de {size or 1000:<8} La perte explose (× 1000) à l'itération {over}\n" in output
    assert answer.startswith(f"Rien à conclure. La perte explose (× 1000) à l'itération {over} : le taux 0.06 dépasse")


@pytest.mark.parametrize("rate, size, explodes", [(0.03, 1, True), (0.05, 1, True), (0.01, 32, False), (0.5, 1, True)])
def test_right_code_with_groups(rate, size, explodes):
    """Des groupes de 1 explosent au taux 0.03, et c'est le code, juste, qui est accusé."""
    rng, inputs, targets, weights, bias = problem()
    with np.errstate(over="ignore", invalid="ignore"):
        found = " ".join(lesson.learn(inputs, targets, weights, bias, rate, 1000, size, rng)[2].split())
    assert bool(found) == explodes and "relisez" not in found
    if explodes:
        assert ("dépasse la limite" if rate > 0.06 else f"trop grand pour des groupes de {size}") in found


# --- Chaque phrase de réponse, du côté vrai et du côté faux -------------------------------------------
# (section, réglages, ce que dit la réponse, ce qu'elle ne dit pas) ; un quintuple a aussi des changements de texte.
FEW = {"N_OBSERVATIONS": 10, "SEED": 4, "LEARNING_RATE": 0.02, "N_ITERATIONS": 300}
NARROW = [("(-10, 10, size=(n_o", "(-3.5, 3.5, size=(n_o")]
CASES = [
    ("2.2.1", {}, "vaut 3·x1 - 4·x2 + 5, plus un bruit d'au plus 0.1", "..."),
    ("2.2.1", {}, "la perte (la moitié du carré moyen des écarts) est 0.00164", "sans bruit"),
    ("2.2.1", {"NOISE": 0, "TRUE_WEIGHTS": [1.5] * 6}, "1.5·x5 + ... + 5, sans bruit", "la perte"),
    ("2.2.1", {"N_OBSERVATIONS": 2}, "Apprendre, c'est retrouver ces nombres", "ne s'apprend pas"),
    ("2.2.1", {}, "Rien à conclure : les cibles ne suivent pas", "vaut 3·x1", [("+ noises", "+ noises + 1")]),
    ("2.2.2-boucle", {}, "Le biais n'est pas arrivé : 3.13 au lieu de 5. Son entrée vaut toujours 1", "Oui"),
    ("2.2.2-boucle", {}, "n'enlève que 1 % de son erreur ; à la fin, il en reste 36 %", "Oui"),
    ("2.2.2-boucle", {"N_ITERATIONS": 2000}, "Oui, tous sont arrivés à leur meilleure valeur", "des vraies"),
    (
        "2.2.2-boucle",
        {"N_ITERATIONS": 2000, "NOISE": 100},
        "les meilleures valeurs sont jusqu'à 0.97 des vraies",
        "biais",
    ),
    ("2.2.2-boucle", {"N_ITERATIONS": 2}, "Non : w2 vaut -2.29 au lieu de -4", "biais"),
    ("2.2.2-boucle", {"N_OBSERVATIONS": 2, "LEARNING_RATE": 0.001}, "2 observations pour 3 paramètres", "arrivé"),
    ("2.2.2-boucle", {"LEARNING_RATE": 0.5}, "le taux 0.5 dépasse la limite, 0.0559", "relisez"),
    ("2.2.2-boucle", {"TRUE_BIAS": 1000, "N_ITERATIONS": 900}, "999.9 au lieu de 1000", "arrivés"),
    # peu d'observations : la part qui reste n'est plus (1 - taux)^n
    ("2.2.2-boucle", FEW, "Le biais n'est pas arrivé", "Son entrée"),
    # des entrées plus petites : le gradient du biais n'est plus « bien plus petit »
    ("2.2.2-boucle", {"N_ITERATIONS": 150}, "Le biais n'est pas arrivé", "plus petit", NARROW),
    ("2.2.2-perte", {}, "commence à converger vers l'itération 5 : 95 % de la descente", "pas atteint"),
    ("2.2.2-perte", {}, "5 % au-dessus de la meilleure perte (0.00163), est atteint à l'itération 597", "pas atteint"),
    ("2.2.2-perte", {"N_ITERATIONS": 100}, "n'est pas atteint à l'itération 99, la dernière", "est atteint à l'"),
    ("2.2.2-perte", {"N_ITERATIONS": 2}, "Pas encore : à l'itération 1, la dernière", "commence"),
    (
        "2.2.2-perte",
        {"NOISE": 0, "N_ITERATIONS": 2000},
        "Le but, un millionième (la meilleure perte est",
        "5 % au-dessus",
    ),
    ("2.2.2-perte", {"NOISE": 1000}, "est alors déjà atteint", "à l'itération 0"),
    ("2.2.2-perte", {"LEARNING_RATE": 0.07}, "le taux 0.07 dépasse la limite", "commence"),
    ("2.2.2-taux", {}, "Plus le taux est grand, plus c'est rapide, sous une limite, ici 0.0559 : but", "Tout près"),
    ("2.2.2-taux", {}, "à l'itération 5994 au taux 0.001, 197 au taux 0.03", "finirait"),
    ("2.2.2-taux", {}, "dix fois plus petit (0.001 au lieu de 0.01) demande dix fois plus", "finirait"),
    ("2.2.2-taux", {}, "Au-dessus de la limite, 0.0559 (taux 0.07), la perte explose ou monte", "finirait"),
    (
        "2.2.2-taux",
        {"RATES": [0.055, 0.01, 0.05]},
        "597 au taux 0.01, 117 au taux 0.05. Tout près de la limite",
        "dix fois",
    ),
    (
        "2.2.2-taux",
        {"RATES": [0.055, 0.05]},
        "au plus tôt à l'itération 117, au taux 0.05. Tout près",
        "plus c'est rapide",
    ),
    ("2.2.2-taux", {"RATES": [0.01]}, "au plus tôt à l'itération 597, au taux 0.01. Au-dessus de la limite", "Plus"),
    ("2.2.2-taux", {"RATES": [0.07, 0.07, 1e6]}, "Aucun de ces taux ne mène au but d'ici l'itération 9999", "rapide"),
    ("2.2.2-taux", {"RATES": [0.001], "N_ITERATIONS": 50}, "la perte finirait par exploser", "explose ou monte"),
    ("2.2.2-taux", {"RATES": [0.002, 0.02], "N_ITERATIONS": 1000}, "au plus tôt à l'itération 297", "dix fois"),
    ("2.2.2-taux", {"RATES": [0.05593, 0.01]}, "0.055927 (taux 0.05593), la perte explose", "plus c'est rapide"),
    ("2.2.2-taux", {}, "Rien à conclure. La perte explose", "Plus le taux", [("deltas / len(x)", "deltas")]),
    ("2.2.2-echelle", {}, "On arrive au but 11 fois plus vite : en 11 itérations au lieu de 117", "montrent pas"),
    ("2.2.2-echelle", {}, "36 fois plus courbée dans une direction que dans une autre", "montrent pas"),
    (
        "2.2.2-echelle",
        {},
        "Divisées, 3.1 fois seulement : la limite passe de 0.0559 à 2. Divisés par 10",
        "montrent pas",
    ),
    # le taux d'origine est loin de sa limite ; les mêmes entrées ; on n'arrive pas, ou pas plus tôt
    (
        "2.2.2-echelle",
        {"RAW_RATE": 0.001, "N_ITERATIONS": 9000},
        "Ces réglages ne le montrent pas",
        "fois plus vite : en",
    ),
    (
        "2.2.2-echelle",
        {"SCALE": 1, "RAW_RATE": 0.03, "SCALED_RATE": 0.05},
        "Ces réglages ne le montrent pas",
        "courbée",
    ),
    (
        "2.2.2-echelle",
        {"SCALED_RATE": 1e-6},
        "(d'origine : but atteint à l'itération 117 ; divisées : but pas",
        "courbée",
    ),
    ("2.2.2-echelle", {"N_ITERATIONS": 5}, "d'origine : but pas atteint ; divisées : but pas atteint", "courbée"),
    ("2.2.2-echelle", {"SCALED_RATE": 5}, "Rien à conclure. La perte explose", "plus vite"),
    # un but large : on y arrive avant que les poids soient bons
    ("2.2.2-echelle", {"NOISE": 50, "N_ITERATIONS": 9, "SCALED_RATE": 0.9}, "fois plus vite : en", "Divisés par"),
    ("2.2.2-trois-entrees", {}, "Rien ne change dans `train`", "Pas encore"),
    ("2.2.2-trois-entrees", {}, "Les paramètres appris sont les vrais, à 0.0016 près", "Pas encore"),
    (
        "2.2.2-trois-entrees",
        {"N_ITERATIONS": 100},
        "Pas encore : à l'itération 100, b vaut 1.94 au lieu de 3",
        "les vrais",
    ),
    ("2.2.2-trois-entrees", {"LEARNING_RATE": 0.5}, "dépasse la limite", "les vrais"),
    ("2.2.2-trois-entrees", {"N_OBSERVATIONS": 2}, "2 observations pour 4 paramètres", "les vrais"),
    ("2.2.3-mini-batch", {}, "Plus le groupe est petit, moins la courbe est lisse", "montrent pas"),
    ("2.2.3-mini-batch", {}, "lire 715 exemples par groupes de 1, au lieu de 597 000 exemples", "montrent pas"),
    ("2.2.3-mini-batch", {}, "de 43 % (groupes de 1), 10 % (groupes de 4), 1 % (groupes de 32)", "montrent pas"),
    ("2.2.3-mini-batch", {"BATCH_SIZES": [5000, 1000]}, "Ces réglages ne le montrent pas", "au-dessus"),
    ("2.2.3-mini-batch", {"BATCH_SIZES": [8, 8, 2]}, "(groupes de 2)", "(groupes de 1)"),
    ("2.2.3-mini-batch", {"N_ITERATIONS": 100}, "moins la courbe est lisse", "au-dessus de la meilleure"),
    (
        "2.2.3-mini-batch",
        {"N_ITERATIONS": 2, "BATCH_SIZES": [32, 4, 1]},
        "Ces réglages ne le montrent pas",
        "au-dessus",
    ),
    ("2.2.3-mini-batch", {"NOISE": 0, "N_ITERATIONS": 2000}, "il suffit de lire ", "au-dessus de la meilleure"),
    (
        "2.2.3-mini-batch",
        {"LEARNING_RATE": 0.03},
        "trop grand pour des groupes de 1. Plus le groupe est petit",
        "(groupes de 1)",
    ),
    ("2.2.3-mini-batch", {"LEARNING_RATE": 0.5}, "Rien à conclure. La perte explose", "lisse"),
    ("2.2.3-million", {}, "pour arriver au but, il faut environ ", "pas atteint"),
    ("2.2.3-million", {}, "presque rien", "pas atteint"),
    (
        "2.2.3-million",
        {"N_ITERATIONS": 20},
        "(gradient complet : but pas atteint ; mini-batch : but pas",
        "pour arriver",
    ),
    ("2.2.3-million", {"N_ITERATIONS": 20, "BATCH_SIZE": 100_000}, "ne lit que son groupe", "presque rien"),
    ("2.2.3-million", {"LEARNING_RATE": 0.5, "N_ITERATIONS": 20}, "Rien à conclure. La perte explose", "coûte"),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Tous les cas, joués une fois sous coverage.py ; rend leurs réponses et ce que coverage.py a vu."""
    return measured("exercice1", CASES, tmp_path_factory.mktemp("mesures"))


@pytest.mark.lent
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{CASES[number][0]} {CASES[number][2][:30]}")
def test_each_sentence_on_both_sides(number, played):
    """Une phrase est dite d'un essai qui ne la montre pas, ou tue là où elle est vraie."""
    answer, (_, _, said, unsaid, *_) = played[0][number], CASES[number]
    assert said in answer and unsaid not in answer, answer


@pytest.mark.lent
def test_every_branch_below_the_answers_is_taken(played):
    """Une phrase d'une réponse n'est dite dans aucun cas : personne ne l'a jamais vérifiée."""
    assert never_taken("exercice1", played[1]) == ([], [])


@pytest.mark.lent
@pytest.mark.parametrize("seed", [*range(1, 8), 1234])
def test_answers_are_true_for_unseen_seeds(seed):
    """Un nombre d'une réponse n'est pas celui que donne, sans `train`, l'équation de la descente."""
    module = variant("exercice1", SEED=seed)
    _, inputs, targets, weights, bias = module.setup(1000)
    X = extended(inputs)
    best = np.linalg.solve(X.T @ X, X.T @ targets)[:, 0]
    values, axes = np.linalg.eigh(X.T @ X / 1000)
    best_loss, start = loss_at(best, inputs, targets), np.append(weights, bias) - best

    def losses(rate, n_iterations, scale=1.0):
        if scale != 1:
            return losses_of(inputs / scale, rate, n_iterations)
        shrunk = (start @ axes) * (1 - rate * values) ** np.arange(n_iterations)[:, None]
        return best_loss + (shrunk**2 * values).sum(axis=1) / 2

    def losses_of(small, rate, n_iterations):
        S = extended(small)
        lowest = np.linalg.solve(S.T @ S, S.T @ targets)[:, 0]
        bends, directions = np.linalg.eigh(S.T @ S / 1000)
        first = np.append(weights, bias) - lowest
        shrunk = (first @ directions) * (1 - rate * bends) ** np.arange(n_iterations)[:, None]
        return best_loss + (shrunk**2 * bends).sum(axis=1) / 2

    def passage(found, level):
        return int(np.argmax(found <= level))

    goal = 1.05 * best_loss
    history = losses(0.01, 1000)
    answer = answer_to("exercice1", "2.2.2-perte", {"SEED": seed})
    assert f"vers l'itération {passage(history, best_loss + 0.05 * (history[0] - best_loss))} : 95 %" in answer
    assert f"est atteint à l'itération {passage(history, goal)} :" in answer
    answer = answer_to("exercice1", "2.2.2-taux", {"SEED": seed})
    slow, fast = passage(losses(0.001, 10_000), goal), passage(losses(0.03, 1000), goal)
    assert f"but à l'itération {slow} au taux 0.001, {fast} au taux 0.03" in answer
    assert f"Au-dessus de la limite, {2 / values[-1]:.3g} (taux 0.07), la perte explose" in answer
    answer = answer_to("exercice1", "2.2.2-echelle", {"SEED": seed})
    assert 11 <= passage(losses(1.5, 100, 10.0), goal) <= 13, "mesuré sur les graines 0 à 8"
    assert (
        f"en {passage(losses(1.5, 100, 10.0), goal)} itérations au lieu de {passage(losses(0.05, 200), goal)}" in answer
    )
    assert f"vallée étroite, {values[-1] / values[0]:.0f} fois plus courbée" in answer
    answer = answer_to("exercice1", "2.2.2-boucle", {"SEED": seed})
    after = best + axes @ ((start @ axes) * (1 - 0.01 * values) ** 100)
    assert (
        f"{after[-1]:.3g} au lieu de {best[-1]:.3g}" in answer
        and f"{100 * (after - best)[-1] / start[-1]:.0f} %" in answer
    )


@pytest.mark.lent
def test_lists_are_edited_freely(tmp_path, workers):
    """Une liste d'une valeur, de quarante, avec des répétitions ou à l'envers casse une section, ou déborde."""
    edits = [
        ["--rates", "0.01", "--batch-sizes", "7"],
        ["--rates", ",".join(["0.07", "0.01", "0.01", "0.001"] * 10), "--batch-sizes", ",".join(["4"] * 40)],
        ["--rates", "0.03,0.02,0.01", "--batch-sizes", "1000,2000,32,2", "--true-weights", "1"],
        ["--true-weights", ",".join("123456789" * 2), "--n-iterations", "1", "--batch-sizes", "1"],
        ["--n-observations", "2", "--n-iterations", "1"],
        ["--noise", "0", "--learning-rate", "1e-9"],
    ]
    pending = []
    for number, options in enumerate(edits):
        path = tmp_path / str(number) / "exercice1.py"
        path.parent.mkdir()
        path.write_bytes((ROOT / "exercice1.py").read_bytes())
        sections = ["--section", "2.2.1", "--section", "2.2.2", "--section", "2.2.3-mini-batch"]
        pending.append(workers.submit(play, path, "--corrige", *sections, *options))
    for options, future in zip(edits, pending):
        status, output, errors = future.result(timeout=600)
        assert (status, errors) == (0, ""), options
        check_layout(output)
        assert len(blocks(output)) == 7


def test_n_iterations_is_the_number_of_iterations_everywhere(tmp_path):
    """--n-iterations 250 en fait un autre nombre dans une section."""
    module = variant("exercice1", N_ITERATIONS=250)
    counts, real_train = [], module.train

    def counting(inputs, targets, weights, bias, learning_rate, n_iterations, *given):
        counts.append(n_iterations)
        return real_train(inputs, targets, weights, bias, learning_rate, n_iterations, *given)

    module.train = counting
    for section in module.SECTIONS:
        if section != "2.2.3-million":
            call(module, section)
    counts = [count for count in counts if count != 5]  # 2.2.3 essaie d'abord les mini-batchs, en cinq itérations
    assert counts == [250] * (1 + 1 + 4 + 2 + 1 + 4)


@pytest.mark.lent
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss n'y a pas le même sens")
def test_memory_of_the_mini_batches(tmp_path):
    """100 000 itérations par groupes de 32 prennent plus de 200 Mo de plus que les imports."""
    code = "import resource, sys; sys.argv = ['exercice1.py', *{options}]; import exercice1; exercice1.main(); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    peaks = []
    for options in (["--liste"], ["--section", "2.2.3-mini-batch", "--n-iterations", "100000"]):
        (tmp_path / "joue.py").write_text(code.format(options=options), encoding="utf-8")
        (tmp_path / "exercice1.py").write_bytes((ROOT / "exercice1.py").read_bytes())
        status, output, errors = run("joue", tmp_path)
        assert (status, errors) == (0, "")
        peaks.append(int(output.split()[-1]) / 1024)
    assert peaks[1] - peaks[0] < 200
