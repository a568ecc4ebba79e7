"""exercice3_nonlinear : ce que l'enfant observe, et ce que le parent en juge. Six choses à écrire.

Un modèle est jugé sur ce qu'il apprend : satisfaisant avec deux des graines 0, 1 et 2 (la section joue la 0). Nos
optimiseur et modèle remplacent ceux de l'élève là où c'est l'autre qu'on juge.
"""

import numpy as np

from verification import exercice3
from verification.dessins import drawn, fault, numbers
from verification.observation import watch

CONSTANTS = {
    "SEED": 0,
    "DEVICE": "cpu",
    "N_OBSERVATIONS": 100,
    "NOISE": 0.1,
    "HIDDEN": 10,
    "LEARNING_RATE": 0.03,
    "EPOCHS": None,
    "HIDDEN_SIZES": [3],
    "N_SEEDS": 1,
}
SMALL = {"N_SEEDS": 1, "DEVICE": "cpu"}
MOST_EPOCHS = 2000  # celles de 3.3.2-non-lineaire
KEEP = {18: "given_keep(loss_history, loss)"}  # à la place du raise du numéro 18
observe_keeping, judge_keeping = exercice3.observe_keeping, exercice3.judge_keeping  # la même ligne que dans exercice3


# --- Le modèle : ses couches, puis forward ------------------------------------------------------------
def observe_layers(load):
    """Les formes des paramètres, et ce que donne forward s'il est écrit."""
    import torch

    module = load(**CONSTANTS)
    torch.manual_seed(0)
    our_model = module.RegressionModel()
    shapes = [list(parameter.shape) for parameter in our_model.parameters()]
    try:
        output = describe_output(our_model(torch.zeros(5, 1)))
    except Exception:  # c'est l'affaire de forward
        output = None
    modules = list(our_model.modules())
    sizes = [[each.in_features, each.out_features] for each in modules if isinstance(each, torch.nn.Linear)]
    classes = [value.__name__ for value in vars(our_model).values() if isinstance(value, type)]
    return {"shapes": shapes, "output": output, "sizes": sizes, "classes": classes}


def judge_layers(seen):
    shapes, sizes = seen["shapes"], seen["sizes"]
    if seen["classes"]:
        return f"{seen['classes'][0]} est une classe, pas encore une activation : il manque ses parenthèses"
    if not shapes:
        return "le modèle n'a aucun paramètre : créez ses couches ici, avec self. devant leur nom"
    matrices = [shape for shape in shapes if len(shape) == 2]
    several = [shape for shape in shapes if np.prod(shape) > 1]
    if not several:
        return "la couche cachée n'a qu'un neurone : il en faut plusieurs, HIDDEN par exemple"
    if len(matrices) < 2 and len(several) < 3:
        return "il manque une couche : une couche cachée, et une couche de sortie"
    for (rows, _), (_, next_columns) in zip(matrices, matrices[1:]):
        if seen["output"] is None and rows != next_columns:
            return f"une couche donne {rows} nombres, et la suivante en attend {next_columns}"
    if sizes and seen["output"] is None and sizes[0][0] != 1:
        return f"la première couche attend {sizes[0][0]} nombres, et x n'en a qu'un par observation"
    if len(sizes) == len(matrices) and all(outputs != 1 for _, outputs in sizes):
        return f"la dernière couche donne {sizes[-1][1]} nombres : il en faut un par observation, y_pred"
    return ""


def describe_output(y):
    """Ce que rend forward : {"kind", "shape", "values", "grad"}."""
    import torch

    if not torch.is_tensor(y):
        return {"kind": type(y).__name__, "shape": None, "values": None, "grad": False}
    values = y.detach().double().ravel().tolist()[:1000]
    return {"kind": "tensor", "shape": list(y.shape), "values": values, "grad": y.requires_grad}


def observe_forward(load):
    """Le modèle de trois graines : ses sorties, ses gradients, et ce qu'il apprend."""
    import torch

    module = load(KEEP, given_keep=exercice3.keep, **CONSTANTS)
    wide, near = (torch.linspace(-end, end, 41).reshape(-1, 1) for end in (100, 1))
    models = []
    for seed in (0, 1, 2):
        torch.manual_seed(seed)
        our_model = module.RegressionModel().eval()  # Dropout, s'il y en a, ne tire rien
        first = our_model(wide)
        seen = {"wide": describe_output(first), "near": describe_output(our_model(near))}
        seen["again"] = describe_output(our_model(wide))
        seen["part"] = describe_output(our_model(near[:20]))
        if seen["near"]["grad"]:
            our_model(near).sum().backward()
        named = dict(our_model.named_parameters())
        seen["unreached"] = [name for name in named if named[name].grad is None]
        seen["unused"] = [
            name for name in named if torch.is_tensor(first) and not changes(our_model, named[name], near)
        ]
        models.append(seen.copy())
    right = all(model["wide"]["grad"] and model["wide"]["shape"] == [41, 1] for model in models)
    learned = learn_seeds(module, module.RegressionModel, adam) if right and not models[0]["unreached"] else []
    seen = {"models": models, "x": wide.ravel().tolist(), "learned": learned}
    return {**seen, "n_parameters": len(list(our_model.parameters()))}


def changes(our_model, parameter, x):
    """Vrai si la sortie du modèle change avec ce paramètre."""
    import torch

    with torch.no_grad():
        before = our_model(x)
        parameter += 1
        after = our_model(x)
        parameter -= 1
    return not torch.equal(before, after)


def adam(parameters_of, rate):
    import torch

    return torch.optim.Adam(parameters_of.parameters(), lr=rate)


def learn_seeds(module, make_model, make_optimizer):
    """Pour trois graines : x, y, et les prédictions du modèle entraîné par le `train` du script, par cent époques."""
    import torch

    learned = []
    for seed in (0, 1, 2):
        x_data, y_data = module.make_points(np.random.default_rng(seed), 100, CONSTANTS["NOISE"], torch.device("cpu"))
        torch.manual_seed(seed)
        our_model = make_model()
        optimizer = make_optimizer(our_model, CONSTANTS["LEARNING_RATE"])
        for _ in range(MOST_EPOCHS // 100):
            module.train(our_model, x_data, y_data, optimizer, torch.nn.MSELoss(), 100)
            our_model.eval()
            with torch.no_grad():
                prediction = our_model(x_data)
            row = {name: value.double().ravel().tolist() for name, value in (("x", x_data), ("y", y_data))}
            row["prediction"] = prediction.double().ravel().tolist()
            if excess(row) < 1:
                break
        learned.append(row)
        if seed == 1 and all(excess(row) < 1 for row in learned):
            break  # deux sur deux : la troisième ne changerait rien
    return learned


def excess(row):
    """La perte d'un apprentissage, divisée par la plus grande satisfaisante : deux fois celle du bruit, ou presque."""
    x, y, prediction = (np.array(row[name], float) for name in ("x", "y", "prediction"))
    loss, noise = ((prediction - y) ** 2).mean(), (y - x**4).var()
    return loss / (2 * noise + 1e-4 * y.var() + 1e-6) if np.isfinite(loss) else np.inf


def learning_fault(learned):
    """Ce que disent trois apprentissages : "" si deux sont satisfaisants."""
    ratios = sorted(excess(row) for row in learned)
    worst = ratios[1] if len(ratios) > 1 else np.inf
    if worst < 1:
        return ""
    return f"après {MOST_EPOCHS} époques, la perte est encore {worst:.3g} fois la plus grande satisfaisante"


def is_affine(x, y):
    """Vrai si ces points sont sur une droite, aux arrondis de float32 près."""
    x, y = np.array(x, float), np.array(y, float)
    line = np.polyval(np.polyfit(x, y, 1), x)
    return bool(abs(y - line).max() < 1e-4 * (abs(y).max() + 1e-3))


def bends_at_the_start(x, y):
    """Vrai si la seule activation (sigmoïde, tanh ou ReLU) est sur x : ensuite, c'est une droite."""
    x = np.array(x, float)
    return any(is_affine(bent, y) for bent in (1 / (1 + np.exp(-x)), np.tanh(x), abs(x) + x))


def bends_at_the_end(x, y):
    """Vrai si la seule activation (sigmoïde, tanh ou ReLU) est après la sortie : sous elle, c'est une droite."""
    x, y = np.array(x, float), np.array(y, float)
    if y.min() > 0 and y.max() < 1 and np.ptp(y) > 1e-3 and is_affine(x, np.log(y / (1 - y))):
        return True
    if abs(y).max() < 1 and np.ptp(y) > 1e-3 and is_affine(x, np.arctanh(y)):
        return True
    return bool(y.min() == 0 and (y > 0).sum() != 1 and (y.max() == 0 or is_affine(x[y > 0], y[y > 0])))


def judge_forward(seen):
    models = seen["models"]
    if not seen["n_parameters"]:
        return "il faut d'abord que le numéro 15 marche"
    first = models[0]["wide"]
    if first["kind"] == "NoneType":
        return "forward ne rend rien : il manque return y_pred"
    if first["kind"] != "tensor":
        return f"forward rend {first['kind']}, et non un tenseur : gardez des tenseurs d'un bout à l'autre"
    if first["shape"] != [41, 1]:
        return f"forward rend la forme {tuple(first['shape'])} pour x de forme (41, 1) : il faut (n, 1), comme y_data"
    if not all(len(numbers(model["wide"]["values"])) == 41 for model in models):
        return "forward donne autre chose que des nombres finis"
    if models[0]["wide"]["values"] != models[0]["again"]["values"]:
        return "deux appels donnent deux résultats : créez les couches dans __init__, et non dans forward"
    unused = [name for name in models[0]["unused"] if all(name in model["unused"] for model in models)]
    if unused:
        return f"{unused[0]} ne sert pas au calcul de y_pred : passez x dans toutes les couches"
    if models[0]["unreached"]:
        name = models[0]["unreached"][0]
        return f"le gradient n'arrive pas à {name} : .detach(), .data, .tolist() ou NumPy le coupent en chemin"
    if all(is_affine(seen["x"], model["wide"]["values"]) for model in models):
        return "le modèle ne fait qu'une droite : il manque une activation entre les deux couches"
    near = np.array(seen["x"]) / 100
    if all(bends_at_the_end(near, model["near"]["values"]) for model in models):
        return "l'activation n'est qu'après la sortie : il en faut une entre les deux couches"
    if all(bends_at_the_start(near, model["near"]["values"]) for model in models):
        return "l'activation est avant la couche cachée : il en faut une entre les deux couches"
    if not np.allclose(models[0]["part"]["values"], models[0]["near"]["values"][:20], rtol=1e-3, atol=1e-5):
        return "la sortie pour un point dépend des autres points : l'activation doit traiter chaque nombre à part"
    return learning_fault(seen["learned"])


# --- L'optimiseur -------------------------------------------------------------------------------------
def observe_optimizer(load):
    """Ce qu'est l'optimiseur, et ce qu'il donne : sur le modèle de l'élève s'il est juste, et dans une vallée."""
    import torch

    module = load(KEEP, given_keep=exercice3.keep, **CONSTANTS)
    our_model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    optimizer = module.make_optimizer(our_model, CONSTANTS["LEARNING_RATE"])
    if not isinstance(optimizer, torch.optim.Optimizer):
        return {"kind": type(optimizer).__name__, "known": 0, "rate": None, "learned": [], "left": 1}
    known = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    seen = {
        "kind": type(optimizer).__name__,
        "known": sum(id(parameter) in known for parameter in our_model.parameters()),
        "rate": float(optimizer.param_groups[0]["lr"]),
        "left": left_in_valley(module) if len(known) == 4 else 1,
        "learned": [],
    }
    try:
        fit = not learning_fault(learn_seeds(module, module.RegressionModel, adam))
    except Exception:  # le modèle n'est pas encore écrit, ou pas encore juste
        fit = False
    if fit and len(known) == 4:
        seen["learned"] = learn_seeds(module, module.RegressionModel, module.make_optimizer)
    return seen


def left_in_valley(module):
    """La part qui reste d'une perte en vallée étroite, mille fois plus courbée dans un sens que dans l'autre."""
    import torch

    place = torch.nn.Linear(10, 1, bias=False)
    torch.nn.init.ones_(place.weight)
    optimizer = module.make_optimizer(place, CONSTANTS["LEARNING_RATE"])
    curvatures = torch.logspace(-3, 0, 10)
    for _ in range(MOST_EPOCHS):
        optimizer.zero_grad()
        (curvatures * place.weight**2).sum().backward()
        optimizer.step()
    return float((place.weight**2).mean())


def judge_optimizer(seen):
    if seen["kind"] == "NoneType":
        return "make_optimizer ne rend rien : il manque un return"
    if seen["rate"] is None:
        return f"make_optimizer rend {seen['kind']}, et non un optimiseur de torch.optim"
    if seen["known"] < 4:
        return "l'optimiseur n'a pas tous les paramètres de our_model : donnez-lui our_model.parameters()"
    reason = learning_fault(seen["learned"]) if seen["learned"] else ""
    if not seen["learned"] and not seen["left"] < 0.1:
        reason = f"après {MOST_EPOCHS} pas dans une vallée étroite, il reste {100 * seen['left']:.2g} % de la pente"
    given = "" if seen["rate"] == CONSTANTS["LEARNING_RATE"] else " (learning_rate est 0.03)"
    return f"{seen['kind']}, au taux {seen['rate']:g}{given} : {reason}" if reason else ""


# --- La figure de la perte ----------------------------------------------------------------------------
def line_model():
    """Le modèle d'exercice3."""
    import torch

    return torch.nn.Linear(1, 1)


def observe_plot(load):
    module = load(KEEP, given_keep=exercice3.keep, **CONSTANTS)
    module.RegressionModel, module.make_optimizer = line_model, adam
    calls = watch(module, "train_checked")
    module.section_network()
    return {"losses": numbers(calls[-1][1][0]).tolist() if calls else [], "axes": drawn()}


def judge_plot(seen):
    if not seen["losses"]:
        return "il faut d'abord que loss_history garde la perte de chaque époque"
    return fault(seen["axes"], seen["losses"], "loss_history", ("left", "right"), place=1)


# --- 3.3.2-architecture : make_network ----------------------------------------------------------------
def observe_network(load):
    """Le réseau de 7 neurones, avec une activation à nous, qui note la forme de ce qu'elle reçoit."""
    import torch

    module, received = load(**CONSTANTS), []

    class Activation(torch.nn.Module):
        def forward(self, x=None):
            if x is None:
                raise TypeError("activation est déjà un objet : retirez ses parenthèses")
            received.append([*x.shape, self is given])
            return torch.tanh(x)

    torch.manual_seed(0)
    given = Activation()
    network = module.make_network(7, given)
    if not callable(network):
        return {"kind": type(network).__name__, "output": None, "received": [], "shapes": []}
    shapes = [list(parameter.shape) for parameter in network.parameters()] if hasattr(network, "parameters") else []
    output = describe_output(network(torch.linspace(-1, 1, 5).reshape(-1, 1)))
    return {"kind": type(network).__name__, "output": output, "received": received, "shapes": shapes}


def judge_network(seen):
    output = seen["output"]
    if seen["kind"] == "NoneType":
        return "make_network ne rend rien : il manque un return"
    if output is None:
        return f"make_network rend {seen['kind']}, et non un modèle"
    if output["shape"] != [5, 1]:
        return (
            f"le réseau rend {tuple(output['shape'] or ()) or output['kind']} pour x de forme (5, 1) : il faut (5, 1)"
        )
    if not seen["received"]:
        return "l'activation donnée à make_network ne sert pas"
    if not all(each[-1] for each in seen["received"]):
        return "le réseau a une autre activation : mettez-y l'objet activation, déjà créé"
    if seen["received"][0][:2] == [5, 1]:
        return "l'activation reçoit un seul nombre par observation : mettez-la après la couche cachée de size neurones"
    if seen["received"][0][:2] != [5, 7]:
        return f"la couche cachée a {seen['received'][0][1]} neurones : il en faut size, ici 7"
    if seen["received"][-1][:2] == [5, 1]:
        return "l'activation est aussi après la sortie : elle n'y laisserait pas passer toutes les valeurs"
    matrices = [shape for shape in seen["shapes"] if len(shape) >= 2]
    if not output["grad"] or len(matrices) < 2:
        return "il manque une couche : une couche cachée, puis une couche de sortie"
    n_parameters = sum(int(np.prod(shape)) for shape in seen["shapes"])
    if len(matrices) == 2 and n_parameters != 22:
        return f"le réseau a {n_parameters} paramètres, il en faut 22 : 7 poids et 7 biais, puis 7 et 1"
    return ""
