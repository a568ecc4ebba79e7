"""Fonctions d'activation : de la sigmoïde à ReLU (partie 3.1).

Un neurone calcule une somme pondérée, puis lui applique une fonction d'activation g. Ce script trace
celles que l'énoncé cite, avec leurs pentes : c'est par la pente que la rétro-propagation multiplie le
gradient.

  python relu_plot.py                              toutes les sections, dans l'ordre de l'énoncé
  python relu_plot.py --section 3.1-relu           le travail demandé : tracer ReLU
  python relu_plot.py --corrige                    avec les réponses
"""

import argparse
import inspect
import os
import sys
import tempfile
import textwrap
import traceback
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends import backend_registry

# --- Réglages : changez-les ici -----------------------------------------------------------------------
X_MAX = 8  # les courbes vont de -X_MAX à X_MAX
N_LAYERS = 10  # nombre de couches que le gradient remonte
SCORES = [2, 1, -1]  # les scores que softmax change en probabilités


# --- La leçon : `x` est un nombre ou un tableau, le résultat a la même forme --------------------------
def linear(x):
    """Activation linéaire : g(x) = x."""
    return x


def sigmoid(x):
    """Sigmoïde : g(x) = 1 / (1 + exp(-x)), entre 0 et 1."""
    with np.errstate(over="ignore"):  # exp(1000) déborde : 1 / (1 + inf) vaut 0, ce qu'on veut
        return 1 / (1 + np.exp(-x))


def tanh(x):
    """Tangente hyperbolique, entre -1 et 1."""
    return np.tanh(x)


def relu(x):
    """ReLU (*rectified linear unit*) : g(x) = max(0, x)."""
    # CORRIGÉ : rendez max(0, x) pour chaque élément de x
    return np.maximum(0, x)
    # FIN DU CORRIGÉ


def softmax(scores):
    """Change des scores (k,) en probabilités (k,) : exp(score) / somme des exp(scores)."""
    powers = np.exp(scores - np.max(scores))  # retirer le plus grand ne change rien, et rien ne déborde
    return powers / powers.sum()


def slope(activation, x, step=1e-6):
    """Pente de `activation` en x, mesurée entre deux points voisins : (g(x + h) - g(x - h)) / 2h."""
    return (activation(x + step) - activation(x - step)) / (2 * step)


ACTIVATIONS = {"linéaire": linear, "sigmoïde": sigmoid, "tanh": tanh, "ReLU": relu}


# --- Sections -----------------------------------------------------------------------------------------
def print_values(activation):
    """Quelques valeurs d'une activation, et ses pentes."""
    print("       x       g(x)      pente")
    for x in np.linspace(-X_MAX, X_MAX, 6):
        print(f"{x:8g} {activation(x):10.5f} {slope(activation, x):10.5f}")


def draw_activation(ax, activation, title):
    """Une activation et sa pente, sur les mêmes axes."""
    x = np.linspace(-X_MAX, X_MAX, 1000)  # un nombre pair de points : x = 0, où ReLU est anguleuse, n'y est pas
    ax.axhline(0, color="black", linewidth=0.8)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.plot(x, activation(x), linewidth=3, label="g(x)")
    ax.plot(x, slope(activation, x), "--", linewidth=2, label="pente")
    ax.set(title=title, xlabel="x")
    ax.legend(loc="upper left")


def section_sigmoid(args):
    """La sigmoïde

    Question : que fait-elle des grandes valeurs de x ? Où sa pente est-elle la plus grande ?
    À regarder : les deux bouts de la courbe, et la pente, en tirets.
    """
    print_values(sigmoid)
    fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
    draw_activation(ax, sigmoid, "La sigmoïde : g(x) = 1 / (1 + exp(-x))")
    show(fig, args)
    return (
        f"Elle écrase tout entre 0 et 1 : {sigmoid(-10):.2g} en -10, {sigmoid(10):.5f} en 10. Sa pente est la plus "
        f"grande en 0, où elle vaut {slope(sigmoid, 0):.2f} ; en 10 il n'en reste que {slope(sigmoid, 10):.2g}. Loin "
        "de 0 le gradient s'éteint : le neurone n'apprend presque plus."
    )


def section_relu(args):
    """ReLU

    Travail à faire : tracez la fonction d'activation ReLU, g(x) = max(0, x).
    À regarder : ce qu'elle fait à gauche de 0, puis à droite, et ses deux pentes.
    """
    print_values(relu)
    fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
    draw_activation(ax, relu, "ReLU : g(x) = max(0, x)")
    show(fig, args)
    return (
        f"À gauche de 0 elle vaut par exemple {relu(-2):g} en -2, à droite {relu(2):g} en 2. Sa pente est "
        f"{slope(relu, -2):.2g} à gauche et {slope(relu, 2):.2g} à droite, aussi loin qu'on aille. En 0 la courbe fait "
        "un angle et n'a pas de pente : PyTorch y prend celle de gauche."
    )


def section_activations(args):
    """Les activations et leurs pentes

    Question : chaque couche multiplie le gradient par une pente. Qu'en reste-t-il après plusieurs ?
    À regarder : la plus grande pente de chacune ; puis softmax, qui prend plusieurs scores à la fois.
    """
    largest = {}
    for name, activation in ACTIVATIONS.items():
        largest[name] = slope(activation, np.linspace(-X_MAX, X_MAX, 1001)).max()
        print(f"{name:<9} plus grande pente : {largest[name]:.2f}")
    probabilities = softmax(SCORES)
    print("softmax   scores", np.array(SCORES), "probabilités", probabilities.round(4))

    fig, axes = plt.subplots(2, 2, figsize=(13, 9), layout="constrained")
    for ax, (name, activation) in zip(axes.flat, ACTIVATIONS.items()):
        draw_activation(ax, activation, name)
    show(fig, args)

    fig, ax = plt.subplots(figsize=(9, 6), layout="constrained")
    bars = ax.bar(range(len(SCORES)), probabilities)
    ax.bar_label(bars, fmt="%.4f")
    ax.set_xticks(range(len(SCORES)), [f"score {score:g}" for score in SCORES])
    ax.set(title="softmax : des scores aux probabilités", ylabel="probabilité", ylim=(0, 1.1))
    show(fig, args)
    steepest, relu_slope = largest["sigmoïde"], largest["ReLU"]
    return (
        f"Avec la sigmoïde, au plus {steepest:.2f}^{N_LAYERS} = {steepest**N_LAYERS:.1e} du gradient, sans compter les "
        f"poids, car sa pente vaut au plus {steepest:.2f} et que chaque couche multiplie par la sienne. Avec "
        f"ReLU, dont la pente va jusqu'à {relu_slope:.2f}, il peut en rester {relu_slope:.2f}^{N_LAYERS} = "
        f"{relu_slope**N_LAYERS:.2g}. Softmax donne la plus grande probabilité au plus grand score ; la somme des "
        "probabilités vaut 1, aux arrondis près."
    )


SECTIONS = {"3.1-sigmoide": section_sigmoid, "3.1-relu": section_relu, "3.1-activations": section_activations}


# --- Options de ce script -----------------------------------------------------------------------------
def add_options(parser):
    """Aucune : celles du lancement suffisent."""


def check_options(args):
    """Rien à vérifier de plus."""


# --- Lancement : d'ici à la fin, le même texte dans les cinq scripts ----------------------------------
def checked(kind, wanted, accepts):
    """Rend la fonction qui lit une option : elle en fait un `kind` que `accepts` approuve, ou la refuse."""

    def read(text):
        try:
            value = kind(text)
            if accepts(value):
                return value
        except ValueError:  # pas un `kind` : on le dit plus bas
            pass
        raise argparse.ArgumentTypeError(f"il faut {wanted}, pas {text!r}")

    return read


def sections_under(number):
    """Les sections d'un numéro : lui-même et ce qui est sous lui (2.2 : 2.2.1, 2.2.2-perte...)."""
    return [name for name in SECTIONS if f"{name}-".startswith((f"{number}-", f"{number}."))]


def refuse(message):
    """Dit en une phrase ce qui ne va pas et s'arrête, avec l'état 2."""
    print(f"{Path(__file__).name} : option refusée : {message}", file=sys.stderr)
    sys.exit(2)


def read_options():
    """Lit et vérifie toutes les options, avant tout calcul."""
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=style, add_help=False, allow_abbrev=False)
    parser.error = refuse
    section = checked(str, "une section parmi " + ", ".join(SECTIONS), sections_under)
    seed = checked(int, "un entier de 0 à 4294967295", lambda value: 0 <= value < 2**32)
    option = parser.add_argument
    option("-h", "--help", action="help", help="affiche cette aide")
    option("--section", action="append", metavar="N", type=section, help="cette section et ce qui est sous elle")
    option("--liste", action="store_true", help="affiche les sections, n'exécute rien")
    option("--corrige", action="store_true", help="affiche la réponse après chaque section")
    option("--seed", metavar="N", type=seed, default=0, help="graine du hasard (défaut : %(default)s)")
    option("--figures", metavar="DOSSIER", type=Path, help="enregistre les figures dans ce dossier, sans les montrer")
    add_options(parser)
    args = parser.parse_args()
    wanted = [name for number in args.section or SECTIONS for name in sections_under(number)]
    args.chosen = [name for name in SECTIONS if name in wanted]
    check_options(args)
    return args


def choose_screen(args):
    """Une fenêtre (`args.window`), un dossier (`args.folder`) ou, dans un carnet, ni l'un ni l'autre."""
    in_notebook = "ipykernel" in sys.modules
    if not in_notebook:
        try:
            plt.switch_backend("agg" if args.figures else plt.get_backend())
        except ImportError:  # ni écran, ni Tk
            plt.switch_backend("agg")
    args.window = args.figures is None and backend_registry.resolve_backend(plt.get_backend())[1] is not None
    args.folder = args.figures if args.figures or args.window or in_notebook else Path("figures")
    if args.folder:
        try:
            args.folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=args.folder).close()
        except OSError:
            refuse(f"impossible d'écrire dans le dossier {str(args.folder)!r}")
        if args.figures is None:
            print("Pas de fenêtre ici : figures dans figures/ (il faut un écran et Tk, voir README.md).")


def show(fig, args):
    """Montre la figure jusqu'à ce qu'on la ferme, ou l'enregistre dans `args.folder`."""
    if args.folder:
        args.n_saved += 1
        suffix = f"-{args.n_saved}" if args.n_saved > 1 else ""
        file = args.folder / f"{Path(__file__).stem}-{args.current}{suffix}.png"
        fig.savefig(file)
        print(f"Figure : {file}")
    elif plt.fignum_exists(fig.number):  # une figure fermée pendant l'apprentissage le reste
        if args.window:
            print("Fermez la figure pour continuer.")
        plt.show(block=True)
    plt.close(fig)


def main():
    """Déroule les sections demandées et rend l'état de sortie."""
    try:
        if hasattr(sys.stdout, "reconfigure"):  # absent dans IDLE et dans un carnet
            sys.stdout.reconfigure(errors="replace", line_buffering=True)
        args = read_options()
        if args.liste:
            for name, function in SECTIONS.items():
                print(f"{name:<20} {inspect.getdoc(function).splitlines()[0]}")
            return 0
        choose_screen(args)
        with plt.rc_context({"figure.raise_window": False, "font.size": 14}):
            for name in args.chosen:
                title, _, guide = inspect.getdoc(SECTIONS[name]).partition("\n")
                print(f"\n=== {name} : {title} ===\n{guide.strip()}\n")
                args.current, args.n_saved = name, 0
                try:
                    answer = SECTIONS[name](args)
                except NotImplementedError as blank:  # ce qu'une version élève laisse à écrire
                    place = traceback.extract_tb(blank.__traceback__)[-1]
                    print(f"À vous : {blank} ({Path(place.filename).name}, ligne {place.lineno})")
                    plt.close()
                    continue
                if args.corrige:
                    for mark in "%:;":  # pas en début de ligne : une espace insécable devant
                        answer = answer.replace(f" {mark}", f"\u00a0{mark}")
                    print()
                    for line in f"Corrigé : {answer}".splitlines():
                        print(textwrap.fill(line, 100, break_on_hyphens=False))
    except SystemExit as stop:  # une option refusée, ou --help
        return stop.code
    except KeyboardInterrupt:
        print("Interrompu.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # le lecteur du tube (head, less) est parti
        os._exit(0)
    return 0


if __name__ == "__main__":
    status = main()
    if "ipykernel" not in sys.modules:  # dans un carnet, sys.exit afficherait un message
        sys.exit(status)
