"""relu_plot : ce que l'enfant observe, et ce que le parent en juge. Deux choses à écrire."""

import numpy as np

from verification.dessins import drawn, numbers
from verification.observation import array

CONSTANTS = {"SEED": 0, "X_MAX": 8}
POINTS = [-7.5, -2.25, -0.5, 0.0, 0.75, 3.5, 9.25]
WANTED = [0, 0, 0, 0, 0.75, 3.5, 9.25]


# --- 3.1 : ReLU ---------------------------------------------------------------------------------------
def observe_relu(load):
    module = load(**CONSTANTS)
    x = np.array(POINTS)
    result = module.relu(x)
    return {"none": result is None, "x": x.tolist(), **array(result)}


def judge_relu(seen):
    x, wanted = np.array(POINTS), np.array(WANTED)
    if seen["none"]:
        printed = "vous affichez le résultat : " if seen["printed"].strip() else ""
        return f"{printed}relu rend None, il manque un return"
    if seen["shape"] is not None and seen["shape"] != [len(x)]:
        if np.size(seen["values"]) == 1:
            return "relu rend un seul nombre, et il en faut un par élément de x"
        return f"relu rend la forme {tuple(seen['shape'])}, il faut celle de x, {x.shape}"
    found = numbers(seen["values"])
    if len(found) != len(x):
        return "relu ne rend pas un nombre fini pour chaque élément de x"
    if not np.array_equal(seen["x"], POINTS):
        return "relu change x lui-même, et la figure perd sa moitié gauche : travaillez sur une copie, x.copy()"
    if np.allclose(found, wanted):
        return ""
    if np.allclose(found, abs(x)):
        return "c'est la valeur absolue : à gauche de 0, ReLU vaut 0"
    if np.allclose(found, x > 0) or np.allclose(found, x >= 0):
        return "relu dit si x est positif (0 ou 1) : à droite de 0, ReLU vaut x"
    if np.allclose(found, [*WANTED[:-1], 6]):
        return "relu s'arrête à 6 : à droite de 0, ReLU vaut x, aussi loin qu'on aille"
    slopes = found[:3] / x[:3]
    if np.allclose(found[3:], wanted[3:]) and np.allclose(slopes, slopes[0]) and 0 < slopes[0] < 1:
        return f"à gauche de 0 elle vaut {slopes[0]:.3g}·x (c'est « leaky ReLU ») : ReLU y vaut 0"
    wrong = np.flatnonzero(~np.isclose(found, wanted))[0]
    return f"relu({x[wrong]:g}) vaut {found[wrong]:.4g}, il faut {wanted[wrong]:g}"


# --- 3.1 : sa figure ----------------------------------------------------------------------------------
def observe_plot(load):
    """`relu` est remplacée par une parabole : la figure se juge même si relu n'est pas encore écrite."""
    module = load(**CONSTANTS)
    module.relu = parabola
    module.section_relu()
    return {"axes": drawn()}


def parabola(x):
    return np.square(np.add(x, 10)) / 40


def is_drawn(x, y):
    """Vrai si ces points font, des deux côtés de 0, la parabole donnée pour relu, ou ReLU elle-même."""
    order = np.argsort(x, kind="stable")
    x, y, end = x[order], y[order], 0.85 * CONSTANTS["X_MAX"]  # arange s'arrête un pas avant la fin
    if len(x) < 3 or x[0] > -end or x[-1] < end:
        return False
    if np.allclose(y, parabola(x)):
        return True
    grid = np.linspace(x[0], x[-1], 200)  # entre les points, la courbe est droite
    height, small = np.interp(grid, x, y), 0.03 * CONSTANTS["X_MAX"]
    return bool(abs(height[grid < 0]).max() < small and abs(height - grid)[grid > 0].max() < small)


def judge_plot(seen):
    series = [
        (numbers(each["x"]), numbers(each["y"])) for ax in seen["axes"] for each in ax if each["kind"] != "unseen"
    ]
    series = [(x, y) for x, y in series if len(x) == len(y) > 0]
    if len(series) > 1:  # en deux morceaux, c'est juste aussi
        series.append(tuple(np.concatenate(column) for column in zip(*series)))
    if any(is_drawn(x, y) for x, y in series):
        return ""
    if not series:
        return "rien n'est tracé : plt.plot, avec x en abscisse et relu(x) en ordonnée"
    if any(is_drawn(y, x) for x, y in series):
        return "les deux axes sont échangés : x en abscisse, relu(x) en ordonnée"
    x, y = max(series, key=lambda pair: len(pair[0]))
    if np.allclose(x, np.arange(len(x))) and len(x) > 20:
        return "l'abscisse est le numéro du point : donnez x, puis relu(x)"
    if np.allclose(x, y):
        return "c'est x en fonction de x : en ordonnée, il faut relu(x)"
    if np.allclose(y, parabola(x)) or np.allclose(2 * y, abs(x) + x):
        return f"la courbe va de {x.min():.3g} à {x.max():.3g} : il faut les deux côtés de 0, de -X_MAX à X_MAX"
    return "ce qui est tracé n'est pas relu(x) en fonction de x"
