"""Le vérificateur : des réponses justes et fausses à chaque chose à écrire, et ce qu'il en dit.

Un enfant par script sert à tous les essais d'un fichier : il relit le script à chaque question.
"""

import re
import sys
import textwrap
from types import SimpleNamespace

import pytest

from commun import ROOT

sys.path.insert(0, str(ROOT / "outils"))
import verifier
import version_eleve
from verification import (
    BLANKS,
    dialogue,
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
            ("groups = rng.integers(len(inputs), size=(n_iterations, 1))", "un groupe a 1 numéros"),
            ("groups = rng.integers(len(inputs), size=batch_size)", "il n'y a qu'un groupe"),
            ("groups = rng.integers(len(inputs), size=(batch_size, n_iterations))", "sont échangées"),
            ("groups = rng.integers(len(inputs) + 1, size=(n_iterations, batch_size))", "n'existe pas"),
            ("groups = rng.integers(len(inputs) - 1, size=(n_iterations, batch_size))", "n'est jamais tirée"),
            ("groups = [np.arange(len(inputs))] * n_iterations", "un groupe a 12 numéros"),
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
            ("plt.plot(x, sigmoid(x))", "ce n'est pas ReLU"),
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
            ("compare(left, 'a', classifier, 'activation', ACTIVATIONS)", "le côté droit manque"),
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
    "detach": (TWO, "return self.b(torch.tanh(self.a(x))).detach()", 16, "le gradient ne remonte pas"),
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
