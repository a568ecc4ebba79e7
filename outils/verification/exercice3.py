"""exercice3 : ce que l'enfant observe, et ce que le parent en juge. Deux choses à écrire, dont une dans `train`."""

import numpy as np

from verification.dessins import drawn, fault, numbers
from verification.observation import watch

CONSTANTS = {
    "SEED": 0,
    "DEVICE": "cpu",
    "N_OBSERVATIONS": 100,
    "NOISE": 0.8,
    "LEARNING_RATE": 0.05,
    "EPOCHS": 400,
}
SMALL = {"DEVICE": "cpu"}


# --- 3.3.2 : garder la perte (la même chose dans exercice3_nonlinear) ---------------------------------
def observe_keeping(load):
    """Un petit modèle, son départ, et une perte qui note ce qu'elle a donné."""
    import torch

    module, given = load(), []
    x = torch.linspace(0, 1, 8).reshape(-1, 1)
    our_model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(our_model.parameters(), lr=0.1)

    def loss_func(prediction, target):
        loss = ((prediction - target) ** 2).mean()
        given.extend([loss.tolist()])
        return loss

    start = [parameter.item() for parameter in our_model.parameters()]
    kept = module.train(our_model, x, 3 * x + 1, optimizer, loss_func, 6)
    return {
        "start": start,
        "given": given,
        "kept": [kind_of(value) for value in kept] if isinstance(kept, list) else None,
    }


def kind_of(value):
    """Ce qu'est une valeur gardée : {"kind", "shape", "value"}."""
    import torch

    if torch.is_tensor(value):
        return {"kind": "tensor", "shape": list(value.shape), "value": None}
    if value is None or isinstance(value, str):
        return {"kind": type(value).__name__, "shape": None, "value": None}
    try:
        return {"kind": "number", "shape": list(np.shape(value)), "value": np.asarray(value, float).ravel().tolist()}
    except (TypeError, ValueError):
        return {"kind": type(value).__name__, "shape": None, "value": None}


def expected_losses(weight, bias):
    """Les six pertes que donne la boucle de l'énoncé, au taux 0,1, sur les points de `observe_keeping`."""
    x, losses = np.linspace(0, 1, 8), []
    for _ in range(6):
        deltas = weight * x + bias - (3 * x + 1)
        losses.append((deltas**2).mean())
        weight, bias = weight - 0.2 * (deltas * x).mean(), bias - 0.2 * deltas.mean()
    return losses


def judge_keeping(seen):
    kept, given = seen["kept"], seen["given"]
    if kept is None:
        return "train ne rend plus la liste loss_history"
    kinds = {value["kind"] for value in kept}
    if "builtin_function_or_method" in kinds or "method" in kinds:
        return "loss_history garde la fonction loss.item, et non ce qu'elle donne : il manque les parenthèses"
    sizes = {int(np.prod(value["shape"])) for value in kept if value["shape"] is not None}
    if sizes == {8}:
        return "loss_history garde la prédiction : c'est la perte, loss, qu'il faut"
    if "tensor" in kinds:
        return "loss_history garde des tenseurs, et non des nombres : .item() donne le nombre d'un tenseur"
    if kinds and kinds != {"number"}:
        return f"loss_history garde des valeurs de type {sorted(kinds - {'number'})[0]} : il faut des nombres"
    if len(kept) != len(given):
        return f"{len(given)} époques, et {len(kept)} valeur{'s' if len(kept) > 1 else ''} dans loss_history"
    if any(value["shape"] != [] for value in kept):
        return f"loss_history garde des listes, de forme {tuple(kept[0]['shape'])} : il faut un nombre par époque"
    values = numbers([value["value"][0] for value in kept])
    if len(values) == len(given) and np.allclose(values, given, rtol=1e-4):
        return loop_fault(given, expected_losses(*seen["start"]))
    wrong = np.flatnonzero(~np.isclose(values, given[: len(values)], rtol=1e-4)) if len(values) else [0]
    found = f"{values[wrong[0]]:.4g}" if len(values) else "autre chose"
    return f"à l'époque {wrong[0]} la perte est {given[wrong[0]]:.4g}, et loss_history garde {found}"


def loop_fault(given, wanted):
    """Ce qui a changé dans la boucle, quand la perte, elle, est gardée ; "" si rien."""
    if len(given) != len(wanted):
        return f"la boucle s'arrête après {len(given)} époque sur {len(wanted)} : ici, on ne fait que garder la perte"
    wrong = np.flatnonzero(~np.isclose(given, wanted, rtol=1e-3))
    if not len(wrong):
        return ""
    k = wrong[0]
    fact = f"la perte est gardée, mais à l'époque {k} elle est {given[k]:.4g}, et {wanted[k]:.4g} dans la boucle de "
    return fact + "l'énoncé : ici, on ne fait que la garder"


def keep(loss_history, loss):
    """Pour observer autre chose quand la perte n'est pas encore gardée."""
    loss_history.extend(np.ravel(loss.tolist()).tolist())


# --- 3.3.2-perte : la figure 8 ------------------------------------------------------------------------
def observe_plot(load):
    module = load({13: "given_keep(loss_history, loss)"}, given_keep=keep, **CONSTANTS)
    calls = watch(module, "measure_epochs")
    module.section_history()
    losses = numbers(calls[-1][1][0]).tolist() if calls else []
    return {"losses": losses, "axes": drawn()}


def judge_plot(seen):
    if not seen["losses"]:
        return "il faut d'abord que loss_history garde la perte de chaque époque"
    return fault(seen["axes"], seen["losses"], "loss_history", ("left", "right"))
