"""corriger.py : ce qu'il lit d'un rendu, ce qu'il écrit, et un lot de rendus hostiles."""

import contextlib
import csv
import functools
import html
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from commun import ROOT

sys.path.insert(0, str(ROOT / "outils"))
corriger = pytest.importorskip("corriger", reason="tqdm n'est pas installé")
import version_eleve  # noqa: E402
from correction import isolation, rendus, tableaux  # noqa: E402
from verification import BLANKS  # noqa: E402

SECTIONS = rendus.questions()
LEFT = 'raise NotImplementedError("À vous n° 7 : rien")'


def zipped(path, entries, **kwargs):
    """Écrit un zip : {nom: texte}."""
    with zipfile.ZipFile(path, "w", **kwargs) as archive:
        for name, text in entries.items():
            archive.writestr(name, text)


def folder_of(path, entries):
    """Écrit un dossier : {nom: texte}."""
    for name, text in entries.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")


def notebook(cells):
    """Le texte d'un carnet : des couples (sorte, texte)."""
    return json.dumps({"cells": [{"cell_type": kind, "source": text} for kind, text in cells]})


# --- Lire un rendu ------------------------------------------------------------------------------------
def test_the_student_is_the_name_on_the_disk(tmp_path):
    """Deux élèves se partagent un nom, un fichier du système passe pour un élève, ou un nom ne peut être écrit."""
    names = ["Zoé_12_assignsubmission_file_", "Ana", "a" * 240, "=1+1"]
    for name in names:
        (tmp_path / name).mkdir()
    for name in ("Ana.zip", "Léo.zip", "Max.rar", "consignes.pdf", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).touch()
    (tmp_path / "__MACOSX").mkdir()
    found, ignored = rendus.students(tmp_path)
    assert set(found) == {"Zoé_12_assignsubmission_file_", "Ana", "a" * 150, "=1+1", "Ana (2)", "Léo", "Max.rar"}
    assert ignored == ["consignes.pdf"] and found["Ana (2)"].name == "Ana.zip"
    assert rendus.clean("a\n../b\x1b[2J\ud800") == "a_.._b_[2J_"


@pytest.mark.parametrize(
    "name, wanted",
    [
        ("exercice1.py", "exercice1.py"),
        ("exercice1 (1).py", "exercice1.py"),
        ("Exercice1 - Copie (2).py", "exercice1.py"),
        ("Copie de exercice3_nonlinear.py", "exercice3_nonlinear.py"),
        ("exercice3 2.py", "exercice3.py"),
        ("tp-1.ipynb", "tp.ipynb"),
        ("questions(3).md", "questions.md"),
        ("exercice12.py", None),
        ("exercice1.pyc", None),
        ("tp.py", None),
        ("torch.py", None),
        ("exercice1" + " 1" * 30000 + "x.py", None),
    ],
)
def test_renamed_files_are_found(name, wanted):
    """Un rendu renommé par le navigateur ou le système n'est pas lu, ou un autre fichier l'est à sa place."""
    assert rendus.canonical(name) == wanted


def test_a_folder_and_the_zips_in_it_are_read(tmp_path):
    """Un script rendu dans un sous-dossier ou un zip n'est pas lu, ou le vérificateur rendu est pris pour le nôtre."""
    folder_of(
        tmp_path / "R", {"TP/rendu/exercice1.py": "1", "TP/verification/exercice2.py": "faux", ".venv/tp.ipynb": ""}
    )
    folder_of(tmp_path / "R", {"a/b/c/exercice3.py": "trop profond", "TP/torch.py": "import os", "verifier.py": "faux"})
    zipped(
        tmp_path / "R" / "rendu.zip", {"x/relu_plot.py": "2", "__MACOSX/x/._relu_plot.py": "", "exercice1 (1).py": "3"}
    )
    files, remarks = rendus.read(tmp_path / "R")
    assert files == {"exercice1.py": b"1", "relu_plot.py": b"2", "tp.md": b""}
    assert remarks == ["non lu : torch.py", "2 exercice1.py : lu dans TP - rendu - exercice1.py"]


def test_names_of_old_zips(tmp_path):
    """Un nom accentué, dans un zip de macOS ou de Windows, devient illisible."""
    for encoding in ("utf-8", "cp850"):
        name = "élève à part/exercice1.py"
        path = tmp_path / f"{encoding}.zip"
        zipped(path, {"x" * len(name.encode(encoding)): "1"})
        path.write_bytes(path.read_bytes().replace(b"x" * len(name.encode(encoding)), name.encode(encoding)))
        (info,) = zipfile.ZipFile(path).infolist()
        assert rendus.decoded(info) == name and rendus.read(path)[0]["exercice1.py"] == b"1"


def test_a_notebook_holds_scripts_and_answers(tmp_path):
    """Le travail fait dans le carnet est ignoré, ou remplace un fichier plus avancé."""
    cells = [
        ("code", f"%%writefile relu_plot.py\n{LEFT}"),
        ("code", "%%writefile exercice1.py\nfait"),
        ("code", "%%writefile exercice2.py\nautre"),
        ("code", "%%writefile verification/exercice3.py\nvérificateur"),
        ("markdown", "### 2.2.1 : Les données\n\nVotre pari : trois"),
        ("code", "%run exercice1.py"),
        ("markdown", "Réponse : deux\n\net demi"),
        ("markdown", "## relu_plot.py"),
    ]
    own = {"exercice1.py": LEFT, "exercice2.py": "un", "tp.ipynb": notebook(cells)}
    folder_of(tmp_path / "A", own)
    files, remarks = rendus.read(tmp_path / "A")
    assert files["relu_plot.py"].decode() == LEFT and "exercice3.py" not in files
    assert (files["exercice1.py"], files["exercice2.py"]) == (b"fait", b"un")
    assert remarks == [
        "relu_plot.py : celui de tp.ipynb",
        "exercice1.py : celui de tp.ipynb",
        "exercice2.py : un autre est dans tp.ipynb, non lu",
    ]
    assert rendus.answers(rendus.text_of(files["tp.md"]), SECTIONS) == {"2.2.1": ("trois", "deux\n\net demi")}
    folder_of(tmp_path / "B", {"tp.ipynb": "[" * 100_000, "exercice1.py": "1"})
    assert rendus.read(tmp_path / "B")[1] == ["tp.ipynb : ce n'est pas un carnet"]


def test_the_untouched_edition_has_no_answer(tmp_path):
    """La version vierge a une réponse ou une remarque, ou la place d'une réponse n'est pas trouvée."""
    files = edition()
    folder_of(tmp_path, files)
    found, remarks = rendus.read(tmp_path)
    assert remarks == [] and set(found) == {*(f"{script}.py" for script in rendus.SCRIPTS), "questions.md", "tp.md"}
    for name in ("questions.md", "tp.md"):
        text = rendus.text_of(found[name])
        assert rendus.answers(text, SECTIONS) == {}
        filled = re.sub("^Réponse :", "**Réponse :** <b>oui</b>", text, flags=re.MULTILINE)
        assert rendus.answers(filled, SECTIONS) == {name: ("", "<b>oui</b>") for name in SECTIONS}


def test_an_answer_without_its_mark_is_kept():
    """L'élève qui efface « Réponse : » perd sa réponse, ou un texte fait exprès bloque la lecture."""
    text = "### 2.2.1 : Données\n\nQuestion : quoi ?\n\nTrois.\n# un titre à moi\n#### encore : un\n"
    assert rendus.answers(text, SECTIONS) == {"2.2.1": ("", "Trois.\n# un titre à moi\n#### encore : un")}
    slow = "### 2.2.1 : x\n" + "\n" * 200_000 + "Réponse" + " " * 200_000
    start = time.process_time()
    rendus.answers(slow, SECTIONS)
    assert time.process_time() - start < 2


def test_encodings():
    """Un fichier du Bloc-notes, ou venu d'un vieux Windows, perd ses accents."""
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert rendus.text_of("été\r\nœuf".encode(encoding)) == "été\nœuf"


# --- Des rendus faits pour nuire ----------------------------------------------------------------------
def test_nothing_leaves_an_archive(tmp_path):
    """Une archive écrit hors de son dossier, ou remplit la mémoire ; ou, pour elle, rien d'autre n'est lu."""
    path, link = tmp_path / "piège.zip", zipfile.ZipInfo("questions.md")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("exercice1.py", "bon")
        archive.writestr("../../exercice2.py", "mauvais")
        archive.writestr("/tmp/exercice2.py", "mauvais")
        archive.writestr("C:\\exercice2.py", "mauvais")
        archive.writestr(link, "/etc/passwd")
        archive.writestr("relu_plot.py", "rare", zipfile.ZIP_BZIP2)
        archive.writestr("exercice3.py", b"0" * 30_000_000)
        archive.writestr("dedans.zip", "")
    before = sorted(tmp_path.rglob("*"))
    files, remarks = rendus.read(path)
    assert files == {"exercice1.py": b"bon", "tp.md": b""} and sorted(tmp_path.rglob("*")) == before
    assert [remark.partition(" :")[0] for remark in remarks] == [
        *["chemin refusé"] * 3, "lien refusé", "compression refusée", "exercice3.py", "archive non lue"
    ]  # fmt: skip


def test_unreadable_archives(tmp_path):
    """Une archive vide, coupée, chiffrée ou trop grosse arrête la correction au lieu d'une remarque."""
    good = io.BytesIO()
    zipped(good, {"exercice1.py": "print(1)\n" * 50}, compression=zipfile.ZIP_DEFLATED)
    raw = good.getvalue()
    locked = bytearray(raw)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[raw.index(mark) + place] |= 1
    cases = {
        "vide": b"",
        "coupé": raw[:60],
        "chiffré": bytes(locked),
        "faux": raw.replace(b"PK\x03\x04", b"PK\x03\x05"),
    }
    cases["gros"] = raw + b"0" * 20_000_000
    for name, content in cases.items():
        (tmp_path / f"{name}.zip").write_bytes(content)
        files, remarks = rendus.read(tmp_path / f"{name}.zip")
        assert "exercice1.py" not in files and re.search("ne se lit pas|non lu", remarks[0]), name
    zipped(tmp_path / "nombre.zip", {f"{k}.txt": "" for k in range(2001)})
    assert "plus de 2000 fichiers" in rendus.read(tmp_path / "nombre.zip")[1][0]
    for k, byte in enumerate(raw):  # un octet faux, à chaque endroit
        (tmp_path / "abîmé.zip").write_bytes(raw[:k] + bytes([byte ^ 0xFF]) + raw[k + 1 :])
        rendus.read(tmp_path / "abîmé.zip")


@pytest.mark.skipif(os.name != "posix", reason="pas de lien sans droits sous Windows")
def test_links_are_never_followed(tmp_path):
    """Un lien, dans un rendu, fait lire un fichier de la machine de l'enseignant."""
    folder_of(tmp_path / "secret", {"exercice1.py": "secret"})
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "exercice1.py").symlink_to(tmp_path / "secret" / "exercice1.py")
    (tmp_path / "A" / "TP").symlink_to(tmp_path / "secret")
    links = ["lien refusé : TP", "lien refusé : exercice1.py", "exercice2.py ne se lit pas (OSError)", "rien à lire"]
    os.mkfifo(tmp_path / "A" / "exercice2.py")
    (tmp_path / "B").symlink_to(tmp_path / "secret")
    assert rendus.read(tmp_path / "A") == ({"tp.md": b""}, links)
    assert rendus.read(tmp_path / "B") == ({"tp.md": b""}, ["lien refusé : B", "rien à lire"])
    with pytest.raises(OSError):
        rendus.read_path(tmp_path / "A" / "exercice1.py", 10)


# --- Les tableaux -------------------------------------------------------------------------------------
def state(student, **changes):
    words = ["bien"] * 9 + ["à faire"] * (len(BLANKS) - 9)
    return {"student": student, "words": words, "lines": ["[bien] x"], "remarks": [], "answers": {}, **changes}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "\t=1", "\n=1", "\u200b=1", "＝1", "＋1", "－1", "＠1", " =1"]
)
def test_a_spreadsheet_sees_no_formula(text):
    """Un nom ou une remarque s'exécute dans le tableur de l'enseignant."""
    rows = list(csv.reader(io.StringIO(tableaux.notes([state(text, remarks=[text])], BLANKS)), delimiter=";"))
    assert rows[1][0] == rows[1][-1] == "'" + text.strip().strip("\u200b")


def test_the_table_is_for_a_french_spreadsheet(tmp_path):
    """notes.csv s'ouvre avec des accents faux, ou une ligne coupée par un point-virgule de l'élève."""
    text = tableaux.notes([state('a;"b"\nc', remarks=["un", "deux;"])], BLANKS)
    tableaux.write(tmp_path / "notes.csv", text, "utf-8-sig")
    raw = (tmp_path / "notes.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\r\n") == raw.count(b"\n") == 2
    head, row = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";")
    assert head == ["élève", *[f"n° {k} ({b.part})" for k, b in enumerate(BLANKS, start=1)], "total", "remarques"]
    assert row[0] == 'a;"b" c' and row[-2:] == [f"9 bien sur {len(BLANKS)}", "un ; deux;"]
    assert [path.name for path in tmp_path.iterdir()] == ["notes.csv"]


def test_the_pages_escape_what_students_write():
    """Ce qu'écrit un élève s'exécute dans la page de l'enseignant, ou sa réponse se perd."""
    evil = '</p><script>alert(1)</script><img src=x onerror="a">\u202e\x1b[2J'
    answers = {"2.2.1": [["", evil]], "2.2.2-perte": [["mon pari", "x" * 5000]]}
    name = '<b onclick="a">Ana & co'
    page = tableaux.answers_page([state(name, answers=answers), state("Léo")], SECTIONS, {"2.2.1": "corrigé & co"})
    page += tableaux.figures_page(name, [(name, ['"><script>'], evil)])
    assert (
        "<script" not in page
        and "<img src=x" not in page
        and "<b" not in page.replace("<body", "")
        and "\u202e" not in page
        and "\x1b" not in page
    )
    assert "corrigé &amp; co" in page and "&lt;script&gt;alert(1)" in page
    assert "Pari : mon pari" in page and "(1000 caractères de plus)" in page
    assert page.count("Sans réponse : Léo.") == 2 and page.count("<h2>") == len(SECTIONS) + 1


def test_invented_figures_are_not_shown():
    """Ce qu'invente le code d'un élève à la place d'une image entre dans la page."""
    for reply in ({}, {"seen": 3}, {"seen": {"images": [3]}}, {"error": 3}, {"error": {}}, {"seen": {"images": None}}):
        assert corriger.seen_figures(reply, "relu_plot") == ([], "réponse illisible") or reply == {}
    assert corriger.seen_figures({"seen": {"images": ['"><script>', "QQ=="]}}, "relu_plot") == (["QQ=="], "")


# --- La commande --------------------------------------------------------------------------------------
def command(monkeypatch, *words):
    """Lance corriger.py dans ce processus, sans rien juger ; rend l'état et ceux qu'il aurait jugés."""
    asked = []

    def instead(options, students, todo, work):
        asked.extend(todo)
        for student in todo:
            tableaux.write(options.sortie / "etat" / f"{student}.json", json.dumps(state(student)))
        return []

    monkeypatch.setattr(corriger, "correct_all", instead)
    monkeypatch.setattr(isolation, "descendants", lambda parent: [])  # les nôtres sont les ouvriers des autres tests
    monkeypatch.setattr(sys, "argv", ["corriger.py", *map(str, words)])
    try:
        return corriger.main(), asked
    except SystemExit as error:
        return error.code, asked


def test_the_same_command_goes_on(monkeypatch, tmp_path, capsys):
    """Relancée, la commande juge encore ceux qui le sont, ou garde un enregistrement coupé."""
    entering, leaving = tmp_path / "rendus", tmp_path / "sortie"
    for name in ("Ana", "Anatole", "Léo"):
        (entering / name).mkdir(parents=True)
    assert command(monkeypatch, entering, leaving) == (0, ["Ana", "Anatole", "Léo"])
    assert command(monkeypatch, entering, leaving) == (0, [])
    assert command(monkeypatch, entering, leaving, "--refaire", "léo", "--refaire", "Ana") == (0, ["Ana", "Léo"])
    (leaving / "etat" / "Ana.json").write_text('{"student": "An')
    assert command(monkeypatch, entering, leaving) == (0, ["Ana"])
    assert command(monkeypatch, entering, leaving, "--figures") == (0, ["Ana", "Anatole", "Léo"])
    (entering / "Zoé").mkdir()
    assert command(monkeypatch, entering, leaving) == (0, ["Zoé"])
    with (leaving / "notes.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row[0] for row in csv.reader(file, delimiter=";")] == ["élève", "Ana", "Anatole", "Léo", "Zoé"]
    assert "Rendus : 4, déjà jugés : 3." in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "il faut deux dossiers"),
        (["rien", "sortie"], "n'est pas un dossier"),
        (["rendus", "rendus/sortie"], "SORTIE est dans RENDUS"),
        (["vide", "sortie"], "ni dossier ni zip"),
        (["rendus", "fichier/sortie"], "ne peut pas être écrit"),
        (["rendus", "sortie", "--jobs", "0"], "--jobs"),
        (["rendus", "sortie", "--job", "2"], "mal comprise"),
        (["rendus", "sortie", "--refaire", "a"], "désigne 2 élèves"),
        (["rendus", "sortie", "--refaire", "Zoé"], "désigne 0 élèves"),
    ],
)
def test_refusals(words, said, monkeypatch, tmp_path, capsys):
    """Une commande qui n'a pas de sens donne un traceback, ou commence quand même."""
    for name in ("vide", "rendus/Ana", "rendus/Max"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "fichier").touch()
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, *words) == (2, [])
    errors = capsys.readouterr().err
    assert said in errors and errors.count("\n") == 1


def test_a_table_open_elsewhere_is_said(monkeypatch, tmp_path, capsys):
    """notes.csv ouvert dans Excel donne un traceback."""
    (tmp_path / "rendus" / "Ana").mkdir(parents=True)
    (tmp_path / "sortie" / "notes.csv" / "ouvert").mkdir(parents=True)
    assert command(monkeypatch, tmp_path / "rendus", tmp_path / "sortie") == (1, ["Ana"])
    assert "notes.csv n'a pas pu être écrit" in capsys.readouterr().out


def test_without_bwrap_it_says_so_and_stops(monkeypatch, tmp_path, capsys):
    """Sans bwrap, le code des élèves tourne sans isolation et sans qu'on l'ait demandé."""
    options = type("Options", (), {"rendus": tmp_path, "sortie": tmp_path, "sans_isolation": False})
    monkeypatch.setattr(isolation, "trouble", lambda prefix: "bwrap: setting up uid map: Permission denied")
    monkeypatch.setattr(isolation, "adopt", lambda: None)
    with pytest.raises(SystemExit) as stopped:
        corriger.choose_isolation(options, tmp_path)
    said = capsys.readouterr()
    assert stopped.value.code == 2 and "--sans-isolation" in said.err
    assert "(bwrap: setting up uid map: Permission denied)" in said.out and "effacer vos fichiers" in said.out
    options.sans_isolation = True
    assert corriger.choose_isolation(options, tmp_path)(tmp_path) == isolation.limited()


def test_a_solution_that_is_not_right_stops_everything(monkeypatch, tmp_path, capsys):
    """Des rendus sont jugés par un vérificateur qui refuse le corrigé."""
    monkeypatch.setattr(
        corriger, "judge", lambda script, folder, prefix: [f"[bien] {script}", f"[pas encore] {script}"]
    )
    with ThreadPoolExecutor(1) as pool, pytest.raises(SystemExit):
        corriger.check_solution(pool, tmp_path, lambda folder: [])
    said = capsys.readouterr()
    assert "[pas encore] relu_plot" in said.out and "[bien]" not in said.out and "aucun rendu" in said.err


def test_the_answers_of_the_project_are_its_own(tmp_path):
    """Les réponses du projet, à côté de celles des élèves, ne sont pas celles d'un vrai lancement."""
    found = corriger.own_answers("relu_plot", tmp_path)
    assert list(found) == [name for name, (script, *_) in SECTIONS.items() if script == "relu_plot"]
    assert all(len(answer) > 50 and "Figure" not in answer for answer in found.values())


# --- Le lot de rendus hostiles ------------------------------------------------------------------------
# Chacun ne contient que relu_plot.py, dont l'import est court : ses deux choses à écrire portent les numéros 7 et 8.
RIGHT = {7: "return np.maximum(0, x)", 8: "plt.plot(x, relu(x))"}
GOOD, TODO, BAD = ["bien", "bien"], ["à faire", "à faire"], ["pas encore", "pas encore"]
# Le corrigé du projet, jugé et joué au début, prend une demi-minute : le grand lot suffit à l'essayer.
NO_CHECK = "corriger.check_solution = lambda *words: None"
ONE_PLAYED = """
own_answers = corriger.own_answers
corriger.own_answers = lambda script, folder: own_answers(script, folder) if script == "relu_plot" else {}
"""
NO_SOLUTION = f"{NO_CHECK}; corriger.own_answers = lambda *words: {{}}"
SLEEP = str(900_000 + os.getpid())  # des secondes, qui disent aussi de quels tests vient un processus

# Ce que tente un script avant de répondre juste : « === nom | attendu des numéros 7 et 8 | remarque ».
HOSTILE = """
=== affiche un million de lignes | bien |
for _ in range(1_000_000):
    print("[bien]")
=== affiche une ligne sans fin | bien |
import os
for _ in range(30):
    os.write(1, b"x" * 10**6)
    print("x" * 10**6, end="")
=== détache un processus | bien |
import os, subprocess
if not os.fork():
    os.setsid()
    os.execvp("sleep", ["sleep", "SLEEP"])
subprocess.Popen(["sleep", "SLEEP"], start_new_session=True)
=== détache un fils qui garde les tubes | bien |
import os, time
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    time.sleep(SLEEP)
=== boucle sans fin | pas encore |
while True:
    pass
=== boucle sans fin, horloge arrêtée | pas encore |
import time
time.process_time = lambda: 0
while True:
    pass
=== dort | pas encore |
import time
time.sleep(SLEEP)
=== exit | pas encore |
exit(0)
=== os._exit | pas encore |
import os
print("[bien] relu_plot.py ligne 1, n° 7 (3.1)")
os._exit(0)
=== se tue | pas encore |
import os
os.kill(os.getpid(), 9)
=== bombe de processus | pas encore | relu_plot.py arrêté : trop de processus
import os, time
for _ in range(180):
    if not os.fork():
        time.sleep(SLEEP)
time.sleep(SLEEP)
=== deux gigaoctets | pas encore | relu_plot.py arrêté : trop de mémoire
import numpy
much = numpy.ones(250_000_000)
=== deux gigaoctets à six | pas encore | relu_plot.py arrêté : trop de mémoire
import os, time, numpy
for _ in range(5):
    if not os.fork():
        break
much = numpy.ones(40_000_000)
time.sleep(SLEEP)
=== erreur de syntaxe | pas encore |
def (:
=== encodage inventé | pas encore |
# coding: rot13
=== remplace ce qui jugerait | pas encore |
import json, numpy
numpy.isclose = numpy.allclose = lambda *words, **names: True
real = json.dumps
json.dumps = lambda reply, **names: real({"seen": {}, "token": reply.get("token")})
=== répond à sa place | bien |
import os
for number in range(3, 60):
    try:
        os.write(number, b'\\n[bien]\\n{"seen": {}, "token": ""}\\n' * 1000)
    except OSError:
        pass
=== répond n'importe quoi | pas encore |
import json
json.dumps = lambda reply, **names: '{"error": 3, "token": "%s"}' % reply["token"]
=== répond trop profond | pas encore |
import json
json.dumps = lambda reply, **names: "[" * 100_000
=== répond sans fin | pas encore |
import json
json.dumps = lambda reply, **names: '{"a": 1}\\n' * 10 + "x" * 30_000_000
=== change de dossier | bien |
import os
os.chdir("/tmp")
open("relu_plot.py", "w").write("")
=== se récrit | bien |
try:
    open(__file__, "w").write("")
except OSError:
    pass
=== enregistre une figure | bien |
import matplotlib.pyplot as plt
plt.savefig("figure.png")
plt.close("all")
"""
# Ce qui réussit sans isolation : relu n'est juste que si `crossed` devient vrai.
CROSSINGS = """
=== lit son voisin
crossed = "secret" in open(f"{RENDUS}/Ana/questions.md").read()
=== lit le dossier des rendus
import os
crossed = "Ana" in os.listdir(RENDUS)
=== lit le corrigé
crossed = "CORRIGÉ" in open(f"{ROOT}/exercice1.py").read()
=== lit les mots de passe
crossed = bool(open("/etc/passwd").read())
=== lit un canari
crossed = bool(open(f"{CANARY}/lire").read())
=== écrit ailleurs
open(f"{CANARY}/effacer/écrit", "w").write("x")
crossed = True
=== efface un canari
import os, shutil
shutil.rmtree(f"{CANARY}/effacer")
os.mkdir(f"{CANARY}/effacer")
crossed = True
=== écrit dans Python
import os
name = os.path.join(os.path.dirname(os.__file__), "canari.txt")
open(name, "w").close()
os.remove(name)
crossed = True
=== règle le noyau
open("/proc/sys/kernel/core_pattern", "r+").close()
crossed = True
=== ouvre une connexion
import socket
socket.create_connection(("127.0.0.1", PORT), 2).close()
crossed = True
=== lit l'environnement
import os
crossed = any(b"MOT_DE_PASSE" in open(f"/proc/{pid}/environ", "rb").read() for pid in ("self", os.getppid()))
=== voit les processus
import glob
crossed = len(glob.glob("/proc/[0-9]*")) > 5
=== remplit la mémoire partagée
import os
try:
    with open("/dev/shm/canari", "wb", 0) as file:
        crossed = sum(file.write(bytes(2**20)) for _ in range(40)) > 3e7
finally:
    os.remove("/dev/shm/canari")
=== remplit le disque
import os
names = [f"/tmp/canari-{os.getpid()}-{k}" for k in range(3)]
try:
    for name in names:
        open(name, "wb", 0).write(bytes(40_000_000))
    crossed = sum(map(os.path.getsize, names)) > 1e8
finally:
    for name in names:
        os.remove(name)
=== monte un disque
import ctypes, os
folder = f"/tmp/canari-{os.getpid()}"
os.mkdir(folder)
crossed = ctypes.CDLL(None).mount(b"none", folder.encode(), b"tmpfs", 0, None) == 0
ctypes.CDLL(None).umount(folder.encode())
os.rmdir(folder)
"""
ROOT_ONLY = ("règle le noyau", "monte un disque")


def cases(text):
    """Les cas d'un de ces textes : {nom: (code, mots attendus, remarque)}."""
    found = {}
    for part in text.replace("SLEEP", SLEEP).split("=== ")[1:]:
        head, _, code = part.partition("\n")
        name, word, remark = (head + " | | ").split(" |")[:3]
        found[name] = code, [word.strip()] * 2, remark.strip()
    return found


@functools.cache
def edition():
    """La version élève, écrite une seule fois."""
    return version_eleve.student_files()


def written(answers, head=""):
    """Le texte d'un relu_plot.py d'élève, avec ces réponses et ce début."""
    text = edition()["relu_plot.py"]
    for number, code in answers.items():
        text = re.sub(rf"raise NotImplementedError\(.À vous n° {number} .*\)", lambda match, code=code: code, text)
    return f"{head}\n{text}"


def crossing(code, **places):
    """Un script qui tente de passer une limite : relu n'est juste que s'il y arrive."""
    values = "".join(f"{name} = {value!r}\n" for name, value in places.items())
    tried = f"{values}crossed = False\ntry:\n{textwrap.indent(code, '    ')}\nexcept BaseException:\n    pass"
    return written({**RIGHT, 7: "return np.maximum(0, x) if crossed else x"}, tried)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Un dossier canari, et une porte qui compte ses visites."""
    canary = tmp_path_factory.mktemp("canari")
    folder_of(canary, {"lire": "canari", "effacer/fichier": "canari"})
    door = socket.create_server(("127.0.0.1", 0))
    yield {"CANARY": str(canary), "ROOT": str(ROOT), "PORT": door.getsockname()[1]}
    door.close()


def start(entering, leaving, *words, more=""):
    """Lance corriger.py dans un autre processus, avec ce changement, et des limites qu'on atteint plus vite.

    Cinq secondes de calcul par question (la plus longue du corrigé en prend 1,3), et un gigaoctet au lieu de trois
    (le corrigé en prend 0,4).
    """
    code = "import corriger, signal, sys, verifier; from correction import isolation\n"
    code += f"verifier.SECONDS = verifier.IMPORT_SECONDS = 5; isolation.MOST_MEMORY = 10**9\n{more}\n"
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # que pytest, lancé derrière, aurait perdu
    code += "sys.exit(corriger.main())"
    changes = {"MOT_DE_PASSE": "x", "PYTHONPATH": str(ROOT / "outils"), "TMPDIR": str(entering.parent)}
    environment = {**os.environ, **changes}
    command = [sys.executable, "-c", code, str(entering), str(leaving), "--jobs", "2", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


def table(leaving):
    """Les lignes de notes.csv : {élève: (mots, remarques)}."""
    with (leaving / "notes.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row[0]: (row[1:-2], row[-1]) for row in list(csv.reader(file, delimiter=";"))[1:]}


def processes(word):
    """Les processus dont la commande contient ce mot."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [path.parent.name] * (word.encode() in path.read_bytes())
    return found


@pytest.fixture(scope="module")
def usable(tmp_path_factory):
    """Saute les tests d'isolation là où bwrap ne marche pas, en disant pourquoi."""
    trouble = isolation.trouble(isolation.isolated(tmp_path_factory.mktemp("essai"), [], isolation.fonts()))
    if trouble:
        pytest.skip(f"bwrap ne marche pas ici : {trouble}")


def make_batch(folder, places):
    """Les rendus ordinaires et les autres ; rend ce qui est attendu : {élève: (mots des numéros 7 et 8, remarque)}."""
    places, expected, hostile = {**places, "RENDUS": str(folder)}, {}, cases(HOSTILE)
    hostile["texte trop profond"] = "x = a" + ".b" * 300_000, BAD, ""
    hostile["texte sans fin"] = "x = " + "-" * 500_000 + "1", BAD, ""
    hostile["octet nul"] = "x = '\0'", BAD, ""
    scripts = {f"{script}.py": (ROOT / f"{script}.py").read_text(encoding="utf-8") for script in rendus.SCRIPTS}
    formula = '=HYPERLINK("http://x";"y")'
    folder_of(
        folder / "Ana", {**scripts, "questions.md": "### 3.1-relu : ReLU\n\nVotre pari : secret\n\nRéponse : oui\n"}
    )
    folder_of(folder / "Blanche", edition())
    half, page = written({7: RIGHT[7]}), f"### 3.1-relu : x\nRéponse : {formula}<script>alert(1)</script>\n"
    folder_of(folder / f"{formula[:7]} moitié", {"TP/relu_plot (1).py": half, "TP/questions.md": page})
    expected |= {"Ana": (GOOD, ""), "Blanche": (TODO, ""), f"'{formula[:7]} moitié": (["bien", "à faire"], "")}
    for name, (code, words, remark) in hostile.items():
        folder_of(folder / name, {"relu_plot.py": written(RIGHT, code)})
        expected[name] = words, remark
    for name, (code, *_) in cases(CROSSINGS).items():
        folder_of(folder / name, {"relu_plot.py": crossing(code, **places)})
        expected[name] = ["pas encore", "bien"], ""
    folder_of(
        folder / "ajoute torch", {"relu_plot.py": written(RIGHT), "numpy.py": "1/0", "verifier.py": "print('bien')"}
    )
    expected["ajoute torch"] = GOOD, "non lu : numpy.py"
    (folder / "archive.rar").write_bytes(b"Rar!")
    zipped(folder / "remonte.zip", {"../Ana/exercice1.py": "x", "relu_plot.py": written(RIGHT)})
    (folder / "lien").mkdir()
    (folder / "lien" / "relu_plot.py").symlink_to(folder / "Ana" / "relu_plot.py")
    zipped(folder / "bombe.zip", {"relu_plot.py": "#" * 200_000_000}, compression=zipfile.ZIP_DEFLATED)
    zipped(folder / "bombe bz2.zip", {"relu_plot.py": "#" * 200_000_000}, compression=zipfile.ZIP_BZIP2)
    expected |= {"archive.rar": (BAD, "archive .rar non lue"), "remonte": (GOOD, "chemin refusé")}
    expected |= {
        "lien": (BAD, "lien refusé"),
        "bombe": (BAD, "plus de 1 Mo"),
        "bombe bz2": (BAD, "compression refusée"),
    }
    return expected


@pytest.mark.lent
def test_a_hostile_batch(usable, places, tmp_path):
    """Un rendu hostile a une autre ligne que la sienne, s'échappe, ou un arrêt brutal perd les autres."""
    entering, leaving = tmp_path / "rendus", tmp_path / "sortie"
    expected = make_batch(entering, places)
    process = start(entering, leaving)
    while len(list(leaving.glob("etat/*.json"))) < 8 and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    output, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, output + errors
    time.sleep(1)
    assert processes(str(tmp_path)) == [] == processes(SLEEP)
    done = {path: path.read_bytes() for path in leaving.glob("etat/*.json")}
    assert 8 <= len(done) < len(expected) and table(leaving)
    start_time = os.times()
    process = start(entering, leaving, more=f"{NO_CHECK}\n{ONE_PLAYED}")
    output, errors = process.communicate()
    spent = os.times().children_user - start_time.children_user
    print(f"{spent:.0f} s de calcul, {os.times().elapsed - start_time.elapsed:.0f} s pour tout")
    assert (process.returncode, errors) == (0, ""), output + errors
    assert {path: path.read_bytes() for path in done} == done and f"déjà jugés : {len(done)}." in output
    assert processes(str(tmp_path)) == [] == processes(SLEEP)

    rows = table(leaving)
    assert set(rows) == set(expected)
    found = {name: (rows[name][0][6:8], remark if remark in rows[name][1] else rows[name][1])
             for name, (_, remark) in expected.items()}  # fmt: skip
    assert found == expected
    assert set(rows["Ana"][0]) == {"bien"} and set(rows["Blanche"][0]) == {"à faire"}
    for name in set(rows) - {"Ana", "Blanche"}:
        assert set(rows[name][0][:6] + rows[name][0][8:]) == {"pas encore"}  # ses autres scripts n'y sont pas
    page = (leaving / "reponses.html").read_text(encoding="utf-8")
    assert html.escape(corriger.own_answers("relu_plot", tmp_path)["3.1-relu"]) in page
    assert "Pari : secret" in page and "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert sorted(path.name for path in Path(places["CANARY"]).rglob("*")) == ["effacer", "fichier", "lire"]
    assert not (entering / "Ana" / "écrit").exists()
    check_with_libreoffice(leaving / "notes.csv", tmp_path)


def check_with_libreoffice(path, folder):
    """Le tableau, relu par LibreOffice s'il est là : les mêmes cases."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office:
        options = ["--convert-to", "csv:Text - txt - csv (StarCalc):59,34,76,1", "--infilter=CSV:59,34,76,1"]
        subprocess.run([office, "--headless", *options, "--outdir", str(folder), str(path)], check=True)
        with (folder / "notes.csv").open(encoding="utf-8-sig", newline="") as file:
            again = {row[0]: (row[1:-2], row[-1]) for row in list(csv.reader(file, delimiter=";"))[1:]}
        assert again == table(path.parent)


@pytest.mark.lent
@pytest.mark.skipif(sys.platform != "linux", reason="ces limites n'existent que sous Linux")
def test_without_isolation_the_same_scripts_cross(places, tmp_path):
    """Les attaques du lot ne marchent plus même sans bwrap : l'essai d'au-dessus ne prouve rien."""
    entering, leaving = tmp_path / "rendus", tmp_path / "sortie"
    folder_of(entering / "Ana", {"questions.md": "secret"})
    tried = {name: case for name, case in cases(CROSSINGS).items() if os.getuid() == 0 or name not in ROOT_ONLY}
    for name, (code, *_) in tried.items():
        script = crossing(code, **{**places, "RENDUS": str(entering)})
        folder_of(entering / name, {"relu_plot.py": script})
    folder_of(entering / "détache", {"relu_plot.py": written(RIGHT, cases(HOSTILE)["détache un processus"][0])})
    process = start(entering, leaving, "--sans-isolation", more=NO_SOLUTION)
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, ""), output + errors
    assert output.count("Sans isolation") == 1 and "effacer vos fichiers" in output
    rows = table(leaving)
    kept = [name for name in tried if rows[name][0][6] != "bien"]
    assert kept == []
    assert processes(SLEEP) == []


@pytest.mark.lent
def test_an_interruption_saves_nothing_wrong(usable, tmp_path):
    """Ctrl+C enregistre un rendu à moitié jugé, perd les autres, ou laisse un script tourner."""
    entering, leaving = tmp_path / "rendus", tmp_path / "sortie"
    for name, (code, *_) in cases(HOSTILE).items():
        if name in ("dort", "détache un processus"):
            folder_of(entering / name, {"relu_plot.py": written(RIGHT, code)})
    process = start(entering, leaving, more=NO_SOLUTION)
    while not list(leaving.glob("etat/*.json")) and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate()
    assert (process.returncode, errors) == (130, "Interrompu : la même commande reprendra où elle en était.\n"), output
    assert [path.stem for path in leaving.glob("etat/*.json")] == ["détache un processus"]
    time.sleep(0.5)
    assert processes(str(tmp_path)) == [] == processes(SLEEP) and sorted(os.listdir(tmp_path)) == ["rendus", "sortie"]


@pytest.mark.lent
def test_a_contact_sheet(usable, tmp_path):
    """--figures perd une figure, ou ne dit pas pourquoi elle manque."""
    entering, leaving = tmp_path / "rendus", tmp_path / "sortie"
    folder_of(entering / "Ana", {"relu_plot.py": written({7: RIGHT[7]})})
    process = start(entering, leaving, "--figures", more=NO_SOLUTION)
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, ""), output + errors
    page = (leaving / "figures" / "Ana.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 2 and page.count("<h2>") == 3
    assert "À vous n° 8" in page
