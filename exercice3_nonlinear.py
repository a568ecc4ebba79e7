"""Exercice 3, suite : régression non linéaire avec PyTorch (fin de la partie 3.3.2).

Un corrigé de la fin de la partie 3.3.2 : essayez d'abord dans exercice3.py, en y changeant `curve`, NOISE et
`RegressionModel`. `train` est la boucle d'exercice3, sans une lettre de changée.

  python exercice3_nonlinear.py                                        toutes les sections
  python exercice3_nonlinear.py --section 3.3.2-non-lineaire --corrige la figure 10, avec la réponse
  python exercice3_nonlinear.py --section 3.3.2-non-lineaire --epochs 300
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
import torch
from matplotlib.backends import backend_registry

# --- Réglages : changez-les ici, ou par une option (--epochs 300) -------------------------------------
N_OBSERVATIONS = 100
NOISE = 0.1  # le bruit est tiré entre 0 et NOISE
HIDDEN = 10  # neurones de la couche cachée
LEARNING_RATE = 0.01  # taux d'apprentissage d'Adam
EPOCHS = 3000  # le tiers dans 3.3.2-droite et 3.3.2-optimiseurs, qui ont leurs propres taux


# --- La leçon -----------------------------------------------------------------------------------------
def curve(x):
    """La courbe que suivent les données, au bruit près."""
    return x**4


def make_data(rng, n_observations, device):
    """Tire x entre 0 et 1, calcule y = curve(x) + bruit ; rend les tenseurs `x_data` et `y_data`, (n, 1)."""
    x = rng.uniform(0, 1, size=n_observations)
    y = curve(x) + rng.uniform(0, NOISE, size=n_observations)
    x_data = torch.from_numpy(x.reshape(-1, 1)).float().to(device)  # (n, 1)
    y_data = torch.from_numpy(y.reshape(-1, 1)).float().to(device)  # (n, 1)
    return x_data, y_data


class RegressionModel(torch.nn.Module):
    """Le modèle de l'énoncé, complété : une couche cachée de HIDDEN neurones, une activation, une sortie."""

    def __init__(self):
        super().__init__()
        # CORRIGÉ : une couche cachée, une activation, une couche de sortie
        self.hidden = torch.nn.Linear(1, HIDDEN)
        self.activation = torch.nn.Sigmoid()  # sans elle, deux couches linéaires ne font qu'une droite
        self.output = torch.nn.Linear(HIDDEN, 1)
        # FIN DU CORRIGÉ

    def forward(self, x):
        # CORRIGÉ : passez x dans vos couches, et rendez y_pred
        outputs = self.activation(self.hidden(x))  # (n, 1) -> (n, HIDDEN)
        y_pred = self.output(outputs)  # (n, HIDDEN) -> (n, 1)
        return y_pred
        # FIN DU CORRIGÉ


def train(our_model, x_data, y_data, optimizer, loss_func, epochs):
    """Entraîne `our_model` sur x_data (n, 1) et y_data (n, 1) ; rend `loss_history`, une perte par époque.

    `loss_history[k]` est la perte après k époques. Si la perte explose, la boucle s'arrête.
    """
    explosion = 1000 * (1 + (y_data**2).mean())  # bien plus que la perte d'un modèle qui répond 0
    loss_history = []
    for _ in range(epochs):
        prediction = our_model(x_data)  # (1) propager les entrées vers la sortie : (n, 1)
        loss = loss_func(prediction, y_data)  # (2) (3) écarts aux cibles, puis perte (sans le / 2 d'exercice1)
        if not loss < explosion:  # le taux est trop grand : on s'arrête
            break
        loss_history.append(loss.item())  # (4) la garder : le nombre, pas le tenseur
        optimizer.zero_grad()  # oublier le gradient de l'époque d'avant
        loss.backward()  # (5) le gradient, que PyTorch calcule seul
        optimizer.step()  # (6) (7) un pas sur tous les paramètres
    return loss_history


# --- Appareils ----------------------------------------------------------------------------------------
def find_devices():
    """Les appareils qui calculent vraiment ici : "cpu" puis, s'il y en a, "cuda" (ou "mps"...), "cuda:0"..."""
    names, devices = ["cpu"], []
    if torch.accelerator.is_available():
        kind = torch.accelerator.current_accelerator().type
        names += [kind] + [f"{kind}:{index}" for index in range(torch.accelerator.device_count())]
    for name in names:
        try:
            (torch.ones(2, 2, device=name) @ torch.ones(2, 2, device=name)).sum().item()
            devices.append(name)
        except (AssertionError, RuntimeError, NotImplementedError):
            pass  # un appareil annoncé, mais qui ne marche pas
    return devices


def choose_device(name):
    """L'appareil demandé ; "auto" prend l'accélérateur s'il y en a un qui marche, sinon le processeur."""
    devices = find_devices()
    if name == "auto":
        name = devices[1] if len(devices) > 1 else "cpu"
    print(f"Appareil : {name} (disponibles : {', '.join(devices)})")
    return torch.device(name)


# --- Mesures ------------------------------------------------------------------------------------------
def evaluate(our_model, x_data, y_data):
    """Perte de `our_model`, sans l'entraîner."""
    with torch.no_grad():
        return torch.nn.functional.mse_loss(our_model(x_data), y_data).item()


def noise_floor(x_data, y_data):
    """Le plancher : la perte due au bruit seul, soit la variance de ce que `curve` n'explique pas."""
    return (y_data.cpu().numpy() - curve(x_data.cpu().numpy())).var()


def satisfying(loss, x_data, y_data):
    """Vrai s'il ne reste guère plus que le bruit : au plus deux fois le plancher, à un dix-millième de y près."""
    return loss < 2 * noise_floor(x_data, y_data) + 1e-4 * y_data.var().item() + 1e-6


def predict(our_model, device):
    """Le modèle vu de 0 à 1 : rend `grid` (100,) et les prédictions (100,), en NumPy."""
    grid = torch.linspace(0, 1, 100, device=device).reshape(-1, 1)
    with torch.no_grad():
        return grid.cpu().numpy().ravel(), our_model(grid).cpu().numpy().ravel()


def fit_polynomial(x_data, y_data, degree):
    """Le polynôme des moindres carrés : rend ses coefficients (degree+1,) et sa perte."""
    x, y = x_data.cpu().numpy().ravel().astype(float), y_data.cpu().numpy().ravel().astype(float)
    coefficients = np.polyfit(x, y, degree)
    return coefficients, ((np.polyval(coefficients, x) - y) ** 2).mean()


# --- Ce qui sert à plusieurs sections -----------------------------------------------------------------
def setup(args):
    """L'appareil et les données tirées de la graine (sur le processeur : les mêmes partout)."""
    device = choose_device(args.device)
    x_data, y_data = make_data(np.random.default_rng(args.seed), args.n_observations, device)
    torch.manual_seed(args.seed)
    return device, x_data, y_data


def counted(number, word):
    """Écrit « 1 époque », « 50 époques »."""
    return f"{number} {word}" + ("s" if number > 1 else "")


def draw_points(ax, x_data, y_data, title):
    """Les observations."""
    ax.plot(x_data.cpu(), y_data.cpu(), "o", alpha=0.6, label="observations")
    ax.set(title=title, xlabel="x", ylabel="y")


def train_live(args, our_model, x_data, y_data, optimizer, epochs, line):
    """Entraîne en une quarantaine de fois et, entre deux, bouge la courbe `line` si sa fenêtre est ouverte."""
    loss_history = []
    while len(loss_history) < epochs:
        wanted = min(1 + epochs // 40, epochs - len(loss_history))
        losses = train(our_model, x_data, y_data, optimizer, torch.nn.MSELoss(), wanted)
        loss_history += losses
        if len(losses) < wanted:
            break  # la perte explose
        if args.window and plt.fignum_exists(line.figure.number):
            line.set_data(*predict(our_model, x_data.device))
            plt.pause(0.01)
    line.set_data(*predict(our_model, x_data.device))
    return loss_history


# --- Sections -----------------------------------------------------------------------------------------
def section_line(args):
    """La droite et les nouvelles données

    Question : la droite calculée par le réseau est-elle toujours satisfaisante (figure 9) ?
    À regarder : à droite, les écarts. S'il ne restait que du bruit, ils n'auraient pas de forme.
    """
    device, x_data, y_data = setup(args)
    our_model = torch.nn.Linear(1, 1).to(device)  # le modèle d'exercice3
    optimizer, epochs = torch.optim.SGD(our_model.parameters(), lr=0.05), max(1, args.epochs // 3)
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_points(left, x_data, y_data, "Les données et la droite")
    (line,) = left.plot([], [], "r--", linewidth=3, label="réseau")
    left.legend()
    loss_history = train_live(args, our_model, x_data, y_data, optimizer, epochs, line)
    loss, floor = evaluate(our_model, x_data, y_data), noise_floor(x_data, y_data)
    with torch.no_grad():
        gaps = y_data - our_model(x_data)  # (n, 1)
    gaps = gaps[x_data.flatten().argsort()].flatten().cpu()  # (n,), de gauche à droite
    thirds = [part.mean().item() for part in gaps.tensor_split(3)]
    left.relim()
    left.autoscale_view()
    print(f"Perte de la droite après {counted(len(loss_history), 'époque')} : {loss:.5f}")
    print(f"Plancher (la perte due au bruit seul) : {floor:.5f} ; en moyenne {NOISE:g}²/12 = {NOISE**2 / 12:.5f}")
    print("Écart moyen des points à la droite : {:+.3f} à gauche, {:+.3f} au milieu, {:+.3f} à droite".format(*thirds))
    right.plot(x_data.flatten().sort().values.cpu(), gaps, "o", alpha=0.6)
    right.axhline(0, color="black", linewidth=1)
    right.set(title="Ce que la droite n'explique pas", xlabel="x", ylabel="écart à la droite")
    show(fig, args)
    if satisfying(loss, x_data, y_data):
        return f"Oui : la perte, {loss:.3g}, n'est guère plus que le plancher, {floor:.3g}."
    answer = f"Non : la perte reste à {loss:.3g}, et le plancher est à {floor:.3g}. "
    if thirds[0] > 0 > thirds[1] and thirds[2] > 0:
        answer += "En moyenne, les points sont au-dessus de la droite à gauche et à droite, au-dessous au milieu."
    return answer


def section_network(args):
    """Un modèle non linéaire

    Question : quel RegressionModel donne une régression satisfaisante (figure 10) ?
    À regarder : la courbe du réseau à côté du polynôme de degré 4, et leurs pertes.
    """
    device, x_data, y_data = setup(args)
    our_model = RegressionModel().to(device)
    print(f"{sum(parameter.numel() for parameter in our_model.parameters())} paramètres à apprendre")
    optimizer = torch.optim.Adam(our_model.parameters(), lr=args.learning_rate)
    coefficients, polynomial_loss = fit_polynomial(x_data, y_data, 4)
    fig, (left, right) = plt.subplots(1, 2, figsize=(14, 6.5), layout="constrained")
    draw_points(left, x_data, y_data, "Le réseau (figure 10)")
    grid = np.linspace(0, 1, 100)
    left.plot(grid, np.polyval(coefficients, grid), color="black", linewidth=1, label="polynôme de degré 4")
    (line,) = left.plot([], [], "r--", linewidth=3, label="réseau")
    left.legend()
    loss_history = train_live(args, our_model, x_data, y_data, optimizer, args.epochs, line)
    loss, line_loss = evaluate(our_model, x_data, y_data), fit_polynomial(x_data, y_data, 1)[1]
    divergence = ""
    if len(loss_history) < args.epochs or not loss <= 2 * loss_history[0] + 1e-6:
        divergence = f"La perte explose ou monte : le taux {args.learning_rate:g} est trop grand."
    print(divergence or f"Perte du modèle : {loss:.6f}")
    print(f"Perte du polynôme de degré 4 : {polynomial_loss:.6f} ; de la meilleure droite : {line_loss:.6f}")
    right.plot(loss_history, ".-", markersize=3, label="réseau")
    if polynomial_loss > 1e-8:  # sinon elle n'a pas de place sur une échelle log
        right.axhline(polynomial_loss, color="black", linewidth=1, label="polynôme de degré 4")
    right.set(title="La perte", xlabel="époque", ylabel="perte (échelle log)", yscale="log")
    right.legend()
    show(fig, args)
    if divergence:
        return divergence
    floor = noise_floor(x_data, y_data)
    answer = "Oui" if satisfying(loss, x_data, y_data) else "Non"
    answer += (
        f" : après {counted(args.epochs, 'époque')} la perte de ce modèle est {loss:.3g}, celle du polynôme de degré 4 "
        f"{polynomial_loss:.3g}, celle de la meilleure droite {line_loss:.3g}. Le plancher est à {floor:.3g}. "
    )
    if loss < floor:
        answer += "Le modèle passe au-dessous car il suit aussi un peu le bruit. "
    if max(np.divide(loss_history[1:], loss_history[:-1]), default=0) > 1.2:
        answer += "Les pics de la perte viennent de pas trop grands."
    return answer


def section_optimizers(args):
    """Optimiseurs et activations

    Question : changez l'optimiseur, puis l'activation. Lesquels donnent une régression satisfaisante ?
    À regarder : les pertes finales, sur trois graines, à côté de celle de la meilleure droite.
    """
    device, epochs = choose_device(args.device), max(1, args.epochs // 3)
    seeds = [args.seed, args.seed + 1, args.seed + 2]
    data = [make_data(np.random.default_rng(seed), args.n_observations, device) for seed in seeds]
    line_losses = [fit_polynomial(x_data, y_data, 1)[1] for x_data, y_data in data]
    print(f"{counted(HIDDEN, 'neurone')}, {counted(epochs, 'époque')} ; pertes avec les graines {seeds} :")
    settings = [
        ("SGD 0.05, sigmoïde", torch.optim.SGD, 0.05, torch.nn.Sigmoid),
        ("Adam 0.03, sigmoïde", torch.optim.Adam, 0.03, torch.nn.Sigmoid),
        ("Adam 0.03, tanh", torch.optim.Adam, 0.03, torch.nn.Tanh),
        ("Adam 0.03, ReLU", torch.optim.Adam, 0.03, torch.nn.ReLU),
    ]
    fig, ax = plt.subplots(figsize=(12, 7), layout="constrained")
    successes = []
    for (name, make_optimizer, rate, activation), style in zip(settings, ["-", "--", "-.", ":"]):
        losses, n_good = "", 0
        for seed, (x_data, y_data) in zip(seeds, data):
            torch.manual_seed(seed)
            network = torch.nn.Sequential(torch.nn.Linear(1, HIDDEN), activation(), torch.nn.Linear(HIDDEN, 1))
            network = network.to(device)
            optimizer = make_optimizer(network.parameters(), lr=rate)
            loss_history = train(network, x_data, y_data, optimizer, torch.nn.MSELoss(), epochs)
            loss = evaluate(network, x_data, y_data)
            losses += f"{loss:12.5f}" if len(loss_history) == epochs else f"{'explose':>12}"
            n_good += int(satisfying(loss, x_data, y_data))
            if seed == args.seed:
                ax.plot(loss_history, style, linewidth=2, label=name)
        print(f"  {name:<20}{losses}")
        successes.append(n_good)
    print("  meilleure droite    " + "".join(f"{loss:12.5f}" for loss in line_losses))
    ax.axhline(line_losses[0], color="black", linewidth=1, label="meilleure droite")
    ax.set(title=f"La perte (graine {args.seed})", xlabel="époque", ylabel="perte (échelle log)", yscale="log")
    ax.legend()
    show(fig, args)
    return optimizers_answer(settings, successes, epochs, satisfying(max(line_losses), x_data, y_data))


def optimizers_answer(settings, successes, epochs, line_is_enough):
    """La réponse de la section précédente ; `successes` : sur combien de graines chaque réglage suffit."""
    answer = f"Régression satisfaisante après {counted(epochs, 'époque')}, sur 3 graines : "
    answer += " ; ".join(f"{n_good} avec {name}" for (name, _, _, _), n_good in zip(settings, successes)) + ". "
    if successes[0] == 0 and successes[1] == 3:
        answer += "Avec la même sigmoïde, Adam a réussi, SGD pas encore. "
    if min(successes[1:]) > 0 and not line_is_enough:
        answer += "Chaque activation réussit au moins une fois : l'important est que le modèle ne soit plus linéaire. "
    return answer + "Trois graines ne disent pas quelle activation est la meilleure."


SECTIONS = {
    "3.3.2-droite": section_line,
    "3.3.2-non-lineaire": section_network,
    "3.3.2-optimiseurs": section_optimizers,
}


# --- Options de ce script -----------------------------------------------------------------------------
def add_options(parser):
    """Une option par réglage. str : argparse vérifie la constante comme si elle venait de la ligne de commande."""
    devices = ["auto", *find_devices()]
    device = checked(str, "un appareil parmi " + ", ".join(devices), lambda name: name in devices)
    rate = checked(float, "un nombre positif (avec un point : 0.01)", lambda value: 0 < value <= 1e30)
    size = checked(int, "un entier de 5 à 100000", lambda value: 5 <= value <= 100_000)
    count = checked(int, "un entier de 1 à 100000", lambda value: 1 <= value <= 100_000)
    option = parser.add_argument
    option("--device", metavar="D", type=device, default="auto", help="appareil (défaut : %(default)s)")
    option("--learning-rate", metavar="X", type=rate, default=str(LEARNING_RATE), help="(défaut : %(default)s)")
    option("--n-observations", metavar="N", type=size, default=str(N_OBSERVATIONS), help="(défaut : %(default)s)")
    option("--epochs", metavar="N", type=count, default=str(EPOCHS), help="(défaut : %(default)s)")


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
