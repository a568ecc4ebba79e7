"""exercice1 : ce que l'enfant observe, et ce que le parent en juge. Six choses à écrire, dans l'ordre de l'énoncé."""

import numpy as np

from verification.dessins import drawn, fault, numbers, shown
from verification.observation import array, local_values, watch

CONSTANTS = {  # celles de la version distribuée, avec d'autres listes : un réglage changé ne change pas le verdict
    "SEED": 0,
    "N_OBSERVATIONS": 1000,
    "TRUE_WEIGHTS": [3, -4],
    "TRUE_BIAS": 5,
    "NOISE": 0.1,
    "LEARNING_RATE": 0.01,
    "N_ITERATIONS": None,
    "RATES": [0.02, 0.004, 0.0007, 0.05, 0.002],
    "BATCH_SIZES": [2, 7, 20],
}
N, SIZE, STEPS = 12, 4, (60, 90)  # les essais des mini-batchs : observations, taille d'un groupe, itérations


# --- 2.2.2-perte : tracer la perte --------------------------------------------------------------------
def observe_loss(load):
    module = load(**CONSTANTS)
    calls = watch(module, "train")
    module.section_loss()
    return {"losses": numbers(calls[-1][1][0]).tolist(), "axes": drawn()}


def judge_loss(seen):
    return fault(seen["axes"], seen["losses"], "loss_history")


# --- 2.2.2-taux : la boucle des taux ------------------------------------------------------------------
def observe_rates(load):
    module = load(**{**CONSTANTS, "N_ITERATIONS": 300})
    _, inputs, targets, weights, bias = module.setup(1000)
    rates = CONSTANTS["RATES"]
    losses = [numbers(module.train(inputs, targets, weights, bias, rate, 300)[0]).tolist() for rate in rates]
    calls, kept = watch(module, "train"), watch(module, "kept")
    module.section_rates()
    seen = [seen_call(arguments, result) for arguments, result in calls if arguments["n_iterations"] != 5]
    return {
        "losses": losses,
        "calls": seen,
        "axes": drawn(),
        "kept": bool(kept) and kept[0][1],
    }  # 5 : l'essai de la section


def seen_call(arguments, result):
    """Un appel de `train` : ses arguments, la perte qu'elle a rendue, et les poids à la fin."""
    names = ("learning_rate", "n_iterations", "batch_size", "weights")
    seen = {name: array(arguments[name])["values"] for name in names}
    end = array(result[1][-1][0])["values"]
    return {**seen, "rng": arguments["rng"] is not None, "losses": numbers(result[0]).tolist(), "end": end}


def chained(calls):
    """Vrai si un apprentissage part des poids où le précédent est arrivé."""
    return any(call["weights"] == before["end"] for before, call in zip(calls, calls[1:]))


def kept_fault(seen):
    """Ce que dit la section de `results`, quand tout est tracé."""
    return (
        "" if seen["kept"] else "c'est bien tracé, mais results n'a pas les deux choses que rend train, à chaque fois"
    )


def judge_rates(seen):
    axes, calls, wanted = seen["axes"], seen["calls"], CONSTANTS["RATES"]
    rates = [call["learning_rate"] for call in calls]
    missing = [rate for rate, losses in zip(wanted, seen["losses"]) if not shown(axes[0], losses)]
    if not missing:
        return kept_fault(seen)
    own = [call for call in calls if shown(axes[0], call["losses"]) and call["n_iterations"] >= 300]  # autre départ
    if not chained(calls) and set(wanted) <= {call["learning_rate"] for call in own}:
        return kept_fault(seen)
    if not rates and not any(series["kind"] == "line" for series in axes[0]):
        return "train n'est pas appelée : il faut l'appeler une fois par taux, dans une boucle"
    if len(rates) > 1 and len(set(map(str, rates))) == 1:
        return f"train reçoit toujours le même taux, {rates[0]:g} : donnez-lui celui de la boucle"
    others = [rate for rate in rates if not np.isclose(rate, wanted).any()]
    if others:
        return f"le taux {others[0]:g} n'est pas dans RATES, ici {wanted} : parcourez la liste elle-même"
    if chained(calls):
        return "un apprentissage part des paramètres du précédent : chacun doit partir des mêmes weights et bias"
    if any(call["n_iterations"] < 300 for call in calls):
        return f"train fait {calls[0]['n_iterations']:g} itérations : donnez-lui n_iterations"
    if len(rates) < len(wanted):
        return f"train n'a pas été appelée pour le taux {missing[0]:g} : un return ou un break arrête-t-il la boucle ?"
    if missing == wanted[:-1]:
        return "seule la courbe du dernier taux est tracée : tracez dans la boucle, et non après elle"
    return fault(axes, seen["losses"][wanted.index(missing[0])], f"loss_history (taux {missing[0]:g})")


# --- 2.2.2-trois-entrees ------------------------------------------------------------------------------
def observe_three(load):
    module = load(**CONSTANTS)
    formula = watch(module, "wrong_formula", says_no)
    learned = watch(module, "learn", learns_nothing)
    module.section_three_inputs()
    seen = {name: array(formula[0][0][name]) for name in ("inputs", "targets")}
    return {**seen, **{name: array(learned[0][0][name]) for name in ("weights", "bias")}}


def says_no(*args):
    return False


def learns_nothing(*args, **kwargs):
    return [], None, ""


def formula_text(values):
    """« 2·x1 + 4·x2 - 3·x3 + 3 »"""
    terms = [f"{value:.3g}·x{j}" for j, value in enumerate(values[:-1], start=1)]
    return " + ".join([*terms, f"{values[-1]:.3g}"]).replace("+ -", "- ")


def judge_three(seen):
    shapes = {name: tuple(seen[name]["shape"] or ()) for name in ("inputs", "targets", "weights", "bias")}
    n = next((shape[0] for shape in (shapes["targets"], shapes["inputs"]) if shape and shape[0] >= 100), 1000)
    for name, wanted in [("inputs", (n, 3)), ("targets", (n, 1)), ("weights", (3, 1))]:
        if shapes[name] != wanted:
            return f"{name} est de forme {shapes[name]}, il faut {wanted}"
    if np.prod(shapes["bias"]) != 1:
        return f"bias est de forme {shapes['bias']}, il faut un seul nombre, de forme (1,)"
    arrays = {name: np.array(seen[name]["values"], float) for name in shapes}
    if not all(np.isfinite(values).all() for values in arrays.values()):
        return "toutes les valeurs ne sont pas des nombres finis"
    inputs, targets = arrays["inputs"], arrays["targets"]
    if abs(inputs).max() > 10.01 or (inputs.min(axis=0) > -9.5).any() or (inputs.max(axis=0) < 9.5).any():
        return f"les entrées vont de {inputs.min():.3g} à {inputs.max():.3g} : il faut les tirer entre -10 et 10"
    extended = np.column_stack([inputs, np.ones(n)])
    if np.linalg.matrix_rank(extended) < 4:
        return "deux entrées sont les mêmes nombres : tirez x1, x2 et x3 chacune à part"
    found = np.linalg.lstsq(extended, targets, rcond=None)[0][:, 0]
    rest = targets[:, 0] - np.dot(extended, found)  # le bruit
    wanted = [2, 4, -3, 3]
    if abs(found - wanted).max() < 1e-6 and abs(rest).max() < 1e-6:
        return "les cibles suivent la formule, mais sans bruit"
    if abs(rest).max() < 1e-6 and abs(found - wanted)[:3].max() < 1e-6 and abs(found[3] - 3) < 0.11:
        return "toutes les cibles ont le même bruit : il en faut un par observation, de forme (n, 1)"
    if abs(found - wanted).max() > 0.02 + rest.std() / 5:
        return f"vos cibles suivent {formula_text(found)}, il faut {formula_text(wanted)}"
    if abs(rest).max() > 0.12:
        return f"le bruit va jusqu'à {abs(rest).max():.3g} : l'énoncé le tire entre -0.1 et 0.1"
    if (inputs == np.rint(inputs)).all():
        return "les entrées sont des nombres entiers : il faut les tirer par uniform, comme dans l'énoncé"
    if abs(arrays["weights"][:, 0] - wanted[:3]).max() < 0.1:
        return "weights part déjà de la solution, 2, 4 et -3 : c'est ce qu'il faut apprendre"
    if abs(arrays["bias"] - 3).max() < 0.1:
        return "bias part déjà de la solution, 3 : c'est ce qu'il faut apprendre"
    return ""


# --- 2.2.3 : les groupes, et leurs observations ------------------------------------------------------
# Les entrées sont une matrice identité : un pas ne bouge que les poids des observations du groupe, chacun d'une part
# de son écart. Les poids disent donc qui était dans le groupe, quelle que soit la façon de l'écrire.
def trial():
    """Ce que reçoit `train` dans ces essais, neuf à chaque fois : entrées, cibles, poids, biais et taux."""
    return np.eye(N), np.arange(1.0, N + 1).reshape(-1, 1) ** 2, np.full((N, 1), 0.5), np.ones(1), 0.01


def observe_steps(load, replaced=(), groups=None):
    """Deux essais, avec deux hasards : les groupes, et combien de fois chaque observation compte dans chaque pas."""
    _, targets, _, _, rate = trial()
    whole = load().train(*trial(), 3)[1]
    tries = []
    for seed, steps in enumerate(STEPS):
        module = load(replaced, given_groups=groups, **CONSTANTS)
        np.random.seed(seed)
        generator = np.random.default_rng(seed)
        values, result, error = local_values(module.train, *trial(), steps, SIZE, generator)
        shapes = [array(values[name])["shape"] for name in ("x", "y") if name in values]
        unnamed = groups is None and "groups" not in values and "'groups'" in str(error)
        wrong = shapes != [[SIZE, N], [SIZE, 1]] and isinstance(error, ValueError)
        if error and not (wrong or unnamed or groups is None and "groups" in values):
            raise error  # sinon, les groupes ou les formes de x et y disent pourquoi
        rows, counts = rows_of(values.get("groups")), counts_of(result, targets, rate)
        tries.append({"groups": rows, "counts": counts, "shapes": shapes, "unnamed": unnamed})
    return {"tries": tries, "whole": [[array(weights)["values"], array(bias)["values"]] for weights, bias in whole]}


def rows_of(groups):
    """Les groupes comme des listes de nombres ; None si ce n'en est pas."""
    try:
        rows = groups.values() if isinstance(groups, dict) else groups
        return [np.ravel(np.asarray(row, float)).tolist() for row in rows]
    except (TypeError, ValueError):
        return None


def counts_of(result, targets, rate):
    """Combien de fois chaque observation compte dans chaque pas, (pas, N) ; None sans résultat."""
    if result is None:
        return None
    counts = []
    for (weights, bias), (after, _) in zip(result[1], result[1][1:]):
        counts.append((SIZE / rate * (weights - after) / (weights + bias - targets))[:, 0].tolist())
    return counts


def observe_groups(load):
    return observe_steps(load)


def observe_taking(load):
    """Si les groupes ne sont pas encore écrits, on en donne."""
    try:
        return observe_steps(load, groups=())
    except NotImplementedError as blank:
        if not str(blank).startswith("À vous n° 4"):
            raise
    groups = np.random.default_rng(5).permuted(np.tile(np.arange(N), (max(STEPS), 1)), axis=1)[:, :SIZE]
    return observe_steps(load, {4: "groups = given_groups"}, groups)


def groups_fault(rows, others):
    """Ce qui ne va pas dans des groupes, "" si rien ; `others` : ceux d'un autre hasard, pour plus d'itérations."""
    n_steps = STEPS[0]
    if len(rows) == SIZE and all(len(row) == n_steps for row in rows):
        return "lignes et colonnes sont échangées : une ligne par itération, batch_size numéros par ligne"
    sizes = sorted({len(row) for row in rows})
    if sizes == [1] and len(rows) == SIZE:
        return "il n'y a qu'un groupe : il en faut un par itération, n_iterations en tout"
    if len(rows) < n_steps:
        return f"il y a {len(rows)} groupes pour {n_steps} itérations : il en faut un par itération"
    if others and len(others) == len(rows) > n_steps:
        return f"il y a {len(rows)} groupes, quel que soit n_iterations : il en faut un par itération"
    if sizes != [SIZE]:
        other = sizes[0] if sizes[0] != SIZE else sizes[-1]
        return f"il y a des groupes de {other} : il en faut de batch_size, ici {SIZE}"
    values = np.array(rows)
    if not np.allclose(values, np.rint(values)):
        return f"les numéros doivent être entiers, et il y a {values[0, 0]:.3g}"
    if values.min() < 0 or values.max() >= N:
        worst = values.min() if values.min() < 0 else values.max()
        return f"le numéro {worst:g} n'existe pas : il faut aller de 0 à len(inputs) - 1, ici {N - 1}"
    if (values[:n_steps] == values[0]).all():
        return "c'est toujours le même groupe : il en faut un autre à chaque itération"
    unseen = sorted(set(range(N)) - set(values[:n_steps].ravel().astype(int).tolist()))
    if unseen:
        return f"l'observation n° {unseen[0]} n'est jamais tirée, et il y en a {N}, de 0 à {N - 1}"
    if others and rows[:n_steps] == others[:n_steps]:
        return "les groupes sont les mêmes quel que soit le hasard : tirez-les avec rng"
    return ""


def steps_fault(counts):
    """Ce que des pas disent de leurs groupes, "" si tout va bien."""
    values = np.array(counts)  # (pas, N)
    totals = values.sum(axis=1)
    if np.allclose(values, SIZE / N):
        return "chaque pas se sert de toutes les observations : x et y n'ont pas changé"
    if not np.allclose(totals, SIZE, rtol=1e-6) or (values < -1e-6).any():
        return "x et y ne sont pas les entrées et les cibles d'un même groupe"
    smallest = values[values > 1e-6].min()
    if not np.isclose(smallest, 1) and np.allclose(values / smallest, np.rint(values / smallest)):
        return f"chaque pas se sert de {SIZE / smallest:.3g} observations : il en faut batch_size, ici {SIZE}"
    if not np.allclose(values, np.rint(values), atol=1e-6):
        return "x et y ne sont pas les entrées et les cibles d'un même groupe"
    if (values == values[0]).all() or np.allclose(values, values[0]):
        return "c'est toujours le même groupe : il en faut un autre à chaque itération"
    unseen = np.flatnonzero(values.max(axis=0) < 0.5)
    return f"l'observation n° {unseen[0]} n'est jamais prise" if len(unseen) else ""


def whole_fault(path):
    """Dit si `train`, sans groupes, ne fait plus la descente de l'énoncé ; "" sinon."""
    _, targets, weights, bias, rate = trial()
    for found_weights, found_bias in path:
        if not (np.allclose(found_weights, weights) and np.allclose(found_bias, bias)):
            return "même sans groupes, train ne fait plus la descente de l'énoncé : relisez ses étapes (1) à (7)"
        deltas = weights + bias - targets
        weights, bias = weights - rate * deltas / N, bias - rate * deltas.mean()
    return ""


def judge_groups(seen):
    first, second = seen["tries"]
    if whole_fault(seen["whole"]):
        return whole_fault(seen["whole"])
    if first["unnamed"]:
        return "après ces lignes, groups n'existe pas : vos groupes doivent s'appeler groups"
    if first["groups"] is not None:
        return groups_fault(first["groups"], second["groups"])
    if first["counts"] is None:
        return "après ces lignes, groups n'est pas une suite de groupes de numéros"
    if np.allclose(first["counts"], second["counts"][: STEPS[0]]):
        return "les groupes sont les mêmes quel que soit le hasard : tirez-les avec rng"
    return steps_fault(first["counts"])


def judge_taking(seen):
    rows, counts, shapes = (seen["tries"][0][name] for name in ("groups", "counts", "shapes"))
    if whole_fault(seen["whole"]):
        return whole_fault(seen["whole"])
    n_steps = STEPS[0]
    if rows is not None and [len(row) for row in rows[:n_steps]] != [SIZE] * n_steps:
        return "il faut d'abord que le numéro 4 marche"
    for name, shape, wanted in zip("xy", shapes, ([SIZE, N], [SIZE, 1])):
        if counts is None and shape != wanted or shape and len(shape) != 2:
            fact = f"{name} est de forme {tuple(shape or ())}, il faut {tuple(wanted)}"
            return f"{fact} pour {N} observations de {N} entrées et des groupes de {SIZE}"
    if rows is None:
        return steps_fault(counts)
    wanted = np.array([np.bincount(np.array(row, int) % N, minlength=N) for row in rows[:n_steps]])
    if np.allclose(counts, wanted, atol=1e-6):
        return "il faut d'abord que le numéro 4 marche" if groups_fault(rows, None) else ""
    if np.allclose(counts, wanted[0], atol=1e-6):
        return "c'est toujours le groupe numéro 0 : il faut le groupe numéro k"
    k = np.flatnonzero(~np.isclose(counts, wanted, atol=1e-6).all(axis=1))[0]  # le premier pas faux
    taken = np.flatnonzero(np.array(counts[k]) > 0.5).tolist()
    if np.allclose(counts[k], np.rint(counts[k]), atol=1e-6) and np.isclose(sum(counts[k]), SIZE):
        group = sorted({int(number) for number in rows[k]})
        return f"à l'itération {k} le groupe est {group}, et x et y prennent les observations {taken}"
    return steps_fault(counts) or "x et y ne sont pas les observations du groupe numéro k"


# --- 2.2.3 : la boucle des tailles --------------------------------------------------------------------
def observe_sizes(load):
    """`train` est remplacée : la boucle se juge même si les groupes ne sont pas encore écrits."""
    module = load(**CONSTANTS)
    numbers_of_calls = []

    def pretend(inputs, targets, weights, bias, learning_rate, n_iterations, batch_size=None, rng=None):
        numbers_of_calls.append(batch_size)
        losses = [(10.0 + len(numbers_of_calls)) / (k + 1) for k in range(n_iterations)]
        return losses, [(weights * (1 - k / n_iterations), bias + 1e-6 * k) for k in range(n_iterations + 1)]

    calls, kept = watch(module, "train", pretend), watch(module, "kept")
    module.wrong_groups = says_no
    module.section_mini_batch()
    axes, seen = drawn(), [seen_call(arguments, result) for arguments, result in calls]
    full = [series["y"][:-1] for series in axes[1] if series["kind"] == "line"][-1]  # à droite, il vient en dernier
    return {"calls": seen, "axes": axes, "full": full, "kept": bool(kept) and kept[0][1]}


def judge_sizes(seen):
    axes, wanted = seen["axes"], CONSTANTS["BATCH_SIZES"]
    calls = [call for call in seen["calls"] if call["batch_size"] is None or not np.isnan(call["batch_size"])]
    drawn_sizes = [call["batch_size"] for call in calls if shown(axes[0], call["losses"])]
    good = [call for call in calls if call["learning_rate"] == 0.01 and call["rng"] and call["n_iterations"] == 1000]
    if set(wanted) <= set(drawn_sizes) and len(good) == len(calls) and not chained(calls):
        return kept_fault(seen)
    if not calls:
        if len(seen["calls"]) > 1:
            return "train ne reçoit pas batch_size : c'est le gradient complet ; donnez-lui la taille, et rng"
        return "train n'est pas appelée : il faut l'appeler une fois par taille, dans une boucle"
    sizes = [call["batch_size"] for call in calls]
    if any(not isinstance(size, float) for size in sizes):
        return "train reçoit ses arguments dans un autre ordre : à la fin, la taille du groupe, puis rng"
    if not all(call["rng"] for call in calls):
        return "train ne reçoit pas rng, avec lequel elle tire ses groupes"
    others = [size for size in sizes if size not in wanted]
    if others:
        return f"la taille {others[0]:g} n'est pas dans BATCH_SIZES, ici {wanted} : parcourez la liste elle-même"
    if len(sizes) > 1 and len(set(sizes)) == 1:
        return f"train reçoit toujours la même taille, {sizes[0]:g} : donnez-lui celle de la boucle"
    if any(call["n_iterations"] != 1000 for call in calls):
        return f"train fait {calls[0]['n_iterations']:g} itérations, et la section 1000 : donnez-lui n_iterations"
    if len(good) < len(calls):
        return f"train reçoit le taux {calls[0]['learning_rate']:g} : il faut LEARNING_RATE"
    if chained(calls):
        return "un apprentissage part des paramètres du précédent : chacun doit partir des mêmes weights et bias"
    if set(sizes) != set(wanted):
        return "train n'a pas été appelée pour toutes les tailles : un return ou un break arrête-t-il la boucle ?"
    if drawn_sizes == wanted[-1:]:
        return "seule la courbe de la dernière taille est tracée : tracez dans la boucle, et non après elle"
    return fault(axes, calls[0]["losses"], "loss_history", ("left", "right"), others=[seen["full"]])
