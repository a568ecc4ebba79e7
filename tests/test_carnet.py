"""Les scripts dans un noyau Jupyter : figures sous la cellule, rien d'enregistré, rien qui reste dans le noyau."""

import shutil

import nbformat
from nbclient import NotebookClient

from commun import ROOT, environment

BEFORE = """
import matplotlib.pyplot as plt
before = plt.get_backend(), dict(plt.rcParams)
"""
AFTER = """
assert (plt.get_backend(), dict(plt.rcParams)) == before
plt.plot([1, 2], [3, 4])
plt.show()
"""


def play(cells, folder, monkeypatch, **changes):
    """Joue ces cellules dans un noyau neuf, dans `folder` ; rend les sorties de chacune."""
    for name, value in environment(MPLBACKEND=None, PYTHONIOENCODING=None, **changes).items():
        monkeypatch.setenv(name, value)
    for name in ("MPLBACKEND", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs for cell in notebook.cells]


def images(outputs):
    return [output for output in outputs if "image/png" in output.get("data", {})]


def text_of(outputs):
    return "".join(output.get("text", "") for output in outputs)


def test_inline_figures_and_a_kernel_left_as_it_was(tmp_path, monkeypatch):
    """Une figure ne paraît plus sous sa cellule, ou le script laisse le noyau changé derrière lui."""
    shutil.copy(ROOT / "exercice1.py", tmp_path)
    cells = [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",  # le premier tracé finit de régler le noyau
        BEFORE,
        "%run exercice1.py --section 2.2.2-perte --section 2.2.2-taux --corrige",
        AFTER,
        "%run exercice1.py --learning-rate zéro",
        "%run exercice1.py --section 2.2.1 --figures ici",
        AFTER,
    ]
    _, _, whole, own, refused, saved, own_again = play(cells, tmp_path, monkeypatch)
    assert len(images(whole)) == 2 and text_of(whole).count("Réponse :") == 2
    assert "Fermez la figure" not in text_of(whole) and "Pas de fenêtre" not in text_of(whole)
    assert len(images(own)) == len(images(own_again)) == 1, "le tracé de l'utilisateur se montre encore"
    assert [output.output_type for output in refused] == ["stream"], "une phrase, et pas de « SystemExit »"
    assert text_of(refused).startswith("exercice1.py : LEARNING_RATE (--learning-rate) : il faut un nombre")
    assert text_of(refused).endswith(", pas 'zéro'\n")
    assert not images(saved) and {path.name for path in tmp_path.iterdir()} == {"exercice1.py", "ici"}


def test_the_whole_file_sent_to_a_kernel(tmp_path, monkeypatch):
    """Envoyé tout entier à un noyau (VS Code, PyCharm), le script cherche `__file__` ou lit les mots du noyau."""
    text = (ROOT / "exercice1.py").read_text(encoding="utf-8")
    cells = [text.replace("N_ITERATIONS = None", "N_ITERATIONS = 30"), "LEARNING_RATE = -1", "main()", "_"]
    played, _, refused, status = play(cells, tmp_path, monkeypatch)
    assert len(images(played)) == 8 and "=== 2.2.3-million" in text_of(played) and not list(tmp_path.iterdir())
    assert "ce script : LEARNING_RATE (--learning-rate) : il faut un nombre" in text_of(refused)
    assert status[0]["data"]["text/plain"] == "2"


def test_a_console_session_in_a_kernel(tmp_path, monkeypatch):
    """Une constante changée après l'import n'est pas suivie, ou la figure n'est pas sous la cellule."""
    shutil.copy(ROOT / "exercice1.py", tmp_path)
    cells = ["%matplotlib inline\nimport exercice1", "exercice1.LEARNING_RATE = 0.03\nexercice1.section_loop()"]
    imported, called = play(cells, tmp_path, monkeypatch)
    assert not imported and len(images(called)) == 1
    assert any("3 % de son erreur" in output.get("data", {}).get("text/plain", "") for output in called)


def test_a_script_loaded_without_being_played(tmp_path, monkeypatch):
    """`%run -n` joue le script, ou n'en donne pas les fonctions."""
    shutil.copy(ROOT / "exercice1.py", tmp_path)
    cells = ["%run -n exercice1.py", "answer = section_loop()", "LEARNING_RATE, callable(train)"]
    loaded, called, last = play(cells, tmp_path, monkeypatch)
    assert not loaded and "Après 100 itérations" in text_of(called) and len(images(called)) == 1
    assert last[0]["data"]["text/plain"] == "(0.01, True)"


def test_real_windows_from_a_kernel(tmp_path, monkeypatch, display):
    """Après %matplotlib tk, la fenêtre se ferme toute seule."""
    shutil.copy(ROOT / "relu_plot.py", tmp_path)
    closing = """
import matplotlib.pyplot as plt
opened = []
real_show = plt.show
def show(block=None):
    window = plt.gcf().canvas.manager.window
    window.after(400, lambda: (opened.append(window.winfo_viewable()), plt.close()))
    real_show(block=block)
plt.show = show
"""
    # Une seule cellule : entre deux, la boucle Tk du noyau oublie parfois de lire la suivante.
    play_all = f"%matplotlib tk\n{closing}\n%run relu_plot.py --section 3.1-relu\nplt.show = real_show\nprint(opened)"
    (output,) = play([play_all], tmp_path, monkeypatch, DISPLAY=display)
    assert "Fermez la figure pour continuer." in text_of(output)
    assert text_of(output).endswith("[1]\n")
    assert not (tmp_path / "figures").exists()
