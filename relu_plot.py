"""Fonctions d'activation : de la sigmoïde à ReLU (partie 3.1).

Un neurone calcule une somme pondérée, puis lui applique une fonction d'activation g. Ce script trace
celles que l'énoncé cite, avec leurs pentes : c'est par la pente que la rétro-propagation multiplie le
gradient. Lisez d'abord la partie « La leçon ».

  python relu_plot.py                              toutes les sections, dans l'ordre de l'énoncé
  python relu_plot.py --section 3.1-relu           le travail demandé : tracer ReLU
  python relu_plot.py --corrige                    avec les réponses
  python relu_plot.py --section 3.1-activations --n-layers 3 --scores 5,0
"""

import argparse
import inspect
import numbers
import os
import re
import signal
import sys
import tempfile
import textwrap
import traceback
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends import backend_registry

# --- Réglages : changez-les ici, ou par l'option du même nom (--x-max 20) -----------------------------
SEED = 0  # la graine du hasard ; ici rien n'est au hasard
X_MAX = 8  # les courbes vont de -X_MAX à X_MAX
ACTIVATIONS = ["linéaire", "sigmoïde", "tanh", "ReLU"]  # 3.1-activations : celles à comparer
N_LAYERS = 10  # 3.1-activations : nombre de couches que le gradient remonte
SCORES = [2, 1, -1]  # 3.1-activations : les scores que softmax change en probabilités

LIMITS = {  # le plus petit et le plus grand permis ; entre crochets : pour chaque valeur d'une liste ; ou des noms
    "SEED": (0, 4_294_967_295),
    "X_MAX": (0.1, 1000.0),
    "ACTIVATIONS": ["linéaire", "sigmoïde", "tanh", "ReLU"],
    "N_LAYERS": (1, 100),
    "SCORES": [-1000.0, 1000.0],
}


def refused_together():
    """Ce qu'aucune ligne de LIMITS ne peut dire : rien ici."""
    return None


# --- La leçon : `x` est un tableau, le résultat a la même forme ---------------------------------------
def linear(x):
    """Activation linéaire : g(x) = x."""
    return x


def sigmoid(x):
    """Sigmoïde : g(x) = 1 / (1 + exp(-x)), entre 0 et 1."""
    return 1 / (1 + np.exp(-x))


def tanh(x):
    """Tangente hyperbolique, entre -1 et 1."""
    return np.tanh(x)


def relu(x):
    """ReLU (*rectified linear unit*) : g(x) = max(0, x)."""
    # CORRIGÉ : rendez max(0, x) pour chaque élément de x | x, de forme (n,)
    return np.maximum(0, x)
    # FIN DU CORRIGÉ


def softmax(scores):
    """Change des scores (k,) en probabilités (k,) : exp(score) / somme des exp(scores)."""
    powers = np.exp(scores - np.max(scores))  # retirer le plus grand ne change rien, et rien ne déborde
    return powers / powers.sum()


def slope(activation, x):
    """Pente de `activation` en chaque x, mesurée entre deux points voisins : (g(x + h) - g(x - h)) / 2h."""
    step = 1e-6
    return np.subtract(activation(x + step), activation(x - step)) / (2 * step)


FUNCTIONS = {"linéaire": linear, "sigmoïde": sigmoid, "tanh": tanh, "ReLU": relu}


# --- 3.1 : les fonctions d'activation -----------------------------------------------------------------
def print_points(activation):
    """Quelques valeurs d'une activation, et ses pentes."""
    x = np.linspace(-X_MAX, X_MAX, 6)
    print("       x       g(x)      pente")
    values = np.add(activation(x.copy()), 0.0)  # + 0.0 : un « -0 » devient 0
    for point, value, slant in zip(x, values, slope(activation, x)):
        print(f"{point:8g} {value:10.5f} {slant:10.5f}")


def section_sigmoid():
    """La sigmoïde

    Question : que fait-elle des grandes valeurs de x ? Où sa pente est-elle la plus grande ?
    À regarder : les deux bouts de la courbe, et la pente, en tirets.
    """
    print_points(sigmoid)
    x = np.linspace(-X_MAX, X_MAX, 1001)
    plt.figure(figsize=(10, 6), layout="constrained")
    plt.plot(x, sigmoid(x), linewidth=3, label="g(x) = 1 / (1 + exp(-x))")
    plt.plot(x, slope(sigmoid, x), linewidth=2, label="sa pente")
    plt.axhline(0, color="black", linewidth=0.8)
    plt.axvline(0, color="black", linewidth=0.8)
    plt.title("La sigmoïde")
    plt.xlabel("x")
    plt.legend()

    # Réponse
    end = max(X_MAX, 5)  # plus près de 0, la courbe n'est pas encore plate
    x = np.linspace(-end, end, 2001)
    values, slopes = sigmoid(x), slope(sigmoid, x)
    steepest = x[slopes.argmax()]
    facts = f"{values[0]:.2g} en {-end:g}, {values[-1]:.5g} en {end:g}"
    if not (0 <= values[0] < 0.01 and 0.99 < values[-1] <= 1 and abs(steepest) < 0.01):
        return f"Cette fonction n'est plus la sigmoïde : elle vaut {facts}."
    return (
        f"Elle écrase les grandes valeurs entre 0 et 1 : {facts}. Sa pente est la plus grande en 0, où elle vaut "
        f"{slopes.max():.2f} ; en {end:g} elle ne vaut plus que {slopes[-1]:.2g} : loin de 0, le gradient s'éteint, et "
        "le neurone n'apprend presque plus."
    )


def section_relu():
    """ReLU

    Travail à faire : tracez la fonction d'activation ReLU, g(x) = max(0, x).
    À regarder : ce qu'elle fait à gauche de 0, puis à droite.
    """
    print_points(relu)
    x = np.linspace(-X_MAX, X_MAX, 1001)
    plt.figure(figsize=(10, 6), layout="constrained")
    # CORRIGÉ : tracez ReLU, de -X_MAX à X_MAX | x, relu
    plt.plot(x, relu(x), linewidth=3, label="ReLU")
    # FIN DU CORRIGÉ
    plt.axhline(0, color="black", linewidth=0.8)
    plt.axvline(0, color="black", linewidth=0.8)
    plt.title("ReLU")
    plt.xlabel("x")
    plt.ylabel("g(x)")
    if plt.gca().get_legend_handles_labels()[1]:  # votre courbe a un nom (label)
        plt.legend()

    # Réponse
    x = np.array([-1000.0, -10, -0.1, 0.1, 10, 1000])  # en 0, ReLU n'a pas de pente
    values, slopes = np.add(relu(x.copy()), 0.0), slope(relu, x)
    facts = f"{values[1]:.3g} en -10 et {values[4]:.3g} en 10, avec des pentes de {slopes[1]:.2g} et {slopes[4]:.2g}"
    if not np.allclose(values, [0, 0, 0, 0.1, 10, 1000]):
        return f"Cette fonction n'est pas ReLU : elle vaut {facts}."
    return (
        f"Elle met à 0 ce qui est négatif et garde le reste : {facts}. Aussi loin qu'on aille à droite, sa pente est "
        "la même, et le gradient ne s'éteint pas. En 0 la courbe fait un angle, et n'a pas de pente."
    )


def slope_answer(name, largest, left, right):
    """Ce qu'une activation laisse du gradient, selon sa plus grande pente et ses pentes en x = -1 et x = 1."""
    if largest > 1.01:
        return f"{name}, au plus {largest:.3g}^{N_LAYERS}\u00a0=\u00a0{largest**N_LAYERS:.2g} fois plus"
    if largest < 0.99:
        return f"{name}, au plus {largest:.2f}^{N_LAYERS}\u00a0=\u00a0{largest**N_LAYERS:.2g}"
    if left > 0.99 and right > 0.99:
        return f"{name}, tout, mais elle ne courbe rien"
    if right < 0.99:
        return (
            f"{name}, tout si x est près de 0, mais {right:.2f}^{N_LAYERS}\u00a0=\u00a0{right**N_LAYERS:.2g} en x = 1"
        )
    if abs(left) < 0.01:
        return f"{name}, tout à droite de 0, rien à gauche (un neurone qui y est toujours n'apprend plus)"
    return f"{name}, tout à droite de 0, {left:.2g}^{N_LAYERS}\u00a0=\u00a0{left**N_LAYERS:.2g} à gauche"


def show_softmax():
    """Affiche et dessine les probabilités que softmax donne aux SCORES."""
    probabilities = softmax(np.array(SCORES))
    print("softmax :")
    for score, probability in list(zip(SCORES, probabilities))[:8]:
        print(f"  score {score:g}, probabilité {probability:.4f}")
    fig, ax = plt.subplots(figsize=(10, 6), layout="constrained")
    bars = ax.bar(range(1, len(SCORES) + 1), probabilities)
    ax.set(title="softmax : des scores aux probabilités", ylabel="probabilité", ylim=(0, 1.1))
    if len(SCORES) <= 8:
        ax.bar_label(bars, fmt="%.4f")
        ax.set_xticks(range(1, len(SCORES) + 1), [f"{score:g}" for score in SCORES])
        ax.set_xlabel("score")
    else:  # les nombres se chevaucheraient
        print(f"  (les 8 premiers, sur {len(SCORES)})")
        ax.set_xlabel("numéro du score")


def softmax_answer(scores):
    """Ce que softmax fait de ces scores."""
    if len(scores) == 1:
        return "Softmax : un score seul a la probabilité 1."
    if min(scores) == max(scores):
        return "Softmax : des scores égaux donnent des probabilités égales ; leur somme vaut 1."
    return "Softmax donne la plus grande probabilité au plus grand score ; la somme des probabilités vaut 1."


def section_activations():
    """Les activations et leurs pentes (en plus)

    Question : chaque couche multiplie le gradient par une pente. Qu'en reste-t-il après plusieurs ?
    À regarder : où chacune a sa plus grande pente, et combien elle vaut ; puis ce que fait softmax.
    """
    names, slopes = list(dict.fromkeys(ACTIVATIONS)), []  # les noms, sans répétition
    x = np.linspace(-X_MAX, X_MAX, 10_000)  # un nombre pair de points : x = 0, où ReLU est anguleuse, n'y est pas
    fig, (left, right) = plt.subplots(1, 2, figsize=(13, 6.5), layout="constrained")
    print("             la plus grande pente   en x = -1   en x = 1")
    for name in names:
        activation = FUNCTIONS[name]
        left.plot(x, activation(x), linewidth=3, label=name)
        right.plot(x, slope(activation, x), linewidth=3, label=name)
        points = np.linspace(-1, 1, 1000)  # c'est là que chacune est la plus raide
        slopes.append([slope(activation, points).max(), *slope(activation, np.array([-1.0, 1.0]))])
        print(f"{name:<12} {slopes[-1][0]:20.3f} {slopes[-1][1]:11.3f} {slopes[-1][2]:10.3f}")
    for ax in (left, right):
        ax.locator_params(axis="x", nbins=5)  # peu de graduations : elles ne se chevauchent pas
    left.set(title="Les activations", xlabel="x", ylabel="g(x)")
    if X_MAX > 3:
        left.set_ylim(-2, 3)  # la droite y sort du cadre : sinon, elle écraserait les autres courbes
    right.set(title="Leurs pentes", xlabel="x", ylabel="pente")
    left.legend()

    show_softmax()

    # Réponse
    parts = [slope_answer(name, *three) for name, three in zip(names, slopes)]
    layers = f"{N_LAYERS} couches" if N_LAYERS > 1 else "1 couche"
    answer = f"Après {layers}, il reste du gradient (sans compter les poids) : {' ; '.join(parts)}. "
    if "sigmoïde" in names and "ReLU" in names:
        kept = 0.99 < slopes[names.index("ReLU")][2] < 1.01
        if kept and slopes[names.index("sigmoïde")][0] ** N_LAYERS < 0.01:
            answer = "La sigmoïde éteint le gradient ; ReLU, à droite de 0, non. " + answer
    return answer + softmax_answer(SCORES)


SECTIONS = {"3.1-sigmoide": section_sigmoid, "3.1-relu": section_relu, "3.1-activations": section_activations}


# --- Lancement : d'ici à la fin, le même texte dans les cinq scripts ----------------------------------
SCRIPT = Path(globals().get("__file__", "ce script"))  # sans fichier : un texte envoyé à une console


def refuse(message):
    """Dit en une phrase ce qui ne va pas, et s'arrête avec l'état 2."""
    print(f"{SCRIPT.name} : {message}", file=sys.stderr)
    sys.exit(2)


def option_of(name):
    """L'option d'une constante : LEARNING_RATE donne --learning-rate."""
    return "--" + name.lower().replace("_", "-")


def wanted(row):
    """Dit en français ce que permet une ligne de LIMITS."""
    if isinstance(row, list):
        return f"une liste de 1 à 50 valeurs, chacune {wanted(tuple(row))}"
    if isinstance(row[0], str):
        return f"un nom parmi {', '.join(row)}"
    return f"{'un entier' if isinstance(row[0], int) else 'un nombre'} de {row[0]:.15g} à {row[1]:.15g}"


def from_text(row, text):
    """La valeur que donne le texte d'une option ; le texte lui-même s'il n'est pas ce que demande LIMITS."""
    if isinstance(row, list):
        return [from_text(tuple(row), part) for part in text.split(",")]
    try:
        return type(row[0])(text)
    except ValueError:
        return text


def allows(row, value):
    """Vrai si une ligne de LIMITS permet cette valeur."""
    if isinstance(row, list):
        return 1 <= len(value) <= 50 and all(allows(tuple(row), each) for each in value)
    if value is None or isinstance(row[0], str):
        return value in row
    kind = numbers.Integral if isinstance(row[0], int) else numbers.Real
    return isinstance(value, kind) and not isinstance(value, bool) and row[0] <= value <= row[1]


def set_constants(texts):
    """Met chaque option à la place de sa constante ; refuse ce que LIMITS ne permet pas, dans le fichier aussi."""
    for name, row in LIMITS.items():
        value = globals().get(name) if texts[name] is None else from_text(row, str(texts[name]))
        if isinstance(row, list):
            value = list(value) if isinstance(value, (list, tuple, range, np.ndarray)) else [value]
        if not allows(row, value):
            decimal = isinstance(row, tuple) and isinstance(row[0], float) and "," in str(value)
            hint = " (avec un point : 0.1)" if decimal else ""
            refuse(f"{name} ({option_of(name)}) : il faut {wanted(row)}, pas {value!r:.60}{hint}")
        globals()[name] = value
    if refused_together():
        refuse(refused_together())


def sections_under(number):
    """Les sections d'un numéro : lui-même et ce qui est sous lui (2.2 : 2.2.1, 2.2.2-perte...)."""
    return [name for name in SECTIONS if f"{name}-".startswith((f"{number}-", f"{number}."))]


def read_options():
    """Lit la ligne de commande et met les constantes d'accord avec elle ; rend les autres options."""
    parser = argparse.ArgumentParser(None, argparse.SUPPRESS, __doc__, add_help=False, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    option = parser.add_argument_group("options").add_argument
    option("-h", "--help", action="store_true", help="affiche cette aide")
    option("--section", action="append", metavar="N", help="cette section et ce qui est sous elle ; se répète")
    option("--liste", action="store_true", help="affiche les sections, n'exécute rien")
    option("--corrige", action="store_true", help="affiche la réponse de chaque section")
    option("--figures", metavar="DOSSIER", help="enregistre les figures dans ce dossier, sans les montrer")
    for name, row in LIMITS.items():
        words = f"{wanted(row)} ({name} = {globals().get(name)})"
        option(option_of(name), dest=name, metavar="X", help=words.replace("%", "%%"))
    # Le message d'argparse est en anglais : on n'en garde que le mot refusé.
    refused = r"arguments?:?\s+([^\s:]*)"
    parser.error = lambda message: refuse(
        f"option refusée : {re.search(refused, message)[1]!r:.60}"
        f"{', sans valeur' if 'expected one' in message else ''} ; --help les montre toutes"
    )
    words = sys.argv[1:] if Path(sys.argv[0]).name == SCRIPT.name else []  # sinon, ce sont ceux d'un noyau
    options = parser.parse_args([re.sub(r"^(?=-[\d.])", " ", word) for word in words])  # « -3,4 » : une valeur
    for number in options.section or []:
        if not sections_under(number):
            refuse(f"--section : il faut une section parmi {', '.join(SECTIONS)}, pas {number!r:.60}")
    set_constants(vars(options))
    if options.help:
        parser.print_help()
    return options


def has_window():
    """Vrai si les figures s'ouvrent dans des fenêtres, que quelqu'un fermera."""
    framework = backend_registry.resolve_backend(plt.get_backend())[1]
    return framework in ("tk", "qt", "qt5", "gtk3", "gtk4", "wx", "macosx")


def choose_folder(asked):
    """Le dossier où enregistrer les figures ; None si elles se montrent : fenêtre, carnet, panneau de PyCharm."""
    if "ipykernel" not in sys.modules:
        try:
            plt.switch_backend("agg" if asked else plt.get_backend())
        except Exception:  # ni écran, ni Tk
            plt.switch_backend("agg")
        if not asked and not has_window() and "interagg" not in plt.get_backend():
            return Path("figures")
    if asked:
        try:
            Path(asked).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=asked).close()
        except OSError:
            refuse(f"--figures : impossible d'écrire dans {asked!r:.60}")
    return Path(asked) if asked else None


def play(name, corrige):
    """Joue une section, dit sa réponse si on la veut ; rend les numéros des figures à montrer."""
    title, _, guide = (inspect.getdoc(SECTIONS[name]) or "").partition("\n")
    print(f"\n=== {name} : {title} ===\n{guide.strip()}\n")
    np.random.seed(SEED)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(SEED)
    before, answer = plt.get_fignums(), None
    try:
        answer = SECTIONS[name]()
    except NotImplementedError as blank:  # ce qui reste à écrire ; PyTorch a la même erreur, avec un autre texte
        if not str(blank).startswith("À vous"):
            raise
        print(f"{blank} ({SCRIPT.name}, ligne {traceback.extract_tb(blank.__traceback__)[-1].lineno})")
        for number in set(plt.get_fignums()) - set(before):
            plt.close(number)
    if corrige and answer is not None:
        answer = re.sub(r" (?=[%:;?!»]|\d+\))|(?<=«) ", "\u00a0", str(answer))  # des espaces insécables
        print("\n" + textwrap.fill(f"Réponse : {answer}", 100, break_on_hyphens=False))
    return [number for number in plt.get_fignums() if number not in before]


def show(figures, folder, name):
    """Montre ensemble les figures d'une section, jusqu'à ce qu'on les ferme, ou les enregistre dans `folder`."""
    n_open = len(plt.get_fignums())  # dans un carnet, avec celles de l'utilisateur
    if figures and not folder:
        if has_window():
            print("Fermez la figure pour continuer." if n_open == 1 else f"Fermez les {n_open} figures pour continuer.")
        plt.show(block=True)
    for k, number in enumerate(figures, start=1):
        if folder:
            file = folder / (f"{SCRIPT.stem}-{name}" + (f"-{k}" if k > 1 else "") + ".png")
            try:
                folder.mkdir(parents=True, exist_ok=True)
                plt.figure(number).savefig(file)
            except OSError:
                refuse(f"impossible d'enregistrer {str(file)!r} (dossier interdit, disque plein...)")
            print(f"Figure : {file}")
        plt.close(number)


def leave(signum, frame):
    """Ctrl+C : s'arrête tout de suite, où qu'on en soit (Tk et scikit-learn avalent l'interruption de Python)."""
    os.write(2, b"Interrompu.\n")
    os._exit(130)


def main():
    """Lit les options, joue les sections demandées ; rend l'état : 0, ou 2 pour un refus."""
    console = hasattr(sys.stdout, "reconfigure")  # ni IDLE, ni un carnet
    if console:
        sys.stdout.reconfigure(errors="replace", line_buffering=True)
        handler = signal.signal(signal.SIGINT, leave)
    try:
        options = read_options()
        if options.liste:
            for name, section in SECTIONS.items():
                print(f"{name:<20} {(inspect.getdoc(section) or '').partition(chr(10))[0]}")
        if options.help or options.liste:
            return 0
        folder, told = choose_folder(options.figures), options.figures
        colours = ["tab:blue", "tab:orange", "tab:green", "tab:red", "tab:purple"]
        curves = plt.cycler(color=colours, linestyle=["-", "--", "-.", ":", (0, (5, 1, 1, 1))])
        style = {"font.size": 14, "figure.raise_window": False, "axes.prop_cycle": curves}
        chosen = [name for number in options.section or SECTIONS for name in sections_under(number)]
        with plt.rc_context(style), np.errstate(over="ignore", invalid="ignore"):
            for name in SECTIONS:
                figures = play(name, options.corrige) if name in chosen else []
                if figures and folder and not told:
                    print("Pas de fenêtre ici : figures dans figures/ (il faut un écran et Tk, voir README.md).")
                    told = True
                show(figures, folder, name)
    except SystemExit as stop:  # un refus
        return stop.code
    except BrokenPipeError:  # le lecteur du tube (head, less) est parti
        os._exit(0)
    finally:
        if console:
            signal.signal(signal.SIGINT, handler)
    return 0


if __name__ == "__main__":
    status = main()
    if status and "ipykernel" not in sys.modules:
        sys.exit(status)
