"""De quoi observer un script, dans l'enfant : noter des appels, jouer une section, lire des variables."""

import inspect
import sys


def watch(module, name, fake=None):
    """Note chaque appel de `module.name` : rend une liste de (arguments, résultat), qui se remplit.

    `fake` est appelée à la place, si on en donne une.
    """
    real, calls = getattr(module, name), []
    signature = inspect.signature(real)

    def noted(*args, **kwargs):
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        result = (fake or real)(*args, **kwargs)
        calls.append((given.arguments, result))
        return result

    setattr(module, name, noted)
    return calls


def local_values(function, *args):
    """Appelle une fonction ; rend ses variables à la fin, ce qu'elle a rendu, et l'erreur qui l'aurait arrêtée."""
    values = {}

    def follow(frame, event, arg):
        if event == "return":
            values.update(frame.f_locals)
        return follow

    def entered(frame, event, arg):
        if frame.f_code is not function.__code__:
            return None
        frame.f_trace_lines = False
        return follow

    result, error = None, None
    sys.settrace(entered)
    try:
        result = function(*args)
    except Exception as caught:
        error = caught
    finally:
        sys.settrace(None)
    return values, result, error


def array(value):
    """Un tableau en listes de nombres, et sa forme : {"shape", "values"} ; values vaut None si ce n'en est pas un."""
    import numpy as np

    try:
        values = np.asarray(value, float)
    except (TypeError, ValueError):
        return {"shape": None, "values": None}
    return {"shape": list(values.shape), "values": values.tolist()}
