"""Fonctions d'activation : de la sigmoïde à ReLU (partie 3.1).

Un neurone calcule une somme pondérée, puis lui applique une fonction d'activation g. Sans elle, un
réseau de mille couches ne saurait faire que ce que fait une seule : une fonction affine. Ce script trace
les fonctions que l'énoncé cite, avec leurs pentes, car c'est la pente que la rétro-propagation multiplie.

  python relu_plot.py                              toutes les sections, dans l'ordre de l'énoncé
  python relu_plot.py --section 3.1-relu           le travail demandé : tracer ReLU
  python relu_plot.py --corrige                    avec les réponses
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
from matplotlib.backends import backend_registry


# --- Calcul -------------------------------------------------------------------------------------------
def linear(x):
    """Activation linéaire : g(x) = x. Même forme que `x`, comme toutes celles qui suivent."""
    return np.asarray(x, dtype=float)


def linear_slope(x):
    return np.ones_like(x, dtype=float)


def sigmoid(x):
    """Sigmoïde : g(x) = 1 / (1 + exp(-x)), dans ]0, 1[.

    exp(-|x|) ne déborde jamais : à droite de 0 on l'emploie telle quelle, à gauche g(x) = 1 - g(-x).
    """
    small = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1, small) / (1 + small)


def sigmoid_slope(x):
    """Dérivée de la sigmoïde : g'(x) = g(x)·(1 - g(x)), au plus 1/4, en 0. Ici g(x)·g(-x), sans arrondi."""
    return sigmoid(x) * sigmoid(np.negative(x))


def tanh(x):
    """Tangente hyperbolique, dans ]-1, 1[ : une sigmoïde étirée, 2·sigmoid(2x) - 1."""
    return np.tanh(x)


def tanh_slope(x):
    """Dérivée de tanh : 1 - tanh(x)², au plus 1, en 0. Ici 4·u / (1 + u)², u = exp(-2|x|), sans débordement."""
    small = np.exp(-np.abs(x)) ** 2
    return 4 * small / (1 + small) ** 2


def relu(x):
    """ReLU, *rectified linear unit* : g(x) = max(0, x)."""
    return np.maximum(0.0, x)


def relu_slope(x):
    """Dérivée de ReLU : 0 à gauche, 1 à droite. En 0 elle n'existe pas : on convient de 0, comme PyTorch."""
    return np.where(np.asarray(x) > 0, 1.0, 0.0)


def softmax(scores):
    """Softmax : transforme des scores (..., k) en probabilités, exp(s_i) / somme des exp(s_j).

    Retirer d'abord le plus grand score ne change pas le résultat et empêche tout débordement.
    """
    powers = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return powers / np.sum(powers, axis=-1, keepdims=True)


ACTIVATIONS = {
    "linéaire": (linear, linear_slope),
    "sigmoïde": (sigmoid, sigmoid_slope),
    "tanh": (tanh, tanh_slope),
    "ReLU": (relu, relu_slope),
}


def finite_difference(function, x, step=1e-5):
    """Pente mesurée de `function` en `x` : différence centrée, d'erreur en step²."""
    return (function(x + step) - function(x - step)) / (2 * step)


def gradient_through_layers(activation, slope, rng, n_layers=10, n_neurons=100, n_inputs=200):
    """Part du gradient qui traverse `n_layers` couches, de la dernière à la première.

    Poids gaussiens d'écart-type sqrt(2 / n_neurons) (initialisation de He et al., 2015), sans biais. Rend
    (n_layers + 1,) : norme du gradient après 0, 1, ... couches remontées, rapportée à celle de départ.
    """
    weights = rng.normal(0, math.sqrt(2 / n_neurons), size=(n_layers, n_neurons, n_neurons))
    outputs = rng.normal(size=(n_inputs, n_neurons))  # (n, k)
    slopes = []
    for layer in weights:
        sums = outputs @ layer  # (n, k)
        slopes.append(slope(sums))
        outputs = activation(sums)
    gradient = rng.normal(size=(n_inputs, n_neurons))
    norms = [np.linalg.norm(gradient)]
    for layer, layer_slopes in zip(weights[::-1], slopes[::-1]):
        gradient = (gradient * layer_slopes) @ layer.T
        norms.append(np.linalg.norm(gradient))
    return np.array(norms) / norms[0]


# --- Dessin -------------------------------------------------------------------------------------------
def draw_function(ax, x, y, title, asymptotes=(), color="tab:blue"):
    """Une courbe épaisse, les axes en trait fin, les asymptotes en pointillé."""
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axvline(0, color="black", linewidth=0.8)
    for height in asymptotes:
        ax.axhline(height, color="tab:red", linestyle="--", linewidth=1.5, label=f"asymptote y = {height:g}")
    ax.plot(x, y, color=color, linewidth=3, label="g(x)")
    ax.set(title=title, xlabel="x", ylabel="g(x)")
    ax.grid(alpha=0.3)
    ax.legend()


def draw_slope(ax, x, y, slopes, title):
    """Une activation et sa pente sur les mêmes axes."""
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.plot(x, y, linewidth=3, label="g(x)")
    ax.plot(x, slopes, "--", linewidth=2, label="pente g'(x)")
    ax.set(title=title, xlabel="x", ylim=(-1.6, 2.6))
    ax.grid(alpha=0.3)
    ax.legend(loc="upper left", fontsize=12)


def draw_softmax(ax, scores, probabilities):
    """Des scores et les probabilités que softmax en fait, en barres."""
    positions = np.arange(len(scores))
    ax.bar(positions - 0.2, scores, width=0.4, hatch="//", color="tab:gray", label="score")
    bars = ax.bar(positions + 0.2, probabilities, width=0.4, color="tab:blue", label="probabilité")
    ax.bar_label(bars, fmt="%.2f")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set(title="softmax : des scores aux probabilités", xlabel="classe", ylim=(-1.5, 2.6))
    ax.set_xticks(positions, [str(position + 1) for position in positions])
    ax.legend()


def draw_shares(ax, shares):
    """Part du gradient qui reste après chaque couche remontée, échelle log ; `shares` : nom -> (k,)."""
    for style, (name, values) in zip(["o:", "s--", "D-.", "^-"], shares.items()):
        ax.plot(values, style, linewidth=2, label=name)
    ax.axhline(1, color="black", linewidth=0.8)
    ax.set(title="Ce qui reste du gradient", xlabel="couches remontées", ylabel="part du gradient", yscale="log")
    ax.grid(alpha=0.3)
    ax.legend()


# --- Sections -----------------------------------------------------------------------------------------
def section_sigmoid(args):
    """La sigmoïde

    La plus ancienne des activations, figure 4 de l'énoncé : elle écrase toute la droite entre 0 et 1.
    À regarder : les deux asymptotes, qu'elle n'atteint jamais, et sa pente, qui s'éteint des deux côtés.
    """
    rng = np.random.default_rng(args.seed)
    print("        x       g(x)      g'(x)")
    for x in (-1000.0, -10.0, -2.0, 0.0, 2.0, 10.0, 1000.0):
        print(f"{x:9g} {sigmoid(x):10.6f} {sigmoid_slope(x):10.6f}")
    some = rng.uniform(-8, 8, size=1000)
    symmetry = np.max(np.abs(sigmoid(some) + sigmoid(-some) - 1))
    link = np.max(np.abs(sigmoid(some) - (1 + np.tanh(some / 2)) / 2))
    print("\nSur 1000 points au hasard, plus grands écarts :")
    print(f"  g(x) + g(-x) = 1             {symmetry:.0e}")
    print(f"  g(x) = (1 + tanh(x/2)) / 2   {link:.0e}")
    x = np.linspace(-8, 8, 801)
    fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
    draw_function(ax, x, sigmoid(x), "La sigmoïde : g(x) = 1 / (1 + exp(-x))", asymptotes=(0, 1))
    show(fig, args)
    return (
        f"La sigmoïde va de 0 à 1 : {sigmoid(-8.0):.5f} en -8, {sigmoid(0.0):g} en 0, {sigmoid(8.0):.5f} en 8.\n"
        f"À ±1000 elle vaut {sigmoid(-1000.0):g} et {sigmoid(1000.0):g} à l'arrondi près, sans débordement.\n"
        f"Sa pente est la plus grande en 0, {sigmoid_slope(0.0):g}, et n'est plus que de {sigmoid_slope(8.0):.1e} en 8."
    )


def section_relu(args):
    """ReLU

    Travail à faire : tracer ReLU, g(x) = max(0, x), celle qu'on préfère aujourd'hui.
    À regarder : rien à gauche de 0, l'identité à droite. Quelle pente lui donner en 0 ?
    """
    rng = np.random.default_rng(args.seed)
    print("        x       g(x)      g'(x)")
    for x in (-1000.0, -2.0, 0.0, 2.0, 1000.0):
        print(f"{x:9g} {relu(x):10g} {relu_slope(x):10g}")
    some = rng.uniform(-5, 5, size=1000)
    gap = np.max(np.abs(relu(some) - (some + np.abs(some)) / 2))
    print(f"\nSur 1000 points au hasard, g(x) = (x + |x|) / 2 à {gap:.0e} près.")
    left, right = (relu(0.0) - relu(-1e-6)) / 1e-6, (relu(1e-6) - relu(0.0)) / 1e-6
    print(f"Pente à gauche de 0 : {left:g} ; à droite : {right:g} ; en 0, par convention : {relu_slope(0.0):g}.")
    x = np.linspace(-5, 5, 501)
    fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
    draw_function(ax, x, relu(x), "ReLU : g(x) = max(0, x)", color="tab:orange")
    show(fig, args)
    return (
        f"ReLU vaut 0 à gauche, x à droite ; de -5 à 5 elle éteint {100 * np.mean(relu(some) == 0):.0f} % des points.\n"
        f"Sa pente est {left:g} à gauche et {right:g} à droite.\n"
        f"En 0 elle n'existe pas : on convient de {relu_slope(0.0):g}, comme PyTorch."
    )


def section_activations(args):
    """Toutes les activations et leurs pentes

    Linéaire, sigmoïde, tanh, ReLU, et softmax, qui n'est pas une courbe : elle prend un vecteur entier.
    À regarder : la plus grande pente de chacune. Une couche multiplie le gradient par cette pente : que
    devient-il après dix couches ?
    """
    rng = np.random.default_rng(args.seed)
    some = rng.uniform(-6, 6, size=1000)
    some = some[np.abs(some) > 1e-3]  # ReLU n'a pas de pente en 0
    shares, largest = {}, {}
    print("activation   plus grande pente   écart aux différences finies   gradient restant après 10 couches")
    for name, (activation, slope) in ACTIVATIONS.items():
        largest[name] = np.max(slope(np.linspace(-6, 6, 1201)))
        gap = np.max(np.abs(slope(some) - finite_difference(activation, some)))
        shares[name] = gradient_through_layers(activation, slope, np.random.default_rng(args.seed))
        print(f"{name:<12} {largest[name]:17.4f} {gap:30.0e} {shares[name][-1]:35.2e}")
    best = largest["sigmoïde"] ** 10
    print(
        f"\nSans compter les poids, dix sigmoïdes laissent au plus {largest['sigmoïde']:g}^10 = {best:.1e} du gradient."
    )
    print("Les poids sont tirés pour que ReLU en laisse 1 en moyenne (théorie de He et al., 2015).")
    scores = np.array([2.0, 1.0, -1.0])
    probabilities = softmax(scores)
    print(f"softmax({scores}) = {np.round(probabilities, 4)}, de somme {probabilities.sum():.15g}.")
    moved = np.max(np.abs(softmax(scores + 1000) - probabilities))
    print(f"Ajouter 1000 à tous les scores n'y change rien ({moved:.0e} d'écart) : seules comptent leurs différences.")

    x = np.linspace(-4, 4, 801)
    fig, axes = plt.subplots(2, 3, figsize=(15, 9), layout="constrained")
    for ax, (name, (activation, slope)) in zip(axes.flat, ACTIVATIONS.items()):
        draw_slope(ax, x, activation(x), slope(x), name)
    draw_softmax(axes.flat[4], scores, probabilities)
    draw_shares(axes.flat[5], shares)
    show(fig, args)
    return (
        f"La pente de la sigmoïde ne dépasse jamais {largest['sigmoïde']:g}. Sans compter les poids, dix couches\n"
        f"laissent {best:.0e} du gradient au mieux.\n"
        f"Mesuré sur dix couches de cent neurones, poids compris : {shares['sigmoïde'][-1]:.0e} avec la sigmoïde,\n"
        f"{shares['tanh'][-1]:.2g} avec tanh, {shares['ReLU'][-1]:.2g} avec ReLU.\n"
        "Les premières couches d'un réseau profond à sigmoïdes n'apprennent donc presque pas : on lui préfère ReLU.\n"
        f"softmax rend des probabilités : {', '.join(f'{p:.2f}' for p in probabilities)} pour les scores 2, 1 et -1."
    )


SECTIONS = {
    "3.1-sigmoide": section_sigmoid,
    "3.1-relu": section_relu,
    "3.1-activations": section_activations,
}


# --- Options propres à ce script ----------------------------------------------------------------------
def add_options(parser):
    """Ce script n'a pas d'option à lui."""


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
