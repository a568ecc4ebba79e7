"""exercice2 : ce que l'enfant observe, et ce que le parent en juge. Quatre choses à écrire."""

import re

import numpy as np

from verification.dessins import drawn

CONSTANTS = {
    "SEED": 0,
    "HIDDEN_LAYER_SIZES": [10],
    "ACTIVATION": "tanh",
    "SOLVER": "sgd",
    "LEARNING_RATE": 0.1,
    "MOMENTUM": 0.9,
    "BATCH_SIZE": 20,
    "EPOCHS": 2,
    "HIDDEN_SIZES": [2, 5, 7],
    "ACTIVATIONS": ["tanh", "identity", "logistic"],
    "RATES": [0.002, 0.05],
    "MOMENTA": [0.3, 0.6],
    "MOMENTA_RATE": 0.02,
}
SMALL = {"EPOCHS": 3}  # pour que les sections jouées durent peu
SETTINGS = ["hidden_layer_sizes", "activation", "solver", "learning_rate_init", "momentum", "batch_size", "alpha"]


# --- 3.2-structure : la taille des matrices -----------------------------------------------------------
def observe_shapes(load):
    """Ce qui est affiché avec 11, puis 13 neurones cachés."""
    import contextlib
    import io

    texts = []
    for size in (11, 13):
        module, output = load(**{**CONSTANTS, "HIDDEN_LAYER_SIZES": [size]}), io.StringIO()
        with contextlib.redirect_stdout(output):
            module.section_structure()
        texts.append(output.getvalue()[:20_000])
    return {"texts": texts}


def holds_pairs(found, pairs):
    """Vrai si ces couples se suivent dans une liste d'entiers, sans se chevaucher, dans un ordre ou dans l'autre."""
    for wanted in (pairs, pairs[::-1]):
        place = 0
        for pair in wanted:
            places = [k for k in range(place, len(found) - 1) if found[k : k + 2] in (pair, pair[::-1])]
            place = places[0] + 2 if places else len(found) + 1
        if place <= len(found):
            return True
    return False


def judge_shapes(seen):
    texts = [text.partition("`forward`")[0] for text in seen["texts"]]  # ce qui suit n'est pas de l'élève
    found = [[int(word) for word in re.findall(r"(?<![\d.])\d+(?![\d.]*\d)", text)] for text in texts]
    if "(11, 4)" in texts[0] and "(4, 11)" not in texts[0]:
        return "(11, 4) est la forme de la matrice transposée : celle des poids est (4, 11)"
    if all(holds_pairs(numbers, [[4, size], [size, 3]]) for numbers, size in zip(found, (11, 13))):
        return ""
    if not texts[0].strip():
        return "rien n'est affiché : print, pour chaque matrice de poids"
    if len(re.findall(r"\d\.\d", texts[0])) > 20:
        return "vous affichez les nombres des matrices : c'est leur forme qu'il faut"
    if found[0] == found[1]:
        return "ce qui est affiché ne change pas avec HIDDEN_LAYER_SIZES : demandez leur forme aux matrices du réseau"
    if found[0] == [11, 3]:
        return "ce sont les formes des biais (intercepts_) ; les matrices de poids sont dans coefs_"
    shown = " ".join(texts[0].split())[:60]
    return f"avec 11 neurones cachés on voit « {shown} » : il faut deux matrices, (4, 11) et (11, 3)"


# --- 3.2 : les comparaisons ---------------------------------------------------------------------------
def observe_fits(load, section):
    """Les réglages de chaque réseau, dans l'ordre ; combien de courbes a chaque axe, avant chacun et à la fin."""
    from sklearn.neural_network import MLPClassifier

    module, fits, before = load(**CONSTANTS), [], []
    real_fit, real_partial = MLPClassifier.fit, MLPClassifier.partial_fit

    def note(classifier):
        settings = {name: classifier.get_params()[name] for name in SETTINGS}
        settings["hidden_layer_sizes"] = np.ravel(settings["hidden_layer_sizes"]).tolist()
        settings = {name: float(v) if isinstance(v, np.floating) else v for name, v in settings.items()}
        if settings not in fits:
            fits.append(settings)
            before.append(count_curves())

    def fit(classifier, *args, **kwargs):
        note(classifier)
        return real_fit(classifier, *args, **kwargs)

    def partial_fit(classifier, *args, **kwargs):
        note(classifier)
        return real_partial(classifier, *args, **kwargs)

    MLPClassifier.fit, MLPClassifier.partial_fit = fit, partial_fit
    try:
        module.SECTIONS[section]()
    finally:
        MLPClassifier.fit, MLPClassifier.partial_fit = real_fit, real_partial
    return {"fits": fits, "curves": count_curves(), "before": before}


def count_curves():
    """Combien de courbes a chaque axe."""
    return [len([series for series in ax if series["kind"] not in ("alone", "unseen")]) for ax in drawn()]


def observe_hidden(load):
    return observe_fits(load, "3.2-couche-cachee")


def observe_activation(load):
    return observe_fits(load, "3.2-activation")


def observe_sgd(load):
    return observe_fits(load, "3.2-sgd")


def varied(fits, name, fixed):
    """Les valeurs que prend un réglage quand tous les autres sont ceux de `fixed`."""
    others = [setting for setting in SETTINGS if setting != name]
    return [fit[name] for fit in fits if all(fit[other] == fixed[other] for other in others)]


def comparison_fault(fits, name, fixed, values, list_name):
    """Dit pourquoi ces apprentissages ne comparent pas `values`, et elles seules ; "" s'ils le font."""
    found, listed = varied(fits, name, fixed), f"{list_name}, ici {np.ravel(values).tolist()}"
    extra = [value for value in found if value not in [*values, fixed[name]]]
    if not extra and all(value in found for value in values):
        return ""
    if not fits:
        return "aucun réseau n'est entraîné : appelez compare"
    changing = [setting for setting in SETTINGS if len({str(fit[setting]) for fit in [fixed, *fits]}) > 1]
    if name not in changing:
        if changing:
            return f"c'est {changing[0]} qui change d'un apprentissage à l'autre : ce n'est pas le réglage demandé"
        return f"aucun réglage ne change : les valeurs de {listed}, n'arrivent pas à MLPClassifier"
    if extra:
        return f"la valeur {extra[0]} n'est pas dans {listed} : donnez à compare la liste elle-même"
    missing = [value for value in values if value not in found]
    return f"{listed}, n'est pas toute essayée : il manque {missing[0]}, les autres réglages inchangés"


def base(**changed):
    """Les réglages d'un réseau de la section, sauf ceux-ci."""
    return {
        "hidden_layer_sizes": [10],
        "activation": "tanh",
        "solver": "sgd",
        "learning_rate_init": 0.1,
        "momentum": 0.9,
        "batch_size": 20,
        "alpha": 0.0001,
        **changed,
    }


def judge_hidden(seen):
    sizes = [[size] for size in CONSTANTS["HIDDEN_SIZES"]]
    reason = comparison_fault(seen["fits"], "hidden_layer_sizes", base(), sizes, "HIDDEN_SIZES")
    if not reason and seen["curves"][0] < len(sizes):
        other = " : elles sont dans une autre figure" if max(seen["curves"]) >= len(sizes) else ""
        return f"tous les réseaux sont entraînés, mais ax n'a pas une courbe pour chacun{other}"
    return reason


def judge_activation(seen):
    values, fits = CONSTANTS["ACTIVATIONS"], seen["fits"]
    wide = [fit for fit in fits if fit["hidden_layer_sizes"] == [10]]
    deep = [fit for fit in fits if fit["hidden_layer_sizes"] == [10, 10, 10]]
    reason = comparison_fault(wide or fits, "activation", base(), values, "ACTIVATIONS")
    if reason:
        return f"à gauche, {reason}" if wide and deep else reason
    if not deep:
        return "le réseau deep n'est pas entraîné : comparez aussi ses activations, à droite"
    reason = comparison_fault(deep, "activation", base(hidden_layer_sizes=[10, 10, 10]), values, "ACTIVATIONS")
    sides = [[fit["hidden_layer_sizes"] == size for fit in fits] for size in ([10], [10, 10, 10])]
    return f"à droite, {reason}" if reason else panels_fault(seen, sides, ["classifier", "deep"], [3, 3])


def setting_fault(fits, name, plain, values, list_name):
    """Comme `comparison_fault`, pour un des deux réglages que la section fait varier."""
    others = [setting for setting in SETTINGS if setting not in ("learning_rate_init", "momentum")]
    stray = [setting for setting in others if any(fit[setting] != plain[setting] for fit in fits)]
    tried = [fit for fit in fits if fit[name] in values and fit[name] != plain[name]]
    reason = comparison_fault(fits, name, plain, values, list_name)
    if reason and stray:
        return f"c'est {stray[0]} qui change d'un apprentissage à l'autre : ce n'est pas le réglage demandé"
    if reason and not any(fit[name] != plain[name] for fit in fits):
        return "rien ne les compare"
    if reason and tried and len(varied(fits, name, plain)) < 2:
        other = "momentum" if name == "learning_rate_init" else "learning_rate_init"
        return f"avec {other} à {tried[0][other]:g} : laissez celui de plain, ici {plain[other]:g}"
    return reason


def judge_sgd(seen):
    rates, momenta, rate = CONSTANTS["RATES"], CONSTANTS["MOMENTA"], CONSTANTS["MOMENTA_RATE"]
    ends = rates[-1], momenta[-1]  # que la section essaie ensemble
    kept = [k for k, fit in enumerate(seen["fits"]) if (fit["learning_rate_init"], fit["momentum"]) != ends]
    fits, plain = [seen["fits"][k] for k in kept], base(learning_rate_init=rate, momentum=0)
    left = setting_fault(fits, "learning_rate_init", plain, rates, "RATES")
    right = setting_fault(fits, "momentum", plain, momenta, "MOMENTA")
    if not fits:
        return left
    if left and right and right != "rien ne les compare":  # l'autre réglage seul a changé, ou un troisième
        return f"les moments : {right}" if left == "rien ne les compare" else f"les taux : {left}"
    if left or right:
        return f"les taux : {left}" if left else f"les moments : {right}"
    sides = [[fit["momentum"] == 0 for fit in seen["fits"]], [fit["momentum"] != 0 for fit in seen["fits"]]]
    return panels_fault(seen, sides, ["RATES", "MOMENTA"], [2, 2])


def panels_fault(seen, sides, names, wanted):
    """Dit quel côté n'a pas ses courbes ; `sides` : pour chacun, quels apprentissages sont les siens.

    Un côté n'a pas les siennes si la première y vient avant le premier de ses apprentissages.
    """
    curves, before = seen["curves"], [*seen["before"], seen["curves"]]
    for k, (side, name, least) in enumerate(zip(("gauche (left)", "droite (right)"), names, wanted)):
        if curves[k] < least:
            one = f"{curves[k]} courbe{'s' if curves[k] > 1 else ''}"
            return f"à {side} il y a {one}, il en faut une par valeur"
        first = next(step for step, counts in enumerate(before) if len(counts) > k and counts[k])
        if not any(sides[k][:first]):
            return f"les comparaisons sont justes, mais à {side} il faut celle de {name}"
    return ""
