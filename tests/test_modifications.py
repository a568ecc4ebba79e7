"""Les scripts, modifiés comme le fait un élève : une constante, une fonction ou une classe, puis on relance.

Chaque modification est faite dans le texte du fichier, qu'on lance dans un autre processus, tout avertissement étant
une erreur. Ce qui est affiché doit suivre la modification.
"""

import ast
import re

import pytest

from commun import ROOT, answer_of, blocks, check_layout, play

pytestmark = pytest.mark.lent


def edit(text, changes):
    """Remplace la ligne d'une constante (« NOISE » : « 0 »), ou le texte d'une fonction ou d'une classe."""
    for name, new in changes.items():
        node = next(node for node in ast.parse(text).body if name == getattr(node, "name", None) or assigns(node, name))
        lines = text.splitlines()
        lines[node.lineno - 1 : node.end_lineno] = [f"{name} = {new}"] if assigns(node, name) else [new]
        text = "\n".join(lines) + "\n"
    return text


def assigns(node, name):
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name


def model(*layers):
    """Une classe RegressionModel d'élève, faite de ces couches."""
    lines = ["class RegressionModel(torch.nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        self.layer{k} = torch.nn.{layer}" for k, layer in enumerate(layers)]
    lines += ["    def forward(self, x):"] + [f"        x = self.layer{k}(x)" for k in range(len(layers))]
    return "\n".join([*lines, "        return x", ""])


def curve(formula):
    return f"def curve(x):\n    return {formula}\n"


HIDDEN_LAYER = model("Linear(1, 10)", "Sigmoid()", "Linear(10, 1)")
DEEPER = model("Linear(1, 8)", "ReLU()", "Linear(8, 8)", "Tanh()", "Linear(8, 1)")

# Sans le million d'observations : ce qu'il doit suivre, « trois entrées » le montre.
SHORT = ["--section", "2.2.1", "--section", "2.2.2", "--section", "2.2.3-mini-batch"]

# nom : (script, modifications, options)
EDITS = {
    "une entrée": ("exercice1", {"TRUE_WEIGHTS": "[7]"}, SHORT),
    "trois entrées": ("exercice1", {"TRUE_WEIGHTS": "[2, 4, -3]", "TRUE_BIAS": "3"}, []),
    "cinq entrées": ("exercice1", {"TRUE_WEIGHTS": "[1, 2, 3, 4, 5]"}, SHORT),
    "sans bruit": ("exercice1", {"NOISE": "0"}, SHORT),
    "beaucoup de bruit": ("exercice1", {"NOISE": "5"}, SHORT),
    "biais nul": ("exercice1", {"TRUE_BIAS": "0"}, SHORT),
    "taux trop grand": ("exercice1", {"LEARNING_RATE": "0.5"}, SHORT),
    "lent et court": ("exercice1", {"LEARNING_RATE": "0.0001", "N_ITERATIONS": "3"}, SHORT),
    "vingt observations": ("exercice1", {"N_OBSERVATIONS": "20"}, SHORT),
    "trois couches de gradient": ("relu_plot", {"N_LAYERS": "3", "SCORES": "[5, 0]"}, []),
    "relu qui fuit": ("relu_plot", {"relu": "def relu(x):\n    return np.where(x > 0, x, 0.1 * x)\n"}, []),
    "une grande échelle": ("relu_plot", {"X_MAX": "1000"}, []),
    "deux couches cachées": ("exercice2", {"HIDDEN_LAYER_SIZES": "[10, 5]", "EPOCHS": "6"}, []),
    "la sigmoïde": ("exercice2", {"ACTIVATION": '"logistic"', "EPOCHS": "6"}, []),
    "adam": ("exercice2", {"SOLVER": '"adam"', "LEARNING_RATE": "0.01", "MOMENTUM": "0", "EPOCHS": "1"}, []),
    "un neurone": ("exercice2", {"HIDDEN_LAYER_SIZES": "1", "BATCH_SIZE": "120", "EPOCHS": "6"}, []),
    "x⁴ et une couche cachée": (
        "exercice3",
        {"curve": curve("x**4"), "NOISE": "0.1", "RegressionModel": HIDDEN_LAYER, "EPOCHS": "60"},
        [],
    ),
    "plus profond": ("exercice3", {"RegressionModel": DEEPER, "EPOCHS": "60"}, []),
    "sortie sigmoïde": ("exercice3", {"RegressionModel": model("Linear(1, 1)", "Sigmoid()")}, ["--section", "3.3.2"]),
    "autre courbe, sans bruit": ("exercice3", {"curve": curve("2 - 5 * x"), "NOISE": "0"}, ["--section", "3.3.2"]),
    "une époque": ("exercice3", {"EPOCHS": "1"}, ["--section", "3.3.2"]),
    "cinq points": ("exercice3", {"N_OBSERVATIONS": "5"}, ["--section", "3.3.2", "--section", "3.3.1-distribue"]),
    "taux de 30": ("exercice3", {"LEARNING_RATE": "30"}, ["--section", "3.3.2"]),
    "autre classe": ("exercice3_nonlinear", {"RegressionModel": DEEPER, "EPOCHS": "300"}, []),
    "courbe qui oscille": ("exercice3_nonlinear", {"curve": curve("np.sin(10 * x)"), "EPOCHS": "300"}, []),
    "x⁴ sans bruit": ("exercice3_nonlinear", {"NOISE": "0", "EPOCHS": "300"}, []),
    "un neurone caché": ("exercice3_nonlinear", {"HIDDEN": "1", "EPOCHS": "300"}, []),
}


@pytest.fixture(scope="module")
def results(workers, tmp_path_factory):
    """Toutes les modifications, deux à la fois."""
    pending = {}
    for name, (script, changes, options) in EDITS.items():
        path = tmp_path_factory.mktemp("modif") / f"{script}.py"
        path.write_text(edit((ROOT / path.name).read_text(encoding="utf-8"), changes), encoding="utf-8")
        pending[name] = workers.submit(play, path, "--corrige", *options)
    return {name: future.result(timeout=600) for name, future in pending.items()}


@pytest.mark.parametrize("name", EDITS)
def test_the_edited_script_works(results, name):
    """Un réglage ou une fonction changés par l'élève arrêtent le script, ou donnent un texte trop long."""
    status, output, errors = results[name]
    assert (status, errors) == (0, "")
    check_layout(output)


def learned(results, name, section):
    """La colonne « appris » du tableau des paramètres d'une section d'exercice1 : quatre poids au plus, et b."""
    text = blocks(results[name][1])[section]
    return [float(value) for value in re.findall(r"^(?:w\d|b) +(\S+)", text, re.MULTILINE)]


@pytest.mark.parametrize(
    "name, weights", [("une entrée", [7]), ("trois entrées", [2, 4, -3]), ("cinq entrées", [1, 2, 3, 4])]
)
def test_exercice1_speaks_of_the_new_weights(results, name, weights):
    """Une phrase répète à la main les poids d'origine."""
    output = results[name][1]
    # Les poids sont arrivés après 100 itérations : il en reste l'écart que le biais leur impose (0.05 vu au plus).
    assert learned(results, name, "2.2.2-boucle")[:-1] == pytest.approx(weights, abs=0.1)
    assert "3·x1 - 4·x2" not in output and f"{weights[0]}·x1" in answer_of(blocks(output)["2.2.1"])


def test_exercice1_degenerate_cases_say_something_true(results):
    """Un taux trop grand, trois itérations, vingt observations : une phrase fausse."""
    measured, _, answer = blocks(results["taux trop grand"][1])["2.2.2-boucle"].partition("Réponse")
    assert "le taux 0.5 dépasse la limite, 0.0559" in measured, "le diagnostic, toujours là"
    assert "Rien à conclure" in answer
    assert "Après 3 itérations" in blocks(results["lent et court"][1])["2.2.2-boucle"]
    assert learned(results, "biais nul", "2.2.2-boucle")[-1] == pytest.approx(0, abs=0.1)
    assert "groupes de 20" in blocks(results["vingt observations"][1])["2.2.3-mini-batch"]


def test_relu_plot_follows_the_edit(results):
    """Une réponse parle de la fonction ou du nombre de couches d'avant le changement."""
    assert "0.25^3" in results["trois couches de gradient"][1]
    assert "n'est pas ReLU : elle vaut -1 en -10" in answer_of(blocks(results["relu qui fuit"][1])["3.1-relu"])


def test_exercice2_follows_the_edit(results):
    """Une réponse donne les formes, ou un pluriel, d'avant le changement."""
    structure = {
        name: answer_of(blocks(results[name][1])["3.2-structure"])
        for name, (script, _, _) in EDITS.items()
        if script == "exercice2"
    }
    assert "10 puis 5 neurones cachés" in structure["deux couches cachées"]
    assert "(4, 10) puis (10, 5) puis (5, 3)" in structure["deux couches cachées"]
    assert "1 neurone caché," in structure["un neurone"]
    assert "1 mise à jour" in answer_of(blocks(results["un neurone"][1])["3.2-epoch"])


def test_exercice3_speaks_of_the_line_only_if_there_is_one(results):
    """« La droite apprise » est dit d'un réseau, ou un taux de 30 n'est pas nommé."""
    for name, (script, changes, _) in EDITS.items():
        if script == "exercice3" and name != "taux de 30":
            answers = [answer_of(text) for text in blocks(results[name][1]).values()]
            assert any("La droite apprise" in answer for answer in answers) == ("RegressionModel" not in changes), name
    assert "le taux 30 dépasse la limite" in answer_of(blocks(results["taux de 30"][1])["3.3.2-apprentissage"])
    assert "après 1 époque" in results["une époque"][1]


def test_nonlinear_follows_the_edit(results):
    """Une autre classe, une autre courbe ou un seul neurone : plus de réponse."""
    assert "sans activation, 1 neurone " in results["un neurone caché"][1]
    for name in ["autre classe", "courbe qui oscille", "x⁴ sans bruit"]:
        assert "Réponse :" in blocks(results[name][1])["3.3.2-non-lineaire"]
