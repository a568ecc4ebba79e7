"""Exercice 3, suite : régression non linéaire avec PyTorch (fin de la partie 3.3.2).

Les données suivent y = x^4 plus un bruit : une droite n'y suffit plus. Une couche cachée et une activation non
linéaire changent tout, à condition de bien choisir l'optimiseur : `train` est la boucle d'exercice3, inchangée.

  python exercice3_nonlinear.py                                        toutes les sections
  python exercice3_nonlinear.py --section 3.3.2-non-lineaire --corrige la figure 10, avec la réponse
  python exercice3_nonlinear.py --section 3.3.2-non-lineaire --hidden 20 --activation tanh --optimizer sgd

Réglages essayés pour 3.3.2-non-lineaire, perte finale rapportée à celle du polynôme de degré 4 (médiane puis
pire, graines 0 à 99, ou une sur trois quand c'est dit) :
  10 sigmoïdes, Adam 0.1, 2000 époques, taux divisé par 10 aux 4/5   1.01   1.08   (retenu)
  10 sigmoïdes, Adam 0.05, de même                                  1.01   1.11
  10 sigmoïdes, Adam 0.03 constant, 1000 époques                    1.03   1.29   (une graine sur trois)
  10 tanh, Adam 0.03 constant, 1000 époques                         1.04   1.33   (une graine sur trois)
  20 tanh, Adam 0.03 constant, 2000 époques                         1.03   7.10   (une graine sur trois)
À taux constant, Adam a des sursauts : le pire vient d'un sursaut à la dernière époque, que la baisse du taux évite.
"""

import argparse
import inspect
import math
import os
import shlex
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.backends import backend_registry

NOISE = 0.1  # le bruit est uniforme dans [0, NOISE]
NOISE_FLOOR = NOISE**2 / 12  # sa variance : la perte du meilleur modèle possible, 0.00083
ACTIVATIONS = {"sigmoid": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "identity": torch.nn.Identity}
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


# --- Calcul -------------------------------------------------------------------------------------------
def find_devices():
    """Noms des appareils qui calculent vraiment ici : "cpu", puis l'accélérateur s'il y en a un."""
    names = ["cpu"]
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator().type  # cuda, mps, xpu...
        names += [kind] + [f"{kind}:{index}" for index in range(torch.accelerator.device_count())]
    return [name for name in names if works(name)]


def works(name):
    """Essaie un tout petit calcul sur l'appareil `name`."""
    try:
        return (torch.ones(2, device=name) + 1).sum().item() == 4
    except (AssertionError, RuntimeError, NotImplementedError):
        return False


def choose_device(name):
    """L'appareil demandé ; "auto" prend l'accélérateur s'il y en a un, sinon le processeur."""
    return torch.device((find_devices() + ["cpu"])[1] if name == "auto" else name)


def make_data(rng, n_observations, device):
    """Tire x dans [0, 1] et y = x^4 + bruit ; deux tenseurs float32 (n, 1) sur `device`.

    Le tirage se fait toujours sur le processeur : une graine donne partout les mêmes nombres.
    """
    x = rng.uniform(0, 1, size=(n_observations, 1))
    y = x**4 + rng.uniform(0, NOISE, size=(n_observations, 1))
    return tuple(torch.as_tensor(values, dtype=torch.float32).to(device) for values in (x, y))


def make_model(seed, hidden, activation, device):
    """Un réseau de 1 entrée et 1 sortie, avec `hidden` neurones dans chaque couche cachée ; () donne la droite.

    Initialisé sur le processeur par `seed`, puis envoyé sur `device`. Pas d'activation en sortie.
    """
    torch.manual_seed(seed)
    sizes, layers = [1, *hidden, 1], []
    for n_inputs, n_outputs in zip(sizes, sizes[1:]):
        layers += [torch.nn.Linear(n_inputs, n_outputs), ACTIVATIONS[activation]()]
    return torch.nn.Sequential(*layers[:-1]).to(device)


def make_optimizer(parameters, name, learning_rate):
    """L'optimiseur. Passé 1e30, float32 déborde : le premier pas explose de toute façon."""
    return OPTIMIZERS[name](parameters, lr=min(learning_rate, 1e30))


def train(model, x, y, optimizer, loss_func, n_epochs, on_epoch=None, scheduler=None):
    """Entraîne `model` sur x (n, 1) et y (n, 1), et rend `loss_history`, une perte par époque.

    `on_epoch(epoch, prediction, loss)` est appelée à chaque époque, avant le pas : de quoi dessiner. Si la
    perte explose (plus de mille fois celle d'un modèle qui répond 0), la boucle s'arrête.
    """
    explosion = 1000 * loss_func(torch.zeros_like(y), y).item()
    loss_history = []
    for epoch in range(n_epochs):
        prediction = model(x)  # (1) propager les entrées vers la sortie : (n, 1)
        loss = loss_func(prediction, y)  # (2) (3) écarts aux cibles, puis perte
        value = loss.item()
        if not value < explosion:  # vrai aussi pour une perte infinie ou NaN
            break
        loss_history.append(value)  # (4) garder la perte : le nombre, pas le tenseur
        optimizer.zero_grad()
        loss.backward()  # (5) le gradient, que PyTorch calcule seul
        if on_epoch is not None:
            on_epoch(epoch, prediction, value)
        optimizer.step()  # (6) (7) un pas sur tous les paramètres
        if scheduler is not None:
            scheduler.step()  # changer le taux quand c'est l'heure
    return loss_history


def train_many(models, xs, ys, optimizer_name, learning_rate, n_epochs):
    """Entraîne k réseaux de même forme à la fois, chacun sur ses données ; rend leurs pertes (époques, k).

    `vmap` applique le réseau à chaque jeu de paramètres empilé. La perte est la somme des leurs : chaque
    réseau a donc le gradient, et le pas, qu'il aurait seul.
    """
    parameters, _ = torch.func.stack_module_state(models)
    x, y = torch.stack(xs), torch.stack(ys)  # (k, n, 1)
    predict = torch.vmap(lambda values, inputs: torch.func.functional_call(models[0], values, (inputs,)))
    optimizer = make_optimizer(parameters.values(), optimizer_name, learning_rate)
    losses = []

    def loss_func(prediction, targets):
        return ((prediction - targets) ** 2).mean(dim=(1, 2)).sum()

    def on_epoch(epoch, prediction, loss):
        losses.append(((prediction.detach() - y) ** 2).mean(dim=(1, 2)))

    train(lambda inputs: predict(parameters, inputs), x, y, optimizer, loss_func, n_epochs, on_epoch)
    return torch.stack(losses).cpu().numpy()


def fit_polynomial(x, y, degree):
    """Polynôme des moindres carrés : rend ses coefficients (degree+1,) et sa perte sur les observations."""
    x, y = (tensor.cpu().numpy().astype(float).ravel() for tensor in (x, y))
    coefficients = np.polyfit(x, y, degree)
    return coefficients, np.mean((np.polyval(coefficients, x) - y) ** 2)


def largest_stable_rate(x):
    """Pour la droite : 2 / plus grande valeur propre de 2·X'X/n, où X est x suivi d'une colonne de 1."""
    extended = np.column_stack([x.cpu().numpy().astype(float), np.ones(len(x))])
    return 2 / np.linalg.eigvalsh(2 * extended.T @ extended / len(x))[-1]


def mean_residuals(x, residuals, n_parts=5):
    """Moyenne des écarts par tranche de x : autant d'observations dans chacune, de gauche à droite.

    `x` et `residuals` (n, 1). Rend les bords des tranches (n_parts+1,), les moyennes (n_parts,) et l'erreur-type
    qu'elles auraient si les écarts n'étaient que du bruit (n_parts,).
    """
    parts = np.array_split(np.argsort(x, axis=None), n_parts)
    edges = [x[part[0], 0] for part in parts] + [x[parts[-1][-1], 0]]
    return edges, [residuals[part].mean() for part in parts], [math.sqrt(NOISE_FLOOR / len(part)) for part in parts]


# --- Dessin -------------------------------------------------------------------------------------------
def draw_points(ax, x, y, title):
    """Le nuage des observations, figure 9 de l'énoncé."""
    ax.plot(x, y, "o", color="tab:blue", alpha=0.6, label="observations")
    ax.set(title=title, xlabel="x", ylabel="y", xlim=(-0.03, 1.03), ylim=(-0.35, 1.25))


def draw_polynomial(ax, coefficients):
    """Le polynôme de référence, en trait fin."""
    grid = np.linspace(0, 1, 200)
    ax.plot(grid, np.polyval(coefficients, grid), "k-", linewidth=1, label=f"polynôme de degré {len(coefficients) - 1}")


def draw_prediction(ax):
    """Une courbe vide, que `move_line` déplacera ; la rend."""
    ax.text(0.03, 0.05, "", transform=ax.transAxes, color="tab:red")  # que `move_line` remplit
    (line,) = ax.plot([], [], "--", color="tab:red", linewidth=3, label="réseau")
    ax.legend(loc="upper left")
    return line


def move_line(line, x, prediction, epoch, loss):
    """Met la courbe sur les prédictions du moment, et dit où l'on en est ; ne touche à rien d'autre."""
    line.set_data(x, prediction)
    line.axes.texts[0].set_text(f"après {epoch} époques : perte = {loss:.5f}")


def repaint(fig):
    """Repeint l'intérieur des axes, sans graduations ni titres, qui coûtent le plus ; laisse vivre la fenêtre."""
    for ax in fig.axes:
        ax.redraw_in_frame()
    fig.canvas.blit(fig.bbox)
    fig.canvas.start_event_loop(0.01)


def draw_residuals(ax, x, residuals, edges, means):
    """Écarts observation - droite, et leur moyenne par tranche de x."""
    ax.plot(x, residuals, "o", color="tab:blue", alpha=0.6, label="observation - droite")
    ax.stairs(means, edges, baseline=None, color="tab:red", linewidth=3, label="moyenne par tranche")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(title="Ce que la droite n'explique pas", xlabel="x", ylabel="écart")
    ax.legend()


def draw_losses(ax, curves, references, title):
    """Courbes de perte en échelle log ; `curves` : nom -> (k,) ou (k, graines), dont on trace médiane et quartiles.

    `references` : nom -> perte, en trait fin.
    """
    for style, (name, losses) in zip(
        ["-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (1, 1)), (0, (8, 2))], curves.items()
    ):
        losses = np.reshape(losses, (len(losses), -1))
        (line,) = ax.plot(np.median(losses, axis=1), linestyle=style, linewidth=2.5, label=name)
        if losses.shape[1] > 1:
            quartiles = np.percentile(losses, [25, 75], axis=1)
            ax.fill_between(range(len(losses)), *quartiles, color=line.get_color(), alpha=0.15)
    for style, (name, loss) in zip(["-", "--", ":"], references.items()):
        ax.axhline(loss, color="black", linestyle=style, linewidth=0.9, label=name)
    ax.set(title=title, xlabel="époque", ylabel="perte (échelle log)", yscale="log")
    ax.legend(fontsize=11)


# --- Sections -----------------------------------------------------------------------------------------
def use_device(args):
    """L'appareil choisi, qu'on annonce ; un seul fil de calcul : de si petits tenseurs n'en occupent pas deux."""
    device = choose_device(args.device)
    torch.set_num_threads(1)
    print(f"Appareil : {device} (disponibles : {', '.join(find_devices())})")
    return device


def setup(args):
    """Les données tirées de `args.seed`, sur l'appareil choisi, et leur polynôme de degré 4."""
    device = use_device(args)
    x, y = make_data(np.random.default_rng(args.seed), args.n_observations, device)
    return device, x, y, fit_polynomial(x, y, 4)


def train_live(args, model, x, y, optimizer, n_epochs, fig, line, scheduler=None):
    """Entraîne en imprimant huit fois la perte et, s'il y a une fenêtre ouverte, en bougeant la courbe.

    Rend `loss_history`, où `loss_history[k]` est la perte après k époques, la dernière comprise.
    """
    order = torch.argsort(x, dim=0).ravel()
    sorted_x = x[order].cpu()

    def on_epoch(epoch, prediction, loss):
        if epoch % max(1, n_epochs // 8) == 0:
            print(f"  époque {epoch:6d} : perte = {loss:.6f}")
        if epoch % 10 == 0 and args.window and plt.fignum_exists(fig.number):
            move_line(line, sorted_x, prediction.detach()[order].cpu(), epoch, loss)
            plt.pause(0.01) if epoch == 0 else repaint(fig)  # la première fois, ouvrir la fenêtre

    loss_func = torch.nn.MSELoss()
    loss_history = train(model, x, y, optimizer, loss_func, n_epochs, on_epoch, scheduler)
    with torch.no_grad():
        prediction = model(x)
    final_loss = loss_func(prediction, y).item()
    move_line(line, sorted_x, prediction[order].cpu(), len(loss_history), final_loss)
    return loss_history + [final_loss] * (len(loss_history) == n_epochs)


def section_line(args):
    """La droite, sur des données qui n'en sont pas une

    Les données : y = x^4 + un bruit dans [0, 0.1] (figure 9). Question : la droite que le réseau apprend est-elle
    encore satisfaisante ?
    À regarder : les écarts. S'il ne restait que du bruit, ils n'auraient pas de forme.
    """
    device, x, y, (coefficients, polynomial_loss) = setup(args)
    n_epochs, rate = args.epochs or 400, args.learning_rate or 0.05
    our_model = make_model(args.seed, (), "identity", device)
    optimizer = make_optimizer(our_model.parameters(), "sgd", rate)
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_points(left, x.cpu(), y.cpu(), "Ce que le réseau apprend")
    draw_polynomial(left, coefficients)
    loss_history = train_live(args, our_model, x, y, optimizer, n_epochs, fig, draw_prediction(left))
    explosion = ""
    if len(loss_history) <= n_epochs:
        limit = largest_stable_rate(x)
        explosion = (
            f"La perte a explosé à l'époque {len(loss_history)}, au taux {rate:g}.\n"
            f"Le plus grand taux stable est {limit:.4f} : 2 / la plus grande valeur propre de 2·X'X/n."
        )
        print(explosion)
    best_line, line_loss = fit_polynomial(x, y, 1)
    x, y = x.cpu().numpy(), y.cpu().numpy()
    residuals = y - np.polyval(best_line, x)  # (n, 1)
    edges, means, errors = mean_residuals(x, residuals)
    print(f"Perte de la droite apprise : {loss_history[-1]:.5f} ; de la droite des moindres carrés : {line_loss:.5f} ;")
    print(f"du polynôme de degré 4 : {polynomial_loss:.5f} ; plancher du bruit, 0.1²/12 : {NOISE_FLOOR:.5f}.")
    print("Écarts à la droite des moindres carrés, en moyenne par tranche de x, de gauche à droite :")
    print("  " + "  ".join(f"{mean:+.3f}" for mean in means))
    print(f"S'il ne restait que du bruit, ils seraient à ±{max(errors):.3f} de 0, à peu près.")
    draw_residuals(right, x, residuals, edges, means)
    show(fig, args)
    if explosion:
        return explosion
    hollow = means[0] > 0 > means[2] and means[-1] > 0
    return (
        "Non. En multiples du plancher du bruit :\n"
        f"  perte de la droite apprise : {loss_history[-1] / NOISE_FLOOR:.1f} ; de la meilleure droite : "
        f"{line_loss / NOISE_FLOOR:.1f} ; du polynôme de degré 4 : {polynomial_loss / NOISE_FLOOR:.2f}.\n"
        f"Les écarts à la meilleure droite valent en moyenne {means[0]:+.3f} à gauche, {means[2]:+.3f} au milieu et\n"
        f"{means[-1]:+.3f} à droite{' : la courbe est creuse, aucune droite ne la suit.' if hollow else '.'}"
    )


def section_network(args):
    """Un réseau qui suit la courbe

    Question : quelle architecture donne une régression satisfaisante (figure 10) ? Ici une couche cachée et une
    activation non linéaire. Dans une fenêtre, la courbe bouge ; fermez-la quand vous voulez.
    À regarder : la perte finale à côté du plancher du bruit et du polynôme de degré 4. Essayez --hidden 1,
    --activation identity, --optimizer sgd.
    """
    device, x, y, (coefficients, polynomial_loss) = setup(args)
    n_epochs, rate = args.epochs or 2000, args.learning_rate or 0.1
    our_model = make_model(args.seed, args.hidden, args.activation, device)
    print(our_model)
    n_parameters = sum(parameter.numel() for parameter in our_model.parameters())
    optimizer = make_optimizer(our_model.parameters(), args.optimizer, rate)
    drop = n_epochs * 4 // 5
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[drop], gamma=0.1)
    print(f"{n_parameters} paramètres ; {args.optimizer}, taux {rate:g}, puis {rate / 10:g} dès l'époque {drop}")
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_points(left, x.cpu(), y.cpu(), "Ce que le réseau apprend")
    draw_polynomial(left, coefficients)
    line = draw_prediction(left)
    loss_history = train_live(args, our_model, x, y, optimizer, n_epochs, fig, line, scheduler)
    line_loss = fit_polynomial(x, y, 1)[1]
    references = {"droite": line_loss, "polynôme de degré 4": polynomial_loss, "plancher du bruit": NOISE_FLOOR}
    draw_losses(right, {"réseau": loss_history}, references, "La perte à chaque époque")
    exploded = len(loss_history) <= n_epochs
    ratio = loss_history[-1] / polynomial_loss
    if exploded:
        explosion = (
            f"La perte a explosé à l'époque {len(loss_history)} : le taux {rate:g} est trop grand pour ce réseau."
        )
        print(explosion)
    else:
        print(f"Perte finale : {loss_history[-1]:.6f}, {ratio:.3f} fois celle du polynôme ({polynomial_loss:.6f}).")
        print(f"Plancher du bruit : {NOISE_FLOOR:.6f} ; droite des moindres carrés : {line_loss:.6f}.")
    show(fig, args)
    if exploded:
        return explosion
    verdict = "la régression est satisfaisante" if ratio <= 1.15 else "ce n'est pas encore satisfaisant"
    return (
        f"Neurones cachés : {', '.join(map(str, args.hidden))} ; {args.activation} ; {n_parameters} paramètres.\n"
        f"Après {n_epochs} époques avec {args.optimizer}, perte {ratio:.3f} fois celle du polynôme de degré 4 et\n"
        f"{loss_history[-1] / line_loss:.3f} fois celle de la meilleure droite : {verdict}."
    )


def section_optimizers(args):
    """Optimiseurs, activations et nombres de neurones

    Les mêmes données, dix graines par réglage. L'énoncé conseille une sigmoïde : avec SGD au taux 0.05 et 400
    époques, c'est un piège.
    À regarder : la perte rapportée à celle du polynôme, médiane et dispersion sur les graines.
    """
    device = use_device(args)
    seeds, n_epochs = [args.seed + k for k in range(10)], args.epochs or 800
    xs, ys = zip(*[make_data(np.random.default_rng(seed), args.n_observations, device) for seed in seeds])
    polynomials = np.array([fit_polynomial(x, y, 4)[1] for x, y in zip(xs, ys)])  # (graines,)
    lines = np.array([fit_polynomial(x, y, 1)[1] for x, y in zip(xs, ys)])
    early = min(400, n_epochs) - 1
    print("Pertes en multiples de celle du polynôme : médiane (de la plus petite à la plus grande).")
    print(f"{'réglage':<28} {f'époque {early + 1}':<30} époque {n_epochs}")
    settings = [
        ("sgd", 0.05, 10, "sigmoid"),
        ("sgd", 0.05, 10, "tanh"),
        ("adam", 0.03, 10, "sigmoid"),
        ("adam", 0.03, 10, "tanh"),
        ("adam", 0.03, 10, "relu"),
        ("adam", 0.03, 2, "sigmoid"),
        ("adam", 0.03, 50, "sigmoid"),
    ]
    ratios, curves = {}, {}
    for optimizer_name, rate, hidden, activation in settings:
        models = [make_model(seed, (hidden,), activation, device) for seed in seeds]
        losses = train_many(models, xs, ys, optimizer_name, rate, n_epochs)  # (époques, graines)
        name = f"{optimizer_name} {rate:g}, {hidden} {activation}"
        curves[name], ratios[name] = losses, losses / polynomials
        shown = [f"{np.median(row):7.2f} ({row.min():.2f} à {row.max():.2f})" for row in ratios[name][[early, -1]]]
        print(f"{name:<28} {shown[0]:<30} {shown[1]}")
    line_ratios = lines / polynomials
    shown = f"{np.median(line_ratios):7.2f} ({line_ratios.min():.2f} à {line_ratios.max():.2f})"
    print(f"{'droite des moindres carrés':<28} {shown}")
    print(f"{'plancher du bruit':<28} {np.median(NOISE_FLOOR / polynomials):7.2f}")
    fig, ax = plt.subplots(figsize=(12, 7.5), layout="constrained")
    references = {
        "droite": np.median(lines),
        "polynôme de degré 4": np.median(polynomials),
        "plancher du bruit": NOISE_FLOOR,
    }
    draw_losses(ax, curves, references, f"Médiane et quartiles de {len(seeds)} graines")
    show(fig, args)
    trap, cure = ratios["sgd 0.05, 10 sigmoid"], ratios["adam 0.03, 10 sigmoid"]
    n_worse, n_better = np.sum(trap[early] > line_ratios), np.sum(cure[-1] < trap[-1])
    best = min(ratios, key=lambda name: np.median(ratios[name][-1]))
    close = [name for name in ratios if name != best and ratios[name][-1].min() < ratios[best][-1].max()]
    return (
        f"Le piège : à l'époque {early + 1}, dix sigmoïdes avec SGD au taux 0.05 font moins bien que la meilleure\n"
        f"droite pour {n_worse} graines sur 10 : médiane {np.median(trap[early]):.1f} fois le polynôme, contre "
        f"{np.median(line_ratios):.1f} pour la droite.\n"
        f"Le même réseau avec Adam au taux 0.03 fait mieux, à l'époque {n_epochs}, pour {n_better} graines sur 10 :\n"
        f"médiane {np.median(cure[-1]):.2f} contre {np.median(trap[-1]):.2f}.\n"
        f"La plus petite médiane est ici celle de « {best} », {np.median(ratios[best][-1]):.2f}.\n"
        f"{len(close)} autres réglages font aussi bien sur certaines graines : entre ceux-là, rien n'est tranché."
    )


SECTIONS = {
    "3.3.2-droite": section_line,
    "3.3.2-non-lineaire": section_network,
    "3.3.2-optimiseurs": section_optimizers,
}


# --- Options propres à ce script ----------------------------------------------------------------------
def layer_sizes(text):
    """Lit « 10 » ou « 10,5 » : le nombre de neurones de chaque couche cachée."""
    return tuple(int(size) for size in text.split(","))


def add_options(parser):
    devices = find_devices()
    here = f"un appareil qui marche ici ({', '.join(['auto', *devices])})"
    device = checked(str, here, lambda name: name in ["auto", *devices])
    rate = checked(float, "un nombre positif", lambda value: 0 < value < math.inf)
    count = checked(int, "un entier de 1 à 100000", lambda value: 1 <= value <= 100_000)
    size = checked(int, "un entier de 10 à 100000", lambda value: 10 <= value <= 100_000)
    hidden = checked(
        layer_sizes,
        "de 1 à 3 entiers de 1 à 1000 séparés par des virgules",
        lambda sizes: isinstance(sizes, tuple) and len(sizes) <= 3 and all(1 <= size <= 1000 for size in sizes),
    )
    activation = checked(str, "une activation parmi " + ", ".join(ACTIVATIONS), lambda name: name in ACTIVATIONS)
    optimizer = checked(str, "un optimiseur parmi " + ", ".join(OPTIMIZERS), lambda name: name in OPTIMIZERS)
    option = parser.add_argument
    option("--device", metavar="D", type=device, default="auto", help="appareil (défaut : %(default)s)")
    option("--learning-rate", metavar="X", type=rate, help="taux (défaut : celui de la section)")
    option("--epochs", metavar="N", type=count, help="époques (défaut : celles de la section)")
    option("--n-observations", metavar="N", type=size, default=100, help="points (défaut : %(default)s)")
    option("--hidden", metavar="N,...", type=hidden, default=(10,), help="neurones par couche cachée (défaut : 10)")
    option("--activation", metavar="NOM", type=activation, default="sigmoid", help="activation (défaut : %(default)s)")
    option("--optimizer", metavar="NOM", type=optimizer, default="adam", help="optimiseur (défaut : %(default)s)")


def check_options(args):
    """Rien ici ne peut se contredire."""


# --- Lancement : d'ici à la fin, le même texte dans les cinq scripts ------------------------------------
def checked(kind, wanted, accepts):
    """Rend la fonction qui lit une option : elle en fait un `kind` que `accepts` approuve, ou la refuse."""

    def read(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan  # aucune comparaison ne l'accepte
        if not accepts(value):
            raise argparse.ArgumentTypeError(f"il faut {wanted}, pas « {text} »")
        return value

    return read


def sections_under(number):
    """Les sections d'un numéro : lui-même et ce qui est sous lui (2.2 : 2.2.1, 2.2.2-perte...)."""
    return [name for name in SECTIONS if f"{name}-".startswith((f"{number}-", f"{number}."))]


def has_window():
    """Vrai si matplotlib peut ouvrir une fenêtre ici."""
    try:
        plt.switch_backend(plt.get_backend())
    except ImportError:  # ni écran, ni Tk
        return False
    return backend_registry.resolve_backend(plt.get_backend())[1] is not None


def show(fig, args):
    """Montre la figure jusqu'à ce qu'on la ferme ; sans fenêtre, l'enregistre."""
    if not args.window:
        args.n_saved += 1
        suffix = f"-{args.n_saved}" if args.n_saved > 1 else ""
        file = args.folder / f"{Path(__file__).stem}-{args.current}{suffix}.png"
        libraries = [sys.modules[name] for name in ("numpy", "matplotlib", "sklearn", "torch") if name in sys.modules]
        versions = ", ".join(f"{library.__name__} {library.__version__}" for library in libraries)
        fig.savefig(file, metadata={"Command": args.command, "Seed": str(args.seed), "Software": versions})
        print(f"Figure : {file}")
    elif plt.fignum_exists(fig.number):  # une figure fermée pendant l'apprentissage le reste
        plt.show()
    plt.close(fig)


def read_options():
    """Lit et vérifie toutes les options, avant tout calcul ; si l'une est mauvaise, une phrase et l'état 2."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style, add_help=False, allow_abbrev=False)

    def refuse(message):
        for english, french in (
            ("unrecognized arguments", "pas d'option de ce nom"),
            ("expected one argument", "il manque sa valeur"),
            ("ignored explicit argument", "elle ne prend pas de valeur, or il y a"),
            ("argument -", "option -"),
            (": ", " : "),
        ):
            message = message.replace(english, french, 1)
        parser.exit(2, f"{parser.prog} : {message}\n")

    parser.error = refuse  # argparse parle anglais
    section = checked(str, "une section parmi " + ", ".join(SECTIONS), sections_under)
    seed = checked(int, "un entier de 0 à 4294967295", lambda value: 0 <= value < 2**32)
    option = parser.add_argument
    option("-h", "--help", action="help", help="affiche cette aide")
    option(
        "--section", action="append", metavar="N", type=section, help="cette section et celles sous elle ; répétable"
    )
    option("--liste", action="store_true", help="affiche les sections, n'exécute rien")
    option("--corrige", action="store_true", help="affiche la réponse après chaque section")
    option("--seed", metavar="N", type=seed, default=0, help="graine du hasard (défaut : %(default)s)")
    option("--figures", metavar="DOSSIER", help="enregistre les figures dans ce dossier au lieu de les montrer")
    add_options(parser)
    args = parser.parse_args()
    if args.liste:
        for name, function in SECTIONS.items():
            print(f"{name:<20} {inspect.getdoc(function).splitlines()[0]}")
        parser.exit()
    wanted = [name for number in args.section or SECTIONS for name in sections_under(number)]
    args.chosen = [name for name in SECTIONS if name in wanted]
    args.command = "python " + shlex.join(sys.argv)
    if not any(word.startswith("--seed") for word in sys.argv):
        args.command += f" --seed {args.seed}"
    if problem := check_options(args):
        refuse(problem)
    args.window = args.figures is None and has_window()
    args.folder = Path(args.figures or "figures")
    if not args.window:
        plt.switch_backend("agg")
        try:
            args.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=args.folder).close()
        except OSError:
            refuse(f"impossible d'écrire dans le dossier « {args.folder} »")
    return args


def main():
    """Déroule les sections demandées et rend l'état de sortie."""
    try:
        if hasattr(sys.stdout, "reconfigure"):  # absent dans IDLE
            sys.stdout.reconfigure(errors="replace", line_buffering=True)
        args = read_options()
        if not args.window and args.figures is None:
            print(f"Pas de fenêtre ici : figures dans {args.folder}/ (il faut un écran et Tk, voir README.md).")
        plt.rcParams.update({"figure.raise_window": False, "font.size": 14})
        for name in args.chosen:
            title, _, guide = inspect.getdoc(SECTIONS[name]).partition("\n")
            print(f"\n=== {name} : {title} ===\n{guide.strip()}\n")
            args.current, args.n_saved = name, 0
            answer = SECTIONS[name](args)
            if args.corrige:
                print(f"\nCorrigé : {answer}")
        print(f"\nPour rejouer : {args.command}")
    except KeyboardInterrupt:
        print("Interrompu.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # le lecteur du tube (head, less) est parti
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (MemoryError, OSError) as error:
        print(f"Arrêt, il manque de la mémoire ou du disque : {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
