"""Le vérificateur : des réponses justes et fausses à chaque chose à écrire, et ce qu'il en dit.

Un enfant par script sert à tous les essais d'un fichier : il relit le script à chaque question.
"""

import contextlib
import re
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from commun import ROOT, environment

sys.path.insert(0, str(ROOT / "outils"))
import verifier
import version_eleve
from verification import (
    BLANKS,
    dessins,
    dialogue,
    erreurs,
    exercice1,
    exercice2,
    exercice3,
    exercice3_nonlinear,
    relu_plot,
    source,
)

NUMBERS = range(1, len(BLANKS) + 1)


# --- De quoi remplir un script d'élève ----------------------------------------------------------------
@pytest.fixture(scope="module")
def files():
    """Ce que reçoit un élève : {nom: texte}."""
    return version_eleve.student_files()


def solutions():
    """{numéro: lignes de la réponse du corrigé}, sans leur décalage."""
    found = {}
    for script in version_eleve.SCRIPTS:
        text = (ROOT / f"{script}.py").read_text(encoding="utf-8")
        for match in version_eleve.REGION.finditer(text):
            lines = match.group(0).splitlines()[1:-1]
            found[version_eleve.number_of(script, match.group(2))] = textwrap.dedent("\n".join(lines))
    return found


def filled(text, answers):
    """Le texte d'un élève, où le `raise` de chaque numéro de `answers` est remplacé par ces lignes."""
    for number, code in answers.items():
        found = re.search(rf'^( *)raise NotImplementedError\("À vous n° {number} : .*\n', text, re.MULTILINE)
        if found:
            text = text.replace(found[0], textwrap.indent(code, found[1]) + "\n")
    return text


@pytest.fixture(scope="module")
def bench(files, tmp_path_factory):
    """Un dossier d'élève et ses enfants, arrêtés à la fin ; `judge` y juge une réponse, les autres étant justes."""
    folder, children, right = tmp_path_factory.mktemp("élève"), {}, solutions()
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    def judge(answers, number, others=None):
        script = BLANKS[number - 1].script
        text = filled(files[f"{script}.py"], {**(right if others is None else others), **answers})
        (folder / f"{script}.py").write_text(text, encoding="utf-8")
        states = {other: "bien" for other in right if other not in answers} if others is None else {}
        work = verifier.Work(script, text, children.setdefault(script, []), states)
        return verifier.verdict(work, number)

    verifier.FOLDER = folder
    yield SimpleNamespace(folder=folder, judge=judge, right=right)
    for child in sum(children.values(), []):
        dialogue.stop(child)


def named(number, lines):
    """Des cas, un par ligne de liste : (numéro, code) ou (numéro, code, ce qui est dit)."""
    return [(number, *(case if isinstance(case, tuple) else (case,))) for case in lines]


TRAIN = "train(inputs, targets, weights, bias, {}, n_iterations{})"
LOOP = "for rate in RATES:\n    loss_history, path = train(inputs, targets, weights, bias, rate, n_iterations)\n    {}"
SIZES = (
    "for size in BATCH_SIZES:\n"
    "    loss_history, path = train(inputs, targets, weights, bias, LEARNING_RATE, n_iterations, size, rng)\n"
    "    {}"
)
DATA = """x1, x2, x3 = (np.random.uniform(-10, 10, size=(1000, 1)) for _ in range(3))
inputs = np.column_stack((x1, x2, x3))
noise = {noise}
targets = {formula} + noise
weights = np.random.uniform(-0.2, 0.2, size={shape})
bias = np.random.uniform(-0.2, 0.2, size=1)"""
NOISE = "np.random.uniform(-0.1, 0.1, size=(1000, 1))"
FORMULA = "2 * x1 + 4 * x2 - 3 * x3 + 3"


def data(noise=NOISE, formula=FORMULA, shape="(3, 1)", more=""):
    return DATA.format(noise=noise, formula=formula, shape=shape) + more


def model(layers, forward):
    """Une réponse aux deux choses à écrire de RegressionModel."""
    return {15: layers, 16: forward}


# --- Des réponses justes ------------------------------------------------------------------------------
RIGHT = [
    *named(
        1,
        [
            "plt.plot(loss_history)",
            "ax.plot(range(1, len(loss_history) + 1), loss_history)",
            "ax.scatter(np.arange(len(loss_history)), loss_history, s=2)",
            "for k, loss in enumerate(loss_history):\n    ax.plot(k, loss, 'o')"
            if False
            else "ax.semilogy(loss_history)",
            "x = []\nfor k in range(len(loss_history)):\n    x.append(k)\nplt.plot(x, loss_history, 'r--')\nprint('fini')",
            "ax.bar(range(len(loss_history)), loss_history)",
            "ax.plot(np.array(loss_history))\nplt.xlabel('itération')\nplt.close()",
        ],
    ),
    *named(
        2,
        [
            LOOP.format("ax.plot(loss_history, label=rate)"),
            LOOP.format("plt.plot(loss_history, label=f'{rate}')\nplt.legend()"),
            LOOP.format("plt.semilogy(range(n_iterations), loss_history)\n    results.append((loss_history, path))"),
            "for k in range(len(RATES)):\n    r = train(inputs, targets, weights, bias, RATES[k], n_iterations)\n"
            "    results.append(r)\n    ax.plot(r[0])",
            "curves = [train(inputs, targets, weights, bias, rate, n_iterations)[0] for rate in RATES]\n"
            "for curve in curves:\n    ax.plot(curve)",
            "for rate in RATES[:5]:\n    w, b, losses = weights, bias, []\n    for i in range(n_iterations):\n"
            "        deltas = np.dot(inputs, w) + b - targets\n        losses.append((deltas**2).sum() / 2 / len(inputs))\n"
            "        w = w - rate * np.dot(inputs.T, deltas / len(inputs))\n        b = b - rate * (deltas / len(inputs)).sum()\n"
            "    ax.plot(losses)",
        ],
    ),
    *named(
        3,
        [
            data(),
            data().replace("1000", "N_OBSERVATIONS").replace("np.random.", "rng."),
            "inputs, targets = make_data(rng, N_OBSERVATIONS, [2, 4, -3], 3, NOISE)\n"
            "weights, bias = make_parameters(rng, 3)",
            data(more="\nbias = 0.1\nweights = np.zeros((3, 1))"),
            "inputs = rng.uniform(-10, 10, (N_OBSERVATIONS, 3))\nweights = rng.uniform(-0.2, 0.2, (3, 1))\n"
            "bias = rng.uniform(-0.2, 0.2, 1)\nnoise = rng.uniform(-0.1, 0.1, (N_OBSERVATIONS, 1))\n"
            "targets = inputs @ np.array([[2], [4], [-3]]) + 3 + noise",
        ],
    ),
    *named(
        4,
        [
            "groups = [rng.choice(len(inputs), batch_size, replace=False) for _ in range(n_iterations)]",
            "groups = []\nfor i in range(n_iterations):\n    groups.append(rng.integers(0, len(inputs), batch_size))",
            "groups = np.random.randint(0, len(inputs), size=(n_iterations, batch_size))",
            "groups = []\nfor i in range(n_iterations):\n    groups.append(rng.permutation(len(inputs))[:batch_size])",
            "import random\ngroups = [random.sample(range(len(inputs)), batch_size) for i in range(n_iterations)]",
        ],
    ),
    *named(
        5,
        [
            "group = groups[k]\nx = inputs[group]\ny = targets[group]",
            "x, y = inputs[groups[k], :], targets[groups[k], :]",
            "x = np.array([inputs[i] for i in groups[k]])\ny = np.array([targets[i] for i in groups[k]])",
            "x = np.take(inputs, groups[k], axis=0)\ny = np.take(targets, groups[k], axis=0)",
        ],
    ),
    *named(
        6,
        [
            SIZES.format("left.plot(loss_history)"),
            SIZES.format("plt.plot(loss_history, label=size)\n    results.append((loss_history, path))"),
            "for size in BATCH_SIZES:\n    results.append(train(inputs, targets, weights, bias, LEARNING_RATE, "
            "n_iterations, batch_size=size, rng=rng))\n    left.semilogy(results[-1][0])",
            SIZES.format("left.plot(loss_history)")
            .replace("in BATCH_SIZES", "in sizes")
            .replace("LEARNING_RATE", "0.01"),
        ],
    ),
    *named(
        7,
        [
            "return np.where(x > 0, x, 0)",
            "return (x > 0) * x",
            "return np.array([max(0, value) for value in x])",
            "return [max(0, value) for value in x]",
            "y = x.copy()\ny[y < 0] = 0\nreturn y",
            "return np.clip(x, 0, None)",
            "result = []\nfor value in x:\n    if value > 0:\n        result.append(value)\n    else:\n        result.append(0)\n"
            "return result",
            "return (x + abs(x)) / 2",
            "print('ici')\nreturn np.vectorize(lambda v: max(0.0, v))(x)",
        ],
    ),
    *named(
        8,
        [
            "plt.plot(x, relu(x))",
            "plt.plot([-X_MAX, 0, X_MAX], [0, 0, X_MAX])",
            "for v in np.linspace(-X_MAX, X_MAX, 41):\n    plt.plot(v, relu(np.array([v]))[0], 'ko')",
            "plt.scatter(x, relu(x), s=3)",
            "t = np.arange(-X_MAX, X_MAX + 0.1, 0.1)\nplt.plot(t, np.maximum(0, t), label='ReLU')\nplt.legend()",
            "plt.figure()\nplt.plot(x, relu(x))",
        ],
    ),
    *named(
        9,
        [
            "print([w.shape for w in classifier.coefs_])",
            "print(classifier.coefs_[0].shape, classifier.coefs_[1].shape)",
            "for k, w in enumerate(classifier.coefs_):\n    print(f'couche {k} : {w.shape[0]} x {w.shape[1]}')",
            "for w in reversed(classifier.coefs_):\n    print('lignes', len(w), 'colonnes', len(w[0]))",
        ],
    ),
    *named(
        10,
        [
            "compare(ax, 'neurones', classifier, 'hidden_layer_sizes', HIDDEN_SIZES)",
            "results = {}\nfor size in HIDDEN_SIZES:\n    losses, scores = trials(clone(classifier).set_params("
            "hidden_layer_sizes=size))\n    ax.plot(losses.mean(axis=0), label=size)\n    print(size, scores.mean())",
            "compare(ax, 'neurones', classifier, 'hidden_layer_sizes', [(n,) for n in HIDDEN_SIZES])",
        ],
    ),
    *named(
        11,
        [
            "compare(left, 'a', classifier, 'activation', ACTIVATIONS)\ncompare(right, 'b', deep, 'activation', ACTIVATIONS)",
            "for ax, network in [(left, classifier), (right, deep)]:\n    compare(ax, 'g', network, 'activation', ACTIVATIONS)",
        ],
    ),
    *named(
        12,
        [
            "compare(left, 'taux', plain, 'learning_rate_init', RATES)\ncompare(right, 'moments', plain, 'momentum', MOMENTA)",
            "for rate in RATES:\n    losses, scores = trials(clone(plain).set_params(learning_rate_init=rate))\n"
            "    left.plot(losses[0], label=rate)\ncompare(right, 'm', plain, name='momentum', values=MOMENTA)",
        ],
    ),
    *[
        (number, code)
        for number in (13, 18)
        for code in (
            "loss_history.append(float(loss))",
            "loss_history.append(loss.detach().numpy())",
            "loss_history += [loss.item()]",
            "value = loss.item()\nprint(value)\nloss_history.append(round(value, 6))",
            "loss_history.append(loss.data.item())",
        )
    ],
    *named(
        14, ["plt.plot(loss_history, 'o-')", "left.plot(range(len(loss_history)), [float(v) for v in loss_history])"]
    ),
    *named(19, ["plt.plot(loss_history)", "right.semilogy(range(1, len(loss_history) + 1), loss_history, 'r')"]),
    *named(
        17,
        [
            "return torch.optim.Adam(our_model.parameters(), lr=0.03)",
            "optimizer = torch.optim.AdamW(our_model.parameters(), learning_rate)\nreturn optimizer",
            "return torch.optim.NAdam(list(our_model.parameters()), lr=learning_rate)",
        ],
    ),
    *named(
        20,
        [
            "return torch.nn.Sequential(torch.nn.Linear(1, size), activation, torch.nn.Linear(size, 1))",
            "layers = [torch.nn.Linear(1, size), activation, torch.nn.Linear(size, 1)]\nreturn torch.nn.Sequential(*layers)",
        ],
    ),
]
RIGHT_MODELS = {
    "dix sigmoïdes": (
        "self.linear1 = torch.nn.Linear(1, 10)\nself.linear2 = torch.nn.Linear(10, 1)",
        "x = torch.sigmoid(self.linear1(x))\ny_pred = self.linear2(x)\nreturn y_pred",
    ),
    "tanh": (
        "self.a = torch.nn.Linear(1, HIDDEN)\nself.b = torch.nn.Tanh()\nself.c = torch.nn.Linear(HIDDEN, 1)",
        "return self.c(self.b(self.a(x)))",
    ),
    "cent ReLU": (
        "self.net = torch.nn.Sequential(torch.nn.Linear(1, 100), torch.nn.ReLU(), torch.nn.Linear(100, 1))",
        "return self.net(x)",
    ),
    "deux couches cachées": (
        "self.a = torch.nn.Linear(1, 10)\nself.b = torch.nn.Linear(10, 10)\nself.c = torch.nn.Linear(10, 1)",
        "x = torch.tanh(self.a(x))\nx = torch.tanh(self.b(x))\nreturn self.c(x)",
    ),
    "ses propres paramètres": (
        "self.w1 = torch.nn.Parameter(torch.randn(1, 10))\nself.b1 = torch.nn.Parameter(torch.randn(10))\n"
        "self.w2 = torch.nn.Parameter(torch.randn(10, 1))\nself.b2 = torch.nn.Parameter(torch.zeros(1))",
        "return torch.sigmoid(x @ self.w1 + self.b1) @ self.w2 + self.b2",
    ),
    "une sigmoïde aussi à la sortie": (
        "self.a = torch.nn.Linear(1, 10)\nself.b = torch.nn.Linear(10, 1)",
        "return torch.sigmoid(self.b(torch.sigmoid(self.a(x))))",
    ),
}


# --- Des réponses fausses, et ce qui en est dit -------------------------------------------------------
WRONG = [
    *named(
        1,
        [
            ("ax.plot(loss_history, loss_history)", "tracé contre lui-même"),
            ("ax.plot(loss_history[-1], 'o')", "seule la dernière"),
            ("ax.plot(loss_history, range(len(loss_history)))", "axes sont échangés"),
            ("ax.plot(np.sqrt(loss_history))", "la courbe va de"),
            ("pass", "aucune courbe"),
            ("print(loss_history)", "aucune courbe"),
            ("ax.plot(los_history)", "ce nom n'existe pas (NameError: name 'los_history'"),
            ("ax.plot(np.linspace(0, 1, len(loss_history)), loss_history)", "l'abscisse n'est pas le numéro"),
        ],
    ),
    *named(
        2,
        [
            (LOOP.format("pass") + "\nax.plot(loss_history)", "seule la courbe du dernier taux"),
            (
                "for rate in [0.001, 0.01, 0.03]:" + LOOP.format("ax.plot(loss_history)").partition(":")[2],
                "pas dans RATES",
            ),
            (
                LOOP.format("weights, bias = path[-1]\n    ax.plot(loss_history)"),
                "part des paramètres du précédent",
            ),
            (
                LOOP.format("ax.plot(loss_history)").replace("rate, n_it", "LEARNING_RATE, n_it"),
                "toujours le même taux",
            ),
            ("pass", "train n'est pas appelée"),
            (LOOP.format("pass"), "aucune courbe"),
            (
                "for rate in RATES:\n    loss_history = train(inputs, targets, weights, bias, rate, n_iterations)\n"
                "    ax.plot(loss_history)",
                "",
            ),
            (
                LOOP.format("ax.plot(loss_history)").replace("n_iterations", "100"),
                "100 itérations : donnez-lui n_iterations",
            ),
            (LOOP.format("ax.plot(loss_history)\n    break"), "un return ou un break"),
        ],
    ),
    *named(
        3,
        [
            (data(shape="3"), "weights est de forme (3,), il faut (3, 1)"),
            (data(shape="(2, 1)"), "weights est de forme (2, 1)"),
            (data(more="\ntargets = targets[:, 0]"), "targets est de forme (1000,), il faut (1000, 1)"),
            (data(formula="2 * x1 + 4 * x2 + 3 * x3 + 3"), "vos cibles suivent 2·x1 + 4·x2 + 3·x3 + 3, il faut"),
            (data(noise="np.random.uniform(-0.1, 0.1)"), "le même bruit"),
            (data(noise="0"), "sans bruit"),
            (data(noise="np.random.uniform(-1, 1, size=(1000, 1))"), "le bruit va jusqu'à"),
            (data().replace("column_stack((x1, x2, x3))", "column_stack((x1, x2))"), "inputs est de forme (1000, 2)"),
            (data(formula="3 * x1 - 4 * x2 + 5"), "vos cibles suivent 3·x1 - 4·x2"),
            (data().replace("-10, 10", "0, 1"), "entre -10 et 10"),
            ("inputs, targets, weights, bias = setup(N_OBSERVATIONS)[1:]", "inputs est de forme (1000, 2)"),
        ],
    ),
    *named(
        4,
        [
            ("groups = [rng.integers(len(inputs), size=batch_size)] * n_iterations", "toujours le même groupe"),
            ("groups = rng.integers(len(inputs), size=(n_iterations, 1))", "des groupes de 1"),
            ("groups = rng.integers(len(inputs), size=batch_size)", "il n'y a qu'un groupe"),
            ("groups = rng.integers(len(inputs), size=(batch_size, n_iterations))", "sont échangées"),
            ("groups = rng.integers(len(inputs) + 1, size=(n_iterations, batch_size))", "n'existe pas"),
            ("groups = rng.integers(len(inputs) - 1, size=(n_iterations, batch_size))", "n'est jamais tirée"),
            ("groups = [np.arange(len(inputs))] * n_iterations", "des groupes de 12"),
            (
                "groups = [np.arange(k, k + batch_size) % len(inputs) for k in range(n_iterations)]",
                "quel que soit le hasard",
            ),
            ("groups = rng.uniform(0, len(inputs), size=(n_iterations, batch_size))", "entiers"),
            ("groups = rng.integer(len(inputs))", "cet objet n'a rien de ce nom"),
        ],
    ),
    *named(
        5,
        [
            ("x, y = inputs, targets", "toutes les observations"),
            ("x, y = inputs[groups[0]], targets[groups[0]]", "toujours le groupe numéro 0"),
            ("x, y = inputs[groups[k]], targets[groups[k - 1]]", "d'un même groupe"),
            ("x, y = inputs[groups], targets[groups]", "exercice1.py ligne"),
            ("x, y = groups[k], targets[groups[k]]", "exercice1.py ligne"),
            ("x, y = inputs[:batch_size], targets[:batch_size]", "même groupe"),
        ],
    ),
    *named(
        6,
        [
            (SIZES.format("pass") + "\nleft.plot(loss_history)", "seule la courbe de la dernière taille"),
            (SIZES.format("left.plot(loss_history)").replace(", size, rng", ""), "c'est le gradient complet"),
            (SIZES.format("left.plot(loss_history)").replace(", rng)", ")"), "ne reçoit pas rng"),
            (SIZES.format("left.plot(loss_history)").replace("BATCH_SIZES", "[1, 4, 32]"), "pas dans BATCH_SIZES"),
            (SIZES.format("weights, bias = path[-1]\n    left.plot(loss_history)"), "paramètres du précédent"),
            (SIZES.format("pass"), "aucune courbe"),
            ("pass", "train n'est pas appelée"),
            (
                SIZES.format("left.plot(loss_history)").replace("size, rng", "BATCH_SIZE, rng"),
                "n'est pas dans BATCH_SIZES",
            ),
        ],
    ),
    *named(
        7,
        [
            ("return np.abs(x)", "valeur absolue"),
            ("return np.where(x > 0, x, 0.1 * x)", "leaky"),
            ("return np.clip(x, 0, 6)", "s'arrête à 6"),
            ("return x > 0", "0 ou 1"),
            ("return max(0, x.max())", "un seul nombre"),
            ("return np.max(x)", "un seul nombre"),
            ("return max(0, x)", "il faut traiter chaque élément"),
            ("print(np.maximum(0, x))", "vous affichez le résultat : relu rend None, il manque un return"),
            ("np.maximum(0, x)", "relu rend None"),
            ("x[x < 0] = 0\nreturn x", "change x lui-même"),
            ("return np.minimum(0, x)", "relu(-7.5) vaut -7.5, il faut 0"),
            ("return x.clip(min=0) * 2", "il faut 0.75"),
            ("if x > 0:\n    return x\nreturn 0", "il faut traiter chaque élément"),
            ("return sigmoid(x)", "relu(-7.5) vaut"),
        ],
    ),
    *named(
        8,
        [
            ("plt.plot(relu(x))", "l'abscisse est le numéro du point"),
            ("plt.plot(relu(x), x)", "axes sont échangés"),
            ("plt.plot(x, x)", "x en fonction de x"),
            ("pass", "rien n'est tracé"),
            ("plt.plot(x, sigmoid(x))", "n'est pas relu(x) en fonction de x"),
            ("t = np.linspace(0, X_MAX, 100)\nplt.plot(t, relu(t))", "les deux côtés de 0"),
            ("plt.plot(x, relu(x)", "SyntaxError"),
        ],
    ),
    *named(
        9,
        [
            ("print(4, HIDDEN_LAYER_SIZES[0], 3)", "il faut deux matrices"),
            ("for b in classifier.intercepts_:\n    print(b.shape)", "intercepts_"),
            ("print(classifier.coefs_)", "les nombres des matrices"),
            ("print('(4, 10) (10, 3)')", "ne change pas avec HIDDEN_LAYER_SIZES"),
            ("shapes = [w.shape for w in classifier.coefs_]", "rien n'est affiché"),
            ("for w in classifier.coef_:\n    print(w.shape)", "cet objet n'a rien de ce nom"),
        ],
    ),
    *named(
        10,
        [
            ("compare(ax, 'n', classifier, 'neurones', HIDDEN_SIZES)", "pas d'argument de ce nom"),
            ("compare(ax, 'n', classifier, 'hidden_layer_sizes', [1, 3, 10, 50])", "n'est pas dans HIDDEN_SIZES"),
            ("compare(ax, 'n', classifier, 'batch_size', HIDDEN_SIZES)", "c'est batch_size qui change"),
            ("pass", "aucun réseau n'est entraîné"),
            (
                "for size in HIDDEN_SIZES:\n    setattr(classifier, 'neurones', size)\n"
                "    ax.plot(trials(classifier)[0].mean(axis=0))",
                "aucun réglage de MLPClassifier ne change",
            ),
        ],
    ),
    *named(
        11,
        [
            ("compare(left, 'a', classifier, 'activation', ACTIVATIONS)", "le réseau deep n'est pas entraîné"),
            (
                "compare(left, 'a', classifier, 'activation', ACTIVATIONS)\n"
                "compare(left, 'b', deep, 'activation', ACTIVATIONS)",
                "à droite il y a 0 courbe",
            ),
            ("compare(left, 'a', classifier, 'activations', ACTIVATIONS)", "pas d'argument de ce nom"),
            (
                "compare(left, 'a', classifier, 'activation', ['tanh', 'relu'])\n"
                "compare(right, 'b', deep, 'activation', ['tanh', 'relu'])",
                "n'est pas dans ACTIVATIONS",
            ),
        ],
    ),
    *named(
        12,
        [
            (
                "compare(left, 't', plain, 'learning_rate', RATES)\ncompare(right, 'm', plain, 'momentum', MOMENTA)",
                "learning_rate y est un mot",
            ),
            ("compare(left, 't', plain, 'learning_rate_init', RATES)", "les moments : "),
            (
                "compare(left, 't', plain, 'learning_rate_init', MOMENTA)\ncompare(right, 'm', plain, 'momentum', MOMENTA)",
                "n'est pas dans RATES",
            ),
        ],
    ),
    *[
        (number, code, said)
        for number in (13, 18)
        for code, said in (
            ("loss_history.append(loss)", "tenseurs"),
            ("loss_history.append(loss.item)", "il manque les parenthèses"),
            ("loss_history.append(prediction.detach().numpy())", "garde la prédiction"),
            ("pass", "6 époques, et 0 valeur dans"),
            ("loss_history.append(epoch)", "à l'époque 0 la perte est"),
            ("loss_history.append(loss.items())", "cet objet n'a rien de ce nom"),
            ("loss_history = loss.item()", "ne rend plus la liste"),
        )
    ],
    *named(14, [("plt.plot(loss_history, loss_history)", "contre lui-même"), ("pass", "aucune courbe")]),
    *named(
        19, [("right.plot(loss_history, range(len(loss_history)))", "axes sont échangés"), ("pass", "aucune courbe")]
    ),
    *named(
        17,
        [
            (
                "return torch.optim.SGD(our_model.parameters(), lr=learning_rate)",
                "SGD, au taux 0.03 : après 2000 époques",
            ),
            ("torch.optim.Adam(our_model.parameters(), lr=learning_rate)", "il manque un return"),
            ("return torch.optim.Adam(our_model.parameters(), lr=1e-6)", "Adam, au taux 1e-06"),
            ("return torch.optim.Adam", "rend type"),
            ("return torch.optim.Adam(our_model, lr=learning_rate)", "exercice3_nonlinear.py ligne"),
        ],
    ),
    *named(
        20,
        [
            ("return torch.nn.Sequential(torch.nn.Linear(1, size), torch.nn.Linear(size, 1))", "ne sert pas"),
            ("return torch.nn.Sequential(torch.nn.Linear(1, 1), activation)", "un seul nombre par observation"),
            ("return torch.nn.Sequential(torch.nn.Linear(1, 10), activation, torch.nn.Linear(10, 1))", "ici 7"),
            ("return torch.nn.Sequential(torch.nn.Linear(1, size), activation)", "il faut (5, 1)"),
            (
                "torch.nn.Sequential(torch.nn.Linear(1, size), activation, torch.nn.Linear(size, 1))",
                "il manque un return",
            ),
        ],
    ),
]
TWO = "self.a = torch.nn.Linear(1, 10)\nself.b = torch.nn.Linear(10, 1)"
# nom : (les couches, forward, le numéro jugé, ce qui est dit)
WRONG_MODELS = {
    "une droite": ("self.a = torch.nn.Linear(1, 1)", "return self.a(x)", 15, "n'a qu'un neurone"),
    "pas d'activation": (TWO, "return self.b(self.a(x))", 16, "ne fait qu'une droite"),
    "activation après la sortie": (TWO, "return torch.sigmoid(self.b(self.a(x)))", 16, "n'est qu'après la sortie"),
    "ReLU après la sortie": (TWO, "return torch.relu(self.b(self.a(x)))", 16, "n'est qu'après la sortie"),
    "pas de return": (TWO, "y_pred = self.b(torch.tanh(self.a(x)))", 16, "il manque return y_pred"),
    "detach": (TWO, "return self.b(torch.tanh(self.a(x))).detach()", 16, "le gradient n'arrive pas à a.weight"),
    "NumPy": (TWO, "return self.b(torch.tanh(self.a(x))).detach().numpy()", 16, "rend ndarray"),
    "(n,)": (TWO, "return self.b(torch.tanh(self.a(x))).flatten()", 16, "rend la forme (41,)"),
    "la cachée rendue": (TWO, "return torch.tanh(self.a(x))", 16, "rend la forme (41, 10)"),
    "couches dans forward": (
        TWO,
        "hidden = torch.nn.Linear(1, 10)\nreturn torch.nn.Linear(10, 1)(torch.tanh(hidden(x)))",
        16,
        "créez les couches dans __init__",
    ),
    "une couche qui ne sert pas": (
        TWO + "\nself.c = torch.nn.Linear(10, 10)",
        "return self.b(torch.tanh(self.a(x)))",
        16,
        "c.weight ne sert pas",
    ),
    "sans self": ("hidden = torch.nn.Linear(1, 10)", "return x", 15, "aucun paramètre"),
    "une seule couche": ("self.a = torch.nn.Linear(1, 10)", "return self.a(x).sum(1)", 15, "il manque une couche"),
    "un neurone": (
        "self.a = torch.nn.Linear(1, 1)\nself.b = torch.nn.Linear(1, 1)",
        "return self.b(torch.sigmoid(self.a(x)))",
        15,
        "n'a qu'un neurone",
    ),
    "un nom de couche oublié": (TWO, "return self.sortie(torch.tanh(self.a(x)))", 16, "cet objet n'a rien de ce nom"),
}


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: f"{case[0]} {case[1][:40]}")
def test_a_right_answer_is_right(case, bench):
    assert bench.judge({case[0]: case[1]}, case[0]) == ("bien", "")


@pytest.mark.parametrize("name", RIGHT_MODELS)
def test_a_model_that_learns_is_right(name, bench):
    for number in (15, 16):
        assert bench.judge(model(*RIGHT_MODELS[name]), number) == ("bien", ""), number


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[0]} {case[1][:40]}")
def test_a_wrong_answer_is_wrong_and_says_why(case, bench):
    number, code, said = case
    if said == "SyntaxError":
        pytest.skip("dite une fois pour tout le script : voir plus bas")
    verdict, reason = bench.judge({number: code}, number)
    assert verdict == "pas encore" and said in reason, reason


@pytest.mark.parametrize("name", WRONG_MODELS)
def test_a_wrong_model_is_wrong_and_says_why(name, bench):
    layers, forward, number, said = WRONG_MODELS[name]
    verdict, reason = bench.judge(model(layers, forward), number)
    assert verdict == "pas encore" and said in reason, reason


# --- Ce qui arrête ou encombre Python -----------------------------------------------------------------
HOSTILE = {
    "while True:\n    pass": "pas de réponse en 2 secondes",
    "import time\ntime.sleep(1000)": "pas de réponse en 2 secondes",
    "exit()": "exit() ou quit() arrête Python",
    "raise SystemExit": "exit() ou quit() arrête Python",
    "import os\nos._exit(0)": "le script arrête Python",
    "input('combien ? ')": "input() attend une réponse",
    "import ctypes\nctypes.string_at(0)": "Python s'est arrêté net",
    "def again():\n    again()\nagain()": "s'appelle elle-même sans fin",
    "import pandas_qui_n_existe_pas": "cette bibliothèque n'est pas installée",
    "ax.plot([1, 2], [1, 2, 3])": "ces formes ne vont pas ensemble",
    "loss_history[5000]": "un numéro dépasse la taille",
    "ax.plotter(loss_history)": "cet objet n'a rien de ce nom",
    "ax.plot(loss_history())": "pas une fonction",
}
LINUX = {"big = np.ones(10**10)": "il faudrait trop de mémoire"}


def whole(files, bench, answers, script="exercice1"):
    """Le verdict du vérificateur sur un script tout rempli, sauf ces réponses."""
    text = filled(files[f"{script}.py"], {**bench.right, **answers})
    (bench.folder / f"{script}.py").write_text(text, encoding="utf-8")
    return verifier.check_script(script)


@pytest.mark.lent
@pytest.mark.parametrize("code", HOSTILE | (LINUX if sys.platform == "linux" else {}), ids=lambda code: code[-30:])
def test_a_hostile_answer_has_its_line_and_the_others_are_judged(code, files, bench, monkeypatch):
    monkeypatch.setattr(verifier, "SECONDS", 2)
    lines, n_good = whole(files, bench, {1: code})
    assert n_good == 5 and lines[0].startswith("[pas encore] exercice1.py ligne ")
    assert (HOSTILE | LINUX)[code] in lines[0] and "\n" not in lines[0]
    assert not dialogue.running


def test_prints_by_the_thousand_do_no_harm(files, bench):
    lines, n_good = whole(files, bench, {1: "for i in range(100_000):\n    print(i, 'é' * 50)\nax.plot(loss_history)"})
    assert n_good == 6, lines[0]


def test_a_child_that_dies_leaves_no_zombie(files, bench):
    whole(files, bench, {1: "import os\nos.fork() if hasattr(os, 'fork') else None\nos._exit(3)"})
    if sys.platform == "linux":
        left = subprocess.run(["ps", "-eo", "stat,args"], capture_output=True, text=True).stdout
        mine = [line for line in left.splitlines() if "verification.enfant" in line and str(bench.folder) in line]
        assert len(mine) <= 5 and not any(line.startswith("Z") for line in mine)


@pytest.mark.parametrize(
    "text, said",
    [
        ("def relu(x:\n    return x\n", "relu_plot.py ligne 1 : Python ne comprend pas cette ligne"),
        ("def relu(x):\nreturn x\n", "relu_plot.py ligne 2 : le décalage au début de la ligne ne va pas"),
        ("import numppy\n", "relu_plot.py ligne 1 : cette bibliothèque n'est pas installée"),
        ("import numpy as np\nnp.pi()\n", "relu_plot.py ligne 2 : des parenthèses après"),
        ("exit()\n", "exit() ou quit() arrête Python"),
        ("", "il n'y a rien de ce nom|cet objet n'a rien de ce nom"),
        (None, "relu_plot.py n'est pas dans ce dossier"),
        (b"# \xe9\xe9\n", "enregistrez-le en UTF-8"),
    ],
)
def test_a_script_that_does_not_load_says_so_once(text, said, bench):
    path = bench.folder / "relu_plot.py"
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lines, n_good = verifier.check_script("relu_plot")
    assert n_good == 0 and len(lines) == 2 and re.search(said.replace("(", r"\(").replace(")", r"\)"), lines[0]), lines
    assert all(line.startswith("[pas encore] relu_plot.py ligne ") for line in lines)
    if text:
        assert lines[1].endswith(" : même raison")


# --- Le `raise`, les autres numéros, les constantes ---------------------------------------------------
RAISE = 'raise NotImplementedError("À vous n° {} : ...")'


@pytest.mark.parametrize(
    "code, verdict, said",
    [
        (RAISE.format(7) + "\nreturn np.maximum(0, x)", "pas encore", "c'est juste, mais le raise est encore là, ligne "),
        ("return np.maximum(0, x)\n" + RAISE.format(7), "bien", ""),
        (RAISE.format(7) + "\nreturn np.abs(x)", "à faire", ""),
        ("return np.abs(x)\n" + RAISE.format(7), "pas encore", "valeur absolue"),
        ("raise NotImplementedError('plus tard')", "pas encore", "NotImplementedError"),
    ],
)
def test_a_raise_left_under_or_over_an_answer(code, verdict, said, bench):
    found = bench.judge({7: code}, 7)
    assert found[0] == verdict and said in found[1]


def test_a_mistake_in_another_blank_is_its_own(bench):
    """Le numéro 8 est juste, mais sa section ne se joue pas : c'est le 7 qu'il faut d'abord corriger."""
    assert bench.judge({7: "return max(0, x)"}, 8)[1].startswith("c'est juste, mais la section 3.1-relu ne va pas au bout")
    assert "il faut d'abord que le numéro 7 marche" in bench.judge({7: "return max(0, x)"}, 8)[1]
    bad = {4: "groups = rng.integers(len(inputs), size=batch_size)"}
    assert "il faut d'abord que le numéro 4 marche" in bench.judge(bad, 6)[1]


CONSTANTS = {
    "exercice1": {"LEARNING_RATE = 0.01": "LEARNING_RATE = 1000", "RATES = [0.001": "RATES = [0.5, 0.001", "SEED = 0": "SEED = 7"},
    "relu_plot": {"X_MAX = 8": "X_MAX = 3"},
    "exercice2": {"HIDDEN_SIZES = [1, 3, 10, 50]": "HIDDEN_SIZES = [4]", "HIDDEN_LAYER_SIZES = [10]": "HIDDEN_LAYER_SIZES = 6"},
}


@pytest.mark.lent
@pytest.mark.parametrize("script", CONSTANTS)
def test_a_changed_setting_does_not_change_the_verdict(script, files, bench):
    text = filled(files[f"{script}.py"], bench.right)
    for old, new in CONSTANTS[script].items():
        assert old in text
        text = text.replace(old, new, 1)
    (bench.folder / f"{script}.py").write_text(text, encoding="utf-8")
    lines, n_good = verifier.check_script(script)
    assert n_good == len(lines), lines


# --- Le balayage --------------------------------------------------------------------------------------
def sweep(bench, others):
    """Le verdict de chaque numéro, où seules les réponses de `others(numéro)` sont écrites."""
    return {number: bench.judge({}, number, others(number)) for number in NUMBERS}


@pytest.mark.lent
def test_with_all_but_one_that_one_is_to_do(bench):
    found = sweep(bench, lambda number: {k: code for k, code in bench.right.items() if k != number})
    assert {number: verdict for number, (verdict, _) in found.items() if verdict != "à faire"} == {}


@pytest.mark.lent
@pytest.mark.parametrize("alone", NUMBERS)
def test_with_only_one_no_other_is_right(alone, bench):
    """Rien de ce qui est écrit ailleurs ne suffit à un autre numéro ; celui-ci est déjà bien, ou attend un autre."""
    script = BLANKS[alone - 1].script
    for number in [k for k in NUMBERS if BLANKS[k - 1].script == script]:
        verdict, reason = bench.judge({}, number, {alone: bench.right[alone]})
        if number != alone:
            assert verdict != "bien", number
        elif verdict != "bien":
            assert "il faut d'abord" in reason, reason


# --- Les commandes ------------------------------------------------------------------------------------
def run_verifier(folder, *words, timeout=120, encoding="cp1252"):
    command = [sys.executable, "verifier.py", *words]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, timeout=timeout)
    return done.returncode, done.stdout.decode(encoding).replace("\r", ""), done.stderr.decode(encoding)


@pytest.mark.lent
def test_from_all_blank_to_all_right(files, bench, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    status, output, errors = run_verifier(tmp_path)
    lines = output.splitlines()
    assert (status, errors) == (1, "") and lines[-1] == f"0 sur {len(BLANKS)}" and len(lines) == len(BLANKS) + 1
    for number, (line, blank) in enumerate(zip(lines, BLANKS), start=1):
        place = re.match(r"\[à faire\] (\w+)\.py ligne (\d+), n° (\d+) \(([\d.]+)\), (.*)$", line)
        assert place and place.groups()[::2] == (blank.script, str(number), blank.consigne), line
        assert f"À vous n° {number} :" in files[f"{blank.script}.py"].splitlines()[int(place[2]) - 1]
    for script in version_eleve.SCRIPTS:
        (tmp_path / f"{script}.py").write_text(filled(files[f"{script}.py"], bench.right), encoding="utf-8")
    status, output, errors = run_verifier(tmp_path)
    assert (status, errors) == (0, "") and output.endswith(f"\n{len(BLANKS)} sur {len(BLANKS)}\n")
    assert output.count("[bien]") == len(BLANKS)
    assert {path.name for path in tmp_path.iterdir() if path.suffix != ".py"} == {
        name.partition("/")[0] for name in files if not name.endswith(".py") or "/" in name
    }, "rien de plus dans le dossier"


def test_one_script_and_a_hint(bench, files):
    for name in ("exercice1.py", "relu_plot.py"):
        (bench.folder / name).write_text(files[name], encoding="utf-8")
    status, output, errors = run_verifier(bench.folder, "relu_plot.py")
    assert (status, errors) == (1, "") and output.count("[à faire] relu_plot.py") == 2 and output.endswith("0 sur 2\n")
    for number, blank in enumerate(BLANKS, start=1):
        for level, hint in zip(("", ".2", ".3"), blank.hints):
            assert verifier.show_hint(f"{number}{level}") == 0 and len(hint) <= 300
    status, output, errors = run_verifier(bench.folder, "--indice", "4.3")
    assert (status, errors) == (0, "") and "rng.integers(____, size=(____, ____))" in output
    status, output, errors = run_verifier(bench.folder, "--indice", "4")
    assert "Combien par groupe" in output and output.endswith("Encore un indice : python verifier.py --indice 4.2\n")
    assert all(len(line) <= 120 for line in output.splitlines())


@pytest.mark.parametrize("words", [["--indice", "0"], ["--indice", "4.4"], ["--indice", "é"], ["exercice9"], ["--indice"]])
def test_a_command_that_means_nothing_is_refused_in_one_line(words, bench):
    status, output, errors = run_verifier(bench.folder, *words)
    assert (status, output) == (2, "") and errors.count("\n") == 1 and errors.startswith("verifier.py : ")


def test_what_is_said_fits_every_console():
    """Rien hors de cp1252 dans les consignes, les indices, les erreurs."""
    for blank in BLANKS:
        "".join([blank.consigne, *blank.hints]).encode("cp1252")
    for path in (ROOT / "outils" / "verification").glob("*.py"):
        for text in re.findall(r'"[^"\n]*"', path.read_text(encoding="utf-8")):
            text.encode("cp1252")


# --- Les jugements, sans aucun processus --------------------------------------------------------------
def curve(y, x=None, kind="line"):
    return {"kind": kind, "x": list(range(len(y))) if x is None else x, "y": list(y)}


def test_a_curve_is_matched_on_its_points():
    losses = [100 / (k + 1) for k in range(50)]
    for series in [
        curve(losses),
        curve(losses, list(range(1, 51))),
        curve([*losses, 1], list(range(51))),
        curve(losses[::5], list(range(0, 50, 5))),
        curve(losses, kind="alone"),
    ]:
        assert dessins.follows(series, losses) and exercice1.judge_loss({"losses": losses, "axes": [[series]]}) == ""
    for series, said in [
        (curve(losses[:10]), "la courbe va de 100 à 10 en 10 points, loss_history de 100 à 2 en 50"),
        (curve(losses[5:]), "la courbe va de"),
        (curve(losses, losses), "contre lui-même"),
        (curve(list(range(50)), losses), "échangés"),
        (curve([losses[-1]], [0], "alone"), "seule la dernière"),
        (curve(losses, [k / 50 for k in range(50)]), "n'est pas le numéro"),
    ]:
        assert not dessins.follows(series, losses)
        assert said in exercice1.judge_loss({"losses": losses, "axes": [[series]]})


def test_relu_is_judged_on_its_seven_values():
    seen = {"none": False, "x": relu_plot.POINTS, "shape": [7], "values": relu_plot.WANTED, "printed": ""}
    assert relu_plot.judge_relu(seen) == ""
    assert relu_plot.judge_relu({**seen, "values": [float("nan")] * 7}) == "relu ne rend pas un nombre fini pour chaque élément de x"
    assert "forme (3,)" in relu_plot.judge_relu({**seen, "shape": [3], "values": [1, 2, 3]})
    assert "change x" in relu_plot.judge_relu({**seen, "x": relu_plot.WANTED})


def test_groups_are_judged_on_their_numbers():
    rng = exercice1.np.random.default_rng(3)
    rows, others = rng.integers(12, size=(2, 60, 4)).tolist()
    assert exercice1.groups_fault(rows, others) == ""
    assert "quel que soit le hasard" in exercice1.groups_fault(rows, rows)
    assert "5 groupes pour 60" in exercice1.groups_fault(rows[:5], others)
    assert "n'existe pas" in exercice1.groups_fault([[-1, 0, 1, 2], *rows[1:]], others)


def test_shapes_are_judged_on_pairs():
    for text in ("(4, 11) (11, 3)", "(11, 3)\n(4, 11)", "4 x 11 ; 11 x 3", "couche 0 : (4, 11)\ncouche 1 : (11, 3)"):
        texts = [text, text.replace("11", "13")]
        assert exercice2.judge_shapes({"texts": texts}) == "", text
    for text in ("4 11 3", "(4, 10) (10, 3)", "44 neurones et 33 poids", ""):
        assert exercice2.judge_shapes({"texts": [text, text.replace("11", "13")]}), text


def test_learning_needs_the_first_seed_and_one_of_two():
    x = exercice1.np.linspace(0, 1, 50)
    y = x**4 + 0.1 * ((7 * exercice1.np.arange(50)) % 50) / 50  # un bruit étalé de 0 à 0.1
    good = {"x": x.tolist(), "y": y.tolist(), "prediction": (x**4 + 0.05).tolist()}
    bad = {**good, "prediction": (0 * x).tolist()}
    fault = exercice3_nonlinear.learning_fault
    assert fault([good, good]) == fault([good, bad, good]) == ""
    assert "après 2000 époques" in fault([bad, good, good]) and fault([good, bad, bad]) and fault([])


def test_keeping_is_judged_on_what_was_given():
    number = [{"kind": "number", "shape": [], "value": [float(k)]} for k in range(3)]
    assert exercice3.judge_keeping({"given": [0, 1, 2], "kept": number}) == ""
    assert "et 2 valeurs" in exercice3.judge_keeping({"given": [0, 1, 2], "kept": number[:2]})
    assert "à l'époque 2" in exercice3.judge_keeping({"given": [0, 1, 5], "kept": number})


@pytest.mark.parametrize("blank", BLANKS, ids=lambda blank: f"{blank.script} {blank.consigne[:20]}")
def test_a_forged_observation_is_never_right(blank):
    """Rien, des formes fausses, des textes, des vrais : aucun ne passe pour une réponse juste."""
    forged = [{}, {"ok": True}, {"axes": []}, {"tries": [True, True]}, {"texts": ["", ""]}, {"fits": [], "curves": []}]
    for seen in [*forged, None, [], "bien", {"losses": [], "axes": [[]]}, {"shapes": [], "output": True}]:
        work = verifier.Work(blank.script, "", [], {})
        assert verifier.judged(work, {"seen": seen}, BLANKS.index(blank) + 1) != ""


def test_an_error_is_said_in_french_with_its_own_words():
    error = {"kind": "NameError", "message": "name 'los' is not defined", "line": 84}
    assert erreurs.sentence(error, "exercice1") == (
        "exercice1.py ligne 84 : ce nom n'existe pas (NameError: name 'los' is not defined)"
    )
    assert erreurs.sentence({"kind": "OddError", "message": "", "line": None}, "exercice1") == "OddError"


def test_the_line_of_a_blank_without_its_raise_or_its_comment(files):
    text = files["exercice1.py"]
    blanks = dict(enumerate(BLANKS, start=1))
    line = source.find_line(text, 4, blanks[4])
    assert "raise NotImplementedError" in text.splitlines()[line - 1]
    without = filled(text, {4: "groups = None"})
    assert "# À VOUS n° 4 (" in without.splitlines()[source.find_line(without, 4, blanks[4]) - 1]
    bare = re.sub(r" *# À VOUS n° 4 .*\n", "", without)
    assert bare.splitlines()[source.find_line(bare, 4, blanks[4]) - 1].startswith("def train(")
    assert source.find_line("(", 4, blanks[4]) == 1


# --- Dans un noyau ------------------------------------------------------------------------------------
def test_the_kernel_is_left_as_it_was(files, bench, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    for name, value in environment(MPLBACKEND=None, PYTHONIOENCODING=None).items():
        monkeypatch.setenv(name, value)
    for name in ("MPLBACKEND", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)
    (bench.folder / "relu_plot.py").write_text(files["relu_plot.py"], encoding="utf-8")
    state = "[plt.get_backend(), dict(plt.rcParams), plt.get_fignums(), np.random.get_state()[1].tolist(), plt.close]"
    cells = [
        "import matplotlib.pyplot as plt\nimport numpy as np\nplt.plot([1, 2])\nplt.show()",
        f"before = {state}",
        "%run verifier.py relu_plot",
        f"assert {state} == before\nplt.plot([1, 2])\nplt.show()",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(book, timeout=60, resources={"metadata": {"path": str(bench.folder)}}).execute()
    outputs = [cell.outputs for cell in book.cells]
    assert {(output.output_type, output.get("name")) for output in outputs[2]} == {("stream", "stdout")}
    said = "".join(output.text for output in outputs[2])
    assert said.startswith("Je joue vos sections") and said.endswith("0 sur 2\n") and said.count("[à faire]") == 2
    assert any("image/png" in output.get("data", {}) for output in outputs[3])
