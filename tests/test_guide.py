"""Le guide pour le web : ce que ses pages montrent, ce qu'elles taisent, où il s'écrit, et dans un navigateur."""

import ast
import functools
import re
import shutil
import signal
import subprocess
import sys
import time

import html5lib
import pytest

from commun import ROOT, blocks, environment, lasting, load, run
from test_version_eleve import TOKENS

sys.path.insert(0, str(ROOT / "outils"))
import guide
import version_eleve
from guide_textes import ALTS, COVERS, FORMULAS

SMALL = "relu_plot"  # un script qui va vite, et n'affiche pas de durée
SCRIPTS = version_eleve.SCRIPTS


def write(folder, *options):
    """Écrit un guide dans `folder`, comme en ligne de commande ; rend l'état."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["guide.py", str(folder), *options])
        handler = signal.getsignal(signal.SIGTERM)
        try:
            return guide.main()
        except SystemExit as stop:
            return stop.code
        finally:
            signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def one_script(monkeypatch):
    monkeypatch.setattr(guide, "SCRIPTS", [SMALL])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Les deux éditions d'un guide d'un seul script : {avec les réponses: dossier}."""
    folders = {corrige: tmp_path_factory.mktemp("guides") / "un guide à moi" / "ici" for corrige in (False, True)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guide, "SCRIPTS", [SMALL])
        assert [write(folders[False]), write(folders[True], "--corrige")] == [0, 0]
    return folders


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Les deux éditions du guide entier, écrites en même temps par la ligne de commande."""
    folders = {corrige: tmp_path_factory.mktemp("entier") / "guide" for corrige in (False, True)}
    running = []
    for corrige, folder in folders.items():
        command = [sys.executable, ROOT / "outils" / "guide.py", folder, *(["--corrige"] if corrige else [])]
        running.append(subprocess.Popen(command, cwd=folder.parent, env=environment(), stderr=subprocess.PIPE))
    for process in running:
        errors = process.communicate(timeout=900)[1]
        assert (process.returncode, errors) == (0, b""), "sans terminal, pas de barre"
    return folders


# --- Lire une page ------------------------------------------------------------------------------------
@functools.cache
def parsed(text):
    """L'arbre d'une page ; une faute de HTML est une erreur."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def tree_of(path):
    return parsed(path.read_text(encoding="utf-8"))


def text_of(element):
    """Le texte d'un élément, avec des espaces ordinaires."""
    return "".join(element.itertext()).replace("\u00a0", " ")


def squeezed(text):
    """Le texte sur une ligne, avec des espaces ordinaires."""
    return " ".join(text.replace("`", "").split())


def sections_in(tree):
    """Les sections d'une page : {identifiant: élément}."""
    return {section.get("id"): section for section in tree.iter("section")}


def said_in(section):
    """Ce qu'une section affiche, d'après sa page."""
    (said,) = [pre for pre in section.iter("pre") if pre.get("aria-label").startswith("Ce qu'affiche")]
    return text_of(said)


def answer_in(section):
    """La réponse d'une section, d'après sa page ; "" s'il n'y en a pas."""
    found = [text_of(details) for details in section.iter("details") if details.get("class") == "answer"]
    return squeezed(found[0]).removeprefix("La réponse") if found else ""


def code_in(element):
    """Les lignes de code d'un élément : {numéro: texte}."""
    rows = [(int(span.get("data-n")), "".join(span.itertext())) for span in element.iter("span") if span.get("data-n")]
    assert len(dict(rows)) == len(rows), "chaque ligne une seule fois"
    return dict(rows)


@functools.cache
def source(script, corrige):
    """Le texte du script que montre une édition."""
    if corrige:
        return (ROOT / f"{script}.py").read_text(encoding="utf-8")
    return version_eleve.student_files()[f"{script}.py"]


# --- Ce que montrent les pages ------------------------------------------------------------------------
def measured(text):
    """Ce qu'une section affiche dans une vraie sortie, sans son titre, ses questions, ni ses figures."""
    return re.sub(r"^Figure : .*\n?", "", text.partition("\n\n")[2], flags=re.MULTILINE).strip("\n")


@pytest.mark.parametrize("corrige", [False, True])
def test_a_page_says_what_the_script_says(corrige, small, tmp_path):
    """Une page montre une autre sortie, une autre réponse ou d'autres figures que le script."""
    sections = sections_in(tree_of(small[corrige] / f"{SMALL}.html"))
    output = blocks(run(SMALL, tmp_path / "entier", "--corrige", "--figures", "figures")[1])
    (tmp_path / "eleve").mkdir()
    (tmp_path / "eleve" / f"{SMALL}.py").write_text(source(SMALL, False), encoding="utf-8")
    left = blocks(run(SMALL, tmp_path / "eleve", "--figures", "figures")[1])
    functions = version_eleve.sections_of(ast.parse(source(SMALL, True)))
    assert [name for name in sections if name in functions] == list(functions) == list(output)
    for name, function in functions.items():
        shown, docstring = squeezed(text_of(sections[name])), ast.get_docstring(function)
        title = squeezed(docstring.splitlines()[0])
        assert shown.startswith(f"{title} {name} ")
        assert all(squeezed(line) in shown for line in docstring.splitlines()[1:])
        said, _, answer = measured(output[name]).partition("\nRéponse : ")
        waits = not corrige and "\nÀ vous n° " in left[name]
        assert said_in(sections[name]) == (measured(left[name]) if waits else said.strip("\n"))
        assert answer_in(sections[name]) == (squeezed(answer) if corrige else "")
        figures = re.findall(r"^Figure : (.*)$", output[name], re.MULTILINE)
        assert figures and [image.get("src") for image in sections[name].iter("img")] == figures
        assert ("La figure à obtenir" in shown) == waits
    for figure in small[corrige].glob("figures/*"):
        assert figure.read_bytes() == (tmp_path / "entier" / "figures" / figure.name).read_bytes()


def check_code(folder, script, corrige):
    """Chaque ligne à son numéro, et toutes celles de la leçon et des sections."""
    tree, lines = tree_of(folder / f"{script}.html"), source(script, corrige).splitlines()
    found = code_in(tree)
    assert all(lines[n - 1] == text for n, text in found.items())
    first, last = [n for n, line in enumerate(lines) if line.startswith(("# --- La leçon", "# --- Lancement"))]
    missing = [lines[n] for n in range(first, last) if n + 1 not in found]
    assert all(not line or line.startswith("# --- ") for line in missing), missing
    settings = code_in(sections_in(tree)["reglages"]).values()
    assert {text.split(" = ")[0] for text in settings} >= set(load(script).LIMITS) - {"FUNCTIONS"}
    assert len([each for each in tree.iter() if each.tag.endswith("}math")]) == len(FORMULAS[script]) > 0
    assert max(found) <= last, "rien du lancement"


@pytest.mark.parametrize("corrige", [False, True])
def test_the_code_has_the_numbers_of_the_file(corrige, small):
    """Une ligne de code n'est pas celle du fichier qui porte ce numéro."""
    check_code(small[corrige], SMALL, corrige)


def windows(text, size=5):
    """Les suites de `size` mots d'un texte."""
    words = re.findall(r"[\w.^-]*\w", text)
    return {" ".join(words[k : k + size]) for k in range(len(words) - size + 1)}


def check_silence(folders, script):
    """Les mots des réponses et le code à écrire ne sont pas dans l'édition sans les réponses.

    Le code qu'elle montre est, ligne par ligne, celui de la version élève, qui a les mêmes épreuves. Un script dit
    aussi, sans --corrige, des choses que reprennent ses réponses.
    """
    trees = {corrige: tree_of(folder / f"{script}.html") for corrige, folder in folders.items()}
    full, tree = sections_in(trees[True]), sections_in(trees[False])
    rest = text_of(trees[False])
    for each in trees[False].iter("pre"):
        if each.get("class") == "code":
            rest = rest.replace(text_of(each), "")
    rest += "\n".join(image.get("alt").replace("\u00a0", " ") for image in trees[False].iter("img"))
    known = windows(source(script, False))
    waits = {name: "À vous n° " in said_in(tree[name]) for name in load(script).SECTIONS}
    for name in [name for name in waits if not waits[name]]:
        known |= windows(said_in(full[name]))
    for name in waits:
        secret = windows(answer_in(full[name])) - known
        assert secret and not secret & windows(rest), (name, secret & windows(rest))
        assert answer_in(tree[name]) == ""
    for _, pattern, _ in TOKENS:
        assert not re.search(pattern, rest), pattern
    for match in version_eleve.REGION.finditer(source(script, True)):
        assert not any(line.strip() in rest for line in match[0].splitlines() if len(line.strip()) > 25)
    expected = {name for blank in version_eleve.BLANKS if blank.script == script for name in blank.sections}
    assert expected <= {name for name in waits if waits[name]}


def test_the_edition_without_answers_answers_nothing(small):
    """Le guide des élèves donne une réponse, ou le code à écrire."""
    check_silence(small, SMALL)


def test_french_keeps_its_spaces_and_shows_code():
    """Un « : » passe à la ligne suivante, ou du code devient une balise."""
    assert guide.french("x < 1 : « `a` » ?") == ("x &lt; 1\u00a0: «\u00a0<code>a</code>\u00a0»\u00a0?")


def check_links(folder):
    """Du HTML correct, des identifiants uniques, des liens qui mènent quelque part, rien d'ailleurs."""
    trees = {path.name: tree_of(path) for path in folder.glob("*.html")}
    ids = {name: [each.get("id") for each in tree.iter() if each.get("id")] for name, tree in trees.items()}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    used = set()
    for name, tree in trees.items():
        assert tree.get("lang") == "fr" and len(list(tree.iter("h1"))) == 1
        assert len(set(ids[name])) == len(ids[name])
        for link in tree.iter("a"):
            page, _, place = link.get("href").partition("#")
            assert (page or name) in trees and (not place or place in ids[page or name]), link.get("href")
        for image in tree.iter("img"):
            used.add(image.get("src"))
            assert len(image.get("alt")) > 30 and image.get("width") and image.get("height")
        assert all(pre.get("tabindex") == "0" and pre.get("aria-label") for pre in tree.iter("pre"))
        text = (folder / name).read_text(encoding="utf-8").replace("http://www.w3.org/1998/Math/MathML", "")
        assert not re.search(r"(https?:)?//[\w.-]+\.\w+|@import|url\(", text), "rien ne vient d'ailleurs"
    assert files == {*trees, "figures", *used}
    assert {link.get("href") for link in trees["index.html"].iter("a")} == set(trees)


@pytest.mark.parametrize("corrige", [False, True])
def test_html_ids_and_links(corrige, small):
    """Un lien ne mène nulle part, ou le pied de page ne dit plus avec quoi le guide a été fait."""
    check_links(small[corrige])
    footer = text_of(next(tree_of(small[corrige] / "index.html").iter("footer")))
    assert re.fullmatch(
        r"\s*Essai du \d\d/\d\d/\d{4}, graine 0\. Python [\d.]+, numpy \S+, matplotlib \S+, scikit-learn \S+, "
        r"torch \S+\.\s*",
        footer,
    )


def test_every_alt_belongs_to_a_section_and_quotes_its_figure():
    """Le texte d'une figure cite ce qui n'y est pas écrit, ou donne un résultat."""
    for name, text in ALTS.items():
        script, _, section = name.partition("-")
        sections = load(script).SECTIONS
        assert re.sub(r"-\d$", "", section) in sections
        quoted = re.findall(r"« (.+?) »", text)
        assert all(words in source(script, True) for words in quoted), quoted
        assert not re.search(r"\d[.,]\d", text), text
    assert set(COVERS) == set(FORMULAS) == set(SCRIPTS) and set(COVERS.values()) <= set(ALTS)


# --- Où il s'écrit ------------------------------------------------------------------------------------
def content(folder):
    """Tout ce qu'un dossier contient : {nom: octets}."""
    paths = sorted(folder.rglob("*"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b"" for path in paths}


def test_it_writes_the_same_thing_twice_and_replaces_an_older_guide(small, tmp_path, one_script, capsys):
    """Deux guides diffèrent, ou les pages d'un ancien guide restent parmi les neuves."""
    empty = tmp_path / "vide"
    empty.mkdir()
    assert write(empty) == 0 and content(empty) == content(small[False])
    old = empty / f"{SMALL}.html"
    old.rename(empty / "ancien_script.html")
    (empty / "figures" / f"{SMALL}-3.1-ancienne.png").write_bytes(b"")
    assert write(empty, "--corrige") == 0 and content(empty) == content(small[True])
    assert [path.name for path in tmp_path.iterdir()] == ["vide"]
    said, errors = capsys.readouterr()
    assert said.splitlines()[1] == f"Guide avec les réponses : ouvrez {str(empty / 'index.html')!r:.110}" and not errors


def refused(capsys, *words):
    """La ligne qui refuse ces mots."""
    assert write(*words) == 2
    said, errors = capsys.readouterr()
    assert said == "" and errors.count("\n") == 1 and errors.startswith("guide.py : ")
    return errors


def test_it_refuses_what_it_cannot_replace(small, tmp_path, capsys, one_script, monkeypatch):
    """Un dossier qui n'est pas un guide est effacé."""
    monkeypatch.setattr(guide, "run", None)  # tout est refusé avant le premier script
    file, notes, mixed = tmp_path / "fichier", tmp_path / "notes", tmp_path / "mêlé"
    file.write_text("à moi")
    notes.mkdir()
    (notes / "index.html").write_text("<p>mes notes</p>")
    shutil.copytree(small[False], mixed)
    (mixed / "figures" / "notes.txt").write_text("à moi")
    before = content(tmp_path)
    assert "n'est pas un dossier" in refused(capsys, file)
    assert "ne peut pas être écrit" in refused(capsys, file / "guide")
    assert "ne peut pas être écrit" in refused(capsys, tmp_path / ("long" * 100))
    assert "n'est ni vide, ni un guide" in refused(capsys, notes)
    assert "notes.txt n'en vient pas" in refused(capsys, mixed)
    (mixed / "figures" / "notes.txt").rename(mixed / "figures" / "photo.png")
    assert "photo.png n'en vient pas" in refused(capsys, mixed)
    (mixed / "figures" / "photo.png").rename(mixed / "figures" / "notes.txt")
    (tmp_path / "courant").mkdir()
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path / "courant")
        assert "est le dossier courant" in refused(capsys, ".")
    (tmp_path / "courant").rmdir()
    for words in [["a", "b"], ["--tout"], ["a", "--tout"], ["", "--corrige", "b"]]:
        assert "il faut un DOSSIER" in refused(capsys, *words)
    assert content(tmp_path) == before


def test_a_script_that_stops_leaves_the_older_guide(small, tmp_path, one_script, monkeypatch, capfd):
    """Un script qui s'arrête, une figure sans texte ou un disque plein abîment le guide d'avant."""
    folder = tmp_path / "guide"
    shutil.copytree(small[True], folder)
    before = content(tmp_path)
    broken = tmp_path.parent / "scripts cassés"
    broken.mkdir()
    (broken / f"{SMALL}.py").write_text(
        source(SMALL, True).replace("    show_softmax()", "    show_nothing()"), "utf-8"
    )
    monkeypatch.setattr(guide, "ROOT", broken)
    assert write(folder) == 1 and content(tmp_path) == before
    errors = capfd.readouterr().err
    assert "NameError" in errors and errors.endswith("relu_plot.py s'est arrêté en route (état 1) ; rien n'est écrit\n")
    monkeypatch.undo()
    monkeypatch.setattr(guide, "SCRIPTS", [SMALL])
    monkeypatch.delitem(ALTS, "relu_plot-3.1-activations-2")
    assert write(folder, "--corrige") == 1 and content(tmp_path) == before
    assert "la figure relu_plot-3.1-activations-2 n'a pas de texte" in capfd.readouterr().err
    real = guide.Path.rename

    def fail(path, target):
        if path.parent.name == "nouveau":  # le guide tout neuf, au moment de prendre sa place
            raise OSError(28, "No space left on device")
        return real(path, target)

    monkeypatch.undo()
    monkeypatch.setattr(guide, "SCRIPTS", [SMALL])
    monkeypatch.setattr(guide.Path, "rename", fail)
    assert write(folder) == 2 and content(tmp_path) == before
    assert "ne peut pas être écrit (No space left on device)" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="pas de signal à envoyer sous Windows")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(signum, tmp_path):
    """Ctrl+C laisse un dossier à moitié écrit, ou un traceback."""
    command = [sys.executable, ROOT / "outils" / "guide.py", "guide"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE)
    while not list(tmp_path.glob(".tp-*/nouveau/guide/figures")):
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)  # le premier script est lancé
    process.send_signal(signum)
    errors = process.communicate(timeout=60)[1]
    assert (process.returncode, list(tmp_path.iterdir())) == (130, []) and b"Traceback" not in errors


def test_without_its_libraries_it_says_what_to_install(tmp_path):
    """Une bibliothèque qui manque donne un traceback au lieu de la commande qui l'installe."""
    (tmp_path / "jinja2.py").write_text("raise ModuleNotFoundError('', name='jinja2')")
    command = [sys.executable, ROOT / "outils" / "guide.py", "guide"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(PYTHONPATH=str(tmp_path)), capture_output=True)
    said = "guide.py : il manque jinja2 ; pip install -r outils/requirements.txt"
    assert (done.returncode, done.stderr.decode("cp1252").strip()) == (2, said)


def test_help(capsys):
    """--help ne montre plus les deux commandes."""
    assert write("--help") == 0 and "python outils/guide.py DOSSIER --corrige" in capsys.readouterr().out


# --- Le guide entier ----------------------------------------------------------------------------------
@pytest.mark.lent
def test_the_whole_guide(whole):
    """Sur les cinq scripts : un lien, un texte de figure, une ligne de code ou une réponse manque."""
    for corrige, folder in whole.items():
        check_links(folder)
        assert {path.stem for path in folder.glob("figures/*")} == set(ALTS), "aucun texte de trop"
        assert {path.stem for path in folder.glob("*.html")} == {"index", *SCRIPTS}
        for script in SCRIPTS:
            check_code(folder, script, corrige)
            answers = [answer_in(each) for name, each in sections_in(tree_of(folder / f"{script}.html")).items()]
            assert len([answer for answer in answers if answer]) == corrige * len(load(script).SECTIONS)
    for script in SCRIPTS:
        check_silence(whole, script)


@pytest.mark.lent
def test_two_runs_differ_only_in_durations(whole):
    """Les deux éditions ne montrent plus les mêmes figures ni les mêmes nombres."""
    timed = {"exercice1-2.2.3-million.png", "exercice3-3.3.1-calcul.png"}  # les figures de durées
    for figure in whole[True].glob("figures/*"):
        assert figure.name in timed or figure.read_bytes() == (whole[False] / "figures" / figure.name).read_bytes()
    for script in SCRIPTS:
        full, tree = [sections_in(tree_of(whole[corrige] / f"{script}.html")) for corrige in (True, False)]
        for name in load(script).SECTIONS:
            if "À vous n° " not in said_in(tree[name]):
                assert lasting(said_in(full[name])) == lasting(said_in(tree[name])), name


# --- Dans un navigateur -------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def browser():
    """Chromium, sans réseau ; sans lui, ou sans playwright, les tests de navigateur sont sautés."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright n'est pas installé")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("pas de navigateur, Chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path)
        yield opened
        opened.close()


def visit(browser, folder, **settings):
    """Ouvre chaque page d'un guide ; rend ce qui s'y passe : la page, les demandes à l'extérieur, les erreurs."""
    with browser.new_context(offline=True, **settings) as context:
        page, outside, errors = context.new_page(), [], []
        page.on("request", lambda request: outside.append(request.url))
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", lambda request: errors.append(request.url))
        for path in sorted(folder.glob("*.html")):
            page.goto(path.as_uri())
            yield path.stem, page
        assert [url for url in outside if not url.startswith((folder.as_uri(), "data:"))] == []
        assert errors == []


# axe regarde chaque mot de code : on ne lui laisse que les lignes où une couleur paraît pour la première fois.
FEWER_LINES = """() => { const seen = new Set(); document.querySelectorAll("[data-n]").forEach(row => {
    const kinds = [...row.children].map(each => each.className).filter(kind => !seen.has(kind));
    kinds.forEach(kind => seen.add(kind)); if (!kinds.length) row.remove(); }) }"""


@pytest.mark.lent
@pytest.mark.parametrize("corrige", [False, True])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme, corrige, whole, browser):
    """Une page ne se lit plus sans ses yeux : contraste, titres, textes des figures."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core n'est pas installé").Axe()
    for name, page in visit(browser, whole[corrige], color_scheme=scheme):
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        page.evaluate(FEWER_LINES)
        found = axe.run(page).response["violations"]
        nodes = [(each["id"], node["target"], node["failureSummary"]) for each in found for node in each["nodes"]]
        assert nodes == [], (name, nodes[:3])


@pytest.mark.lent
@pytest.mark.parametrize("width", [360, 768, 1366])
def test_nothing_scrolls_sideways_but_the_code(width, whole, browser):
    """Sur un téléphone, le texte déborde, ou une figure ne se charge pas."""
    for name, page in visit(browser, whole[True], viewport={"width": width, "height": 768}):
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        inside = "each.getBoundingClientRect().right <= innerWidth && each.scrollWidth <= each.clientWidth + 1"
        assert page.evaluate(f"[...document.querySelectorAll('main p, math, img')].every(each => {inside})"), name
        loaded = "Promise.all([...document.images].map(each => (each.loading = 'eager', each.decode())))"
        page.evaluate(loaded)  # une figure qui manque serait une erreur


@pytest.mark.lent
def test_without_javascript_and_on_paper(whole, browser):
    """Sans JavaScript ou à l'impression, une réponse ne se déplie pas."""
    for name, page in visit(browser, whole[True], java_script_enabled=False):
        assert page.locator("button").count() == 0
        if name != "index":
            answer = page.locator(".answer p").first
            assert not answer.is_visible() and page.locator("nav").is_visible()
            page.locator(".answer summary").first.click()
            assert answer.is_visible(), "elle se déplie sans JavaScript"
            page.emulate_media(media="print")
            assert all(page.locator(".answer p").nth(k).is_visible() for k in range(page.locator(".answer").count()))
            assert not page.locator("nav").is_visible() and not page.locator("header").is_visible()
            page.emulate_media(media="screen")


@pytest.mark.lent
def test_the_keyboard_and_the_copy_button(whole, browser):
    """Un lien vers une section, la touche Tab ou le bouton « Copier » ne marche plus."""
    with browser.new_context(offline=True, permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto((whole[False] / "relu_plot.html").as_uri() + "#3.1-relu")
        code = page.locator('[id="3.1-relu"] pre.code').first
        assert code.is_visible() and page.evaluate("scrollY") > 0, "le lien mène à la section"
        page.locator('[id="3.1-relu"] button').first.click()
        page.get_by_text("Copié").wait_for(timeout=5000)
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("def section_relu():\n") and copied in source("relu_plot", False)
        code.focus()
        assert page.evaluate("document.activeElement.className") == "code"
