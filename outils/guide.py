"""Écrit le guide du TP pour le web : une page par script, et une page d'accueil.

  python outils/guide.py DOSSIER               sans les réponses : le code est celui de la version à compléter
  python outils/guide.py DOSSIER --corrige     avec les réponses, repliées sous les figures

DOSSIER n'existe pas encore, ou est vide, ou tient un guide, qui est remplacé. Tout vient d'un vrai essai des scripts,
qui dure une minute environ. On ouvre DOSSIER/index.html, sans réseau. À installer : outils/requirements.txt.
"""

import ast
import datetime
import importlib.metadata
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from guide_textes import ALTS, COVERS, EDITIONS, FORMULAS, WELCOME
from version_eleve import SCRIPTS, put_folder, sections_of, with_blanks, without_answers

try:
    from jinja2 import Environment, FileSystemLoader
    from latex2mathml.converter import convert
    from markupsafe import Markup, escape
    from pygments import formatters, highlight, lexers
    from tqdm import tqdm
except ImportError as error:
    print(f"guide.py : il manque {error.name} ; pip install -r outils/requirements.txt", file=sys.stderr)
    sys.exit(2)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MARK = '<meta name="generator" content="outils/guide.py">'  # ce qui fait reconnaître une page du guide
BANNER = re.compile(r"# --- (.+?)(?: -+)?$")  # ce qui commence une partie d'un script
IDS = {"Réglages": "reglages", "La leçon": "lecon", "Partagé": "partage"}  # celles du début
LIBRARIES = ["numpy", "matplotlib", "scikit-learn", "torch"]


def refuse(message, status=2):
    """Dit en une phrase ce qui ne va pas, et s'arrête."""
    print(f"guide.py : {message}", file=sys.stderr)
    sys.exit(status)


# --- L'essai ------------------------------------------------------------------------------------------
def run(path, figures, *options):
    """Lance un script en entier ; rend {section: (ce qu'elle affiche, sa réponse, les noms de ses figures)}."""
    command = [sys.executable, str(path), "--figures", str(figures), *options]
    changed = {**os.environ, "PYTHONIOENCODING": "utf-8", "MPLBACKEND": "Agg"}
    done = subprocess.run(command, cwd=figures, env=changed, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode:
        refuse(f"{path.name} s'est arrêté en route (état {done.returncode}) ; rien n'est écrit", 1)
    parts, sections = re.split(r"^=== (\S+) : .+ ===\n", done.stdout, flags=re.MULTILINE)[1:], {}
    for name, body in zip(parts[::2], parts[1::2]):
        names = [Path(file).stem for file in re.findall(r"^Figure : (.+)$", body, re.MULTILINE)]
        said, _, answer = re.sub(r"^Figure : .+\n", "", body, flags=re.MULTILINE).partition("\nRéponse : ")
        sections[name] = said.rstrip(), answer.strip().replace("\n", " "), names
    return sections


# --- Le code ------------------------------------------------------------------------------------------
def listing(script, lines, first, last):
    """Les lignes `first` à `last` d'un script, numérotées et colorées ; None si elles sont vides."""
    numbers = [n for n in range(first, last + 1) if lines[n - 1].strip()]
    if not numbers:
        return None
    first, last = numbers[0], numbers[-1]
    text = "\n".join(lines[first - 1 : last])
    rows = highlight(text, lexers.PythonLexer(), formatters.HtmlFormatter(nowrap=True)).rstrip("\n").split("\n")
    code = "\n".join(f'<span data-n="{n}">{row}</span>' for n, row in enumerate(rows, start=first))
    where = f"{script}.py, lignes {first} à {last}"
    pre = f'<pre class="code" tabindex="0" role="group" aria-label="{where}"><code>{code}</code></pre>'
    names = re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE)
    return {"where": where, "names": ", ".join(f"`{name}`" for name in names), "code": Markup(pre)}


def read_script(script, text):
    """Ce que la page montre du texte d'un script : son titre, et ses parties, (titre, sections)."""
    lines, tree, parts = text.splitlines(), ast.parse(text), []
    title, *words, commands = ast.get_docstring(tree).split("\n\n")
    starts = [n for n, line in enumerate(lines, start=1) if BANNER.match(line)]
    for start, end in zip(starts, starts[1:]):  # la dernière, « Lancement », n'est pas montrée
        part, first, sections = BANNER.match(lines[start - 1])[1], start + 1, []
        for name, function in sections_of(tree).items():
            if first <= function.lineno < end:
                heading, _, guide = (ast.get_docstring(function) or name).partition("\n")
                tools = listing(script, lines, first, function.lineno - 1)
                code = listing(script, lines, function.lineno, function.end_lineno)
                sections.append({"id": name, "title": heading, "guide": guide.strip(), "tools": tools, "code": code})
                first = function.end_lineno + 1
        kind = part.partition(" : ")[0]
        if kind == "Réglages":
            end = lines.index("", start) + 1  # ce qui suit cette ligne vide ne sert qu'à refuser
        rest = listing(script, lines, first, end - 1)
        if rest:
            name = IDS.get(kind, f"fin-{kind.partition(',')[0]}")
            sections.append({"id": name, "title": kind if kind in IDS else "La fin de cette partie", "tools": rest})
        parts.append((part, sections))
    return {"name": script, "title": title.rstrip("."), "words": words, "commands": commands, "parts": parts}


# --- Les pages ----------------------------------------------------------------------------------------
def french(text):
    """Du texte en HTML : `code` en police fixe, et des espaces insécables là où le français en veut."""
    text = re.sub(r" (?=[%:;?!»])|(?<=«) ", "\u00a0", str(escape(text)))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", text))


def picture(folder, name):
    """Ce qu'une page dit d'une figure : son fichier, son texte de remplacement, sa taille."""
    if name not in ALTS:
        refuse(f"la figure {name} n'a pas de texte de remplacement : ajoutez-le dans outils/guide_textes.py", 1)
    header = (folder / "figures" / f"{name}.png").read_bytes()[16:24]  # largeur puis hauteur, sur quatre octets
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:], "big")
    return {"file": f"figures/{name}.png", "alt": ALTS[name], "width": width, "height": height}


def make_page(script, folder, corrige):
    """Lance un script, et rend sa page ; les figures vont dans `folder`/figures."""
    path, waiting = ROOT / f"{script}.py", {}
    text = path.read_text(encoding="utf-8")
    results = run(path, folder / "figures", *(["--corrige"] if corrige else []))
    if not corrige:  # l'essai de la version élève dit où elle attend qu'on écrive
        text = with_blanks(script, without_answers(text))
        with tempfile.TemporaryDirectory(dir=folder.parent) as student:
            copy = Path(student) / path.name
            copy.write_text(text, encoding="utf-8", newline="\n")
            said = [(name, words) for name, (words, _, _) in run(copy, Path(student)).items()]
        waiting = {name: words for name, words in said if "\nÀ vous n° " in words}
    page = {**read_script(script, text), "cover": picture(folder, COVERS[script])}
    page["formulas"] = [(words, Markup(convert(latex, display="block"))) for words, latex in FORMULAS[script]]
    page["seed"] = re.search(r"^SEED = (\d+)", text, re.MULTILINE)[1]
    for section in [section for _, sections in page["parts"] for section in sections if "code" in section]:
        said, section["answer"], names = results[section["id"]]
        section["said"] = waiting.get(section["id"], said).removeprefix(section["guide"]).strip("\n")
        section["waits"] = section["id"] in waiting
        section["figures"] = [picture(folder, name) for name in names]
    return page


def write_guide(folder, corrige):
    """Lance les scripts, et écrit toutes les pages dans `folder`."""
    (folder / "figures").mkdir(parents=True)
    pages = [make_page(script, folder, corrige) for script in tqdm(SCRIPTS, leave=False, disable=None)]
    versions = [f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES]
    seeds = " et ".join(sorted({page["seed"] for page in pages}))
    footer = f"Essai du {datetime.date.today():%d/%m/%Y}, graine {seeds}. Python {platform.python_version()}, "
    styles = [Markup(formatters.HtmlFormatter(style=s).get_style_defs(".code")) for s in ("xcode", "github-dark")]
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["french"] = french
    template = environment.get_template("guide.html")
    for page in [None, *pages]:  # None : l'accueil
        html = template.render(
            page=page, pages=pages, welcome=[WELCOME, EDITIONS[corrige]], footer=footer + ", ".join(versions) + ".",
            mark=Markup(MARK), styles=styles,
        )  # fmt: skip
        (folder / f"{page['name'] if page else 'index'}.html").write_text(html, encoding="utf-8", newline="\n")


# --- Le dossier ---------------------------------------------------------------------------------------
def is_page(path):
    """Vrai pour une page qu'un guide a écrite."""
    return path.suffix == ".html" and path.is_file() and MARK in path.read_text(encoding="utf-8", errors="replace")


def unfit(folder):
    """Dit pourquoi on ne peut pas écrire un guide dans ce dossier ; rend "" si on le peut."""
    if folder.exists() and not folder.is_dir():
        return "n'est pas un dossier"
    if folder.exists() and any(folder.iterdir()) and not is_page(folder / "index.html"):
        return "n'est ni vide, ni un guide"
    if Path.cwd().is_relative_to(folder):
        return "est le dossier courant : lancez la commande d'ailleurs"
    for path in folder.rglob("*"):  # rien de ce qu'un autre y aurait mis ne doit disparaître
        figure = path.parent == folder / "figures" and path.name.startswith(tuple(SCRIPTS)) and path.suffix == ".png"
        if not (figure or is_page(path) or path == folder / "figures"):
            return f"n'a pas que le guide : {path.relative_to(folder)} n'en vient pas"
    return ""


def main():
    words = [word for word in sys.argv[1:] if word != "--corrige"]
    corrige = len(words) < len(sys.argv) - 1
    if words in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if len(words) != 1 or words[0].startswith("-"):
        refuse("il faut un DOSSIER et, pour avoir les réponses, --corrige ; --help dit tout")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        folder = Path(words[0]).resolve()
        if unfit(folder):
            refuse(f"{words[0]!r:.100} {unfit(folder)}")
        put_folder(folder, partial(write_guide, corrige=corrige))
    except OSError as error:
        refuse(f"{words[0]!r:.100} ne peut pas être écrit ({error.strerror or type(error).__name__})")
    except KeyboardInterrupt:
        return 130
    print(f"Guide {'avec' if corrige else 'sans'} les réponses : ouvrez {str(Path(words[0]) / 'index.html')!r:.110}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
