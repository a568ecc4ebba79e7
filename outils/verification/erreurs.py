"""Une erreur de Python dite en français, suivie de ses propres mots."""

import re

# Le début du nom de l'erreur ou un morceau de son message, et ce que cela veut dire ; la première qui va est dite.
MEANINGS = [
    ("IndentationError", "le décalage au début de la ligne ne va pas"),
    ("TabError", "le décalage au début de la ligne mêle espaces et tabulations"),
    ("SyntaxError", "Python ne comprend pas cette ligne, ou celle d'avant"),
    ("UnboundLocalError", "ce nom n'a pas encore de valeur quand on s'en sert"),
    ("NameError", "ce nom n'existe pas"),
    ("truth value", "max et if ne prennent qu'un nombre, et c'est un tableau : il faut traiter chaque élément"),
    ("only one element tensors|only length-1|only size-1|0-dimensional", "il faut un seul nombre, et c'est un tableau"),
    ("Boolean value of Tensor", "max et if ne prennent qu'un nombre, et c'est un tenseur"),
    (
        "not aligned|broadcast|mismatch|same first dimension|same size|shapes cannot be|must match",
        "ces formes ne vont pas ensemble",
    ),
    ("inhomogeneous", "ces éléments n'ont pas tous la même forme"),
    ("Invalid parameter", "MLPClassifier n'a pas d'argument de ce nom"),
    ("'learning_rate' parameter of MLPClassifier", "learning_rate y est un mot ; le taux a un autre nom"),
    ("InvalidParameterError", "MLPClassifier n'accepte pas cette valeur"),
    ("requires grad|requires_grad", "un tenseur qui porte un gradient ne se change pas en tableau : loss.item()"),
    ("does not require grad", "la perte ne dépend d'aucun paramètre à apprendre"),
    ("optimizer got an empty", "le modèle n'a aucun paramètre : créez ses couches dans __init__, avec self."),
    ('not implemented for|missing the required "forward"', "il manque `forward`"),
    ("IndexError", "un numéro dépasse la taille"),
    ("KeyError", "ce nom n'est pas dans la liste"),
    ("missing .* argument", "il manque un argument à cet appel"),
    (
        "unexpected keyword|multiple values|too many positional|positional argument",
        "cet appel n'a pas les bons arguments",
    ),
    ("not subscriptable", "des crochets après quelque chose qui n'a pas d'éléments"),
    ("not callable", "des parenthèses après quelque chose qui n'est pas une fonction"),
    ("unpack", "il n'y a pas autant de noms à gauche que de valeurs à droite"),
    ("TypeError", "ces valeurs ne sont pas du type qu'il faut"),
    ("'NoneType' object has no attribute 'append'", "append ne rend rien : pas de « liste = liste.append(...) »"),
    ("'float' object has no attribute 'backward'", "loss est devenu un nombre, et la suite a besoin du tenseur"),
    ("'NoneType' object has no attribute", "cette valeur est None : il manque un argument, ou un return"),
    ("AttributeError", "cet objet n'a rien de ce nom"),
    ("ModuleNotFoundError", "cette bibliothèque n'est pas installée"),
    ("ImportError", "cet import ne marche pas"),
    ("MemoryError", "il faudrait trop de mémoire"),
    ("RecursionError", "une fonction s'appelle elle-même sans fin"),
    ("EOFError", "input() attend une réponse, et personne n'est là pendant la vérification"),
    ("SystemExit", "exit() ou quit() arrête Python : retirez-le"),
    ("ZeroDivisionError", "une division par zéro"),
]


def meaning(kind, message):
    """Ce que veut dire une erreur, ou ""."""
    for pattern, words in MEANINGS:
        if kind == pattern or re.search(pattern, message):
            return words
    return ""


def sentence(error, script):
    """« exercice1.py ligne 84 : ce nom n'existe pas (NameError: name 'los' is not defined) »."""
    place = f"{script}.py ligne {error['lines'][-1]} : " if error["lines"] else ""
    if error["kind"] == "Refused":
        return f"un réglage est refusé ({error['message']})"
    first = (error["message"].splitlines() or [""])[0][:160]
    own = f"{error['kind']}: {first}" if first else error["kind"]
    words = meaning(error["kind"], error["message"])
    return f"{place}{words} ({own})" if words else f"{place}{own}"
